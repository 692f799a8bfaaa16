"""Every unit that anybody could name ends in a value or in an error of the input, wherever it is written."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import cache, partial

import pytest

from simulate.errors import InputError
from simulate.regimen.stops import realize
from simulate.regimen.words import parse_regimen
from simulate.studies.sweeps.axes import parse_axis
from simulate.symbolic.units import convert, parse_quantity, unit
from tests.studies.tiny import model
from tests.symbolic.small import registry

PREFIXES = ("", "m", "k", "M", "G", "u", "yotta", "q")
TARGETS = tuple(unit(text) for text in ("mg", "d", "nM", "1", "L/d"))


@cache
def names() -> list[str]:
    return sorted(f"{prefix}{name}" for prefix, name in itertools.product(PREFIXES, registry()._units))


@pytest.mark.parametrize("part", range(4))
def test_a_unit_of_any_name_is_a_value_or_an_error_of_the_input(part: int) -> None:
    routes = model().routes
    known, codes = 0, set()

    def tried(does: Callable[[], object]) -> bool:
        try:
            does()
        except InputError as error:
            codes.add(error.code)
            return False
        return True

    for name in names()[part::24]:
        is_known = tried(partial(parse_quantity, f"100 {name}"))
        known += is_known
        is_dose = tried(lambda name=name: realize(parse_regimen(f"100 {name} iv"), routes))  # type: ignore[misc]
        is_axis = tried(partial(parse_axis, f"dose=1 {name}:2 {name}:2"))
        assert is_known or not (is_dose or is_axis)
        for target, number in itertools.product(TARGETS, (1.0, 1e300)) if is_known else ():
            tried(partial(convert, number, unit(name), target))
    assert codes <= {"units.unknown", "units.mismatch", "units.range", "units.syntax", "regimen.unit", "sweep.axis"} | {
        "regimen.syntax"
    }
    assert known > 50


@pytest.mark.parametrize("name", ["MG", "statC", "esu", "Fr", "gauss", "G%"])
def test_a_unit_of_half_a_power_is_none(name: str) -> None:
    with pytest.raises(InputError, match="is not a unit"):
        unit(name)


def test_milligrams_in_capitals_are_told_from_milligrams() -> None:
    with pytest.raises(InputError) as caught:
        unit("MG")
    assert str(caught.value) == (
        "error[units.unknown]: `MG` is not a unit\n"
        "  found:    `MG`\n"
        "  expected: units such as `nM`, `1/d`, `L/d`, `cell/µL`, `%`, or `1` for a pure number\n"
        "  try:      did you mean `mg` or `m` or `g`?"
    )


def test_a_number_that_does_not_exist_in_another_unit_is_out_of_range() -> None:
    with pytest.raises(InputError) as caught:
        convert(1e300, unit("Yg"), unit("ug"))
    assert str(caught.value) == ("error[units.range]: 1e+300 Yg is out of range in ug\n  expected: at most 1.8e308")
