"""Fits of problems whose optimum has a closed form."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("libsbml")
pytest.importorskip("yaml")

from simulate.errors import Il1simError
from simulate.exchange.petab.reading import read_petab
from simulate.results.openings import of_problem
from simulate.studies.petab.fitting import FitStart, fit_objective
from simulate.studies.petab.objective import Objective, objective_of
from simulate.studies.petab.outcomes import ProblemProfiles
from tests.exchange.models import apply, event, parameter
from tests.exchange.models import ci as name
from tests.exchange.problems import FIRST, MODEL, write_problem

K, A0, SIGMA = 0.5, 2.0, 0.25
TIMES = np.array([0.0, 1.0, 3.0])
COURSE = A0 * np.exp(-K * TIMES)
EXACT = "observableId simulationConditionId time measurement\n" + "\n".join(
    f"o c0 {time!r} {float(value)!r}" for time, value in zip(TIMES.tolist(), COURSE, strict=True)
)
FIXED = FIRST["parameters"].replace("0.5 1", "0.5 0").replace("10 2 1", "10 2 0")


def objective(folder: Path, **changed: str) -> Objective:
    return objective_of(read_petab(write_problem(folder, **changed)), rtol=1e-10, threads=1)


def test_exact_measurements_give_back_their_parameters_with_the_errors_of_the_information(tmp_path: Path) -> None:
    found = fit_objective(objective(tmp_path, measurements=EXACT), starts=3, seed=1)
    k, a0 = found.parameters
    assert (k.value, a0.value) == pytest.approx((K, A0), rel=1e-5)
    assert found.reached >= 2
    slopes = np.stack([-TIMES * COURSE * K * math.log(10.0), COURSE / A0], axis=1) / SIGMA
    errors = np.sqrt(np.diag(np.linalg.inv(slopes.T @ slopes)))
    assert (k.error, a0.error) == pytest.approx(tuple(errors), rel=1e-4)
    assert found.log_likelihood == pytest.approx(found.nominal_log_likelihood, abs=1e-8)


def test_the_width_of_the_noise_is_the_root_of_the_mean_square(tmp_path: Path) -> None:
    found = fit_objective(objective(tmp_path, parameters=FIXED.replace("0.25 0", "0.25 1")), starts=2, seed=1)
    (sigma,) = found.parameters
    residuals = np.array([2.1, 1.2, 0.5]) - COURSE
    assert sigma.value == pytest.approx(math.sqrt((residuals**2).mean()), rel=1e-5)
    assert found.chi2 == pytest.approx(3.0, rel=1e-4)
    assert sigma.error == pytest.approx(sigma.value / math.sqrt(6.0), rel=1e-4)


def test_an_offset_under_laplace_noise_is_the_median_of_the_residuals(tmp_path: Path) -> None:
    found = fit_objective(
        objective(
            tmp_path,
            parameters=FIXED + "\noffset lin -5 5 0 1",
            observables="observableId observableFormula noiseFormula noiseDistribution\no A+offset sigma laplace",
            measurements="observableId simulationConditionId time measurement\no c0 0 2.1\no c0 1 1.6\no c0 3 0.9",
        ),
        starts=1,
        seed=1,
    )
    residuals = np.array([2.1, 1.6, 0.9]) - COURSE
    assert found.parameters[0].value == pytest.approx(float(np.median(residuals)), abs=1e-5)


def test_two_optima_that_fit_as_well_are_both_told(tmp_path: Path) -> None:
    # Of A·b² only the size of b is known.
    squared = objective(
        tmp_path,
        parameters=FIXED + "\nb lin -5 5 1 1",
        observables="observableId observableFormula noiseFormula\no A*b^2 sigma",
        measurements="observableId simulationConditionId time measurement\n"
        + "\n".join(
            f"o c0 {time!r} {4.0 * float(value)!r}" for time, value in zip(TIMES.tolist(), COURSE, strict=True)
        ),
    )
    found = fit_objective(squared, starts=8, seed=1)
    ends = [row.values["b"] for row in found.starts]
    assert np.abs(ends) == pytest.approx(2.0, rel=1e-4)
    assert found.reached == 8
    assert found.elsewhere == sum(np.sign(ends) != np.sign(found.parameters[0].value)) > 0
    assert fit_objective(objective(tmp_path / "one", measurements=EXACT), starts=3, seed=1).elsewhere == 0


def test_an_optimum_at_a_bound_is_said_to_be_at_it(tmp_path: Path) -> None:
    bounded = FIRST["parameters"].replace("a0 lin 0 10 2", "a0 lin 0 1.5 1")
    found = fit_objective(objective(tmp_path, measurements=EXACT, parameters=bounded), starts=2, seed=1)
    a0 = found.parameters[1]
    assert (a0.value, a0.at, a0.error) == (1.5, "upper", None)
    assert found.parameters[0].error is not None


def test_a_start_ends_at_the_same_bits_alone_and_beside_others(tmp_path: Path) -> None:
    problem = objective(tmp_path)
    told: list[list[FitStart]] = [[], []]
    fit_objective(problem, starts=1, seed=5, told=told[0].append)
    fit_objective(problem, starts=5, seed=5, told=told[1].append)
    assert [row for row in told[1] if row.start == 0] == told[0]
    assert sorted(row.start for row in told[1]) == [0, 1, 2, 3, 4]


def test_of_many_valleys_the_deepest_is_found(tmp_path: Path) -> None:
    times = 4.0 * np.linspace(0.0, 1.0, 15) ** 1.3  # no other frequency has the same values at these
    wave = np.sin(3.7 * times + 0.4)
    waving = objective(
        tmp_path,
        parameters=FIXED + "\nw lin 0 20 3.7 1\nphase lin 0 6.283 0.4 1",
        observables="observableId observableFormula noiseFormula\no sin(w*time+phase) sigma",
        measurements="observableId simulationConditionId time measurement\n"
        + "\n".join(f"o c0 {time!r} {value!r}" for time, value in zip(times.tolist(), wave.tolist(), strict=True)),
    )
    grid = np.linspace(0.0, 20.0, 2001)
    waves = np.stack([np.sin(np.outer(grid, times)), np.cos(np.outer(grid, times))], axis=2)
    lefts = np.array([((wave - own @ np.linalg.pinv(own) @ wave) ** 2).sum() for own in waves])
    valleys = np.flatnonzero((lefts[1:-1] < lefts[:-2]) & (lefts[1:-1] < lefts[2:])) + 1
    assert len(valleys) > 5
    found = fit_objective(waving, starts=4, seed=1)
    assert found.reached >= 2
    assert found.parameters[0].value == pytest.approx(float(grid[lefts.argmin()]), abs=0.01)


def test_an_event_and_a_switch_at_times_that_are_sought_have_the_gradients_of_closed_forms(tmp_path: Path) -> None:
    # Once A has fallen to `least` it is filled up to a0; the event happens at log(a0/least)/k, once before the end.
    filled = event("filled", apply("leq", name("A"), name("least")), {"A": name("a0")})
    model = MODEL.replace("</model>", f"<listOfEvents>{filled}</listOfEvents></model>")
    model = model.replace("</listOfParameters>", f"{parameter('least', 1.0)}</listOfParameters>")
    least, times = 1.1, np.array([0.5, 1.0, 2.0])
    wanted = np.array([2.0, 1.0, 1.5])
    problem = objective(
        tmp_path,
        model=model,
        parameters=FIRST["parameters"] + f"\nleast lin 0.1 5 {least} 1",
        measurements="observableId simulationConditionId time measurement\n"
        + "\n".join(f"o c0 {time!r} {value!r}" for time, value in zip(times.tolist(), wanted.tolist(), strict=True)),
    )
    score = problem(problem.nominal(), gradient=True)
    since = times - np.where(times > math.log(A0 / least) / K, math.log(A0 / least) / K, 0.0)
    course = A0 * np.exp(-K * since)
    np.testing.assert_allclose(score.simulated, course, rtol=1e-8)
    # Behind the event A is a0**2/least*exp(-k*t): it has happened earlier where k or a0 differ.
    behind = times > since
    by_k, by_a0 = -times * course * K * math.log(10.0), np.where(behind, 2.0, 1.0) * course / A0
    slopes = np.stack([by_k, by_a0, np.where(behind, -course / least, 0.0)])
    np.testing.assert_allclose(score.gradient, slopes @ ((wanted - course) / SIGMA**2), rtol=1e-6)
    found = fit_objective(problem, starts=2, seed=1)
    assert found.log_likelihood >= score.log_likelihood


def test_a_search_tells_at_how_many_points_it_took_differences(tmp_path: Path) -> None:
    found = fit_objective(objective(tmp_path, measurements=EXACT), starts=2, seed=1)
    assert found.differences == 0
    assert not any("derivative" in text for text in of_problem("m", found).caveats)
    profiles = ProblemProfiles((), (), (), found.point, 0.0, 9, differences=1)
    told = of_problem("m", replace(found, differences=2, profiles=profiles)).caveats
    assert (
        "At 3 points of the search a derivative does not exist, as a switch is only grazed or two things happen at one "
        "time: there it is a central difference."
    ) in told


def test_a_problem_without_a_sought_parameter_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Il1simError) as caught:
        fit_objective(objective(tmp_path, parameters=FIXED), starts=1, seed=1)
    assert str(caught.value) == "error[petab.nothing]: no parameter of the problem is to be estimated"
