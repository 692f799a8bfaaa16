"""N13: a tolerance reaches the solver by every way in which it can be given."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from benchmarks.problems import BRUSSELATOR
from simulate.api.simulating import run
from simulate.cli.app import outcome
from simulate.cohort.draws import draw
from simulate.cohort.ensemble import simulate_cohort
from simulate.kernels.build import build
from simulate.solver import Tolerance, solve
from simulate.studies.runs import Study, prepare, simulate_study
from simulate.studies.scenario import read_scenario
from simulate.studies.settings import Setting

FILE = """
schema = 1
title = "a week"
model = {{ hypothesis = "none", fit = "typical" }}
[time]
end = "7 d"
[cohort]
patients = 2
[[arm]]
name = "anakinra"
regimen = "100 mg sc every 24 h"
[solver]
rtol = {rtol}
"""

FEW = (
    "--patients",
    "2",
    "--set",
    "model.fit='typical'",
    "--set",
    "time.end=7 d",
    "--no-figures",
    "--force",
    "-o",
    "out",
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def command(*arguments: str) -> int:
    assert outcome(["run", *arguments]) == 0
    counters = json.loads(Path("out/manifest.json").read_text(encoding="utf-8"))["counters"]
    return int(counters["accepted_steps"])


def by_option(rtol: float) -> int:
    return command("anakinra-100mg-daily", *FEW, "--rtol", str(rtol))


def by_setting(rtol: float) -> int:
    return command("anakinra-100mg-daily", *FEW, "--set", f"solver.rtol={rtol}")


def by_file(rtol: float) -> int:
    Path("week.toml").write_text(FILE.format(rtol=rtol), encoding="utf-8")
    return command("week.toml", "--no-figures", "--force", "-o", "out")


def study(rtol: float) -> Study:
    settings = {"solver.rtol": rtol, "time.end": "7 d", "cohort.patients": 2, "model.fit": "typical"}
    return prepare(read_scenario("anakinra-100mg-daily", [Setting(key, value, key) for key, value in settings.items()]))


def by_study(rtol: float) -> int:
    return int(simulate_study(study(rtol)).trajectories.counters[:, 0].sum())


def by_cohort(rtol: float) -> int:
    week = study(1e-6)
    people = draw(week.population, 2, seed=1)
    ensemble = simulate_cohort(week.model, week.arms, people, week.times, tolerance=Tolerance(rtol))
    return int(ensemble.trajectories.counters[:, 0].sum())


def by_solver(rtol: float) -> int:
    problem = BRUSSELATOR
    result = solve(
        build(problem.system), problem.parameters, problem.schedule, problem.times, tolerance=Tolerance(rtol)
    )
    return int(result.counters[0, 0])


WAYS: list[Callable[[float], int]] = [by_option, by_setting, by_file, by_study, by_cohort, by_solver]


@pytest.mark.parametrize("steps", WAYS, ids=lambda way: way.__name__.replace("_", " "))
def test_n13_a_tighter_tolerance_takes_twice_the_steps_however_it_is_given(
    steps: Callable[[float], int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert steps(1e-10) > 2 * steps(1e-4)


def test_n13_an_absolute_tolerance_is_a_share_of_the_scale() -> None:
    problem = BRUSSELATOR
    loose, tight = (
        int(
            solve(
                build(problem.system),
                problem.parameters,
                problem.schedule,
                problem.times,
                tolerance=Tolerance(1e-4, atol),
            ).counters[0, 0]
        )
        for atol in (1e-4, 1e-10)
    )
    assert loose < tight


def test_n13_the_python_door_takes_it_too() -> None:
    settings = {"time.end": "7 d", "model.fit": "typical"}
    loose, tight = (
        run("anakinra-100mg-daily", patients=2, rtol=rtol, settings=settings)["serum_il1ra"].values
        for rtol in (1e-3, 1e-10)
    )
    assert 1e-9 < float(np.abs(loose / tight - 1.0).max()) < 0.1
