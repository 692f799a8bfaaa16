"""One reader for every TOML file: typed values, and each fault with file, line, found and expected."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from fnmatch import fnmatchcase as fnmatch
from pathlib import Path
from typing import Any

import pytest

from simulate import shipped
from simulate.biology.reference import parameter_table
from simulate.cohort.reading import read_population
from simulate.errors import InputError
from simulate.evidence.observations import read_observations
from simulate.evidence.reading import abstract_file
from simulate.files import BARE_KEY, parse_toml, read_toml
from simulate.studies.measuring.catalogue import read_measurement
from simulate.studies.scenario import read_scenario
from simulate.studies.sweeps.requests import read_request
from simulate.symbolic.modelfile import read_hypothesis, read_model
from simulate.symbolic.parameterfile import read_parameters, read_sources
from simulate.symbolic.units import parse_quantity
from simulate.toml import TomlTable
from simulate.tomltext import Keys
from simulate.trials.reading import read_trial

SCENARIO = """\
schema = 1
title = "everything"
model = { name = "reference", hypothesis = "none" }
time = { end = "28 d", every = "1 d", visits = ["7 d"] }
cohort = { patients = 2, between_doses = 0.2, between_occasions = { CL = 0.1 } }
parameters = { f_m = 0.3, chi = { value = 0.9, spread = { cv = 0.1 } } }
outputs = { quantities = ["ck"] }
solver = { rtol = 1e-6, breaks = ["2 d"] }
[[arm]]
name = "words"
regimen = "100 mg sc every 24 h"
parameters = { k_a = "0.17 1/h" }
[[arm.rule]]
quantity = "ck"
above = "30 ukat/L"
dose = 0.5
[[arm]]
name = "table"
doses = { file = "doses.csv", time = "h", amount = "mg" }
"""
SWEEP = """\
schema = 1
title = "doses"
scenario = "anakinra-100mg-daily"
settings = { cohort = { patients = 2 } }
design = { sample = "sobol", points = 4 }
outputs = { at = ["0 d", "2 d"] }
[[axis]]
over = "f_m"
from = 0.1
to = 0.5
"""
MODEL = """\
[model]
title = "a drug that comes and goes"
[parameters]
k = { value = 0.1, unit = "1/h", spread = { cv = 0.2 }, bounds = [0.01, 1] }
influx = { value = 1, unit = "mg/d" }
[species]
A = { unit = "mg", initial = 1 }
[definitions]
gone = { unit = "mg/d", expression = "k*A" }
[reactions]
out = { rate = "gone", change = { A = -1 } }
[observables]
double = { unit = "mg", expression = "2*A" }
[routes]
iv = { target = "A", unit = "mg", gain = "1" }
[conditions]
positive = { expression = "k", reason = "it would grow" }
[events]
refill = { when = "A < 1", set = { A = "2" } }
"""
HYPOTHESIS = """\
[hypothesis]
name = "H9"
title = "another"
[species]
extra = { unit = "nM" }
"""
ROWS = """\
[k]
meaning = "a rate"
value = 0.1
unit = "1/h"
spread = { cv = 0.2 }
source = "assumption"
grade = "assumed"
"""


def known_hypothesis(path: Path) -> object:
    return read_hypothesis(path, {})


def population(path: Path) -> object:
    return read_population(path, tuple(parameter_table().values()), known={*parameter_table(), "null_typical"})


def observations(path: Path) -> object:
    return read_observations(path)


def measurement(path: Path) -> object:
    return read_measurement(path)


FILES: Mapping[str, tuple[Callable[[Path], object], str | Path]] = {
    "scenario": (read_scenario, SCENARIO),
    "sweep": (read_request, SWEEP),
    "model": (read_model, MODEL),
    "hypothesis": (known_hypothesis, HYPOTHESIS),
    "parameters": (read_parameters, ROWS),
    "sources": (read_sources, '[lane_state]\ncitation = "A lane_state."\nidentifier = "isbn"\nread = "all of it"\n'),
    "population": (population, shipped.cohort_file()),
    "evidence": (observations, abstract_file()),
    "measurement": (measurement, shipped.measurement_files()["serum-at-a-known-hour"]),
    "trial": (read_trial, shipped.trial_files()["zong-2011"]),
}
"""Each kind of file: what reads it, and one that has every table."""

FREE = {
    "scenario": ("parameters", "arm[].parameters", "cohort.between_occasions"),
    "sweep": ("settings", "settings.cohort"),
    "model": (*("parameters", "species", "definitions", "reactions", "observables", "routes", "conditions", "events"),
              "reactions.out.change", "events.refill.set"),
    "hypothesis": ("species",),
    "parameters": ("",),
    "sources": ("",),
    "population": ("covariate", "stratum[].parameters"),
    "trial": ("assay", "reference", "assay.*.reads", "arm[].strata", "prediction.titles"),
}  # fmt: skip
"""Tables whose keys are names that the file makes up."""


def written(data: Mapping[str, Any], before: str = "") -> str:
    """TOML in which each table has a header of its own."""
    tables = {key: value for key, value in data.items() if isinstance(value, dict)}
    arrays = {
        key: value for key, value in data.items() if isinstance(value, list) and value and isinstance(value[0], dict)
    }
    plain = {key: value for key, value in data.items() if key not in tables and key not in arrays}
    text = "".join(f"{quoted(key)} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in plain.items())
    for key, table in tables.items():
        text += f"[{before}{quoted(key)}]\n" + written(table, f"{before}{quoted(key)}.")
    for key, rows in arrays.items():
        for row in rows:
            text += f"[[{before}{quoted(key)}]]\n" + written(row, f"{before}{quoted(key)}.")
    return text


def quoted(key: str) -> str:
    return key if BARE_KEY.fullmatch(key) else json.dumps(key)


def tables_of(data: Mapping[str, Any], keys: Keys = ()) -> Iterator[tuple[Keys, dict[str, Any]]]:
    """Every table of a file, and of arrays of many the first and the last."""
    yield keys, dict(data)
    for key, value in data.items():
        if isinstance(value, dict):
            yield from tables_of(value, (*keys, key))
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            for index in sorted({0, len(value) - 1}):
                yield from tables_of(value[index], (*keys, key, index))


def is_free(kind: str, keys: Keys) -> bool:
    shape = "".join("[]" if isinstance(key, int) else f".{key}" for key in keys).removeprefix(".")
    return any(fnmatch(shape, free.replace("[]", "[[]]")) for free in FREE.get(kind, ()))


def misspelt(data: dict[str, Any], keys: Keys, name: str) -> dict[str, Any]:
    """The data, with a key put first into one of its tables."""
    if not keys:
        return {name: 1, **data}
    head, rest = keys[0], keys[1:]
    if isinstance(head, int):
        raise AssertionError
    inner = data[head]
    if rest and isinstance(rest[0], int):
        rows = list(inner)
        rows[rest[0]] = misspelt(rows[rest[0]], rest[1:], name)
        return {**data, head: rows}
    return {**data, head: misspelt(inner, rest, name)}


@pytest.mark.parametrize("kind", FILES)
def test_an_unknown_key_in_any_table_of_any_file_is_refused_with_its_line_and_the_nearest_key(
    kind: str, tmp_path: Path
) -> None:
    read, content = FILES[kind]
    data = read_toml(content).data if isinstance(content, Path) else parse_toml(content, "x").data
    path = tmp_path / f"{kind}.toml"
    (tmp_path / "doses.csv").write_text("ID,TIME,AMT,CMT\n1,0,100,sc\n", encoding="utf-8")
    path.write_text(written(data), encoding="utf-8")
    read(path)
    tables = [(keys, table) for keys, table in tables_of(data) if not is_free(kind, keys)]
    assert tables
    for keys, table in tables:
        near = next(iter(table))
        for name in (f"{near}{near[-1]}", "qqqqqqqq"):
            path.write_text(written(misspelt(data, keys, name)), encoding="utf-8")
            with pytest.raises(InputError) as caught:
                read(path)
            error = caught.value
            where = read_toml(path).where(*keys, name)
            assert (error.code, error.what, error.where) == ("key.unknown", f"unknown key `{name}`", where), keys
            assert where.line is not None
            assert name in path.read_text(encoding="utf-8").split("\n")[where.line - 1]
            assert error.expected is not None
            assert f"`{near}`" in error.expected
            if name == "qqqqqqqq":
                assert error.advice is None
            else:
                assert error.advice is not None
                assert f"`{near}`" in error.advice


TEXT = """\
[a]
text = "one"
number = 2.5
whole = 3
yes = true
texts = ["x", "y"]
numbers = [1, 2]
wholes = [0, 4]
time = "12 h"
empty = " "
big = 1e301

