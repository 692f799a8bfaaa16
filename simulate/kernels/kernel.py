"""A kernel: generated functions, compiled when they are asked for and cached by content."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simulate.emitted import emitted
from simulate.kernels.clock import NOTHING, Clock
from simulate.kernels.form import Follow, KernelFunction
from simulate.kernels.print_text import module_text
from simulate.kernels.tape import Tape
from simulate.solver.hybrid import Hybrid
from simulate.solver.kernel import BlockFunction, FloatArray, IntArray
from simulate.solver.tableau import ButcherTableau
from simulate.uncollected import uncollected

if TYPE_CHECKING:
    from simulate.emitting import Writer
    from simulate.kernels.sensitivity_blocks import Followers


@dataclass(frozen=True)
class CompiledKernel:
    """A kernel whose functions are compiled, or loaded from the cache, when first asked for.

    ``functions`` are those that every method needs, ``stiff_functions`` those of methods for stiff systems. The other
    attributes are those of `simulate.solver.Kernel`.
    """

    key: str
    functions: Mapping[str, KernelFunction]
    states: tuple[str, ...]
    parameters: tuple[str, ...]
    observables: tuple[str, ...]
    units: tuple[str, ...]
    routes: tuple[str, ...]
    conditions: tuple[str, ...]
    controlled: int
    judged: int
    jumps: tuple[tuple[int, ...], ...]
    infusion_row: int
    gain_row: int
    condition_row: int
    rows: int
    stiff_functions: Callable[[], Mapping[str, KernelFunction]]
    series: Callable[[], Tape]
    clock: Callable[[], Clock] | None = None
    hybrid: Hybrid | None = None
    followers: Followers | None = None

    @property
    def route_offsets(self) -> IntArray:
        """Where the targets of each route begin, shape [route + 1]."""
        return np.cumsum([0, *(len(targets) for targets in self.jumps)], dtype=np.int64)

    @property
    def route_targets(self) -> IntArray:
        """Indices of the states that routes feed, shape [target]."""
        return np.array([target for targets in self.jumps for target in targets], dtype=np.int64)

    @property
    def source(self) -> str:
        """The functions as text, for readers."""
        return module_text(self.functions.values())

    def stiff_source(self) -> str:
        """The functions of methods for stiff systems as text, for readers."""
        return module_text(self.stiff_functions().values())

    @functools.cached_property
    def prepare(self) -> BlockFunction:
        """Parameters → constants, gains, conditions and initial state."""
        return self._compiled(self.functions["prepare"])

    @functools.cached_property
    def rhs(self) -> BlockFunction:
        """Time, state, constants → derivative."""
        return self._compiled(self.functions["rhs"])

    @functools.cached_property
    def observe(self) -> BlockFunction:
        """Time, state, constants → observables."""
        return self._compiled(self.functions["observe"])

    @functools.cached_property
    def sense(self) -> BlockFunction:
        """Time, state, constants → what is watched, and triggers of events."""
        return self._if_needed("sense")

    @functools.cached_property
    def jump(self) -> BlockFunction:
        """Time, state, constants → delays, priorities and new values of events."""
        return self._if_needed("jump")

    @functools.cached_property
    def cross(self) -> BlockFunction:
        """Time, state, derivative, constants → how what is watched passes."""
        return self._if_needed("cross")

    def _if_needed(self, name: str) -> BlockFunction:
        """A function that without switches is never called: then any will do."""
        return self._compiled(self.functions[name]) if name in self.functions else self.prepare

    @functools.cached_property
    def jacobian(self) -> BlockFunction:
        """Time, state, constants → Jacobian and partial derivative in time."""
        return self._compiled(self.stiff_functions()["jacobian"])

    @functools.cached_property
    def factor(self) -> BlockFunction:
        """Jacobian and shift → factors."""
        return self._compiled(self.stiff_functions()["factor"])

    @functools.cached_property
    def backsolve(self) -> BlockFunction:
        """Factors and right-hand side → solution."""
        return self._compiled(self.stiff_functions()["backsolve"])

    def breaks(self, parameters: FloatArray, start: float, end: float) -> tuple[IntArray, FloatArray]:
        """Kinks and narrow features in time of members [member, parameter]: owners and times."""
        return NOTHING if self.clock is None else self.clock().breaks(parameters, start, end)

    def jets(self, order: int) -> BlockFunction:
        """Time, state, constants → Taylor coefficients of the solution up to an order.

        Raises
        ------
        InputError
            When the model has no Taylor series everywhere.
        """

        def jets_writer(program: Tape, order: int) -> Writer:
            from simulate.kernels import jets

            return jets.writer(program, order)

        if order not in self._jets:
            program = self.series()
            self._jets[order] = emitted("jets", f"{order} {program}", lambda: jets_writer(program, order))
        return self._jets[order]

    def steps(self, tableau: ButcherTableau) -> BlockFunction:
        """What the solution's own stages left behind → a step of the derivatives."""
        assert self.followers is not None
        given = (self.followers, tableau)

        def steps_writer() -> Writer:
            from simulate.kernels import sensitivity_steps

            return sensitivity_steps.writer(*given)

        if tableau not in self._steps:
            self._steps[tableau] = emitted("steps", repr(given), steps_writer)
        return self._steps[tableau]

    @functools.cached_property
    def _jets(self) -> dict[int, BlockFunction]:
        return {}

    @functools.cached_property
    def _steps(self) -> dict[ButcherTableau, BlockFunction]:
        return {}

    def _compiled(self, function: KernelFunction) -> BlockFunction:
        return machine_code(function)


@uncollected()
def machine_code(function: KernelFunction) -> BlockFunction:
    """A generated function for the processor, compiled or loaded from the cache."""
    calls = []
    if any(isinstance(block, Follow) for block in function.blocks):
        from simulate.kernels.following import follow

        calls.append(follow)

    def writer() -> Writer:
        # An engine of single numbers has no vectors to write it with.
        from simulate.kernels import print_llvm

        return print_llvm.writer(function)

    return emitted(function.name, repr(function.blocks), writer, is_simple=function.is_simple, calls=calls)
