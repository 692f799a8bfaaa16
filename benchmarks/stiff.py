"""Virtual patients of stiff published models: here, in libRoadRunner and in scikit-sundae, at equal error.

``python -m benchmarks.stiff MODELS [--patients N] [--rounds N] [--only BIOMD… …] [--out FILE]``

MODELS is a folder or a ZIP file with SBML files of BioModels. Patients are those of `benchmarks.populations`. Each
engine runs at the loosest relative tolerance, on a ladder of four steps a decade, at which no recorded value of the
first 64 patients is off by more than 1e-5 of the largest value of its output; the absolute tolerance of a state is a
thousandth of that, as a share of its largest value. The reference is libRoadRunner at 1e-11; patients of whom Rodas5P
at 1e-10 says something else by a tenth of that error are left out, for all. Then the engines take turns, and the median
of the rounds counts, in processor time of one process on one core. Needs ``libroadrunner``, ``python-libsbml`` and
``scikit-sundae``.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers.sundae import Sundae
from benchmarks.populations import Patients, Peer, assigned_from, drawn, promoted, timed
from benchmarks.sbml_suite import Files
from simulate.exchange.sbml import read_sbml
from simulate.kernels.of_model import kernel_of
from simulate.kernels.system import lower
from simulate.solver import DOPRI5, RODAS5P, Automatic, Method, Schedule, Tolerance, solve
from simulate.solver.automatic import solve_automatically

ENDS: Mapping[str, float] = {
    "BIOMD0000000005": 100.0,
    "BIOMD0000000591": 240.0,
    "BIOMD0000000313": 120.0,
    "BIOMD0000000106": 60.0,
    "BIOMD0000000009": 100.0,
    "BIOMD0000000033": 100.0,
    "BIOMD0000000362": 1000.0,
    "BIOMD0000000463": 24.0,
    "BIOMD0000000505": 10.0,
    "BIOMD0000000491": 1000.0,
}
"""Stiff models without events, smallest first, and how long each is solved in its own unit of time."""

ACCURACY, SHARE = 1e-5, 1e-3
LADDER = tuple(1e-3 * 10 ** (-step / 4) for step in range(29))
"""Relative tolerances, loosest first, down to 1e-10."""
OURS = ("automatic", "Rodas5P")
"""What stands first in the table; of each other engine it says how many times as fast as it these are."""
LOOKED_AT, POINTS = 64, 101
"""Patients on whom tolerances are found, and recorded times."""
_MOST = 100_000

Solve = Callable[[float, slice], np.ndarray]
"""Courses, shape [patient, time, output], at a relative tolerance of some patients."""


class RoadRunner(Peer):
    """A model in libRoadRunner whose states have absolute tolerances of their own."""

    def __init__(self, text: str, patients: Patients, times: np.ndarray) -> None:
        super().__init__(text)
        self.patients, self.times = patients, times
        # Enough to learn how large the amounts become.
        self._first = 1e-9 * float(np.max(np.abs(self.runner.model.getFloatingSpeciesAmounts())))
        self._states = [name for name in self.runner.model.getFloatingSpeciesIds() if self._holds(name)]
        amounts = self.solve(patients.names, patients.values[:1], self._states, times)[0]
        self._scales = _scales(amounts[None])

    def _holds(self, name: str) -> bool:
        with contextlib.suppress(RuntimeError):
            self.runner.integrator.setIndividualTolerance(name, self._first)
            return True
        return False

    def at(self, rtol: float, part: slice = slice(None)) -> np.ndarray:
        """Courses of some patients at a relative tolerance."""
        self.runner.integrator.relative_tolerance = rtol
        for name, scale in zip(self._states, self._scales, strict=True):
            self.runner.integrator.setIndividualTolerance(name, float(rtol * SHARE * scale))
        return self.solve(self.patients.names, self.patients.values[part], self.patients.outputs, self.times)


def _scales(courses: np.ndarray) -> np.ndarray:
    """Largest value of each column, the median over patients; of what is nothing a millionth of the largest."""
    scale = np.nanmedian(np.nanmax(np.abs(courses), axis=1), axis=0)
    return np.asarray(np.maximum(scale, 1e-6 * scale.max()))


def errors(found: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Largest error of each patient as a share of the largest value of each output; infinite where there is no course.

    The share is of a millionth of the largest output where an output is less: what is nothing has no digits.
    """
    scale = np.max(np.abs(reference), axis=1, keepdims=True)
    scale = np.maximum(scale, 1e-6 * scale.max(axis=2, keepdims=True))
    each = np.max(np.abs(found - reference) / scale, axis=(1, 2))
    return np.where(np.isnan(each), np.inf, each)


