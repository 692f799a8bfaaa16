"""What the solver knows about a model: sizes, names and a few functions that act on a block of lanes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from simulate.solver.hybrid import Hybrid
    from simulate.solver.tableau import ButcherTableau

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


class BlockFunction(Protocol):
    """A compiled function of the flat workspace of one block (`simulate.solver.layout`); allocates and raises nothing.

    Compiled code calls it by its ``address``.
    """

    @property
    def address(self) -> int: ...

    def __call__(self, w: FloatArray, /) -> None: ...


class Kernel(Protocol):
    """A right-hand side and its companions, compiled for blocks of lanes.

    The region that starts at ``layout.CONSTANTS`` belongs to the kernel, row by row: first the parameters in the order
    of ``parameters``; at ``infusion_row`` the rate of each route, in administered units a day, which the solver keeps;
    at ``gain_row`` the gain of each target of the routes, and at ``condition_row`` the conditions, which `prepare`
    writes.
    """

    @property
    def key(self) -> str:
        """Content hash: equal keys mean the same functions."""
        ...

    @property
    def states(self) -> tuple[str, ...]: ...
    @property
    def parameters(self) -> tuple[str, ...]: ...
    @property
    def observables(self) -> tuple[str, ...]: ...
    @property
    def units(self) -> tuple[str, ...]:
        """Units of states and observables, in this order."""
        ...

    @property
    def routes(self) -> tuple[str, ...]: ...
    @property
    def controlled(self) -> int:
        """Number of leading states whose errors decide on the steps, all as a rule.

        The states after them follow along: in the steps, in doses and in what is recorded, without a say in the steps
        and without making a member fail. States among the first must not depend on them.
        """
        ...

    @property
    def judged(self) -> int:
        """Number of leading observables that must be defined, all as a rule; those after them follow along too."""
        ...

    @property
    def route_offsets(self) -> IntArray:
        """Where the targets of each route begin among ``route_targets``, and their number; shape [route + 1]."""
        ...

    @property
    def route_targets(self) -> IntArray:
        """Indices of the states that routes feed, route by route; shape [target]."""
        ...

    @property
    def conditions(self) -> tuple[str, ...]:
        """Sentences, one for each condition: why a baseline that violates it is infeasible."""
        ...

    @property
    def infusion_row(self) -> int: ...
    @property
    def gain_row(self) -> int: ...
    @property
    def condition_row(self) -> int: ...
    @property
    def rows(self) -> int:
        """Rows of the kernel's region, parameters included."""
        ...

    @property
    def prepare(self) -> BlockFunction:
        """Parameters → derived constants, gains, conditions, and the initial state in ``RESULT``."""
        ...

    @property
    def rhs(self) -> BlockFunction:
        """``TIME``, ``STATE``, constants, infusion rates → ``RATE``."""
        ...

    @property
    def observe(self) -> BlockFunction:
        """``TIME``, ``STATE``, constants → ``RESULT``."""
        ...

    @property
    def jacobian(self) -> BlockFunction:
        """``TIME``, ``STATE``, constants → Jacobian in the kernel's region, and ∂f/∂t in ``SOLUTION``."""
        ...

    @property
    def factor(self) -> BlockFunction:
        """Jacobian and ``SHIFT`` → factors of ``SHIFT·1 − J`` in the kernel's region."""
        ...

    @property
    def backsolve(self) -> BlockFunction:
        """Factors and right-hand side in ``SOLUTION`` → solution in ``SOLUTION``."""
        ...

    @property
    def hybrid(self) -> Hybrid | None:
        """Rows for what switches and for events; None where nothing does."""
        ...

    @property
    def sense(self) -> BlockFunction:
        """``TIME``, ``STATE``, constants, modes → what is watched, and triggers, in the kernel's region."""
        ...

    @property
    def jump(self) -> BlockFunction:
        """``TIME``, ``STATE``, constants → delays, priorities and new values of events, in the kernel's region."""
        ...

    @property
    def cross(self) -> BlockFunction:
        """``TIME``, ``STATE``, ``RATE``, constants → how what is watched passes, in the kernel's region."""
        ...

    def breaks(self, parameters: FloatArray, start: float, end: float) -> tuple[IntArray, FloatArray]:
        """Where the right-hand side has kinks and narrow features in time that a step must not pass: owners and times.

        For members with these parameters, shape [member, parameter]; times are between start and end, days.
        """
        ...

    def jets(self, order: int) -> BlockFunction:
        """``NOW``, ``START``, constants, infusion rates → derivatives in time, and the sizes of the last two terms."""
        ...

    def steps(self, tableau: ButcherTableau) -> BlockFunction:
        """``START``, ``STEP``, the first stage, and what `rhs` remembered → a step of all states after the first block.

        Only of a kernel whose states come in blocks (`simulate.solver.methods.sensitivity_stages`).
        """
        ...
