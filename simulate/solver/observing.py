"""Members whose states are sound and whose observables are not: they are failures too."""

from __future__ import annotations

import numpy as np

from simulate.solver.kernel import FloatArray, IntArray, Kernel
from simulate.solver.trajectories import Status


def fail_undefined(
    kernel: Kernel, values: FloatArray, times: FloatArray, outcome: IntArray, reached: FloatArray, first: int, end: int
) -> None:
    """Mark members that reached the end with an observable that is somewhere infinite or undefined.

    Nobody should have to look for it: a number counts only if its member's status is OK.

    Parameters
    ----------
    kernel
        What was solved: its leading observables are looked at.
    values
        Shape [member, time, quantity], states first.
    times
        Shape [time].
    outcome, reached
        Shapes [member, 2] and [member]; of a member that fails here: status, place of the quantity, and time.
    first, end
        The members to look at.
    """
    # A sum is finite where all is, and rarely where not all is; with all summed nothing has to be gathered.
    with np.errstate(invalid="ignore", over="ignore"):
        if np.isfinite(values[first:end].sum()):
            return
    states = len(kernel.states)
    bad = ~np.isfinite(values[first:end, :, states : states + kernel.judged])
    # A rule may have ended a member before: then there is no state to observe.
    bad &= np.isfinite(values[first:end, :, : kernel.controlled]).all(axis=2, keepdims=True)
    for place in np.flatnonzero(bad.any(axis=(1, 2))):
        member = first + int(place)
        if outcome[member, 0] == Status.OK:
            time, observable = np.argwhere(bad[place])[0]
            outcome[member] = Status.NOT_FINITE, states + observable
            reached[member] = times[time]
