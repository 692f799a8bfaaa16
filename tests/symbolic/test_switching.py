"""Conditions, pieces and events: read, printed, checked for units, written and read back."""

from __future__ import annotations

from pathlib import Path

import pytest
import sympy

from simulate.errors import InputError
from simulate.symbolic.composition import compose
from simulate.symbolic.expressions import as_expression, parse_expression
from simulate.symbolic.modelfile import read_model, write_model
from simulate.symbolic.parts import Event, Mechanism, Parameter, Species
from simulate.symbolic.printing import print_expression
from simulate.symbolic.units import unit

x, y, z = sympy.symbols("x y z")

PULSE = """
[parameters]
k = "1 1/d"
t_dose = "2 d"
low = "0.5 nM"
amount = "3 nM"

[species.C]
unit = "nM"
initial = 1

[species.N]
unit = "1"

[reactions.loss]
rate = "piecewise(k, C > low, 0)*C"
change = { C = -1 }

[events.dose]
when = "t >= t_dose"
add = { C = "amount", N = 1 }
delay = "t_dose/2"
priority = 2
persistent = false
at_start = true
values = "execution"

[events.empty]
when = "C <= low"
set = { N = 0 }
"""


@pytest.mark.parametrize(
    "text",
    [
        "piecewise(1, x > 2 and not y <= 3, 2*x, x == y or z != 4, -floor(0.5*x))",
        "piecewise(x, not (x > 2 and y > 3), 0)",
        "cos(x)*tan(x) + sin(x) - acos(y) - asin(y) - atan(0.5)",
        "-floor(-x) + piecewise(1, x >= y or x > z and y > z, 0)",
    ],
)
def test_an_expression_that_switches_is_printed_as_it_is_read(text: str) -> None:
    expression = parse_expression(text)
    assert parse_expression(print_expression(expression)) == expression


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("piecewise(x, 1 > 2, y)", y),
        ("piecewise(x, 2 == 2, y)", x),
        ("floor(-1.5) + ceil(-1.5)", sympy.Integer(-3)),
        ("piecewise(1, 1 > 2 or 3 > 2 and not 2 > 3, 0)", sympy.Integer(1)),
    ],
)
def test_what_is_certain_is_decided_at_once(text: str, value: sympy.Expr) -> None:
    assert parse_expression(text) == value


