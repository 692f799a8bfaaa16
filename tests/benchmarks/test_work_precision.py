"""Errors are those of known answers, and work is what the solver counts."""

from __future__ import annotations

import csv
import functools
import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks import work_precision
from benchmarks.problems import PROBLEMS
from benchmarks.problems.judgment import judge
from benchmarks.work_precision import largest_error, main, measure, problem_workload, study_workload
from simulate.errors import InputError, NumericalError
from simulate.solver.methods import DOP853, DOPRI5, METHODS, RODAS5P
from simulate.studies.runs import Study, prepare
from simulate.studies.scenario import read_scenario
from simulate.studies.settings import Setting

BY_NAME = {problem.name: problem for problem in PROBLEMS}


def study(**settings: object) -> Study:
    chosen = {"cohort.patients": 3, "time.end": "5 d", "model.fit": "typical"} | {
        key.replace("__", "."): v for key, v in settings.items()
    }
    return prepare(read_scenario("anakinra-100mg-daily", [Setting(key, value, key) for key, value in chosen.items()]))


@functools.cache
def bateman() -> tuple[list[float], list[float]]:
    points = measure(problem_workload(BY_NAME["BATEMAN"]), (DOPRI5,), (1e-4, 1e-6, 1e-8))
    return [point.error or np.inf for point in points], [point.evaluations for point in points]


def test_a_tighter_tolerance_makes_a_smaller_error_with_more_work() -> None:
    errors, evaluations = bateman()
    assert errors[0] > 20 * errors[1] > 400 * errors[2] > 0
    assert evaluations[0] < evaluations[1] < evaluations[2]


def test_work_is_that_of_one_member_however_many_copies_are_solved() -> None:
    alone = judge(BY_NAME["BATEMAN"], DOPRI5, 1e-6)
    (point,) = measure(problem_workload(BY_NAME["BATEMAN"]), (DOPRI5,), (1e-6,))
    assert point.evaluations == alone.evaluations
    assert point.steps == alone.accepted + alone.rejected
    assert point.microseconds > 0


def test_a_stiff_problem_is_for_stiff_methods_and_progress_counts_all() -> None:
    told: list[int] = []
    points = measure(problem_workload(BY_NAME["ENZYME"]), (DOPRI5, RODAS5P), (1e-4, 1e-5), progress=told.append)
    assert {point.method for point in points} == {RODAS5P.name}
    assert sum(told) == 4


def test_a_scenario_is_judged_by_a_tighter_solution_of_its_own_patients() -> None:
    workload = study_workload(study())
    assert workload.reference.shape[:2] == (3, 6)
    dopri5, dop853 = (measure(workload, (method,), (1e-8,))[0] for method in (DOPRI5, DOP853))
    assert dopri5.error is not None
    assert dop853.error is not None
    assert 0 < dopri5.error < 1e-6
    assert 0 < dop853.error < 1e-6


def test_a_method_that_does_not_reach_the_end_has_no_error() -> None:
    problem = BY_NAME["ROBER"]
    workload = problem_workload(replace(problem, stiff=False))
    one = replace(workload, parameters=problem.parameters, schedule=problem.schedule, reference=workload.reference[:1])
    (point,) = measure(one, (DOPRI5,), (1e-3,))
    assert point.error is None
    assert point.steps > 10_000


def test_the_error_of_small_values_is_a_share_of_the_largest() -> None:
    reference = np.array([[[100.0, 0.0], [1e-9, 0.0]]])
    assert largest_error(reference + np.array([1e-4, 0.0]), reference) == pytest.approx(1e-3)
    assert largest_error(reference * 1.01, reference) == pytest.approx(0.01)
    assert largest_error(reference + np.array([0.0, 1e-6]), reference) == pytest.approx(1e-6)


def test_a_scenario_in_which_nobody_reaches_the_end_is_refused() -> None:
    with pytest.raises(NumericalError) as caught:
        study_workload(study(model__beyond_bounds=True, parameters__f_RO=1.5))
    assert str(caught.value) == (
        "error[work-precision.reference]: "
        "no patient of `anakinra-100mg-daily` reaches the end at a tolerance of 1e-13\n"
        "  found:    the parameters admit no steady baseline: the share of CD45RO among CD4 cells exceeds 1"
    )


def test_what_bounds_the_steps_of_a_scenario_bounds_those_of_every_method() -> None:
    workload = study_workload(study(solver__max_step="1 h", solver__breaks=["2.5 d"]))
    assert (workload.max_step, workload.breaks) == (1.0 / 24.0, (2.5,))
    assert measure(workload, (DOP853,), (1e-4,))[0].steps >= 5 * 24


def test_an_arm_with_rules_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    path.write_text(
        'schema = 1\ntitle = "t"\n[model]\nfit = "typical"\n[time]\nend = "2 d"\n'
        '[[arm]]\nname = "a"\nregimen = "none"\n'
        '[[arm.rule]]\nquantity = "ck"\nabove = "1 µkat/L"\ndose = 0\n',
        encoding="utf-8",
    )
    with pytest.raises(InputError) as caught:
        study_workload(prepare(read_scenario(path)))
    assert str(caught.value) == (
        "error[work-precision.rules]: what a method costs cannot be measured in the arm `a`\n"
        "  found:    rules, by which doses follow the patient: each method would be given other doses\n"
        "  expected: an arm without rules"
    )


def test_the_table_has_a_row_for_each_method_and_tolerance_and_the_folder_its_diagrams(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(work_precision, "SHOWN", ("ENZYME",))
    monkeypatch.setattr(work_precision, "TOLERANCES", (1e-3, 1e-6))
    target = tmp_path / "diagrams"
    assert main(["--patients", "2", "--set", "time.end=3 d", "--out", str(target)]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    # One stiff method solves the stiff problem, and all of them solve the scenario.
    assert len(rows) == 2 * (1 + len(METHODS))
    assert (rows[0]["workload"], rows[0]["method"]) == ("ENZYME", "Rodas5P")
    assert all(float(row["microseconds"]) > 0 for row in rows)
    assert sorted(path.name for path in target.iterdir()) == [f"work-precision.{end}" for end in ("csv", "png", "svg")]
