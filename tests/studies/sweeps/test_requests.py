"""Sweep files, and options laid over them."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulate import shipped
from simulate.errors import InputError
from simulate.studies.settings import Setting
from simulate.studies.sweeps.requests import Options, Request, read_request

FILE = """\
schema = 1
title = "doses"
scenario = "anakinra-100mg-daily"

[settings]
cohort.patients = 7
time.end = "14 d"
f_m = 0.25

[[axis]]
over = "dose"
from = "10 mg"
to = "300 mg"
count = 3
spacing = "log"

[[axis]]
over = "k_a"
from = 0.1
to = 0.3

[design]
sample = "latin-hypercube"
points = 5

[outputs]
at = ["0 d", "12 h", "14 d"]
quantities = ["ifng"]
"""


def read(folder: Path, text: str, options: Options | None = None) -> Request:
    path = folder / "doses.toml"
    path.write_text(text, encoding="utf-8")
    return read_request(path, options)


def fault(folder: Path, text: str, options: Options | None = None) -> str:
    with pytest.raises(InputError) as caught:
        read(folder, text, options)
    return str(caught.value).replace(f"{folder}/", "")


def test_a_file_says_what_is_varied_and_lays_settings_over_the_scenario(tmp_path: Path) -> None:
    request = read(tmp_path, FILE)
    assert (request.name, request.title, request.scenario.name) == ("doses", "doses", "anakinra-100mg-daily")
    assert (request.scenario.patients, request.scenario.times[-1]) == (7, 14.0)
    assert [(row.parameter, row.value) for row in request.scenario.overrides] == [("f_m", 0.25)]
    assert request.scenario.quantities == ("ifng",)
    assert [axis.name for axis in request.axes] == ["dose", "k_a"]
    assert request.axes[0].values == (10.0, 54.7722557505, 300.0)
    assert request.axes[1].is_drawn
    assert (request.design.sample, request.design.points) == ("latin-hypercube", 5)
    assert request.at == (0.0, 0.5, 14.0)


def test_options_go_over_the_file_axis_by_axis(tmp_path: Path) -> None:
    settings = (Setting("cohort.patients", 9, "--patients 9"),)
    request = read(tmp_path, FILE, Options(over=("k_a=0.1,0.2", "CL=1,2"), settings=settings, at=("7 d",)))
    assert [(axis.name, len(axis.values)) for axis in request.axes] == [("dose", 3), ("k_a", 2), ("CL", 2)]
    assert (request.scenario.patients, request.at) == (9, (7.0,))
    assert read(tmp_path, FILE, Options(design="sobol:8", design_seed=3)).design.points == 8


def test_a_scenario_of_a_file_is_found_beside_it(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(
        'schema = 1\ntitle = "mine"\n[time]\nend = "5 d"\n[[arm]]\nname = "a"\nregimen = "none"\n', encoding="utf-8"
    )
    text = 'schema = 1\ntitle = "t"\nscenario = "mine.toml"\n[[axis]]\nover = "f_m"\nvalues = [0.1]\n'
    assert read(tmp_path, text).scenario.title == "mine"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            'over = "k_a"',
            'ovr = "k_a"',
            "error[key.unknown]: unknown key `ovr`\n"
            "  --> doses.toml:18, key `axis[1].ovr`\n"
            "  expected: `over`, `values`, `from`, `to`, `count`, `spacing`\n"
            "  try:      did you mean `over`?",
        ),
        (
            'to = "300 mg"\n',
            "",
            "error[sweep.axis]: the axis `dose` has no values, or has them in two ways\n"
            "  --> doses.toml:10, key `axis[0]`\n  expected: `values`, or both of `from` and `to`",
        ),
        (
            "from = 0.1\nto = 0.3",
            "values = [0.1, 0.3]\ncount = 2",
            "error[sweep.axis]: the axis `k_a` has a list of values, which needs no `count` and no `spacing`\n"
            "  --> doses.toml:17, key `axis[1]`\n  try:      leave them out",
        ),
        (
            "from = 0.1",
            "from = true",
            "error[sweep.axis]: a value of `k_a` cannot be used\n  --> doses.toml:17, key `axis[1]`\n"
            '  found:    true\n  expected: a finite number, or one with a unit such as "10 mg"; '
            "altogether such as `10:300:40log`, `0.1:0.5`, `10,30,100 mg`",
        ),
        (
            "count = 3",
            "count = 3.5",
            "error[key.value]: the value of `count` cannot be used\n"
            "  --> doses.toml:14, key `axis[0].count`\n"
            "  found:    3.5\n"
            "  expected: a whole number from 2 to 100000",
        ),
        (
            '"anakinra-100mg-daily"',
            '"anakinra-100mg-dayly"',
            "error[scenario.unknown]: there is no scenario `anakinra-100mg-dayly`\n  --> doses.toml:3, key `scenario`\n"
            f"  expected: a file, or one of {', '.join(f'`{name}`' for name in shipped.scenario_files())}\n"
            "  try:      did you mean `anakinra-100mg-daily` or `anakinra-100mg-daily-12-months`?",
        ),
        (
            'time.end = "14 d"',
            'time.ende = "14 d"',
            "error[key.unknown]: unknown key `ende`\n"
            "  --> doses.toml:7, key `time.ende`\n"
            "  expected: `end`, `every`, `unit`, `visits`\n"
            "  try:      did you mean `end`?",
        ),
        (
            '"12 h"',
            '"12 mg"',
            "error[units.mismatch]: `12 mg` is not a time\n  --> doses.toml:27, key `outputs.at[1]`\n"
            '  expected: a number with a unit of time, such as "182 d", from 0 d to 100000 d',
        ),
    ],
)
def test_a_fault_of_a_file_is_told_with_its_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in FILE
    assert fault(tmp_path, FILE.replace(old, new)) == message


def test_a_sweep_of_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_request("untreated")
    assert "error[sweep.axis]: nothing is varied\n" in str(caught.value)
    assert str(caught.value).endswith("  expected: a table `[[axis]]` or an option such as `--over dose=10:300:40log`")


def test_an_axis_that_is_given_twice_is_refused(tmp_path: Path) -> None:
    assert fault(tmp_path, FILE, Options(over=("dose=1,2", "dose=3,4"))) == (
        "error[sweep.axis]: the axis `dose` is there twice\n  --> --over dose=1,2"
    )
