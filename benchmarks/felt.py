"""Processor time of common commands, over that of importing the libraries that any such program imports.

``python benchmarks/felt.py`` takes the rows in turn, each after an import, and prints the medians of the ratios;
``--fresh`` adds the first run of all, which compiles. The package has its bytecode, as it has where pip installs it.
"""

from __future__ import annotations

import argparse
import compileall
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

import simulate

SCENARIO = "anakinra-100mg-daily"
IMPORT = (sys.executable, "-c", "import numpy, scipy.integrate, sympy, matplotlib.pyplot, xarray, numba")
SIMULATE = (sys.executable, "-m", "simulate")

_STEPS = f"""
import time
from simulate.studies.intervals import intervals_of, recording
from simulate.studies.runs import prepare, simulate_study
from simulate.studies.scenario import read_scenario
study = prepare(read_scenario("{SCENARIO}"))
asked = recording(study, intervals_of(study))
simulate_study(asked)
begun = time.process_time()
simulate_study(asked)
print(time.process_time() - begun)
"""


def environment(cache: Path) -> dict[str, str]:
    """Variables of a measured process: compiled code is kept in a folder, and bytecode is."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"IL1SIM_CACHE_DIR": str(cache)}


def processor_time(command: Sequence[str], cache: Path, *, expected: int = 0) -> float:
    """Seconds of processor time that a command takes, in its own process and all that it starts."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    ended = subprocess.run(command, capture_output=True, text=True, check=False, env=environment(cache))
    if ended.returncode != expected:
        raise SystemExit(f"{' '.join(command)} ended with {ended.returncode}: {ended.stderr}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def steps_alone(cache: Path) -> float:
    """Seconds of processor time of the second simulation in one process: the solver, with nothing to load."""
    return float(subprocess.check_output([sys.executable, "-c", _STEPS], text=True, env=environment(cache)))


def rows(folder: Path) -> dict[str, tuple[Sequence[str], int, float | None]]:
    """What is measured: name → command, exit code that it must have, and the ratio that is wanted."""
    broken, out = folder / "broken.toml", str(folder / "run")
    broken.write_text("seed =\n", encoding="utf-8")
    run = (*SIMULATE, "run", SCENARIO, "--out", out, "--force")
    return {
        f"simulate run {SCENARIO}, all outputs": (run, 0, 1.3),
        "the same without figures": ((*run, "--no-figures"), 0, None),
        "import simulate; simulate.run": ((sys.executable, "-c", "import simulate; simulate.run"), 0, 0.29),
        "simulate list": ((*SIMULATE, "list"), 0, 0.24),
        "simulate show parameters": ((*SIMULATE, "show", "parameters"), 0, 0.35),
        "simulate run broken.toml": ((*SIMULATE, "run", str(broken)), 3, None),
        "simulate --help": ((*SIMULATE, "--help"), 0, None),
    }


def measured(
    rounds: int, folder: Path, *, fresh: bool
) -> tuple[float, Mapping[str, tuple[float, float, float | None]]]:
    """Median seconds of the import; name → median seconds, median ratio to the import before it, wanted ratio."""
    cache = folder / "cache"
    asked = rows(folder)
    found: dict[str, tuple[float, float, float | None]] = {}
    imports = [processor_time(IMPORT, cache) for _ in range(2)][1:]
    first, *_ = asked.values()
    once = processor_time(first[0], cache)
    for command, code, _ in asked.values():
        processor_time(command, cache, expected=code)
    seconds: dict[str, list[float]] = {name: [] for name in asked}
    ratios: dict[str, list[float]] = {name: [] for name in asked}
    steps: list[float] = []
    for _ in range(rounds):
        for name, (command, code, _) in asked.items():
            imports.append(processor_time(IMPORT, cache))
            seconds[name].append(processor_time(command, cache, expected=code))
            ratios[name].append(seconds[name][-1] / imports[-1])
        steps.append(steps_alone(cache))
    imported = statistics.median(imports)
    if fresh:
        found[f"the first run of {SCENARIO} on a machine, compile included"] = (once, once / imported, 7.1)
    for name, (_, _, wanted) in asked.items():
        found[name] = (statistics.median(seconds[name]), statistics.median(ratios[name]), wanted)
    took = statistics.median(steps)
    found["of which the solver's steps"] = (took, took / imported, None)
    return imported, found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--fresh", action="store_true")
    chosen = parser.parse_args()
    compileall.compile_dir(Path(simulate.__file__).parent, quiet=2)
    with tempfile.TemporaryDirectory() as folder:
        imported, found = measured(chosen.rounds, Path(folder), fresh=chosen.fresh)
    names = ("numpy", "scipy", "sympy", "matplotlib", "xarray", "numba")
    print(f"Python {platform.python_version()}, {', '.join(f'{name} {version(name)}' for name in names)}")
    print(
        f"\nThe import takes {imported:.2f} s of processor time.\n\n| | s | of the import | wanted |\n|---|---|---|---|"
    )
    for name, (seconds, ratio, wanted) in found.items():
        told = "" if wanted is None else f"{wanted:g}{'' if ratio <= wanted else ' (missed)'}"
        print(f"| {name} | {seconds:.2f} | {ratio:.2f} | {told} |")


if __name__ == "__main__":
    main()
