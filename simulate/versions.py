"""Versions of everything that decides numbers or files."""

from __future__ import annotations

import functools
import platform
import re
from importlib.metadata import PackageNotFoundError, distribution
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
    return files_hash(sources(), Path(__file__).parent)


@functools.cache
def sources() -> tuple[Path, ...]:
    """Files of those sources; none in an archive."""
    package = Path(__file__).parent
    folders = (path for path in package.glob("*/") if path.name not in ("cli", "figures"))
    return (*package.glob("*.py"), *(path for folder in folders for path in folder.rglob("*.py")))


def version_of(name: str) -> str:
    """Version of a package that is installed; errors as `importlib.metadata.distribution`."""
    found = distribution(name)
    # All that a package says of itself takes seven times as long to read as this line.
    line = re.search(r"^Version: *(\S+)$", found.read_text("METADATA") or "", re.MULTILINE)
    return found.version if line is None else line[1]


@functools.cache
def _of_packages() -> dict[str, str]:
    """Versions of the packages that are installed."""
    found = {}
    for name in _DECISIVE:
        try:
            found[name] = version_of(name)
        except PackageNotFoundError:
            continue
    return found


@functools.cache
def _tables() -> str:
    """Hash of the tables of parameters, and of what a fit adds to them."""
    paths = (*sorted(shipped.root().glob("*.toml")), shipped.priors_file())
    return content_hash(*(part for path in paths for part in (path.name, path.read_bytes())))[:12]
