"""Counts how many cases of the SBML semantic test suite, or of BioModels with agreed courses, come out right.

``python benchmarks/sbml_suite.py CASES [--consensus FILE] [--jobs N] [--only ID ...] [--out FILE]``

CASES is a folder or a ZIP file: of the semantic suite (``00001/00001-sbml-l3v2.xml``, settings, results), or, with
``--consensus``, of models (``BIOMD….xml``) whose agreed amounts of species are in that folder or ZIP file, at 21 times.
Each case passes, is refused or fails with a reason (the engine says so), or is wrong. The suite is judged by its own
tolerances; BioModels by 1e-4 relative, with a floor for states near zero.
"""

from __future__ import annotations

import argparse
import collections
import csv
import io
import json
import multiprocessing
import re
import signal
import sys
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from simulate.errors import InputError
from simulate.exchange.sbml import Imported, read_sbml
from simulate.kernels.of_model import kernel_of
from simulate.solver.automatic import Automatic, solve_automatically
from simulate.solver.problem import Schedule, Tolerance
from simulate.symbolic.model import Model

LEVELS = ("l3v2", "l3v1", "l2v5", "l2v4", "l2v3", "l2v2", "l2v1", "l1v2")
RELATIVE, FLOOR = 1e-4, 1e-6


class Course:
    """A model that was read, and its course at some times."""

    def __init__(self, path: Path, times: np.ndarray, rtol: float, start: float = 0.0) -> None:
        self.imported: Imported = read_sbml(path, time_unit="d", fluxes=True)
        self.model: Model = self.imported.model.compose()
        kernel = kernel_of(self.model)
        self.values = {part.name: part.value for part in self.model.parameters}
        parameters = np.array([[self.values[name] for name in kernel.parameters]])
        self.found = solve_automatically(
            kernel, parameters, Schedule.empty(1), times, tolerance=Tolerance(rtol), choice=Automatic(), threads=1,
            max_steps=1_000_000, start=start,
        )  # fmt: skip
        if self.found.failures:
            raise Failed(self.found.failures[0].reason)

    def of(self, identifier: str) -> np.ndarray | float:
        """Course of an identifier in its own meaning."""
        name = self.imported.names.get(identifier, identifier)
        if name in self.found.quantities:
            return self.found.values[0, :, self.found.quantities.index(name)]
        if name in self.values:
            return self.values[name]
        if identifier in self.imported.constants:
            return self.imported.constants[identifier]
        raise Failed(f"nothing is known of `{identifier}`")

    def amount(self, identifier: str) -> np.ndarray | float:
        """Course of the amount of a species."""
        own = self.of(identifier)
        return own * self._volume(identifier) if identifier in self.imported.concentrations else own

    def concentration(self, identifier: str) -> np.ndarray | float:
        """Course of the concentration of a species."""
        own = self.of(identifier)
        return own if identifier in self.imported.concentrations else own / self._volume(identifier)

    def _volume(self, identifier: str) -> np.ndarray | float:
        try:
            return self.of(self.imported.compartments[identifier])
        except Failed:
            return 1.0


class Failed(Exception):
    """The engine gives no numbers and says why."""


class Files:
    """Files of a folder or of a ZIP file, by their names without folders; several of one name by their first."""

    def __init__(self, place: Path) -> None:
        self.place = place
        if place.is_dir():
            paths = [str(path) for path in sorted(place.rglob("*")) if path.is_file()]
        else:
            with zipfile.ZipFile(place) as archive:
                paths = [name for name in archive.namelist() if not name.endswith("/")]
        self.paths = paths
        self.names: dict[str, str] = {}
        for path in paths:
            self.names.setdefault(path.rsplit("/", 1)[-1], path)

    def content(self, name: str) -> bytes:
        """Content of a file."""
        path = self.names.get(name, name)
        if self.place.is_dir():
            return Path(path).read_bytes()
        with zipfile.ZipFile(self.place) as archive:
            return archive.read(path)

    def beside(self, name: str) -> list[str]:
        """Paths of all files in the folder of a file."""
        folder = self.names[name].rpartition("/")[0]
        return [path for path in self.paths if path.rpartition("/")[0] == folder]


