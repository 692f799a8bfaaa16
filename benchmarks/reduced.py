"""The equations that every peer is given, in which all that is constant in time is computed once.

A peer pays only for what changes: its right-hand side reads a state and a row of constants.
"""

from __future__ import annotations

import functools
import importlib.util
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np
import sympy
from sympy import Expr, Symbol

from benchmarks.workload import DOSE, Workload
from simulate.kernels.form import Place
from simulate.kernels.hoisting import Program, hoist, straight_line
from simulate.kernels.lowering import lowered
from simulate.kernels.print_text import PYTHON, statements
from simulate.kernels.system import System, infusion
from simulate.solver import FloatArray
from simulate.symbolic.symbols import TIME


@dataclass(frozen=True, slots=True, eq=False)
class Equations:
    """Right-hand side and numbers of members.

    Attributes
    ----------
    program
        Right-hand side in terms of time, the states and the constants.
    states, constants
        Symbols in the order of ``initial`` and ``values``.
    values
        Constants, shape [member, constant].
    initial
        State at the start, before the first dose, shape [member, state].
    """

    program: Program
    states: tuple[Symbol, ...]
    constants: tuple[Symbol, ...]
    values: FloatArray
    initial: FloatArray

    def python(self, heading: str = "import math") -> ModuleType:
        """Module with ``rhs(t, y, c)``, which returns a tuple."""
        assignments, rates = self.statements()
        lines = [heading, "", "", "def rhs(t, y, c):", *(f"    {name} = {value}" for name, value in assignments)]
        return module_of("\n".join([*lines, f"    return ({', '.join(rates)},)", ""]))

    def statements(self) -> tuple[list[tuple[str, str]], list[str]]:
        """Temporaries, each a name and an expression, and the derivatives of the states, in Python's spelling."""
        return self.spelled(self.program)

    def spelled(self, program: Program) -> tuple[list[tuple[str, str]], list[str]]:
        """Temporaries and results of a program in terms of the same time, states and constants."""
        places: dict[Symbol, Place] = {TIME: "t"}
        places |= {symbol: f"y[{index}]" for index, symbol in enumerate(self.states)}
        places |= {symbol: f"c[{index}]" for index, symbol in enumerate(self.constants)}
        outputs = [(str(index), result) for index, result in enumerate(program.results)]
        text = statements(lowered(places, program.assignments, outputs), PYTHON)
        rows = [(name, str(place)) for name, place in text.reads]
        return [*rows, *text.steps], [result for _, result, _ in text.results]


@dataclass(frozen=True, slots=True, eq=False)
class Reduced(Equations):
    """Right-hand side and numbers of a workload.

    Attributes
    ----------
    target, dose
        State that a dose goes to, and what a dose adds to it, shape [member].
    recorded_days
        Days at the start of which, after the dose, the state is recorded.
    """

    target: int
    dose: FloatArray
    recorded_days: tuple[int, ...]


def reduced(workload: Workload) -> Reduced:
    """Equations and numbers of a workload."""
    system = workload.system
    given, numbers = equations(system, workload.parameters)
    return Reduced(
        program=given.program,
        states=given.states,
        constants=given.constants,
        values=given.values,
        initial=given.initial,
        target=system.route_targets[0],
        dose=DOSE * _value(system.gains[0], numbers, len(workload.parameters)),
        recorded_days=tuple(round(time) for time in workload.times),
    )


def equations(system: System, parameters: FloatArray) -> tuple[Equations, dict[Symbol, FloatArray]]:
    """Equations of members with these parameters, and every number that is constant in time."""
    states = tuple(Symbol(name) for name in system.states)
    none = {infusion(route): sympy.S.Zero for route in system.routes}
    hoisted, program = hoist(straight_line([rate.xreplace(none) for rate in system.rhs], "rhs"), [TIME, *states], "c")
    numbers = _numbers(system, hoisted, parameters)
    used: set[Symbol] = set().union(
        *(value.free_symbols for _, value in program.assignments), *(value.free_symbols for value in program.results)
    )
    constants = tuple(symbol for symbol in numbers if symbol in used)
    members = len(parameters)
    given = Equations(
        program=program,
        states=states,
        constants=constants,
        values=np.column_stack([numbers[symbol] for symbol in constants]),
        initial=np.column_stack([_value(expression, numbers, members) for expression in system.initial]),
    )
    return given, numbers


def _numbers(
    system: System, hoisted: tuple[tuple[Symbol, Expr], ...], parameters: FloatArray
) -> dict[Symbol, FloatArray]:
    numbers = {Symbol(name): parameters[:, index] for index, name in enumerate(system.parameters)}
    for symbol, expression in (*system.constants, *hoisted):
        numbers[symbol] = _value(expression, numbers, len(parameters))
    return numbers


def _value(expression: Expr, numbers: Mapping[Symbol, FloatArray], members: int) -> FloatArray:
    needed = sorted(expression.free_symbols, key=str)
    evaluate: Callable[..., FloatArray] = sympy.lambdify(needed, expression, modules="numpy")
    return np.broadcast_to(np.asarray(evaluate(*(numbers[symbol] for symbol in needed)), dtype=float), (members,))


@functools.cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="il1sim-race-")


def scratch() -> Path:
    """A folder for generated sources that is gone when the race is over."""
    return Path(_folder().name)


def module_of(text: str) -> ModuleType:
    """Module of generated source."""
    path = scratch() / f"generated_{len(list(scratch().iterdir()))}.py"
    path.write_text(text, encoding="utf-8")
    specification = importlib.util.spec_from_file_location(path.stem, path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module
