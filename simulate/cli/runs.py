"""``simulate runs``: run directories listed, shown, compared, gone on with and tidied."""

from __future__ import annotations

import shlex
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from simulate.cli.console import UsageFault, ended, print_json, print_rich, print_text, progress, say, titled
from simulate.cli.options import Json
from simulate.errors import Il1simError, InputError, NotConverged, Where, counted, listed, not_among

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from simulate.results.diff import ChangedOutput, RunDiff

HOMES = (Path("runs"), Path("fits"))
"""Where runs and fits are kept if the user does not say."""


class RunsAction(StrEnum):
    """What to do with run directories."""

    LIST = "list"
    SHOW = "show"
    DIFF = "diff"
    RESUME = "resume"
    GC = "gc"
    REPEAT = "repeat"


_TAKES = {RunsAction.SHOW: 1, RunsAction.DIFF: 2, RunsAction.RESUME: 1, RunsAction.REPEAT: 1}
"""Directories that an action needs; the others take any number of folders."""


def runs(
    what: Annotated[
        str, typer.Argument(metavar="list|show|diff|repeat|resume|gc", help="What to do; list if not given.")
    ] = RunsAction.LIST.value,
    directories: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[DIR]...", help="Run directories, or folders of them; runs/ and fits/ if none."),
    ] = None,
    workers: Annotated[
        int | None, typer.Option("--workers", metavar="N", min=1, help="resume: processes that solve; 1 if not given.")
    ] = None,
    threads: Annotated[
        int | None, typer.Option("--threads", metavar="N", min=1, help="resume: threads of each.")
    ] = None,
    scheduler: Annotated[
        str | None, typer.Option("--scheduler", metavar="ADDRESS", help="resume: Dask scheduler whose workers solve.")
    ] = None,
    unfinished: Annotated[
        bool, typer.Option("--unfinished", help="gc: remove sweeps too that are not finished.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="gc: say what would be removed, and remove nothing.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="DIR", help="repeat: where to; nothing is kept if not given.")
    ] = None,
    as_json: Json = False,
) -> int:
    """List, show, compare (`diff`), repeat, resume and tidy (`gc`) run directories, of any verb.

    `diff` says which inputs differ between two runs, and which outputs did, quantity by quantity to the bit. `repeat`
    makes a run again from its directory alone, and says whether it is the same; exit code 5 if not. `gc` removes what
    killed processes left behind, and the parts of sweeps that are finished.

    \b
    simulate runs list
    simulate runs show runs/anakinra-100mg-daily-1a2b3c4d
    simulate runs diff first second
    simulate runs repeat runs/anakinra-100mg-daily-1a2b3c4d
    simulate runs resume doses --workers 2
    simulate runs gc --unfinished --dry-run
    """  # noqa: D301
    known = [str(action) for action in RunsAction]
    if what not in known:
        told = f"there is no `runs {what}`"
        if Path(what).is_dir():
            advice = f"`simulate runs list {shlex.quote(what)}`, or `simulate runs show {shlex.quote(what)}`"
            raise UsageFault(told, code="usage.argument", expected=listed(known), advice=advice)
        raise not_among(told, what, known, code="usage.argument", kind=UsageFault)
    action = RunsAction(what)
    unread = [
        name
        for name, owner, is_given in (
            ("--workers", RunsAction.RESUME, workers is not None),
            ("--threads", RunsAction.RESUME, threads is not None),
            ("--scheduler", RunsAction.RESUME, scheduler is not None),
            ("--out", RunsAction.REPEAT, out is not None),
            ("--unfinished", RunsAction.GC, unfinished),
            ("--dry-run", RunsAction.GC, dry_run),
        )
        if is_given and action is not owner
    ]
    if unread:
        raise UsageFault(
            f"the option `{unread[0]}` says nothing to `runs {action.value}`",
            code="usage.option",
            advice="leave it out",
        )
    given = directories or []
    needed = _TAKES.get(action)
    if needed is not None and len(given) != needed:
        raise UsageFault(
            f"`runs {action.value}` takes {needed} director{'y' if needed == 1 else 'ies'}",
            code="usage.argument",
            found=f"{len(given)}",
        )
    if action in (RunsAction.LIST, RunsAction.GC):
        _check_there(given)
    if action is RunsAction.LIST:
        return _list(given or HOMES, as_json)
    if action is RunsAction.SHOW:
        return _show(given[0], as_json)
    if action is RunsAction.DIFF:
        return _diff(given[0], given[1], as_json)
    if action is RunsAction.REPEAT:
        return _repeat(given[0], out, as_json)
    if action is RunsAction.GC:
        return _tidy(given or HOMES, unfinished, dry_run, as_json)
    from simulate.cli.sweep import perform
    from simulate.studies.sweeps.sweeping import planned

    return perform(
        planned(given[0]),
        given[0],
        workers=workers or 1,
        threads=threads,
        scheduler=scheduler,
        force=False,
        as_json=as_json,
    )


