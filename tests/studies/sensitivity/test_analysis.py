"""Sensitivities of the reference model: against differences, and where they are refused or undefined."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtr

from simulate.cohort.ensemble import simulate_cohort
from simulate.errors import NumericalError
from simulate.solver.problem import Tolerance
from simulate.studies.endpoints import times_of
from simulate.studies.resolution import Resolution
from simulate.studies.scenario import read_scenario
from simulate.studies.sensitivity.analysis import courses_of, sensitivity
from simulate.studies.sensitivity.question import By, SensitivityQuestion, cohort_at, question_of
from simulate.studies.settings import Setting
from tests.studies.sensitivity.asked import asked, muscle

TEXTS = ("ck:change@28", "damage@14", "ck:mean@28", "inflammation:lowest@28")


def differences(question: SensitivityQuestion, step: float) -> np.ndarray:
    """Slopes by one standard deviation from trajectories on either side, shape [endpoint, input]."""
    points = np.full((2, len(question.inputs), question.dimension), 0.5)
    for row, part in enumerate(question.inputs):
        points[:, row, part.columns[0]] = ndtr(-step), ndtr(step)
    ensemble = simulate_cohort(
        question.problem.model,
        (question.study.arms[question.arm],),
        cohort_at(question, points.reshape(-1, question.dimension)),
        times_of(question.endpoints, courses_of(question)),
        tolerance=Tolerance(1e-10),
    )
    asked = zip(question.endpoints, courses_of(question), strict=True)
    values = np.array([one.of(ensemble, Resolution(1e-10), course) for one, course in asked]).reshape(len(TEXTS), 2, -1)
    return (values[:, 1] - values[:, 0]) / (2.0 * step)


def test_slopes_are_those_of_central_differences() -> None:
    question = muscle(TEXTS)
    found = sensitivity(question, n=0, trajectories=0)
    # The priors have a kink in the middle: differences are as exact as they are narrow.
    expected = differences(question, 1e-3)
    assert [part.name for part in question.inputs] == ["chi", "f_m", "il1_muscle"]
    for row, part in zip(expected, found, strict=True):
        np.testing.assert_allclose(part.slope, row, rtol=2e-3, atol=1e-3 * np.abs(row).max())


def test_what_does_not_change_has_undefined_shares_and_no_effects() -> None:
    found = sensitivity(muscle(("il17a:change", "ck:change")), n=8, trajectories=2, local=False)
    constant, other = found
    assert constant.shares is not None
    assert not constant.shares.is_defined
    assert constant.middle == pytest.approx(0.0, abs=1e-6)
    assert np.isnan(constant.scaled_slope).all()
    assert other.shares is not None
    assert other.shares.is_defined


def test_the_swing_of_an_input_is_that_of_a_simulation_with_the_input_there() -> None:
    question = muscle(("ck@28",))
    (found,) = sensitivity(question, n=0, trajectories=0, local=False)
    points = np.full((1, question.dimension), 0.5)
    points[0, question.inputs[1].columns[0]] = 0.95
    ensemble = simulate_cohort(
        question.problem.model,
        question.study.arms,
        cohort_at(question, points),
        np.array([0.0, 28.0]),
        tolerance=Tolerance(1e-10),
    )
    assert found.high[1] == pytest.approx(float(ensemble.quantity("ck")[0, 0, -1]), rel=1e-5)


def test_results_do_not_depend_on_threads_and_one_endpoint_not_on_another() -> None:
    one = sensitivity(muscle(("ck:change",)), n=8, trajectories=2, local=False, threads=1)
    two = sensitivity(muscle(("damage", "ck:change")), n=8, trajectories=2, local=False, threads=2)
    assert one[0].shares is not None
    assert two[1].shares is not None
    np.testing.assert_array_equal(one[0].shares.total_interval, two[1].shares.total_interval)


def test_a_patient_without_a_trajectory_refuses_the_figure_and_is_named() -> None:
    question = asked(("il17a:change",), hypothesis="H2")
    with pytest.raises(NumericalError) as caught:
        sensitivity(question, n=16, trajectories=0, local=False)
    lines = str(caught.value).splitlines()
    assert lines[0].startswith("error[sensitivity.failed]: ")
    assert lines[0].endswith(" patients of the design have no trajectory")
    assert "the parameters admit no steady baseline: more Th17 cells turn into double positives" in lines[1]
    assert "; furthest out: `" in lines[1]
    assert lines[2:] == [
        "  expected: a trajectory for each: shares from the others would be of other inputs than those asked for",
        "  try:      leave the input at fault in the middle: `--hold NAME`",
    ]


def test_two_groups_hold_all_that_is_uncertain_and_all_that_differs_between_patients() -> None:
    question = asked(("ck:change",), by=By.GROUPS)
    (found,) = sensitivity(question, n=16, trajectories=0)
    assert [part.name for part in question.inputs] == ["uncertainty", "variability"]
    assert sorted(column for part in question.inputs for column in part.columns) == list(range(question.dimension))
    assert found.shares is not None
    assert found.shares.total.shape == (2,)
    assert np.isnan(found.slope).all()


def test_an_endpoint_that_only_rounding_moves_is_constant() -> None:
    scenario = read_scenario(
        "untreated", [Setting("time.end", "20 d", "test"), Setting("model.hypothesis", "H0", "test")]
    )
    question = question_of(scenario, ("ifng:change@20",), hold=("det1", "det17", "d_M17", "p_unchanged", "R_0"))
    (found,) = sensitivity(question, n=8, trajectories=2, local=False)
    assert found.middle == 0.0
    assert (found.low == 0.0).all()
    assert (found.high == 0.0).all()
    assert found.shares is not None
    assert not found.shares.is_defined
    assert found.effects is not None
    assert (found.effects.size == 0.0).all()
