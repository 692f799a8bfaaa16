"""Counts the starts and seconds of the processor that fits of published problems take to the best that is known.

``python benchmarks/petab_fits.py PROBLEMS [--only NAME ...] [--starts N] [--seconds S] [--out FILE]``

PROBLEMS is a folder or a ZIP file with ``…/NAME/NAME.yaml``. What is known is the log-likelihood at the nominal
parameters of a problem, which are those that its paper or the collection gives as the best, and where a descent from
there ends. A start has reached it that ends at most 0.1 below the former. All N go side by side; when S seconds of the
processor are spent, those that have not ended are left out.
"""

from __future__ import annotations

import argparse
import collections
import json
import tempfile
import time
import zipfile
from pathlib import Path
from typing import Any

from petab_benchmarks import problems_of

from simulate.errors import Il1simError
from simulate.exchange.petab.reading import read_petab
from simulate.inference.descent import descending, together
from simulate.studies.petab.fitting import NEAR, FitStart, fit_objective
from simulate.studies.petab.objective import objective_of
from simulate.studies.petab.slopes import slopes_of, values_of


class EnoughError(Exception):
    """The seconds are spent."""


def reached(path: Path, starts: int, seconds: float, seed: int) -> dict[str, Any]:
    """What starts of a problem end at, beside what is known."""
    objective = objective_of(read_petab(path), threads=1)
    point = objective.nominal()
    score = objective(point)
    descents = {0: descending(point, objective.bounds())}
    ((_, near),) = together(descents, values_of(objective), slopes_of(objective))
    known = score.total
    ends: list[tuple[float | None, float, int]] = []
    reasons: collections.Counter[str] = collections.Counter()
    began = time.process_time()

    def told(row: FitStart) -> None:
        ends.append((row.log_posterior, time.process_time() - began, row.evaluations))
        reasons[row.ended] += 1
        if time.process_time() - began > seconds:
            raise EnoughError

    try:
        fit_objective(objective, starts=starts, seed=seed, told=told)
    except EnoughError:
        pass
    solved = [value for value, _, _ in ends if value is not None]
    best = max(solved, default=None)
    hits = [number for number, (value, _, _) in enumerate(ends) if value is not None and value >= known - NEAR]
    return {
        "parameters": len(point),
        "measurements": len(objective.problem.measurements),
        "nominal": known,
        "from_nominal": -near.value,
        "best": best,
        "starts": len(ends),
        "reached": len(hits),
        "of_best": sum(value >= best - NEAR for value in solved) if best is not None else 0,
        "first_start": hits[0] + 1 if hits else None,
        "first_seconds": ends[hits[0]][1] if hits else None,
        "seconds": time.process_time() - began,
        "evaluations": sum(count for _, _, count in ends),
        "ended": dict(reasons),
        "ends": [value for value, _, _ in ends],
    }


def sentence(row: dict[str, Any]) -> str:
    """A row in words."""
    first = f", first start {row['first_start']} at {row['first_seconds']:.0f} s" if row["first_start"] else ""
    best = "none" if row["best"] is None else f"{row['best']:.4f}"
    return (
        f"{row['parameters']} parameters; nominal {row['nominal']:.4f}, a descent from there "
        f"{row['from_nominal']:.4f}, best {best}; {row['reached']} of "
        f"{row['starts']} starts reached the nominal{first}; {row['of_best']} the best; {row['seconds']:.0f} s, "
        f"{row['seconds'] / row['starts']:.2f} a start"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("problems", type=Path)
    parser.add_argument("--only", nargs="+", default=[])
    parser.add_argument("--starts", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=1000.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    rows = {}
    with tempfile.TemporaryDirectory() as scratch:
        folder = given.problems
        if folder.is_file():
            with zipfile.ZipFile(folder) as archive:
                archive.extractall(scratch)
            folder = Path(scratch)
        for path in problems_of(folder):
            if given.only and path.stem not in given.only:
                continue
            try:
                row = reached(path, given.starts, given.seconds, given.seed)
            except Il1simError as error:
                print(f"{path.stem}: refused: {error}", flush=True)
                continue
            rows[path.stem] = row
            print(f"{path.stem}: {sentence(row)}", flush=True)
            if given.out is not None:
                given.out.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
