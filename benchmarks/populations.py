"""Virtual patients of published models, here and in libRoadRunner: time and agreement.

``python -m benchmarks.populations MODELS [--patients N] [--only BIOMD… …] [--out FILE]``

MODELS is a folder or a ZIP file with SBML files of BioModels. Parameters are log-normal about their values, 30 % from
patient to patient, but for sizes of compartments, amounts that are constants, and what other parameters begin as:
libRoadRunner sets parameters alone, and none follows another.
Both solve the same patients in one thread, to a relative tolerance of 1e-6 and at the same times, 101 for most, and
both are compared with libRoadRunner at 1e-10 in the first patients. CVODE takes its stiff method, which is the default,
and the other (Adams) for a model of whose first patients it gives up more than half. Times are of the processor; what
is done once (reading, equations, compiling) is timed apart. Needs ``libroadrunner`` and ``python-libsbml``.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from benchmarks.sbml_suite import Files
from simulate.cohort.draws import draw
from simulate.cohort.population import Population
from simulate.exchange.sbml import read_sbml
from simulate.kernels.of_model import kernel_of
from simulate.solver.automatic import Automatic, solve_automatically
from simulate.solver.problem import Schedule, Tolerance
from simulate.symbolic.parts import Spread

ENDS: Mapping[str, float] = {
    "BIOMD0000000139": 360.0,
    "BIOMD0000000215": 100.0,
    "BIOMD0000000347": 240.0,
    "BIOMD0000000451": 100.0,
    "BIOMD0000000534": 500.0,
    "BIOMD0000000544": 10.0,
    "BIOMD0000000620": 20.0,
    "BIOMD0000000621": 20.0,
    "BIOMD0000000788": 20.0,
    "BIOMD0000000968": 60.0,
    "BIOMD0000001004": 72.0,
}
"""Models, and how long each is solved in its own unit of time."""

POINTS: Mapping[str, int] = {"BIOMD0000000620": 41, "BIOMD0000000621": 41}
"""Where they are not 101: doses at `time == counter`, every day from 0.5 on, come in libRoadRunner at outputs alone."""

RTOL, CHECKED, SPREAD, SEED = 1e-6, 20, 0.3, 1

Found = TypeVar("Found")


def timed(work: Callable[[], Found]) -> tuple[float, Found]:
    """Seconds of processor time that something takes, and what comes of it."""
    start = time.process_time()
    found = work()
    return time.process_time() - start, found


def promoted(content: bytes) -> str:
    """SBML whose local parameters are parameters of the model, under the names that they have here."""
    import libsbml

    document = libsbml.readSBMLFromString(content.decode())
    properties = libsbml.ConversionProperties()
    properties.addOption("promoteLocalParameters", True)
    assert document.convert(properties) == libsbml.LIBSBML_OPERATION_SUCCESS
    return str(libsbml.writeSBMLToString(document))


def assigned_from(text: str) -> set[str]:
    """What initial assignments of parameters depend on: in libRoadRunner such a parameter does not follow it."""
    import libsbml

    def names(node: Any) -> set[str]:
        own = {node.getName()} if node.getType() == libsbml.AST_NAME else set()
        return own.union(*(names(node.getChild(index)) for index in range(node.getNumChildren())))

    model = libsbml.readSBMLFromString(text).getModel()
    parts = [model.getInitialAssignment(index) for index in range(model.getNumInitialAssignments())]
    return set().union(*(names(part.getMath()) for part in parts if model.getParameter(part.getSymbol())))


class Peer:
    """A model in libRoadRunner."""

    def __init__(self, text: str, rtol: float = RTOL, stiff: bool = True) -> None:
        import roadrunner

        roadrunner.Logger.setLevel(roadrunner.Logger.LOG_ERROR)
        self.runner = roadrunner.RoadRunner(text)
        self.runner.integrator.relative_tolerance = rtol
        self.runner.integrator.absolute_tolerance = rtol * 1e-6
        self.runner.integrator.maximum_num_steps = 100_000
        self.runner.integrator.stiff = stiff

    @property
    def parameters(self) -> set[str]:
        """Parameters that can be set."""
        return set(self.runner.model.getGlobalParameterIds())

    def solve(self, names: list[str], values: np.ndarray, outputs: list[str], times: np.ndarray) -> np.ndarray:
        """Courses, shape [patient, time, output]; NaN for patients of whom there is none."""
        self.runner.timeCourseSelections = outputs
        found = np.full((len(values), len(times), len(outputs)), np.nan)
        for row, own in enumerate(values):
            self.runner.resetAll()
            for name, value in zip(names, own, strict=True):
                self.runner[name] = value
            self.runner.reset()
            try:
                found[row] = self.runner.simulate(0.0, times[-1], len(times))
            except RuntimeError:
                continue
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Patients:
    """Virtual patients of a model, as this program and as libRoadRunner are given them.

    Attributes
    ----------
    rows
        Parameters in the order of the kernel, shape [patient, parameter].
    columns, outputs
        What is compared: its places among the quantities of the kernel, and its names in libRoadRunner.
    names, values
        What varies, as libRoadRunner names it, and its values, shape [patient, name].
    """

    rows: np.ndarray
    columns: list[int]
    outputs: list[str]
    names: list[str]
    values: np.ndarray

    def of(self, chosen: np.ndarray) -> Patients:
        """Some of them."""
        return replace(self, rows=self.rows[chosen], values=self.values[chosen])


def drawn(imported: Any, model: Any, kernel: Any, settable: set[str], patients: int) -> Patients:
    """Patients who differ in every parameter that libRoadRunner can set and that is above zero."""
    of_name = {name: identifier for identifier, name in imported.names.items()}
    free = [part.name for part in model.parameters if of_name.get(part.name, part.name) in settable]
    spread = Spread.from_cv(SPREAD)
    population = Population(
        tuple(
            replace(part, spread=spread if part.name in free and part.value > 0.0 else None)
            for part in model.parameters
        )
    )
    cohort = draw(population, patients, seed=SEED)
    quantities = (*kernel.states, *kernel.observables)
    own = [name for name in imported.compartments if imported.names[name] in quantities]
    own = [name for name in own if imported.names[name] in {part.name for part in model.species}]
    return Patients(
        rows=cohort.values[:, [cohort.names.index(name) for name in kernel.parameters]],
        columns=[quantities.index(imported.names[name]) for name in own],
        outputs=[f"[{name}]" if name in imported.concentrations else name for name in own],
        names=[of_name.get(name, name) for name in free],
        values=cohort.values[:, [cohort.names.index(name) for name in free]],
    )


def measured(content: bytes, times: np.ndarray, patients: int) -> dict[str, Any]:
    """What one model takes here and there, and how far both are from a strict solution."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.xml"
        path.write_bytes(content)

        def begin() -> tuple[Any, ...]:
            imported = read_sbml(path, time_unit="d")
            model = imported.model.compose()
            kernel = kernel_of(model)
            values = {part.name: part.value for part in model.parameters}
            solve(kernel, np.array([[values[name] for name in kernel.parameters]]))
            return imported, model, kernel

        def solve(kernel: Any, rows: np.ndarray) -> Any:
            return solve_automatically(
                kernel, rows, Schedule.empty(len(rows)), times,
                tolerance=Tolerance(RTOL), choice=Automatic(), threads=1, max_steps=1_000_000,
            )  # fmt: skip

        once, (imported, model, kernel) = timed(begin)
        text = promoted(content)
        peer_once, peer = timed(lambda: Peer(text))
        cohort = drawn(imported, model, kernel, peer.parameters - assigned_from(text), patients)
        first, found = timed(lambda: solve(kernel, cohort.rows))
        # Methods that only some patients need are compiled in the first round.
        seconds, found = timed(lambda: solve(kernel, cohort.rows))
        ours = found.values[:, :, cohort.columns]
        names, chosen, outputs = cohort.names, cohort.values, cohort.outputs
        tried = peer.solve(names, chosen[:CHECKED], outputs, times)
        stiff = bool(np.isnan(tried).any(axis=(1, 2)).mean() <= 0.5)
        peer = peer if stiff else Peer(text, stiff=False)
        peer_seconds, theirs = timed(lambda: peer.solve(names, chosen, outputs, times))
        strict = Peer(text, 1e-10, stiff).solve(names, chosen[:CHECKED], outputs, times)
    failed = {failure.member for failure in found.failures}
    return {
        "states": len(model.species),
        "varied": len(names),
        "events": len(model.events),
        "end": float(times[-1]),
        "once": once + max(first - seconds, 0.0),
        "seconds": seconds,
        "failed": len(failed),
        "peer_once": peer_once,
        "peer_seconds": peer_seconds,
        "peer_stiff": stiff,
        "peer_failed": int(np.isnan(theirs).any(axis=(1, 2)).sum()),
        "apart": _apart(ours, theirs),
        "error": _apart(ours[:CHECKED], strict),
        "peer_error": _apart(theirs[:CHECKED], strict),
    }