def test_pieces_and_relations_of_sympy_are_those_of_the_grammar() -> None:
    pieces = sympy.Piecewise((x, (x > 1) & (y < 2)), (sympy.floor(y), True))
    assert as_expression(pieces) == parse_expression("piecewise(x, x > 1 and 2 > y, floor(y))")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "1 + (x > 2)",
            "error[expression.condition]: a condition stands where a number is expected (column 6 of the expression)\n"
            "  found:    `1 + (x > 2)`\n"
            "  try:      write `piecewise(1, condition, 0)` for 1 where a condition holds, else 0",
        ),
        (
            "piecewise(1, x, 2)",
            "error[expression.condition]: a number stands where a condition is expected (column 14 of the expression)\n"
            "  found:    `piecewise(1, x, 2)`\n"
            "  expected: a comparison, such as `x > y`, or several with `and`, `or` and `not`",
        ),
        (
            "piecewise(1, 1 < x < 2, 0)",
            "error[expression.syntax]: two comparisons stand in a row (column 20 of the expression)\n"
            "  found:    `piecewise(1, 1 < x < 2, 0)`\n"
            "  try:      join them with `and`: `a < x and x < b`",
        ),
        (
            "piecewise(1, x > 2, 3, x > 1)",
            "error[expression.arguments]: `piecewise` has 4 arguments (column 1 of the expression)\n"
            "  found:    `piecewise(1, x > 2, 3, x > 1)`\n"
            "  expected: a value and a condition, as often as needed, and last the value otherwise",
        ),
    ],
)
def test_each_fault_of_a_condition_is_explained(text: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_expression(text)
    assert str(caught.value) == message


def test_the_sides_of_a_comparison_have_one_unit() -> None:
    species = Species("X", "", unit("nM"))
    rate = sympy.Piecewise((1, species.symbol > sympy.Symbol("t")), (0, True)) * sympy.Symbol("k")
    parts = Mechanism(
        "m",
        "",
        species=(species,),
        parameters=(Parameter("k", "", 1.0, unit("nM/d")),),
        reactions=(_loss(rate, species),),
    )
    with pytest.raises(InputError) as caught:
        compose([parts])
    assert caught.value.code == "units.mismatch"
    assert "the two sides of a comparison in the rate of `loss` differ in unit" in str(caught.value)


def _loss(rate: sympy.Expr, species: Species) -> object:
    from simulate.symbolic.parts import Reaction

    return Reaction("loss", rate, {species: -1})


@pytest.fixture(scope="module")
def pulse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("events") / "pulse.toml"
    path.write_text(PULSE, encoding="utf-8")
    return path


def test_events_of_a_model_file_are_what_it_says(pulse: Path) -> None:
    model = read_model(pulse).compose()
    dose, empty = model.events
    assert [target.name for target in dose.changes] == ["C", "N"]
    assert [print_expression(value) for value in dose.changes.values()] == ["amount + C", "1 + N"]
    assert (print_expression(dose.delay), dose.priority, dose.persistent) == ("0.5*t_dose", 2, False)
    assert (dose.at_start, dose.at_trigger) == (True, False)
    assert (empty.delay, empty.priority, empty.persistent, empty.at_start, empty.at_trigger) == (
        0,
        None,
        True,
        False,
        True,
    )


def test_a_written_model_has_the_events(pulse: Path, tmp_path: Path) -> None:
    model = read_model(pulse).compose()
    again = tmp_path / "again.toml"
    again.write_text(write_model(model), encoding="utf-8")
    assert read_model(again).compose().key == model.key


def test_the_key_of_a_model_depends_on_its_events() -> None:
    species = Species("X", "", unit("nM"), 1)
    keys = {
        compose(
            [Mechanism("m", "", species=(species,), events=(Event("e", sympy.Symbol("t") > 0, {species: value}),))]
        ).key
        for value in (0, 1, 2)
    }
    assert len(keys) == 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            ('when = "t >= t_dose"', 'when = "t_dose"'),
            "error[expression.condition]: a number stands where a condition is expected (column 1 of the expression)\n"
            "  --> {path}:20, key `events.dose.when`\n"
            "  found:    `t_dose`\n"
            "  expected: a comparison, such as `x > y`, or several with `and`, `or` and `not`",
        ),
        (
            ('add = { C = "amount", N = 1 }', "add = {}"),
            "error[key.missing]: the event changes nothing\n"
            "  --> {path}:19, key `events.dose`\n"
            "  expected: `set = {{ SPECIES = ... }}` or `add = {{ SPECIES = ... }}`",
        ),
        (
            ("persistent = false", "persistent = 0"),
            "error[key.type]: the value of `persistent` cannot be used\n"
            "  --> {path}:24, key `events.dose.persistent`\n"
            "  found:    0\n"
            "  expected: true or false",
        ),
        (
            ('add = { C = "amount", N = 1 }', 'add = { C = "amount" }\nset = { C = "amount" }'),
            "error[key.value]: the event both sets `C` and adds to it\n"
            "  --> {path}:21, key `events.dose.add.C`\n"
            "  expected: one of the two",
        ),
        (
            ('delay = "t_dose/2"', "delay = 2"),
            "error[units.mismatch]: the delay of event `dose` has the wrong unit\n"
            "  --> {path}:22, key `events.dose.delay`, term `2`\n"
            "  found:    a pure number\n"
            "  expected: d\n"
            "  try:      multiply with something in d, or correct the unit of a parameter in it",
        ),
    ],
)
def test_each_fault_of_an_event_is_explained(change: tuple[str, str], message: str, tmp_path: Path) -> None:
    path = tmp_path / "pulse.toml"
    assert change[0] in PULSE
    path.write_text(PULSE.replace(*change), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_model(path).compose()
    assert str(caught.value) == message.format(path=path)