def loosest(error: Callable[[float], float]) -> tuple[float, float]:
    """Loosest tolerance of the ladder that is accurate enough, and its error; the tightest one if none is."""
    known: dict[int, float] = {}

    def of(step: int) -> float:
        if step not in known:
            known[step] = error(LADDER[step])
        return known[step]

    low, high = 0, len(LADDER) - 1
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if of(middle) <= ACCURACY else (middle + 1, high)
    return LADDER[low], of(low)


def _ours(kernel: Any, rows: np.ndarray, times: np.ndarray, method: Method | Automatic, rtol: float) -> Any:
    given: dict[str, Any] = dict(tolerance=Tolerance(rtol, rtol * SHARE), threads=1, max_steps=_MOST)
    schedule = Schedule.empty(len(rows))
    if isinstance(method, Automatic):
        return solve_automatically(kernel, rows, schedule, times, choice=method, **given)
    return solve(kernel, rows, schedule, times, method=method, **given)


def measured(content: bytes, times: np.ndarray, patients: int, rounds: int) -> dict[str, Any]:
    """What one model takes in each engine, and how stiff it is."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.xml"
        path.write_bytes(content)
        imported = read_sbml(path, time_unit="d")
    model = imported.model.compose()
    kernel, text = kernel_of(model), promoted(content)
    settable = Peer(text).parameters - assigned_from(text)
    cohort = drawn(imported, model, kernel, settable, patients)
    strict = _ours(kernel, cohort.rows, times, RODAS5P, 1e-10).values
    reference = RoadRunner(text, cohort, times).at(1e-11)
    agreed = errors(strict[:, :, cohort.columns], reference) <= ACCURACY / 10.0
    if not agreed.any():
        raise SystemExit("libRoadRunner and Rodas5P agree on no patient")
    cohort, reference = cohort.of(agreed), reference[agreed]
    runner = RoadRunner(text, cohort, times)
    sundae = Sundae(lower(model), cohort.rows, _scales(strict[agreed, :, : len(kernel.states)]))
    few = slice(0, LOOKED_AT)

    def ours(method: Method | Automatic, rtol: float, part: slice) -> np.ndarray:
        return _ours(kernel, cohort.rows[part], times, method, rtol).values[:, :, cohort.columns]

    engines: dict[str, Solve] = {
        "automatic": lambda rtol, part: ours(Automatic(), rtol, part),
        "Rodas5P": lambda rtol, part: ours(RODAS5P, rtol, part),
        "libRoadRunner": runner.at,
        "scikit-sundae": lambda rtol, part: sundae.solve(times, rtol, rtol * SHARE, part)[:, :, cohort.columns],
    }

    def error(engine: Solve, rtol: float) -> float:
        return float(errors(engine(rtol, few), reference[few]).max())

    tolerances = {name: loosest(lambda rtol, e=engine: error(e, rtol)) for name, engine in engines.items()}
    seconds: dict[str, list[float]] = {name: [] for name in engines}
    for _ in range(rounds):
        for name, engine in engines.items():
            seconds[name].append(timed(lambda e=engine, n=name: e(tolerances[n][0], slice(None)))[0])
    steps = [
        _ours(kernel, cohort.rows[few], times, method, tolerances["Rodas5P"][0]).counters[:, :2].sum(axis=1)
        for method in (DOPRI5, RODAS5P)
    ]
    return {
        "name": imported.model.name,
        "states": len(kernel.states),
        "end": float(times[-1]),
        "agreed": int(agreed.sum()),
        "steps": [float(np.median(part)) for part in steps],
        "engines": {
            name: {"rtol": tolerances[name][0], "error": tolerances[name][1], "seconds": statistics.median(own)}
            for name, own in seconds.items()
        },
    }


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Nothing on standard output: libraries in C warn there of every short step."""
    sys.stdout.flush()
    kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", type=Path)
    parser.add_argument("--patients", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="*", default=list(ENDS))
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    files, found = Files(asked.models), {}
    print("| model | states | steps, explicit and stiff | patients ", end="")
    print("| automatic, s | Rodas5P, s | libRoadRunner, s | times faster | scikit-sundae, s | times faster |")
    print("|---" * 10 + "|")
    for name in asked.only:
        times = np.linspace(0.0, ENDS.get(name, 10.0), POINTS)
        with _silent():
            row = found[name] = measured(files.content(f"{name}.xml"), times, asked.patients, asked.rounds)
        own_seconds = [row["engines"][method]["seconds"] for method in OURS]
        cells = [name, str(row["states"]), " and ".join(f"{steps:.0f}" for steps in row["steps"])]
        cells.append(str(row["agreed"]))
        for engine, own in row["engines"].items():
            late = "" if own["error"] <= ACCURACY else " (misses 1e-5)"
            cells.append(f"{own['seconds']:.3f} at {own['rtol']:.0e}{late}")
            if engine not in OURS:
                cells.append(" and ".join(f"{own['seconds'] / seconds:.1f}" for seconds in own_seconds))
        print(f"| {' | '.join(cells)} |", flush=True)
        if asked.out is not None:
            asked.out.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
