"""Questions that cost little."""

from __future__ import annotations

from collections.abc import Sequence

from simulate.studies.scenario import read_scenario
from simulate.studies.sensitivity.question import By, SensitivityQuestion, question_of
from simulate.studies.settings import Setting


def asked(
    endpoints: Sequence[str], *, hypothesis: str = "H0", by: By = By.NUMBERS, hold: Sequence[str] = ()
) -> SensitivityQuestion:
    """What is asked of the trial's scenario; the inputs that are held are few to write."""
    scenario = read_scenario("anakinra-100mg-daily", [Setting("model.hypothesis", hypothesis, "test")])
    return question_of(scenario, endpoints, by=by, hold=hold)


def muscle(endpoints: Sequence[str]) -> SensitivityQuestion:
    """Three numbers that muscle depends on, under H0."""
    return asked(endpoints, hold=("det1", "det17", "d_M17", "p_unchanged", "slope_response", "R_0"))
