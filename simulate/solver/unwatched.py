"""`simulate.solver.events` for an engine that has no rules: nothing is watched, nothing acts.

The same names with the same meaning, so that the loop is written once; what is left of it is as if it had no rules.
"""

from __future__ import annotations

from typing import Any

from simulate.compiled import inlined
from simulate.later import types

WATCH: Any = types.int64
LOOK = SHARE_OF_PASSING = ACT = types.int64()


@inlined
def watches(watch: Any) -> bool:
    """There is no rule."""
    return False


@inlined
def look(w: Any, watch: Any, lane_state: Any, n: int, observe: Any) -> bool:
    """Nothing passes."""
    return False


@inlined
def share_of_passing(w: Any, watch: Any, lane: int, member: int, n: int, observe: Any, interpolate: Any) -> float:
    """No rule has passed."""
    return 2.0


@inlined
def cut(w: Any, lane: int, n: int, share: float, interpolate: Any) -> None:
    """No step ends early."""


@inlined
def begin(watch: Any, lane: int) -> None:
    """Nothing is remembered."""


@inlined
def visit(watch: Any, lane: int) -> None:
    """Nothing is noted."""


@inlined
def given(watch: Any, lane: int, stop: int, kind: int, amount: float) -> float:
    """Nothing but what the schedule says."""
    return amount


@inlined
def act(
    w: Any, watch: Any, lane: int, member: int, now: float, n: int, routes: int, gain: int, targets: Any, observe: Any
) -> int:
    """No rule acts."""
    return 0
