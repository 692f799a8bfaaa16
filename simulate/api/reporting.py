"""Run directories for others to read: a report, and one long table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from simulate.api.verb import worded
from simulate.errors import InputError, Where
from simulate.watching import Progress, Report, quiet

__all__ = ["report", "tidy"]

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd  # type: ignore[import-untyped]
    import xarray as xr


@worded
def report(
    directory: str | Path,
    *,
    question: str | None = None,
    context: str | None = None,
    influence: str | None = None,
    consequence: str | None = None,
    risk: str | None = None,
    error: bool = True,
    figures: bool = True,
    out: str | Path | None = None,
    force: bool = False,
    progress: Progress = quiet,
) -> str:
    """Report of a run directory, as one HTML document that needs no network.

    Parameters
    ----------
    directory
        Made by any verb.
    question, context, influence, consequence, risk
        Question of interest (that of the scenario if not given), context of use, model influence, consequence of a
        wrong decision and model risk, in the words of ICH M15.
    error
        Whether a sample is solved again for the numerical error.
    figures
        Whether figures are drawn that the directory does not have.
    out, force
        File to be written, and whether one that is there may be replaced; nothing is written if not given.
    progress
        What shows how far the work is; see `simulate.watching`.

    Raises
    ------
    InputError
        ``report.none``: no finished run is in the directory; ``runs.changed``: it is damaged.
    MissingExtra
        ``store.unwritable``.
    """
    from simulate.files import write_atomically
    from simulate.results.html_report import Purpose
    from simulate.results.html_report import report as reported
    from simulate.store import check_file

    if out is not None:
        check_file(Path(out), force=force)
    purpose = Purpose(question, context, influence, consequence, risk)
    text = reported(Path(directory), purpose, error=error, figures=figures, progress=progress)
    if out is not None:
        write_atomically(Path(out), text)
    return text


@worded
def tidy(
    results: str | Path | xr.Dataset, *, quantities: Sequence[str] | None = None, at: Sequence[str] | None = None
) -> pd.DataFrame:
    """Results as one long data frame: a row for each number.

    Its columns are ``id``, ``stratum``, ``arm``, the axes of a sweep, ``draw``, ``day``, ``quantity``, ``unit`` and
    ``value``; those that the results do not have are absent.

    Parameters
    ----------
    results
        What `run` or `sweep` return, or a run directory of theirs.
    quantities
        Names of quantities; all if not given.
    at
        Times, such as ``["0 d", "182 d"]``; all that were recorded if not given.

    Raises
    ------
    InputError
        ``tidy.results``, ``tidy.quantity``, ``tidy.time``: there is no such thing; ``tidy.size``: more rows than memory
        should hold; ``runs.changed``: the directory is damaged.
    """
    from simulate.results.tidy import tidy_frame

    courses = _courses(results)
    return tidy_frame(courses, quantities, _days(at, courses))


def write_long(
    directory: Path,
    out: Path,
    *,
    quantities: Sequence[str] | None,
    at: Sequence[str] | None,
    force: bool,
    progress: Progress = quiet,
    report: Report | None = None,
) -> int:
    """Write the long table of a run directory; returns its number of rows. Errors as `tidy`, and for files."""
    from simulate.results.tidy import write_tidy
    from simulate.store import check_file

    check_file(out, force=force)
    courses = _courses(directory)
    return write_tidy(courses, out, quantities, _days(at, courses), progress=progress, report=report)


def _days(at: Sequence[str] | None, courses: xr.Dataset) -> list[float] | None:
    """Days of some times; bare numbers are in the unit in which the run shows times, if it says one."""
    from simulate.studies.treatments import days_of
    from simulate.symbolic.units import with_unit

    own = str(courses.attrs.get("time_unit", ""))
    found = []
    for time in at or ():
        try:
            found.append(float(days_of(with_unit(time, own), or_none=True)))
        except InputError as error:
            error.where = error.where or Where(file=f"--at {time}")
            raise
    return None if at is None else found


def _courses(results: str | Path | xr.Dataset) -> xr.Dataset:
    if not isinstance(results, str | Path):
        return results
    from simulate.manifest import check_file, read_manifest, said_of
    from simulate.studies.datasets import read_dataset

    directory = Path(results)
    entries = read_manifest(directory)
    if entries is None or "results.nc" not in entries.get("files", {}):
        raise InputError(
            "no courses of patients are in the directory",
            code="tidy.results",
            where=Where(file=str(directory)),
            found=f"a directory of {entries.get('kind', 'another kind')}"
            if entries is not None
            else said_of(directory) or "no such folder",
            expected="the directory of a run or a sweep",
            advice="`simulate runs list FOLDER` shows those in a folder",
        )
    return read_dataset(check_file(directory, entries, "results.nc"))
