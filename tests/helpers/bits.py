"""Comparison of bits, not of sizes."""

from __future__ import annotations

import numpy as np

from simulate.solver import Trajectories


def assert_same_bits(left: Trajectories, right: Trajectories) -> None:
    """Every recorded number has the same bits, undefined ones included, and every status and counter is equal."""
    assert left.quantities == right.quantities
    a, b = left.values.view(np.uint64), right.values.view(np.uint64)
    assert a.shape == b.shape
    different = np.argwhere(a != b)
    if different.size:
        member, time, quantity = different[0]
        raise AssertionError(
            f"{len(different)} numbers differ, first: member {member}, time {left.times[time]}, "
            f"`{left.quantities[quantity]}`: {left.values[member, time, quantity]!r} and "
            f"{right.values[member, time, quantity]!r}"
        )
    assert left.status.tolist() == right.status.tolist()
    assert left.counters.tolist() == right.counters.tolist()


def member_of(trajectories: Trajectories, members: list[int]) -> Trajectories:
    """The same result with these members only, in this order; failures are left out."""
    return Trajectories(
        times=trajectories.times,
        quantities=trajectories.quantities,
        units=trajectories.units,
        values=np.ascontiguousarray(trajectories.values[members]),
        status=trajectories.status[members],
        counters=trajectories.counters[members],
        failures=(),
        method=trajectories.method,
    )
