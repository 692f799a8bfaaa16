"""Sums of states that never change, and the steady states that belong to the sums of one state.

Where molecules are neither made nor lost, a sum of states keeps its first value, each steady state lies on a continuum
of others, and the Jacobian is singular throughout. A sum is conserved if its weights w make w·f(x) and w·J(x) zero at
all x: the left null space of rates and Jacobians at many points, which for mass action is that of the stoichiometry
(Reder 1988, J. Theor. Biol. 135:175). With the sums held at those of one state, steady states are single points again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.linalg import qr

from simulate.kernels.equilibria import ROUNDING, Equilibrium, distinct, equilibria, roots, spectrum
from simulate.kernels.system import System
from simulate.kernels.vectorfield import VectorField, holding, inputs_of, vector_field
from simulate.solver.kernel import FloatArray

_POINTS = 15
_SIZES = (0.1, 1.0, 10.0)
_NONE = 1e-10


def conserved_sums(field: VectorField, inputs: FloatArray, begin: FloatArray) -> tuple[FloatArray, tuple[int, ...]]:
    """Weights [sum, state] of all sums that are conserved, and a state of each that is in no other sum, with weight 1.

    ``begin`` gives the sizes of the states. What is conserved to one part in 10¹⁰ counts.
    """
    n = len(field.states)
    sizes = np.where(begin == 0.0, 1.0, np.abs(begin))
    # Any points do that lie in no special place; these are spread over three decades and always the same.
    spread = np.modf(np.sqrt(2.0) * np.arange(1.0, _POINTS * n + 1.0) ** 1.5)[0].reshape(_POINTS, n)
    points = sizes * (0.1 + spread) * np.resize(_SIZES, (_POINTS, 1))
    given = np.repeat(inputs[np.newaxis], _POINTS, axis=0)
    rates, slopes = field.rates(points, given), field.slopes(points, given)[:, :, :n] * points[:, np.newaxis, :]
    columns = np.concatenate([rates[:, :, np.newaxis], slopes], axis=2).swapaxes(0, 1).reshape(n, -1)
    columns = columns[:, np.isfinite(columns).all(axis=0)]
    if not columns.shape[1]:
        return np.empty((0, n)), ()
    heights = np.abs(columns).max(axis=1)
    heights[heights == 0.0] = 1.0
    columns = columns / heights[:, np.newaxis]
    widths = np.abs(columns).max(axis=0)
    columns = columns[:, widths > 0.0] / widths[widths > 0.0]
    # Of more columns than states, the right singular vectors would be most of the work, and nobody asks for them.
    is_tall = columns.shape[1] < n
    left, values, _ = np.linalg.svd(columns, full_matrices=is_tall) if columns.size else (np.eye(n), np.zeros(0), None)
    rank = int((values > _NONE * max(values.max(initial=0.0), 1.0)).sum())
    weights = left[:, rank:].T / heights
    if not len(weights):
        return weights, ()
    _, _, order = qr(weights * sizes, mode="economic", pivoting=True)
    own = tuple(sorted(int(place) for place in order[: len(weights)]))
    sums = np.linalg.solve(weights[:, own], weights)
    sums[np.abs(sums * sizes) <= 1e-9 * np.abs(sums * sizes).max(axis=1, keepdims=True)] = 0.0
    return sums, own


def equilibria_with_sums(
    system: System,
    parameters: FloatArray,
    starts: FloatArray,
    begin: FloatArray,
    fed: Mapping[str, float] | None = None,
) -> tuple[tuple[Equilibrium, ...], FloatArray]:
    """Steady states that have the conserved sums of the state ``begin``, and these sums [sum, state].

    Arguments and errors are those of `simulate.kernels.equilibria.equilibria`. Eigenvalues are those of disturbances
    that change no sum; there is no sum where nothing is conserved.
    """
    field, inputs = vector_field(system), inputs_of(system, parameters[np.newaxis], fed)
    sums, own = conserved_sums(field, inputs[0], begin)
    if not len(sums):
        return equilibria(system, parameters, starts, fed=fed), sums
    largest = np.abs(starts).max(axis=0, initial=0.0)
    sizes = np.where(largest == 0.0, 1.0, largest)
    held = holding(field, sums, own, begin, sizes)
    states = roots(held, starts, np.repeat(inputs, len(starts), axis=0), largest)
    states[np.abs(states) <= ROUNDING * largest] = 0.0
    made = []
    for state in distinct(states, largest):
        eigenvalues = spectrum(held.jacobians(state[np.newaxis], inputs))[0]
        state.setflags(write=False)
        eigenvalues.setflags(write=False)
        made.append(Equilibrium(state, eigenvalues))
    return tuple(made), sums


def never_negative(field: VectorField, inputs: FloatArray, starts: FloatArray) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Which states no course brings below 0 from states [point, state] above: at 0 their rates are not negative."""
    starts = np.maximum(starts, 0.0)
    given = np.repeat(inputs[np.newaxis], len(starts), axis=0)
    found = np.zeros(len(field.states), dtype=bool)
    for place in range(len(found)):
        points = starts.copy()
        points[:, place] = 0.0
        rates = field.rates(points, given)[:, place]
        slopes = np.abs(field.slopes(points, given)[:, place, : len(found)])
        # At 0 a power may have no slope.
        with np.errstate(invalid="ignore"):
            terms = (slopes * points).sum(axis=1)
        sound = np.isfinite(rates) & np.isfinite(terms)
        found[place] = sound.any() and bool(np.all(rates[sound] >= -1e-12 * terms[sound]))
    return found
