"""The largest model, which `symbolic` and `solver` must agree on."""

from __future__ import annotations

CAPACITY = 256
"""Largest number of states, and of observables, that a model may have."""
