"""The page of all keys has those that the readers of the files know, and no others."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from simulate.errors import InputError
from simulate.studies.arm_rules import RULE_KEYS
from simulate.studies.scenario import SCENARIO_KEYS, read_scenario
from simulate.studies.treatments import ARM_KEYS, DOSES_KEYS
from simulate.symbolic.modelfile import HYPOTHESIS_KEYS, MODEL_KEYS
from simulate.symbolic.parameterfile import PARAMETER_KEYS
from simulate.trials.reading import TRIAL_KEYS

PAGE = (Path(__file__).resolve().parent.parent / "docs" / "reference-files.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^### ([^\n]+)\n(.*?)(?=^##|\Z)", PAGE, re.DOTALL | re.MULTILINE))


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


def test_tables_of_trials_have_the_keys_of_their_reader() -> None:
    found = {row[0]: row[1] for row in rows(PAGE.partition("## Trial file")[2])}
    told = {"" if name == "top level" else name.strip("`[]"): keys for name, keys in found.items()}
    assert told == {
        table: ", ".join([*(f"**{key}**" for key in required), *optional])
        for table, (required, optional) in TRIAL_KEYS.items()
    }


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
