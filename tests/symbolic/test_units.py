from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sympy import Symbol

from simulate.errors import InputError, Where
from simulate.symbolic.units import DIMENSIONLESS, Dimension, convert, parse_quantity, unit


@pytest.mark.parametrize(
    "text",
    [
        "nM",
        "nmol/L",
        "1/d",
        "L",
        "dm³",
        "L/d",
        "cell/µL",
        "cells/uL",
        "1e6 cells/L",
        "ug/L",
        "ng/mL",
        "µg/L",
        "nmol",
        "1",
    ],
)
def test_the_coherent_base_has_factor_one(text: str) -> None:
    assert unit(text).factor == 1


@pytest.mark.parametrize(
    ("text", "factor"),
    [
        ("pg/mL", Fraction(1, 1000)),
        ("µkat/L", Fraction(86_400_000)),
        ("mg", Fraction(1000)),
        ("h", Fraction(1, 24)),
        ("wk", Fraction(7)),
        ("w", Fraction(7)),
        ("weeks", Fraction(7)),
        ("pM", Fraction(1, 1000)),
        ("%", Fraction(1, 100)),
        ("percent", Fraction(1, 100)),
        ("mL/min", Fraction(1440, 1000)),
        ("nmol/mg", Fraction(1, 1000)),
        ("L/h", Fraction(24)),
    ],
)
def test_factors_are_exact_fractions(text: str, factor: Fraction) -> None:
    assert unit(text).factor == factor


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("µg", "μg"),  # micro sign, Greek mu
        ("µg", "ug"),
        ("1/(nM d)", "1/nM/d"),
        ("1/(nM d)", "nM^-1·d⁻¹"),
        ("L/(nmol·d)", "L nmol**-1 d**-1"),
        ("mm²", "mm^2"),
        ("cells", "cell"),
        ("d", "day"),
        ("d", "days"),
        ("L", "l"),
    ],
)
def test_spellings_of_a_unit_agree(one: str, other: str) -> None:
    assert (unit(one).dimension, unit(one).factor) == (unit(other).dimension, unit(other).factor)


def test_a_unit_keeps_its_text() -> None:
    assert unit(" pg/mL ").text == "pg/mL"
    assert str(DIMENSIONLESS) == "1"


@pytest.mark.parametrize(
    ("text", "shown", "readable"),
    [
        ("cell/µL/d", "cell / length**3 / time", "cell/µL / d"),
        ("cell/µL·nM/d", "cell * substance / length**6 / time", "cell/µL · nM / d"),
        ("1/(nM d)", "length**3 / substance / time", "1 / nM / d"),
        ("L/d", "length**3 / time", "L / d"),
        ("mm/h", "length / time", "length / time"),
        ("%", "1", "a pure number"),
    ],
)
def test_a_dimension_reads_well(text: str, shown: str, readable: str) -> None:
    assert (str(unit(text).dimension), unit(text).dimension.in_units()) == (shown, readable)


@pytest.mark.parametrize(
    ("text", "called"),
    [
        ("mL", "a volume"),
        ("mm**2", "an area"),
        ("cm", "a length"),
        ("h", "a time"),
        ("mg", "a mass"),
        ("nmol", "an amount of substance"),
        ("cell", "a number of cells"),
        ("1/h", "a rate (per time)"),
        ("mL/min", "a volume per time"),
        ("mg/h", "a mass per time"),
        ("nmol/h", "an amount of substance per time"),
        ("ng/mL", "a concentration (mass per volume)"),
        ("nM", "a concentration (amount of substance per volume)"),
        ("cell/µL", "a concentration of cells"),
        ("g/mol", "a molar mass"),
        ("%", "a pure number"),
        ("mm/h", "length / time"),
    ],
)
def test_a_common_dimension_is_called_by_its_name(text: str, called: str) -> None:
    assert unit(text).dimension.in_words() == called


def test_a_dimension_may_have_a_symbol_as_exponent() -> None:
    n = Symbol("n")
    power = unit("nM").dimension ** n
    assert str(power) == "substance**n / length**(3*n)"
    assert power / power == Dimension()
    assert power ** (1 / n) == unit("nM").dimension


def test_a_product_after_a_stroke_needs_parentheses() -> None:
    with pytest.raises(InputError) as caught:
        unit("1/nM d")
    assert str(caught.value) == (
        "error[units.syntax]: the unit `1/nM d` does not say whether `d` multiplies or divides\n"
        "  try:      use parentheses, as in `1/(nM d)`"
    )


NO_UNITS = (
    *("", " ", "nM2", "degC", "dB", "nM**99", "nM**9**9", "(((nM", "nM)", "9e999", "x" * 300, "1/0", "0 nM", "-1 nM"),
    *(
        "(" * 100 + "nM" + ")" * 100,
        "__import__('os')",
        "nM*",
        "/d",
        "a.b",
        "𝟏",
        "nM;d",
        "\x00",
        "nM**-",
        "e99",
        "pixel",
    ),
)


@pytest.mark.parametrize("text", NO_UNITS)
def test_what_is_no_unit_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"unit") as caught:
        unit(text)
    assert caught.value.code in ("units.syntax", "units.unknown")


@given(st.text(max_size=40))
def test_arbitrary_text_is_a_unit_or_an_input_error(text: str) -> None:
    try:
        outcome = "positive" if unit(text).factor > 0 else "not positive"
    except InputError as error:
        outcome = error.code
    assert outcome in ("positive", "units.syntax", "units.unknown")


def test_conversion_is_correctly_rounded() -> None:
    assert convert(100, unit("mg"), unit("µg")) == 100_000.0
    assert convert(36, unit("h"), unit("d")) == 1.5
    assert convert(0.1, unit("ng/mL"), unit("pg/mL")) == 100.0
    assert convert(float("inf"), unit("h"), unit("d")) == float("inf")


def test_conversion_between_dimensions_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        convert(1.0, unit("mg"), unit("nmol"))
    assert str(caught.value) == (
        "error[units.mismatch]: mg cannot be converted to nmol\n  found:    µg\n  expected: nmol"
    )


@pytest.mark.parametrize(
    ("text", "value", "name"),
    [("100 mg", 100.0, "mg"), ("1e3d", 1000.0, "d"), (" 5 % ", 5.0, "%"), ("7", 7.0, "1"), ("-.5 nM", -0.5, "nM")],
)
def test_a_quantity_is_a_number_and_a_unit(text: str, value: float, name: str) -> None:
    assert parse_quantity(text) == (value, unit(name))


@pytest.mark.parametrize(
    "text", ["", "mg", "nan mg", "inf d", "1_000 mg", "1e999 mg", "١ mg", "0x10 mg", "1 2 mg", "9" * 300]
)
def test_what_is_no_quantity_is_refused(text: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_quantity(text)
    assert caught.value.code.startswith("units.")


def test_a_quantity_names_its_place() -> None:
    with pytest.raises(InputError) as caught:
        parse_quantity("5 mgg", where=Where(file="study.toml", line=3, key="dose"))
    assert "\n  --> study.toml:3, key `dose`\n" in str(caught.value)
