"""Profiles end where closed forms, or SciPy with a course in closed form, have them."""

from __future__ import annotations

import csv
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import brentq, least_squares

pytest.importorskip("libsbml")
pytest.importorskip("yaml")

from simulate.errors import Il1simError
from simulate.exchange.petab.reading import read_petab
from simulate.inference.profiles import THRESHOLD
from simulate.studies.petab.fitting import fit_objective
from simulate.studies.petab.objective import objective_of
from simulate.studies.petab.profiling import profile_fit
from tests.studies.petab.straight import ERRORS, MEAN, SIGMA, TABLE, straight_line

HALF = math.sqrt(2.0 * THRESHOLD)
UPTAKE = Path(__file__).parents[2] / "data" / "uptake"


def test_profiles_of_a_straight_line_end_where_its_errors_say_with_the_prior(tmp_path: Path) -> None:
    objective = straight_line(tmp_path)
    found = profile_fit(objective, fit_objective(objective, starts=2, seed=1))
    for row, mean, error in zip(found.parameters, MEAN, ERRORS, strict=True):
        assert row.verdict == "bounded"
        assert (row.low, row.high) == pytest.approx((mean - HALF * error, mean + HALF * error), abs=1e-4 * error)
        assert row.parts == ((row.low, row.high),)
        assert not row.lost
    assert found.gained == pytest.approx(0.0, abs=1e-6)
    # Along the profile of p, q is what is likeliest given p.
    drops, values = found.curves[0]
    np.testing.assert_allclose(drops, 0.5 * ((values[:, 0] - MEAN[0]) / ERRORS[0]) ** 2, atol=1e-4)


def test_of_a_product_alone_neither_factor_has_an_end(tmp_path: Path) -> None:
    objective = straight_line(
        tmp_path,
        f"{TABLE}\np log10 0.01 100 1 1 _ _\nq log10 0.01 100 1 1 _ _",
        observables="observableId observableFormula noiseFormula\no p*q*time sigma",
    )
    found = profile_fit(objective, fit_objective(objective, starts=2, seed=1))
    assert [(row.verdict, row.low, row.high, row.lost) for row in found.parameters] == [("flat", None, None, False)] * 2
    assert [row.parts for row in found.parameters] == [((None, None),)] * 2
    held = found.curves[0][1][:, 0]
    assert (held[0], held[-1]) == pytest.approx((0.01, 100.0))


def test_what_can_only_be_too_small_is_open_above(tmp_path: Path) -> None:
    """Nothing is left at time 1: so exp(-p) is no more than that the noise would hide it."""
    objective = straight_line(
        tmp_path,
        f"{TABLE}\np lin 0 20 1 1 _ _",
        observables="observableId observableFormula noiseFormula\no exp(-p*time) sigma",
        measurements="observableId simulationConditionId time measurement\no c0 1 0",
    )
    (row,) = profile_fit(objective, fit_objective(objective, starts=2, seed=1)).parameters
    assert (row.verdict, row.high) == ("one-sided", None)
    assert row.low == pytest.approx(-math.log(SIGMA * HALF), abs=1e-3)


def test_values_between_two_optima_that_do_not_fit_are_left_out(tmp_path: Path) -> None:
    """Of p² = 4 the sign is open, and nothing near zero fits."""
    objective = straight_line(
        tmp_path,
        f"{TABLE}\np lin -5 5 1 1 _ _",
        observables="observableId observableFormula noiseFormula\no p^2 sigma",
        measurements="observableId simulationConditionId time measurement\no c0 1 4",
    )
    (row,) = profile_fit(objective, fit_objective(objective, starts=8, seed=1)).parameters
    inner, outer = math.sqrt(4.0 - SIGMA * HALF), math.sqrt(4.0 + SIGMA * HALF)
    assert row.verdict == "split"
    (low, first), (second, high) = row.parts
    assert (low, first, second, high) == pytest.approx((-outer, -inner, inner, outer), abs=1e-3)
    assert (row.low, row.high) == (low, high)


def test_a_better_point_than_all_starts_is_told_and_profiled(tmp_path: Path) -> None:
    objective = straight_line(tmp_path)
    fit = fit_objective(objective, starts=1, seed=1)
    beside = MEAN + np.array([0.5 * ERRORS[0], 0.0])
    worse = objective(beside)
    wrong = replace(fit, point=beside, log_likelihood=worse.log_likelihood, log_prior=worse.log_prior, starts=())
    said: list[str] = []
    found = profile_fit(objective, wrong, names=["p"], told=said.append)
    assert found.gained == pytest.approx(fit.log_likelihood + fit.log_prior - worse.total, abs=1e-4)
    assert found.gained > 0.1
    assert "profiles begin anew" in said[0]
    (row,) = found.parameters
    assert (row.low, row.high) == pytest.approx(
        (MEAN[0] - HALF * ERRORS[0], MEAN[0] + HALF * ERRORS[0]), abs=1e-3 * ERRORS[0]
    )


def test_a_name_that_is_not_sought_is_refused(tmp_path: Path) -> None:
    objective = straight_line(tmp_path)
    with pytest.raises(Il1simError) as caught:
        profile_fit(objective, fit_objective(objective, starts=1, seed=1), names=["q", "sigma"])
    assert str(caught.value) == ("error[petab.profile]: no parameter `sigma` is sought\n  expected: `p`, `q`")


def test_of_uptake_and_elimination_that_can_change_places_both_have_the_ends_of_the_closed_form() -> None:
    """Sums of exponentials, fitted by SciPy with one rate held: the likelihood is even in both rates."""
    objective = objective_of(read_petab(UPTAKE / "problem.yaml"), threads=1)
    found = profile_fit(objective, fit_objective(objective, starts=2, seed=1), names=["k_a", "k_e"])
    with (UPTAKE / "measurements.tsv").open(newline="") as file:
        rows = [*csv.DictReader(file, delimiter="\t")]
    times, values = (np.array([float(row[name]) for row in rows]) for name in ("time", "measurement"))
    after = np.maximum(times[:, None] - np.array([0.0, 1.0, 2.0]), 0.0)

    def residuals(rate: float, other: float, volume: float) -> np.ndarray:
        course = 100.0 / volume * rate / (other - rate) * (np.exp(-rate * after) - np.exp(-other * after)).sum(axis=1)
        return (course - values) / 0.15

    def least(rate: float) -> float:
        ends = [
            least_squares(lambda point: residuals(rate, *point), [other, 7.0], bounds=([0.5, 1.0], [50.0, 50.0])).cost
            for other in (0.7 * rate, 1.6 * rate)
        ]
        return float(min(ends))

    floor = least_squares(lambda point: residuals(*point), [3.9, 6.2, 6.7]).cost
    low, high = (brentq(lambda rate: least(rate) - floor - THRESHOLD, *ends) for ends in ((2.5, 3.6), (7.0, 10.0)))
    for row in found.parameters:
        assert (row.verdict, row.low, row.high) == (
            "bounded",
            pytest.approx(low, rel=2e-3),
            pytest.approx(high, rel=2e-3),
        )
