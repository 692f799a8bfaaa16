from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from simulate.cohort.draws import MAX_MEMBERS, Cohort, draw, typical
from simulate.cohort.population import (
    Correlation,
    Population,
    PowerEffect,
    SlopeEffect,
    Stratum,
    cholesky,
    correlated,
)
from simulate.errors import InputError
from simulate.symbolic.parts import Parameter, Spread


def part(name: str, value: float, sd_log: float | None = None, bounds: tuple[float, float] | None = None) -> Parameter:
    return Parameter(name, name, value, spread=None if sd_log is None else Spread(sd_log), bounds=bounds)


RICH = Population(
    parameters=(
        part("chi", 0.5, 0.5, (0.1, 0.95)),
        part("CL", 200.0, 0.25, (120.0, 300.0)),
        part("f_RO", 0.6, 0.2, (0.3, 0.85)),
        part("k", 2.0, 0.3),
        part("molar_mass", 17.3),
        part("V", 12.0, 0.2, (8.0, 16.0)),
    ),
    covariates=(part("weight", 75.0, 0.18, (50.0, 110.0)), part("renal", 90.0, 0.15)),
    correlations=(Correlation("chi", "f_RO", 0.8), Correlation("k", "f_RO", -0.3)),
    effects=(PowerEffect("weight", "V", 1.0), PowerEffect("weight", "CL", 0.5), SlopeEffect("renal", "CL", 0.0062)),
    strata=(Stratum("PM or DM", 10), Stratum("IBM", 5, (part("chi", 0.9, 0.1, (0.6, 0.99)),))),
)


def row(cohort: Cohort, member: int) -> tuple[bytes, bytes, str]:
    place = cohort.ids.tolist().index(member)
    return cohort.values[place].tobytes(), cohort.covariate_values[place].tobytes(), cohort.strata[place]


def test_patient_7_is_the_same_person_in_any_cohort() -> None:
    people = [
        row(draw(RICH, 8, seed=3), 7),
        row(draw(RICH, 257, seed=3), 7),
        row(draw(RICH, 2000, seed=3), 7),
        row(draw(RICH, 1, seed=3, first=7), 7),
        row(draw(RICH, 64, seed=3, first=5), 7),
    ]
    assert len(set(people)) == 1


def test_every_member_has_the_same_bits_alone_and_together() -> None:
    together = draw(RICH, 40, seed=9)
    assert [row(together, member) for member in range(40)] == [
        row(draw(RICH, 1, seed=9, first=member), member) for member in range(40)
    ]


def test_the_order_of_parameters_and_rules_changes_no_one() -> None:
    other = Population(
        parameters=RICH.parameters[::-1],
        covariates=RICH.covariates[::-1],
        correlations=tuple(Correlation(rule.b, rule.a, rule.rho) for rule in RICH.correlations[::-1]),
        effects=RICH.effects,
        strata=RICH.strata,
    )
    ours, theirs = draw(RICH, 50, seed=1), draw(other, 50, seed=1)
    assert all(ours.of(name).tobytes() == theirs.of(name).tobytes() for name in (*RICH.names, "weight", "renal"))


def test_a_further_parameter_leaves_the_others_alone() -> None:
    more = dataclasses.replace(RICH, parameters=(part("new", 1.0, 0.5), *RICH.parameters))
    ours, theirs = draw(RICH, 50, seed=1), draw(more, 50, seed=1)
    assert all(ours.of(name).tobytes() == theirs.of(name).tobytes() for name in RICH.names)


def test_another_seed_draws_other_people() -> None:
    assert row(draw(RICH, 1, seed=1), 0) != row(draw(RICH, 1, seed=2), 0)


def test_a_spread_is_log_normal_about_the_typical_value() -> None:
    logs = np.log(draw(Population((part("k", 2.0, 0.3),)), 20_000, seed=4).of("k"))
    assert logs.mean() == pytest.approx(math.log(2.0), abs=4 * 0.3 / math.sqrt(20_000))
    assert logs.std() == pytest.approx(0.3, rel=4 / math.sqrt(40_000))


def test_a_parameter_without_spread_is_the_same_in_all() -> None:
    assert set(draw(RICH, 100, seed=1).of("molar_mass").tolist()) == {17.3}


