from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sympy import Rational, Symbol, exp

from simulate.errors import InputError
from simulate.symbolic.balance import residual, violated
from simulate.symbolic.composition import compose
from simulate.symbolic.expressions import print_expression
from simulate.symbolic.parts import Balance, Definition, Mechanism, Parameter, Reaction, Species
from simulate.symbolic.symbols import at_baseline
from simulate.symbolic.units import DIMENSIONLESS, unit
from tests.symbolic.small import DECAY, DRUG, K_R, LOSS, POOLS, SIGNALING, TABLE, THREE_POOLS, R, refusal

MODEL = compose(THREE_POOLS, values=TABLE)
STEADY = {"N": 0, "A": 0, "M": 0, "R": 0}


def test_flows_follow_from_the_measured_pools_in_closed_form() -> None:
    assert {solved.name: print_expression(solved.expression) for solved in MODEL.balance} == {
        "share": "d_M*tau_A*M_0/A_0",
        "burst": "A_0/(k_act*tau_A*N_0)",
        "s_N": "d_N*N_0 + k_act*N_0",
    }


def test_the_residual_is_exactly_zero() -> None:
    found = residual(MODEL)
    assert found == STEADY
    assert all(isinstance(value, Rational) for value in found.values())


POSITIVE = st.floats(1e-6, 1e6)


@given(st.fixed_dictionaries({name: POSITIVE for name in TABLE if name != "gain"}))
def test_the_residual_is_zero_at_all_parameters(values: dict[str, float]) -> None:
    assert residual(MODEL, values) == STEADY


def test_a_start_away_from_the_steady_state_has_its_exact_rate() -> None:
    assert residual(compose([DECAY]), {"k": 0.1}) == {"X": Rational(-1, 10)}
    assert residual(compose([DECAY]), {"k": Fraction(1, 3)}) == {"X": Rational(-1, 3)}
    assert residual(compose([DECAY]), {"k": Rational(1, 7)}) == {"X": Rational(-1, 7)}
    hourly = replace(DECAY, parameters=(replace(LOSS, unit=unit("1/h")),))
    assert residual(compose([hourly])) == {"X": Rational(-24, 10)}


def test_roots_and_exponentials_balance_to_forty_digits() -> None:
    hill = Definition(
        "occupancy",
        "o",
        DIMENSIONLESS,
        exp(-((R / K_R + Symbol("il1")) ** Symbol("h"))) + Symbol("e50") ** Rational(1, 3),
    )
    others = tuple(part for part in SIGNALING.definitions if part.name != "occupancy")
    model = compose(
        (POOLS, replace(SIGNALING, definitions=(*others, hill))), values={**TABLE, "h": Parameter("h", "h", 1.7)}
    )
    assert residual(model) == STEADY


def test_every_unknown_brings_its_condition_after_those_of_the_mechanism() -> None:
    assert [(condition.name, condition.reason) for condition in MODEL.conditions] == [
        ("room", "more cells become memory than there are"),
        ("share", "memory would shrink without any loss"),
        ("burst", "fewer cells leave than enter"),
        ("s_N", "the thymus would take up cells"),
    ]
    assert print_expression(MODEL.conditions[0].expression) == "1 - share"


def test_an_infeasible_baseline_is_known_by_its_reason() -> None:
    assert violated(MODEL, {"d_M": 1e-4}) == ()
    assert [condition.reason for condition in violated(MODEL)] == ["more cells become memory than there are"]
    negative = violated(MODEL, {"d_M": 1e-4, "d_N": -1.0})
    assert [condition.reason for condition in negative] == ["the thymus would take up cells"]
    assert residual(MODEL, {"d_M": 1e-4, "d_N": -1.0}) == STEADY


def test_a_division_by_zero_at_baseline_is_an_input_error() -> None:
    with pytest.raises(InputError) as caught:
        residual(MODEL, {"A_0": 0.0})
    assert str(caught.value) == (
        "error[balance.singular]: the baseline cannot be computed: a division by zero, or a root or logarithm of a"
        " negative number\n"
        "  try:      a parameter may be zero where the model divides by it"
    )


def test_a_value_for_an_unknown_parameter_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        residual(MODEL, {"M0": 1.0})
    assert str(caught.value) == (
        "error[model.undefined]: `M0` is not a parameter of the model\n  try:      did you mean `M_0`?"
    )


SOURCE = Symbol("source")
LINEAR = Balance("source", "influx", unit("nM/d"), DRUG, "the influx would be negative")


