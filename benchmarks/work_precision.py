"""Work and precision: how much each method works for the error that it makes, on shipped problems and on a scenario.

The error is measured, not the tolerance: the largest over all members, times and states, as a share of the value, or of
a thousandth of the state's largest value where the value is below that. The work is processor time on one thread, the
best of several, and evaluations of the right-hand side; both for one trajectory. Evaluations are the same everywhere.

``python -m benchmarks.work_precision [SCENARIO] [--set KEY=VALUE] [--patients N] [--out FOLDER]``: every method solves
three problems with known answers (smooth, dosed, stiff) and the first arm of a scenario at nine tolerances.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.point import Point
from benchmarks.problems import PROBLEMS, Problem, reference_values
from simulate.cohort.draws import members_at
from simulate.cohort.ensemble import member_parameters, schedule_of
from simulate.errors import InputError, NumericalError
from simulate.kernels.build import build
from simulate.kernels.system import lower
from simulate.solver.batch import solve
from simulate.solver.kernel import FloatArray, Kernel
from simulate.solver.methods import DOP853, METHODS, Method
from simulate.solver.problem import Schedule, Tolerance
from simulate.solver.trajectories import Status, Trajectories
from simulate.studies.runs import Study, cohort_of, prepare
from simulate.studies.scenario import read_scenario
from simulate.studies.settings import Setting, parse_setting
from simulate.tabular import table_of

TOLERANCES = tuple(10.0**-digits for digits in range(3, 12))
"""Relative tolerances that are tried."""

SHOWN = ("BRUSSELATOR", "BATEMAN", "HIRES")
"""Problems with known answers that stand beside a scenario: smooth, with doses, and stiff."""

_COPIES = 64
_REPETITIONS, _MOST_REPETITIONS = 3, 50
_PATIENCE = 0.1
_MAX_STEPS = 300_000
_TIGHT = 1e-13
_FLOOR = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class Workload:
    """What every method is given.

    Attributes
    ----------
    name
        What a reader sees.
    stiff
        Whether only stiff methods are asked.
    kernel, parameters, schedule, times, start, max_step, breaks
        As for `simulate.solver.solve`.
    reference
        True values, shape [member, time, state].
    """

    name: str
    stiff: bool
    kernel: Kernel
    parameters: FloatArray
    schedule: Schedule
    times: FloatArray
    start: float
    reference: FloatArray
    max_step: float | None = None
    breaks: tuple[float, ...] = ()

    def solved(self, method: Method, rtol: float) -> Trajectories:
        """Trajectories by a method at a tolerance, on one thread."""
        return solve(
            self.kernel,
            self.parameters,
            self.schedule,
            self.times,
            start=self.start,
            tolerance=Tolerance(rtol),
            method=method,
            max_steps=_MAX_STEPS,
            max_step=self.max_step,
            breaks=self.breaks,
            threads=1,
        )


def problem_workload(problem: Problem) -> Workload:
    """A shipped problem, as 64 members that are all the same, so that all lanes are busy."""
    return Workload(
        name=problem.name,
        stiff=problem.stiff,
        kernel=build(problem.system),
        parameters=np.repeat(problem.parameters, _COPIES, axis=0),
        schedule=Schedule.from_rows([problem.stops] * _COPIES),
        times=problem.times,
        start=problem.start,
        reference=np.broadcast_to(reference_values(problem), (_COPIES, *reference_values(problem).shape)),
    )


def study_workload(study: Study) -> Workload:
    """The patients of a scenario in its first arm, judged by the high-order method at a tolerance of 1e-13.

    Raises
    ------
    InputError
        ``work-precision.rules``: doses follow the state of the patient.
    NumericalError
        ``work-precision.reference``: no patient reaches the end at that tolerance.
    """
    scenario, arm = study.scenario, study.arms[0]
    if arm.rules:
        raise InputError(
            f"what a method costs cannot be measured in the arm `{arm.name}`",
            code="work-precision.rules",
            found="rules, by which doses follow the patient: each method would be given other doses",
            expected="an arm without rules",
        )
    cohort = cohort_of(study)
    kernel = build(lower(study.model))
    parameters = member_parameters(study.model, arm, cohort)
    end = float(study.times[-1])
    schedule = schedule_of(study.model, [arm], cohort, end)
    tight = Tolerance(_TIGHT)
    true = solve(
        kernel, parameters, schedule, study.times, tolerance=tight, method=DOP853, max_steps=_MAX_STEPS,
        max_step=scenario.max_step, breaks=scenario.breaks,
    )  # fmt: skip
    sound = np.flatnonzero(true.status == Status.OK)
    if not sound.size:
        raise NumericalError(
            f"no patient of `{scenario.name}` reaches the end at a tolerance of {_TIGHT:g}",
            code="work-precision.reference",
            found=true.failures[0].reason,
        )
    return Workload(
        name=scenario.name,
        stiff=False,
        kernel=kernel,
        parameters=parameters[sound],
        schedule=schedule_of(study.model, [arm], members_at(cohort, sound), end),
        times=study.times,
        start=0.0,
        reference=true.values[sound][:, :, : len(kernel.states)],
        max_step=scenario.max_step,
        breaks=scenario.breaks,
    )


def workloads(study: Study) -> tuple[Workload, ...]:
    """The shipped problems that are shown, and a scenario."""
    problems = tuple(problem_workload(problem) for problem in PROBLEMS if problem.name in SHOWN)
    return (*problems, study_workload(study))


def measure(
    workload: Workload,
    methods: Sequence[Method] = METHODS,
    tolerances: Sequence[float] | None = None,
    *,
    progress: Callable[[int], None] | None = None,
) -> tuple[Point, ...]:
    """Work and error of each method that suits the workload, at each tolerance; `TOLERANCES` if not given.

    ``progress`` is called with 1 after each pair of a method and a tolerance, those that are left out included.
    """
    points = []
    for method in methods:
        is_suited = _suits(method, workload)
        for rtol in TOLERANCES if tolerances is None else tolerances:
            if is_suited:
                points.append(_point(workload, method, rtol))
            if progress is not None:
                progress(1)
    return tuple(points)


def _suits(method: Method, workload: Workload) -> bool:
    """Whether a method is meant for a workload; this also compiles what is timed later."""
    if workload.stiff and not method.stiff:
        return False
    try:
        workload.solved(method, max(TOLERANCES))
    except InputError:
        # A method may refuse a model, such as one whose rates have no derivatives.
        return False
    return True


def _point(workload: Workload, method: Method, rtol: float) -> Point:
    seconds: list[float] = []
    # Short solves are timed more often, as the machine has other things to do.
    while len(seconds) < _REPETITIONS or (sum(seconds) < _PATIENCE and len(seconds) < _MOST_REPETITIONS):
        began = time.process_time()
        found = workload.solved(method, rtol)
        seconds.append(time.process_time() - began)
    number = len(workload.parameters)
    accepted, rejected, evaluations = (float(count) for count in found.counters[:, :3].sum(axis=0) / number)
    return Point(
        workload=workload.name,
        method=method.name,
        rtol=rtol,
        error=largest_error(found.values[:, :, : workload.reference.shape[2]], workload.reference)
        if np.all(found.status == Status.OK)
        else None,
        microseconds=1e6 * min(seconds) / number,
        evaluations=evaluations,
        steps=accepted + rejected,
    )


def largest_error(values: FloatArray, reference: FloatArray) -> float:
    """Largest error as a share of the value, or of a thousandth of the state's largest where it is below that."""
    largest = np.abs(reference).max(axis=(0, 1))
    scale = np.maximum(np.abs(reference), _FLOOR * largest)
    # A state that stays zero has no scale, and must stay zero.
    return float((np.abs(values - reference) / np.where(scale == 0.0, 1.0, scale)).max())


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.work_precision", description="Work and precision.")
    parser.add_argument("scenario", nargs="?", default="anakinra-100mg-daily")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="as for simulate run")
    parser.add_argument("--patients", type=int, default=16)
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="write the table and the diagrams there")
    options = parser.parse_args(arguments)
    settings = [Setting("cohort.patients", options.patients, "--patients"), *map(parse_setting, options.set)]
    study = prepare(read_scenario(options.scenario, settings))
    points = [point for workload in workloads(study) for point in measure(workload)]
    table = table_of(points, Point).csv()
    print(table, end="")
    if options.out is not None:
        from benchmarks.diagram import work_precision
        from simulate.figures.style import save

        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "work-precision.csv").write_text(table, encoding="utf-8")
        save(work_precision(points), options.out, "work-precision")
    return 0


if __name__ == "__main__":
    sys.exit(main())
