"""Sweeps into directories: begun, interrupted at any moment, gone on with, and finished to the same bits.

A directory has

``sweep.json``
    What is asked, written first; by it the sweep can be resumed.
``parts/``
    What is solved so far, each file with a hash of its content; gone when the sweep is finished.
``results.nc``
    Everything that is kept of every patient in every arm, as described in `docs/sweeps.md`.
``quantiles.nc``, ``summary.csv``, ``changes.csv``
    Quantiles over the patients of each arm; at the first and the last time, also as a table; and the changes of each
    patient from the one to the other, summed up.
``manifest.json``
    Written last: what decided the results, what failed, and the hash of every other file.
"""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from simulate.cohort.ensemble import simulate_cohort
from simulate.errors import InputError, MissingExtra, Where, counted
from simulate.files import file_hash, write_atomically
from simulate.locks import LOCK, hold, let_go
from simulate.manifest import INPUTS, keep_inputs, seal
from simulate.store import (
    PLAN,
    check_target,
    manifest_text,
    new_directory,
    place_to_replace,
    put_in_place,
    read_manifest,
    read_plan,
    remove_dead,
    traces,
    unwritable,
)
from simulate.studies.datasets import outcome_counts
from simulate.studies.models import MODELS, keep_models
from simulate.studies.sweeps.changes import changes_table, sweep_changes
from simulate.studies.sweeps.estimates import check_memory
from simulate.studies.sweeps.gathering import gather
from simulate.studies.sweeps.parts import STOPPED_MEMBERS, Arrays, failures_of, pack, part_path, read_part, solve_part
from simulate.studies.sweeps.plans import SweepPlan
from simulate.studies.sweeps.quantiles import write_summaries
from simulate.studies.sweeps.workers import solve_in_processes

RESULTS, QUANTILES, SUMMARY, PARTS = "results.nc", "quantiles.nc", "summary.csv", "parts"
CHANGES = "changes.csv"

_LISTED = 100
"""Failures that a manifest lists one by one."""


@dataclass(slots=True)
class _Tally:
    """What is counted while parts pass by."""

    statuses: Counter[int] = field(default_factory=Counter)
    stopped: int = 0
    failures: list[list[Any]] = field(default_factory=list)

    def add(self, arrays: Arrays) -> None:
        values, counts = np.unique(arrays["status"], return_counts=True)
        self.statuses.update(dict(zip(values.tolist(), counts.tolist(), strict=True)))
        self.stopped += int(arrays[STOPPED_MEMBERS].sum())
        self.failures += failures_of(arrays)[: _LISTED - len(self.failures)]

    @property
    def counters(self) -> dict[str, int]:
        return outcome_counts(self.statuses, self.stopped)


def default_directory(plan: SweepPlan) -> Path:
    """Where a sweep is kept if the user does not say: ``runs/<name>-<first digits of the content hash>``."""
    return Path("runs") / f"{plan.request.name}-{plan.key[:8]}"