def _check_there(folders: Sequence[Path]) -> None:
    """Refuse a folder that is named and is not there."""
    for folder in folders:
        if not folder.exists():
            raise InputError(
                "there is no such folder",
                code="runs.none",
                where=Where(file=str(folder)),
                expected="a folder with run directories",
                advice="without a folder those in " + " and ".join(map(str, HOMES)) + " are meant",
            )


def _list(folders: Sequence[Path], as_json: bool) -> int:
    from simulate.results.catalog import records_in

    records = records_in(folders)
    if as_json:
        print_json({"runs": [asdict(record) for record in records]})
        return 0
    if not records:
        print_text("no run directories in " + ", ".join(map(str, folders)))
        return 0
    rows = [
        [
            record.directory,
            record.kind,
            record.state
            if record.parts is None
            else f"{record.state}: {record.parts[0]} of {counted(record.parts[1], 'part')}",
            _size(record.size),
            record.written or "",
            record.title,
        ]
        for record in records
    ]
    print_rich(_table(["directory", "kind", "state", "size", "written", "title"], rows))
    return 0


def _show(directory: Path, as_json: bool) -> int:
    from simulate.results.catalog import entries_of, record_of, states_of_files

    entries = entries_of(directory)
    states = states_of_files(directory, entries)
    if as_json:
        print_json({**entries, "states": states})
        return 0
    record = record_of(directory)
    assert record is not None
    state = (
        record.state
        if record.parts is None
        else f"{record.state}, {record.parts[0]} of {counted(record.parts[1], 'part')}"
    )
    lines = [record.title, f"{record.kind}, {state}, {_size(record.size)}, key {record.key}", ""]
    decided = entries.get("scenario") or entries.get("resolved") or entries.get("arguments") or {}
    asked = {**decided, **entries.get("study", {})}
    lines += [f"{name} = {_value(value)}" for name, value in _rows(asked)]
    for heading in ("counters", "versions"):
        if entries.get(heading):
            lines += ["", heading + ": " + ", ".join(f"{name} {value}" for name, value in _rows(entries[heading]))]
    if entries.get("undrawn"):
        lines += ["", "not drawn: " + ", ".join(f"{name}, {said}" for name, said in entries["undrawn"].items())]
    if states:
        lines += ["", "files: " + ", ".join(f"{name} {state}" for name, state in states.items())]
    print_text("\n".join(lines))
    return 0


def _repeat(directory: Path, out: Path | None, as_json: bool) -> int:
    from simulate.api.repeating import repeat
    from simulate.manifest import INPUTS
    from simulate.studies.models import MODELS

    found = repeat(directory, out=out, progress=progress, report=say)
    fault: Il1simError | None = None
    if found.damaged:
        fault = InputError(
            "files of the run are not as they were written",
            code="runs.damaged",
            where=Where(file=str(directory)),
            found=", ".join(f"{name} is {state}" for name, state in found.damaged.items()),
            expected="the files that the manifest names, with their bytes",
            advice="write the run anew with `--out DIR`"
            + ("" if found.differing else ": what it gives now is what they were"),
        )
    elif found.differing:
        versions = ", ".join(
            f"{name} {before or 'unknown'} is now {after or 'missing'}"
            for name, (before, after) in found.versions.items()
        )
        fault = NotConverged(
            "the run is not the same again: it was made by other versions"
            if versions
            else "the run is not the same again",
            code="runs.repeat",
            found=", ".join(found.differing) + (f"; {versions}" if versions else ""),
            expected="the same bytes in every file of results"
            + (" where all versions are the same; under others, bits may differ" if versions else ""),
            advice="`simulate runs diff` says how far apart two directories are; "
            + (
                f"the versions of then, which `simulate runs show {directory}` names, give the bits of then"
                if versions
                else "versions and sources are the same: report it to the maintainers"
            ),
        )
    if as_json:
        document = {"same": list(found.same), "differing": list(found.differing), "pictures": list(found.pictures)}
        print_json(document, fault)
    elif own := [name for name in found.same if not name.startswith((f"{INPUTS}/", f"{MODELS}/"))]:
        print_text("the same to the bit: " + ", ".join(own))
    for name in found.pictures:
        say(f"drawn otherwise: {name}")
    if out is not None:
        say(f"wrote {out}")
    return ended(fault)


