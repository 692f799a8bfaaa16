"""Branches of steady states: how they move with one parameter or one rate of administration, and where they turn.

Pseudo-arclength continuation (Keller 1977): a branch is a curve of states and parameter, followed along its tangent and
brought back to it by Newton's method in the plane across, so that a fold is a point like any other. Between two points
where the parameter turns back there is a fold; where the determinant of the curve and its tangent changes its sign
another branch crosses. Both are then sought along the curve. All branches of a call advance as one batch.

A step that turns too far is taken again at half the length. Small steps cannot prove that none was jumped from one
branch to another close by, and a branch that no start lies on is not found.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from simulate.errors import InputError
from simulate.kernels.curves import BoolArray, Curves, located
from simulate.kernels.equilibria import (
    ComplexArray,
    Stability,
    applied,
    roots,
    scaled_inverse,
    spectrum,
    stability_of,
)
from simulate.kernels.system import System
from simulate.kernels.vectorfield import VectorField, holding, inputs_of, vector_field
from simulate.solver.kernel import FloatArray, IntArray

_FIRST_STEP = 1e-3
_LARGEST_STEP = 0.05
_SMALLEST_STEP = 1e-10
_STRAIGHT = 0.98
_VERY_STRAIGHT = 0.999


class Turn(enum.Enum):
    """What happens to a branch at a point. The value is the explanation that a reader sees."""

    FOLD = "the branch turns back: two steady states meet and vanish"
    CROSSING = "another branch crosses here"


class End(enum.Enum):
    """Why a branch goes no further. The value is the explanation that a reader sees."""

    BOUND = "the bound of the parameter"
    CLOSED = "the branch closes on itself"
    STEPS = "the limit of steps"
    LOST = "no further point was found: the domain of the rates ends, or the branch does"


@dataclass(frozen=True, slots=True, eq=False)
class TurningPoint:
    """A fold or a crossing: its kind, the value of the parameter, the state [state] and the observables there."""

    kind: Turn
    value: float
    state: FloatArray
    observed: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Branch:
    """A curve of steady states.

    Attributes
    ----------
    axis
        Name of the parameter or route that varies.
    values
        Its values along the curve, shape [point].
    states, observed
        Values of the states, shape [point, state], and of the observables, shape [point, observable].
    quantities
        Names of the states, then of the observables. One of them may serve as the axis: the occupancy of a receptor in
        place of the dose that brings it about.
    eigenvalues
        Of the Jacobian at each point, 1/d, by falling real part, shape [point, state].
    turns
        Folds and crossings, in the order of the curve.
    ends
        Why it ends before its first point and after its last.
    """

    axis: str
    values: FloatArray
    states: FloatArray
    observed: FloatArray
    quantities: tuple[str, ...]
    eigenvalues: ComplexArray
    turns: tuple[TurningPoint, ...]
    ends: tuple[End, End]

    @property
    def stability(self) -> tuple[Stability, ...]:
        """Linear stability of each point."""
        return tuple(stability_of(row) for row in self.eigenvalues)

    def quantity(self, name: str) -> FloatArray:
        """Values of a state or an observable along the curve, shape [point]."""
        values: FloatArray = np.hstack([self.states, self.observed])[:, self.quantities.index(name)]
        return values

    def quantity_at(self, turn: TurningPoint, name: str) -> float:
        """Value of a state or an observable at a turn."""
        return float(np.concatenate([turn.state, turn.observed])[self.quantities.index(name)])

    @property
    def folds(self) -> tuple[TurningPoint, ...]:
        """The folds among the turns."""
        return tuple(turn for turn in self.turns if turn.kind is Turn.FOLD)


def branches(
    system: System,
    parameters: FloatArray,
    starts: FloatArray,
    axis: str,
    bounds: tuple[float, float],
    *,
    fed: Mapping[str, float] | None = None,
    held: tuple[FloatArray, Sequence[int], FloatArray] | None = None,
    scale: FloatArray | None = None,
    largest_step: float = _LARGEST_STEP,
    max_steps: int = 2000,
) -> tuple[Branch, ...]:
    """Follow a branch of steady states both ways from each start.

    Parameters
    ----------
    system
        A system that does not depend on time.
    parameters
        Values [start, parameter], or [parameter] for all starts, in the order of the system. The value of ``axis``
        among them (of a route: in ``fed``) is where the branch is entered.
    starts
        A state [start, state] on or near each branch, such as an `Equilibrium` has.
    axis
        The parameter to vary, or the route whose rate of administration, in its unit a day, is varied.
    bounds
        Lowest and highest value of it.
    fed
        Rates at which routes are fed; what is not named is not given.
    held
        Conserved sums, the state of each and the state whose sums are kept along the branch, as
        `simulate.kernels.conservation.conserved_sums` gives them; with sums that are conserved and not held there is
        no curve to follow.
    scale
        Size [state] below which a state counts as small; if not given, that of the largest start, or what the axis
        brings it to over the bounds if that is more; 1 in its unit where both are nothing.
    largest_step
        Longest step, as a share of the span of the parameter and of the size of each state.
    max_steps
        Steps in each direction after which a branch is left.

    Returns
    -------
    tuple[Branch, ...]
        One for each start; a curve on which two starts lie is found twice.

    Raises
    ------
    InputError
        ``equilibria.*`` as for `simulate.kernels.equilibria.equilibria`; ``continuation.bounds`` for bounds that do not
        ascend or do not include the value to begin at; ``continuation.start`` for a start that leads to no steady
        state.
    """
    starts = np.atleast_2d(np.asarray(starts, dtype=float))
    parameters = np.asarray(parameters, dtype=float)
    parameters = np.broadcast_to(parameters, (len(starts), parameters.shape[-1]))
    field = vector_field(system, axis)
    inputs = inputs_of(system, parameters, fed)
    begin = inputs[:, field.axis]
    low, high = bounds
    if not (low < high and np.all(begin >= low) and np.all(begin <= high)):
        raise InputError(
            f"the bounds of `{axis}` do not ascend around the value to begin at",
            code="continuation.bounds",
            found=f"{low:g} to {high:g}, beginning at {', '.join(f'{value:g}' for value in np.unique(begin))}",
        )
    known = np.abs(starts).max(axis=0) if scale is None else np.asarray(scale, dtype=float)
    if held is not None:
        field = holding(field, *held, np.where(known == 0.0, 1.0, known))
    states = roots(field, starts, inputs, known)
    for index in np.flatnonzero(~np.isfinite(states).all(axis=1)):
        raise InputError(
            f"start {index} leads to no steady state",
            code="continuation.start",
            found=", ".join(f"{name} = {value:g}" for name, value in zip(field.states, starts[index], strict=True)),
            advice="begin at a state that `equilibria` returns",
        )
    if scale is None:
        known = np.maximum(known, _reached(field, states, inputs, known, high - low))
    sizes = np.where(known == 0.0, 1.0, known)
    curves = Curves(field, np.repeat(inputs, 2, axis=0), np.append(sizes, high - low))
    points = np.repeat(np.hstack([states, begin[:, None]]), 2, axis=0)
    halves = _follow(curves, points, bounds, largest_step, max_steps)
    whole = [_joined(*halves[lane : lane + 2]) for lane in range(0, len(halves), 2)]
    turns = _turns(field, curves, whole)
    return tuple(
        _branch(field, axis, inputs[index], *pair) for index, pair in enumerate(zip(whole, turns, strict=True))
    )


def _reached(field: VectorField, states: FloatArray, inputs: FloatArray, scale: FloatArray, span: float) -> FloatArray:
    """How far each state [state] would move if it went on over the span as it begins; the most of all starts."""
    slopes = field.slopes(states, inputs)
    sizes = np.maximum(np.abs(states), np.where(scale == 0.0, 1.0, scale))
    moves: FloatArray = np.abs(applied(scaled_inverse(slopes[:, :, :-1], sizes), slopes[:, :, -1])).max(axis=0)
    return np.where(np.isfinite(moves), moves * span, 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class _Trace:
    """Points [point, variable] of a curve, the tangents there and the determinants [point]; why it ends, both ways."""

    points: FloatArray
    tangents: FloatArray
    determinants: FloatArray
    ends: tuple[End, End]


def _follow(
    curves: Curves, points: FloatArray, bounds: tuple[float, float], largest_step: float, max_steps: int
) -> list[_Trace]:
    """Curves from the points, every second one backwards."""
    lanes = np.arange(len(points))
    sizes = curves.sizes(points)
    upwards = np.zeros_like(points)
    upwards[:, -1] = 1.0
    tangents, determinants = curves.tangents(lanes, points, sizes, upwards)
    tangents[1::2] *= -1.0
    determinants[1::2] *= -1.0
    first, first_tangents, first_sizes = points.copy(), tangents.copy(), sizes
    kept = [[(points[lane].copy(), tangents[lane].copy(), determinants[lane])] for lane in lanes]
    ends = np.full(len(points), End.STEPS, dtype=object)
    steps, active = np.full(len(points), min(_FIRST_STEP, largest_step)), np.ones(len(points), bool)
    for _ in range(max_steps):
        (on,) = np.nonzero(active)
        if not on.size:
            break
        here, along, size = points[on], tangents[on], sizes[on]
        there, reached = curves.corrected(on, here + steps[on, None] * along * size, along, size)
        there, reached, is_bound = _within(curves, on, here, there, reached, bounds)
        there[~reached] = here[~reached]
        new_size = curves.sizes(there)
        forward, determinant = curves.tangents(on, there, new_size, along * size / new_size)
        turned = forward * new_size / size
        straightness = (turned * along).sum(axis=1) / np.linalg.norm(turned, axis=1)
        reached &= straightness >= _STRAIGHT
        for k in np.flatnonzero(~reached):
            steps[on[k]] /= 2.0
            if steps[on[k]] < _SMALLEST_STEP:
                active[on[k]], ends[on[k]] = False, End.LOST
        for k in np.flatnonzero(reached):
            lane = on[k]
            before = ((here[k] - first[lane]) / first_sizes[lane]) @ first_tangents[lane]
            after = (there[k] - first[lane]) / first_sizes[lane]
            if before < 0.0 <= after @ first_tangents[lane] and np.linalg.norm(after) <= 2.0 * largest_step:
                kept[lane].append(kept[lane][0])
                active[lane], ends[lane] = False, End.CLOSED
                continue
            if not np.array_equal(there[k], here[k]):
                kept[lane].append((there[k].copy(), forward[k].copy(), determinant[k]))
            if is_bound[k]:
                active[lane], ends[lane] = False, End.BOUND
            points[lane], tangents[lane], sizes[lane] = there[k], forward[k], new_size[k]
            if straightness[k] >= _VERY_STRAIGHT:
                steps[lane] = min(1.5 * steps[lane], largest_step)
    traces = []
    for rows, end in zip(kept, ends, strict=True):
        path, directions, signs = (np.array(part) for part in zip(*rows, strict=True))
        traces.append(_Trace(path, directions, signs, (end, end)))
    return traces


def _within(
    curves: Curves,
    lanes: IntArray,
    here: FloatArray,
    there: FloatArray,
    reached: BoolArray,
    bounds: tuple[float, float],
) -> tuple[FloatArray, BoolArray, BoolArray]:
    """The points, those beyond a bound moved back to it; which were reached, and which are at a bound."""
    low, high = bounds
    is_beyond = reached & ((there[:, -1] <= low) | (there[:, -1] >= high))
    (beyond,) = np.nonzero(is_beyond)
    if beyond.size:
        bound = np.where(there[beyond, -1] <= low, low, high)
        moved = there[beyond, -1] - here[beyond, -1]
        share = np.where(moved == 0.0, 1.0, (bound - here[beyond, -1]) / np.where(moved == 0.0, 1.0, moved))
        guesses = here[beyond] + share[:, None] * (there[beyond] - here[beyond])
        guesses[:, -1] = bound
        upwards = np.zeros_like(guesses)
        upwards[:, -1] = 1.0
        there[beyond], reached[beyond] = curves.corrected(lanes[beyond], guesses, upwards, curves.sizes(guesses))
        there[beyond, -1] = bound
    return there, reached, is_beyond


def _joined(forward: _Trace, backward: _Trace) -> _Trace:
    """One curve of the two that begin at one point."""
    if forward.ends[1] is End.CLOSED:
        return forward
    return _Trace(
        np.concatenate([backward.points[:0:-1], forward.points]),
        np.concatenate([-backward.tangents[:0:-1], forward.tangents]),
        np.concatenate([-backward.determinants[:0:-1], forward.determinants]),
        (backward.ends[1], forward.ends[1]),
    )


def _turns(field: VectorField, curves: Curves, traces: Sequence[_Trace]) -> list[tuple[TurningPoint, ...]]:
    """Folds and crossings of each curve, in its order, all sought at once."""
    places = []
    for index, trace in enumerate(traces):
        rising, positive = trace.tangents[:, -1] >= 0.0, trace.determinants >= 0.0
        crossing = positive[1:] != positive[:-1]
        places += [(index, k, crossing[k]) for k in np.flatnonzero((rising[1:] != rising[:-1]) | crossing)]
    found: list[list[TurningPoint]] = [[] for _ in traces]
    if places:
        base = np.array([traces[index].points[k] for index, k, _ in places])
        next_point = np.array([traces[index].points[k + 1] for index, k, _ in places])
        along = np.array([traces[index].tangents[k] for index, k, _ in places])
        is_crossing = np.array([is_crossing for _, _, is_crossing in places])
        # Both halves of a curve have the inputs of its start.
        lanes = np.array([2 * index for index, _, _ in places])
        for (index, _, _), crosses, point in zip(
            places, is_crossing, located(curves, lanes, base, next_point, along, is_crossing), strict=True
        ):
            kind = Turn.CROSSING if crosses else Turn.FOLD
            inputs = curves.inputs_at(np.array([2 * index]), point[-1:])
            observed = field.observed(point[None, :-1], inputs)[0]
            found[index].append(TurningPoint(kind, float(point[-1]), point[:-1], observed))
    return [tuple(turns) for turns in found]


def _branch(
    field: VectorField, axis: str, inputs: FloatArray, trace: _Trace, turns: tuple[TurningPoint, ...]
) -> Branch:
    states, values = trace.points[:, :-1], trace.points[:, -1]
    given = np.repeat(inputs[None], len(values), axis=0)
    given[:, field.axis] = values
    return Branch(
        axis=axis,
        values=values,
        states=states,
        quantities=(*field.states, *field.observables),
        observed=field.observed(states, given),
        eigenvalues=spectrum(field.jacobians(states, given)),
        turns=turns,
        ends=trace.ends,
    )
