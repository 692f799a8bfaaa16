"""Steady states of a system: roots of its right-hand side from many starts, each with its stability.

A root finder sees one root from one start; a switch has several. Roots are therefore sought from every start that is
given, polished by Newton's method and merged. The eigenvalues of the exact Jacobian say which of them a cell can stay
in. Nothing is proved by this: a root that no start leads to is not found.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy
from scipy import optimize
from scipy.stats import qmc

from simulate.errors import InputError
from simulate.kernels.system import System, infusion
from simulate.solver.kernel import FloatArray
from simulate.symbolic.parts import TIME

_POLISHING = 50
_STEP = 1e-12
_RESIDUAL = 1e-9
_SAME = 1e-6
_ZERO_EIGENVALUE = 1e-7
_INFEASIBLE = 1e-12
root: Any = optimize.root


class Stability(enum.Enum):
    """What becomes of a small disturbance of a steady state. The value is the explanation that a reader sees."""

    STABLE = "disturbances die out"
    UNSTABLE = "some disturbances grow"
    UNDECIDED = "an eigenvalue is zero within rounding: a bifurcation, or a conserved quantity"


@dataclass(frozen=True, slots=True, eq=False)
class Equilibrium:
    """A steady state.

    Attributes
    ----------
    state
        Values of the states, in the order and the units of the system.
    eigenvalues
        Of the Jacobian at the state, 1/d, complex, by falling real part.
    """

    state: FloatArray
    eigenvalues: np.ndarray[Any, np.dtype[np.complex128]]

    @property
    def stability(self) -> Stability:
        """Linear stability: the sign of the largest real part, unless that is zero within rounding."""
        leading = float(self.eigenvalues[0].real)
        if abs(leading) <= _ZERO_EIGENVALUE * float(np.abs(self.eigenvalues).max()):
            return Stability.UNDECIDED
        return Stability.STABLE if leading < 0 else Stability.UNSTABLE


def equilibria(system: System, parameters: FloatArray, starts: FloatArray) -> tuple[Equilibrium, ...]:
    """Steady states that root finding from the starts leads to, sorted by state.

    Parameters
    ----------
    system
        A system that does not depend on time; nothing is being administered.
    parameters
        Values [parameter], in the order of the system.
    starts
        States [start, state] to begin at; see `starts_in_box`. Their size also sets the scale in which two states are
        the same (a millionth) and a rate is zero.

    Raises
    ------
    InputError
        ``equilibria.time`` for a system that depends on time, ``equilibria.shape`` for parameters or starts of the
        wrong length, ``equilibria.infeasible`` for parameters that admit no baseline.
    """
    parameters, starts = np.asarray(parameters, dtype=float), np.asarray(starts, dtype=float)
    _check(system, parameters, starts)
    rates, jacobian = _functions(system, parameters)
    found: list[FloatArray] = []
    largest = np.abs(starts).max(axis=0, initial=0.0)
    for start in starts:
        state = _polished(rates, jacobian, start)
        if state is None:
            continue
        scale = np.maximum(largest, np.abs(state))
        if not _is_root(rates, jacobian, state, scale):
            continue
        if not any(np.all(np.abs(state - other) <= _SAME * scale) for other in found):
            found.append(state)
    return tuple(_equilibrium(state, jacobian) for state in sorted(found, key=lambda state: tuple(state.tolist())))


def starts_in_box(low: Sequence[float], high: Sequence[float], count: int) -> FloatArray:
    """Points [count, state] that fill a box evenly, always the same ones (Halton 1960)."""
    points = qmc.Halton(d=len(low), scramble=False).random(count)
    scaled: FloatArray = np.asarray(low, dtype=float) + points * (
        np.asarray(high, dtype=float) - np.asarray(low, dtype=float)
    )
    return scaled


def _check(system: System, parameters: FloatArray, starts: FloatArray) -> None:
    if any(TIME in expression.free_symbols for expression in (*system.rhs, *(value for _, value in system.constants))):
        raise InputError(
            "a system that depends on time has no steady states",
            code="equilibria.time",
            advice="fix what changes in time at one value, as a parameter",
        )
    if parameters.shape != (len(system.parameters),):
        raise InputError(
            "the values do not fit the parameters of the system",
            code="equilibria.shape",
            found=f"an array of shape {parameters.shape}",
            expected=f"{len(system.parameters)} values",
        )
    if starts.ndim != 2 or starts.shape[1] != len(system.states):
        raise InputError(
            "the starts do not fit the states of the system",
            code="equilibria.shape",
            found=f"an array of shape {starts.shape}",
            expected=f"rows of {len(system.states)} values",
        )


def _functions(
    system: System, parameters: FloatArray
) -> tuple[Callable[[FloatArray], FloatArray], Callable[[FloatArray], FloatArray]]:
    """Right-hand side and Jacobian as functions of the state."""
    states = [sympy.Symbol(name) for name in system.states]
    known = [sympy.Symbol(name) for name in system.parameters]
    values = [float(value) for value in parameters]
    # One constant after another, as each may need the earlier ones.
    for symbol, expression in system.constants:
        values.append(float(sympy.lambdify([known], expression, modules=["math"])(values)))
        known.append(symbol)
    for condition, reason in zip(system.conditions, system.reasons, strict=True):
        if sympy.lambdify([known], condition, modules=["math"])(values) < -_INFEASIBLE:
            raise InputError("the parameters admit no steady baseline", code="equilibria.infeasible", found=reason)
    idle = {infusion(route): sympy.Integer(0) for route in system.routes}
    rhs = sympy.Matrix([sympy.sympify(rate, strict=True).xreplace(idle) for rate in system.rhs])
    rates = sympy.lambdify([states, known], list(rhs), modules=["numpy"], cse=True)
    slopes = sympy.lambdify([states, known], rhs.jacobian(states).tolist(), modules=["numpy"], cse=True)

    def evaluated(function: Callable[..., Any]) -> Callable[[FloatArray], FloatArray]:
        def at(state: FloatArray) -> FloatArray:
            # Far from any root a power may have no real value: then the start is given up, silently.
            with np.errstate(all="ignore"):
                return np.array(function(list(state), values), dtype=float)

        return at

    return evaluated(rates), evaluated(slopes)


def _polished(
    rates: Callable[[FloatArray], FloatArray], jacobian: Callable[[FloatArray], FloatArray], start: FloatArray
) -> FloatArray | None:
    """Where Powell's method and then Newton's lead from a start; nothing if they leave the domain."""
    if not np.all(np.isfinite(rates(start))) or not np.all(np.isfinite(jacobian(start))):
        return None
    with np.errstate(all="ignore"):
        state: FloatArray = np.asarray(root(rates, start, jac=jacobian, method="hybr").x, dtype=float)
    for _ in range(_POLISHING):
        value, slope = rates(state), jacobian(state)
        if not np.all(np.isfinite(value)) or not np.all(np.isfinite(slope)):
            return None
        # Least squares, because at a bifurcation the Jacobian is singular.
        step = np.linalg.lstsq(slope, value, rcond=None)[0]
        state = state - step
        if np.all(np.abs(step) <= _STEP * np.abs(state)):
            break
    return state


def _is_root(
    rates: Callable[[FloatArray], FloatArray],
    jacobian: Callable[[FloatArray], FloatArray],
    state: FloatArray,
    scale: FloatArray,
) -> bool:
    """Whether each rate vanishes beside the terms that its dependence on the states is made of."""
    value, slope = rates(state), jacobian(state)
    return bool(np.all(np.isfinite(slope)) and np.all(np.abs(value) <= _RESIDUAL * (np.abs(slope) @ scale)))


def _equilibrium(state: FloatArray, jacobian: Callable[[FloatArray], FloatArray]) -> Equilibrium:
    eigenvalues = np.linalg.eigvals(jacobian(state)).astype(np.complex128)
    eigenvalues = eigenvalues[np.argsort(-eigenvalues.real, kind="stable")]
    state.setflags(write=False)
    eigenvalues.setflags(write=False)
    return Equilibrium(state, eigenvalues)