def turnover(rate: object, balance: Balance = LINEAR, **parts: object) -> Mechanism:
    """The decaying drug with an influx that a balance determines."""
    return replace(
        DECAY, reactions=(*DECAY.reactions, Reaction("influx", rate, {DRUG: 1})), balances=(balance,), **parts  # type: ignore[arg-type]
    )  # fmt: skip


def test_an_expression_can_be_balanced_instead_of_a_species() -> None:
    given_by_ratio = replace(LINEAR, zero=SOURCE - 3 * LOSS * at_baseline(DRUG))
    model = compose([turnover(SOURCE, given_by_ratio)])
    assert model.balance[0].expression == 3 * LOSS.symbol
    assert residual(model) == {"X": Rational(2, 10)}


def test_an_unknown_may_set_an_initial_value() -> None:
    start = Balance("X_0", "level", unit("nM"), DRUG, "no")
    level = Species("X", "drug", unit("nM"), Symbol("X_0"))
    influx = Parameter("v", "influx", 5.0, unit("nM/d"))
    mechanism = Mechanism(
        "m",
        "m",
        species=(level,),
        parameters=(LOSS, influx),
        balances=(start,),
        reactions=(Reaction("entry", influx.symbol, {level: 1}), Reaction("exit", LOSS * level, {level: -1})),
    )
    model = compose([mechanism])
    assert model.initial == (Symbol("X_0"),)
    assert print_expression(model.balance[0].expression) == "v/k"
    assert residual(model) == {"X": 0}


@pytest.mark.parametrize(
    ("rate", "shown"),
    [
        (SOURCE**2 / Symbol("v"), "source**2/v - k"),
        (Symbol("v") * exp(SOURCE / Symbol("v")), "exp(source/v)*v - k"),
        (Symbol("v") / (1 + Symbol("v") / SOURCE), "v/(1 + v/source) - k"),
    ],
)
def test_a_balance_that_is_not_linear_is_refused(rate: object, shown: str) -> None:
    error = refusal(turnover(rate), values={"v": Parameter("v", "v", 1.0, unit("nM/d"))})
    assert str(error) == (
        "error[balance.nonlinear]: the balance of `source` is not linear in it\n"
        "  --> key `balances.source.zero`\n"
        f"  found:    `{shown}` = 0\n"
        "  expected: `source` times something, plus something\n"
        "  try:      make the quantity that enters linearly the unknown"
    )


def test_a_balance_that_is_linear_once_written_out_is_solved() -> None:
    v = Symbol("v")
    rate = ((SOURCE + v) ** 2 - (SOURCE - v) ** 2) / v
    model = compose([turnover(rate)], values={"v": Parameter("v", "v", 1.0, unit("nM/d"))})
    assert residual(model) == {"X": 0}


def test_a_balance_without_its_unknown_is_refused() -> None:
    assert str(refusal(turnover(2 * LOSS * DRUG))) == (
        "error[balance.absent]: the balance of `source` does not contain it\n"
        "  --> key `balances.source.zero`\n"
        "  found:    `k` = 0\n"
        "  try:      let `source` act on what is balanced, or balance something else"
    )


def test_balances_that_need_each_other_are_refused() -> None:
    other = Balance("share_2", "x", DIMENSIONLESS, Symbol("share_2") - SOURCE / LOSS / at_baseline(DRUG), "no")
    mechanism = replace(turnover(SOURCE * Symbol("share_2")), balances=(LINEAR, other))
    assert str(refusal(mechanism)) == (
        "error[balance.circular]: the balances of `source` and `share_2` need each other\n"
        "  --> key `balances.source.zero`\n"
        "  found:    `source` → `share_2` → `source`\n"
        "  expected: unknowns that can be solved one after another"
    )


def test_an_unknown_of_the_wrong_unit_is_refused_in_its_equation() -> None:
    assert str(refusal(turnover(SOURCE, replace(LINEAR, unit=unit("nM"))))) == (
        "error[units.mismatch]: the rate of `influx`, which changes `X`, has the wrong unit\n"
        "  --> key `reactions.influx.rate`, term `source`\n"
        "  found:    nM\n"
        "  expected: nM / d\n"
        "  try:      divide by something in d, or correct the unit of a parameter in it"
    )
    assert refusal(turnover(SOURCE, replace(LINEAR, zero=SOURCE - LOSS))).code == "units.mismatch"
