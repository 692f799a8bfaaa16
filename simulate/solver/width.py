"""How wide a block is and how much room it has; the numbers from which `simulate.solver.layout` follows."""

from __future__ import annotations

from simulate.limits import CAPACITY as CAPACITY

LANES = 8
"""Trajectories advanced side by side."""

PADDING = 27 * 8
"""Numbers between two vectors, such that the same state of different vectors does not compete for one cache set."""
