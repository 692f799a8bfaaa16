from __future__ import annotations

import math
from pathlib import Path

import pytest

from simulate import shipped
from simulate.errors import InputError
from simulate.symbolic.parameterfile import check_sources, read_parameters, read_sources
from simulate.symbolic.parts import Grade, Parameter, Source, Spread
from simulate.symbolic.units import unit

ROW = """\
[k_a]
meaning = "absorption rate constant"
value = 4.1
unit = "1/d"
spread = { cv = 0.25 }
bounds = [2.8, 5.5]
source = "label"
grade = "read"
note = "half-life 4 h"
"""
SOURCES = """\
[label]
citation = "Prescribing information"
identifier = "not known"
read = "the section on pharmacokinetics"
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "rows.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_row_is_a_parameter(tmp_path: Path) -> None:
    assert read_parameters(written(tmp_path, ROW)) == {
        "k_a": Parameter(
            "k_a",
            "absorption rate constant",
            4.1,
            unit("1/d"),
            Spread(math.sqrt(math.log1p(0.0625))),
            (2.8, 5.5),
            "label",
            Grade.READ,
        )
    }


def test_a_spread_may_be_that_of_the_logarithm(tmp_path: Path) -> None:
    rows = read_parameters(written(tmp_path, ROW.replace("cv = 0.25", "sd_log = 0.79")))
    assert rows["k_a"].spread == Spread(0.79)
    rows = read_parameters(written(tmp_path, ROW.replace("spread = { cv = 0.25 }\n", "")))
    assert rows["k_a"].spread is None


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "bounds",
            "bonds",
            "error[key.unknown]: unknown key `bonds`\n"
            "  --> rows.toml:6, key `k_a.bonds`\n"
            "  expected: `meaning`, `value`, `unit`, `spread`, `bounds`, `source`, `grade`, `note`\n"
            "  try:      did you mean `bounds`?",
        ),
        (
            'grade = "read"\n',
            "",
            "error[key.missing]: the key `grade` is missing\n"
            "  --> rows.toml:1, key `k_a`\n"
            "  found:    `meaning`, `value`, `unit`, `spread`, `bounds`, `source`, `note`",
        ),
        (
            '"read"',
            '"reed"',
            "error[key.value]: the value of `grade` cannot be used\n"
            "  --> rows.toml:8, key `k_a.grade`\n"
            "  found:    'reed'\n"
            "  expected: `read`, `calculated`, `recalled`, `assumed`\n"
            "  try:      did you mean `read` or `recalled`?",
        ),
        (
            "value = 4.1",
            "value = 6",
            "error[key.value]: the value lies outside its bounds\n"
            "  --> rows.toml:3, key `k_a.value`\n"
            "  found:    6\n"
            "  expected: 2.8 to 5.5",
        ),
        (
            "[2.8, 5.5]",
            "[5.5, 2.8]",
            "error[key.value]: the value of `bounds` cannot be used\n"
            "  --> rows.toml:6, key `k_a.bounds`\n"
            "  found:    [5.5, 2.8]\n"
            "  expected: the lower bound first, then a higher one",
        ),
        (
            "[2.8, 5.5]",
            "[2.8]",
            "error[key.type]: the value of `bounds` cannot be used\n"
            "  --> rows.toml:6, key `k_a.bounds`\n"
            "  found:    [2.8]\n"
            "  expected: a list of 2 numbers",
        ),
        (
            "value = 4.1",
            "value = true",
            "error[key.type]: the value of `value` cannot be used\n"
            "  --> rows.toml:3, key `k_a.value`\n"
            "  found:    true\n"
            "  expected: a number",
        ),
        (
            "value = 4.1",
            "value = -inf",
            "error[key.value]: the value of `value` cannot be used\n"
            "  --> rows.toml:3, key `k_a.value`\n"
            "  found:    -inf\n"
            "  expected: a number that is finite and of ordinary size",
        ),
        (
            "value = 4.1\n",
            "value = -1\n",
            "error[key.value]: the value lies outside its bounds\n"
            "  --> rows.toml:3, key `k_a.value`\n"
            "  found:    -1\n"
            "  expected: 2.8 to 5.5",
        ),
        (
            "cv = 0.25",
            "cv = 0.25, sd_log = 0.25",
            "error[key.value]: the value of `spread` cannot be used\n"
            "  --> rows.toml:5, key `k_a.spread`\n"
            "  found:    {'cv': 0.25, 'sd_log': 0.25}\n"
            "  expected: { cv = 0.3 } or { sd_log = 0.3 }",
        ),
        (
            "cv = 0.25",
            "cv = -0.25",
            "error[key.value]: the value of `cv` cannot be used\n"
            "  --> rows.toml:5, key `k_a.spread.cv`\n"
            "  found:    -0.25\n"
            "  expected: a number from 0 to 100",
        ),
        (
            "[k_a]",
            "[lambda]",
            "error[model.name]: `lambda` cannot be a name\n"
            "  --> rows.toml:1, key `lambda`\n"
            "  expected: ASCII letters, digits and underscores, the first no digit\n"
            "  try:      it is a keyword of Python",
        ),
        (
            "[k_a]\n",
            "k_b = 3\n[k_a]\n",
            "error[key.type]: `k_b` is not a table\n"
            "  --> rows.toml:1, key `k_b`\n"
            "  found:    3\n"
            "  expected: a table, [k_b]",
        ),
        (
            '"absorption rate constant"',
            '""',
            "error[key.value]: the value of `meaning` cannot be used\n"
            "  --> rows.toml:2, key `k_a.meaning`\n"
            "  found:    ''\n"
            "  expected: a text of one line that is not empty",
        ),
    ],
)
def test_each_fault_of_a_row_names_its_line(old: str, new: str, expected: str, tmp_path: Path) -> None:
    assert old in ROW
    with pytest.raises(InputError) as caught:
        read_parameters(written(tmp_path, ROW.replace(old, new)))
    assert str(caught.value).replace(str(tmp_path) + "/", "") == expected


def test_a_log_normal_spread_needs_a_positive_value(tmp_path: Path) -> None:
    text = ROW.replace("bounds = [2.8, 5.5]\n", "").replace("4.1", "0")
    with pytest.raises(InputError) as caught:
        read_parameters(written(tmp_path, text))
    assert caught.value.expected == "a positive number, because the spread is log-normal"


def test_references_are_read_with_what_was_read_of_them(tmp_path: Path) -> None:
    assert read_sources(written(tmp_path, SOURCES)) == {
        "label": Source("label", "Prescribing information", "not known", "the section on pharmacokinetics")
    }
    with pytest.raises(InputError, match="the key `read` is missing"):
        read_sources(written(tmp_path, SOURCES.replace("read =", "# ")))


def test_a_source_that_nobody_lists_is_found(tmp_path: Path) -> None:
    parameters = read_parameters(written(tmp_path, ROW))
    sources = {"label": Source("label", "c", "i", "r")}
    check_sources(parameters, sources)
    with pytest.raises(InputError) as caught:
        check_sources(parameters, {"labels": sources["label"]})
    assert str(caught.value) == (
        "error[source.unknown]: the source `label` of parameter `k_a` is not a known reference\n"
        "  --> key `k_a.source`\n"
        "  try:      did you mean `labels`?"
    )


def test_the_shipped_files_can_be_read() -> None:
    sources = read_sources(shipped.sources_file())
    for path in shipped.parameter_files():
        check_sources(read_parameters(path), sources)
    assert len(sources) > 10
