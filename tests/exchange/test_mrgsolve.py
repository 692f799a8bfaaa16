"""Texts for mrgsolve: a compiler of C++, whose blocks they have, computes the same rates and the same course."""

from __future__ import annotations

import csv
import ctypes
import io
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from simulate.biology.hypotheses import hypothesis_named
from simulate.exchange.mrgsolve import mrgsolve_text
from simulate.exchange.prescribed import Said
from tests.exchange.texts import Twin, assert_agree, course, given_to, shipped_models, switching_model, twins_of_sample
from tests.helpers.models import reference_model

DECLARED = re.compile(r"^(?:double|capture) (\w+) = ", re.MULTILINE)


class Compiled:
    """A text as mrgsolve reads it: a name that a block declares is known to all, ``$TABLE`` sees what ``$ODE`` left."""

    def __init__(self, library: ctypes.CDLL, number: int, blocks: dict[str, str]) -> None:
        self.states = blocks["CMT"].split()
        self.observables = re.findall(r"^capture (\w+)", blocks["TABLE"], re.MULTILINE)
        kinds = ("start", "gains", "rates", "table")
        self._functions = {kind: getattr(library, f"{kind}_{number}") for kind in kinds}

    def _call(self, kind: str, time: float, states: np.ndarray, size: int) -> np.ndarray:
        found = np.empty(size)
        pointer = ctypes.POINTER(ctypes.c_double)
        given = np.ascontiguousarray(states)
        self._functions[kind](ctypes.c_double(time), given.ctypes.data_as(pointer), found.ctypes.data_as(pointer))
        return found

    def start(self) -> np.ndarray:
        return self._call("start", 0.0, np.zeros(len(self.states)), len(self.states))

    def gains(self) -> dict[str, float]:
        found = self._call("gains", 0.0, self.start(), len(self.states))
        return {name: float(gain) for name, gain in zip(self.states, found, strict=True)}

    def rates(self, time: float, states: np.ndarray) -> np.ndarray:
        return self._call("rates", time, states, len(self.states))

    def observed(self, time: float, states: np.ndarray) -> np.ndarray:
        return self._call("table", time, states, len(self.observables))


