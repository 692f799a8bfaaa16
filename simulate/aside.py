"""Packages that libraries import without need: some are hidden until asked for, others loaded when they are used."""

from __future__ import annotations

import functools
import sys
import warnings
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

ASIDE = ("dask", "mpl_toolkits.mplot3d", "pint")
"""What xarray and Matplotlib load where it is installed, for a second, though no array here is of Dask or has units of
Pint, and no axes have depth."""


LATE = (
    "numpy.f2py", "numpy.testing", "yaml",
    "PIL.ExifTags", "fontTools.agl", "matplotlib.dates", "plistlib",
)  # fmt: skip
"""What libraries load each time and few use. SciPy's special functions and Numba: tools that make and test packages, as
SciPy takes all that NumPy names, for half of its time, and the language of a file of settings. Matplotlib: what
photographs, calendars, TeX and fonts of a Mac need."""


class _Late:
    """Finds what is loaded late."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """A module of `LATE` as Python finds it, loaded with the first attribute that it is asked for."""
        if name == "scipy.special":
            _without_notes()
        found = PathFinder.find_spec(name, path, target) if name in LATE else None
        if found is not None and found.loader is not None:
            from importlib.util import LazyLoader

            found.loader = LazyLoader(found.loader)
        return found


class _NoDescription:
    """Stands for a description of a function, which has no sections."""

    def __init__(self, _function: Any) -> None: ...

    def __getitem__(self, _section: str) -> list[str]:
        return []

    def __str__(self) -> str:
        return "\n"


def _without_notes() -> None:
    """Let SciPy not take descriptions of its special functions apart to add a note to each, half of their loading."""
    try:
        from scipy._lib import _array_api
    except ImportError:
        # Another SciPy keeps it elsewhere, and takes its time.
        return
    notes: Any = _array_api
    notes.FunctionDoc = _NoDescription


def set_aside() -> None:
    """Let `ASIDE` be as if not installed, and `LATE` wait until used; for a process that is this program's own."""
    modules: dict[str, Any] = sys.modules
    for name in ASIDE:
        modules.setdefault(name, None)
    if _Late not in sys.meta_path:
        sys.meta_path.insert(0, _Late)
    warnings.filterwarnings("ignore", "Unable to import Axes3D")


def _without_data(function: Any) -> Any:
    """What draws, without names of columns in place of numbers; that none are given is said by ``data=None``."""

    @functools.wraps(function)
    def drawn(axes: Any, *given: Any, data: None = None, **named: Any) -> Any:
        return function(axes, *given, **named)

    return drawn


def without_descriptions() -> None:
    """Let Matplotlib describe nothing of what it can draw, half of the time that it takes to load.

    Only where `set_aside` was called: nobody else reads descriptions in this process, or gives names of columns in
    place of numbers, for which what draws is wrapped, with another description of its arguments.
    """
    if sys.modules.get("mpl_toolkits.mplot3d", sys) is not None:
        return
    import matplotlib
    from matplotlib import artist

    drawn: Any = artist
    drawn.kwdoc = lambda _drawn: ""
    drawn.Artist._update_set_signature_and_docstring = classmethod(lambda _kind: None)
    whole: Any = matplotlib
    whole._preprocess_data = lambda function=None, **_names: (
        _without_data if function is None else _without_data(function)
    )


def fetch(name: str) -> None:
    """Let a package be found again that was set aside; to be called before it is imported."""
    if name in sys.modules and sys.modules[name] is None:
        del sys.modules[name]