[[row]]
n = 1

[[row]]
n = 2
"""


def table(**settings: Any) -> TomlTable:
    return TomlTable(parse_toml(TEXT, "x.toml"), "a", **settings)


def test_each_getter_gives_a_value_of_its_type() -> None:
    some = table()
    assert (some.text("text"), some.number("number"), some.number("whole"), some.integer("whole", least=0)) == (
        "one", 2.5, 3.0, 3
    )  # fmt: skip
    assert (some.boolean("yes", False), some.boolean("no", False)) == (True, False)
    assert (some.texts("texts"), some.numbers("numbers"), some.integers("wholes")) == (("x", "y"), (1.0, 2.0), (0, 4))
    assert (some.texts("none"), some.integers("none")) == ((), ())
    value, unit = some.parsed("time", parse_quantity)
    assert (value, unit.text) == (12.0, "h")
    assert some.choice("text", ("one", "two")) == "one"
    top = TomlTable(some.document)
    assert [row.integer("n", least=1) for row in top.tables("row")] == [1, 2]
    assert (top.tables("none"), list(top.named("none")), len(top.table("none"))) == ((), [], 0)
    assert list(top) == ["a", "row"]


def test_a_default_stands_for_an_absent_key_alone() -> None:
    some = table()
    assert (some.text("x", None), some.number("x", 1.0), some.integer("x", 2, least=5), some.choice("x", (), "y")) == (
        None, 1.0, 2, "y"
    )  # fmt: skip
    assert some.parsed("x", parse_quantity, None) is None
    assert some.text("text", None) == "one"


FAULTS: Mapping[str, tuple[Callable[[TomlTable], object], str]] = {
    "missing": (
        lambda some: some.number("x", above=0),
        "error[key.missing]: the key `x` is missing\n  --> x.toml:1, key `a`\n"
        "  found:    `text`, `number`, `whole`, `yes`, `texts`, `numbers`, `wholes`, `time`, `empty`, `big`\n"
        "  expected: a number above 0",
    ),
    "no text": (
        lambda some: some.text("whole"),
        "error[key.type]: the value of `whole` cannot be used\n  --> x.toml:4, key `a.whole`\n"
        "  found:    3\n  expected: a text",
    ),
    "blank": (
        lambda some: some.text("empty"),
        "error[key.value]: the value of `empty` cannot be used\n  --> x.toml:10, key `a.empty`\n"
        "  found:    ' '\n  expected: a text of one line that is not empty",
    ),
    "long": (
        lambda some: some.text("text", most=2),
        "error[key.value]: the value of `text` cannot be used\n  --> x.toml:2, key `a.text`\n"
        "  found:    'one'\n  expected: at most 2 characters",
    ),
    "boolean": (
        lambda some: some.integer("yes", least=0),
        "error[key.type]: the value of `yes` cannot be used\n  --> x.toml:5, key `a.yes`\n"
        "  found:    true\n  expected: a whole number of at least 0",
    ),
    "fraction": (
        lambda some: some.integer("number", least=0, most=9),
        "error[key.value]: the value of `number` cannot be used\n  --> x.toml:3, key `a.number`\n"
        "  found:    2.5\n  expected: a whole number from 0 to 9",
    ),
    "high": (
        lambda some: some.number("number", least=0, most=1),
        "error[key.value]: the value of `number` cannot be used\n  --> x.toml:3, key `a.number`\n"
        "  found:    2.5\n  expected: a number from 0 to 1",
    ),
    "huge": (
        lambda some: some.number("big"),
        "error[key.value]: the value of `big` cannot be used\n  --> x.toml:11, key `a.big`\n"
        "  found:    1e+301\n  expected: a number that is finite and of ordinary size",
    ),
    "length": (
        lambda some: some.numbers("numbers", 3),
        "error[key.type]: the value of `numbers` cannot be used\n  --> x.toml:7, key `a.numbers`\n"
        "  found:    [1, 2]\n  expected: a list of 3 numbers",
    ),
    "word": (
        lambda some: some.choice("text", ("once", "twice")),
        "error[key.value]: the value of `text` cannot be used\n  --> x.toml:2, key `a.text`\n"
        "  found:    'one'\n  expected: `once`, `twice`\n  try:      did you mean `once`?",
    ),
    "unit": (
        lambda some: some.parsed("text", parse_quantity),
        "error[units.quantity]: `one` is not a quantity\n  --> x.toml:2, key `a.text`\n"
        "  expected: a number, with its unit if it has one, such as `100 mg`, `12 h` or `0.3`",
    ),
    "no list": (
        lambda some: some.tables("text"),
        "error[key.type]: the value of `text` cannot be used\n  --> x.toml:2, key `a.text`\n"
        "  found:    'one'\n  expected: tables, [[a.text]]",
    ),
    "no table": (
        lambda some: some.table("text"),
        "error[key.type]: `text` is not a table\n  --> x.toml:2, key `a.text`\n"
        "  found:    'one'\n  expected: a table, [a.text]",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_says_where_what_was_found_and_what_was_expected(name: str) -> None:
    get, message = FAULTS[name]
    with pytest.raises(InputError) as caught:
        get(table())
    assert str(caught.value) == message


def test_a_table_laid_over_another_has_what_either_says_but_for_hidden_keys() -> None:
    document = parse_toml("[base]\na = 1\nb = 2\nc = 3\n[own]\na = 9\n", "x.toml")
    laid = TomlTable(document, "own").over(TomlTable(document, "base"), hidden=("c",))
    assert [laid.number(key) for key in "ab"] == [9.0, 2.0]
    assert "c" not in laid
    with pytest.raises(InputError) as caught:
        laid.text("b")
    assert caught.value.where is not None
    assert caught.value.where.line == 3
