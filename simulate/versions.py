"""Versions of everything that decides numbers or files."""

from __future__ import annotations

import functools
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from simulate import __version__, shipped
from simulate.files import content_hash, files_hash

_DECISIVE = ("numpy", "numba", "llvmlite", "scipy", "sympy", "pint", "xarray", "h5netcdf", "h5py", "matplotlib")


def versions() -> dict[str, str]:
    """Versions of everything that decides numbers or files; of the shipped tables of parameters, a hash."""
    found = {"il1sim": __version__, "tables": _tables(), "python": platform.python_version()}
    found["machine"] = platform.machine()
    return found | _of_packages()


@functools.cache
def code_hash() -> str:
    """Hash of all sources that decide results: those of the package but for the command line and figures."""
    package = Path(__file__).parent
    own = (path for path in package.rglob("*.py") if path.relative_to(package).parts[0] not in ("cli", "figures"))
    return files_hash(own, package)


@functools.cache
def _of_packages() -> dict[str, str]:
    """Versions of the packages that are installed: each is searched for among all of them."""
    found = {}
    for name in _DECISIVE:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


@functools.cache
def _tables() -> str:
    """Hash of the tables of parameters, and of what a fit adds to them."""
    paths = (*sorted(shipped.root().glob("*.toml")), shipped.priors_file())
    return content_hash(*(part for path in paths for part in (path.name, path.read_bytes())))[:12]
