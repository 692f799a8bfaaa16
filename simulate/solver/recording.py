"""Observables of recorded states: a second pass, so that the loop need not know what is observed."""

from __future__ import annotations

import math
from typing import Any

from simulate.compiled import BLOCK_FUNCTION, WORKSPACE, compiled
from simulate.later import types
from simulate.solver.layout import CONSTANTS, LANES, RESULT, STATE, TIME

SIGNATURE = types.boolean(
    WORKSPACE,
    BLOCK_FUNCTION,  # prepare
    BLOCK_FUNCTION,  # observe
    types.Array(types.float64, 2, "C", readonly=True),  # parameters [member, parameter]
    types.Array(types.float64, 1, "C", readonly=True),  # times
    types.int64,  # number of states
    types.int64,  # number of leading states without which no observable is known
    types.float64[:, :, ::1],  # values [member, time, quantity]: states, then observables
    types.int64,  # first member
    types.int64,  # end of members
)


@compiled(SIGNATURE)
def observe_all(
    w: Any,
    prepare: Any,
    observe: Any,
    parameters: Any,
    times: Any,
    n: int,
    controlled: int,
    values: Any,
    first: int,
    end: int,
) -> bool:
    """Add the observables to recorded states, several times of one member side by side; returns if all are finite."""
    observables, finite = values.shape[2] - n, True
    for member in range(first, end):
        for parameter in range(parameters.shape[1]):
            for lane in range(LANES):
                w[CONSTANTS + parameter * LANES + lane] = parameters[member, parameter]
        prepare(w)
        for group in range(0, len(times), LANES):
            present = min(LANES, len(times) - group)
            for lane in range(LANES):
                time = group + min(lane, present - 1)
                w[TIME + lane] = times[time]
                for state in range(n):
                    w[STATE + state * LANES + lane] = values[member, time, state]
            observe(w)
            for lane in range(present):
                time = group + lane
                unknown = False
                for state in range(controlled):
                    unknown = unknown or math.isnan(values[member, time, state])
                for observable in range(observables):
                    value = math.nan if unknown else w[RESULT + observable * LANES + lane]
                    finite = finite and math.isfinite(value)
                    values[member, time, n + observable] = value
    return finite
