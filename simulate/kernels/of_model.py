"""What a model is solved with, which later processes recall: its kernel, its method, and the terms that cancel in it.

Nothing here is made of equations where an earlier process made it of the same ones.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from simulate.errors import InputError
from simulate.kernels.clock import Clock
from simulate.kernels.kernel import CompiledKernel
from simulate.kernels.tape import Tape
from simulate.kernels.term_sizes import TermSizes
from simulate.recall import content_of, recalled
from simulate.symbolic.model import Model

if TYPE_CHECKING:
    from simulate.kernels.system import System
    from simulate.solver.automatic import Automatic
    from simulate.solver.methods import Method

_MOST_IN_SERIES = 48
"""States of the largest model that is solved by Taylor series unless these are asked for."""
_MADE_WHEN_ASKED = ("stiff_functions", "series", "clock")


@functools.lru_cache(maxsize=8)
def system_of(model: Model) -> System:
    """Equations of a model in pure numbers."""
    from simulate.kernels.system import lower

    return lower(model)


@dataclass(frozen=True, slots=True)
class _Kept:
    """A kernel without its functions of functions; ``series`` is None where there are none, or none are wanted."""

    own: Mapping[str, Any]
    series: Tape | None
    clock: Clock | None


@functools.lru_cache(maxsize=8)
def kernel_of(model: Model) -> CompiledKernel:
    """Kernel of a model; the last few are kept, as an analysis asks for the same one again and again."""

    @functools.cache
    def assembled() -> CompiledKernel:
        from simulate.kernels.build import build

        return build(system_of(model))

    def found() -> _Kept:
        kernel, series = assembled(), None
        if _may_have_series(kernel):
            with contextlib.suppress(InputError):
                series = kernel.series()
        names = [field.name for field in fields(kernel) if field.name not in _MADE_WHEN_ASKED]
        clock = None if kernel.clock is None else kernel.clock()
        return _Kept({name: getattr(kernel, name) for name in names}, series, clock)

    kept = recalled("kernel", content_of(model), found)
    series, clock = kept.series, kept.clock
    return CompiledKernel(
        **kept.own,
        stiff_functions=lambda: assembled().stiff_functions(),
        series=(lambda: assembled().series()) if series is None else (lambda: series),
        clock=None if clock is None else (lambda: clock),
    )


def _may_have_series(kernel: CompiledKernel) -> bool:
    return kernel.hybrid is None and len(kernel.states) <= _MOST_IN_SERIES


@functools.lru_cache(maxsize=8)
def quickest_method(model: Model, *, watched: bool = False) -> Method:
    """Taylor series where a model of some states has them everywhere and nothing switches, else Dormand-Prince 5(4).

    The long steps of series pass over what switches and returns within one, and over what rules watch for
    (``watched``). Those of a hundred states take seconds to compile.
    """
    from simulate.solver.methods import DOPRI5, TAYLOR

    kernel = kernel_of(model)
    if watched or not _may_have_series(kernel):
        return DOPRI5
    try:
        kernel.jets(TAYLOR.series)
    except InputError as error:
        if error.code != "kernel.not-smooth":
            raise
        return DOPRI5
    return TAYLOR


def unless_stiff(model: Model, *, watched: bool = False) -> Automatic:
    """What is done if no method is given: `quickest_method`, and Rodas5P for trajectories that it gives up."""
    from simulate.solver.automatic import Automatic

    return Automatic(explicit=quickest_method(model, watched=watched), patience=None)


def cancelling(model: Model, names: Sequence[str]) -> tuple[str, ...]:
    """Those of the named states and observables in which terms of both signs are added up."""
    sizes = term_sizes_of(model)
    return tuple(name for name in names if name in sizes)


@functools.lru_cache(maxsize=8)
def term_sizes_of(model: Model) -> Mapping[str, TermSizes]:
    """What adds up the sizes of the terms of those observables in which terms of both signs are added up, by name."""

    def found() -> dict[str, TermSizes]:
        from simulate.kernels.terms import term_sizes

        return term_sizes(system_of(model))

    return recalled("term-sizes", content_of(model), found)
