"""Large models: seconds to the first result, part by part, and from how many patients on we are ahead of libRoadRunner.

``python -m benchmarks.large [MODELS] [--patients N …] [--only BIOMD… …] [--sizes N …] [--out FILE]``

MODELS is a folder or a ZIP file with SBML files of BioModels; without it only the family of models is measured.
Patients are those of `benchmarks.populations`, to a relative tolerance of 1e-6 at 11 times. Each model is measured in a
process of its own with an empty cache, after a small model has been solved: what every model shares is compiled once on
a machine and not counted, the loops of the solver, what follows tables, and functions such as powers. Times are of the
processor, one thread, of both programs on one core.

The family is a ring of states: each is made from the one before by a saturating rate that its neighbors inhibit, and is
lost. A model of n states has 2n reactions and 3n parameters. Needs ``libroadrunner`` and ``python-libsbml``.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.populations import RTOL, Peer, assigned_from, drawn, promoted, timed
from benchmarks.sbml_suite import Files

MODELS = (
    "BIOMD0000000286",
    "BIOMD0000000451",
    "BIOMD0000000627",
    "BIOMD0000000151",
    "BIOMD0000000635",
    "BIOMD0000000153",
    "BIOMD0000000412",
    "BIOMD0000000014",
    "BIOMD0000000019",
    "BIOMD0000000474",
    "BIOMD0000000088",
    "BIOMD0000000544",
)
"""Published models of 50 to 105 states."""

SIZES = (25, 50, 100, 200)
"""States of the models of the family; a model may have 256."""

PATIENTS, END, TIMES = (100, 1000), 10.0, 11

PARTS = ("read", "equations", "passes", "text", "LLVM", "Jacobian", "LLVM, Jacobian")
"""What comes before the first step: the last two are for stiff patients alone."""


def ring(states: int) -> str:
    """SBML of a model of the family."""

    one = '<speciesReference species="{}" stoichiometry="1" constant="true"/>'

    def reaction(name: str, source: str, target: str, modifiers: Sequence[str], rate: str) -> str:
        lists = f"<listOfReactants>{one.format(source)}</listOfReactants>"
        if target:
            lists += f"<listOfProducts>{one.format(target)}</listOfProducts>"
        if modifiers:
            inner = "".join(f'<modifierSpeciesReference species="{name}"/>' for name in modifiers)
            lists += f"<listOfModifiers>{inner}</listOfModifiers>"
        math = f'<kineticLaw><math xmlns="http://www.w3.org/1998/Math/MathML">{rate}</math></kineticLaw>'
        return f'<reaction id="{name}" reversible="false" fast="false">{lists}{math}</reaction>'

    def applied(operation: str, *parts: str) -> str:
        inner = "".join(part if part.startswith("<") else f"<ci>{part}</ci>" for part in parts)
        return f"<apply><{operation}/>{inner}</apply>"

    species, parameters, reactions = [], [], []
    for n in range(states):
        before, two_before = f"S{(n - 1) % states}", f"S{(n - 2) % states}"
        species.append(
            f'<species id="S{n}" compartment="cell" initialConcentration="{1.0 + 0.1 * (n % 7)}" '
            'hasOnlySubstanceUnits="false" boundaryCondition="false" constant="false"/>'
        )
        for name, value in ((f"k{n}", 1.0 + 0.05 * (n % 5)), (f"m{n}", 2.0 + 0.05 * (n % 3)), (f"d{n}", 0.1)):
            parameters.append(f'<parameter id="{name}" value="{value}" constant="true"/>')
        saturating = applied("divide", applied("times", f"k{n}", before), applied("plus", f"m{n}", before, two_before))
        reactions.append(reaction(f"v{n}", before, f"S{n}", [two_before], applied("times", "cell", saturating)))
        reactions.append(reaction(f"u{n}", f"S{n}", "", [], applied("times", "cell", f"d{n}", f"S{n}")))
    return (
        '<?xml version="1.0" encoding="UTF-8"?><sbml xmlns="http://www.sbml.org/sbml/level3/version1/core" level="3" '
        'version="1"><model id="ring"><listOfCompartments><compartment id="cell" size="1" constant="true" '
        'spatialDimensions="3"/></listOfCompartments>'
        f"<listOfSpecies>{''.join(species)}</listOfSpecies><listOfParameters>{''.join(parameters)}</listOfParameters>"
        f"<listOfReactions>{''.join(reactions)}</listOfReactions></model></sbml>"
    )


def begun(path: Path, *, stiff: bool) -> tuple[dict[str, float], Any, Any, Any]:
    """Seconds of each part of what comes before the first step; what was read, the model and its kernel.

    What only stiff patients need is left until one asks for it, unless ``stiff``.
    """
    from simulate.exchange.sbml import read_sbml
    from simulate.kernels.blueprint import blueprint
    from simulate.kernels.build import assemble
    from simulate.kernels.system import lower

    spent: dict[str, float] = {}

    def part(name: str, work: Callable[[], Any]) -> Any:
        seconds, found = timed(work)
        spent[name] = seconds
        return found

    imported = part("read", lambda: read_sbml(path, time_unit="d"))
    model = part("equations", lambda: imported.model.compose())
    plan = part("passes", lambda: blueprint(lower(model)))
    kernel = part("text", lambda: assemble(plan))
    part("LLVM", lambda: (kernel.prepare, kernel.rhs, kernel.observe, kernel.sense, kernel.jump))
    if stiff:
        part("Jacobian", lambda: kernel.stiff_source())
        part("LLVM, Jacobian", lambda: (kernel.jacobian, kernel.factor, kernel.backsolve))
    return spent, imported, model, kernel


def solved(kernel: Any, rows: np.ndarray, times: np.ndarray, choice: Any = None) -> Any:
    """Courses of patients, each by the method that suits it."""
    from simulate.solver.automatic import Automatic, solve_automatically
    from simulate.solver.problem import Schedule, Tolerance

    return solve_automatically(
        kernel, rows, Schedule.empty(len(rows)), times,
        tolerance=Tolerance(RTOL), choice=choice or Automatic(), threads=1, max_steps=1_000_000,
    )  # fmt: skip


def measured(content: bytes, patients: Sequence[int]) -> dict[str, Any]:
    """What a model takes here and in libRoadRunner; without patients what comes before the first step alone."""
    times = np.linspace(0.0, END, TIMES)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.xml"
        _prepare(path, times)
        path.write_bytes(content)
        spent, imported, model, kernel = begun(path, stiff=not patients)
    row: dict[str, Any] = {"states": len(model.species), "parameters": len(model.parameters), "parts": spent}
    if not patients:
        return row
    text = promoted(content)
    peer_once, peer = timed(lambda: Peer(text))
    settable = peer.parameters - assigned_from(text)
    typical = {part.name: part.value for part in model.parameters}
    later, _ = timed(lambda: solved(kernel, np.array([[typical[name] for name in kernel.parameters]]), times))
    row |= {"first": sum(spent.values()) + later, "peer_once": peer_once, "patients": {}}
    for count in patients:
        chosen = drawn(imported, model, kernel, settable, count)
        first, found = timed(lambda chosen=chosen: solved(kernel, chosen.rows, times))
        seconds, found = timed(lambda chosen=chosen: solved(kernel, chosen.rows, times))
        # The method of stiff patients is compiled when the first of them asks for it.
        later += max(first - seconds, 0.0)
        peer_seconds, theirs = timed(
            lambda chosen=chosen: peer.solve(chosen.names, chosen.values, chosen.outputs, times)
        )
        ours = found.values[:, :, chosen.columns]
        scale = np.maximum(np.nanmax(np.abs(theirs), axis=1, keepdims=True), 1e-6 * np.nanmax(np.abs(theirs)))
        row["patients"][str(count)] = {
            "seconds": seconds,
            "peer_seconds": peer_seconds,
            "failed": len(found.failures),
            "peer_failed": int(np.isnan(theirs).any(axis=(1, 2)).sum()),
            "apart": float(np.nanmedian(np.nanmax(np.abs(ours - theirs) / scale, axis=(1, 2)))),
            "stiff": float((found.chosen == 1).mean()),
        }
    row["once"] = sum(spent.values()) + later
    largest = row["patients"][str(max(patients))]
    gained = (largest["peer_seconds"] - largest["seconds"]) / max(patients)
    row["ahead_from"] = max(0.0, row["once"] - peer_once) / gained if gained > 0.0 else None
    return row


def _prepare(path: Path, times: np.ndarray) -> None:
    """Have what all models share: a small one is solved by both methods, and what those with switches call is there."""
    from simulate.kernels.following import follow
    from simulate.kernels.form import Draft, KernelFunction
    from simulate.kernels.print_llvm import machine_code
    from simulate.solver.automatic import Automatic
    from simulate.solver.hybrid import look_for_switches, settle, share_of_switching

    path.write_text(ring(3))
    *_, model, small = begun(path, stiff=True)
    rows = np.array([[part.value for part in model.parameters]])
    solved(small, rows, times)
    solved(small, rows, times, Automatic(patience=1))
    for shared in (look_for_switches, share_of_switching, settle, follow):
        assert shared.address
    draft = Draft()
    x = draft.add("read", 0)
    values = [draft.add(name, *[x] * count) for name, count in _CALLED.items()]
    machine_code(KernelFunction("functions", "", (draft.body([(0, value) for value in values]),)))


_CALLED = {"exp": 1, "log": 1, "power": 2, "logistic": 1, "share": 2, "weight": 3}


def alone(arguments: Sequence[str], patients: Sequence[int], shared: Path) -> dict[str, Any]:
    """The same in a process of its own that has what all models share, and nothing of this one."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(shared, folder, dirs_exist_ok=True)
        found = _run([*arguments, "--patients", *map(str, patients)], Path(folder))
    row: dict[str, Any] = json.loads(found.stdout.splitlines()[-1])
    return row


