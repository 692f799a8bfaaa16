"""The run directory: what a run leaves behind, all of it or nothing.

``results.nc``
    Every trajectory, as described in `simulate.studies.datasets`.
``changes.csv``
    Paired changes since baseline, as described in `simulate.report.changes`.
``summary.csv``
    Quantities at the visits, as described in `simulate.report.tables`.
``time-course.png``, ``time-course.svg``
    The figure of `simulate.figures.time_course`; absent if no patient reached the end.
``manifest.json``
    What was asked, what decided the numbers, what failed, and the hash of every other file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import xarray as xr

from simulate.cohort.ensemble import Ensemble
from simulate.evidence.observations import Observation
from simulate.files import content_hash
from simulate.report.changes import ChangeRow
from simulate.report.tables import Row, csv_text
from simulate.solver.trajectories import Status
from simulate.store import MANIFEST, manifest_text, new_directory
from simulate.studies.datasets import ensemble_counts, write_dataset
from simulate.studies.ledger import Entry, ledger
from simulate.studies.rebuilt import described
from simulate.studies.runs import Study
from simulate.versions import versions

RESULTS, CHANGES, SUMMARY, TIME_COURSE = "results.nc", "changes.csv", "summary.csv", "time-course"


def default_directory(study: Study) -> Path:
    """Where a run is kept if the user does not say: ``runs/<scenario>-<first digits of the content hash>``."""
    return Path("runs") / f"{study.scenario.name}-{study.key[:8]}"


def write_run(
    study: Study,
    ensemble: Ensemble,
    dataset: xr.Dataset,
    rows: Sequence[Row],
    changes: Sequence[ChangeRow],
    target: Path,
    *,
    observations: Sequence[Observation] = (),
    failures: Sequence[Entry] | None = None,
    figures: bool = True,
    force: bool = False,
) -> tuple[str, ...]:
    """Write the directory of a run.

    Parameters
    ----------
    study, ensemble, dataset, rows, changes
        What was asked, and what came of it.
    target
        The directory; absent, empty, or that of an earlier run.
    observations
        Printed figures, drawn beside the simulated ones.
    failures
        The ledger of failures; made here if not given.
    figures
        Whether to draw.
    force
        Whether another run may be replaced.

    Returns
    -------
    tuple of str
        Names of the files.

    Raises
    ------
    InputError, MissingExtra
        As for `simulate.store.new_directory`; the target is then as it was.
    """
    with new_directory(target, key=study.key, force=force) as folder:
        write_dataset(dataset, folder / RESULTS)
        (folder / CHANGES).write_text(csv_text(changes, ChangeRow), encoding="utf-8")
        (folder / SUMMARY).write_text(csv_text(rows), encoding="utf-8")
        if figures and (ensemble.status == Status.OK).any():
            from simulate.figures.style import save
            from simulate.figures.time_course import time_course

            save(time_course(dataset, observations), folder, TIME_COURSE)
        written = sorted(path.name for path in folder.iterdir())
        entries = manifest(study, ensemble, ledger(study, ensemble) if failures is None else failures)
        entries["files"] = {name: content_hash((folder / name).read_bytes()) for name in written}
        (folder / MANIFEST).write_text(manifest_text(entries), encoding="utf-8")
    return (*written, MANIFEST)


def manifest(study: Study, ensemble: Ensemble, failures: Sequence[Entry]) -> dict[str, Any]:
    """What a reader needs to trust a run, and to repeat it."""
    accepted, rejected, evaluations = (int(count) for count in ensemble.trajectories.counters.sum(axis=0))
    return {
        "title": study.scenario.title,
        "key": study.key,
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
        **described(study),
        "versions": versions(),
        "counters": {
            **ensemble_counts(ensemble),
            "accepted_steps": accepted,
            "rejected_steps": rejected,
            "evaluations": evaluations,
        },
        "failures": failure_rows(failures),
    }


def failure_rows(failures: Sequence[Entry]) -> list[dict[str, Any]]:
    """A record for each trajectory that did not reach the end; what is not known is left out."""
    return [{name: value for name, value in asdict(entry).items() if value is not None} for entry in failures]
