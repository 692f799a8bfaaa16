"""Reruns the reference model and its hypotheses in other programs, from the SBML that is written of an arm.

``python benchmarks/reruns.py [HYPOTHESIS ...] [--days N] [--options] [--copasi PYTHON] [--out FILE]``

For each hypothesis the typical patient of the scenario ``anakinra-100mg-daily`` is solved here, by libRoadRunner and by
COPASI, every day, all states and observables; what is printed is the largest difference of each program, relative to
the larger of the value and a millionth of the largest of its quantity. COPASI runs in a process of its own, of the
interpreter that ``--copasi`` names (this one if not given) and that has ``copasi-basico``. A program that is not
installed is said to be absent.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from simulate.biology.hypotheses import HYPOTHESES
from simulate.biology.options import OPTIONS
from simulate.exchange.prescribed import with_given
from simulate.exchange.sbml.writing import is_species, sbml_text
from simulate.kernels.build import build
from simulate.kernels.system import lower
from simulate.shipped import DEFAULT_HYPOTHESIS
from simulate.solver import Schedule, Tolerance, solve
from simulate.studies.prescriptions import Prescription, prescription_of
from simulate.studies.scenario import read_scenario
from simulate.studies.settings import parse_setting
from simulate.symbolic.model import Model

SCENARIO = "anakinra-100mg-daily"
FLOOR = 1e-6

COPASI = r"""
import json, sys
import basico
asked = json.load(sys.stdin)
basico.load_model_from_string(asked["text"])
found = basico.run_time_course_with_output(
    asked["names"], duration=asked["days"], intervals=asked["days"], method="deterministic", r_tol=1e-10, a_tol=1e-13,
    max_steps=1000000,
)
json.dump([found[name].tolist() for name in asked["names"]], sys.stdout)
"""


def prescription(hypothesis: str, days: int) -> Prescription:
    """The typical patient under a hypothesis, parameters as in the tables, given an injection a day."""
    settings = [f"model.hypothesis={hypothesis}", "model.fit=typical", f"time.end={days} d"]
    return prescription_of(read_scenario(SCENARIO, [parse_setting(text) for text in settings]))


def quantities(model: Model) -> list[str]:
    """All states and observables."""
    return [part.name for part in (*model.species, *model.observables)]


def here(model: Model, days: int) -> np.ndarray:
    """Values by quantity, a row each, on every day."""
    kernel = build(lower(model))
    values = {part.name: part.value for part in model.parameters}
    parameters = np.array([[values[name] for name in kernel.parameters]])
    times = np.arange(days + 1.0)
    found = solve(kernel, parameters, Schedule.empty(1), times, tolerance=Tolerance(1e-11))
    order = [found.quantities.index(name) for name in quantities(model)]
    return np.asarray(found.values[0][:, order].T)


def in_roadrunner(model: Model, text: str, days: int) -> np.ndarray:
    """As `here`, by libRoadRunner."""
    import roadrunner

    roadrunner.Logger.setLevel(roadrunner.Logger.LOG_ERROR)
    runner = roadrunner.RoadRunner(text)
    runner.integrator.relative_tolerance, runner.integrator.absolute_tolerance = 1e-12, 1e-14
    runner.integrator.setValue("maximum_num_steps", 1_000_000)
    found = np.array(runner.simulate(0.0, float(days), days + 1, ["time", *quantities(model)]))
    return np.asarray(found[:, 1:].T)


def in_copasi(model: Model, text: str, days: int, python: str) -> np.ndarray:
    """As `here`, by COPASI, which knows parts by their names: these go, so that it takes the identifiers."""
    plain = re.sub(r'(<(?:species|parameter) id="\w+" (?:metaid="\w+" )?)name="[^"]*" ', r"\1", text)
    species = {part.name for part in model.species if is_species(part)}
    names = [f"[{name}]" if name in species else f"Values[{name}]" for name in quantities(model)]
    asked = json.dumps({"text": plain, "names": names, "days": days})
    done = subprocess.run([python, "-c", COPASI], input=asked, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "COPASI ended")
    return np.array(json.loads(done.stdout))


def difference(own: np.ndarray, other: np.ndarray) -> float:
    """Largest difference, relative."""
    floor = FLOOR * np.max(np.abs(own), axis=1, keepdims=True)
    scale = np.maximum(np.abs(own), np.where(floor > 0.0, floor, 1.0))
    return float(np.max(np.abs(other - own) / scale))


def has_copasi(python: str) -> bool:
    """Whether an interpreter has COPASI."""
    return subprocess.run([python, "-c", "import basico"], capture_output=True, check=False).returncode == 0


def rerun(hypothesis: str, days: int, copasi: str | None, has_roadrunner: bool) -> dict[str, Any]:
    """Largest difference by program."""
    one = prescription(hypothesis, days)
    model = with_given(one.model, one.given)
    text = sbml_text(model, one.about)
    own = here(model, days)
    row: dict[str, Any] = {"hypothesis": hypothesis, "doses": len(one.given), "quantities": len(own)}
    if has_roadrunner:
        row["libroadrunner"] = difference(own, in_roadrunner(model, text, days))
    if copasi is not None:
        row["copasi"] = difference(own, in_copasi(model, text, days, copasi))
    return row


def main() -> None:
    """Rerun what is asked for and print a line each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("hypotheses", nargs="*", metavar="HYPOTHESIS")
    parser.add_argument("--days", type=int, default=182)
    parser.add_argument("--options", action="store_true", help="options of hypotheses too")
    parser.add_argument("--copasi", metavar="PYTHON", default=sys.executable)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    every = ["none", *(one.name for one in HYPOTHESES), DEFAULT_HYPOTHESIS]
    every += [one.name for one in OPTIONS] if asked.options else []
    copasi = asked.copasi if has_copasi(asked.copasi) else None
    has_roadrunner = importlib.util.find_spec("roadrunner") is not None
    for name, package, is_there in (
        ("libRoadRunner", "libroadrunner", has_roadrunner), ("COPASI", "copasi-basico", copasi is not None),
    ):  # fmt: skip
        if not is_there:
            print(f"{name} is absent: pip install {package}")
    rows = []
    for hypothesis in asked.hypotheses or every:
        rows.append(rerun(hypothesis, asked.days, copasi, has_roadrunner))
        print(
            "  ".join(
                f"{key} {value:.1e}" if isinstance(value, float) else str(value) for key, value in rows[-1].items()
            )
        )
        sys.stdout.flush()
    for program in ("libroadrunner", "copasi"):
        if found := [row[program] for row in rows if program in row]:
            print(f"{program}: {len(found)} reruns, largest difference {max(found):.1e}")
    if asked.out:
        asked.out.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
