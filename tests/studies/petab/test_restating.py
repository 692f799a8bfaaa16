"""Problems of PEtab written as those of version 2: the same likelihood, or nothing is written."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("yaml")
pytest.importorskip("libsbml")

from simulate.errors import InputError
from simulate.exchange.petab.reading import read_petab
from simulate.studies.petab.objective import objective_of
from simulate.studies.petab.restating import StatedProblem, check_same, restated, write_problem
from tests.exchange.problems import FIRST, SECOND
from tests.exchange.problems import write_problem as write_first

K, A0, SIGMA = 0.5, 2.0, 0.25
TIMES, VALUES = np.array([0.0, 1.0, 3.0]), np.array([2.1, 1.2, 0.5])
COURSE = A0 * np.exp(-K * TIMES)


def written(folder: Path, problem: StatedProblem) -> float:
    """Log-likelihood of the files of a problem, read from the disk."""
    write_problem(problem, folder / "new" / "problem.yaml", read=(), force=False)
    again = objective_of(read_petab(folder / "new" / "problem.yaml"), rtol=1e-10)
    assert again.problem.version == 2
    return again(again.nominal()).log_likelihood


def test_a_common_logarithm_becomes_a_natural_one_with_the_same_likelihood(tmp_path: Path) -> None:
    first = write_first(
        tmp_path / "old",
        observables="observableId observableFormula noiseFormula observableTransformation noiseDistribution\n"
        "o A noiseParameter1_o log10 laplace",
        measurements="observableId simulationConditionId time measurement noiseParameters\n"
        "o c0 0 2.1 0.25\no c0 1 1.2 sigma\no c0 3 0.5 0.25",
    )
    residuals = np.abs(np.log10(VALUES / COURSE)) / SIGMA
    expected = -(math.log(2.0 * SIGMA) + np.log(VALUES * math.log(10.0)) + residuals).sum()
    found = restated(first, "problem.yaml")
    assert found.log_likelihood == pytest.approx(expected, rel=1e-8)
    assert written(tmp_path, found) == pytest.approx(expected, rel=1e-8)
    assert found.left_out == ("the scales of the parameters `k`: version 2 has none, and bounds stay as they are",)


def test_a_steady_state_before_an_experiment_stays_one(tmp_path: Path) -> None:
    """A goes to B and to nothing else: at the steady state before, all of A is gone, until a condition sets it anew."""
    first = write_first(
        tmp_path / "old",
        conditions="conditionId A\nbefore 7\nafter 3",
        measurements="observableId preequilibrationConditionId simulationConditionId time measurement\n"
        "o before after 1 1.2",
    )
    residual = (1.2 - 3.0 * math.exp(-K)) / SIGMA
    expected = -0.5 * residual**2 - math.log(SIGMA) - 0.5 * math.log(2.0 * math.pi)
    found = restated(first, "problem.yaml")
    assert found.log_likelihood == pytest.approx(expected, rel=1e-7)
    assert written(tmp_path, found) == pytest.approx(expected, rel=1e-7)
    assert [period.time for period in found.problem.experiments[0].periods] == [-math.inf, 0.0]


def test_without_a_nominal_value_both_are_held_together_between_the_bounds(tmp_path: Path) -> None:
    first = write_first(tmp_path / "old", parameters=FIRST["parameters"].replace("10 0.5 1", "10 _ 1"))
    found = restated(first, "problem.yaml")
    middle = math.sqrt(0.01 * 10.0)
    residuals = (VALUES - A0 * np.exp(-middle * TIMES)) / SIGMA
    expected = -(0.5 * residuals**2 + math.log(SIGMA) + 0.5 * math.log(2.0 * math.pi)).sum()
    assert found.log_likelihood == pytest.approx(expected, rel=1e-7)
    assert b"k\ttrue\t\t0.01\t10\n" in found.files["parameters.tsv"]


def fitted(folder: Path, **values: float) -> Path:
    path = folder / "fit.json"
    rows = [{"name": name, "value": value} for name, value in values.items()]
    path.write_text(json.dumps({"parameters": rows}), encoding="utf-8")
    return path


def test_the_estimates_of_a_fit_become_nominal_values(tmp_path: Path) -> None:
    first = write_first(tmp_path / "old", SECOND)
    fitted(tmp_path, k=0.75, a0=1.5)
    found = restated(first, "problem.yaml", tmp_path)
    assert {part.id: part.nominal for part in found.problem.parameters} == {"k": 0.75, "a0": 1.5, "sigma": 0.25}


def test_a_fit_of_another_problem_is_refused(tmp_path: Path) -> None:
    first = write_first(tmp_path / "old")
    with pytest.raises(InputError) as caught:
        restated(first, "problem.yaml", fitted(tmp_path, k=1.0, b0=2.0))
    assert str(caught.value) == (
        f"error[petab.fit]: the fit has no estimate of `a0`\n  --> {tmp_path}/fit.json\n  found:    k, b0\n"
        "  expected: a fit of this problem"
    )
    (tmp_path / "fit.json").write_text('{"draws": 3}', encoding="utf-8")
    with pytest.raises(InputError) as caught:
        restated(first, "problem.yaml", tmp_path)
    assert str(caught.value) == (
        f"error[petab.fit]: the file is no fit of a problem in PEtab\n  --> {tmp_path}/fit.json\n"
        "  found:    no key 'parameters'\n  expected: `fit.json` as `simulate fit problem.yaml` leaves it"
    )


def test_a_problem_that_would_say_something_else_is_refused() -> None:
    check_same(-100.0, -100.0 - 0.9e-6)
    with pytest.raises(InputError) as caught:
        check_same(-100.0, -100.0 - 1.1e-6)
    assert str(caught.value) == (
        "error[petab.writing]: the problem of version 2 would have another log-likelihood\n"
        "  found:    -100.0000011\n  expected: -100.0, as what it was made of\n"
        "  try:      nothing is written: this is a fault of the program, or of the problem at a limit of the solver"
    )


def test_no_file_is_replaced_and_never_one_that_the_problem_is_made_of(tmp_path: Path) -> None:
    first = write_first(tmp_path / "old", SECOND)
    problem = restated(first, "problem.yaml")
    names = (
        "problem.yaml, parameters.tsv, observables.tsv, measurements.tsv, conditions.tsv, experiments.tsv, model.xml"
    )
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "model.xml").write_text("mine", encoding="utf-8")
    out = tmp_path / "new" / "problem.yaml"
    with pytest.raises(InputError) as caught:
        write_problem(problem, out, read=(), force=False)
    assert str(caught.value) == (
        f"error[petab.file]: the file {tmp_path}/new/model.xml is there already\n"
        f"  expected: a folder without files of these names: {names}\n  try:      another folder, or --force"
    )
    assert [path.name for path in out.parent.iterdir()] == ["model.xml"]
    with pytest.raises(InputError) as caught:
        write_problem(problem, out, read=(str(tmp_path / "new" / "model.xml"),), force=True)
    assert str(caught.value) == (
        f"error[petab.file]: the file {tmp_path}/new/model.xml is there already\n"
        f"  found:    what the problem is made of\n"
        f"  expected: a folder without files of these names: {names}\n  try:      another folder"
    )
    write_problem(problem, out, read=(), force=True)
    assert (tmp_path / "new" / "model.xml").read_text(encoding="utf-8") == SECOND["model.xml"]
