"""Optional packages that libraries import without need, such as Dask and Pint, hidden until they are asked for."""

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


def without_descriptions() -> None:
    """Let Matplotlib describe no property of what it can draw, half of the time that it takes to load.

    Only where `set_aside` was called: nobody else reads them in this process.
    """
    if sys.modules.get("mpl_toolkits.mplot3d", sys) is not None:
        return
    from matplotlib import artist

    drawn: Any = artist
    drawn.kwdoc = lambda _drawn: ""
    drawn.Artist._update_set_signature_and_docstring = classmethod(lambda _kind: None)


def fetch(name: str) -> None:
    """Let a package be found again that was set aside; to be called before it is imported."""
    if name in sys.modules and sys.modules[name] is None:
        del sys.modules[name]
