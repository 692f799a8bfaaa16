from __future__ import annotations

import pytest

from simulate.errors import InputError, Where
from simulate.symbolic.dimensions import infer, require
from simulate.symbolic.expressions import parse_expression
from simulate.symbolic.units import Dimension, unit

DIMENSIONS = {
    "k_act": unit("1/d").dimension,
    "tau": unit("h").dimension,
    "A": unit("cell/µL").dimension,
    "M": unit("cell/L").dimension,
    "IL1": unit("nM").dimension,
    "K": unit("pM").dimension,
    "V": unit("L").dimension,
    "dose": unit("mg").dimension,
    "n": Dimension(),
    "m": Dimension(),
    "x": Dimension(),
    "t": unit("d").dimension,
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("k_act*A", "cell/µL/d"),
        ("A + 3*M - 0", "cell/L"),
        ("dose/V", "mg/L"),
        ("hill(IL1, K, n)", "1"),
        ("hill(IL1, K, 2.5)*k_act", "1/d"),
        ("IL1**n/(K**n + IL1**n)", "1"),
        ("IL1**n*K**(1 - n)", "nM"),
        ("(IL1*K)**(n*(m + 1))/(IL1*K)**(n*m)/(IL1*K)**n", "1"),
        ("sqrt(IL1*K)", "nM"),
        ("exp(-k_act*t) + log(IL1/K) + tanh(x)", "1"),
        ("min(A, M) + max(A, 0) + abs(A - M)", "cell/µL"),
        ("A/at_baseline(A)", "1"),
        ("at_baseline(A*k_act)*tau", "cell/µL"),
        ("2**n", "1"),
        ("0", "1"),
        ("exp(1)*x", "1"),
        ("(1 + x)*A", "cell/µL"),
        ("x*(A + M)/(IL1 + K)", "cell/nmol"),
    ],
)
def test_dimensions_follow_through_every_term(text: str, expected: str) -> None:
    assert infer(parse_expression(text), DIMENSIONS) == unit(expected).dimension


@pytest.mark.parametrize(
    ("text", "term", "found", "expected"),
    [
        ("A + IL1", "IL1", "nM", "cell/µL"),
        ("k_act*A + k_act*A*IL1 + A/tau", "k_act*A*IL1", "cell/µL · nM / d", "cell/µL / d"),
        ("x*(1 + IL1)", "IL1", "nM", "a pure number"),
        ("exp(k_act)", "k_act", "1 / d", "a pure number"),
        ("exp(x + t)", "t", "d", "a pure number"),
        ("log(IL1)", "IL1", "nM", "a pure number"),
        ("2**(A/(A + K))", "K", "nM", "cell/µL"),
        ("IL1**t", "t", "d", "a pure number"),
        ("max(A, x)", "x", "a pure number", "cell/µL"),
        ("A + at_baseline(A/(1 + IL1/K + t))", "t", "d", "a pure number"),
        ("IL1**n + K**(n + 1)", "K**(1 + n)", "substance**(n + 1) / length**(3*n + 3)", "substance**n / length**(3*n)"),
    ],
)
def test_the_smallest_wrong_term_is_blamed(text: str, term: str, found: str, expected: str) -> None:
    with pytest.raises(InputError) as caught:
        infer(parse_expression(text), DIMENSIONS)
    error = caught.value
    assert error.where is not None
    assert (error.code, error.where.term, error.found, error.expected) == ("units.mismatch", term, found, expected)


def test_a_whole_rate_of_the_wrong_unit_is_explained() -> None:
    with pytest.raises(InputError) as caught:
        require(
            parse_expression("k_act * A * IL1"),
            unit("cell/µL/d").dimension,
            DIMENSIONS,
            where=Where(file="my-model.toml", line=14, key="reactions.priming.rate"),
            subject="the rate of `priming`",
        )
    assert str(caught.value) == (
        "error[units.mismatch]: the rate of `priming` has the wrong unit\n"
        "  --> my-model.toml:14, key `reactions.priming.rate`, term `k_act*A*IL1`\n"
        "  found:    cell/µL · nM / d\n"
        "  expected: cell/µL / d\n"
        "  try:      divide by something in nM, or correct the unit of a parameter in it"
    )


def test_of_two_terms_the_one_that_does_not_fit_its_place_is_blamed() -> None:
    with pytest.raises(InputError) as caught:
        require(parse_expression("IL1 + K + k_act*A"), unit("cell/µL/d").dimension, DIMENSIONS, subject="the rate")
    assert str(caught.value) == (
        "error[units.mismatch]: the terms of a sum in the rate differ in unit\n"
        "  --> term `IL1`\n"
        "  found:    nM\n"
        "  expected: cell/µL / d\n"
        "  try:      multiply with something in cell / nmol / d, or correct the unit of a parameter in it"
    )


def test_zero_has_every_dimension() -> None:
    for text in ("0", "0*A", "x - x"):
        require(parse_expression(text), unit("cell/µL/d").dimension, DIMENSIONS)
    with pytest.raises(InputError, match=r"the expression has the wrong unit"):
        require(parse_expression("1"), unit("cell/µL/d").dimension, DIMENSIONS)


def test_an_unknown_symbol_has_no_dimension() -> None:
    with pytest.raises(InputError) as caught:
        infer(parse_expression("k_akt*A"), DIMENSIONS, subject="the rate of `r`")
    assert str(caught.value) == (
        "error[model.undefined]: nothing defines `k_akt`, which stands in the rate of `r`\n"
        "  try:      did you mean `k_act`?"
    )
