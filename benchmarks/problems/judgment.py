"""How well a method solves the test problems: the constant K of the promise, that error stays below K tolerances."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from benchmarks.problems import PROBLEMS, Problem, reference_values
from simulate.kernels.build import build
from simulate.solver.batch import solve
from simulate.solver.methods import METHODS, Method
from simulate.solver.problem import Tolerance
from simulate.solver.trajectories import Status

TOLERANCES = (1e-4, 1e-6, 1e-8, 1e-10)
"""Relative tolerances at which methods are judged."""

_LARGEST = 20

kernel_of = cache(build)
"""Kernel of a system, which is solved again and again."""


@dataclass(frozen=True, slots=True)
class Judgment:
    """One method on one problem at one tolerance.

    Attributes
    ----------
    problem, stiff, method, rtol
        What was solved, how.
    status
        Whether the end was reached.
    constant
        K: largest ratio of the global error to the tolerance of the state, over all states and times; infinite if the
        end was not reached.
    gate
        Largest accepted constant.
    accepted, rejected, evaluations
        Work.
    """

    problem: str
    stiff: bool
    method: str
    rtol: float
    status: str
    constant: float
    gate: float
    accepted: int
    rejected: int
    evaluations: int

    @property
    def passed(self) -> bool:
        """Whether the promise is kept."""
        return self.constant <= self.gate


def judge(problem: Problem, method: Method, rtol: float) -> Judgment:
    """Solve a problem and compare it with its reference values."""
    tolerance = Tolerance(rtol)
    result = solve(
        kernel_of(problem.system),
        problem.parameters,
        problem.schedule,
        problem.times,
        start=problem.start,
        tolerance=tolerance,
        method=method,
        threads=1,
    )
    reference = reference_values(problem)
    status = Status(int(result.status[0]))
    error = np.abs(result.values[0] - reference) / tolerance.allowed(reference, np.abs(reference).max(axis=0))
    accepted, rejected, evaluations = (int(count) for count in result.counters[0, :3])
    return Judgment(
        problem=problem.name,
        stiff=problem.stiff,
        method=method.name,
        rtol=rtol,
        status=status.name.lower(),
        constant=float(error.max()) if status is Status.OK else float("inf"),
        gate=problem.gate,
        accepted=accepted,
        rejected=rejected,
        evaluations=evaluations,
    )


def pairs(methods: Sequence[Method] = METHODS) -> tuple[tuple[Problem, Method], ...]:
    """Problems with the methods that are meant for them.

    Stiff problems are for stiff methods only, and roots are not for Taylor series. Stiff methods are not asked to solve
    large problems that are not stiff: to compile a full Jacobian of 28 states takes longer than all else together.
    """
    return tuple(
        (problem, method)
        for problem in PROBLEMS
        for method in methods
        if problem.has_series or not method.series
        if (not problem.stiff if not method.stiff else problem.stiff or len(problem.system.states) <= _LARGEST)
    )


def judge_all(
    tolerances: Sequence[float] = TOLERANCES, progress: Callable[[int], None] | None = None
) -> tuple[Judgment, ...]:
    """Every method on every problem that it is meant for, at every tolerance."""
    found = []
    for problem, method in pairs():
        for rtol in tolerances:
            found.append(judge(problem, method, rtol))
            if progress is not None:
                progress(1)
    return tuple(found)
