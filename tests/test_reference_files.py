"""The page of all keys has those that the readers of files know, and no others; its examples are read."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

import simulate
from simulate import shipped
from simulate.cohort.reading import POPULATION_KEYS, read_population
from simulate.errors import InputError
from simulate.evidence.kinds import KINDS
from simulate.evidence.reading import EVIDENCE_KEYS, read_evidence
from simulate.evidence.sets import SET_KEYS, evidence_sets
from simulate.studies.arm_rules import RULE_KEYS
from simulate.studies.measuring.catalogue import MEASUREMENT_KEYS, read_measurement, shipped_measurements
from simulate.studies.scenario import SCENARIO_KEYS, read_scenario
from simulate.studies.sweeps.axes import AXIS_KEYS
from simulate.studies.sweeps.requests import SWEEP_KEYS
from simulate.studies.treatments import ARM_KEYS, DOSES_KEYS
from simulate.symbolic.modelfile import HYPOTHESIS_KEYS, MODEL_KEYS, read_model
from simulate.symbolic.parameterfile import PARAMETER_KEYS, read_parameters, read_sources
from simulate.toml import TomlTable
from simulate.trials.individual import DATA_KEYS
from simulate.trials.reading import TRIAL_KEYS, read_trial

PAGE = (Path(__file__).resolve().parent.parent / "docs" / "reference-files.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^### ([^\n]+)\n(.*?)(?=^##|\Z)", PAGE, re.DOTALL | re.MULTILINE))
FILES = dict(re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE))


def rows(text: str) -> list[list[str]]:
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def first_cells(section: str) -> list[str]:
    return [row[0].strip("*") for row in rows(SECTIONS[section])]


@pytest.mark.parametrize(
    ("section", "known"),
    [
        ("Top level of a scenario", SCENARIO_KEYS[""]),
        *((f"`[{name}]`", SCENARIO_KEYS[name]) for name in SCENARIO_KEYS if name),
        ("`[[arm]]`", ARM_KEYS),
        ("`doses` of an arm", DOSES_KEYS),
        ("`[[arm.rule]]`", RULE_KEYS),
        ("`[parameters]`, each by its name: a number, a text with a unit, or", ("value", "spread")),
        ("`[hypothesis]`", HYPOTHESIS_KEYS),
    ],
)
def test_each_table_of_the_page_has_the_keys_of_its_reader(section: str, known: tuple[str, ...]) -> None:
    assert sorted(first_cells(section)) == sorted(known)


def test_tables_of_mechanisms_have_the_keys_of_their_reader() -> None:
    tables = rows(SECTIONS["Tables of its mechanism, and of a model file"])
    found = {row[0].strip("`[]").removesuffix(".NAME"): row[1] for row in tables}
    assert found.pop("model") == "name, title"
    assert set(found.pop("parameters").replace("*", "").split(", ")) == set(PARAMETER_KEYS)
    assert found == {
        kind: ", ".join([*(f"**{key}**" for key in required), *optional])
        for kind, (required, optional) in MODEL_KEYS.items()
    }


Keys = Mapping[str, tuple[Sequence[str], Sequence[str]]]


def plain(table: str) -> str:
    """Name of a table without brackets, and without what stands for the names of its parts."""
    return "" if table == "top level" else re.sub(r"\.[A-Z]+\b", "", table.strip("`[]"))


def told(text: str) -> dict[str, str]:
    """Keys of each table of a file, those that it needs in bold."""
    return {plain(row[0]): row[1] for row in rows(text)}


def parts(section: str) -> list[str]:
    """The tables of a section, each with what stands before it."""
    return re.split(r"(?<=\|)\n\n", FILES[section])


@pytest.mark.parametrize(
    ("text", "known"),
    [
        (FILES["Trial file"], TRIAL_KEYS),
        (FILES["Data file"], DATA_KEYS),
        (FILES["Measurement file"], MEASUREMENT_KEYS),
        (parts("Evidence file")[2], SET_KEYS),
    ],
)
def test_tables_have_the_keys_of_their_reader_and_those_in_bold_that_it_needs(text: str, known: Keys) -> None:
    assert told(text) == {
        plain(table): ", ".join([*(f"**{key}**" for key in required), *optional])
        for table, (required, optional) in known.items()
    }


SWEEP = {"": SWEEP_KEYS[""], "axis": AXIS_KEYS, "design": SWEEP_KEYS["design"], "outputs": SWEEP_KEYS["outputs"]}
ROWS = {"PARAMETER": PARAMETER_KEYS, "SOURCE": ("citation", "identifier", "read")}


@pytest.mark.parametrize(
    ("text", "known"),
    [
        (FILES["Sweep file"], SWEEP | {"settings": ("any key of the scenario",)}),
        (FILES["Population file"], POPULATION_KEYS),
        (parts("Evidence file")[0], EVIDENCE_KEYS),
        (parts("Evidence file")[1], {f"`{name}`": kind.KEYS for name, kind in KINDS.items()}),
        (FILES["Tables of parameters and sources"], ROWS),
    ],
)
def test_tables_have_all_the_keys_of_their_reader(text: str, known: Mapping[str, Sequence[str]]) -> None:
    found = {table: keys.replace("*", "") for table, keys in told(text).items()}
    assert found == {table.strip("`"): ", ".join(keys) for table, keys in known.items()}


def read_people(path: Path) -> None:
    read_population(path, list(simulate.parameter_table().values()))


READERS: dict[str, Callable[[Path], object]] = {
    "Population file": read_people,
    "Evidence file": read_evidence,
    "Measurement file": read_measurement,
}


NEEDED_HERE = {
    "effect.exponent": "it, or log10_slope",
    "item.note": "the item is ambiguous",
    "sample.reading.since": "a hypothesis may be without the quantity",
    "sample.reading.source": "the noise is given",
    "sample.reading.grade": "the noise is given",
}
"""Keys that are needed for what else an example says."""


@pytest.mark.parametrize("section", READERS)
def test_an_example_is_read_and_refused_without_a_key_in_bold(section: str, tmp_path: Path) -> None:
    block = re.search(r"```toml\n(.*?)```", FILES[section], re.DOTALL)
    assert block is not None
    keys_of = told(parts(section)[0])
    lines = block[1].splitlines()
    path = tmp_path / "my.toml"
    path.write_text(block[1], encoding="utf-8")
    READERS[section](path)
    table = ""
    for number, line in enumerate(lines):
        if head := re.match(r"\[+([^]]+)", line):
            table = re.sub(r"^(covariate|stratum\.parameters)\.\w+$", r"\1", head[1])
        key = line.partition(" = ")[0]
        # A kind of evidence has keys of its own, in the next table.
        if key not in keys_of[table].replace("*", "").split(", "):
            continue
        path.write_text("\n".join(lines[:number] + lines[number + 1 :]), encoding="utf-8")
        is_refused = False
        try:
            READERS[section](path)
        except InputError:
            is_refused = True
        name = f"{table}.{key}"
        assert is_refused == (f"**{key}**" in keys_of[table] or name in NEEDED_HERE), name


VALUES = {
    **{"mean": "1.5", "low": "1", "high": "2", "n": "8", "step": "0.1", "ceiling": "3", "percent": "50", "p": "0.01"},
    **{"count": "4", "parts": "[2, 2]", "r": "0.9", "with": '"il17a"', "with_direction": '"down"', "sense": '"count"'},
    **{"direction": '"up"', "test": '"exact"', "scale": '"log"', "change": '"increase"'},
}
EITHER = {"direction": ["count"]}
"""Keys of which a kind needs one or another, as is said below the table."""

ITEM = """
schema = 1
source = "zong-2011"
[[item]]
id = "it"
account = "it"
quantity = "ifng"
visit_day = 182
since_day = 0
standing = "reported"
"""


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_of_evidence_needs_the_keys_in_bold_and_no_others(kind: str, tmp_path: Path) -> None:
    kinds = told(parts("Evidence file")[1])
    assert kind in kinds, "docs/reference-files.md has a row for each kind"
    cell = kinds[kind]
    bold = re.findall(r"\*\*(\w+)\*\*", cell)
    path = tmp_path / "my.toml"

    def read(keys: Sequence[str]) -> Any:
        path.write_text(ITEM + f'kind = "{kind}"\n' + "".join(f"{key} = {VALUES[key]}\n" for key in keys))
        return read_evidence(path)

    also = EITHER.get(kind, [])
    assert len(read([*bold, *also]).items) == len(read(KINDS[kind].KEYS).items) == 1
    for key in bold:
        with pytest.raises(InputError) as caught:
            read([*also, *(other for other in bold if other != key)])
        assert caught.value.what == f"the key `{key}` is missing"
    if also:
        with pytest.raises(InputError):
            read(bold)


def test_no_key_that_a_reader_takes_is_missing_in_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: set[str] = set()
    check = TomlTable.check_keys

    def noting(table: TomlTable, allowed: Sequence[str] | None, required: Sequence[str] = ()) -> None:
        taken.update(allowed or ())
        check(table, allowed, required)

    monkeypatch.setattr(TomlTable, "check_keys", noting)
    for read, files in (
        (read_scenario, shipped.scenario_files().values()),
        (read_trial, shipped.trial_files().values()),
        (read_evidence, shipped.observation_files().values()),
        (read_people, shipped.population_files().values()),
        (read_model, sorted((shipped.root() / "models").glob("*.toml"))),
        (read_parameters, shipped.parameter_files()),
        (read_sources, [shipped.sources_file()]),
    ):
        for path in files:
            read(path)
    shipped_measurements()
    evidence_sets()
    assert len(taken) > 100
    words = set(re.findall(r"\w+", PAGE))
    assert taken <= words, sorted(taken - words)


def test_bold_keys_of_a_scenario_are_those_it_cannot_do_without(tmp_path: Path) -> None:
    bold = re.findall(r"^\| \*\*(\w+)\*\*", SECTIONS["Top level of a scenario"], re.MULTILINE)
    block = re.search(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    assert block is not None
    path = tmp_path / "s.toml"
    path.write_text(block[1], encoding="utf-8")
    assert read_scenario(path).times[-1] == 84.0
    for key in bold:
        lines = re.sub(rf"^\[+{key}\]+\n(?:[^\n[]+\n)*|^{key} = [^\n]*\n", "", block[1], flags=re.MULTILINE)
        path.write_text(lines, encoding="utf-8")
        with pytest.raises(InputError) as caught:
            read_scenario(path)
        assert caught.value.code == "key.missing", key