def _apart(first: np.ndarray, second: np.ndarray) -> dict[str, float]:
    """Largest difference of each patient as a share of the largest value of each output: median, largest, share.

    The share is of a millionth of the largest output where an output is less: what is nothing has no digits.
    """
    scale = np.nanmax(np.abs(second), axis=1, keepdims=True)
    scale = np.maximum(scale, 1e-6 * np.nanmax(scale, axis=2, keepdims=True))
    each = np.nanmax(np.abs(first - second) / scale, axis=(1, 2))
    each = each[np.isfinite(each)]
    return {"median": float(np.median(each)), "largest": float(each.max()), "within_1e-4": float((each <= 1e-4).mean())}


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", type=Path)
    parser.add_argument("--patients", type=int, default=1000)
    parser.add_argument("--only", nargs="*", default=list(ENDS))
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    files, found = Files(asked.models), {}
    print(
        "| model | states | varied | once, s | patients, s | libRoadRunner: once, s | patients, s | times faster |",
        end="",
    )
    print(" apart, median | within 1e-4 | error | its error |")
    print("|---" * 12 + "|")
    for name in asked.only:
        row = found[name] = measured(
            files.content(f"{name}.xml"),
            np.linspace(0.0, ENDS.get(name, 10.0), POINTS.get(name, 101)),
            asked.patients,
        )
        print(
            f"| {name} | {row['states']} | {row['varied']} | {row['once']:.2f} | {row['seconds']:.2f} "
            f"| {row['peer_once']:.2f} | {row['peer_seconds']:.2f} | {row['peer_seconds'] / row['seconds']:.1f} "
            f"| {row['apart']['median']:.1e} | {100 * row['apart']['within_1e-4']:.1f} % "
            f"| {row['error']['median']:.1e} | {row['peer_error']['median']:.1e} |",
            flush=True,
        )
        if asked.out is not None:
            asked.out.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
