"""Reference values of the test problems from two independent methods: ``python benchmarks/reference_values.py``.

The first method is SciPy's, in double precision: DOP853, or Radau where the problem is stiff, at a tolerance of 1e-13.
The second is written here and shares nothing with it or with this program's solver but the equations: collocation at
nine Radau points, of order 17, in extended precision (64 bits of mantissa), with steps chosen from the last Legendre
coefficient of the states at these points. It is solved twice, with steps of two sizes. What is kept are its values, if
the two methods agree to ten digits: within 1e-10 of the value, or of a thousandth of the largest value of that state.

With ``--write`` the values and the agreement are written into ``benchmarks/problems/values.json``; otherwise
they are compared with what is there.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import sympy
from scipy import linalg

from benchmarks.problems import PROBLEMS, VALUES_FILE, Problem
from simulate.files import write_atomically
from simulate.kernels.reference import solve_reference
from simulate.kernels.system import infusion
from simulate.solver import FloatArray, StopKind, Tolerance
from simulate.symbolic.symbols import TIME

STAGES = 9
DIGITS = 1e-10
FLOOR = 1e-3
EXTENDED = np.longdouble


def radau_points(stages: int) -> tuple[Any, Any, Any]:
    """Nodes, collocation matrix, and the rows that give the last Legendre coefficient, in extended precision."""
    with mpmath.workdps(40):
        # Right Radau points: roots of P_s − P_(s−1) on [−1, 1].
        polynomial = _legendre(stages)
        lower = [*_legendre(stages - 1)]
        padded = [mpmath.mpf(0)] * (len(polynomial) - len(lower)) + lower
        difference = [a - b for a, b in zip(polynomial, padded, strict=True)]
        roots = sorted(mpmath.re(root) for root in mpmath.polyroots(difference, maxsteps=200, extraprec=200))
        nodes = [(root + 1) / 2 for root in roots]
        vandermonde = mpmath.matrix(stages, stages)
        integrals = mpmath.matrix(stages, stages)
        legendre = mpmath.matrix(stages, stages)
        for row, node in enumerate(nodes):
            for power in range(stages):
                vandermonde[row, power] = node**power
                integrals[row, power] = node ** (power + 1) / (power + 1)
                legendre[row, power] = mpmath.legendre(power, 2 * node - 1)
        weights = integrals * vandermonde**-1
        last = (legendre**-1)[stages - 1, :]
        return (
            np.array([EXTENDED(mpmath.nstr(node, 30)) for node in nodes]),
            np.array([[EXTENDED(mpmath.nstr(weights[i, j], 30)) for j in range(stages)] for i in range(stages)]),
            np.array([EXTENDED(mpmath.nstr(last[j], 30)) for j in range(stages)]),
        )


def _legendre(degree: int) -> list[Any]:
    x = sympy.Symbol("x")
    return [mpmath.mpf(c.p) / c.q for c in sympy.Poly(sympy.legendre(degree, x), x).all_coeffs()]


SMALL = 1e-15
"""Share of the largest that a state is below which its relative error does not count."""


class Collocation:
    """The second method, for one problem."""

    def __init__(self, problem: Problem) -> None:
        system = problem.system
        self.problem = problem
        self.n = len(system.states)
        states = [sympy.Symbol(name) for name in system.states]
        rates = [infusion(route) for route in system.routes]
        arguments = [TIME, states, rates]
        # Decimals are decimals, not the doubles next to them.
        exact = [_exactly(rate) for rate in system.rhs]
        self.f = _extended(arguments, exact)
        entries = [expression.diff(state) for expression in exact for state in states]
        self.jacobian: Callable[..., Any] = sympy.lambdify(arguments, entries, modules="numpy", cse=True)
        self.largest = np.abs(by_scipy(problem)[1]).max(axis=0)
        self.initial = np.array([EXTENDED(str(sympy.N(_exactly(value), 30))) for value in system.initial])
        self.nodes, self.weights, self.last = radau_points(STAGES)

    def solve(self, tolerance: float) -> FloatArray:
        """States at the problem's times, shape [time, state]."""
        problem = self.problem
        state, now = self.initial.copy(), EXTENDED(problem.start)
        rates = np.zeros(len(problem.system.routes), dtype=EXTENDED)
        step = EXTENDED(problem.times[0] - problem.start) * EXTENDED(1e-6) or EXTENDED(1e-6)
        values = np.zeros((len(problem.times), self.n))
        for point in sorted({problem.start, *problem.times.tolist(), *(stop[0] for stop in problem.stops)}):
            if point > problem.times[-1]:
                break
            if point > now:
                state, step = self.advance(state, now, EXTENDED(point), step, rates, tolerance)
                now = EXTENDED(point)
            for when, kind, route, amount in problem.stops:
                if when == point and kind == StopKind.BOLUS:
                    state[problem.system.route_targets[route]] += EXTENDED(amount)
                elif when == point:
                    rates[route] += EXTENDED(amount)
                if when == point:
                    step = min(step, EXTENDED(1e-4))
            for index in np.flatnonzero(problem.times == point):
                values[index] = state.astype(np.float64)
        return values

    def advance(self, state: Any, now: Any, end: Any, step: Any, rates: Any, tolerance: float) -> tuple[Any, Any]:
        """State at ``end``, and the step to go on with."""
        atol = SMALL * self.largest
        while now < end:
            h = min(step, end - now)
            if h > (end - now) / 2 and h < end - now:
                h = (end - now) / 2
            stages = self.stages(state, now, h, rates)
            if stages is None:
                step = h / 4
                continue
            scale = np.maximum(np.abs(state), np.abs(stages[-1])) + atol
            error = float(np.abs((self.last @ (stages - state)) / scale).max())
            factor = 0.8 * (tolerance / max(error, 1e-30)) ** (1 / STAGES)
            if error <= tolerance:
                state, now = stages[-1], (end if h == end - now else now + h)
                step = h * EXTENDED(min(max(factor, 0.2), 3.0))
            else:
                step = h * EXTENDED(min(max(factor, 0.1), 0.9))
        return state, step

    def stages(self, state: Any, now: Any, h: Any, rates: Any) -> Any:
        """States at the nodes, by simplified Newton iterations whose residuals are in extended precision; or None."""
        n, s = self.n, STAGES
        flat = self.jacobian(float(now), state.astype(float), rates.astype(float))
        jacobian = np.array(flat, dtype=float).reshape(n, n)
        size = np.maximum(np.abs(state), SMALL * self.largest).astype(float)
        scaled = jacobian * (size[None, :] / size[:, None])
        matrix = np.eye(s * n) - float(h) * np.kron(self.weights.astype(float), scaled)
        factors = linalg.lu_factor(matrix)
        stages = np.tile(state, (s, 1))
        before = np.inf
        for _ in range(60):
            slopes = np.array([self.f(now + c * h, y, rates) for c, y in zip(self.nodes, stages, strict=True)])
            residual = state + h * (self.weights @ slopes) - stages
            if not np.isfinite(residual).all():
                return None
            change = linalg.lu_solve(factors, (residual / size).astype(float).ravel()).reshape(s, n)
            stages = stages + change * size
            norm = float(np.abs(change * size / np.maximum(np.abs(stages), size * 1e-3)).max())
            if norm < 1e-17 or (norm < 1e-12 and norm > 0.3 * before):
                return stages
            if norm > 2 * before:
                return None
            before = norm
        return None


