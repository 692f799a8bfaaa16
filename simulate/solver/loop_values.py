"""The six values that the loop is given: a block of lanes, a kernel, a method, rules, a batch of members, and results.

Plain tuples cross the line to compiled code, with addresses in the place of functions (`addressed`), typed as the
``..._TYPE`` here say, and get their names on its other side: ``KernelView(*kernel)``.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from simulate.compiled import BLOCK_FUNCTION, WORKSPACE, Code
from simulate.later import types
from simulate.solver.events import ACT, LOOK, SHARE_OF_PASSING, WATCH
from simulate.solver.hybrid import LOOK_FOR_SWITCHES, SETTLE, SHARE_OF_SWITCHING
from simulate.solver.kernel import BlockFunction, FloatArray, IntArray
from simulate.solver.methods.method import ATTEMPT, EXTEND, INTERPOLATE, PROPOSE
from simulate.solver.passing import ARRIVE, DEPART

_FLOATS = types.Array(types.float64, 1, "C", readonly=True)
_INTS = types.Array(types.int64, 1, "C", readonly=True)
_tuple: Any = types.Tuple


class KernelView(NamedTuple):
    """Functions and numbers of a kernel.

    Attributes
    ----------
    states, parameters, conditions, routes, controlled
        How many there are.
    infusion, gain, condition
        First rows of the infusion rates, the gains and the conditions in the kernel's region.
    targets
        Where the targets of each route begin in this array, and end; then the indices of the states that routes feed.
    table
        What switches, and events (`simulate.solver.hybrid`).
    prepare, rhs, jacobian, factor, backsolve, observe, sense, jump, cross
        As of `simulate.solver.kernel.Kernel`; where a method works with Taylor series, ``rhs`` to ``backsolve`` are the
        function that finds these.
    look_for_switches, share_of_switching, settle
        As of `simulate.solver.hybrid`; where nothing switches they are never called, and any function will do.
    depart, arrive
        As of `simulate.solver.passing`; the same holds of them where there are no derivatives.
    """

    states: int
    parameters: int
    conditions: int
    routes: int
    controlled: int
    infusion: int
    gain: int
    condition: int
    targets: IntArray
    table: IntArray
    prepare: BlockFunction
    rhs: BlockFunction
    jacobian: BlockFunction
    factor: BlockFunction
    backsolve: BlockFunction
    observe: BlockFunction
    sense: BlockFunction
    jump: BlockFunction
    cross: BlockFunction
    look_for_switches: Any
    share_of_switching: Any
    settle: Any
    depart: Any
    arrive: Any


class MethodView(NamedTuple):
    """Functions and numbers of a method (`simulate.solver.methods.method`): ``series`` is 0 where it has none."""

    stages: int
    dense_stages: int
    series: int
    extends: int
    attempt: Any
    interpolate: Any
    extend: Any
    propose: Any


class RulesView(NamedTuple):
    """Rules at work (`simulate.solver.events`), apart from the batch: few have any, and they are many arrays.

    Attributes
    ----------
    watch
        What is watched, and what is remembered.
    look, share_of_passing, act
        As there; without rules they are never called, and any function will do.
    """

    watch: Any
    look: Any
    share_of_passing: Any
    act: Any


class ScheduleColumns(NamedTuple):
    """Columns of the stops of all members (`simulate.solver.problem.Schedule`)."""

    offsets: IntArray
    times: FloatArray
    kinds: IntArray
    routes: IntArray
    amounts: FloatArray


class Batch(NamedTuple):
    """What is to be solved.

    Attributes
    ----------
    parameters
        Shape [member, parameter].
    schedule
        Columns of the stops, as a plain tuple in compiled code: ``ScheduleColumns(*batch.schedule)``.
    times
        When to record, days, shape [time].
    start
        Time at which every member has its initial state, days.
    rtol, share
        Relative tolerance, and the absolute one as a share of a state's scale.
    exponent
        The power of the squared error ratio that is the step factor.
    longest
        The longest step, days.
    max_steps
        Steps after which a member is given up.
    deadline, behind
        Steps after which a member is given up that has not come to this time, days.
    end
        The last time to record, or the start if that is later, days.
    first, last
        The members to integrate: from the first up to, and without, the last.
    """

    parameters: FloatArray
    schedule: Any
    times: FloatArray
    start: float
    rtol: float
    share: float
    exponent: float
    longest: float
    max_steps: int
    deadline: int
    behind: float
    end: float
    first: int
    last: int


class Results(NamedTuple):
    """What the loop writes, and one number that it heeds.

    Attributes
    ----------
    recorded
        Shape [member, time, quantity]; states come first.
    outcome
        Status and the index to blame, shape [member, 2].
    reached
        Time reached, shape [member].
    counters
        Steps accepted, steps rejected, evaluations, shape [member, 3].
    given_up
        Not 0 once nobody waits for the result, shape [1].
    """

    recorded: FloatArray
    outcome: IntArray
    reached: FloatArray
    counters: IntArray
    given_up: IntArray


BLOCK_TYPE = _tuple((WORKSPACE, types.int64[:, ::1]))
KERNEL_TYPE = _tuple(
    (
        *[types.int64] * 8, _INTS, _INTS, *[BLOCK_FUNCTION] * 9,
        *map(Code, (LOOK_FOR_SWITCHES, SHARE_OF_SWITCHING, SETTLE, DEPART, ARRIVE)),
    )
)  # fmt: skip
METHOD_TYPE = _tuple((*[types.int64] * 4, *map(Code, (ATTEMPT, INTERPOLATE, EXTEND, PROPOSE))))
RULES_TYPE = _tuple((WATCH, *map(Code, (LOOK, SHARE_OF_PASSING, ACT))))
SCHEDULE_TYPE = _tuple((_INTS, _FLOATS, _INTS, _INTS, _FLOATS))
BATCH_TYPE = _tuple(
    (
        types.Array(types.float64, 2, "C", readonly=True), SCHEDULE_TYPE, _FLOATS, *[types.float64] * 5,
        types.int64, types.int64, *[types.float64] * 2, types.int64, types.int64,
    )
)  # fmt: skip
RESULTS_TYPE = _tuple(
    (types.float64[:, :, ::1], types.int64[:, ::1], types.float64[::1], types.int64[:, ::1], types.int64[::1])
)


def addressed(view: tuple[Any, ...]) -> tuple[Any, ...]:
    """Values of a view as compiled code is given them: its functions by their addresses."""
    return tuple(getattr(value, "address", value) for value in view)
