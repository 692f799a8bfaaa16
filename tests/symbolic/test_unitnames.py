from __future__ import annotations

from fractions import Fraction

import pytest

from simulate.errors import InputError
from simulate.symbolic.unitnames import known_names
from simulate.symbolic.units import parse_quantity, unit
from tests.symbolic.small import output, registry


def test_a_misspelled_unit_is_refused_with_the_nearest() -> None:
    with pytest.raises(InputError) as caught:
        unit("hourz")
    assert str(caught.value) == (
        "error[units.unknown]: `hourz` is not a unit\n"
        "  found:    `hourz`\n"
        "  expected: units such as `nM`, `1/d`, `L/d`, `cell/µL`, `%`, or `1` for a pure number\n"
        "  try:      did you mean `hour` or `hours`?"
    )


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("pct", "did you mean `%`?"),
        ("Pct", "did you mean `%`?"),
        ("ppt", "write `1e-12` for parts per trillion, and `1e-3` for parts per thousand"),
        ("pH", "a pH has no unit: write `1`"),
        ("qd", "write `1/d` for once a day"),
        ("pt", "write `mL` for a volume, and `1` for a number of patients"),
        ("md", "days take no prefix: write the number with it, as in `0.001 d`"),
        ("nh", "hours take no prefix: write the number with it, as in `0.001 h`"),
        ("kyr", "years take no prefix: write the number with it, as in `0.001 year`"),
    ],
)
def test_an_abbreviation_is_no_unit_with_a_prefix(name: str, advice: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_quantity(f"5 {name}/L")
    assert str(caught.value) == (
        f"error[units.unknown]: `{name}` is not a unit\n"
        f"  found:    `{name}/L`\n"
        "  expected: units such as `nM`, `1/d`, `L/d`, `cell/µL`, `%`, or `1` for a pure number\n"
        f"  try:      {advice}"
    )


def test_pint_is_imported_for_the_first_unit_that_few_write() -> None:
    code = (
        "import sys, simulate.symbolic.units as s; s.unit('nM'), s.unit('cell/µL/d'); before = 'pint' in sys.modules;"
        "s.unit('fortnight'); print(before, 'pint' in sys.modules)"
    )
    assert output(code) == "False True"


@pytest.mark.parametrize("name", sorted(known_names()))
def test_the_table_of_units_agrees_with_pint(name: str) -> None:
    base = {"substance": "nmol", "mass": "ug", "length": "dm", "time": "day", "cell": "megacell"}
    factor, powers = known_names()[name]
    coherent = registry().Quantity(Fraction(1), "")
    for part, power in powers.items():
        coherent *= registry().Quantity(Fraction(1), base[part]) ** power
    assert (registry().Quantity(Fraction(1), name) / coherent).to("").magnitude == factor
