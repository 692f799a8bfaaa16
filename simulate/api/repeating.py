"""Runs repeated from their directories."""

from __future__ import annotations

import contextlib
import inspect
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from simulate.api.verb import worded
from simulate.errors import InputError, Where
from simulate.inputs import given
from simulate.verbs import verbs
from simulate.watching import Progress, Report, quiet

__all__ = ["RepeatedRun", "repeat"]


@dataclass(frozen=True, slots=True)
class RepeatedRun:
    """How a run compares with the same run again.

    Attributes
    ----------
    same, differing
        Files of results whose bytes are the same, and those whose bytes differ or that only one of the two has.
    pictures
        Figures that differ, as they may under another version of what draws.
    damaged
        Files of the directory that are not as they were written, and whether each is ``changed`` or ``missing``: the
        run is compared with what they were.
    versions
        What has another version than when the run was made: its version then, and now.
    """

    same: tuple[str, ...]
    differing: tuple[str, ...]
    pictures: tuple[str, ...]
    damaged: Mapping[str, str]
    versions: Mapping[str, tuple[str | None, str | None]]


@worded
def repeat(
    directory: str | Path,
    *,
    out: str | Path | None = None,
    force: bool = False,
    progress: Progress = quiet,
    report: Report | None = None,
) -> RepeatedRun:
    """Make a run again from its directory alone, and compare it file by file.

    Parameters
    ----------
    directory
        Run directory of any verb.
    out, force
        Where the new one is written, and whether another run there may be replaced; nothing is kept if not given.
    progress, report
        What shows how far the work is, and what is told about it.

    Raises
    ------
    InputError
        ``runs.none``: there is no run. ``runs.unfinished``: it is a sweep that is not finished. ``runs.asked``: it was
        asked what this version does not know. ``runs.changed``: a file that was read is not as it was.
    """
    from simulate.manifest import kept_inputs
    from simulate.results.catalog import entries_of, states_of_files
    from simulate.store import read_manifest

    folder = Path(directory)
    entries = entries_of(folder)
    if "files" not in entries:
        raise InputError(
            "the sweep is not finished",
            code="runs.unfinished",
            where=Where(file=str(folder)),
            advice=f"go on with it first: `simulate runs resume {folder}`",
        )
    with contextlib.ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "again"
        target = scratch if out is None else Path(out)
        stack.enter_context(given(kept_inputs(folder, entries)))
        _again(folder, entries, target, force=force, progress=progress, report=report)
        again = read_manifest(target)
        assert again is not None
    states = states_of_files(folder, entries)
    return _compared(entries, again, {name: state for name, state in states.items() if state != "whole"})


def _again(
    folder: Path, entries: Mapping[str, Any], target: Path, *, force: bool, progress: Progress, report: Report | None
) -> None:
    """Ask what a directory was asked, into another."""
    from simulate.results.provenance import UNASKED
    from simulate.results.rebuilt import settings_of

    kind = str(entries["kind"])
    # What a stranger may have added: a folder to be written, and leave to replace what is there.
    arguments = {name: value for name, value in dict(entries.get("arguments", {})).items() if name not in UNASKED}
    if kind == "sweep":
        from simulate.studies.sweeps.running import run_sweep
        from simulate.studies.sweeps.sweeping import planned

        plan = planned(folder)
        with progress(plan.rows, "simulating") as advance:
            run_sweep(plan, target, force=force, progress=advance, notify=report)
        return
    if "settings" in arguments:
        arguments["settings"] = settings_of(arguments)
    if kind == "dose-response":
        from simulate.studies.dose_response.responses import request_of

        try:
            arguments["request"] = request_of(arguments["request"])
        except (KeyError, TypeError, AttributeError) as error:
            raise _not_known(folder, f"`{error.args[0]}`" if isinstance(error, KeyError) else None) from None
    function = _function_of(kind, arguments)
    if function is None:
        raise _not_known(folder, f"`{kind[:40]}`" if kind.isprintable() else None)
    known = inspect.signature(function).parameters
    needed = {name for name, one in known.items() if one.default is one.empty}
    strange = sorted(({*arguments} - {*known}) | (needed - {*arguments}))
    if strange:
        raise _not_known(folder, ", ".join(f"`{name[:40]}`" for name in strange if name.isprintable()))
    of_work: dict[str, Any] = {"progress": progress, "report": report}
    if kind == "fit":
        of_work["figures"] = _has_pictures(entries)
    options = {name: what for name, what in of_work.items() if name in known}
    if kind == "fit":
        function(**arguments, out=target, **options)
        return
    function(**arguments, **options).write(target, force=force, figures=_has_pictures(entries))


def _function_of(kind: str, arguments: Mapping[str, Any]) -> Callable[..., Any] | None:
    """What gives the `Result` of a kind of run: the function of its verb, or one behind it; None if there is none."""
    from simulate.api import comparing, estimating, simulating, varying

    behind: dict[str, Callable[..., Any]] = {
        "calibrate-choice": comparing.calibrate_choice,
        "dose-response": varying.responded,
        "run": simulating.simulated,
        "side-by-side": simulating.side_by_side,
    }
    if kind == "fit" and "problem" in arguments:
        return estimating.fit_problem
    if kind in behind:
        return behind[kind]
    verb = verbs().get(kind)
    if verb is None or verb.api is None:
        return None
    function: Callable[..., Any] = getattr(import_module(verb.api), verb.word)
    # No other verb leaves a directory, and a stranger may have written the name of any.
    return function if str(inspect.signature(function).return_annotation).startswith("Result[") else None


def _not_known(folder: Path, found: str | None) -> Exception:
    return InputError(
        "the run was asked in a way that this version does not know",
        code="runs.asked",
        where=Where(file=str(folder)),
        found=found,
        advice=f"repeat it with the version that made it, which `simulate runs show {folder}` names",
    )


def _has_pictures(entries: Mapping[str, Any]) -> bool:
    return any(name.endswith(".png") for name in entries["files"])


def _compared(before: Mapping[str, Any], after: Mapping[str, Any], damaged: Mapping[str, str]) -> RepeatedRun:
    left, right = before["files"], after["files"]
    names = sorted({*left, *right})
    other = [name for name in names if left.get(name) != right.get(name)]
    is_picture = {name: name.endswith((".png", ".svg")) for name in names}
    old, new = before.get("versions", {}), after["versions"]
    return RepeatedRun(
        tuple(name for name in names if name not in other and name not in damaged and not is_picture[name]),
        tuple(name for name in other if not is_picture[name]),
        tuple(name for name in other if is_picture[name]),
        damaged,
        {name: (old.get(name), new.get(name)) for name in sorted({*old, *new}) if old.get(name) != new.get(name)},
    )
