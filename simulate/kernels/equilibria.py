"""Steady states of a system: roots of its right-hand side from many starts, each with its stability.

A root finder sees one root from one start; a switch has several. Damped Newton iterations therefore run from every
start that is given, for all members at once, and what they find is merged. The eigenvalues of the exact Jacobian say
which roots a cell can stay in. Nothing is proved by this: a root that no start leads to is not found.

The damping is that of Deuflhard (2004, Newton Methods for Nonlinear Problems, section 3.3): a step is halved until the
simplified Newton correction shrinks, which depends neither on units nor on how the equations are combined.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import qmc

from simulate.errors import InputError
from simulate.kernels.system import System
from simulate.kernels.vectorfield import VectorField, inputs_of, vector_field
from simulate.solver.kernel import FloatArray

ROUNDING = float(np.finfo(float).eps)
"""Share of the largest value of a state below which what is left of it is its rounding."""

_ITERATIONS = 200
_SMALLEST_SHARE = 2.0**-20
_STEP = 1e-13
_RESIDUAL = 1e-9
_SAME = 1e-6
_ZERO_EIGENVALUE = 1e-7

ComplexArray = np.ndarray[Any, np.dtype[np.complex128]]


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
    eigenvalues: ComplexArray

    @property
    def stability(self) -> Stability:
        """Linear stability: the sign of the largest real part, unless that is zero within rounding."""
        return stability_of(self.eigenvalues)


def equilibria(
    system: System, parameters: FloatArray, starts: FloatArray, *, fed: Mapping[str, float] | None = None
) -> tuple[Equilibrium, ...]:
    """Steady states that Newton's method from the starts leads to, sorted by state.

    Parameters
    ----------
    system
        A system that does not depend on time.
    parameters
        Values [parameter], in the order of the system.
    starts
        States [start, state] to begin at; see `starts_in_box`. Their size also sets the scale in which two states are
        the same (a millionth) and a rate is zero.
    fed
        Rates at which routes are fed, in administered units a day; what is not named is not given.

    Raises
    ------
    InputError
        ``equilibria.time`` for a system that depends on time, ``equilibria.shape`` for parameters or starts of the
        wrong length, ``equilibria.axis`` for an unknown route, ``equilibria.infeasible`` for parameters that admit no
        baseline.
    """
    return equilibria_of_members(system, np.asarray(parameters, dtype=float)[np.newaxis], starts, fed=fed)[0]


def equilibria_of_members(
    system: System, parameters: FloatArray, starts: FloatArray, *, fed: Mapping[str, float] | None = None
) -> tuple[tuple[Equilibrium, ...], ...]:
    """Steady states of each member [member, parameter]; all members and starts are one batch.

    The other arguments and the errors are those of `equilibria`. A member's numbers depend on no other member.
    """
    parameters, starts = np.asarray(parameters, dtype=float), np.asarray(starts, dtype=float)
    field = vector_field(system)
    inputs = inputs_of(system, parameters, fed)
    if starts.ndim != 2 or starts.shape[1] != len(system.states):
        raise InputError(
            "the starts do not fit the states of the system",
            code="equilibria.shape",
            found=f"an array of shape {starts.shape}",
            expected=f"rows of {len(system.states)} values",
        )
    largest = np.abs(starts).max(axis=0, initial=0.0)
    members = np.repeat(np.arange(len(parameters)), len(starts))
    states = roots(field, np.tile(starts, (len(parameters), 1)), inputs[members], largest)
    # What is left of a start that is brought to nothing is its rounding.
    states[np.abs(states) <= ROUNDING * largest] = 0.0
    return tuple(
        tuple(_equilibrium(field, state, inputs[member]) for state in distinct(states[members == member], largest))
        for member in range(len(parameters))
    )


def distinct(states: FloatArray, largest: FloatArray) -> list[FloatArray]:
    """Those of states [point, state] that are finite and differ by more than a millionth, sorted."""
    found: list[FloatArray] = []
    for state in states:
        same = _SAME * np.maximum(largest, np.abs(state))
        if np.all(np.isfinite(state)) and not any(np.all(np.abs(state - old) <= same) for old in found):
            found.append(state.copy())
    return sorted(found, key=lambda state: state.tolist())


def starts_in_box(low: Sequence[float], high: Sequence[float], count: int) -> FloatArray:
    """Points [count, state] that fill a box evenly, always the same ones (Halton 1960)."""
    points = qmc.Halton(d=len(low), scramble=False).random(count)
    scaled: FloatArray = np.asarray(low, dtype=float) + points * (
        np.asarray(high, dtype=float) - np.asarray(low, dtype=float)
    )
    return scaled


def stability_of(eigenvalues: ComplexArray) -> Stability:
    """Linear stability from eigenvalues by falling real part."""
    leading = float(eigenvalues[0].real)
    if abs(leading) <= _ZERO_EIGENVALUE * float(np.abs(eigenvalues).max()):
        return Stability.UNDECIDED
    return Stability.STABLE if leading < 0 else Stability.UNSTABLE


def spectrum(jacobians: FloatArray) -> ComplexArray:
    """Eigenvalues [point, state] of Jacobians [point, state, state], by falling real part."""
    eigenvalues = np.linalg.eigvals(jacobians).astype(np.complex128)
    order = np.argsort(-eigenvalues.real, axis=-1, kind="stable")
    ordered: ComplexArray = np.take_along_axis(eigenvalues, order, axis=-1)
    return ordered


def roots(field: VectorField, starts: FloatArray, inputs: FloatArray, scale: FloatArray) -> FloatArray:
    """Where damped Newton leads from each start [point, state]; NaN where that is no root.

    ``scale`` is the size below which a state [state] counts as small; 1 in its unit where it is given as 0.
    """
    scale = np.where(scale == 0.0, 1.0, scale)
    states = np.array(starts, dtype=float)
    n = len(field.states)
    active = np.ones(len(states), dtype=bool)
    for _ in range(_ITERATIONS):
        (lanes,) = np.nonzero(active)
        if not lanes.size:
            break
        here, given = states[lanes], inputs[lanes]
        rates, slopes = field.rates(here, given), field.slopes(here, given)[:, :, :n]
        sound = np.isfinite(rates).all(axis=1) & np.isfinite(slopes).all(axis=(1, 2))
        active[lanes[~sound]] = False
        lanes, here, given, rates, slopes = lanes[sound], here[sound], given[sound], rates[sound], slopes[sound]
        sizes = np.maximum(np.abs(here), scale)
        inverse = scaled_inverse(slopes, sizes)
        steps = -applied(inverse, rates)
        lengths = np.abs(steps / sizes).max(axis=1, initial=0.0)
        share, waiting = np.ones(len(lanes)), lengths > 0.0
        moved = here.copy()
        while waiting.any():
            (trying,) = np.nonzero(waiting)
            trial = here[trying] + share[trying, None] * steps[trying]
            corrections = applied(inverse[trying], field.rates(trial, given[trying]))
            left = np.abs(corrections / sizes[trying]).max(axis=1)
            # Within rounding of a root nothing shrinks any more, and nothing needs to.
            good = (left <= (1.0 - share[trying] / 4.0) * lengths[trying]) | (lengths[trying] <= _STEP)
            moved[trying[good]] = trial[good]
            share[trying] /= 2.0
            waiting[trying] = ~good & (share[trying] >= _SMALLEST_SHARE)
        states[lanes] = moved
        active[lanes] = np.any(np.abs(moved - here) > _STEP * np.maximum(np.abs(moved), _SAME * sizes), axis=1)
    states[~_are_roots(field, states, inputs, scale)] = np.nan
    return states


def scaled_inverse(matrices: FloatArray, sizes: FloatArray) -> FloatArray:
    """Pseudoinverses of matrices [point, row, column] whose unknowns have sizes [point, column].

    Rows and columns are brought to one size first, so that what is singular does not depend on units. A singular matrix
    gives the least change that fits best, as at a bifurcation there is no other.
    """
    scaled = matrices * sizes[:, None, :]
    height = np.abs(scaled).max(axis=2, keepdims=True)
    height[height == 0.0] = 1.0
    inverse: FloatArray = np.linalg.pinv(scaled / height, rcond=float(np.finfo(float).eps) * matrices.shape[1])
    found: FloatArray = sizes[:, :, None] * inverse / height.transpose(0, 2, 1)
    return found


def applied(matrices: FloatArray, vectors: FloatArray) -> FloatArray:
    """Product of each matrix with its vector."""
    # Undefined rates far from a root make undefined corrections, which no comparison accepts.
    with np.errstate(invalid="ignore", over="ignore"):
        product: FloatArray = (matrices @ vectors[:, :, None])[:, :, 0]
    return product


def _are_roots(
    field: VectorField, states: FloatArray, inputs: FloatArray, scale: FloatArray
) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Whether each rate vanishes beside the terms that its dependence on the states is made of."""
    rates, slopes = field.rates(states, inputs), field.slopes(states, inputs)[:, :, : len(field.states)]
    sound = np.isfinite(rates).all(axis=1) & np.isfinite(slopes).all(axis=(1, 2))
    with np.errstate(invalid="ignore", over="ignore"):
        is_small = np.abs(rates) <= _RESIDUAL * applied(np.abs(slopes), np.maximum(np.abs(states), scale))
    found: np.ndarray[Any, np.dtype[np.bool_]] = np.all(is_small, axis=1) & sound
    return found


def _equilibrium(field: VectorField, state: FloatArray, inputs: FloatArray) -> Equilibrium:
    eigenvalues = spectrum(field.slopes(state[None], inputs[None]))[0]
    state.setflags(write=False)
    eigenvalues.setflags(write=False)
    return Equilibrium(state, eigenvalues)