def _exactly(expression: Any) -> Any:
    """The expression with its floating-point numbers read as the decimals they were written as."""
    expression = sympy.sympify(expression, strict=True)
    return expression.xreplace(
        {number: sympy.Rational(repr(float(number))) for number in expression.atoms(sympy.Float)}
    )


def _extended(arguments: list[Any], expressions: list[Any]) -> Callable[..., Any]:
    """Function whose constants are in extended precision too."""
    numbers = sorted({n for e in expressions for n in e.atoms(sympy.Rational) if not n.is_Integer}, key=str)
    symbols = {number: sympy.Symbol(f"constant_{index}") for index, number in enumerate(numbers)}
    values = [EXTENDED(int(number.p)) / EXTENDED(int(number.q)) for number in numbers]
    written = [expression.xreplace(symbols) for expression in expressions]
    function = sympy.lambdify([*arguments, list(symbols.values())], written, modules="numpy", cse=True)

    def evaluate(time: Any, state: Any, rates: Any) -> Any:
        with np.errstate(all="ignore"):
            return np.array(function(time, state, rates, values), dtype=EXTENDED)

    return evaluate


def by_scipy(problem: Problem) -> tuple[str, FloatArray]:
    """The first method: its name and its states, shape [time, state]."""
    method = "Radau" if problem.stiff else "DOP853"
    result = solve_reference(
        problem.system,
        problem.parameters,
        problem.schedule,
        problem.times,
        start=problem.start,
        tolerance=Tolerance(1e-13),
        method=method,
    )
    return f"SciPy {method}, rtol 1e-13", result.values[0]


def distance(left: FloatArray, right: FloatArray) -> float:
    """Largest difference as a share of the value, or of a thousandth of the largest value of that state."""
    scale = np.maximum(np.abs(right), FLOOR * np.abs(right).max(axis=0))
    return float((np.abs(left - right) / np.where(scale == 0.0, 1.0, scale)).max())


def main() -> int:
    """Compute, compare, and write if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write values.json")
    parser.add_argument("names", nargs="*", help="problems; all if none is named")
    arguments = parser.parse_args()
    kept = json.loads(VALUES_FILE.read_text(encoding="utf-8"))["problems"] if VALUES_FILE.exists() else {}
    failed = False
    for problem in PROBLEMS:
        if arguments.names and problem.name not in arguments.names:
            continue
        began = time.process_time()
        collocation = Collocation(problem)
        values, again = collocation.solve(1e-10), collocation.solve(1e-8)
        name, first = by_scipy(problem)
        agreement, own = distance(first, values), distance(again, values)
        is_good = agreement <= DIGITS and own <= DIGITS
        failed |= not is_good
        line = f"{problem.name:20} {name}: {agreement:.1e}; collocation twice: {own:.1e}"
        if problem.name in kept and not arguments.write:
            change = distance(np.array(kept[problem.name]["values"]), values)
            failed |= not change <= DIGITS
            line += f"; values.json: {change:.1e}"
        print(f"{line}; {time.process_time() - began:.0f} s{'' if is_good else '  NOT GOOD ENOUGH'}", flush=True)
        if is_good:
            kept[problem.name] = {
                "methods": [name, f"Radau collocation of order {2 * STAGES - 1} in extended precision"],
                "agreement": float(f"{agreement:.1e}"),
                "values": values.tolist(),
            }
    if arguments.write:
        order = [problem.name for problem in PROBLEMS if problem.name in kept]
        document = {"computed by": "benchmarks/reference_values.py", "problems": {name: kept[name] for name in order}}
        write_atomically(VALUES_FILE, json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