def run_sweep(
    plan: SweepPlan,
    target: Path,
    *,
    workers: int = 1,
    threads: int | None = None,
    scheduler: str | None = None,
    force: bool = False,
    progress: Callable[[int], None] | None = None,
    notify: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """Run a sweep in a directory, or go on with it; gives the manifest."""
    say = notify or (lambda text: None)
    _check(plan, target, force=force)
    if scheduler is None:
        check_memory(plan, workers=workers)
    try:
        place = _make_room(plan, target, force=force)
        lock, at = hold(place), place
        try:
            manifest = finished(place, plan.key)
            if manifest is None:
                manifest = _run(plan, place, workers, threads, scheduler, progress, say)
            elif progress is not None:
                progress(plan.rows)
            shutil.rmtree(place / PARTS, ignore_errors=True)
            if place != target:
                put_in_place(place, target, key=plan.key, force=force)
                at = target
                shutil.rmtree(place.parent, ignore_errors=True)
            return manifest
        finally:
            let_go(lock, at)
    except OSError as error:
        raise unwritable(Where(file=str(target)), error) from error


def _run(
    plan: SweepPlan,
    target: Path,
    workers: int,
    threads: int | None,
    scheduler: str | None,
    progress: Callable[[int], None] | None,
    say: Callable[[str], None],
) -> dict[str, Any]:
    """Solve what is missing and write what a finished sweep has."""
    folder = target / PARTS
    if read_plan(target) is None:
        _write_plan(plan, target)
    folder.mkdir(exist_ok=True)
    for leftover in (*traces(target), *traces(folder)):
        remove_dead(leftover)
    missing = _missing(plan, folder, say)
    _check_space(plan, target, missing)
    if missing and (told := said_of_space(plan)):
        say(told)
    advance = progress or (lambda rows: None)
    advance(sum(part.rows for index, part in enumerate(plan.parts) if index not in missing))
    for index in _solved(plan, folder, sorted(missing), workers, threads, scheduler):
        advance(plan.parts[index].rows)
    tally = _Tally()

    def part(index: int) -> Arrays:
        arrays: Arrays | None = read_part(folder, plan.key, plan.parts[index])
        if arrays is None:
            say(f"part {index} was damaged and is solved again")
            arrays = solve_part(plan, index, threads=threads)
        tally.add(arrays)
        return arrays

    gather(plan, target / RESULTS, part)
    write_summaries(target / RESULTS, target, quantiles=QUANTILES, summary=SUMMARY)
    write_atomically(target / CHANGES, changes_table(sweep_changes(target / RESULTS)).csv())
    entries = read_plan(target)
    assert entries is not None
    failures = [dict(zip(("arm", "patient", "time", "reason"), row, strict=True)) for row in tally.failures]
    return seal(
        target,
        {**entries, "counters": tally.counters, "failures": failures},
        [CHANGES, PLAN, QUANTILES, RESULTS, SUMMARY, *entries["files"]],
    )


def _check_space(plan: SweepPlan, target: Path, missing: Set[int]) -> None:
    """Refuse what the disk has no room for, before anything is solved."""
    needed = plan.row_bytes * (plan.rows + sum(plan.parts[index].rows for index in missing))
    free = shutil.disk_usage(target).free
    if needed > free:
        raise MissingExtra(
            "the disk has no room for the results",
            code="store.space",
            where=Where(file=str(target)),
            found=f"{free / 1e9:.3g} GB free",
            expected=f"{needed / 1e9:.3g} GB, of which {plan.row_bytes * plan.rows / 1e9:.3g} GB stay",
            advice="keep fewer times, such as `--at '0 d' --at '182 d'`, or choose a folder on another disk with --out",
        )


_TOLD = 1_000_000_000
"""Bytes of results from which on a sweep says beforehand how many there will be."""


def said_of_space(plan: SweepPlan) -> str:
    """How large the results will be, and how they get smaller; empty where they are small."""
    kept = plan.row_bytes * plan.rows
    if kept < _TOLD:
        return ""
    fewer = (
        f": they keep {len(plan.times)} times, and `--at` names those that are looked at" if len(plan.times) > 2 else ""
    )
    return f"{counted(plan.rows, 'trajectory')} will leave {kept / 1e9:.2g} GB, and take twice that on the way{fewer}"


def _missing(plan: SweepPlan, folder: Path, say: Callable[[str], None]) -> set[int]:
    """Parts that are not on disk, or not as they were written."""
    missing = set()
    for index in range(len(plan.parts)):
        if read_part(folder, plan.key, plan.parts[index]) is not None:
            continue
        missing.add(index)
        if part_path(folder, plan.parts[index]).exists():
            say(f"part {index} is damaged and is solved again")
    if len(missing) < len(plan.parts):
        say(f"{len(plan.parts) - len(missing)} of {len(plan.parts)} parts are there; going on")
    return missing


def _solved(
    plan: SweepPlan, folder: Path, missing: Sequence[int], workers: int, threads: int | None, scheduler: str | None
) -> Iterator[int]:
    """Solve parts, each of which is on disk when its number comes."""
    if scheduler is not None:
        from simulate.studies.sweeps.cluster import solve_on_cluster

        for index, packed in solve_on_cluster(plan, missing, scheduler=scheduler):
            write_atomically(part_path(folder, plan.parts[index]), packed)
            yield index
    elif workers > 1 and len(missing) > 1:
        # Compiled once here, and not by every worker at the same time.
        simulate_cohort(plan.study.model, plan.study.arms[:1], plan.cohort(0, 0, 1), np.array([0.0, 1e-3]), threads=1)
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        share = max(1, cores // workers) if threads is None else threads
        yield from solve_in_processes(plan, folder, missing, workers=workers, threads=share)
    else:
        for index in missing:
            arrays = solve_part(plan, index, threads=threads)
            write_atomically(part_path(folder, plan.parts[index]), pack(arrays, plan.key, plan.parts[index]))
            yield index


def finished(target: Path, key: str) -> dict[str, Any] | None:
    """Manifest of a sweep that is finished, its files as they were written; None for any other."""
    try:
        manifest = read_manifest(target)
        if manifest is None or manifest.get("key") != key:
            return None
        for name, digest in dict(manifest["files"]).items():
            if file_hash(target / str(name)) != digest:
                return None
    except (InputError, OSError, KeyError, TypeError, ValueError):
        return None
    return manifest


def _check(plan: SweepPlan, target: Path, *, force: bool) -> None:
    """Refuse a directory that has something else, and say what is different about another sweep."""
    if _is_bare(target):
        return
    found = read_plan(target)
    if found is not None and found.get("key") != plan.key and not force and not target.is_symlink():
        raise InputError(
            "the folder holds another sweep",
            code="sweep.changed",
            where=Where(file=str(target)),
            found="; ".join(_changes(found.get("resolved", {}), plan.resolved)[:5]) or "something that is not named",
            expected="the same scenario, settings, axes and version as when it was begun",
            advice="choose another folder with --out, or begin anew in this one with --force",
        )
    check_target(target, key=plan.key, force=force)


def _changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """What differs between the inputs of two runs, a phrase each."""
    before, after = flat(old), flat(new)
    phrases = []
    for name in dict.fromkeys((*before, *after)):
        if before.get(name) != after.get(name):
            phrases.append(f"`{name}` was {_brief(before.get(name))} and is {_brief(after.get(name))}")
    return phrases


def flat(inputs: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Inputs by dotted names."""
    rows: dict[str, Any] = {}
    for name, value in inputs.items():
        if isinstance(value, Mapping):
            rows |= flat(value, f"{before}{name}.")
        else:
            rows[before + str(name)] = value
    return rows


def _brief(value: object) -> str:
    if isinstance(value, list) and len(value) > 4:
        return f"{value[0]} to {value[-1]} ({len(value)} values)"
    return "absent" if value is None else str(value)[:60]


def _is_bare(target: Path) -> bool:
    """Whether a directory has nothing but what a sweep leaves that was ended before it wrote anything."""
    if target.is_symlink() or not target.is_dir():
        return False
    names = [path.name for path in target.iterdir()]
    own = {LOCK, *((INPUTS, MODELS) if LOCK in names else ())}
    return bool(names) and all(name in own or (name[:8], name[-4:]) == (".il1sim-", ".tmp") for name in names)


def _make_room(plan: SweepPlan, target: Path, *, force: bool) -> Path:
    """The directory to work in: the target, cleared of an unfinished run; or one beside it, if it has a finished one.

    A finished run stays until there is another to take its place.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    found = read_plan(target) or read_manifest(target)
    if found is None or found.get("key") == plan.key or not force:
        target.mkdir(exist_ok=True)
        return target
    if read_manifest(target) is not None:
        return place_to_replace(target, plan.key)
    with new_directory(target, key=plan.key, force=True) as folder:
        _write_plan(plan, folder)
    return target


def _write_plan(plan: SweepPlan, folder: Path) -> None:
    """Write what is asked, with the files and the model from which the same can be asked again."""
    options, study = plan.request.options, plan.study
    try:
        places = keep_inputs(folder, plan.files)
        models = keep_models(folder, {study.hypothesis: study.model})
    except BaseException:
        # Without the plan nobody would know what they are.
        for name in (INPUTS, MODELS):
            shutil.rmtree(folder / name, ignore_errors=True)
        raise
    kept = (*places.values(), *(entry["file"] for entry in models.values()))
    entries = {
        "kind": "sweep",
        "title": plan.request.title,
        "key": plan.key,
        "resolved": plan.resolved,
        "size": {"arms": len(study.arms), "patients": study.scenario.patients, "parts": len(plan.parts)},
        "part_size": max(part.rows for part in plan.parts),
        "source": plan.request.source,
        "options": asdict(options) | {"settings": [[row.key, row.value, row.origin] for row in options.settings]},
        "inputs": places,
        "models": models,
        "files": {name: file_hash(folder / name) for name in kept},
    }
    write_atomically(folder / PLAN, manifest_text(entries))
