"""scikit-sundae's CVODE (BDF) with right-hand side and dense Jacobian by Numba, one patient after the other."""

from __future__ import annotations

import numba
import numpy as np

from benchmarks.reduced import Equations, equations, module_of
from simulate.kernels.hoisting import Program, gradient, straight_line
from simulate.kernels.system import System
from simulate.solver import FloatArray

_HEADING = "import math\nfrom math import exp, log, pow as power\n"


class Sundae:
    """Patients of a system in CVODE.

    Parameters
    ----------
    system
        Equations without events.
    rows
        Parameters, shape [patient, parameter].
    scales
        Size of each state, of which its absolute tolerance is a share.
    """

    def __init__(self, system: System, rows: FloatArray, scales: FloatArray) -> None:
        from sksundae.cvode import CVODE

        self._make, self.scales = CVODE, scales
        self.given, _ = equations(system, rows)
        module = module_of(source(self.given))
        compiled = [numba.njit(fastmath=True)(function) for function in (module.rhs, module.jacobian)]
        rates, slopes = compiled

        # Numba's dispatchers have no signature that could be looked at.
        def rhs(t, y, yp, c):  # type: ignore[no-untyped-def]
            rates(t, y, yp, c[0])

        def jacobian(t, y, yp, matrix, c):  # type: ignore[no-untyped-def]
            slopes(t, y, matrix, c[0])

        self._functions = rhs, jacobian

    def solve(self, times: FloatArray, rtol: float, atol: float, part: slice = slice(None)) -> FloatArray:
        """Courses of the states of some patients, shape [patient, time, state]; NaN where there is none."""
        rhs, jacobian = self._functions
        rows, starts = self.given.values[part], self.given.initial[part]
        values = np.full((len(rows), len(times), len(self.scales)), np.nan)
        constants = np.empty(rows.shape[1])
        solver = self._make(
            rhs, jacfn=jacobian, userdata=(constants,), rtol=rtol, atol=atol * self.scales, max_num_steps=100_000
        )
        for member, (row, start) in enumerate(zip(rows, starts, strict=True)):
            constants[:] = row
            found = solver.solve(times, start)
            if found.success and len(found.t) == len(times):
                values[member] = found.y
        return values


def source(given: Equations) -> str:
    """Module with ``rhs(t, y, yp, c)`` and ``jacobian(t, y, matrix, c)``, which fill what they are given."""
    derivatives, places = gradient(given.program, list(given.states))
    program = straight_line(list(derivatives.results), "jacobian")
    temporaries, rates = given.statements()
    steps, slopes = given.spelled(Program((*derivatives.assignments, *program.assignments), program.results))
    lines = [_HEADING, "", "def rhs(t, y, yp, c):", *(f"    {name} = {value}" for name, value in temporaries)]
    lines += [f"    yp[{index}] = {rate}" for index, rate in enumerate(rates)]
    lines += ["", "", "def jacobian(t, y, matrix, c):", "    matrix[:, :] = 0.0"]
    lines += [f"    {name} = {value}" for name, value in steps]
    lines += [f"    matrix[{row}, {column}] = {value}" for (row, column), value in zip(places, slopes, strict=True)]
    return "\n".join([*lines, ""])
