"""The pages of the documentation, and the site that Sphinx makes of them."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from simulate import shipped
from simulate.answers import edition
from simulate.cache import cache_folder
from simulate.errors import InputError, MissingExtra, Where
from simulate.files import content_hash
from simulate.watching import Report

_NEEDED = ("sphinx", "myst_parser", "numpydoc", "pydata_sphinx_theme")
_MARK = ".buildinfo"
"""File that Sphinx leaves in every site."""

_STALE = 3600.0
"""Age in seconds of another site that nobody reads any more, or of one that was never finished."""


def pages() -> Mapping[str, Path]:
    """Every page by its name, sorted."""
    return {path.stem: path for path in sorted(shipped.pages_folder().rglob("*.md"))}


def needs() -> str | None:
    """What must be installed before a site can be built; None where nothing is missing."""
    missing = any(importlib.util.find_spec(name) is None for name in _NEEDED)
    return 'pip install "il1sim[docs]"' if missing else None


def kept_site(report: Report) -> Path | None:
    """Folder of the site of this very package, built if it is not there; None where none can be kept."""
    folder = cache_folder("site", is_told=False)
    if folder is None:
        return None
    sources = [path for path in sorted(shipped.pages_folder().rglob("*")) if path.is_file()]
    site = folder / content_hash(edition(), *(path.read_bytes() for path in sources))
    if not site.is_dir():
        report("building the site, once")
        for other in folder.iterdir():
            if other.stat().st_mtime < time.time() - _STALE:
                shutil.rmtree(other, ignore_errors=True)
        build_site(site)
    return site


def build_site(folder: Path, *, strict: bool = False) -> None:
    """Build the site, whole or not at all; an earlier one in the folder is replaced.

    Parameters
    ----------
    folder
        Where it will be.
    strict
        Whether a warning counts as a failure.

    Raises
    ------
    InputError
        ``docs.folder``: something else is in the folder.
    MissingExtra
        ``extra.docs``: Sphinx is missing; ``docs.build``: it failed.
    """
    if (install := needs()) is not None:
        raise MissingExtra(
            "building the site needs Sphinx with its extensions",
            code="extra.docs",
            expected=", ".join(_NEEDED),
            advice=install,
        )
    if folder.exists() and not (folder / _MARK).is_file() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(
            "what is there is no site",
            code="docs.folder",
            where=Where(file=str(folder)),
            expected="a new folder, an empty one, or one with an earlier site",
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".il1sim-", dir=folder.parent) as place:
        work = Path(place)
        source = str(shipped.pages_folder())
        words = ["-q", *(["-W"] if strict else []), "-b", "html", "-d", str(work / "doctrees")]
        # The site is of the package that is running, wherever it was found.
        paths = [str(Path(__file__).resolve().parents[1]), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
        process = subprocess.run(
            [sys.executable, "-m", "sphinx", *words, source, str(work / "site")],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
            capture_output=True,
            text=True,
            check=False,
        )
        if process.returncode != 0:
            lines = process.stderr.strip().splitlines()
            raise MissingExtra(
                "Sphinx could not build the site",
                code="docs.build",
                found=lines[-1][:200] if lines else None,
                advice=f"`python -m sphinx {source} DIR` shows more",
            )
        if folder.is_dir():
            shutil.rmtree(folder)
        os.replace(work / "site", folder)
