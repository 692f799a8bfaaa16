"""Derivatives without differences: the imaginary part of a solution for a parameter with a tiny imaginary part.

Shares the `System` with the engine and nothing after it. No subtraction, hence no cancellation: the derivative is as
accurate as the solution (W. Squire, G. Trapp, SIAM Review 40 (1998) 110).
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import sympy
from scipy import integrate

from simulate.kernels.system import System, infusion
from simulate.solver import FloatArray, StopKind
from simulate.symbolic.symbols import TIME

_STEP = 1e-30
Complex = npt.NDArray[np.complex128]
solve_ivp: Any = integrate.solve_ivp


@functools.lru_cache(maxsize=1)
def _functions(system: System) -> tuple[list[Any], Any, Any, Any, Any]:
    """Constants one after the other, initial values, gains, rates and observables, of complex numbers."""
    names = [sympy.Symbol(name) for name in system.parameters]
    known = [*names, *(symbol for symbol, _ in system.constants)]
    states, rates = [sympy.Symbol(name) for name in system.states], [infusion(route) for route in system.routes]
    constants = [
        sympy.lambdify(known[: len(names) + index], expression, modules="numpy")
        for index, (_, expression) in enumerate(system.constants)
    ]
    initial, gains = (sympy.lambdify([known], list(part), modules="numpy") for part in (system.initial, system.gains))
    rhs, observed = (
        sympy.lambdify([TIME, states, known, rates], list(part), modules="numpy", cse=True)
        for part in (system.rhs, system.observed)
    )
    return constants, initial, gains, rhs, observed


def complex_step(
    system: System,
    parameters: FloatArray,
    stops: Sequence[tuple[float, StopKind, int, float]],
    times: FloatArray,
    weights: FloatArray,
    *,
    state: int | None = None,
    rtol: float = 1e-12,
    method: str = "DOP853",
) -> tuple[FloatArray, FloatArray]:
    """Values and derivatives of states and observables, each of shape [time, quantity].

    Parameters
    ----------
    system, parameters, stops, times
        One member: its parameters [parameter] and stops; the start is 0.
    weights
        Direction [parameter] of the derivative.
    state
        Derivative with respect to the initial value of this state instead, for weights of 0.
    rtol, method
        As for SciPy.
    """
    constants, initial, gains_of, rhs, observed = _functions(system)
    values: list[complex] = [complex(value) for value in parameters + 1j * _STEP * weights]
    for constant in constants:
        values.append(complex(constant(*values)))
    gains = gains_of(values)

    y: Complex = np.array(initial(values), dtype=complex)
    if state is not None:
        y[state] += 1j * _STEP
    running = np.zeros(len(system.routes))
    found = np.zeros((len(times), len(system.states) + len(system.observables)), dtype=complex)
    now = 0.0
    for point in sorted({0.0, *times.tolist(), *(stop[0] for stop in stops)}):
        if point > now:
            solution = solve_ivp(
                lambda t, x: np.array(rhs(t, x, values, running), dtype=complex),
                (now, point),
                y,
                method=method,
                rtol=rtol,
                atol=1e-15,
            )
            assert solution.success
            y, now = solution.y[:, -1], point
        for time, kind, route, amount in stops:
            if time == point and kind == StopKind.BOLUS:
                y[system.route_targets[route]] += amount * gains[route]
            elif time == point:
                running[route] += amount
        for index in np.flatnonzero(times == point).tolist():
            found[index] = [*y, *observed(point, y, values, running)]
    return found.real.copy(), found.imag / _STEP
