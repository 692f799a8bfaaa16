"""The folder of a measurement of work and precision.

``work-precision.csv``
    A row for each workload, method and tolerance.
``work-precision.png``, ``work-precision.svg``
    The diagrams of `simulate.figures.work_precision`.
``manifest.json``
    What was measured, with which versions, and the hash of every other file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from simulate.files import content_hash
from simulate.report.tables import csv_text
from simulate.store import MANIFEST, manifest_text, new_directory
from simulate.studies.runs import Study
from simulate.studies.workprecision import Point
from simulate.versions import versions

NAME = "work-precision"


def key_of(study: Study) -> str:
    """Key of the folder: a measurement of the same study may be replaced by a new one."""
    return content_hash(NAME, study.key)


def write_diagrams(study: Study, points: Sequence[Point], target: Path, *, force: bool = False) -> tuple[str, ...]:
    """Write the folder and return the names of its files.

    Raises
    ------
    InputError, MissingExtra
        As for `simulate.store.new_directory`; the target is then as it was.
    """
    from simulate.figures.style import save
    from simulate.figures.work_precision import work_precision

    with new_directory(target, key=key_of(study), force=force) as folder:
        (folder / f"{NAME}.csv").write_text(csv_text(points, Point), encoding="utf-8")
        save(work_precision(points), folder, NAME)
        written = sorted(path.name for path in folder.iterdir())
        entries = {
            "title": "Work and precision of the methods",
            "key": key_of(study),
            "written": datetime.now(UTC).isoformat(timespec="seconds"),
            "scenario": study.settings,
            "versions": versions(),
            "points": [asdict(point) for point in points],
            "files": {name: content_hash((folder / name).read_bytes()) for name in written},
        }
        (folder / MANIFEST).write_text(manifest_text(entries), encoding="utf-8")
    return (*written, MANIFEST)
