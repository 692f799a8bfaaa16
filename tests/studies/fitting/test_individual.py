"""Theophylline in twelve subjects, whose estimates are published; and what is said where a likelihood is not known."""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import logsumexp

from simulate.errors import InputError, NotConverged
from simulate.inference.thinning import thinned
from simulate.streams import FloatArray
from simulate.studies.fitting.individual import IndividualProblem, individual_problem
from simulate.studies.fitting.individual_fit import fit_individuals
from simulate.studies.fitting.individual_likelihood import IndividualLikelihood
from simulate.studies.fitting.posterior import Settings, read_posterior, write_posterior
from simulate.studies.fitting.smooth import smooth
from simulate.studies.runs import prepare
from simulate.studies.scenario import read_scenario
from simulate.trials.individual import read_individual

DATA = Path(__file__).parents[2] / "data"

PUBLISHED = {
    "ka": 1.595,
    "CL": 2.75,
    "V": 31.9,
    "spread_ka": float(np.sqrt(np.log1p(0.698**2))),
    "spread_CL": float(np.sqrt(np.log1p(0.265**2))),
    "spread_V": float(np.sqrt(np.log1p(0.140**2))),
    "additive_concentration": 0.694,
}
"""The article "Modifying nlmixr2 models by piping" of nlmixr2 (FOCEI, additive noise; 1/h, L/h, L; coefficients of
variation of 69.8, 26.5 and 14.0 %; standard error of log ka 0.208, of log CL 0.062, of log V 0.055)."""


def test_the_page_has_the_published_estimates_and_the_data_file() -> None:
    page = (DATA.parents[1] / "docs" / "individual-data.md").read_text(encoding="utf-8")
    told = {"ka, 1/h": "ka", "CL, L/h": "CL", "V, L": "V", "noise, mg/L": "additive_concentration"}
    told |= {f"spread of {name}": f"spread_{name}" for name in ("ka", "CL", "V")}
    for row, name in told.items():
        (printed,) = re.findall(rf"^\| {re.escape(row)} \| ([\d.]+) \|", page, re.MULTILINE)
        assert float(printed) == pytest.approx(PUBLISHED[name], rel=0.004)
    (block,) = re.findall(r"^```toml\n(schema = 1\ntitle = \"theophylline.*?)^```", page, re.MULTILINE | re.DOTALL)
    shown, kept = tomllib.loads(block), tomllib.loads((DATA / "theophylline.toml").read_text(encoding="utf-8"))
    assert shown["free"]["CL"] == kept["free"]["CL"]
    assert shown["readings"]["concentration"]["additive"] == kept["readings"]["concentration"]["additive"]


@cache
def theophylline() -> IndividualProblem:
    return individual_problem(read_individual(DATA / "theophylline.toml"))


def place(values: dict[str, float]) -> FloatArray:
    """The point at which the free numbers have some values."""
    return np.array(
        [
            brentq(lambda at, part=part: part.values(np.array(at)).item() - values[part.name], -5.0, 5.0)
            for part in theophylline().free
        ]
    )


def test_the_likelihood_is_the_integral_over_the_closed_form_of_the_model() -> None:
    """Brute force on a grid of the scores of ka, CL and V, with the textbook solution of the one-compartment model."""
    problem = theophylline()
    found = IndividualLikelihood(problem, 256, 1).look(place(PUBLISHED)[np.newaxis])
    scores = np.linspace(-5.0, 5.0, 61)
    ka, cl, v = (
        (PUBLISHED[name] * np.exp(PUBLISHED[f"spread_{name}"] * scores))[index]
        for name, index in (("ka", np.s_[:, None, None]), ("CL", np.s_[None, :, None]), ("V", np.s_[None, None, :]))
    )
    density = -0.5 * np.square(scores) - 0.5 * np.log(2.0 * np.pi) + np.log(scores[1] - scores[0])
    weights = density[:, None, None] + density[None, :, None] + density[None, None, :]
    doses = {"5": 319.956, "9": 267.84}
    for number, patient in enumerate(problem.patients):
        if patient.name not in doses:
            continue
        logs = weights.copy()
        for hours, value in zip(24.0 * patient.times[patient.columns], patient.values, strict=True):
            level = doses[patient.name] * ka / (v * ka - cl) * (np.exp(-cl / v * hours) - np.exp(-ka * hours))
            logs += -0.5 * np.square((value - level) / 0.694) - np.log(0.694) - 0.5 * np.log(2.0 * np.pi)
        np.testing.assert_allclose(found.log_likelihoods[0, number], logsumexp(logs), atol=0.02)
    assert found.effective.min() > 0.6 * 256


