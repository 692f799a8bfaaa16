"""Clearance and absorption that change within a trajectory, from the scenario to the concentration."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from scipy.linalg import expm

from simulate.errors import InputError
from simulate.regimen.occasions import factors_on_occasions
from simulate.regimen.steady import Kinetics
from simulate.solver.kernel import FloatArray
from simulate.studies.models import find_model
from simulate.studies.runs import cohort_of, prepare, simulate_study
from simulate.studies.scenario import read_scenario
from simulate.studies.settings import Setting

DAYS = 6


def run(**settings: object) -> tuple[FloatArray, FloatArray]:
    """Drug at the injection site and in plasma, nmol, [patient, time] each."""
    chosen = {
        "time.end": f"{DAYS} d",
        "time.every": "0.25 d",
        "cohort.patients": 3,
        "model.fit": "typical",
        "outputs.quantities": ["A_d", "A_c"],
        "solver.rtol": 1e-10,
    }
    laid = [Setting(key, value, key) for key, value in {**chosen, **settings}.items()]
    ensemble = simulate_study(prepare(read_scenario("anakinra-100mg-daily", laid)))
    return ensemble.quantity("A_d")[0], ensemble.quantity("A_c")[0]


def test_concentrations_are_those_of_matrix_exponentials_pieced_together() -> None:
    settings = {"cohort.between_occasions": {"CL": 0.4, "k_a": 0.3}}
    depot, plasma = run(**settings)
    chosen = {"cohort.patients": 3, "model.fit": "typical", **settings}
    study = prepare(read_scenario("anakinra-100mg-daily", [Setting(*row, row[0]) for row in chosen.items()]))
    cohort, occasions = cohort_of(study), study.scenario.occasions
    assert occasions is not None
    clearance, absorption = (
        factors_on_occasions(occasions, name, cohort.seed, cohort.ids, DAYS) for name in ("CL", "k_a")
    )
    mass = 1e3 * 100.0 / float(next(row.value for row in study.model.parameters if row.name == "molar_mass"))
    for patient in range(3):
        k_a = cohort.of("k_a")[patient]
        k_e = cohort.of("CL")[patient] / cohort.of("V")[patient]
        state = np.zeros(2)
        for step in range(4 * DAYS):
            if step % 4 == 0:
                state[0] += cohort.of("F")[patient] * mass
            day = step // 4
            a, e = k_a * absorption[patient, day], k_e * clearance[patient, day]
            state = expm(0.25 * np.array([[-a, 0.0], [a, -e]])) @ state
            expected = state.copy()
            if (step + 1) % 4 == 0:
                expected[0] += cohort.of("F")[patient] * mass
            assert depot[patient, step + 1] == pytest.approx(expected[0], rel=1e-7, abs=1e-9)
            assert plasma[patient, step + 1] == pytest.approx(expected[1], rel=1e-7, abs=1e-9)


def test_without_spread_nothing_changes() -> None:
    for varied, plain in zip(run(**{"cohort.between_occasions": {"CL": 0, "k_a": 0}}), run(), strict=True):
        assert varied == pytest.approx(plain, rel=1e-8, abs=1e-10)


def test_a_patients_occasions_do_not_depend_on_the_cohort() -> None:
    few = run(**{"cohort.between_occasions": {"CL": 0.4}})[1]
    more = run(**{"cohort.between_occasions": {"CL": 0.4}, "cohort.patients": 9})[1]
    assert np.array_equal(few, more[:3])


def test_long_occasions_hold_their_factors() -> None:
    depot, _ = run(**{"cohort.between_occasions": {"k_a": 0.5}, "cohort.occasion": "3 d"})
    by_day = np.log(depot[:, 2::4] / depot[:, 1::4])[:, :DAYS]
    assert by_day[:, 0] == pytest.approx(by_day[:, 1], rel=1e-6)
    assert by_day[:, 0] == pytest.approx(by_day[:, 2], rel=1e-6)
    assert np.all(np.abs(by_day[:, 3] - by_day[:, 2]) > 1e-3)


def test_a_regimen_forgets_as_fast_as_with_usual_kinetics() -> None:
    left = []
    for options in ("none", "occasions"):
        model = find_model(None, [options])
        kinetics = Kinetics(model, np.array([[parameter.value for parameter in model.parameters]]))
        found = kinetics.left(0, 0, every=Fraction(1), lag=Fraction(0), duration=0.0)
        left.append({model.species[state].name: value for state, value in found})
    assert left[0].keys() == left[1].keys()
    assert list(left[0].values()) == pytest.approx([left[1][name] for name in left[0]], rel=1e-12)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"cohort.between_occasions": {"V": 0.3}},
            "error[scenario.unknown]: the model does not let `V` change between occasions\n"
            "  --> cohort.between_occasions, key `cohort.between_occasions.V`\n"
            "  expected: `CL`, `k_a`",
        ),
        (
            {"cohort.occasion": "1 d"},
            "error[scenario.value]: nothing differs between occasions\n"
            "  --> cohort.occasion, key `cohort.occasion`\n"
            "  expected: `between_occasions = { CL = 0.2 }` beside it",
        ),
        (
            {"cohort.between_occasions": {"CL": math.nan}},
            "error[key.value]: the value of `CL` cannot be used\n"
            "  --> cohort.between_occasions, key `cohort.between_occasions.CL`\n"
            "  found:    nan\n"
            "  expected: a number from 0 to 10",
        ),
    ],
)
def test_what_cannot_be_is_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(InputError) as caught:
        run(**settings)
    assert str(caught.value) == message
