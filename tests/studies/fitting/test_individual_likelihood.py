"""The likelihood of individual data against integrals that are known in another way."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm

from simulate.streams import FloatArray
from simulate.studies.fitting.individual import IndividualProblem, individual_problem
from simulate.studies.fitting.individual_likelihood import IndividualLikelihood
from simulate.trials.individual import read_individual

LEVELS = """
[parameters.level]
value = 3
unit = "nM"
spread = { sd_log = 0.5 }

[parameters.ratio]
value = 2
unit = "1"
spread = { sd_log = 0.3 }

[parameters.k]
value = 0.2
unit = "1/d"

[species.X]
unit = "nM"
initial = "level"

[reactions.loss]
rate = "k*X"
change = { X = -1 }

[observables.first]
unit = "nM"
expression = "X"

[observables.second]
unit = "nM"
expression = "X*ratio"
"""

DATA = """
schema = 1
table = "levels.csv"
time = "d"
average = "AVERAGE"

[model]
file = "levels.toml"

[readings.first]
dvid = "1"
log = { value = 0.2, bounds = [0.05, 1] }

[readings.second]
dvid = "2"
log = 0.1

[free.level]
typical = [0.5, 20]
spread = [0.1, 2]
"""

ROWS = {
    "a": ((0, "1", 2.5), (1, "1", 3.1), (2, "2", 5.0)),
    "b": ((0, "1", 6.1),),
    "c": ((0, "2", 2.2), (1, "2", 2.0), (1, "1", 1.4), (2, "1", 1.1)),
}


@cache
def levels(folder: Path, average: str) -> IndividualProblem:
    (folder / "levels.toml").write_text(LEVELS, encoding="utf-8")
    rows = [f"{name},{day},{what},{value}" for name, own in ROWS.items() for day, what, value in own]
    (folder / "levels.csv").write_text("\n".join(["ID,TIME,DVID,DV", *rows]) + "\n", encoding="utf-8")
    path = folder / f"{average}.toml"
    path.write_text(DATA.replace("AVERAGE", average), encoding="utf-8")
    return individual_problem(read_individual(path))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("levels")


def exact(problem: IndividualProblem, point: FloatArray) -> list[float]:
    """Log-readings are jointly normal: the log-level, the log-ratio and the noise are, and only add up."""
    typical, spread, noise = (part.values(point[column]) for column, part in enumerate(problem.free))
    found = []
    for own in ROWS.values():
        values = np.log([value for *_, value in own])
        second = np.array([what == "2" for _, what, _ in own])
        days = np.array([day for day, *_ in own])
        mean = np.log(typical) + np.where(second, np.log(2.0), 0.0) - 0.2 * days
        covariance = spread**2 + 0.3**2 * np.outer(second, second)
        covariance = covariance + np.diag(np.where(second, 0.1, noise) ** 2)
        # Densities are of readings and not of their logarithms.
        found.append(float(multivariate_normal.logpdf(values, mean, covariance) - values.sum()))
    return found


POINTS = np.array([[0.0, 0.0, 0.0], [0.4, -0.6, 0.5], [-1.0, 1.0, 1.5]])


def test_the_average_about_modes_is_the_integral_of_a_linear_model(folder: Path) -> None:
    problem = levels(folder, "mode")
    assert [part.name for part in problem.free] == ["level", "spread_level", "log_first"]
    found = IndividualLikelihood(problem, 256, 1)(POINTS).items
    expected = np.array([exact(problem, point) for point in POINTS])
    np.testing.assert_allclose(found, expected, atol=0.02)


def test_it_converges_with_the_number_of_virtual_patients(folder: Path) -> None:
    problem = levels(folder, "mode")
    expected = np.array([exact(problem, point) for point in POINTS])
    errors = {
        number: np.sqrt(
            np.mean([np.square(IndividualLikelihood(problem, number, key)(POINTS).items - expected) for key in (1, 2)])
        )
        for number in (16, 1024)
    }
    assert errors[16] < 0.05
    assert errors[1024] < 0.003


def test_the_average_over_patients_as_they_are_drawn_is_the_same_integral_but_needs_more_of_them(folder: Path) -> None:
    drawn, about = levels(folder, "prior"), levels(folder, "mode")
    looked = IndividualLikelihood(drawn, 8192, 1).look(POINTS)
    expected = np.array([exact(drawn, point) for point in POINTS])
    assert (np.abs(looked.log_likelihoods - expected) < 2.0 / np.sqrt(looked.effective)).all()
    few = IndividualLikelihood(about, 128, 1).look(POINTS).effective / 128
    assert few.min() > 0.5
    assert (looked.effective / 8192).min() < 0.01


def test_a_point_has_the_same_bits_in_every_batch(folder: Path) -> None:
    likelihood = IndividualLikelihood(levels(folder, "mode"), 16, 1)
    whole = likelihood(POINTS).items
    alone = np.concatenate([likelihood(POINTS[[row]]).items for row in (2, 0, 1)])
    np.testing.assert_array_equal(whole[[2, 0, 1]], alone)
    np.testing.assert_array_equal(IndividualLikelihood(levels(folder, "mode"), 16, 1, threads=1)(POINTS).items, whole)


def test_what_is_below_a_limit_has_the_probability_to_be_so(tmp_path: Path) -> None:
    (tmp_path / "levels.toml").write_text(LEVELS, encoding="utf-8")
    (tmp_path / "t.csv").write_text("ID,TIME,DV,CENS\n1,0,1.5,1\n", encoding="utf-8")
    (tmp_path / "d.toml").write_text(
        'schema = 1\ntable = "t.csv"\n[model]\nfile = "levels.toml"\n[readings.first]\nlog = 0.2\n'
        "[free.level]\ntypical = [0.5, 20]\n",
        encoding="utf-8",
    )
    problem = individual_problem(read_individual(tmp_path / "d.toml"))
    found = IndividualLikelihood(problem, 1024, 1)(np.zeros((1, 1))).total
    typical = problem.free[0].values(np.zeros(1))
    expected = norm.logcdf((np.log(1.5) - np.log(typical)) / np.hypot(0.5, 0.2))
    np.testing.assert_allclose(found, expected, atol=0.01)
