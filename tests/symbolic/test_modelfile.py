from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from sympy import Rational, Symbol

from simulate.errors import InputError
from simulate.symbolic.balance import residual
from simulate.symbolic.composition import compose
from simulate.symbolic.hypothesis import Constraint, Hypothesis
from simulate.symbolic.modelfile import UserModel, read_hypothesis, read_model, write_model
from simulate.symbolic.parts import Balance, Grade, Parameter, Reaction, Spread
from simulate.symbolic.units import unit
from tests.symbolic.small import DECAY, DRUG, LOSS, TABLE, THREE_POOLS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "model-files.md"
EXAMPLES = re.findall(r"```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)

MINIMAL = """\
[parameters]
k = "0.1 1/d"

[species.X]
unit = "nM"
initial = 1

[reactions.loss]
rate = "k*X"
change = { X = -1 }
"""


def written(folder: Path, text: str, name: str = "my-model.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def reading(folder: Path, text: str) -> UserModel:
    return read_model(written(folder, text))


def message(folder: Path, text: str) -> str:
    """What a reader of a model file is told; reading or composing it must fail."""
    with pytest.raises(InputError) as caught:
        reading(folder, text).compose()
    return str(caught.value).replace(str(folder) + "/", "")


def test_ten_lines_are_a_model(tmp_path: Path) -> None:
    user = reading(tmp_path, MINIMAL)
    assert (user.name, list(user.parameters)) == ("my-model", ["k"])
    assert user.compose().key == compose([DECAY]).key


def test_the_example_of_the_page_is_a_model_in_balance(tmp_path: Path) -> None:
    user = reading(tmp_path, EXAMPLES[0])
    model = user.compose(name="killing")
    assert (model.name, model.title, model.hypothesis) == ("killing", "cells that a drug kills", "none")
    assert residual(model) == {"B": 0, "C": 0}
    assert user.parameters["k_drug"].unit.factor == 24
    assert user.parameters["B_0"] == Parameter(
        "B_0",
        "cells before treatment",
        120.0,
        unit("cell/µL"),
        Spread.from_cv(0.3),
        (20.0, 400.0),
        "counts of 2026",
        Grade.ASSUMED,
    )
    assert [(part.name, str(part.expression)) for part in model.observables] == [("relative", "B/B_0")]


@pytest.mark.parametrize(
    "hypothesis",
    [Hypothesis("H1"), Hypothesis("H3", constraints=(Constraint("e50", 0.123456789012345),))],
    ids=lambda hypothesis: hypothesis.name,
)
def test_what_is_written_reads_back_to_the_same_model(hypothesis: Hypothesis, tmp_path: Path) -> None:
    odd = {**TABLE, "gain": replace(TABLE["gain"], meaning='a "quoted" µ\\ name', value=1e-300)}
    model = compose(THREE_POOLS, hypothesis, values=odd, name="three-pools", title="three pools")
    text = write_model(model)
    again = reading(tmp_path, text).compose()
    assert again.key == model.key
    assert (again.name, again.title, again.definitions) == ("three-pools", "three pools", model.definitions)
    assert {part.name: part.meaning for part in again.parameters} == {
        part.name: part.meaning for part in model.parameters
    }
    assert write_model(again) == text[text.index("[model]") :]


def test_texts_for_readers_are_written_in_one_line(tmp_path: Path) -> None:
    odd = replace(LOSS, meaning='a "quoted"\n\tµ\\ name\x7f\x00', source="")
    model = compose([replace(DECAY, parameters=(odd,), species=(replace(DRUG, meaning=" "),))])
    (mechanism,) = reading(tmp_path, write_model(model)).mechanisms
    assert (mechanism.parameters[0].meaning, mechanism.parameters[0].source) == ('a "quoted" µ\\ name', "user")
    assert mechanism.species[0].meaning == "X"


def test_a_bare_initial_number_survives_writing(tmp_path: Path) -> None:
    mass = replace(DRUG, unit=unit("mg"), initial=0.25)
    model = compose([replace(DECAY, species=(mass,), reactions=(Reaction("loss", LOSS * mass, {mass: -1}),))])
    text = write_model(model)
    assert 'initial = "0.25"' in text
    assert reading(tmp_path, text).compose().initial == (Rational(250),)


def test_a_bare_number_inside_equations_cannot_be_written() -> None:
    source = Balance("source", "influx", unit("nM/d"), DRUG, "no")
    influx = Reaction("influx", Symbol("source"), {DRUG: 1})
    model = compose([replace(DECAY, reactions=(*DECAY.reactions, influx), balances=(source,))])
    assert residual(model) == {"X": 0}
    with pytest.raises(InputError) as caught:
        write_model(model)
    assert str(caught.value) == (
        "error[model.unwritable]: the model cannot be written as a file: the terms of a sum in the balance of `source`"
        " differ in unit\n"
        "  --> key `balances.source.zero`, term `source`\n"
        "  found:    nM / d\n"
        "  expected: 1 / d\n"
        "  try:      give the initial values that equations refer to as parameters"
    )


FAULTS = [
    (
        'rate = "k*X"',
        'rat = "k*X"',
        "error[key.unknown]: unknown key `rat`\n"
        "  --> my-model.toml:9, key `reactions.loss.rat`\n"
        "  expected: `rate`, `change`\n"
        "  try:      did you mean `rate`?",
    ),
    (
        "[species.X]",
        "[specie.X]",
        "error[key.unknown]: unknown key `specie`\n"
        "  --> my-model.toml:4, key `specie`\n"
        "  expected: `hypothesis`, `model`, `parameters`, `species`, `definitions`, `reactions`, `observables`, "
        "`routes`, `balances`, `conditions`, "
        "`events`\n"
        "  try:      did you mean `species`?",
    ),
    (
        'unit = "nM"\n',
        "",
        "error[key.missing]: the key `unit` is missing\n  --> my-model.toml:4, key `species.X`\n  found:    `initial`",
    ),
    (
        'unit = "nM"',
        'unit = "nMM"',
        "error[units.unknown]: `nMM` is not a unit\n"
        "  --> my-model.toml:5, key `species.X.unit`\n"
        "  found:    `nMM`\n"
        "  expected: units such as `nM`, `1/d`, `L/d`, `cell/µL`, `%`, or `1` for a pure number\n"
        "  try:      did you mean `nM` or `mm`?",
    ),
    (
        'unit = "nM"',
        "unit = 3",
        "error[key.type]: the value of `unit` cannot be used\n"
        "  --> my-model.toml:5, key `species.X.unit`\n"
        "  found:    3\n"
        "  expected: a text",
    ),
    (
        'rate = "k*X"',
        "rate = true",
        "error[key.type]: the value of `rate` cannot be used\n"
        "  --> my-model.toml:9, key `reactions.loss.rate`\n"
        "  found:    true\n"
        "  expected: an expression in quotation marks, or a number",
    ),
    (
        "initial = 1",
        "initial = inf",
        "error[key.value]: the value of `initial` cannot be used\n"
        "  --> my-model.toml:6, key `species.X.initial`\n"
        "  found:    inf\n"
        "  expected: a number that is finite and of ordinary size",
    ),
    (
        'k = "0.1 1/d"',
        "k = nan",
        "error[key.value]: the value of `k` cannot be used\n"
        "  --> my-model.toml:2, key `parameters.k`\n"
        "  found:    nan\n"
        "  expected: a number that is finite and of ordinary size",
    ),
    (
        'k = "0.1 1/d"',
        'k = "fast"',
        "error[units.quantity]: `fast` is not a quantity\n"
        "  --> my-model.toml:2, key `parameters.k`\n"
        "  expected: a number, with its unit if it has one, such as `100 mg`, `12 h` or `0.3`",
    ),
    (
        'k = "0.1 1/d"',
        '"k+1" = "0.1 1/d"',
        "error[model.name]: `k+1` cannot be a name\n"
        '  --> my-model.toml:2, key `parameters."k+1"`\n'
        "  expected: ASCII letters, digits and underscores, the first no digit",
    ),
    (
        "{ X = -1 }",
        "{ Y = -1 }",
        "error[model.undefined]: there is no species `Y`\n"
        "  --> my-model.toml:10, key `reactions.loss.change.Y`\n"
        "  expected: `X`",
    ),
    (
        "{ X = -1 }",
        "[1]",
        "error[key.type]: `change` is not a table\n"
        "  --> my-model.toml:10, key `reactions.loss.change`\n"
        "  found:    [1]\n"
        "  expected: a table, [reactions.loss.change]",
    ),
    (
        'rate = "k*X"',
        'rate = "k*X)"',
        "error[expression.syntax]: unexpected `)` (column 4 of the expression)\n"
        "  --> my-model.toml:9, key `reactions.loss.rate`\n"
        "  found:    `k*X)`\n"
        "  expected: an operator or the end",
    ),
    (
        'rate = "k*X"',
        'rate = "kk*X"',
        "error[model.undefined]: nothing defines `kk`, which stands in the rate of `loss`\n"
        "  --> my-model.toml:9, key `reactions.loss.rate`\n"
        "  try:      did you mean `k`?",
    ),
    (
        'rate = "k*X"',
        'rate = "k*X**2"',
        "error[units.mismatch]: the rate of `loss`, which changes `X`, has the wrong unit\n"
        "  --> my-model.toml:9, key `reactions.loss.rate`, term `k*X**2`\n"
        "  found:    nM**2 / d\n"
        "  expected: nM / d\n"
        "  try:      divide by something in nM, or correct the unit of a parameter in it",
    ),
    (
        "{ X = -1 }",
        "{}",
        "error[model.no-rate]: no reaction and no event changes the species `X`\n"
        "  --> my-model.toml:4, key `species.X`\n"
        "  try:      add a reaction, or make it a parameter or a definition",
    ),
    (
        "[parameters]",
        "[balances.k]\nunit = '1/d'\nreason = 'no'\n[parameters]",
        "error[key.missing]: a balance says what must vanish in exactly one way\n"
        "  --> my-model.toml:1, key `balances.k`\n"
        '  expected: either steady = "SPECIES" or zero = "EXPRESSION"',
    ),
    (
        "[parameters]",
        "[hypothesis]\nname = 'H9'\n[parameters]",
        "error[key.unknown]: the file states a hypothesis, which needs a base model\n"
        "  --> my-model.toml:1, key `hypothesis`\n"
        "  expected: `model`, `parameters`, `species`, `definitions`, `reactions`, `observables`, `routes`, "
        "`balances`, `conditions`, "
        "`events`\n"
        "  try:      give it where a hypothesis is expected",
    ),
]


@pytest.mark.parametrize(("old", "new", "expected"), FAULTS, ids=[new[:24] or "nothing" for _, new, _ in FAULTS])
def test_each_fault_of_a_file_names_its_line(old: str, new: str, expected: str, tmp_path: Path) -> None:
    assert old in MINIMAL
    assert message(tmp_path, MINIMAL.replace(old, new)) == expected


def test_a_balance_on_a_species_is_blamed_at_its_line(tmp_path: Path) -> None:
    text = MINIMAL + '\n[balances.source]\nunit = "nM/d"\nsteady = "X"\nreason = "no"\n'
    assert message(tmp_path, text).splitlines()[:2] == [
        "error[balance.absent]: the balance of `source` does not contain it",
        "  --> my-model.toml:14, key `balances.source.zero`",
    ]


KNOWN = {mechanism.name: mechanism for mechanism in THREE_POOLS}
CHANGED = """\
[model]
name = "weak"

[hypothesis]
name = "H9"
title = "a weaker signal"
replace = { signaling = "weak" }
constraints = { e50 = 0.5 }

[species.R]
unit = "nM"

[definitions.ratio]
expression = "1/(1 + e50*R/K_R)"

[reactions.clearance]
rate = "k_R*R"
change = { R = -1 }

[reactions.more]
rate = "d_M*M/2"
change = { M = -1 }
"""


def test_a_hypothesis_file_replaces_a_mechanism_by_its_own(tmp_path: Path) -> None:
    hypothesis = read_hypothesis(written(tmp_path, CHANGED), KNOWN)
    assert (hypothesis.name, hypothesis.title, hypothesis.add) == ("H9", "a weaker signal", ())
    assert hypothesis.constraints == (Constraint("e50", 0.5),)
    model = compose(THREE_POOLS, hypothesis, values=TABLE)
    assert model.mechanisms == ("pools", "weak")
    assert [part.name for part in model.definitions] == ["ratio"]
    assert residual(model) == {"N": 0, "A": 0, "M": 0, "R": 0}


def test_a_mechanism_that_replaces_nothing_is_added(tmp_path: Path) -> None:
    text = "[hypothesis]\nname = 'H9'\nremove = ['signaling']\n[parameters.ratio]\nvalue = 1\nunit = '1'\n"
    hypothesis = read_hypothesis(written(tmp_path, text, "plain.toml"), KNOWN)
    assert (hypothesis.remove, [mechanism.name for mechanism in hypothesis.add]) == (("signaling",), ["plain"])
    assert compose(THREE_POOLS, hypothesis, values=TABLE).mechanisms == ("plain", "pools")


def test_the_text_on_replacing_in_the_page_reads_as_it_says(tmp_path: Path) -> None:
    known = {name: replace(DECAY, name=name) for name in ("redistribution", "conversion", "survival")}
    lines = [
        *(line for line in re.findall(r"`((?:add|remove|replace) = [^`]+)`", PAGE.read_text(encoding="utf-8"))),
        '[model]\nname = "starvation"\n[parameters]\nk = 1\n',
    ]
    hypothesis = read_hypothesis(written(tmp_path, '[hypothesis]\nname = "H6"\n' + "\n".join(lines)), known)
    assert (hypothesis.add, hypothesis.remove) == ((known["redistribution"],), ("conversion",))
    assert [(old, new.name) for old, new in hypothesis.replace] == [("survival", "starvation")]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            'signaling = "weak"',
            'signalling = "weak"',
            "error[hypothesis.unknown]: unknown mechanism `signalling`\n"
            "  --> my-model.toml:7, key `hypothesis.replace.signalling`\n"
            "  expected: `pools`, `signaling`\n"
            "  try:      did you mean `signaling`?",
        ),
        (
            'replace = { signaling = "weak" }',
            'remove = ["poolz"]',
            "error[hypothesis.unknown]: unknown mechanism `poolz`\n"
            "  --> my-model.toml:7, key `hypothesis.remove`\n"
            "  expected: `pools`, `signaling`\n"
            "  try:      did you mean `pools`?",
        ),
        (
            "e50 = 0.5",
            'e50 = "0.5"',
            "error[key.type]: the value of `e50` cannot be used\n"
            "  --> my-model.toml:8, key `hypothesis.constraints.e50`\n"
            "  found:    '0.5'\n"
            "  expected: a number",
        ),
        (
            'name = "H9"',
            'name = "H 9"',
            "error[hypothesis.name]: `H 9` cannot name a hypothesis\n"
            "  --> my-model.toml:5, key `hypothesis.name`\n"
            "  expected: letters, digits, `_`, `.` and `-`; parts of a combination joined by `+`",
        ),
        (
            'replace = { signaling = "weak" }',
            'replace = { signaling = "weak" }\nremove = ["signaling"]',
            "error[hypothesis.conflict]: hypothesis `H9` both removes and replaces `signaling`\n"
            "  --> my-model.toml:5, key `hypothesis.name`\n"
            "  try:      hypotheses that contradict one another cannot be combined",
        ),
    ],
)
def test_each_fault_of_a_hypothesis_names_its_line(old: str, new: str, expected: str, tmp_path: Path) -> None:
    assert old in CHANGED
    with pytest.raises(InputError) as caught:
        read_hypothesis(written(tmp_path, CHANGED.replace(old, new)), KNOWN)
    assert str(caught.value).replace(str(tmp_path) + "/", "") == expected