def test_everybody_is_within_bounds() -> None:
    cohort = draw(RICH, 3000, seed=2)
    for parameter in (*RICH.parameters, *RICH.covariates):
        low, high = parameter.bounds or (0.0, math.inf)
        values = cohort.of(parameter.name)
        if parameter.name == "chi":
            values = values[np.array(cohort.strata) != "IBM"]
        assert low <= values.min()
        assert values.max() <= high
    ibm = cohort.of("chi")[np.array(cohort.strata) == "IBM"]
    assert 0.6 <= ibm.min()
    assert ibm.max() <= 0.99


def test_bounds_truncate_and_do_not_pile_up() -> None:
    bounded = part("k", 1.0, 0.5, (0.6, 1.2))
    values = draw(Population((bounded,)), 20_000, seed=4).of("k")
    low, high = math.log(0.6) / 0.5, math.log(1.2) / 0.5
    phi = [0.5 * math.erfc(-edge / math.sqrt(2)) for edge in (low, 0.0, high)]
    assert len(set(values.tolist())) == 20_000
    assert (values < 1.0).mean() == pytest.approx((phi[1] - phi[0]) / (phi[2] - phi[0]), abs=0.015)


def test_correlations_are_those_that_were_asked_for() -> None:
    population = Population(
        (part("a", 1.0, 0.5), part("b", 3.0, 0.2), part("c", 2.0, 1.0)),
        correlations=(Correlation("a", "b", 0.8), Correlation("c", "b", -0.4)),
    )
    cohort = draw(population, 20_000, seed=6)
    found = np.corrcoef([np.log(cohort.of(name)) for name in ("a", "b", "c")])
    assert found == pytest.approx(np.array([[1, 0.8, 0], [0.8, 1, -0.4], [0, -0.4, 1]]), abs=0.03)


def test_correlations_survive_bounds() -> None:
    cohort = draw(RICH, 5000, seed=6)
    others = np.array(cohort.strata) == "PM or DM"
    assert 0.6 < np.corrcoef(np.log(cohort.of("chi")[others]), np.log(cohort.of("f_RO")[others]))[0, 1] < 0.85


def test_covariates_act_by_their_formula() -> None:
    cohort = draw(
        Population(
            (part("V", 12.0), part("CL", 200.0)),
            covariates=(part("weight", 75.0, 0.2), part("renal", 90.0, 0.15)),
            effects=(PowerEffect("weight", "V", 1.0), SlopeEffect("renal", "CL", 0.0062)),
        ),
        100,
        seed=1,
    )
    assert cohort.of("V") == pytest.approx(12.0 * cohort.of("weight") / 75.0, rel=1e-13)
    assert cohort.of("CL") == pytest.approx(200.0 * 10 ** (0.0062 * (cohort.of("renal") - 90.0)), rel=1e-13)


def test_strata_have_their_shares() -> None:
    strata = draw(RICH, 6000, seed=1).strata
    assert strata.count("IBM") / 6000 == pytest.approx(1 / 3, abs=4 * math.sqrt(2 / 9 / 6000))


def test_the_typical_patient_has_typical_values() -> None:
    cohort = typical(RICH, seed=5)
    assert cohort.values.tolist() == [[parameter.value for parameter in RICH.parameters]]
    assert cohort.covariate_values.tolist() == [[75.0, 90.0]]
    assert (cohort.members, cohort.ids.tolist(), cohort.strata, cohort.seed) == (1, [0], ("PM or DM",), 5)


def test_a_cohort_cannot_be_written_to() -> None:
    cohort = draw(RICH, 2, seed=1)
    for array in (cohort.values, cohort.ids, cohort.covariate_values):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


def test_bounds_out_of_reach_are_an_error_that_names_them() -> None:
    population = Population((part("fine", 1.0, 0.1), part("k", 1.0, 0.01, (2.0, 3.0))))
    with pytest.raises(InputError) as caught:
        draw(population, 3, seed=1, first=4)
    assert str(caught.value) == (
        "error[cohort.bounds]: nobody can be drawn within the bounds of `k`\n"
        "  found:    typical value 1, standard deviation 0.01 of the logarithm, bounds 2 to 3\n"
        "  expected: a typical value, of each stratum and with its covariates, that is within the bounds or near them\n"
        "  try:      widen the bounds, or move the typical value or the bounds of the covariates"
    )


