"""Versions of everything that decides numbers or files."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

from simulate import __version__

_DECISIVE = ("numpy", "numba", "llvmlite", "scipy", "sympy", "pint", "xarray", "h5netcdf", "h5py", "matplotlib")


def versions() -> dict[str, str]:
    """Versions of everything that decides numbers or files."""
    found = {"il1sim": __version__, "python": platform.python_version(), "machine": platform.machine()}
    for name in _DECISIVE:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
