"""One transform from uniform numbers to patients: bounds, correlations, strata, covariates and overrides in it."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from scipy.integrate import simpson
from scipy.special import ndtr, ndtri
from scipy.stats import multivariate_normal, norm

from simulate.cohort.draws import Cohort, draw, redrawn
from simulate.cohort.population import Correlation, Population, PowerEffect, Stratum
from simulate.cohort.reading import shipped_population
from simulate.cohort.transform import Changes, Distribution, check_overrides, coordinates, kinds_of, transform
from simulate.errors import InputError
from simulate.streams import FloatArray, stream
from simulate.symbolic.parts import Parameter, Spread
from simulate.symbolic.units import unit
from tests.helpers.models import reference_model

SHIPPED = {name: shipped_population(reference_model().parameters, name) for name in ("myositis", "obese", "healthy")}


def part(name: str, value: float, sd_log: float | None = None, bounds: tuple[float, float] | None = None) -> Parameter:
    return Parameter(name, name, value, unit("L"), spread=None if sd_log is None else Spread(sd_log), bounds=bounds)


PAIR = Population(
    (part("a", 1.0, 0.5, (0.5, 1.2)), part("b", 3.0, 0.4, (2.0, 9.0))), correlations=(Correlation("a", "b", 0.8),)
)
PEOPLE = Population(
    (part("CL", 200.0, 0.3, (100.0, 400.0)), part("a", 0.5, 0.5, (0.1, 0.95)), part("b", 1.0, 0.2), part("c", 2.0)),
    covariates=(part("weight", 75.0, 0.2, (50.0, 110.0)),),
    correlations=(Correlation("a", "b", 0.7),),
    effects=(PowerEffect("weight", "CL", 0.75),),
    strata=(Stratum("first", 2), Stratum("second", 1, (part("a", 0.9, 0.1, (0.6, 0.99)),))),
)


def uniforms(population: Population, n: int, seed: int = 1) -> dict[str, FloatArray]:
    return {name: stream(seed, f"test {name}", 0).random(n) for name in coordinates(population)}


def kinds(population: Population, n: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    found: np.ndarray[tuple[int], np.dtype[np.int64]] = kinds_of(population, (np.arange(n) + 0.5) / n)
    return found


def test_a_correlated_pair_has_the_moments_of_its_copula() -> None:
    """Normal scores correlated by 0.8; the probability of a score is that in the normal distribution cut at bounds."""

    rho, n = 0.8, 400_000
    grid = np.linspace(-8.0, 8.0, 1601)

    def logs(row: Parameter) -> FloatArray:
        assert row.spread is not None
        assert row.bounds is not None
        low, high = norm.cdf(np.log(np.array(row.bounds) / row.value) / row.spread.sd_log)
        return row.spread.sd_log * norm.ppf(low + norm.cdf(grid) * (high - low))

    first, second = (logs(row) for row in PAIR.parameters)
    density = multivariate_normal([0.0, 0.0], [[1.0, rho], [rho, 1.0]]).pdf(np.stack(np.meshgrid(grid, grid), axis=-1))
    found = transform(PAIR, uniforms(PAIR, n), np.zeros(n, dtype=np.int64))
    x, y = np.log(found["a"]), np.log(found["b"] / 3.0)
    for power_a, power_b in ((1, 1), (1, 0), (0, 2)):
        inner = simpson(density * first**power_a * second[:, np.newaxis] ** power_b, x=grid, axis=1)
        sample = x**power_a * y**power_b
        error = float(sample.std()) / math.sqrt(n)
        assert float(sample.mean()) == pytest.approx(float(simpson(inner, x=grid)), abs=4 * error)


def test_a_margin_is_the_log_normal_cut_at_its_bounds_whatever_it_is_correlated_with() -> None:
    n = 50_000
    found = np.sort(transform(PAIR, uniforms(PAIR, n), np.zeros(n, dtype=np.int64))["b"])
    low, high = (norm.cdf(math.log(edge / 3.0) / 0.4) for edge in (2.0, 9.0))
    exact = (norm.cdf(np.log(found / 3.0) / 0.4) - low) / (high - low)
    assert np.abs(exact - (np.arange(n) + 0.5) / n).max() < 1.63 / math.sqrt(n)


def test_a_value_is_the_quantile_at_its_coordinate() -> None:
    at = {"a": np.array([0.3]), "b": np.array([0.5])}
    found = transform(PAIR, at, np.zeros(1, dtype=np.int64))
    low, high = ndtr(np.log(np.array([0.5, 1.2])) / 0.5)
    assert found["a"][0] == pytest.approx(math.exp(0.5 * ndtri(low + 0.3 * (high - low))), rel=1e-14)
    low, high = ndtr(np.log(np.array([2.0, 9.0]) / 3.0) / 0.4)
    place = ndtr(0.8 * ndtri(0.3))
    assert found["b"][0] == pytest.approx(3.0 * math.exp(0.4 * ndtri(low + place * (high - low))), rel=1e-14)


@pytest.mark.parametrize("size", [1, 2, 7, 8, 9, 15, 33, 100])
@pytest.mark.parametrize("position", [0.0, 0.5, 1.0])
def test_a_patient_has_the_same_bits_in_any_company(size: int, position: float) -> None:
    n = 200
    at, of_kind = uniforms(PEOPLE, n), kinds(PEOPLE, n)
    # Patient 7 of two hundred: at the beginning, in the middle and at the end of a batch.
    rows = np.arange(60, 60 + size)
    rows[int(position * (size - 1))] = 7
    whole = transform(PEOPLE, at, of_kind)
    some = transform(PEOPLE, {name: column[rows] for name, column in at.items()}, of_kind[rows])
    for name, values in some.items():
        assert values.tobytes() == whole[name][rows].tobytes(), name


def test_populations_and_patients_cross_to_the_same_bits_as_one_by_one() -> None:
    at, of_kind = uniforms(PEOPLE, 9), kinds(PEOPLE, 9)
    typical, rho = np.array([0.2, 0.5, 0.8]), np.array([-0.5, 0.0, 0.9])
    crossed = transform(
        PEOPLE,
        at,
        of_kind,
        changes=Changes({"a": typical[:, None]}, {"b": typical[:, None]}, {("a", "b"): rho[:, None]}),
    )
    for row in range(3):
        own = Changes({"a": typical[[row]]}, {"b": typical[[row]]}, {("a", "b"): rho[[row]]})
        alone = transform(PEOPLE, at, of_kind, changes=own)
        for name in ("a", "b", "CL"):
            assert alone[name].tobytes() == np.ascontiguousarray(crossed[name][row]).tobytes()


def test_what_a_fit_moves_leaves_a_stratum_its_own_and_an_override_moves_everybody() -> None:
    at, of_kind = uniforms(PEOPLE, 60), kinds(PEOPLE, 60)
    plain = transform(PEOPLE, at, of_kind)["a"]
    fitted = transform(PEOPLE, at, of_kind, changes=Changes(typical={"a": np.array(0.2)}))["a"]
    assert (fitted[of_kind == 1] == plain[of_kind == 1]).all()
    assert (fitted[of_kind == 0] < plain[of_kind == 0]).all()
    everybody = transform(PEOPLE, at, of_kind, changes=Changes(overrides={"a": Distribution(0.2)}))["a"]
    assert (everybody < plain).all()
    assert np.median(everybody[of_kind == 1]) == pytest.approx(0.2, rel=0.1)


def test_an_override_of_one_parameter_moves_no_other() -> None:
    people = draw(PEOPLE, 50, seed=2)
    for name, row in {"a": Distribution(0.9, 0.0), "CL": Distribution(120.0)}.items():
        changed = transform(PEOPLE, uniforms(PEOPLE, 50), kinds(PEOPLE, 50), changes=Changes(overrides={name: row}))
        plain = transform(PEOPLE, uniforms(PEOPLE, 50), kinds(PEOPLE, 50))
        assert [other for other in plain if (plain[other] != changed[other]).any()] == [name]
        assert list(redrawn(people, PEOPLE.parameters, {name: row})) == [name]


def test_a_spread_of_0_is_one_value_for_all_whatever_their_stratum_and_weight() -> None:
    people = draw(PEOPLE, 50, seed=2)
    found = redrawn(people, PEOPLE.parameters, {"CL": Distribution(sd_log=0.0), "a": Distribution(0.7, 0.0)})
    assert set(found["CL"].tolist()) == {200.0}
    assert set(found["a"].tolist()) == {0.7}


def test_a_typical_value_of_0_is_0_for_all() -> None:
    zero = dataclasses.replace(PEOPLE, parameters=(part("z", 1.0, 0.3, (0.0, 2.0)), *PEOPLE.parameters))
    assert set(redrawn(draw(zero, 20, seed=1), zero.parameters, {"z": Distribution(0.0)})["z"].tolist()) == {0.0}


def within(cohort: Cohort, values: FloatArray, row: Parameter) -> bool:
    low, high = (-math.inf, math.inf) if row.bounds is None else row.bounds
    return bool(((values >= low) & (values <= high)).all()) and len(values) == cohort.members


@pytest.mark.parametrize("name", ["myositis", "obese"])
def test_any_override_within_the_bounds_of_a_shipped_parameter_leaves_everybody_within_them(name: str) -> None:
    population = SHIPPED[name]
    cohort = draw(population, 300, seed=4)
    tried = 0
    for row in population.parameters:
        if row.bounds is None:
            continue
        for share in (0.0, 0.03, 0.5, 0.97, 1.0):
            value = min(row.bounds[1], row.bounds[0] + share * (row.bounds[1] - row.bounds[0]))
            if value > 0.0:
                found = redrawn(cohort, population.parameters, {row.name: Distribution(value)})
                assert within(cohort, found[row.name], row)
                tried += 1
    assert tried > 150


@pytest.mark.parametrize("name", ["myositis", "healthy"])
def test_everybody_is_within_the_bounds_of_the_stratum(name: str) -> None:
    population = SHIPPED[name]
    cohort = draw(population, 2000, seed=3)
    for stratum in population.strata:
        mine = np.array(cohort.strata) == stratum.name
        own = {row.name: row for row in stratum.parameters}
        for general in population.parameters:
            row = own.get(general.name, general)
            if row.bounds is not None and row.spread is not None:
                low, high = row.bounds
                assert low <= cohort.of(row.name)[mine].min() <= cohort.of(row.name)[mine].max() <= high, row.name


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            {"a": Distribution(1.2)},
            "error[cohort.bounds]: the typical value of `a` is out of its bounds\n  found:    1.2 L\n"
            "  expected: a number from 0.1 to 0.95 L\n"
            "  try:      to go beyond them: `Distribution(value, beyond_bounds=True)`",
        ),
        (
            {"aa": Distribution(1.2)},
            "error[cohort.parameter]: the population has no `aa` that could differ\n"
            "  expected: parameters, and pairs that are correlated, of the population\n  try:      did you mean `a`?",
        ),
    ],
)
def test_what_nobody_could_have_is_refused(overrides: dict[str, Distribution], message: str) -> None:
    with pytest.raises(InputError) as caught:
        check_overrides(PEOPLE, overrides)
    assert str(caught.value) == message


def test_a_stratum_with_nobody_within_its_bounds_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        transform(PEOPLE, uniforms(PEOPLE, 9), kinds(PEOPLE, 9), changes=Changes(typical={"a": np.array(40.0)}))
    assert str(caught.value) == (
        "error[cohort.bounds]: nobody can be drawn within the bounds of `a`\n"
        "  found:    typical value 40 L, standard deviation 0.5 of the logarithm, bounds 0.1 to 0.95 L\n"
        "  expected: a typical value, of each stratum and with its covariates, that is within the bounds or near them\n"
        "  try:      widen the bounds, or move the typical value or the bounds of the covariates"
    )


def test_what_a_covariate_moves_out_of_bounds_is_refused_where_nothing_else_varies() -> None:
    fixed = dataclasses.replace(PEOPLE, parameters=(part("CL", 200.0, None, (150.0, 210.0)), *PEOPLE.parameters[1:]))
    with pytest.raises(InputError, match=r"nobody can be drawn within the bounds of `CL`"):
        draw(fixed, 20, seed=1)


def test_a_value_beyond_the_bounds_that_is_asked_for_lifts_them() -> None:
    found = redrawn(draw(PEOPLE, 200, seed=1), PEOPLE.parameters, {"a": Distribution(1.5, beyond_bounds=True)})["a"]
    assert found.max() > 1.5
    assert found.min() < 1.5


def test_a_coordinate_that_is_missing_is_named() -> None:
    with pytest.raises(InputError) as caught:
        transform(PAIR, {"a": np.array([0.5])}, np.zeros(1, dtype=np.int64))
    assert str(caught.value) == (
        "error[cohort.coordinate]: there is no coordinate for `b`\n  found:    1 coordinates\n"
        "  expected: one for every parameter and covariate that differs between patients"
    )
