"""The catalogue is read strictly, and each number in it says where it is from."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from simulate import shipped
from simulate.errors import InputError
from simulate.studies.measuring.catalogue import read_measurement, shipped_measurements

GOOD = """schema = 1
title = "blood after a month"

[cost]
value = 30
source = "assumption"
grade = "assumed"

[[sample]]
arm = "anakinra"
n = 15

[[sample.reading]]
quantity = "ifng"
days = [28, 91]
since = 0

[[sample.reading]]
quantity = "naive"
days = [28]
noise = 0.2
source = "assumption"
grade = "assumed"
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_reading_of_several_days_is_one_for_each_and_takes_the_noise_of_the_assay(tmp_path: Path) -> None:
    found = read_measurement(written(tmp_path, GOOD))
    (sample,) = found.samples
    assert (found.name, found.n, found.cost) == ("mine", 15, 30.0)
    assert [(part.quantity, part.day, part.since) for part in sample.readings] == [
        ("ifng", 28.0, 0.0),
        ("ifng", 91.0, 0.0),
        ("naive", 28.0, None),
    ]
    assert [part.noise for part in sample.readings] == [0.36, 0.36, 0.2]  # of the file of the trial


def test_the_page_has_the_size_and_the_price_of_each_measurement() -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "next-measurements.md").read_text(encoding="utf-8")
    of_seven, _, of_two = page.partition("## What comes out for two\n")
    row = re.compile(r"^\| \d+ \| `([\w-]+)`[^|]*\| (\d+) \|.*\| ([\d.?]+) \|$", re.MULTILINE)
    seven = {name: (int(n), float(cost)) for name, n, cost in row.findall(of_seven)}
    assert seven == {part.name: (part.n, part.cost) for part in shipped_measurements()}
    two = {name: int(n) for name, n, _ in row.findall(of_two)}
    assert len(two) > 5
    assert two == {name: seven[name][0] for name in two}


def test_what_ships_can_be_read_and_answers_what_the_model_can() -> None:
    measurements = shipped_measurements()
    assert [part.name for part in measurements] == sorted(shipped.measurement_files())
    # Question 6 is about IL-10, of which the model has nothing.
    assert {part.answers for part in measurements} - {""} == {"1", "2", "3", "4", "5", "7", "8"}
    assert all(part.cost_source and part.cost_grade for part in measurements)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "days = [28, 91]",
            "days = [28, 400]",
            "error[key.value]: the value of `days` cannot be used\n"
            "  --> {path}:15, key `sample[0].reading[0].days`\n"
            "  found:    [28, 400]\n"
            "  expected: days from 0 to 364",
        ),
        (
            'arm = "anakinra"',
            'arm = "anakira"',
            "error[key.value]: the value of `arm` cannot be used\n"
            "  --> {path}:10, key `sample[0].arm`\n"
            "  found:    'anakira'\n"
            "  expected: `anakinra`, `untreated`\n"
            "  try:      did you mean `anakinra`?",
        ),
        (
            "since = 0",
            'since = 0\nover = "il17a"',
            "error[measurement.reading]: the reading of `ifng` cannot be\n"
            "  --> {path}:13, key `sample[0].reading[0]`\n"
            "  found:    a change and a ratio at once\n"
            "  expected: `since` or `over`, not both; and one of them where a hypothesis may be `without` the quantity",
        ),
        (
            "noise = 0.2\n",
            'without = "unchanged"\nnoise = 0.2\n',
            "error[measurement.reading]: the reading of `naive` cannot be\n"
            "  --> {path}:18, key `sample[0].reading[1]`\n"
            "  found:    a level that a hypothesis may lack\n"
            "  expected: `since` or `over`, not both; and one of them where a hypothesis may be `without` the quantity",
        ),
        (
            "noise = 0.2\n",
            "",
            "error[measurement.noise]: nothing says how well `naive` is read\n"
            "  --> {path}:18, key `sample[0].reading[1]`\n"
            "  expected: `noise`, the standard deviation of the logarithm of a reading, with `source` and `grade`\n"
            "  try:      assays of the trial read `serum_il1ra`, `ifng`, `il17a`, `cd45ro`, `ck`",
        ),
        (
            'source = "assumption"\ngrade = "assumed"\n\n[[sample]]',
            'source = "assumptoin"\ngrade = "assumed"\n\n[[sample]]',
            "error[source.unknown]: the source `assumptoin` is not a known reference\n"
            "  --> {path}:6, key `cost.source`\n"
            "  expected: a key of sources.toml\n"
            "  try:      did you mean `assumption`?",
        ),
        (
            "value = 30",
            "value = 0",
            "error[key.value]: the value of `value` cannot be used\n"
            "  --> {path}:5, key `cost.value`\n"
            "  found:    0\n"
            "  expected: a number above 0",
        ),
        (
            "since = 0",
            "sinse = 0",
            "error[key.unknown]: unknown key `sinse`\n"
            "  --> {path}:16, key `sample[0].reading[0].sinse`\n"
            "  expected: `quantity`, `days`, `since`, `over`, `limit`, `without`, `noise`, `source`, `grade`\n"
            "  try:      did you mean `since` or `noise`?",
        ),
    ],
)
def test_a_fault_is_told_with_its_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in GOOD
    path = written(tmp_path, GOOD.replace(old, new, 1))
    with pytest.raises(InputError) as caught:
        read_measurement(path)
    assert str(caught.value) == message.format(path=path)
