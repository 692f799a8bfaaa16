"""Where everything lies in the one flat workspace of a block of lanes.

A block holds ``LANES`` trajectories side by side: element ``row * LANES + lane``. All offsets are compile-time
constants, because only then does LLVM know that reads and writes do not overlap and emits full-width vector code.
The vectors are spaced by a stride that is no multiple of a cache page, so that the same state of different vectors
does not compete for one cache set.
"""

from __future__ import annotations

from simulate.solver.width import CAPACITY as CAPACITY
from simulate.solver.width import LANES as LANES
from simulate.solver.width import PADDING

_CONTROL_ROWS = 32
_VECTORS = 24
_STRIDE = CAPACITY * LANES + PADDING


def row(index: int) -> int:
    """Offset of the control row ``index``: one number for each lane."""
    return index * LANES


def vector(index: int) -> int:
    """Offset of the state-sized vector ``index``."""
    return _CONTROL_ROWS * LANES + index * _STRIDE


# What kernels read and write.
TIME = row(0)
"""Time at which a kernel's functions are evaluated."""
SHIFT = row(1)
"""Diagonal shift 1/(γ h) that `factor` reads."""
STATE = vector(0)
"""State at which a kernel's functions are evaluated."""
RATE = vector(1)
"""Derivative that `rhs` writes."""
RESULT = vector(2)
"""Initial state that `prepare` writes, and observables that `observe` writes."""
SOLUTION = vector(3)
"""Right-hand side that `backsolve` reads, and solution that it leaves in its place; ∂f/∂t that `jacobian` writes."""
CONSTANTS = vector(_VECTORS)
"""First row of a kernel's own region: parameters, then whatever the kernel derives from them."""

# What the loop and the methods keep.
NOW = row(2)
"""Time at the start of the step."""
STEP = row(3)
"""Size of the step being attempted."""
RATIO = row(4)
"""Square of the error ratio: 1 is just within tolerance."""
FACTOR = row(5)
"""Factor by which the controller would change the step."""
ACCEPT = row(6)
"""1 where the step is accepted, else 0."""
STOP = row(7)
"""Time of the next stop, or of the end."""
EVENT = row(8)
"""Time from which a lane needs attention: its next output or stop."""
RUNNING = row(9)
"""1 where a trajectory is under way, else 0."""
NEXT = row(10)
"""Time at the end of the step."""
RESTART = row(11)
"""Step with which to start after a stop."""
LIMIT = row(12)
"""Largest factor for the next step; 1 after a rejection."""
RESTARTING = row(13)
"""1 in the first step after a load or a stop, else 0."""
ACCEPTED = row(14)
"""Steps accepted."""
ATTEMPTED = row(15)
"""Steps attempted."""
RELATIVE = row(16)
"""Relative tolerance."""
LAST_TERM = row(17)
"""Sum over the states of the squares of the last Taylor coefficient in units of the tolerance."""
TERM_BEFORE = row(18)
"""The same of the coefficient before the last."""
DUE = row(19)
"""1 where a lane needs attention after the step."""
BEND = row(20)
"""How much the time of a series bends: t = s + BEND s²/2."""
SINCE = row(21)
"""Time of the last stop, or of the load."""
HEAD = row(22)
"""Distance from a stop to the singularity before it; 0 if nothing is known of it."""
SOUND = row(23)
"""What `factor` found: 1 where all is well; see `NOT_FINITE` and `UNUSABLE`."""
NOT_FINITE, UNUSABLE = 0.5, 0.0
"""What may stand at ``SOUND`` else: entries of the Jacobian were not finite and were taken for 0; a pivot is not
positive, so that the step is too long for what grows, or undefined."""
SHARE = row(24)
"""Absolute tolerance, as a share of a state's scale."""
KNOWN = row(25)
"""Number of states that had a scale when scales were looked for; -1 where what feeds others has changed since."""
BROKE = row(26)
"""1 where the member has come to a break since its load or reset, else 0."""
RENEWED = row(27)
"""1 where a lane starts or restarts, so that the derivative at the start of its step is evaluated anew; of series,
whether scales were found at the start."""
MOVED = row(28)
"""1 where `steps` is to take over what its step before led to, see ``CARRIES``."""
LEAST_BEND = row(29)
"""The least that the time of the next series bends, where anything is known of a singularity."""
COMMAND = row(31)
"""What `rhs` is to compute of a kernel whose states come in blocks (`simulate.solver.methods.sensitivity_stages`)."""
DIRECTION, STAGE, EXTENT, AT_ONCE, DENSE, CARRIES = range(6)
"""Places in ``COMMAND``: what to compute, for which stage; the answer, the number of states in a block, and whether
`steps` takes the solution's own stages too; whether `steps` is to keep the rates of its stages; and whether it can take
over by itself what its step before led to."""
EVERYTHING, SHARED = 0, -1
"""What may stand at ``DIRECTION``, beside the number of a block."""
START = vector(4)
"""State at the start of the step."""
ERROR = vector(5)
"""Error estimate of the step."""
UNSEEN = vector(6)
"""Whether the scale of a state was found and not seen, while scales are looked for."""
ABSOLUTE = vector(7)
"""Absolute tolerance: ``SHARE`` of the scale of the state, which is the largest that it has been so far."""


def stage(index: int) -> int:
    """Offset of the stage ``index``; stage 0 holds the derivative at the start of the step."""
    return vector(8 + index)
