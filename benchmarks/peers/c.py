"""A scalar C program: the same equations, a hand-written Dormand-Prince 5(4), built here and nowhere else."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np

from benchmarks.peers.peer import Peer, Solve
from benchmarks.reduced import Reduced, reduced, scratch
from benchmarks.workload import DAYS, Workload
from simulate.solver import FloatArray

FLAGS = ("-O3", f"-march={os.environ.get('C_PROCESSOR', 'native')}", "-ffast-math")


def compiler() -> str | None:
    """The C compiler, if there is one."""
    return shutil.which(os.environ.get("CC", "cc"))


def c_source(given: Reduced) -> str:
    """Source of the program: the equations, then the integrator."""
    assignments, rates = given.statements()
    if any(
        word in text
        for text in [*rates, *(value for _, value in assignments)]
        for word in ("power", " if ", "share", "weight", "logistic", "softplus")
    ):
        raise NotImplementedError("powers and branches have no C spelling here")
    lines = [
        f"#define STATES {len(given.states)}",
        f"#define CONSTANTS {len(given.constants)}",
        "#include <math.h>",
        "static inline void rhs(double t, const double *restrict y, const double *restrict c, double *restrict d) {",
        "    (void)t;",
        *(f"    const double {name} = {value.replace('math.', '')};" for name, value in assignments),
        *(f"    d[{index}] = {rate.replace('math.', '')};" for index, rate in enumerate(rates)),
        "}",
    ]
    integrator = (Path(__file__).parent / "dopri5.c").read_text(encoding="utf-8")
    return "\n".join([*lines, "", integrator])


def _prepare(workload: Workload) -> Solve:
    given = reduced(workload)
    path = scratch() / "dopri5_model.c"
    path.write_text(c_source(given), encoding="utf-8")
    library = path.with_suffix(".so")
    command = [str(compiler()), *FLAGS, "-shared", "-fPIC", "-o", str(library), str(path), "-lm"]
    subprocess.run(command, check=True, capture_output=True)
    program = ctypes.CDLL(str(library)).solve
    double, integer = np.ctypeslib.ndpointer(np.float64, flags="C"), np.ctypeslib.ndpointer(np.int32, flags="C")
    program.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_int, integer, double, double, double]
    program.argtypes += [ctypes.c_double, ctypes.c_double, double]
    program.restype = None
    days = np.array(given.recorded_days, dtype=np.int32)
    columns = [np.ascontiguousarray(part) for part in (given.values, given.initial, given.dose)]

    def run(rtol: float, atol: float) -> FloatArray:
        values = np.empty((len(given.initial), len(days), len(given.states)))
        program(len(given.initial), DAYS, given.target, len(days), days, *columns, rtol, atol, values)
        return values

    return run


PEERS = (Peer("c", f"Dormand-Prince 5(4), cc {' '.join(FLAGS)}", 256, 64, 1e-3, (), "install a C compiler", _prepare),)
