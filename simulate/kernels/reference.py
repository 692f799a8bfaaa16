"""The oracle: the same system solved by SciPy, one member at a time, slowly and plainly.

It shares the `System` with the compiled path and nothing after it: expressions are evaluated by functions that SymPy
writes, doses are applied by restarting the integration, outputs are the end points of integrations. The scale of a
state is the largest that it is in a rough solution, which is found first.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import sympy
from scipy import integrate

from simulate.errors import InputError
from simulate.kernels.clock import NOTHING
from simulate.kernels.saturation import IN_PYTHON
from simulate.kernels.system import System, infusion
from simulate.solver.kernel import FloatArray, IntArray
from simulate.solver.problem import Schedule, StopKind, Tolerance
from simulate.solver.trajectories import Failure, Status, Trajectories
from simulate.symbolic.symbols import TIME

_SLACK = 1e-12
_ROUGH, _ROUGHER = 1e-4, 1e-9
"""Relative tolerance of rough solutions, and the absolute one as a share of the largest state known."""
_TINY = 1e-300
solve_ivp: Any = integrate.solve_ivp


@np.errstate(all="ignore")
def solve_reference(
    system: System,
    parameters: FloatArray,
    schedule: Schedule,
    times: FloatArray,
    *,
    start: float = 0.0,
    tolerance: Tolerance | None = None,
    method: str = "DOP853",
    breaks: tuple[IntArray, FloatArray] = NOTHING,
    max_step: float = np.inf,
) -> Trajectories:
    """Integrate a batch with `scipy.integrate.solve_ivp`; the meaning of arguments and result is that of `solve`.

    Parameters
    ----------
    system
        The system itself; no kernel is built.
    parameters, schedule, times, start, tolerance
        As for `simulate.solver.solve`.
    method
        A method of ``solve_ivp``: ``DOP853``, or ``Radau`` for stiff systems.
    breaks
        Owners and times at which integrations end and begin anew, as `simulate.solver.arguments.breaks_of` finds them.
    max_step
        Longest step, days.
    """
    if system.events:
        raise InputError(
            "the reference solution knows no events",
            code="kernel.events",
            found=", ".join(event.name for event in system.events),
            expected="a model without events",
        )
    tolerance = Tolerance(1e-11, 1e-14) if tolerance is None else tolerance
    functions = _functions_of(system)
    members, n = len(parameters), len(system.states)
    values = np.full((members, len(times), n + len(system.observables)), np.nan)
    status = np.zeros(members, dtype=np.int64)
    counters = np.zeros((members, 3), dtype=np.int64)
    failures = []
    for member in range(members):
        constants = functions.constants(parameters[member])
        violated = np.flatnonzero(~(functions.conditions(constants) >= -_SLACK))
        if violated.size:
            status[member] = Status.INFEASIBLE
            reason = f"{Status.INFEASIBLE.sentence}: {system.reasons[violated[0]]}"
            failures.append(Failure(member, start, None, Status.INFEASIBLE, reason))
            continue
        stretches = functools.partial(
            _stretches, functions, constants, schedule, member, np.asarray(times, dtype=float), start,
            functools.partial(solve_ivp, method=method, max_step=max_step), breaks[1][breaks[0] == member].tolist(),
        )  # fmt: skip
        try:
            given = functions.given(constants, schedule, member, start)
            atol = np.maximum(tolerance.share * _scales(stretches, given), _TINY)
            points = stretches(tolerance.rtol, atol, np.zeros(n))
            for index, time, state, evaluations in points:
                values[member, index] = np.concatenate([state, functions.observed(time, state, constants)])
                counters[member, 2] += evaluations
        except _GivenUp as error:
            status[member] = Status.STEP_TOO_SMALL
            failures.append(Failure(member, error.time, None, Status.STEP_TOO_SMALL, error.reason))
        except (ArithmeticError, ValueError):
            # Plain Python raises where compiled code goes on with an undefined number.
            status[member] = Status.NOT_FINITE
            failures.append(Failure(member, start, None, Status.NOT_FINITE, Status.NOT_FINITE.sentence))
    return Trajectories(
        times=np.asarray(times, dtype=float),
        quantities=(*system.states, *system.observables),
        units=system.units,
        values=values,
        status=status,
        counters=counters,
        failures=tuple(failures),
        method=f"SciPy {method}",
    )


class _GivenUp(Exception):
    """SciPy did not reach the end of a stretch."""

    def __init__(self, time: float, reason: str) -> None:
        super().__init__(reason)
        self.time, self.reason = time, reason


class _Functions:
    """Plain Python functions of a system."""

    def __init__(self, system: System) -> None:
        self.system = system
        names = [sympy.Symbol(name) for name in system.parameters]
        known = [*names, *(symbol for symbol, _ in system.constants)]
        states = [sympy.Symbol(name) for name in system.states]
        rates = [infusion(route) for route in system.routes]
        # One constant after another, as each may need the earlier ones.
        self._steps = []
        for _, expression in system.constants:
            names_of = {symbol.name for symbol in expression.free_symbols}
            needed = [place for place, symbol in enumerate(known) if symbol.name in names_of]
            self._steps.append((needed, _evaluator([[known[place] for place in needed]], [expression])))
        self._initial = _evaluator([known], system.initial)
        self._gains = _evaluator([known], system.gains)
        self._conditions = _evaluator([known], system.conditions)
        self._rhs = _evaluator([TIME, states, known, rates], system.rhs)
        self._observed = _evaluator([TIME, states, known, rates], system.observed)

    def constants(self, parameters: FloatArray) -> list[float]:
        values = [float(value) for value in parameters]
        for needed, step in self._steps:
            values.append(float(step([values[place] for place in needed])[0]))
        return values

    def initial(self, constants: list[float]) -> FloatArray:
        return np.array(self._initial(constants), dtype=float)

    def given(self, constants: list[float], schedule: Schedule, member: int, start: float) -> FloatArray:
        """How large states may be, from initial values, doses, and what rates bring in a day."""
        state, gains = self.initial(constants), self.gains(constants)
        sizes = np.abs(state)
        own = slice(int(schedule.offsets[member]), int(schedule.offsets[member + 1]))
        for route, amount in zip(schedule.routes[own], schedule.amounts[own], strict=True):
            target = self.system.route_targets[route]
            sizes[target] = max(sizes[target], abs(amount * gains[route]))
        rates = np.abs(self.rhs(start, state, constants, np.zeros(len(self.system.routes))))
        return np.maximum(sizes, np.where(np.isfinite(rates), rates, 0.0))

    def gains(self, constants: list[float]) -> FloatArray:
        return np.array(self._gains(constants), dtype=float)

    def conditions(self, constants: list[float]) -> FloatArray:
        return np.array(self._conditions(constants), dtype=float)

    def rhs(self, time: float, state: FloatArray, constants: list[float], rates: FloatArray) -> FloatArray:
        return np.array(self._rhs(time, state, constants, rates), dtype=float)

    def observed(self, time: float, state: FloatArray, constants: list[float]) -> FloatArray:
        return np.array(self._observed(time, state, constants, np.zeros(len(self.system.routes))), dtype=float)


@functools.lru_cache(maxsize=8)
def _functions_of(system: System) -> _Functions:
    """The functions of a system, which SymPy writes once for all who are solved."""
    return _Functions(system)


def _evaluator(arguments: list[Any], expressions: Any) -> Callable[..., Any]:
    evaluate: Callable[..., Any] = sympy.lambdify(
        arguments, list(expressions), modules=[IN_PYTHON, "math"], cse=True, docstring_limit=0
    )
    return evaluate


def _stretches(
    functions: _Functions,
    constants: list[float],
    schedule: Schedule,
    member: int,
    times: FloatArray,
    start: float,
    integrated: Callable[..., Any],
    breaks: Sequence[float],
    rtol: float,
    atol: FloatArray,
    largest: FloatArray,
) -> Iterator[tuple[int, float, FloatArray, int]]:
    """Output index, time, state and work, from one stop or output to the next; ``largest`` grows with the states."""
    system = functions.system
    state, gains = functions.initial(constants), functions.gains(constants)
    rates = np.zeros(len(system.routes))
    own = slice(int(schedule.offsets[member]), int(schedule.offsets[member + 1]))
    stops = list(zip(*(getattr(schedule, name)[own] for name in ("times", "kinds", "routes", "amounts")), strict=True))
    now = start
    np.maximum(largest, np.abs(state), out=largest)
    for point in sorted({start, *times.tolist(), *breaks, *(float(stop[0]) for stop in stops)}):
        if point > times[-1]:
            break
        evaluations = 0
        if point > now:
            if not np.isfinite(functions.rhs(now, state, constants, rates)).all():
                raise FloatingPointError  # SciPy would look for a first step for ever
            solution = integrated(
                lambda time, y: functions.rhs(time, y, constants, rates),
                (now, point),
                state,
                rtol=rtol,
                atol=atol,
            )
            if not solution.success:
                raise _GivenUp(now, solution.message)
            state, evaluations, now = solution.y[:, -1], int(solution.nfev), point
            np.maximum(largest, np.abs(solution.y).max(axis=1), out=largest)
        indices = np.flatnonzero(times == point).tolist()
        for index in indices[:-1]:
            yield index, point, state, 0
        for kind, route, amount in [stop[1:] for stop in stops if stop[0] == point]:
            if kind == StopKind.RESET:
                state = functions.initial(constants)
                rates[:] = 0.0
            elif kind == StopKind.RATE:
                rates[route] += amount
            elif kind != StopKind.VISIT:
                state = _jumped(state, kind, route, amount, system, gains)
        for index in indices[-1:]:
            yield index, point, state, evaluations


def _jumped(state: FloatArray, kind: int, route: int, amount: float, system: System, gains: FloatArray) -> FloatArray:
    """A state after it was set or added to, or after a dose at once."""
    after = state.copy()
    if kind == StopKind.SET:
        after[route] = amount
    elif kind == StopKind.ADD:
        after[route] += amount
    else:
        after[system.route_targets[route]] += amount * gains[route]
    return after


def _scales(stretches: Callable[..., Iterator[tuple[int, float, FloatArray, int]]], given: FloatArray) -> FloatArray:
    """Largest that each state is in a rough solution, for which a rougher one that takes all for alike finds scales."""
    largest = np.full_like(given, np.abs(given).max(initial=0.0))
    for _ in range(2):
        atol = np.maximum(_ROUGHER * largest, _TINY)
        largest = np.zeros_like(given)
        for _ in stretches(_ROUGH, atol, largest):
            pass
    return np.maximum(largest, _TINY)
