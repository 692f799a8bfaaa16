"""PEtab in: what the tables say, or the file, line and column that cannot be taken."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import pytest
import sympy

pytest.importorskip("yaml")

from simulate.errors import InputError, MissingExtra, Where
from simulate.exchange.petab.formulas import parse_formula
from simulate.exchange.petab.reading import read_petab
from tests.exchange.problems import FIRST, SECOND, YAML, YAML_2, write_problem


def test_a_problem_of_the_first_version_has_what_its_tables_say(tmp_path: Path) -> None:
    problem = read_petab(write_problem(tmp_path))
    assert problem.version == 1
    assert problem.model == tmp_path / "model.xml"
    assert [parameter.id for parameter in problem.estimated] == ["k", "a0"]
    k, _, sigma = problem.parameters
    assert (k.scale, k.lower, k.upper, k.nominal, sigma.nominal) == ("log10", 0.01, 10.0, 0.5, 0.25)
    assert [(one.time, one.value, one.experiment) for one in problem.measurements] == [
        (0.0, 2.1, 0),
        (1.0, 1.2, 0),
        (3.0, 0.5, 0),
    ]
    assert problem.observables[0].formula == sympy.Symbol("A")
    assert problem.dropped == ()


def test_a_condition_before_another_is_a_period_that_becomes_steady(tmp_path: Path) -> None:
    path = write_problem(
        tmp_path,
        conditions="conditionId k\nbefore 0.1\nafter _",
        measurements="observableId preequilibrationConditionId simulationConditionId time measurement\n"
        "o before after 1 1",
    )
    (experiment,) = read_petab(path).experiments
    before, after = experiment.periods
    assert (before.is_steady, before.time, after.time) == (True, -math.inf, 0.0)
    assert before.changes[0].value == sympy.Rational(1, 10)
    assert after.changes[0].value is None


def test_a_problem_of_the_second_version_has_periods_with_formulas(tmp_path: Path) -> None:
    (experiment,) = (problem := read_petab(write_problem(tmp_path, SECOND))).experiments
    assert problem.version == 2
    assert [period.time for period in experiment.periods] == [0.0, 2.0]
    assert {change.target: str(change.value) for change in experiment.periods[1].changes} == {"k": "1", "A": "A + 1"}


def test_columns_without_meaning_are_listed(tmp_path: Path) -> None:
    path = write_problem(
        tmp_path, measurements="observableId simulationConditionId time measurement laboratory\no c0 0 2 Basel"
    )
    assert read_petab(path).dropped == ("the column `laboratory` of measurements.tsv, to which PEtab gives no meaning",)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2^2^3", 256.0),
        ("-2^4", -16.0),
        ("9 * 3 ^ -2", 1.0),
        ("log(100, 10) + ln(exp(1)) + log10(10) + log2(2)", 5.0),
        ("pow(2, 3)", 8.0),
        ("coth(1)", 1.3130352854993312),
        ("arcsinh(1)", 0.881373587019543),
        ("piecewise(1, true || false && false, 0)", 1.0),
        ("piecewise(1, !(2 < 3), 0)", 0.0),
        ("sign(-2)", -1.0),
        ("arccot(1)", math.pi / 4.0),
    ],
)
def test_formulas_have_the_values_of_the_math_of_petab(text: str, value: float) -> None:
    assert float(parse_formula(text, Where()).evalf()) == pytest.approx(value, rel=1e-12)


WRONG = [
    (
        {"parameters": FIRST["parameters"].replace("upperBound", "uperBound")},
        "error[petab.column]: the column `uperBound` is not known\n"
        "  --> {folder}/parameters.tsv:1, key `uperBound`\n"
        "  try:      did you mean `upperBound` or `lowerBound`?",
    ),
    (
        {"parameters": FIRST["parameters"].replace("k log10", "k log2")},
        "error[petab.choice]: the column `parameterScale` has a value that is not known\n"
        "  --> {folder}/parameters.tsv:2, key `parameterScale`\n"
        "  found:    log2\n"
        "  expected: lin, log, log10\n"
        "  try:      did you mean `log` or `log10`?",
    ),
    (
        {"parameters": FIRST["parameters"].replace("a0 lin 0 10 2", "a0 lin 0 10 two")},
        "error[petab.number]: the column `nominalValue` has no number here\n"
        "  --> {folder}/parameters.tsv:3, key `nominalValue`\n"
        "  found:    `two`\n"
        "  expected: a number",
    ),
    (
        {"parameters": FIRST["parameters"].replace("k log10 0.01", "k log10 0")},
        "error[petab.parameter]: the parameter `k` has the scale log10 and a bound that is not positive\n"
        "  --> {folder}/parameters.tsv:2, key `parameterId`",
    ),
    (
        {"observables": FIRST["observables"].replace("o A sigma", "o A**** sigma")},
        "error[expression.syntax]: unexpected `**` (column 4 of the expression)\n"
        "  --> {folder}/observables.tsv:2, key `observableFormula`\n"
        "  found:    `A****`\n"
        "  expected: a number, a name or `(`",
    ),
    (
        {"observables": FIRST["observables"].replace("o A sigma", "o __import__('os') sigma")},
        "error[expression.function]: `__import__` is not a function (column 1 of the expression)\n"
        "  --> {folder}/observables.tsv:2, key `observableFormula`\n"
        "  found:    `__import__('os')`\n"
        "  expected: exp sqrt sin cos tan tanh abs min max ln log pow piecewise log2 log10 sec csc cot arcsin arccos "
        "arctan arcsec arccsc arccot sinh cosh sech csch coth arcsinh arccosh arctanh sign\n"
        "  try:      write `*` if you mean a product",
    ),
    (
        {"observables": FIRST["observables"] + "\no B 1"},
        "error[petab.observable]: the observable `o` is given twice\n"
        "  --> {folder}/observables.tsv:3, key `observableId`",
    ),
    (
        {"measurements": FIRST["measurements"].replace("o c0 1", "p c0 1")},
        "error[petab.observable]: there is no observable `p`\n  --> {folder}/measurements.tsv:3, key `observableId`",
    ),
    (
        {"measurements": FIRST["measurements"].replace("o c0 1", "o c1 1")},
        "error[petab.condition]: there is no condition `c1`\n"
        "  --> {folder}/measurements.tsv:3, key `simulationConditionId`",
    ),
    (
        {"measurements": FIRST["measurements"].replace("o c0 1", "o c0 -1")},
        "error[petab.measurement]: a measurement is taken before its experiment begins\n"
        "  --> {folder}/measurements.tsv:3, key `time`\n"
        "  found:    time -1\n"
        "  expected: 0 or later",
    ),
    (
        {"observables": FIRST["observables"].replace("sigma", "noiseParameter1_o")},
        "error[petab.placeholder]: the observable `o` has 1 placeholders of this kind\n"
        "  --> {folder}/measurements.tsv:2, key `noiseParameters`\n"
        "  found:    0 values\n"
        "  expected: noiseParameter1_o",
    ),
    (
        {"problem": YAML.replace("parameter_file:", "parameters:")},
        "error[petab.key]: the key `parameters` is not known\n"
        "  --> {folder}/problem.yaml:2, key `parameters`\n"
        "  expected: format_version, parameter_file, problems, extensions\n"
        "  try:      did you mean `parameter_file`?",
    ),
    (
        {"problem": YAML.replace("[model.xml]", "[../model.xml]")},
        "error[petab.file]: a file of the problem lies outside its folder\n"
        "  --> {folder}/problem.yaml:4, key `sbml_files`\n"
        "  found:    ../model.xml\n"
        "  expected: a file beside the problem, or in a folder below",
    ),
    (
        {"problem": YAML.replace("format_version: 1", "format_version: 3")},
        "error[petab.version]: the file is no PEtab problem of a version that is known\n"
        "  --> {folder}/problem.yaml:1, key `format_version`\n"
        "  found:    format_version 3\n"
        "  expected: format_version 1 or 2.0.0",
    ),
    (
        {"problem": YAML.replace("format_version: 1", "format_version: !!python/object/apply:os.system [1]")},
        "error[petab.yaml]: the file has an anchor, an alias or a tag\n"
        "  --> {folder}/problem.yaml:1\n"
        "  expected: plain tables, lists and texts",
    ),
    (
        {"problem": YAML + "extensions:\n  mine: {version: 1}\n"},
        "error[petab.extension]: the problem needs extensions of PEtab, which are not known\n"
        "  --> {folder}/problem.yaml:9, key `extensions`",
    ),
]


@pytest.mark.parametrize(("changed", "message"), WRONG, ids=[message.split("\n")[0][6:70] for _, message in WRONG])
def test_what_cannot_be_taken_is_refused_with_its_place(tmp_path: Path, changed: dict[str, str], message: str) -> None:
    with pytest.raises(InputError) as caught:
        read_petab(write_problem(tmp_path, **changed))
    assert str(caught.value) == message.format(folder=tmp_path)


def test_a_language_other_than_sbml_is_refused_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_petab(write_problem(tmp_path, SECOND, problem=YAML_2.replace("language: sbml", "language: bngl")))
    assert str(caught.value) == (
        "error[petab.language]: the model is in a language that is not read\n"
        f"  --> {tmp_path}/problem.yaml:5, key `language`\n"
        "  found:    bngl\n"
        "  expected: sbml"
    )


def test_a_missing_reader_of_yaml_is_named_with_what_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(MissingExtra) as caught:
        read_petab(write_problem(tmp_path))
    assert str(caught.value) == (
        "error[extra.petab]: reading PEtab needs the package PyYAML\n"
        "  expected: PyYAML\n"
        '  try:      pip install "il1sim[petab]"'
    )
