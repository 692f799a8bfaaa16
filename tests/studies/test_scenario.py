"""What a scenario file may say, and what a reader is told when it says something else."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulate import shipped
from simulate.errors import InputError
from simulate.studies.scenario import Scenario, read_scenario
from simulate.studies.settings import Setting, parse_setting

FILE = """\
schema = 1
title = "a test"

[time]
end = "28 d"

[[arm]]
name = "weekly"
regimen = "100 mg sc every 7 d"

[[arm]]
name = "none"
regimen = "none"

[parameters]
f_m = 0.3
"""


def read(folder: Path, text: str, *settings: str) -> Scenario:
    path = folder / "test.toml"
    path.write_text(text, encoding="utf-8")
    return read_scenario(path, [parse_setting(setting) for setting in settings])


def fault(folder: Path, text: str, *settings: str) -> str:
    """The whole message, with the folder left out."""
    with pytest.raises(InputError) as caught:
        read(folder, text, *settings)
    return str(caught.value).replace(f"{folder}/", "")


def test_what_a_file_leaves_out_has_a_default(tmp_path: Path) -> None:
    scenario = read(tmp_path, FILE)
    assert (scenario.name, scenario.title, scenario.question) == ("test", "a test", None)
    assert (scenario.model, scenario.hypothesis, scenario.fit) == (None, ("H1", "H6"), "shipped")
    assert scenario.understood == (
        'the scenario names no hypothesis: H1+H6 is meant (`hypothesis = "none"` for none)',
        "the scenario names no fit: the shipped one is meant, or that in fits/, or else the prior "
        '(`fit = "typical"` for neither)',
    )
    assert (scenario.patients, scenario.seed, scenario.quantities) == (100, 1, ())
    assert (scenario.rtol, scenario.atol, scenario.max_steps, scenario.method) == (
        1e-6,
        None,
        100_000,
        "taylor+rodas5p",
    )
    assert scenario.times == tuple(float(day) for day in range(29))
    assert [arm.name for arm in scenario.arms] == ["weekly", "none"]


@pytest.mark.parametrize("name", list(shipped.scenario_files()))
def test_every_shipped_scenario_can_be_read_by_its_name(name: str) -> None:
    scenario = read_scenario(name)
    assert scenario.name == name
    assert scenario.title
    assert scenario.arms


@pytest.mark.parametrize("population", ["healthy", "people.toml"])
def test_other_people_than_those_of_the_trial_stand_on_no_fit_unless_asked(tmp_path: Path, population: str) -> None:
    others = (FILE, f"cohort.population={population}", "model.hypothesis=H4")
    assert read(tmp_path, *others).fit == "typical"
    assert read(tmp_path, *others).understood == (
        "the scenario stands on no fit: its patients are not those to whom hypotheses are fitted",
    )
    asked = read(tmp_path, *others, "model.fit=shipped")
    assert (asked.fit, asked.understood) == ("shipped", ())


@pytest.mark.parametrize("fit", ["typical", "prior", "shipped"])
def test_what_a_scenario_names_itself_is_not_told_again(tmp_path: Path, fit: str) -> None:
    scenario = read(tmp_path, FILE, f"model.fit={fit}", "model.hypothesis=none")
    assert (scenario.fit, scenario.hypothesis, scenario.understood) == (fit, ("none",), ())


def test_a_model_of_ones_own_has_no_hypothesis_and_no_fit_of_another(tmp_path: Path) -> None:
    scenario = read(tmp_path, FILE + '\n[model]\nfile = "mine.toml"\n')
    assert (scenario.hypothesis, scenario.fit, scenario.understood) == (("none",), "typical", ())


@pytest.mark.parametrize("name", list(shipped.scenario_files()))
def test_a_shipped_scenario_leaves_nothing_to_be_understood(name: str) -> None:
    assert read_scenario(name).understood == ()


def test_eight_hours_meet_the_end_exactly(tmp_path: Path) -> None:
    times = read(tmp_path, FILE, "time.every=8 h", "time.end=182 d").times
    assert len(times) == 3 * 182 + 1
    assert times[-1] == 182.0
    assert times[3] == 1.0


def test_the_end_is_recorded_even_between_two_times_of_the_grid(tmp_path: Path) -> None:
    assert read(tmp_path, FILE, "time.every=10 d").times == (0.0, 10.0, 20.0, 28.0)


def test_a_bare_key_of_a_setting_is_a_parameter(tmp_path: Path) -> None:
    first, second = read(tmp_path, FILE, "f_m=0.5", "k_a=0.2 1/h").overrides
    assert (first.parameter, first.value, first.unit) == ("f_m", 0.5, None)
    assert (second.parameter, second.value) == ("k_a", 0.2)
    assert second.unit is not None
    assert second.unit.text == "1/h"


@pytest.mark.parametrize(
    "value", ["[" * 33 + "]" * 33, "[" * 2000 + "]" * 2000, "{a = " * 2000 + "1" + "}" * 2000], ids=["33", "2000", "{}"]
)
def test_a_setting_that_is_nested_too_deeply_is_an_error_of_input(value: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_setting(f"f_m={value}")
    levels = "it has more than 32 levels" if len(value) < 100 else "its brackets are some hundred levels deep"
    assert str(caught.value) == (
        f"error[scenario.setting]: the value of a setting is nested too deeply: {levels}\n  --> --set f_m\n"
        "  expected: at most 32 tables and lists inside one another"
    )


def test_the_key_of_a_setting_has_a_limit_of_parts(tmp_path: Path) -> None:
    assert fault(tmp_path, FILE, ".".join(["a"] * 2000) + "=1").startswith(
        f"error[scenario.setting]: the setting `{'.'.join(['a'] * 98)}.a...` has no place in the file: it has "
        "2000 parts, more than 32\n"
    )


@pytest.mark.parametrize(
    ("first", "second", "key"),
    [
        ("cohort.seed=2", "cohort.seed=3", "cohort.seed"),
        ("solver={rtol=1e-8}", "solver.rtol=1e-3", "solver"),
        ("solver.rtol=1e-3", "solver={rtol=1e-8}", "solver"),
    ],
)
def test_a_key_is_set_once(tmp_path: Path, first: str, second: str, key: str) -> None:
    assert fault(tmp_path, FILE, first, second) == (
        f"error[scenario.setting]: `{key}` is set twice\n"
        f"  --> --set {second}\n  found:    --set {first}\n  try:      set it once"
    )


def test_steps_so_short_that_the_end_cannot_be_reached_are_refused(tmp_path: Path) -> None:
    assert fault(tmp_path, FILE, 'solver.max_step="1e-9 h"') == (
        "error[scenario.value]: the end cannot be reached by such short steps\n"
        '  --> --set solver.max_step="1e-9 h", key `solver.max_step`\n'
        "  found:    1e-9 h, and at most 100000 steps\n"
        "  expected: at least 0.00028 d\n"
        "  try:      allow more steps, `solver.max_steps`, or longer ones"
    )


def test_a_break_after_the_end_is_refused(tmp_path: Path) -> None:
    said = fault(tmp_path, FILE, 'solver.breaks=["29 d"]')
    assert "a break is after the end of the simulation" in said
    assert "  expected: at most 28 d, the end\n" in said


@pytest.mark.parametrize("key", ["arm.weekly.regimen", "arm[0].regimen", 'arm."weekly".regimen'])
def test_an_arm_is_set_by_its_name_or_its_place(tmp_path: Path, key: str) -> None:
    scenario = read(tmp_path, FILE, f"{key}=50 mg sc every 7 d")
    assert scenario.arms[0].regimen == "50 mg sc every 7 d"
    assert scenario.arms[1].regimen == "none"


def test_paths_in_a_file_are_relative_to_it_and_those_of_settings_are_not(tmp_path: Path) -> None:
    text = FILE + '\n[model]\nfile = "mine.toml"\nhypothesis = "H1+guess.toml"\n'
    scenario = read(tmp_path, text)
    assert (scenario.model, scenario.hypothesis) == (tmp_path / "mine.toml", ("H1", tmp_path / "guess.toml"))
    path = tmp_path / "test.toml"
    changed = read_scenario(path, [Setting("model.hypothesis", "other.toml", "--hypothesis other.toml")])
    assert changed.hypothesis == (Path("other.toml"),)


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        (
            "[time]",
            "[tme]",
            "error[key.unknown]: unknown key `tme`\n"
            "  --> test.toml:4, key `tme`\n"
            "  expected: `schema`, `title`, `question`, `model`, `time`, `cohort`, `arm`, `parameters`, "
            "`outputs`, `solver`\n"
            "  try:      did you mean `time`?",
        ),
        (
            'end = "28 d"',
            "end = 28",
            "error[key.type]: the value of `end` cannot be used\n"
            "  --> test.toml:5, key `time.end`\n"
            "  found:    28\n"
            '  expected: a time with its unit, such as "182 d"',
        ),
        (
            "28 d",
            "28 kg",
            "error[units.mismatch]: `28 kg` is not a time\n"
            "  --> test.toml:5, key `time.end`\n"
            '  expected: a number with a unit of time, such as "182 d" or "12 h"',
        ),
        (
            "28 d",
            "-28 d",
            "error[key.value]: the time `-28 d` is out of range\n"
            "  --> test.toml:5, key `time.end`\n"
            "  expected: more than 0 d, at most 100000 d",
        ),
        (
            "schema = 1",
            "schema = 2",
            "error[key.value]: the value of `schema` cannot be used\n"
            "  --> test.toml:1, key `schema`\n"
            "  found:    2\n"
            "  expected: 1",
        ),
        (
            'regimen = "none"',
            "",
            "error[key.missing]: the key `regimen` is missing\n"
            "  --> test.toml:11, key `arm[1]`\n"
            "  found:    `name`\n"
            '  expected: words such as "100 mg sc every 24 h until 182 d", or "none"',
        ),
        (
            'name = "none"',
            'name = "weekly"',
            "error[scenario.value]: two arms have the name `weekly`\n"
            "  --> test.toml:12, key `arm[1].name`\n"
            "  try:      give each arm a name of its own",
        ),
        (
            "100 mg",
            "-100 mg",
            "error[regimen.value]: the amount of a dose is negative\n"
            "  --> test.toml:9, key `arm[0].regimen`, term `-100 mg sc every 7 d`\n"
            "  found:    `-100`\n"
            "  expected: a number that is not below 0\n"
            "  try:      leave the sign out: `100`",
        ),
        (
            "f_m = 0.3",
            "f_m = nan",
            "error[key.value]: the value of the parameter `f_m` cannot be used\n"
            "  --> test.toml:16, key `parameters.f_m`\n"
            "  found:    nan\n"
            '  expected: a finite number, or a text with a unit such as "0.15 ng/mL"',
        ),
        (
            "f_m = 0.3",
            "f_m = true",
            "error[key.value]: the value of the parameter `f_m` cannot be used\n"
            "  --> test.toml:16, key `parameters.f_m`\n"
            "  found:    true\n"
            '  expected: a finite number, or a text with a unit such as "0.15 ng/mL"',
        ),
        (
            "f_m = 0.3",
            'f_m = "3 mgg"',
            "error[units.unknown]: `mgg` is not a unit\n"
            "  --> test.toml:16, key `parameters.f_m`\n"
            "  found:    `mgg`\n"
            "  expected: units such as `nM`, `1/d`, `L/d`, `cell/µL`, `%`, or `1` for a pure number\n"
            "  try:      did you mean `mg`?",
        ),
        (
            "[parameters]\nf_m = 0.3",
            "[solver]\nrtol = nan",
            "error[key.value]: the value of `rtol` cannot be used\n"
            "  --> test.toml:16, key `solver.rtol`\n"
            "  found:    nan\n"
            "  expected: a number from 1e-13 to 0.1",
        ),
        (
            "[parameters]\nf_m = 0.3",
            "[solver]\natol = 1",
            "error[key.value]: the value of `atol` cannot be used\n"
            "  --> test.toml:16, key `solver.atol`\n"
            "  found:    1\n"
            "  expected: a number from 0 to 1e-06",
        ),
        (
            "[parameters]\nf_m = 0.3",
            '[model]\nname = "refrence"',
            "error[scenario.unknown]: there is no model `refrence`\n"
            "  --> test.toml:16, key `model.name`\n"
            '  expected: `reference`, or a file: `file = "my-model.toml"`\n'
            "  try:      did you mean `reference`?",
        ),
        (
            "[parameters]\nf_m = 0.3",
            '[outputs]\nquantities = ["ck", "ifng", "ck"]',
            "error[scenario.value]: the quantity `ck` is asked for twice\n"
            "  --> test.toml:16, key `outputs.quantities[2]`",
        ),
    ],
)
def test_a_fault_is_named_with_its_line(tmp_path: Path, before: str, after: str, message: str) -> None:
    assert fault(tmp_path, FILE.replace(before, after, 1)) == message


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        (
            "cohort.patients=0",
            "error[key.value]: the value of `patients` cannot be used\n"
            "  --> --set cohort.patients=0, key `cohort.patients`\n"
            "  found:    0\n"
            "  expected: a whole number from 1 to 10000000",
        ),
        (
            "cohort.patients=1.5",
            "error[key.value]: the value of `patients` cannot be used\n"
            "  --> --set cohort.patients=1.5, key `cohort.patients`\n"
            "  found:    1.5\n"
            "  expected: a whole number from 1 to 10000000",
        ),
        (
            "cohort.patients=true",
            "error[key.type]: the value of `patients` cannot be used\n"
            "  --> --set cohort.patients=true, key `cohort.patients`\n"
            "  found:    true\n"
            "  expected: a whole number from 1 to 10000000",
        ),
        (
            "patients=5",
            "error[scenario.setting]: the setting `patients` has no place in the file: `patients` is a key of a table\n"
            "  --> --set patients=5\n"
            "  try:      did you mean `cohort.patients`?",
        ),
        (
            "arm.wekly.regimen=none",
            "error[scenario.setting]: the setting `arm.wekly.regimen` has no place in the file: no arm has this name\n"
            "  --> --set arm.wekly.regimen=none\n"
            "  try:      did you mean `arm.weekly.regimen` or `arm.none.regimen`?",
        ),
        (
            "arm[0].regimn=none",
            "error[key.unknown]: unknown key `regimn`\n"
            "  --> --set arm[0].regimn=none, key `arm[0].regimn`\n"
            "  expected: `name`, `regimen`, `doses`, `parameters`, `rule`\n"
            "  try:      did you mean `regimen`?",
        ),
        (
            "title.x=3",
            "error[scenario.setting]: the setting `title.x` has no place in the file: `title` is a value and holds no "
            "keys\n"
            "  --> --set title.x=3",
        ),
        (
            "f_m=inf",
            "error[key.value]: the value of the parameter `f_m` cannot be used\n"
            "  --> --set f_m=inf, key `parameters.f_m`\n"
            "  found:    inf\n"
            '  expected: a finite number, or a text with a unit such as "0.15 ng/mL"',
        ),
    ],
)
def test_a_fault_of_a_setting_names_the_setting(tmp_path: Path, setting: str, message: str) -> None:
    assert fault(tmp_path, FILE, setting) == message


@pytest.mark.parametrize("text", ["f_m", "=3", "f_m=", ""])
def test_a_setting_needs_a_key_and_a_value(text: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_setting(text)
    assert str(caught.value) == (
        "error[scenario.setting]: a setting needs a key and a value\n"
        f"  --> --set {text}\n"
        "  expected: key=value, such as f_m=0.3"
    )


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a=1", 1),
        ("a=1e-3", 1e-3),
        ("a=true", True),
        ("a=[1, 2]", [1, 2]),
        ('a="x"', "x"),
        ("a=0.2 1/h", "0.2 1/h"),
        ("a=x=y", "x=y"),
        ("a=H1+H3a", "H1+H3a"),
        ("a=1\nb = 2", "1\nb = 2"),
    ],
)
def test_a_value_is_toml_or_else_a_text(text: str, value: object) -> None:
    assert parse_setting(text).value == value


def test_an_unknown_scenario_is_told_the_nearest() -> None:
    with pytest.raises(InputError) as caught:
        read_scenario("anakinra-100mg-dayly")
    assert caught.value.code == "scenario.unknown"
    assert caught.value.what == "there is no scenario `anakinra-100mg-dayly`"
    assert caught.value.advice is not None
    assert caught.value.advice.startswith("did you mean `anakinra-100mg-daily`")


def test_a_hypothesis_where_a_scenario_is_expected_is_told_its_option() -> None:
    with pytest.raises(InputError) as caught:
        read_scenario("H1+H4")
    assert caught.value.what == "there is no scenario `H1+H4`"
    assert caught.value.advice == "a scenario is simulated under a hypothesis by `--hypothesis H1+H4`"


@pytest.mark.parametrize(("content", "code"), [(None, "file.missing"), ("", "file.empty"), ("a = [", "file.syntax")])
def test_a_file_that_is_no_scenario_is_refused(tmp_path: Path, content: str | None, code: str) -> None:
    path = tmp_path / "x.toml"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_scenario(path)
    assert caught.value.code == code


def test_a_folder_is_no_scenario(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_scenario(tmp_path)
    assert caught.value.code == "file.directory"
