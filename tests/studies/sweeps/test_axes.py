"""Axes as text and as values."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulate.errors import InputError
from simulate.studies.sweeps.axes import Axis, axes_from, parse_axis


def fault(text: str) -> str:
    with pytest.raises(InputError) as caught:
        parse_axis(text)
    return str(caught.value)


def test_a_range_at_equal_ratios_has_its_ends_and_equal_ratios() -> None:
    axis = parse_axis("dose=10:300:40log")
    values = np.array(axis.values, dtype=np.float64)
    assert (len(values), values[0], values[-1]) == (40, 10.0, 300.0)
    ratios = values[1:] / values[:-1]
    assert np.allclose(ratios, 30.0 ** (1 / 39), rtol=1e-10)


def test_a_range_at_equal_distances_has_its_ends_and_equal_distances() -> None:
    assert parse_axis("f_m=0.1:0.5:5").values == (0.1, 0.2, 0.3, 0.4, 0.5)
    assert parse_axis("f_m=0.1:0.5:5linear") == parse_axis("f_m=0.1:0.5:5", "--over f_m=0.1:0.5:5linear")


@given(low=st.floats(1e-6, 1e6), factor=st.floats(1.1, 1e6), count=st.integers(2, 50), is_log=st.booleans())
def test_values_of_a_range_ascend_within_it(low: float, factor: float, count: int, is_log: bool) -> None:
    high = low * factor
    values = parse_axis(f"k={low!r}:{high!r}:{count}{'log' if is_log else ''}").values
    numbers = [float(value) for value in values]
    assert numbers == sorted(numbers)
    assert (numbers[0], numbers[-1], len(numbers)) == (low, high, count)


@pytest.mark.parametrize(
    ("text", "values", "unit"),
    [
        ("interval=12,24,48 h", (12.0, 24.0, 48.0), "h"),
        ("interval=0.5 d, 24 h", (12.0, 24.0), "h"),
        ("dose=10 mg:300 mg:2", (10.0, 300.0), "mg"),
        ("dose=10:300:2log mg", (10.0, 300.0), "mg"),
        ("dose=10 ug:300 ug:2 mg", (0.01, 0.3), "mg"),
        ("dose=10 ug:300:2 mg", (0.01, 300.0), "mg"),
        ("dose=10 ug:300:2log", (10.0, 300.0), "ug"),
        ("dose=10 ug, 1 mg, 3", (0.01, 1.0, 3.0), "mg"),
        ("interval=0.5 d:48 h:2 h", (12.0, 48.0), "h"),
        ("dose = 1e1, 3.e2", (10.0, 300.0), None),
        ("f_m=0.3", (0.3,), None),
    ],
)
def test_values_and_units_are_read_in_every_spelling(text: str, values: tuple[float, ...], unit: str | None) -> None:
    axis = parse_axis(text)
    assert axis.values == values
    assert (None if axis.unit is None else axis.unit.text) == unit


def test_regimens_are_listed_with_bars_between() -> None:
    axis = parse_axis("regimen=100 mg sc every 24 h | 200 mg sc every 48 h")
    assert axis.values == ("100 mg sc every 24 h", "200 mg sc every 48 h")


def test_a_range_without_a_number_of_values_is_drawn_from() -> None:
    axis = parse_axis("k_a=0.05:0.5:log 1/h")
    assert axis.is_drawn
    assert (axis.low, axis.high, axis.is_log) == (0.05, 0.5, True)
    assert axis.unit is not None
    assert math.isclose(axis.at(0.5), math.sqrt(0.05 * 0.5), rel_tol=1e-11)
    assert not parse_axis("k_a=0.05:0.5:3").is_drawn


def test_a_mapping_says_the_same_as_texts() -> None:
    over = {"dose": "10:300:40log", "f_m": np.array([0.1, 0.3]), "regimen": ["a", "b"], "k_a": ["1 1/h", 2]}
    assert axes_from(over) == ("dose=10:300:40log", "f_m=0.1,0.3", "regimen=a | b", "k_a=1 1/h,2.0")
    assert axes_from(["dose=1,2"]) == ("dose=1,2",)


def test_an_axis_is_a_value_and_can_be_a_key() -> None:
    axis = parse_axis("dose=10,20")
    assert isinstance(axis, Axis)
    assert len({axis, parse_axis("dose=10,20")}) == 1


EXPECTED = (
    'a finite number, or one with a unit such as "10 mg"; altogether such as `10:300:40log`, `0.1:0.5`, `10,30,100 mg`'
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("dose", "error[sweep.axis]: an axis needs a name and values\n  --> --over dose\n  expected: name=values"),
        (
            "dose=10:300:40lg",
            "error[sweep.axis]: the values of `dose` cannot be read\n  --> --over dose=10:300:40lg\n"
            "  found:    10:300:40lg\n  expected: `10:300:40log`, `0.1:0.5`, `10,30,100 mg`",
        ),
        (
            "dose=a,b",
            "error[sweep.axis]: a value of `dose` cannot be used\n  --> --over dose=a,b\n"
            f"  found:    'a'\n  expected: {EXPECTED}",
        ),
        (
            "dose=nan,1",
            "error[sweep.axis]: a value of `dose` cannot be used\n  --> --over dose=nan,1\n"
            f"  found:    'nan'\n  expected: {EXPECTED}",
        ),
        (
            "dose=300:10:4",
            "error[sweep.axis]: the axis `dose` cannot go from 300 to 10\n  --> --over dose=300:10:4\n"
            "  expected: a lower number before a higher one",
        ),
        (
            "dose=0:10:4log",
            "error[sweep.axis]: the axis `dose` cannot go from 0 to 10\n  --> --over dose=0:10:4log\n"
            "  expected: a lower number before a higher one, both positive for equal ratios",
        ),
        (
            "dose=1:10:1",
            "error[sweep.axis]: the axis `dose` would have 1 value\n  --> --over dose=1:10:1\n  expected: 2 to 100000",
        ),
        (
            "dose=1,2,1",
            "error[sweep.axis]: the axis `dose` has the value 1.0 twice\n  --> --over dose=1,2,1",
        ),
        (
            "dose=1 mg,2 h",
            "error[units.mismatch]: the values of `dose` have units that do not go together\n"
            "  --> --over dose=1 mg,2 h\n  found:    mg and h",
        ),
        (
            "regimen=a | ",
            "error[sweep.axis]: a regimen is not a text in words\n  --> --over regimen=a | \n  found:    ['a', '']",
        ),
    ],
)
def test_what_cannot_be_read_is_said_in_full(text: str, message: str) -> None:
    assert fault(text) == message


def test_values_in_python_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(InputError) as caught:
        axes_from({"dose": 7})
    assert str(caught.value) == (
        "error[sweep.axis]: the values of `dose` cannot be read\n  found:    7\n"
        "  expected: numbers, or a text such as `10:300:40log`, `0.1:0.5`, `10,30,100 mg`"
    )


def test_a_unit_at_the_end_that_does_not_go_with_the_values_is_refused() -> None:
    assert fault("dose=10 ug:300 ug:4 d") == (
        "error[units.mismatch]: the values of `dose` have units that do not go together\n"
        "  --> --over dose=10 ug:300 ug:4 d\n"
        "  found:    ug and d"
    )
