"""Limits that parts of the program have in common."""

from __future__ import annotations

CAPACITY = 256
"""Largest number of states, and of observables, that a model may have."""
