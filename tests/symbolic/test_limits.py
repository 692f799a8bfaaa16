from __future__ import annotations

import time
from pathlib import Path

import pytest
import sympy
from sympy import Symbol

from simulate.cli.app import outcome
from simulate.errors import InputError, counted
from simulate.kernels.build import build
from simulate.kernels.system import lower
from simulate.studies.checks import check_file
from simulate.symbolic.expressions import parse_expression
from simulate.symbolic.functions import substitute
from simulate.symbolic.model import Model
from simulate.symbolic.modelfile import read_model
from simulate.symbolic.units import unit

HEAD = """\
[parameters]
k = "0.5 1/d"
K = 2

[species.X]
unit = "1"
initial = 1

[species.Y]
unit = "1"

[balances.influx]
unit = "1/d"
steady = "X"
reason = "the cells would have to be removed, not made"

[reactions.production]
rate = "influx"
change = { X = 1 }

[reactions.loss]
rate = "k*X*(1 + Y*RATE)"
change = { X = -1 }

[reactions.decay]
rate = "k*Y*d0*K"
change = { Y = -1 }

[definitions.d0]
expression = "START"
"""


def chain(step: str, count: int, *, start: str = "X/K", use: str = "") -> str:
    definitions = "".join(
        f'[definitions.d{i}]\nexpression = "{step.replace("#", f"d{i - 1}")}"\n' for i in range(1, count + 1)
    )
    return HEAD.replace("RATE", use or f"d{count}").replace("START", start) + definitions


def composed(folder: Path, text: str) -> Model:
    path = folder / "m.toml"
    path.write_text(text, encoding="utf-8")
    return read_model(path).compose()


def refusal(folder: Path, text: str) -> str:
    began = time.process_time()
    with pytest.raises(InputError) as caught:
        composed(folder, text)
    assert time.process_time() - began < 3.0
    return str(caught.value).replace(f"{folder}/", "")


STEPS = (
    *("exp(-#) + hill(#, 1, 3)", "# + #*#", "tanh(#)", "tanh(# + 1)", "hill(#, K, 1.5)", "log(1 + #)", "abs(# - K)"),
    *("#**#", "sqrt(1 + #)", "max(#, 1/#)", "1/(1 + #)", "(1 + #)**K", "exp(-#)*#", "#*(1 + #)"),
)


def verdict(folder: Path, text: str) -> str:
    """What becomes of a model, and that it became so in moments."""
    began = time.process_time()
    try:
        build(lower(composed(folder, text))).stiff_source()
        found = "compiled"
    except InputError as error:
        found = error.code
    assert time.process_time() - began < 5.0
    return found


@pytest.mark.parametrize("step", STEPS)
def test_a_chain_of_definitions_is_made_a_kernel_or_refused_in_moments(tmp_path: Path, step: str) -> None:
    # A chain of seven takes longest where time is in it as well.
    for start, counts in (("X/K", (2, 40)), ("X", (2, 7, 40)), ("X/K + k*t", (2, 7, 40))):
        found = [verdict(tmp_path, chain(step, count, start=start)) for count in counts]
        # At the start, X is the number 1: there tanh(tanh(1)) is nested twice two deep.
        assert found[0] == "compiled" or (start == "X" and step.startswith("tanh"))
        assert set(found) <= {"compiled", "model.limit", "baseline.undefined"}


def test_six_definitions_of_exp_and_hill_are_still_a_model(tmp_path: Path) -> None:
    model = composed(tmp_path, chain(STEPS[0], 6))
    assert [part.name for part in model.definitions] == ["d0", "d1", "d2", "d3", "d4", "d5", "d6"]
    assert len(build(lower(model)).source) < 4000


def test_a_definition_that_doubles_too_often_is_named(tmp_path: Path) -> None:
    # Y/K has 5 nodes, x + x*K has 2 n + 3 where x has n: 8·2¹³ - 3 after thirteen steps.
    assert refusal(tmp_path, chain("# + #*K", 16, start="Y/K")) == (
        "error[model.limit]: the definition of `d13` is too large when definitions are written out\n"
        "  --> m.toml:56, key `definitions.d13.expression`\n"
        "  found:    65533\n"
        "  expected: at most 50000 symbols, numbers and operations\n"
        "  try:      use a definition that uses others only once, or make a state of it"
    )


def test_a_definition_that_nests_functions_too_often_is_named(tmp_path: Path) -> None:
    assert refusal(tmp_path, chain("exp(-#)", 16)) == (
        "error[model.limit]: `definitions.d9.expression` at baseline has too many functions inside one another when "
        "definitions are written out\n"
        "  --> m.toml:48, key `definitions.d9.expression`\n"
        "  found:    9\n"
        "  expected: at most 8 functions, roots and powers; tanh, min and max count twice\n"
        "  try:      make a state or a parameter of one of them"
    )


def test_of_numbers_fewer_may_be_nested(tmp_path: Path) -> None:
    assert refusal(tmp_path, chain("exp(-#)", 16, start="X")) == (
        "error[model.limit]: `definitions.d4.expression` at baseline has too many functions inside one another when "
        "definitions are written out and nothing but numbers is left in it\n"
        "  --> m.toml:38, key `definitions.d4.expression`\n"
        "  found:    4\n"
        "  expected: at most 3 functions, roots and powers; tanh, min and max count twice\n"
        "  try:      make a state or a parameter of one of them"
    )