_TIMES = ("end", "every")
"""Keys of a scenario whose numbers are days."""


def _rows(asked: dict[str, Any]) -> list[tuple[str, Any]]:
    rows = []
    for name, value in asked.items():
        if name == "arms":
            rows += [(f"arm `{arm['name']}`", arm["regimen"]) for arm in value]
        elif name in _TIMES and isinstance(value, float):
            rows.append((name, f"{value:g} d"))
        elif isinstance(value, dict):
            rows += [(f"{name}.{inner}", own) for inner, own in value.items()]
        else:
            rows.append((name, value))
    return rows


def _diff(first: Path, second: Path, as_json: bool) -> int:
    from simulate.results.diff import diff_runs

    found = diff_runs(first, second)
    if as_json:
        import json
        import math

        # JSON has no infinity: a number on one side alone has no largest difference.
        document = asdict(found)
        for effect in document["effects"]:
            for name, value in effect.items():
                if isinstance(value, float) and not math.isfinite(value):
                    effect[name] = None
        print_json(json.loads(json.dumps(document)))
        return 0
    for heading, changes in (("inputs", found.changes), ("versions", found.versions)):
        if changes:
            rows = [[change.name, _value(change.before), _value(change.after)] for change in changes]
            print_rich(_table([heading, str(first), str(second)], rows))
    print_text(_conclusion(found))
    if any(effect.different for effect in found.effects):
        rows = [_effect(effect) for effect in found.effects if effect.different]
        heads = ["quantity", "numbers that differ", "in arms", "largest difference", "where", "from", "to"]
        print_rich(_table(heads, rows))
    for line in found.only:
        print_text(line)
    return 0


def _conclusion(found: RunDiff) -> str:
    """Which input changed which output, as far as two runs can tell."""
    changed = [effect.quantity for effect in found.effects if effect.different]
    same = [effect.quantity for effect in found.effects if not effect.different]
    names = [change.name for change in (*found.causes, *found.versions)]
    if not found.changes and not names:
        cause = "what was asked is the same"
        return f"{cause}, and so is every number" if not changed else f"{cause}, but numbers differ"
    if not found.effects:
        return "no number can be compared: the two have no quantity, and no row of a table, in common"
    if not any(effect.values for effect in found.effects):
        return "no number can be compared: the two have no arm, or no patient or time, in common"
    if not names and not changed:
        return "every number that both have is the same"
    names = names or [change.name for change in found.changes]
    cause = f"`{names[0]}`" if len(names) == 1 else f"{len(names)} inputs together"
    text = f"{cause} changed " + (", ".join(changed) if changed else "no number")
    if changed and same:
        text += "; the same to the bit: " + ", ".join(same)
    if len(names) > 1 and changed:
        text += "\nto tell the inputs apart, make runs that differ in one of them"
    return text


def _effect(effect: ChangedOutput) -> list[str]:
    unit = "" if effect.unit == "1" else f" {effect.unit}"
    return [
        effect.quantity,
        f"{effect.different} of {effect.values}",
        str(len(effect.arms)),
        f"{100 * effect.largest:.3g} %",
        str(effect.arm) if effect.day is None else f"{effect.arm}, patient {effect.patient}, day {effect.day:g}",
        f"{effect.before:.6g}{unit}",
        f"{effect.after:.6g}{unit}",
    ]


def _tidy(folders: Sequence[Path], unfinished: bool, dry_run: bool, as_json: bool) -> int:
    from simulate.results.catalog import leftovers, remove

    found = leftovers(folders, unfinished=unfinished)
    freed = 0 if dry_run else sum(remove(path) for path in found)
    if as_json:
        print_json(
            {"removed": [] if dry_run else list(map(str, found)), "found": list(map(str, found)), "freed": freed}
        )
        return 0
    for path in found:
        print_text(f"{'would remove' if dry_run else 'removed'} {path}")
    if not dry_run:
        print_text(f"{_size(freed)} freed")
    return 0


def _size(size: int) -> str:
    for name, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= factor:
            return f"{size / factor:.3g} {name}"
    return f"{size} B"


def _value(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, list) and len(value) > 6:
        return f"{value[0]} to {value[-1]} ({len(value)} values)"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    table = titled(None, pad_edge=False)
    for head in heads:
        table.add_column(head, overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table