def test_along_each_number_the_likelihood_is_greatest_at_the_published_estimate() -> None:
    published, reach = place(PUBLISHED), 0.1
    dimension = len(published)
    steps = reach * np.concatenate([np.zeros((1, dimension)), np.eye(dimension), -np.eye(dimension)])
    totals = IndividualLikelihood(theophylline(), 16, 1, threads=1)(published + steps).total
    middle, up, down = totals[0], totals[1 : 1 + dimension], totals[1 + dimension :]
    assert (2.0 * middle - up - down > 0.0).all()
    best = published + 0.5 * reach * (up - down) / (2.0 * middle - up - down)
    found = {part.name: float(part.values(best[[column]])[0]) for column, part in enumerate(theophylline().free)}
    # Within a third of the published standard errors; those of spreads and noise were not printed.
    assert abs(np.log(found["ka"] / PUBLISHED["ka"])) < 0.07
    assert abs(np.log(found["CL"] / PUBLISHED["CL"])) < 0.02
    assert abs(np.log(found["V"] / PUBLISHED["V"])) < 0.02
    for name in ("spread_ka", "spread_CL", "spread_V"):
        assert abs(found[name] - PUBLISHED[name]) < 0.03
    assert abs(found["additive_concentration"] - PUBLISHED["additive_concentration"]) < 0.01


LEVEL = """
[parameters.level]
value = 3
unit = "nM"
spread = { sd_log = 0.5 }

[parameters.k]
value = 0.2
unit = "1/d"

[species.X]
unit = "nM"
initial = "level"

[reactions.loss]
rate = "k*X"
change = { X = -1 }
"""

MANY = """
schema = 1
table = "t.csv"
time = "d"
average = "AVERAGE"

[model]
file = "level.toml"

[readings.X]
log = 0.1

[free.level]
typical = [0.5, 20]
"""

SHORT = Settings(particles=24, runs=1, patients=16, draws=64, final_patients=32, kept=32)


def many(folder: Path, average: str) -> IndividualProblem:
    (folder / "level.toml").write_text(LEVEL, encoding="utf-8")
    rows = [
        f"{name},{day},{level * np.exp(-0.2 * day):.4f}" for name, level in (("a", 2.2), ("b", 6)) for day in (0, 1)
    ]
    (folder / "t.csv").write_text("\n".join(["ID,TIME,DV", *rows]) + "\n", encoding="utf-8")
    (folder / "d.toml").write_text(MANY.replace("AVERAGE", average), encoding="utf-8")
    return individual_problem(read_individual(folder / "d.toml"))


def test_a_reading_is_fitted_in_its_own_unit_or_that_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "level.toml").write_text(LEVEL, encoding="utf-8")
    table = "ID,TIME,DV,UNIT\na,0,2200,pM\na,1,1.8,.\na,2,1.5,nM\n"
    (tmp_path / "t.csv").write_text(table, encoding="utf-8")
    for unit, second in (("", 1.8), ('unit = "pM"\n', 1.8e-3)):
        data = MANY.replace("AVERAGE", "prior").replace("log = 0.1", f"{unit}log = 0.1")
        (tmp_path / "d.toml").write_text(data, encoding="utf-8")
        (patient,) = individual_problem(read_individual(tmp_path / "d.toml")).patients
        assert patient.values.tolist() == pytest.approx([2.2, second, 1.5])


