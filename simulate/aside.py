"""Packages that others load only to ask whether something is theirs, set aside until they are asked for by name."""

from __future__ import annotations

import sys
import warnings
from typing import Any

ASIDE = ("charset_normalizer", "dask", "mpl_toolkits.mplot3d", "pint")
"""What xarray, SciPy and Matplotlib load where it is installed, for a second, though no array here is of Dask or has
units of Pint, no Fortran is read, and no axes have depth."""


def set_aside() -> None:
    """Let `ASIDE` be as if not installed; for a process that is this program's own."""
    modules: dict[str, Any] = sys.modules
    for name in ASIDE:
        modules.setdefault(name, None)
    warnings.filterwarnings("ignore", "Unable to import Axes3D")


def fetch(name: str) -> None:
    """Let a package be found again that was set aside; to be called before it is imported."""
    if name in sys.modules and sys.modules[name] is None:
        del sys.modules[name]
