"""What others load only to ask whether something is theirs, or to offer all there is, set aside until asked for."""

from __future__ import annotations

import sys
import warnings
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

ASIDE = ("charset_normalizer", "dask", "mpl_toolkits.mplot3d", "pint")
"""What xarray, SciPy and Matplotlib load where it is installed, for a second, though no array here is of Dask or has
units of Pint, no Fortran is read, and no axes have depth."""

EMPTY = ("numpy.f2py", "numpy.testing")
"""What SciPy loads because NumPy has it, without a look at it."""


class _Empty:
    """Finds modules of `EMPTY`, with nothing in them."""

    @staticmethod
    def find_spec(name: str, _path: object = None, _target: object = None) -> ModuleSpec | None:
        return ModuleSpec(name, _Empty()) if name in EMPTY else None  # type: ignore[arg-type]

    def create_module(self, _spec: ModuleSpec) -> None:
        """As Python makes it."""

    def exec_module(self, _module: ModuleType) -> None:
        """Nothing is in it."""


def set_aside() -> None:
    """Let `ASIDE` be as if not installed, and `EMPTY` empty; for a process that is this program's own."""
    modules: dict[str, Any] = sys.modules
    for name in ASIDE:
        modules.setdefault(name, None)
    sys.meta_path.insert(0, _Empty)
    warnings.filterwarnings("ignore", "Unable to import Axes3D")


def without_descriptions() -> None:
    """Let Matplotlib describe no property of what it can draw, half of the time that it takes to load.

    Only where `set_aside` was called: nobody else reads them in this process.
    """
    if _Empty not in sys.meta_path:
        return
    from matplotlib import artist

    drawn: Any = artist
    drawn.kwdoc = lambda _drawn: ""
    drawn.Artist._update_set_signature_and_docstring = classmethod(lambda _kind: None)


def fetch(name: str) -> None:
    """Let a package be found again that was set aside; to be called before it is imported."""
    if name in sys.modules and sys.modules[name] is None:
        del sys.modules[name]
