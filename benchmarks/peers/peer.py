"""What the race asks of an engine."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.workload import Workload
from simulate.solver import FloatArray

Solve = Callable[[float, float], FloatArray]
"""From relative and absolute tolerance to recorded values [member, time, state]; compiled before it is timed."""


@dataclass(frozen=True, slots=True)
class Peer:
    """One engine with one method.

    Attributes
    ----------
    engine, method
        Names for readers; an engine may race with several methods, and its fastest accurate one counts.
    members, quick_members
        Batch for a full race and for a quick one: enough that the engine is at its best, few enough to wait for.
    absolute
        Absolute tolerance as a share of the relative one.
    modules
        What must be importable.
    install
        How to get it.
    prepare
        Compile for a workload.
    """

    engine: str
    method: str
    members: int
    quick_members: int
    absolute: float
    modules: tuple[str, ...]
    install: str
    prepare: Callable[[Workload], Solve]

    @property
    def missing(self) -> tuple[str, ...]:
        """Modules that are not installed."""
        return tuple(name for name in self.modules if importlib.util.find_spec(name) is None)