def blocks_of(text: str) -> dict[str, str]:
    """Blocks without comments, by name."""
    parts = re.split(r"^\$(\w+)", re.sub(r"//.*", "", text), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def source_of(number: int, blocks: dict[str, str]) -> str:
    states = blocks["CMT"].split()
    declared = [name for block in ("MAIN", "ODE", "TABLE") for name in DECLARED.findall(blocks[block])]
    assert len(declared) == len(set(declared))
    outputs = re.findall(r"^capture (\w+)", blocks["TABLE"], re.MULTILINE)
    body = {name: re.sub(r"^(?:double|capture) ", "", blocks[name], flags=re.MULTILINE) for name in blocks}

    begun = "".join(f"{name} = y[{place}];" for place, name in enumerate(states))
    ahead = "SOLVERTIME = t + 1.0;" + "".join(f"{name} = 2.0 * y[{place}] + 1.0;" for place, name in enumerate(states))

    def function(kind: str, inside: str, results: list[str]) -> str:
        ended = "".join(f"out[{place}] = {name};" for place, name in enumerate(results))
        head = f'extern "C" void {kind}_{number}(double t, const double* y, double* out)'
        return f"{head} {{ using namespace m{number}; SOLVERTIME = TIME = t; {begun} {inside} {ended} }}"

    return "\n".join(
        [
            f"namespace m{number} {{ static double SOLVERTIME, TIME;",
            *(f"static double {line};" for line in blocks["PARAM"].strip().splitlines()),
            *(f"static double {name}, {name}_0, dxdt_{name}, F_{name} = 1.0;" for name in states),
            *(f"static double {name};" for name in declared),
            f"static void main_() {{ {body['MAIN']} }}",
            f"static void ode() {{ {body['ODE']} }}",
            f"static void table_() {{ {body['TABLE']} }} }}",
            function("start", "main_();", [f"{name}_0" for name in states]),
            function("gains", "main_();", [f"F_{name}" for name in states]),
            function("rates", "main_(); ode();", [f"dxdt_{name}" for name in states]),
            # The solver has been ahead of a row: what `$TABLE` does not compute anew is wrong then.
            function("table", f"main_(); {ahead} ode(); {begun} table_();", outputs),
        ]
    )


def compiled(texts: dict[str, Said], folder: Path) -> dict[str, Compiled]:
    compiler = shutil.which("g++")
    if compiler is None:
        pytest.skip("g++ is not installed")
    blocks = {name: blocks_of(text.text) for name, text in texts.items()}
    source = "\n".join(source_of(number, own) for number, own in enumerate(blocks.values()))
    (folder / "models.cpp").write_text(f"#include <cmath>\n{source}\n", encoding="utf-8")
    done = subprocess.run(
        [compiler, "-O0", "-Wall", "-Wno-unused-variable", "-shared", "-fPIC", "models.cpp", "-o", "models.so"],
        cwd=folder, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    library = ctypes.CDLL(str(folder / "models.so"))
    return {name: Compiled(library, number, own) for number, (name, own) in enumerate(blocks.items())}


def in_cpp(twins: dict[str, Twin], folder: Path) -> dict[str, np.ndarray]:
    """Start, gains, and rates and observables at the points of each model, as the compiled text finds them."""
    texts = {name: mrgsolve_text(twin.written, given_to(twin.written)) for name, twin in twins.items()}
    found = {}
    for name, own in compiled(texts, folder).items():
        twin = twins[name]
        values = [own.start()]
        targets = dict.fromkeys(route.target.name for route in twin.written.routes)
        values.append(np.array([own.gains()[texts[name].renamed.get(target, target)] for target in targets]))
        for point in twin.points():
            values += [own.rates(point[0], point[1:]), own.observed(point[0], point[1:])]
        found[name] = np.concatenate(values)
    return found


def test_every_model_and_hypothesis_that_ships_compiles(tmp_path: Path) -> None:
    texts = {name: mrgsolve_text(model) for name, model in shipped_models().items()}
    assert len(texts) > 45
    assert all(text.left_out == () for text in texts.values())
    found = compiled(texts, tmp_path)
    assert all(np.all(np.isfinite(one.rates(0.0, one.start()))) for one in found.values())


def test_cpp_computes_models_that_ship_to_the_same_rates(tmp_path: Path) -> None:
    twins = twins_of_sample()
    assert_agree(twins, in_cpp(twins, tmp_path))


def test_cpp_computes_every_function_and_each_renamed_quantity(tmp_path: Path) -> None:
    model = switching_model(tmp_path)
    assert mrgsolve_text(model).renamed == {
        "R_C": "R_C_", "_in": "x_in", "rate": "rate_", "C_0": "C_0_", "_0": "x_0", "double": "double_",
    }  # fmt: skip
    twins = {"switching": Twin(model)}
    assert_agree(twins, in_cpp(twins, tmp_path))


def test_scipy_reaches_the_same_states_from_the_table_of_doses(tmp_path: Path) -> None:
    model = reference_model(hypothesis_named("H1+H6"))
    text = mrgsolve_text(model, given_to(model))
    own = compiled({"model": text}, tmp_path)["model"]
    rows = list(csv.DictReader(io.StringIO(text.doses)))
    assert {row["EVID"] for row in rows} == {"1", "8"}
    times = np.array([0.25, 0.75, 2.0, 9.0])
    state, now, found = own.start(), 0.0, []
    for stop in sorted({*times.tolist(), *(float(row["TIME"]) for row in rows)}):
        state = solve_ivp(own.rates, (now, stop), state, method="LSODA", rtol=1e-10, atol=1e-12).y[:, -1]
        now = stop
        if stop in times:
            found.append(state.copy())
        for row in rows:
            if float(row["TIME"]) == stop:
                place = own.states.index(row["CMT"])
                amount = float(row["AMT"])
                state[place] = amount if row["EVID"] == "8" else state[place] + own.gains()[row["CMT"]] * amount
    expected = course(model, times)
    np.testing.assert_allclose(np.array(found)[:, : expected.shape[1]], expected, rtol=1e-7, atol=1e-9)