def table(content: bytes) -> tuple[list[str], np.ndarray]:
    """Names and numbers of a CSV file."""
    rows = [row for row in csv.reader(io.StringIO(content.decode("utf-8-sig"))) if row]
    names = [name.strip() for name in rows[0]]
    return names, np.array([[_float(cell) for cell in row[: len(names)]] for row in rows[1:]])


def _float(text: str) -> float:
    return {"INF": np.inf, "-INF": -np.inf, "NaN": np.nan}.get(text.strip()) or float(text)


def settings_of(content: bytes) -> dict[str, str]:
    """Settings of a case of the suite."""
    found = {}
    for line in content.decode("utf-8-sig").splitlines():
        key, colon, value = line.partition(":")
        if colon:
            found[key.strip()] = value.strip()
    return found


def suite_case(files: Files, case: str) -> tuple[str, str]:
    """Verdict on a case of the semantic suite."""
    settings = settings_of(files.content(f"{case}-settings.txt"))
    names, expected = table(files.content(f"{case}-results.csv"))
    if not settings.get("duration"):
        settings["duration"] = settings["start"] = "0"
    level = next((level for level in LEVELS if f"{case}-sbml-{level}.xml" in files.names), None)
    if level is None:
        return "refused", "no model"
    times = expected[:, 0]
    with tempfile.TemporaryDirectory() as folder:
        for path in files.beside(f"{case}-settings.txt"):
            if path.endswith(".xml"):
                (Path(folder) / path.rsplit("/", 1)[-1]).write_bytes(files.content(path))
        start = float(settings.get("start") or 0.0)
        course = Course(Path(folder) / f"{case}-sbml-{level}.xml", np.maximum(times, start), 1e-9, start)
    amounts, concentrations = (
        {name.strip() for name in settings.get(key, "").split(",")} for key in ("amount", "concentration")
    )
    absolute, relative = float(settings.get("absolute") or 1e-9), float(settings.get("relative") or 1e-6)
    worst = ""
    for column, name in enumerate(names[1:], start=1):
        if name in amounts and name in course.imported.compartments:
            found = course.amount(name)
        elif name in concentrations and name in course.imported.compartments:
            found = course.concentration(name)
        else:
            found = course.of(name)
        wanted = expected[:, column]
        found = np.broadcast_to(np.asarray(found, dtype=float), wanted.shape)
        bad = ~(np.abs(found - wanted) <= absolute + relative * np.abs(wanted)) & ~(np.isnan(found) & np.isnan(wanted))
        bad &= found != wanted
        if bad.any() and not worst:
            place = int(np.argmax(bad))
            worst = f"{name} at {times[place]:g}: {found[place]!r}, expected {wanted[place]!r} ({bad.sum()} times)"
    return ("wrong", worst) if worst else ("pass", "")


def biomodel(files: Files, consensus: Files, case: str) -> tuple[str, str]:
    """Verdict on a model whose course others agree on."""
    name = next(name for name in consensus.names if name.startswith(case))
    names, expected = table(consensus.content(name))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{case}.xml"
        path.write_bytes(files.content(f"{case}.xml"))
        course = Course(path, expected[:, 0], 1e-8)
    worst, size = "", 0.0
    for column, identifier in enumerate(names[1:], start=1):
        wanted = expected[:, column]
        species = identifier in course.imported.compartments
        found = course.amount(identifier) if species else course.of(identifier)
        found = np.broadcast_to(np.asarray(found, dtype=float), wanted.shape)
        scale = np.maximum(np.abs(wanted), FLOOR * np.max(np.abs(wanted), initial=0.0))
        error = np.abs(found - wanted) / np.maximum(scale, 1e-300)
        error = np.where(found == wanted, 0.0, error)
        error = np.where(np.abs(found - wanted) <= 1e-12 * np.max(np.abs(expected[:, 1:])), 0.0, error)
        if not np.all(error <= RELATIVE) and not np.nanmax(error) <= size:
            place = int(np.nanargmax(error))
            size = float(np.nanmax(error))
            worst = f"{identifier} at {expected[place, 0]:g}: {found[place]!r}, expected {wanted[place]!r}"
    return ("wrong", worst) if worst else ("pass", "")


