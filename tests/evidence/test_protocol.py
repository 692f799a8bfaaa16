"""What a trial would see of simulated people is what was simulated."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from simulate.cohort.ensemble import Ensemble
from simulate.errors import InputError
from simulate.evidence.protocol import Judgment, TrialProtocol, observe
from simulate.evidence.subject import Subject
from simulate.solver.trajectories import Status
from simulate.symbolic.units import unit
from tests.studies import tiny

JUDGED = Judgment("response", "clinical_response", 2.0)
LOOK = TrialProtocol((0.0, 2.0), {"concentration": 0.2, ("concentration", 2.0): 0.3})


@pytest.fixture(scope="module")
def ensemble() -> Ensemble:
    return tiny.ensemble(tiny.arm("one", "10 mg iv"), tiny.arm("two", "20 mg iv"), members=6)


def test_levels_are_those_of_the_ensemble_cohort_by_cohort(ensemble: Ensemble) -> None:
    found = observe(ensemble, LOOK, arm=1, cohorts=2)
    expected = ensemble.quantity("concentration")[1, :, 4].reshape(2, 3)
    np.testing.assert_array_equal(found.levels["concentration", 2.0], expected)
    np.testing.assert_allclose(found.weights, 1.0 / 3.0)
    assert found.spread("concentration", 0.0).tolist() == [[0.2], [0.2]]
    assert found.spread("concentration", 2.0).tolist() == [[0.3], [0.3]]
    assert found.units == {"concentration": unit("mg/L")}


def test_given_levels_take_the_place_of_recorded_ones(ensemble: Ensemble) -> None:
    given = np.arange(6.0) + 1.0
    found = observe(ensemble, LOOK, levels={("concentration", 2.0): given})
    assert found.levels["concentration", 2.0].tolist() == [given.tolist()]


def test_patients_who_failed_have_no_level_and_those_who_left_are_not_present(ensemble: Ensemble) -> None:
    status = ensemble.trajectories.status.copy()
    status[1] = Status.NOT_FINITE
    dropout = np.array([np.inf, np.inf, 1.0, np.inf, 3.0, np.inf])
    changed = replace(
        ensemble,
        trajectories=replace(ensemble.trajectories, status=status),
        cohort=replace(ensemble.cohort, dropout=dropout),
    )
    # On day 0 nobody has the drug yet, and a level of 0 is none.
    found = observe(changed, replace(LOOK, days=(1.0, 2.0)))
    assert np.isnan(found.levels["concentration", 1.0]).tolist() == [[False, True, False, False, False, False]]
    assert found.lost()[0] == pytest.approx(1.0 / 6.0)
    assert found.present[2.0].tolist() == [[1.0, 1.0, 0.0, 1.0, 1.0, 1.0]]
    later = found.marginal(Subject("concentration", (2.0,), None, "all", unit("mg/L")))
    assert np.exp(later.log_weights[0]) == pytest.approx([0.25, 0.0, 0.0, 0.25, 0.25, 0.25])


def test_strata_have_the_shares_that_they_had_in_the_trial(ensemble: Ensemble) -> None:
    strata = ("PM", "PM", "IBM", "PM", "PM", "IBM")
    mixed = replace(ensemble, cohort=replace(ensemble.cohort, strata=strata))
    found = observe(mixed, replace(LOOK, sizes={"PM": 10, "IBM": 5}), cohorts=2)
    assert found.strata is not None
    assert (found.strata[0].tolist(), found.strata[1]) == ([0, 0, 1], (10, 5))
    assert found.weights[0] == pytest.approx([1 / 3, 1 / 3, 1 / 3])
    found = observe(mixed, replace(LOOK, sizes={"PM": 8, "IBM": 2}), cohorts=2)
    assert found.weights[1] == pytest.approx([0.4, 0.4, 0.2])
    with pytest.raises(InputError) as caught:
        observe(mixed, replace(LOOK, sizes={"PM": 10}))
    assert caught.value.code == "evidence.strata"


def test_response_makes_groups_and_an_event(ensemble: Ensemble) -> None:
    trajectories = ensemble.trajectories
    renamed = tuple("response" if name == "concentration" else name for name in trajectories.quantities)
    units = tuple("%" if name == "response" else text for name, text in zip(renamed, trajectories.units, strict=True))
    answering = replace(ensemble, trajectories=replace(trajectories, quantities=renamed, units=units))
    found = observe(answering, TrialProtocol((0.0,), {"response": 0.1}, response=JUDGED))
    chance = ensemble.quantity("concentration")[0, :, 4] / 100.0
    assert found.groups["responders"][0] == pytest.approx(chance)
    assert found.groups["non-responders"][0] == pytest.approx(1.0 - chance)
    assert found.events["clinical_response", 2.0][0] == pytest.approx(chance)


@pytest.mark.parametrize(
    ("protocol", "cohorts", "message"),
    [
        (
            LOOK,
            4,
            "error[evidence.cohorts]: 6 members do not part into 4 cohorts of equal size\n"
            "  expected: a number that divides the number of members",
        ),
        (
            replace(LOOK, days=(0.0, 182.0)),
            1,
            "error[evidence.visit]: nothing is recorded near day 182\n"
            "  found:    times from 0 to 4 d, the nearest 4 d\n"
            "  try:      record the visits of the trial: `time.end` and `time.every` of the scenario",
        ),
        (
            replace(LOOK, noise={"concentratoin": 0.1}),
            1,
            "error[evidence.quantity]: the ensemble has no quantity `concentratoin`\n"
            "  try:      did you mean `concentration`?",
        ),
    ],
)
def test_what_was_not_simulated_is_not_seen(
    ensemble: Ensemble, protocol: TrialProtocol, cohorts: int, message: str
) -> None:
    with pytest.raises(InputError) as caught:
        observe(ensemble, protocol, cohorts=cohorts)
    assert str(caught.value) == message
