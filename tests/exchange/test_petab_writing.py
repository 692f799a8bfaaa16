"""PEtab out: formulas, problems of version 1 as those of version 2, and the text of their files."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import sympy

pytest.importorskip("yaml")

from simulate.errors import InputError, Where
from simulate.exchange.petab.formulas import formula_text, parse_formula
from simulate.exchange.petab.reading import read_petab
from simulate.exchange.petab.upgrading import Upgraded, upgraded
from simulate.exchange.petab.writing import problem_files
from simulate.symbolic.expressions import parse_expression
from tests.exchange.problems import FIRST, SECOND, write_problem

CONSTANTS = {"c": 1.0, "a0": 1.0, "k": 1.0, "unused": 1.0}


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a^2^3 - -b^4", "a^8 + b^4"),
        ("log10(a)*b + log(c, 2)", "b*log10(a) + log2(c)"),
        ("0.5*ln(10)", "0.5*log(10)"),
        ("1e-7*a/3", "a/30000000"),
        ("arcsin(a) + arctan(b)", "arcsin(a) + arctan(b)"),
        ("sqrt(a^2 + (b*c)^2)", "sqrt(a^2 + b^2*c^2)"),
        ("max(a, max(b, c))", "max(a, max(b, c))"),
        ("piecewise(1, a > 2 || b < 1 && c >= 2, 0)", "piecewise(1, a > 2 || 1 > b && c >= 2, 0)"),
        ("piecewise(1, !(a < 3 && b == 2), 2, a != 1, 0)", "piecewise(1, !(3 > a && b == 2), 2, a != 1, 0)"),
    ],
)
def test_a_formula_is_written_in_the_words_of_petab_and_read_back_as_it_was(text: str, written: str) -> None:
    formula = parse_formula(text, Where())
    assert formula_text(formula) == written
    assert parse_formula(written, Where()) == formula


def test_the_opposite_of_a_comparison_is_the_other_comparison() -> None:
    # In PEtab `!` binds more strongly than a comparison, so that `!a < 3` is `(!a) < 3`.
    assert formula_text(parse_formula("piecewise(1, !(a < 3), 0)", Where())) == "piecewise(1, a >= 3, 0)"


def test_a_function_that_petab_has_not_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        formula_text(parse_expression("2*floor(a)"))
    assert str(caught.value) == (
        "error[petab.formula]: a formula has `floor`, for which PEtab has no word\n  found:    2*floor(a)"
    )


def of_version_2(folder: Path, **changed: str) -> Upgraded:
    return upgraded(read_petab(write_problem(folder, **changed)), CONSTANTS)


def test_a_problem_is_written_as_the_tables_of_version_2(tmp_path: Path) -> None:
    found = of_version_2(
        tmp_path,
        observables="observableId observableFormula noiseFormula observableTransformation observableName\n"
        "o scale*A noiseParameter1_o log10 share",
        parameters="parameterId parameterScale lowerBound upperBound nominalValue estimate\n"
        "k log10 0.01 10 0.5 1\nsigma lin 0.01 10 0.25 0\nscale lin 0 10 _ 1",
        conditions="conditionId a0 unused\nc0 4 _",
        measurements="observableId simulationConditionId time measurement noiseParameters\n"
        "o c0 0 2.1 0.25\no c0 1 1.2 sigma",
    )
    tables = {name: text.replace("\t", " ") for name, text in problem_files(found.problem, "problem.yaml").items()}
    assert tables == {
        "problem.yaml": "format_version: 2.0.0\nmodel_files:\n  model:\n    location: model.xml\n    language: sbml\n"
        "parameter_files: [parameters.tsv]\nobservable_files: [observables.tsv]\n"
        "measurement_files: [measurements.tsv]\ncondition_files: [conditions.tsv]\n"
        "experiment_files: [experiments.tsv]\n",
        "parameters.tsv": "parameterId estimate nominalValue lowerBound upperBound\nk true 0.5 0.01 10\n"
        "sigma false 0.25 0.01 10\nscale true  0 10\n",
        "observables.tsv": "observableId observableFormula noiseFormula noiseDistribution noisePlaceholders "
        "observableName\no scale*A log(10)*noiseParameter1_o log-normal noiseParameter1_o share\n",
        "measurements.tsv": "observableId experimentId time measurement noiseParameters\n"
        "o c0 0 2.1 0.25\no c0 1 1.2 sigma\n",
        "conditions.tsv": "conditionId targetId targetValue\ncondition_1 a0 4\n",
        "experiments.tsv": "experimentId time conditionId\nc0 0 condition_1\n",
    }
    assert found.notes == ("the scales of the parameters `k`: version 2 has none, and bounds stay as they are",)


BEFORE = "observableId preequilibrationConditionId simulationConditionId time measurement\no before after 1 1"


def test_what_a_later_condition_leaves_empty_goes_back_to_the_model(tmp_path: Path) -> None:
    found = of_version_2(
        tmp_path,
        conditions="conditionId unused A\nbefore 7 3\nafter _ _",
        measurements=BEFORE,
    )
    (experiment,) = found.problem.experiments
    before, after = ({one.target: one.value for one in period.changes} for period in experiment.periods)
    assert before == {"unused": 7, "A": 3}
    # A state goes on from the steady state.
    assert after == {"unused": 1}


def test_a_parameter_of_the_model_in_a_condition_comes_into_the_table_as_one_that_is_known(tmp_path: Path) -> None:
    found = of_version_2(tmp_path, conditions="conditionId A\nc0 unused")
    (own,) = (part for part in found.problem.parameters if part.id == "unused")
    assert (own.is_estimated, own.nominal) == (False, 1.0)


PRIORS = {
    "parameterScaleNormal 0;2": ("log-normal", (0.0, 2.0 * math.log(10.0))),
    "logNormal 1;2": ("log-normal", (1.0, 2.0)),
    "laplace 1;2": ("laplace", (1.0, 2.0)),
    "parameterScaleUniform -1;1": ("log-uniform", (0.1, 10.0)),
}


@pytest.mark.parametrize("given", PRIORS)
def test_priors_are_the_same_distributions_of_the_value(tmp_path: Path, given: str) -> None:
    rows = FIRST["parameters"].split("\n")
    rows[0] += " objectivePriorType objectivePriorParameters initializationPriorType initializationPriorParameters"
    rows[1] += f" {given} uniform 0.1;1"
    found = of_version_2(tmp_path, parameters="\n".join(rows))
    row = problem_files(found.problem, "problem.yaml")["parameters.tsv"].split("\n")[1].split("\t")
    distribution, numbers = PRIORS[given]
    assert row[5] == distribution
    assert [float(number) for number in row[6].split(";")] == pytest.approx(numbers, rel=1e-14)
    on_scale = (
        "that the priors of `k` are densities on the scale of the parameter: version 2 has the same distributions as "
        "densities of the value, so that the most probable point lies elsewhere"
    )
    assert found.notes == (
        "the scales of the parameters `k`: version 2 has none, and bounds stay as they are",
        "the priors of `k` from which starting points are drawn",
        *((on_scale,) if given.startswith("parameterScale") else ()),
        "constants of priors: version 2 normalizes them between the bounds",
    )


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"conditions": "conditionId a0\nc0 4"},
            "error[petab.writing]: conditions set `a0`, which is in the table of parameters too\n"
            "  --> FOLDER/parameters.tsv:3, key `parameterId`\n"
            "  expected: one of the two, as version 2 has it\n"
            "  try:      leave it out of the table of parameters, or give what conditions set another name",
        ),
        (
            {"conditions": "conditionId A\nc0 B"},
            "error[petab.writing]: a condition sets `A` to `B`, which is no parameter that stays as it is\n"
            "  --> FOLDER/conditions.tsv:2, key `A`\n"
            "  expected: a number, or a name in the table of parameters",
        ),
    ],
)
def test_what_version_2_cannot_say_is_refused_with_its_place(
    tmp_path: Path, changed: dict[str, str], message: str
) -> None:
    with pytest.raises(InputError) as caught:
        of_version_2(tmp_path, **changed)
    assert str(caught.value).replace(str(tmp_path), "FOLDER") == message


def test_a_problem_of_version_2_is_written_as_it_was_read(tmp_path: Path) -> None:
    first = read_petab(write_problem(tmp_path / "first", SECOND))
    assert upgraded(first, CONSTANTS) == Upgraded(first, ())
    for name, text in {**problem_files(first, "problem.yaml"), "model.xml": SECOND["model.xml"]}.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    again = read_petab(tmp_path / "problem.yaml")
    assert [(part.id, part.lower, part.upper, part.nominal) for part in again.parameters] == [
        (part.id, part.lower, part.upper, part.nominal) for part in first.parameters
    ]
    told = [
        [(period.time, {one.target: one.value for one in period.changes}) for period in one.periods]
        for one in again.experiments
    ]
    assert told == [[(0.0, {"a0": 4}), (2.0, {"k": 1, "A": sympy.Symbol("A") + 1})]]
    assert [(one.time, one.value) for one in again.measurements] == [(1.0, 2.0), (2.0, 2.0), (3.0, 1.0)]
