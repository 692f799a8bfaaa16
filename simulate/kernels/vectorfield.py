"""A system as functions of states and inputs, in plain NumPy, for many points at once.

What the steady states need: no time, no compiler, and derivatives in a parameter or a rate of administration as well as
in the states. Inputs are the parameters and, after them, the rate at which each route is fed.
"""

from __future__ import annotations

import functools
import inspect
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import sympy
from sympy import Expr, Symbol

from simulate.errors import InputError, did_you_mean
from simulate.kernels.hoisting import Assignment, gradient, straight_line
from simulate.kernels.in_numpy import IN_NUMPY, NumpyFunction
from simulate.kernels.saturation import IN_PYTHON, without_overflow
from simulate.kernels.system import System, infusion
from simulate.solver.kernel import FloatArray
from simulate.symbolic.symbols import TIME

_INFEASIBLE = 1e-12
_Evaluated = Callable[[FloatArray, FloatArray], list[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class VectorField:
    """Derivatives of the states of an autonomous system.

    Attributes
    ----------
    states, inputs, observables
        Names: of the states; of the parameters, then of the routes; of what is reported.
    axis
        Index of the input in which there are derivatives too; -1 if there is none.
    """

    states: tuple[str, ...]
    inputs: tuple[str, ...]
    observables: tuple[str, ...]
    axis: int
    _rates: _Evaluated
    _slopes: _Evaluated
    _observed: _Evaluated
    _places: tuple[tuple[int, int], ...]
    _whole: tuple[VectorField, FloatArray, FloatArray] | None = None

    def rates(self, states: FloatArray, inputs: FloatArray) -> FloatArray:
        """Derivatives in time, shape [point, state], of points [point, state] with inputs [point, input]."""
        return _columns(self._rates(states, inputs), len(states))

    def observed(self, states: FloatArray, inputs: FloatArray) -> FloatArray:
        """What is reported, shape [point, observable]."""
        return _columns(self._observed(states, inputs), len(states)) if self.observables else np.empty((len(states), 0))

    def slopes(self, states: FloatArray, inputs: FloatArray) -> FloatArray:
        """Derivatives of the rates in the states, and last in ``axis``, if any; shape [point, state, variable]."""
        width = len(self.states) + (self.axis >= 0)
        found = np.zeros((len(states), len(self.states), width))
        for (row, column), values in zip(self._places, self._slopes(states, inputs), strict=True):
            found[:, row, column] = values
        return found

    def jacobians(self, states: FloatArray, inputs: FloatArray) -> FloatArray:
        """How small disturbances change, shape [point, way, way]: of all states, or that change no sum held."""
        if self._whole is None:
            return self.slopes(states, inputs)[:, :, : len(self.states)]
        field, left, right = self._whole
        found: FloatArray = left @ field.jacobians(states, inputs) @ right
        return found


@functools.lru_cache(maxsize=4)
def vector_field(system: System, axis: str | None = None) -> VectorField:
    """Vector field of a system; ``axis`` names a parameter or a route.

    Raises
    ------
    InputError
        ``equilibria.time`` for a system that depends on time, ``equilibria.axis`` for an unknown axis.
    """
    if system.events:
        raise InputError(
            "a system with events has no steady states of its own",
            code="equilibria.events",
            found=", ".join(event.name for event in system.events),
            advice="leave the events out of the model",
        )
    system = without_overflow(system)
    if any(TIME in expression.free_symbols for expression in (*system.rhs, *(value for _, value in system.constants))):
        raise InputError(
            "a system that depends on time has no steady states",
            code="equilibria.time",
            advice="fix what changes in time at one value, as a parameter",
        )
    inputs = (*system.parameters, *system.routes)
    if axis is not None and axis not in inputs:
        raise InputError(
            f"the system has no parameter or route `{axis}`",
            code="equilibria.axis",
            advice=did_you_mean(axis, inputs),
        )
    states = [Symbol(name) for name in system.states]
    fed = [Symbol(name) for name in system.parameters] + [infusion(route) for route in system.routes]
    program = straight_line([sympy.sympify(rate, strict=True) for rate in system.rhs], "rhs")
    assignments = (*system.constants, *program.assignments)
    column = -1 if axis is None else inputs.index(axis)
    variables = states if column < 0 else [*states, fed[column]]
    derivatives, places = gradient(type(program)(assignments, program.results), variables)
    return VectorField(
        states=system.states,
        inputs=inputs,
        observables=system.observables,
        axis=column,
        _rates=_evaluated(assignments, program.results, states, fed),
        _slopes=_evaluated(derivatives.assignments, derivatives.results, states, fed),
        _observed=_evaluated(system.constants, [_at_rest(value) for value in system.observed], states, fed),
        _places=places,
    )


def holding(
    field: VectorField, sums: FloatArray, rows: Sequence[int], at: FloatArray, sizes: FloatArray
) -> VectorField:
    """Field whose rates in some rows are how far conserved sums [sum, state] are from those of a state.

    Its roots are the steady states with the sums of ``at``; the rates that are replaced follow from the others.
    ``sizes`` are those of the states.
    """
    from scipy.linalg import null_space

    free = null_space(sums * sizes)
    if not free.shape[1]:
        # Nothing moves.
        free = np.zeros((len(sizes), 1))
    given = dict(zip(rows, sums, strict=True))
    kept = [place for place, (row, _) in enumerate(field._places) if row not in given]
    own = [(row, int(column)) for row, weights in given.items() for column in np.flatnonzero(weights)]

    def rates(states: FloatArray, inputs: FloatArray) -> list[Any]:
        found = list(field._rates(states, inputs))
        for row, weights in given.items():
            found[row] = (states - at) @ weights
        return found

    def slopes(states: FloatArray, inputs: FloatArray) -> list[Any]:
        found = field._slopes(states, inputs)
        return [*(found[place] for place in kept), *(given[row][column] for row, column in own)]

    places = (*(field._places[place] for place in kept), *own)
    whole = (field, free.T / sizes, sizes[:, np.newaxis] * free)
    return replace(field, _rates=rates, _slopes=slopes, _places=places, _whole=whole)


def inputs_of(system: System, parameters: FloatArray, fed: Mapping[str, float] | None = None) -> FloatArray:
    """Inputs [member, input] of members [member, parameter] to whom the named routes are fed at constant rates.

    Raises
    ------
    InputError
        ``equilibria.shape`` for parameters that do not fit, ``equilibria.axis`` for an unknown route,
        ``equilibria.infeasible`` for a member whose parameters admit no baseline.
    """
    if parameters.ndim != 2 or parameters.shape[1] != len(system.parameters):
        raise InputError(
            "the values do not fit the parameters of the system",
            code="equilibria.shape",
            found=f"an array of shape {parameters.shape}",
            expected=f"{len(system.parameters)} values",
        )
    conditions = _of_parameters(system, system.conditions)(np.empty((len(parameters), 0)), parameters)
    for values, reason in zip(conditions, system.reasons, strict=True):
        broken = np.flatnonzero(np.broadcast_to(values, len(parameters)) < -_INFEASIBLE)
        if broken.size:
            raise InputError(
                "the parameters admit no steady baseline",
                code="equilibria.infeasible",
                found=reason if len(parameters) == 1 else f"member {broken[0]}: {reason}",
            )
    rates = np.zeros((len(parameters), len(system.routes)))
    for route, rate in (fed or {}).items():
        if route not in system.routes:
            raise InputError(
                f"the system has no route `{route}`",
                code="equilibria.axis",
                advice=did_you_mean(route, system.routes),
            )
        rates[:, system.routes.index(route)] = rate
    return np.hstack([parameters, rates])


def initial_states(system: System, parameters: FloatArray) -> FloatArray:
    """States [member, state] in which members with these parameters [member, parameter] begin."""
    values = _of_parameters(system, system.initial)(np.empty((len(parameters), 0)), parameters)
    return _columns(values, len(parameters))


def held(field: VectorField, names: Sequence[str]) -> VectorField:
    """The field in which some states are drawn to values that are given as further inputs, in this order.

    Its roots are the states at which all others rest while these are held; ``axis`` is dropped.
    """
    places = [field.states.index(name) for name in names]
    width = len(field.inputs)
    free = [
        index for index, (row, column) in enumerate(field._places) if row not in places and column < len(field.states)
    ]

    def rates(states: FloatArray, inputs: FloatArray) -> list[Any]:
        found = list(field._rates(states, inputs[:, :width]))
        for offset, place in enumerate(places):
            found[place] = inputs[:, width + offset] - states[:, place]
        return found

    def slopes(states: FloatArray, inputs: FloatArray) -> list[Any]:
        found = field._slopes(states, inputs[:, :width])
        return [*(found[index] for index in free), *(-1.0 for _ in places)]

    return VectorField(
        states=field.states,
        inputs=(*field.inputs, *names),
        observables=field.observables,
        axis=-1,
        _rates=rates,
        _slopes=slopes,
        _observed=lambda states, inputs: field._observed(states, inputs[:, :width]),
        _places=(*(field._places[index] for index in free), *((place, place) for place in places)),
    )


def _at_rest(value: Expr) -> Expr:
    """What is observed in a steady state; undefined where it changes with time."""
    return sympy.nan if TIME in value.free_symbols else value


@functools.lru_cache(maxsize=8)
def _of_parameters(system: System, results: tuple[Expr, ...]) -> _Evaluated:
    """Function of the parameters alone."""
    return _evaluated(system.constants, results, [], [Symbol(name) for name in system.parameters])


def _evaluated(
    assignments: Sequence[Assignment], results: Sequence[Expr], states: Sequence[Symbol], inputs: Sequence[Symbol]
) -> _Evaluated:
    """Function of states and inputs, one value or one column of values for each result."""
    function = numpy_function(assignments, results, [*states, *inputs])

    def at(states: FloatArray, inputs: FloatArray) -> list[Any]:
        # Far from any root a power may have no real value: then the point is given up, silently.
        with np.errstate(all="ignore"):
            found: list[Any] = function([*np.ascontiguousarray(states.T), *np.ascontiguousarray(inputs.T)])
        return found

    return at


def numpy_function(
    assignments: Sequence[Assignment], results: Sequence[Expr], symbols: Sequence[Symbol]
) -> NumpyFunction:
    """Function of the values of symbols."""
    # Identifiers are made here and never taken from a model.
    names = {symbol: Symbol(f"a{index}") for index, symbol in enumerate(symbols)}
    arguments = list(names.values())
    steps = []
    for index, (symbol, expression) in enumerate(assignments):
        steps.append((Symbol(f"x{index}"), expression.xreplace(names)))
        names[symbol] = steps[-1][0]
    finished = [result.xreplace(names) for result in results]
    function = sympy.lambdify(
        [arguments], finished, modules=[IN_NUMPY, "numpy"], cse=lambda _: (steps, finished), docstring_limit=0
    )
    # Its argument is named after how many there were before.
    return NumpyFunction(re.sub(r"\b_Dummy_[0-9]+\b", "values", inspect.getsource(function)))


def _columns(values: Sequence[Any], points: int) -> FloatArray:
    return np.stack([np.broadcast_to(np.asarray(value, dtype=float), (points,)) for value in values], axis=-1)


def of_parameters(system: System, results: Sequence[Expr]) -> Callable[[FloatArray], list[float]]:
    """Function of the parameters of one member, for expressions in parameters and constants; NaN where undefined.

    One member at a time, in plain floating point: the bits of a member depend on no other.
    """
    needed = set().union(*(result.free_symbols for result in results))
    kept: list[Assignment] = []
    for symbol, expression in reversed(system.constants):
        if symbol in needed:
            kept.append((symbol, expression))
            needed |= expression.free_symbols
    # Identifiers are made here and never taken from a model.
    names: dict[Expr, Expr] = {Symbol(name): Symbol(f"a{index}") for index, name in enumerate(system.parameters)}
    arguments = list(names.values())
    steps = []
    for index, (symbol, expression) in enumerate(reversed(kept)):
        steps.append((Symbol(f"x{index}"), expression.xreplace(names)))
        names[symbol] = steps[-1][0]
    finished = [sympy.sympify(result, strict=True).xreplace(names) for result in results]
    function = sympy.lambdify(
        [arguments], finished, modules=[IN_PYTHON, "math"], cse=lambda _: (steps, finished), docstring_limit=0
    )

    def at(parameters: FloatArray) -> list[float]:
        try:
            return [float(value) for value in function(parameters.tolist())]
        except (ArithmeticError, ValueError, TypeError):
            return [math.nan] * len(finished)

    return at