def test_all_that_is_computed_at_each_time_has_a_limit_together(tmp_path: Path) -> None:
    text = chain("# + #*K", 10, start="Y/K", use="d0") + "".join(
        f'[observables.o{i}]\nexpression = "d10 + {i}*X"\n' for i in range(1, 9)
    )
    assert refusal(tmp_path, text) == (
        "error[model.limit]: what is computed at each time, all rates and observables, is too large when definitions "
        "are written out\n"
        "  found:    65570\n"
        "  expected: at most 50000 symbols, numbers and operations\n"
        "  try:      use a definition that uses others only once, or make a state of it"
    )


def test_a_number_in_many_functions_is_refused_while_it_is_read(tmp_path: Path) -> None:
    assert "a number has too many functions inside one another" in refusal(
        tmp_path, chain("#", 1, start="X/K + " + "exp(-" * 40 + "1" + ")" * 40)
    )


@pytest.mark.parametrize("step", ["# + #*#", "#**9", "2**(100*#)", "exp(99*#*log(3))"])
def test_numbers_that_grow_beyond_any_memory_are_refused(tmp_path: Path, step: str) -> None:
    error = refusal(tmp_path, chain(step, 40, start="X + 8"))
    assert error.startswith("error[model.limit]: ")
    assert "key `definitions.d" in error


def test_nothing_times_a_nested_function_is_nothing_at_once() -> None:
    x, y = Symbol("x"), Symbol("y")
    nest = x
    for _ in range(24):
        nest = sympy.tanh(nest + 1, evaluate=False)
    began = time.process_time()
    assert substitute(x * y * nest, {y: sympy.Integer(0)}) == 0
    assert time.process_time() - began < 1.0


SCENARIO = """\
schema = 1
title = "many"
[model]
file = "m.toml"
[time]
end = "1 d"
[[arm]]
name = "a"
regimen = "none"
"""


@pytest.mark.parametrize(("states", "observables"), [(257, 0), (1, 257), (5_000, 0)])
def test_too_many_states_are_refused_by_check_and_by_run_alike(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], states: int, observables: int
) -> None:
    (tmp_path / "m.toml").write_text(
        '[parameters]\nk = "1 1/d"\n'
        + "".join(
            f'[species.X{i}]\nunit = "1"\n[reactions.r{i}]\nrate = "k*X{i}"\nchange = {{ X{i} = -1 }}\n'
            for i in range(states)
        )
        + "".join(f'[observables.o{i}]\nexpression = "X0"\n' for i in range(observables)),
        encoding="utf-8",
    )
    (tmp_path / "s.toml").write_text(SCENARIO, encoding="utf-8")
    message = (
        f"error[model.size]: the model has {counted(states, 'state')} and "
        f"{counted(observables, 'observable')}\n  --> {tmp_path}/m.toml\n"
        "  expected: at most 256 of each"
    )
    began = time.process_time()
    for name in ("m.toml", "s.toml"):
        with pytest.raises(InputError) as caught:
            check_file(tmp_path / name)
        assert str(caught.value) == message
    assert outcome(["run", str(tmp_path / "s.toml"), "--out", str(tmp_path / "out")]) == 3
    assert capsys.readouterr().err.startswith(message)
    assert time.process_time() - began < 5.0


@pytest.mark.parametrize(("value", "shown"), [("1e308 s**-1", "1e+308 s**-1"), ("1e-308 1/d", "1e-308 1/d")])
def test_a_value_that_no_double_holds_in_the_units_of_computing_is_refused(
    tmp_path: Path, value: str, shown: str
) -> None:
    text = chain("#", 1).replace('"0.5 1/d"', f'"{value}"')
    assert refusal(tmp_path, text) == (
        "error[model.value]: the value of `k` is out of range\n"
        "  --> m.toml:2, key `parameters.k`\n"
        f"  found:    {shown}\n"
        "  expected: a number from 1e-305 to 1e150 in nM, µg, L, cells and days, or 0"
    )


@pytest.mark.parametrize("text", ["Ym**12 Ym**12", "1/(Ym**12 Ym**12)", "1e30 1e30 1e30 1e30 m"])
def test_a_unit_beyond_all_measure_is_refused(text: str) -> None:
    with pytest.raises(InputError) as caught:
        unit(text)
    assert str(caught.value).startswith(f"error[units.syntax]: the unit `{text}` ")


def test_a_root_of_a_steep_hill_term_is_refused_at_once_and_a_gentle_one_is_its_value(tmp_path: Path) -> None:
    # SymPy would multiply out a binomial to the power 400 to learn the real part of what the root is of.
    advice = "  try:      name one of them in a state or a parameter, or use a smaller power"
    assert refusal(tmp_path, HEAD.replace("RATE", "sqrt(sqrt(hill(0.5, K, 400)))").replace("START", "X/K")) == (
        f"error[expression.limit]: a root or a power that is not whole has too large a whole power inside it "
        "(column 17 of the expression)\n"
        "  --> m.toml:22, key `reactions.loss.rate`\n"
        "  found:    `k*X*(1 + Y*sqrt(sqrt(hill(0.5, K, 400))))`\n"
        f"  expected: at most the power 64, not 400\n{advice}"
    )
    # Nor where it is a definition that is written out.
    assert refusal(tmp_path, HEAD.replace("RATE", "d0**0.3").replace("START", "hill(X, K, 400)")) == (
        "error[model.limit]: a root or a power that is not whole has too large a whole power inside it\n"
        "  found:    the power 400\n"
        "  expected: at most 64\n"
        "  try:      make a state or a parameter of one of them, or use a smaller power"
    )
    gentle = parse_expression("sqrt(sqrt(hill(3, K, 4)))").subs(Symbol("K"), 2)
    assert float(gentle) == pytest.approx((81.0 / 97.0) ** 0.25)