def test_a_likelihood_that_hangs_on_few_virtual_patients_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotConverged) as caught:
        fit_individuals(many(tmp_path, "prior"), SHORT, threads=1)
    error = caught.value
    assert error.code == "fit.effective"
    assert error.what.endswith("of 32 virtual patients")
    assert error.expected == "at least 10 for each"
    assert (
        error.advice
        == '`average = "mode"`, which puts them where the patient is likely to be; or more `--final-patients`'
    )


def test_about_the_modes_the_same_is_fitted_and_a_run_stands_on_the_result(tmp_path: Path) -> None:
    problem = many(tmp_path, "mode")
    found = fit_individuals(problem, SHORT, folder=tmp_path, threads=1)
    assert found.items == ("patient a", "patient b")
    assert found.individuals is not None
    assert min(patient.least_effective for patient in found.individuals.patients) > 16
    # Two levels that are known well: the typical one is normal about their mean on the scale of logarithms.
    scale = np.log(found.individuals.free[0].high / 3.0) / 1.959963984540054
    weight = 2.0 / (0.5**2 + 0.1**2 / 2.0)
    mean = np.log(3.0) + weight * (np.log(np.sqrt(2.2 * 6.0)) - np.log(3.0)) / (weight + 1.0 / scale**2)
    low, middle, high = np.log(found.estimates[0].posterior)
    assert abs(middle - mean) < 0.12
    assert abs((high - low) / (2 * 1.645 / np.sqrt(weight + 1.0 / scale**2)) - 1.0) < 0.35
    write_posterior(tmp_path / "fit.json", found)
    again = read_posterior(tmp_path / "fit.json")
    assert again.individuals == found.individuals
    scenario = (
        'schema = 1\ntitle = "levels"\n[model]\nfile = "level.toml"\nfit = "fit.json"\ndraws = 4\n'
        '[time]\nend = "1 d"\n[[arm]]\nname = "none"\nregimen = "none"\n'
    )
    (tmp_path / "s.toml").write_text(scenario, encoding="utf-8")
    study = prepare(read_scenario(tmp_path / "s.toml"))
    assert study.draws is not None
    weakness = found.diagnostics.weakness
    assert weakness.startswith("nothing can be concluded from this fit: ")
    assert study.draws.origin == f"4 draws of the fit {tmp_path / 'fit.json'} to the individual data d ({weakness})"
    levels = study.draws.changes(study.population, np.arange(4)).typical["level"]
    np.testing.assert_array_equal(levels, problem.free[0].values(found.points[thinned(found.points, 4), 0]))
    (tmp_path / "level.toml").write_text(LEVEL.replace("value = 0.2", "value = 0.3"), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        prepare(read_scenario(tmp_path / "s.toml"))
    assert (caught.value.code, caught.value.what) == (
        "fit.stale",
        "the fit to the individual data d is of another model",
    )


def test_a_route_by_which_no_patient_is_given_anything_makes_no_fit_stale() -> None:
    problem = theophylline()
    given = [route.name for route in problem.routes]
    assert given == ["oral"]
    route = replace(problem.routes[0], name="other")
    wider = replace(problem, model=replace(problem.model, routes=(*problem.model.routes, route)))
    assert wider.model.key != problem.model.key
    assert (wider.key, wider.model_key) == (problem.key, problem.model_key)
    changed = replace(problem.routes[0], gain=2 * problem.routes[0].gain)
    other = replace(problem, model=replace(problem.model, routes=(changed,)))
    assert other.key != problem.key


def test_a_guess_of_a_parabola_is_the_parabola() -> None:
    points = np.random.default_rng(1).normal(size=(60, 3))

    def height(at: FloatArray) -> FloatArray:
        return -40.0 - 30.0 * np.square(at - 0.5).sum(axis=1) + 10.0 * at[:, 0] * at[:, 1]

    learned = smooth(points, height(points))
    others = 0.5 * np.random.default_rng(2).normal(size=(20, 3))
    np.testing.assert_allclose(learned(others), height(others), atol=0.1)
