"""Patients of whom something is known: the rest is drawn as it is among people like them."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from scipy.special import ndtr, ndtri

from simulate.cohort.draws import Cohort, draw
from simulate.cohort.population import Correlation, Population, PowerEffect, SlopeEffect
from simulate.cohort.reading import shipped_population
from simulate.errors import InputError
from simulate.symbolic.parts import Parameter, Spread
from simulate.symbolic.units import unit
from tests.helpers.models import reference_model


def part(name: str, value: float, sd_log: float | None = None, bounds: tuple[float, float] | None = None) -> Parameter:
    return Parameter(name, name, value, unit("kg"), spread=None if sd_log is None else Spread(sd_log), bounds=bounds)


RENAL = part("renal", 90.0, 0.15)
POPULATION = Population(
    parameters=(part("V", 12.0), part("CL", 200.0, 0.25), part("k", 2.0, 0.3)),
    covariates=(part("weight", 75.0, 0.18, (50.0, 110.0)), RENAL),
    effects=(PowerEffect("weight", "V", 1.0), PowerEffect("weight", "CL", 0.5), SlopeEffect("renal", "CL", 0.0062)),
)
CORRELATED = dataclasses.replace(POPULATION, correlations=(Correlation("weight", "k", 0.8),))


def of(n: int, population: Population = POPULATION, first: int = 0, **given: list[float]) -> Cohort:
    return draw(population, n, seed=4, first=first, given={name: np.array(row) for name, row in given.items()})


def test_what_is_given_is_had_to_the_bit_and_acts_by_its_formula() -> None:
    weights = [61.3, 98.7, 75.0]
    cohort = of(3, weight=weights)
    assert cohort.of("weight").tolist() == weights
    assert cohort.of("V") == pytest.approx(12.0 * np.array(weights) / 75.0, rel=1e-13)


def test_what_has_nothing_to_do_with_it_is_drawn_as_without_it() -> None:
    plain, known = of(40), of(40, weight=[60.0] * 40)
    assert known.of("k").tobytes() == plain.of("k").tobytes()
    assert known.of("renal").tobytes() == plain.of("renal").tobytes()
    expected = plain.of("CL") * (60.0 / plain.of("weight")) ** 0.5
    assert known.of("CL") == pytest.approx(expected, rel=1e-12)


def test_whoever_is_not_known_is_drawn() -> None:
    plain, known = of(4), of(4, weight=[60.0, math.nan, 70.0, math.nan], renal=[math.nan] * 4)
    assert known.of("weight")[[0, 2]].tolist() == [60.0, 70.0]
    for name in ("weight", "renal", "V", "CL"):
        assert known.of(name)[[1, 3]].tobytes() == plain.of(name)[[1, 3]].tobytes()


def test_a_member_is_the_same_in_any_cohort() -> None:
    weights = np.linspace(55.0, 105.0, 30).tolist()
    whole, part_of_it = of(30, CORRELATED, weight=weights), of(5, CORRELATED, first=11, weight=weights[11:16])
    assert whole.values[11:16].tobytes() == part_of_it.values.tobytes()


@pytest.mark.parametrize("bounds", [None, (50.0, 110.0)])
def test_a_correlation_passes_on_what_is_known(bounds: tuple[float, float] | None) -> None:
    # The score of the weight is that of its probability within its bounds; given it, that of k is normal about 0.8
    # times it with sd sqrt(1 - 0.8²).
    n, weight = 4000, 75.0 * math.exp(2 * 0.18)
    low, high = (0.0, 1.0) if bounds is None else ndtr(np.log(np.array(bounds) / 75.0) / 0.18)
    score = float(ndtri((ndtr(2.0) - low) / (high - low)))
    population = dataclasses.replace(CORRELATED, covariates=(part("weight", 75.0, 0.18, bounds), RENAL))
    k = np.log(of(n, population, weight=[weight] * n).of("k") / 2.0) / 0.3
    assert k.mean() == pytest.approx(0.8 * score, abs=4 * 0.6 / math.sqrt(n))
    assert k.std() == pytest.approx(0.6, abs=4 * 0.6 / math.sqrt(2 * n))


def test_who_is_known_changes_nobody_else_of_what_is_correlated() -> None:
    both = dataclasses.replace(CORRELATED, correlations=(*CORRELATED.correlations, Correlation("renal", "k", -0.5)))
    plain, known = (
        of(4, both),
        of(4, both, weight=[60.0, math.nan, 70.0, math.nan], renal=[80.0, 85.0, math.nan, math.nan]),
    )
    assert known.values[3].tobytes() == plain.values[3].tobytes()
    assert (known.of("k")[:3] != plain.of("k")[:3]).all()


def test_what_was_drawn_and_is_given_back_changes_nobody() -> None:
    drawn = of(50, CORRELATED)
    again = of(50, CORRELATED, weight=drawn.of("weight").tolist())
    for name in ("V", "CL", "k"):
        assert again.of(name) == pytest.approx(drawn.of(name), rel=1e-11)


def test_bounds_of_the_others_are_kept() -> None:
    narrow = dataclasses.replace(
        POPULATION, parameters=(part("V", 12.0, 0.3, (9.0, 16.0)), part("CL", 200.0, 0.25), part("k", 2.0, 0.3))
    )
    cohort = of(300, narrow, weight=[90.0] * 300)
    assert ((cohort.of("V") >= 9.0) & (cohort.of("V") <= 16.0)).all()
    assert (cohort.of("weight") == 90.0).all()


def test_a_lighter_patient_of_the_shipped_population_clears_less() -> None:
    population = shipped_population(reference_model().parameters)
    light, heavy = (draw(population, 60, seed=1, given={"weight": np.full(60, kg)}) for kg in (55.0, 105.0))
    assert light.of("CL").mean() < heavy.of("CL").mean()
    assert light.of("R_0").tobytes() == heavy.of("R_0").tobytes()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"wieght": [70.0]},
            "error[cohort.covariate]: the population has no covariate `wieght`\n  expected: `weight`, `renal`\n"
            "  try:      did you mean `weight`?",
        ),
        (
            {"weight": [120.0]},
            "error[cohort.covariate]: a given value of `weight` cannot be used\n  found:    120 kg\n"
            "  expected: a number from 50 to 110 kg for each of 1 member\n"
            "  try:      take a population that has such people: `obese`, `renal`, or a file with wider bounds",
        ),
        (
            {"renal": [0.0]},
            "error[cohort.covariate]: a given value of `renal` cannot be used\n  found:    0 kg\n"
            "  expected: a number from -inf to inf kg for each of 1 member\n"
            "  try:      take a population that has such people: `obese`, `renal`, or a file with wider bounds",
        ),
        (
            {"weight": [70.0, 80.0]},
            "error[cohort.covariate]: a given value of `weight` cannot be used\n  found:    shape (2,)\n"
            "  expected: a number from 50 to 110 kg for each of 1 member\n"
            "  try:      take a population that has such people: `obese`, `renal`, or a file with wider bounds",
        ),
    ],
)
def test_what_cannot_be_is_refused(given: dict[str, list[float]], message: str) -> None:
    with pytest.raises(InputError) as caught:
        of(1, **given)
    assert str(caught.value) == message