def _run(arguments: Sequence[str], cache: Path) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "benchmarks.large", *arguments],
        env={**os.environ, "IL1SIM_CACHE_DIR": str(cache)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=True,
    )


def exponents(rows: Sequence[dict[str, Any]]) -> dict[str, float]:
    """The power of the number of states with which each part grows, by least squares of the logarithms."""
    sizes = np.log([row["states"] for row in rows])
    found = {name: np.polyfit(sizes, np.log([row["parts"][name] for row in rows]), 1)[0] for name in PARTS}
    found["all"] = np.polyfit(sizes, np.log([sum(row["parts"].values()) for row in rows]), 1)[0]
    return {name: float(value) for name, value in found.items()}


def main() -> None:
    """Measure, and print tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", type=Path, nargs="?")
    parser.add_argument("--patients", type=int, nargs="*", default=list(PATIENTS))
    parser.add_argument("--only", nargs="*", default=list(MODELS))
    parser.add_argument("--sizes", type=int, nargs="*", default=list(SIZES))
    parser.add_argument("--out", type=Path)
    parser.add_argument("--one", metavar="NAME", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one is not None:
        content = ring(int(asked.one)).encode() if asked.models is None else Files(asked.models).content(asked.one)
        print(json.dumps(measured(content, asked.patients)))
        return
    with tempfile.TemporaryDirectory() as shared:
        _run(["--one", "3", "--patients"], Path(shared))
        # The small model itself is compiled anew in each process: what Numba does once in a process is not counted.
        for name in ("prepare", "rhs", "observe", "jacobian", "factor", "backsolve"):
            for path in Path(shared).rglob(f"{name}-*.bin"):
                path.unlink()
        _print_all(asked, Path(shared))


def _print_all(asked: argparse.Namespace, shared: Path) -> None:
    counts = [str(count) for count in asked.patients]
    print(f"| model | states | parameters | {' | '.join(PARTS)} | first | once | libRoadRunner: once |", end="")
    print(" ".join(f" {count} patients | libRoadRunner |" for count in counts), "stiff | apart | ahead from |")
    print("|---" * (9 + len(PARTS) + 2 * len(counts)) + "|")
    found: dict[str, Any] = {}
    of_files = [] if asked.models is None else asked.only
    for name in [*of_files, *map(str, asked.sizes)]:
        given = ["--one", name] if name not in of_files else ["--one", f"{name}.xml", str(asked.models)]
        row = found[name] = alone(given, asked.patients, shared)
        row["parts"] = alone(given, [], shared)["parts"]
        spent = " | ".join(f"{row['parts'][part]:.2f}" for part in PARTS)
        print(
            f"| {name} | {row['states']} | {row['parameters']} | {spent} | {row['first']:.2f} | {row['once']:.2f} ",
            end="",
        )
        print(f"| {row['peer_once']:.2f} | ", end="")
        for count in counts:
            own = row["patients"][count]
            print(f"{own['seconds']:.2f} | {own['peer_seconds']:.2f} | ", end="")
        ahead = "never" if row["ahead_from"] is None else f"{row['ahead_from']:.0f}"
        last = row["patients"][counts[-1]]
        print(f"{100 * last['stiff']:.0f} % | {last['apart']:.1e} | {ahead} |", flush=True)
        if asked.out is not None:
            asked.out.write_text(json.dumps(found, indent=1))
    family = [found[str(size)] for size in asked.sizes]
    if len(family) > 1:
        print("\nWith the number of states each part grows to the power of")
        print(", ".join(f"{name} {value:.2f}" for name, value in exponents(family).items()))


if __name__ == "__main__":
    main()