def judged(task: tuple[Callable[[], tuple[str, str]], int]) -> tuple[str, str]:
    """Verdict, or why there is none."""
    work, seconds = task

    ended = False

    def late(*_: Any) -> None:
        nonlocal ended
        ended = True
        raise TimeoutError

    # Of the processor, whatever else the machine does.
    signal.signal(signal.SIGPROF, late)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        return work()
    except InputError as error:
        return "refused", f"{error.code}: {error.what}"
    except Failed as error:
        return "failed", str(error)
    except Exception as error:
        # In the midst of compiling the exception may be lost, and another come of that.
        if ended:
            return "failed", f"no result after {seconds} s of the processor"
        return "crash", f"{type(error).__name__}: {error}"[:300]
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


class Task:
    """A case by name, for another process."""

    def __init__(self, cases: Path, consensus: Path | None, seconds: int) -> None:
        self.cases, self.consensus, self.seconds = cases, consensus, seconds

    def __call__(self, case: str) -> tuple[str, str, str]:
        """Case, verdict, reason."""
        files = Files(self.cases)
        if self.consensus is None:
            verdict = judged((lambda: suite_case(files, case), self.seconds))
        else:
            consensus = Files(self.consensus)
            verdict = judged((lambda: biomodel(files, consensus, case), self.seconds))
        return case, *verdict


def cases_of(cases: Path, consensus: Path | None) -> list[str]:
    """Names of the cases."""
    names = Files(cases if consensus is None else consensus).names
    pattern = r"(\d{5})-settings\.txt" if consensus is None else r"(.+?)__t10\.csv"
    return sorted({match[1] for name in names if (match := re.fullmatch(pattern, name))})


def summary(found: Mapping[str, tuple[str, str]]) -> str:
    """Counts, and the most frequent reasons."""
    counts = collections.Counter(verdict for verdict, _ in found.values())
    reasons = collections.Counter(
        (verdict, re.sub(r"`[^`]*`", "`…`", reason)) for verdict, reason in found.values() if verdict == "refused"
    )
    lines = [f"{len(found)} cases: " + ", ".join(f"{count} {verdict}" for verdict, count in counts.most_common())]
    lines += [f"  {count:5d} {reason}" for (_, reason), count in reasons.most_common(40)]
    return "\n".join(lines)


def main() -> None:
    """Count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", type=Path)
    parser.add_argument("--consensus", type=Path)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--seconds", type=int, default=120, help="processor time that a case may take")
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--every", type=int, default=1, help="only each so many-th case")
    parser.add_argument("--least", type=float, default=0.0, help="percent that must pass")
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    cases = asked.only or cases_of(asked.cases, asked.consensus)[:: asked.every]
    found: dict[str, tuple[str, str]] = {}
    with multiprocessing.get_context("spawn").Pool(asked.jobs, maxtasksperchild=100) as pool:
        for case, verdict, reason in pool.imap_unordered(Task(asked.cases, asked.consensus, asked.seconds), cases):
            found[case] = (verdict, reason)
            if verdict not in ("pass", "refused"):
                print(case, verdict, reason, flush=True)
            if asked.out is not None:
                asked.out.write_text(json.dumps(found, indent=0))
    if asked.out is not None:
        asked.out.write_text(json.dumps(found, indent=0, sort_keys=True))
    print(summary(found))
    verdicts = [verdict for verdict, _ in found.values()]
    is_wrong = "wrong" in verdicts or "crash" in verdicts
    sys.exit(is_wrong or verdicts.count("pass") < asked.least / 100.0 * len(verdicts))


if __name__ == "__main__":
    main()
