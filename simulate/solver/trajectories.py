"""What comes out of a solve: numbers, a status for every member, and the failures spelled out."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from simulate.errors import not_among
from simulate.solver.kernel import FloatArray, IntArray
from simulate.solver.rules import Occurrence


class Status(enum.IntEnum):
    """How a member's integration ended; `sentence` is what a reader sees."""

    OK = 0
    TOO_MANY_STEPS = 1
    STEP_TOO_SMALL = 2
    NOT_FINITE = 3
    INFEASIBLE = 4

    @property
    def sentence(self) -> str:
        """One sentence for a reader, with advice."""
        return _SENTENCES[self]


_SENTENCES = {
    Status.OK: "the end was reached within tolerance",
    Status.TOO_MANY_STEPS: (
        "the limit of steps was reached; the model may be stiff here (try a stiff method) or max_steps too small"
    ),
    Status.STEP_TOO_SMALL: (
        "the step size fell below what double precision can resolve; the solution may have a singularity here"
    ),
    Status.NOT_FINITE: (
        "a rate or a state became infinite or undefined; look for a division by zero, for the root, power or logarithm "
        "of a number below zero, for growth without bound, and for events that call each other up for ever"
    ),
    Status.INFEASIBLE: "the parameters admit no steady baseline",
}


def undefined_observable(name: str) -> str:
    """One sentence for a member whose states are sound and one of whose observables is not."""
    return (
        f"the observable `{name}` is infinite or undefined there, and the states are not; look in it for a division by "
        "zero, and for the root, power or logarithm of a number below zero"
    )


@dataclass(frozen=True, slots=True)
class Failure:
    """A member that did not reach the end: who, where, when and why.

    ``state`` is the name of the state with the largest error or the first undefined value; None where no state is to
    blame, but the baseline or an observable. ``reason`` is a complete sentence.
    """

    member: int
    time: float
    state: str | None
    status: Status
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class Trajectories:
    """Recorded values of a batch.

    Attributes
    ----------
    times
        Shape [time], days.
    quantities, units
        Names and units of states, then observables.
    values
        Shape [member, time, quantity]; NaN from the time of a failure on. At the time of a dose: after the dose, or
        before and after it where the time stands twice. An observable that is undefined at a recorded state, such as
        the logarithm of zero, is NaN or infinite there; its member has failed, with the status NOT_FINITE, and keeps
        its other values to the end.
    status
        Shape [member], values of `Status`.
    counters
        Shape [member, 3]: accepted steps, rejected steps, evaluations of the right-hand side.
    failures
        One record for each member whose status is not OK, in the order of members.
    method
        Name of the method, or of the choice of one.
    occurrences
        When rules applied, in the order of members and time.
    methods, chosen
        Where methods were chosen member by member, their names, and which of them gave each member's numbers, shape
        [member].
    """

    times: FloatArray
    quantities: tuple[str, ...]
    units: tuple[str, ...]
    values: FloatArray
    status: IntArray
    counters: IntArray
    failures: tuple[Failure, ...]
    method: str
    occurrences: tuple[Occurrence, ...] = ()
    methods: tuple[str, ...] = ()
    chosen: IntArray | None = None

    def method_of(self, member: int) -> str:
        """Name of the method that gave a member's numbers."""
        return self.method if self.chosen is None else self.methods[int(self.chosen[member])]

    def place(self, name: str) -> int:
        """Index of a quantity; ``trajectories.quantity`` for one that is not there."""
        if name not in self.quantities:
            raise not_among(f"there is no course of `{name}`", name, self.quantities, code="trajectories.quantity")
        return self.quantities.index(name)

    def quantity(self, name: str) -> FloatArray:
        """Values of one quantity, shape [member, time]."""
        return self.values[:, :, self.place(name)]