@pytest.mark.parametrize(("n", "first"), [(0, 0), (-1, 0), (MAX_MEMBERS + 1, 0), (1, -1)])
def test_a_cohort_has_a_possible_size(n: int, first: int) -> None:
    with pytest.raises(InputError) as caught:
        draw(RICH, n, seed=1, first=first)
    assert str(caught.value) == (
        f"error[cohort.size]: a cohort cannot have {n} members from number {first} on\n"
        "  expected: 1 to 10000000 members, and a first number that is not negative"
    )


def test_what_is_correlated_is_one_block() -> None:
    assert correlated(RICH) == (("chi", "f_RO", "k"),)


def test_the_cholesky_factor_reproduces_the_correlations() -> None:
    rules = (Correlation("a", "b", 0.8), Correlation("b", "c", -0.4), Correlation("a", "c", -0.1))
    factor = cholesky(("a", "b", "c"), rules)
    assert factor @ factor.T == pytest.approx(np.array([[1, 0.8, -0.1], [0.8, 1, -0.4], [-0.1, -0.4, 1]]))
    assert np.triu(factor, 1).tolist() == np.zeros((3, 3)).tolist()


def test_contradictory_correlations_are_refused() -> None:
    with pytest.raises(InputError) as caught:
        Population(
            (part("a", 1.0, 0.1), part("b", 1.0, 0.1), part("c", 1.0, 0.1)),
            correlations=(Correlation("a", "b", 0.9), Correlation("b", "c", 0.9), Correlation("a", "c", -0.9)),
        )
    assert str(caught.value) == (
        "error[cohort.correlation]: the correlations contradict each other\n"
        "  found:    among `a`, `b`, `c`\n"
        "  try:      if a goes with b and b with c, then a and c cannot go against each other"
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"parameters": (part("chi", 1.0), part("chi", 1.0))},
            "error[cohort.parameter]: the population has two parts with the name `chi`",
        ),
        (
            {"correlations": (Correlation("chi", "f_R0", 0.5),)},
            "error[cohort.parameter]: the population has no parameter with a spread `f_R0`\n"
            "  try:      did you mean `f_RO`?",
        ),
        (
            {"correlations": (Correlation("chi", "f_RO", 1.0),)},
            "error[cohort.correlation]: the correlation of `chi` and `f_RO` cannot be 1.0\n"
            "  expected: two different names and a number between -1 and 1",
        ),
        (
            {"effects": (PowerEffect("wieght", "V", 1.0),)},
            "error[cohort.parameter]: the population has no covariate `wieght`\n  try:      did you mean `weight`?",
        ),
        (
            {"effects": (PowerEffect("weight", "W", 1.0),)},
            "error[cohort.parameter]: the population has no parameter `W`",
        ),
        (
            {"strata": (Stratum("IBM", 0),)},
            "error[cohort.stratum]: the stratum `IBM` has 0 patients\n"
            "  expected: a number above 0; only the proportions count",
        ),
        (
            {"strata": (Stratum("IBM", 1, (part("psi", 1.0),)),)},
            "error[cohort.parameter]: the population has no parameter `psi`",
        ),
        (
            {"parameters": (*RICH.parameters, part("x", 0.0, 0.1))},
            "error[cohort.parameter]: `x` varies log-normally, but its typical value is 0.0\n"
            "  expected: a number above 0, or no spread",
        ),
        (
            {"parameters": (*RICH.parameters, part("x", 1.0, math.nan))},
            "error[cohort.parameter]: the spread of `x` is nan\n  expected: a finite number, not negative",
        ),
        (
            {"parameters": (*RICH.parameters, part("x", 1.0, 0.1, (2.0, 1.0)))},
            "error[cohort.parameter]: the bounds of `x` are not in order\n  found:    (2.0, 1.0)",
        ),
    ],
)
def test_an_impossible_population_cannot_be_made(change: dict[str, object], message: str) -> None:
    with pytest.raises(InputError) as caught:
        dataclasses.replace(RICH, **change)  # type: ignore[arg-type]
    assert str(caught.value) == message
