"""A duration in words."""

from __future__ import annotations


def duration(seconds: float) -> str:
    """A time in words that suit it, such as ``40 s``, ``12 min`` or ``2.5 h``."""
    if seconds < 90.0:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400.0 else f"{seconds / 3600:.1f} h"
