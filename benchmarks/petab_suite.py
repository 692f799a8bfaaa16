"""Counts how many cases of the PEtab test suite come out right.

``python benchmarks/petab_suite.py CASES [--only VERSION/ID ...] [--gradients] [--rewritten] [--out FILE]``

CASES is the suite as a folder or a ZIP file: ``…/v1.0.0/sbml/0001/_0001.yaml`` with its tables, model and solution.
A case passes if log-likelihood, chi-squared and all simulated values are within the suite's own tolerances; it is
refused if the program says why it cannot be taken; otherwise it is wrong. With ``--gradients`` the gradient of each
case is held against differences of the objective as well; with ``--rewritten`` each case is written as a problem of
version 2, and what is judged is that.
"""

from __future__ import annotations

import argparse
import collections
import csv
import json
import re
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np

from simulate.errors import Il1simError
from simulate.exchange.petab.reading import read_petab
from simulate.exchange.petab.yamltext import read_yaml
from simulate.studies.petab.objective import Objective, objective_of
from simulate.studies.petab.restating import objective_in, restated

CASE = re.compile(r"v(\d)\.\d\.\d/(\w+)/(\d{4})/_\d{4}\.yaml$")


def cases_of(folder: Path) -> list[tuple[str, Path]]:
    """Names and files of all cases."""
    found = []
    for path in sorted(folder.rglob("*.yaml")):
        match = CASE.search(path.as_posix())
        if match:
            found.append((f"v{match[1]}/{match[2]}/{match[3]}", path))
    return found


def verdict_on(path: Path, gradients: bool, rewritten: bool) -> tuple[str, str]:
    """Verdict on a case, and what there is to say."""
    solution = read_yaml(path.with_name(f"{path.stem}_solution.yaml")).table()
    try:
        if rewritten:
            objective = objective_in(restated(path, "problem.yaml").files, "problem.yaml")
        else:
            objective = objective_of(read_petab(path))
        score = objective(objective.nominal())
    except Il1simError as error:
        return "refused", f"{error.code}: {error.what}"
    told = {"llh": score.log_likelihood, "chi2": score.chi2}
    if "unnorm_log_posterior" in solution:
        told["unnorm_log_posterior"] = score.total
    off = [
        f"{name} {value:.6g}, not {solution[name].text()}"
        for name, value in told.items()
        if not abs(value - float(solution[name].text())) <= float(solution[f"tol_{name}"].text())
    ]
    expected = np.concatenate(
        [simulations(path.parent / entry.text()) for entry in solution["simulation_files"].items()]
    )
    distance = np.abs(score.simulated - expected).max()
    if not distance <= float(solution["tol_simulations"].text()):
        off.append(f"simulated values off by {distance:.3g}")
    if gradients and not off:
        try:
            off = gradient_faults(objective)
        except Il1simError as error:
            return "passed", f"without a gradient: {error.what}"
    return ("wrong", "; ".join(off)) if off else ("passed", "")


def simulations(path: Path) -> np.ndarray:
    """Expected values, in the order of the measurements."""
    with path.open(newline="") as file:
        return np.array([float(row["simulation"]) for row in csv.DictReader(file, delimiter="\t")])


def gradient_faults(objective: Objective, step: float = 1e-5, tolerance: float = 1e-4) -> list[str]:
    """Parameters whose derivative is not that of differences of the objective."""
    point = objective.nominal()
    found = objective(point, gradient=True).gradient
    faults = []
    for place, parameter in enumerate(objective.problem.estimated):
        moved = [point.copy(), point.copy()]
        moved[0][place] -= step
        moved[1][place] += step
        low, high = (objective(one).total for one in moved)
        slope = (high - low) / (2.0 * step)
        if not abs(found[place] - slope) <= tolerance * (1.0 + abs(slope)):
            faults.append(f"derivative by {parameter.id} {found[place]:.6g}, by differences {slope:.6g}")
    return faults


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", type=Path)
    parser.add_argument("--only", nargs="+", default=[])
    parser.add_argument("--gradients", action="store_true")
    parser.add_argument("--rewritten", action="store_true")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = given.cases
        if folder.is_file():
            with zipfile.ZipFile(folder) as archive:
                archive.extractall(scratch)
            folder = Path(scratch)
        verdicts = {}
        for name, path in cases_of(folder):
            if given.only and name not in given.only and name.split("/")[0] not in given.only:
                continue
            verdict, reason = verdict_on(path, given.gradients, given.rewritten)
            verdicts[name] = {"verdict": verdict, "reason": reason}
            print(f"{name} {verdict}{': ' + reason if reason else ''}", flush=True)
    counts = collections.Counter(one["verdict"] for one in verdicts.values())
    print(", ".join(f"{counts[verdict]} {verdict}" for verdict in ("passed", "refused", "wrong")))
    if given.out is not None:
        given.out.write_text(json.dumps(verdicts, indent=1) + "\n", encoding="utf-8")
    sys.exit(counts["wrong"] > 0)


if __name__ == "__main__":
    main()
