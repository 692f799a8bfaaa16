"""Holds likelihoods of published estimation problems against those of AMICI.

``python benchmarks/petab_benchmarks.py PROBLEMS [--only NAME ...] [--gradients]``

PROBLEMS is a folder or a ZIP file with ``…/NAME/NAME.yaml`` and ``amici-reference-llh.yaml``. The log-likelihood at the
nominal parameters is to agree to 1e-3; a problem without a reference value is held against its table of simulations,
by the largest difference in units of the noise.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
import time
import zipfile
from pathlib import Path

import numpy as np

from simulate.errors import Il1simError
from simulate.exchange.petab.reading import read_petab
from simulate.exchange.petab.yamltext import read_yaml
from simulate.studies.petab.objective import Objective, Score, objective_of

TOLERANCE = 1e-3


def problems_of(folder: Path) -> list[Path]:
    """Files of all problems."""
    return [path for path in sorted(folder.rglob("*.yaml")) if path.stem == path.parent.name]


def compared(path: Path, reference: float | None, score: Score) -> str:
    """A sentence on how near a score is to what is known."""
    parts = []
    if reference is not None:
        off = abs(score.log_likelihood - reference)
        parts.append(f"AMICI {reference:.6f}, off {off:.2g}: {'agrees' if off <= TOLERANCE else 'MISSES'}")
    tables = list(path.parent.glob("simulatedData_*.tsv"))
    if tables:
        with tables[0].open(newline="", encoding="utf-8-sig") as file:
            expected = np.array([float(row["simulation"]) for row in csv.DictReader(file, delimiter="\t")])
        if len(expected) == len(score.simulated):
            off = np.abs(score.simulated - expected) / np.maximum(np.abs(expected), 1e-6 * np.abs(expected).max())
            parts.append(f"simulations off by {off.max():.2g} of their value at most, median {np.median(off):.2g}")
    return "; ".join(parts)


def slope_of(objective: Objective, point: np.ndarray, place: int) -> float:
    """Central difference of the objective, of the step with which it changes least; NaN where there is none."""
    found = []
    for share in 10.0 ** -np.arange(4.0, 10.0):
        step = share * (abs(point[place]) or 1.0)
        moved = [point.copy(), point.copy()]
        moved[0][place] -= step
        moved[1][place] += step
        try:
            found.append((objective(moved[1]).total - objective(moved[0]).total) / (2.0 * step))
        except Il1simError:
            found.append(np.nan)
    change = np.abs(np.diff(found))
    return float("nan") if np.isnan(change).all() else float(found[int(np.nanargmin(change)) + 1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("problems", type=Path)
    parser.add_argument("--only", nargs="+", default=[])
    parser.add_argument("--gradients", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = given.problems
        if folder.is_file():
            with zipfile.ZipFile(folder) as archive:
                archive.extractall(scratch)
            folder = Path(scratch)
        (known,) = folder.rglob("amici-reference-llh.yaml")
        reference = {name: float(entry.table()["llh"].text()) for name, entry in read_yaml(known).table().items()}
        for path in problems_of(folder):
            if given.only and path.stem not in given.only:
                continue
            began = time.perf_counter()
            try:
                objective = objective_of(read_petab(path))
                point = objective.nominal()
                score = objective(point)
                middle = time.perf_counter()
                objective(point)
                again = time.perf_counter() - middle
                print(
                    f"{path.stem}: {score.log_likelihood:.6f}; {compared(path, reference.get(path.stem), score)}; "
                    f"first {middle - began:.1f} s, then {again:.3f} s",
                    flush=True,
                )
                if given.gradients:
                    middle = time.perf_counter()
                    objective(point, gradient=True)
                    first = time.perf_counter() - middle
                    middle = time.perf_counter()
                    own = objective(point, gradient=True).gradient
                    again = time.perf_counter() - middle
                    slopes = np.array([slope_of(objective, point, place) for place in range(len(point))])
                    off = np.abs(own - slopes) / (1.0 + np.abs(slopes))
                    print(
                        f"  gradient first {first:.1f} s, then {again:.3f} s; off by {np.nanmax(off):.2g}", flush=True
                    )
                    if unknown := int(np.isnan(off).sum()):
                        print(f"  {unknown} without a difference: beside it the model has no solution", flush=True)
            except Il1simError as error:
                print(f"{path.stem}: refused: {error}", flush=True)


if __name__ == "__main__":
    main()
