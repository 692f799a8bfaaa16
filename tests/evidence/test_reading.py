"""Evidence files are read strictly, and a fault is named with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulate.errors import InputError
from simulate.evidence.items import Standing, Use
from simulate.evidence.kinds import Count, Mean, MeanRange
from simulate.evidence.reading import read_evidence

FILE = """\
schema = 1
source = "zong-2011"

[[item]]
id = "response"
account = "seven of 15 responded"
location = "Results, sentence 1"
quantity = "clinical_response"
visit_day = 182
kind = "count"
count = 7
n = 15
standing = "reported"

[[item]]
id = "level"
account = "a level"
quantity = "ifng"
visit_day = 0
kind = "mean_range"
mean = 2
low = 1
high = 4
n = 7
unit = "%"
standing = "ambiguous"
among = "response"
note = "when?"

[[item.reading]]
name = "before"
share = 0.75

[[item.reading]]
name = "after"
share = 0.25
visit_day = 182
n = 6
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "printed.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_becomes_items_with_statements_and_readings(tmp_path: Path) -> None:
    response, level = read_evidence(write(tmp_path, FILE)).items
    assert (response.name, response.statement) == ("response", Count(7, 15))
    assert (response.use, response.standing, response.location) == (Use.DATUM, Standing.REPORTED, "Results, sentence 1")
    assert [reading.name for reading in response.readings] == ["as printed"]
    assert (level.statement, level.location) == (MeanRange(2.0, 1.0, 4.0, 7), None)
    before, after = level.readings
    assert (before.subject, before.statement) == (level.subject, level.statement)
    assert (after.subject.days, after.statement.n, after.share) == ((182.0,), 6, 0.25)


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        (
            "count = 7",
            "coumt = 7",
            "error[key.unknown]: unknown key `coumt`\n"
            "  --> FILE:11, key `item[0].coumt`\n"
            "  expected: `id`, `account`, `location`, `kind`, `standing`, `use`, `among`, `arm`, `source`, `note`, "
            "`reading`, `quantity`, `visit_day`, `since_day`, `group`, `unit`, `count`, `n`, `parts`, "
            "`percent`\n"
            "  try:      did you mean `count` or `account`?",
        ),
        (
            "count = 7\n",
            "",
            "error[key.missing]: the key `count` is missing\n"
            "  --> FILE:4, key `item[0]`\n"
            "  found:    `id`, `account`, `location`, `quantity`, `visit_day`, `kind`, `n`, `standing`\n"
            "  expected: a whole number of at least 0",
        ),
        (
            "count = 7",
            "count = -7",
            "error[key.value]: the value of `count` cannot be used\n"
            "  --> FILE:11, key `item[0].count`\n"
            "  found:    -7\n"
            "  expected: a whole number of at least 0",
        ),
        (
            "count = 7",
            'count = "7"',
            "error[key.type]: the value of `count` cannot be used\n"
            "  --> FILE:11, key `item[0].count`\n"
            "  found:    '7'\n"
            "  expected: a whole number of at least 0",
        ),
        (
            "low = 1\n",
            "low = 0\n",
            "error[key.value]: the value of `low` cannot be used\n"
            "  --> FILE:22, key `item[1].low`\n"
            "  found:    0\n"
            "  expected: a number above 0",
        ),
        (
            'kind = "count"',
            'kind = "counts"',
            "error[key.value]: the value of `kind` cannot be used\n"
            "  --> FILE:10, key `item[0].kind`\n"
            "  found:    'counts'\n"
            "  expected: `mean_range`, `mean`, `ceiling`, `count`, `direction`, `correlation`, `p_value`, "
            "`protocol`, `text`\n"
            "  try:      did you mean `count`?",
        ),
        (
            'standing = "reported"',
            'standing = "sure"',
            "error[key.value]: the value of `standing` cannot be used\n"
            "  --> FILE:13, key `item[0].standing`\n"
            "  found:    'sure'\n"
            "  expected: `reported`, `inferred`, `ambiguous`, `disputed`, `healthy control`",
        ),
        (
            "visit_day = 182\nkind",
            "visit_day = -1\nkind",
            "error[key.value]: the value of `visit_day` cannot be used\n"
            "  --> FILE:9, key `item[0].visit_day`\n"
            "  found:    -1\n"
            "  expected: a day from 0 on, or several different ones",
        ),
        (
            'note = "when?"\n',
            "",
            "error[key.missing]: the item `level` is ambiguous, and no note says why\n"
            "  --> FILE:26, key `item[1].standing`\n"
            "  expected: a `note`",
        ),
        (
            "share = 0.25",
            "share = 0.5",
            "error[evidence.shares]: the readings of `level` are not different ones whose shares add up to 1\n"
            "  --> FILE:30, key `item[1].reading`\n"
            "  found:    before 0.75, after 0.5",
        ),
        (
            'among = "response"',
            'among = "responders"',
            "error[evidence.among]: `responders` is not an item that counts people\n"
            "  --> FILE:27, key `item[1].among`\n"
            "  try:      did you mean `response`?",
        ),
        (
            'id = "level"',
            'id = "response"',
            "error[evidence.twice]: two items have the name `response`\n"
            "  --> FILE:16, key `item[1].id`\n"
            "  try:      give one of them another name",
        ),
        (
            'account = "a level"\n',
            "",
            "error[key.missing]: the key `account` is missing\n"
            "  --> FILE:15, key `item[1]`\n"
            "  found:    `id`, `quantity`, `visit_day`, `kind`, `mean`, `low`, `high`, `n`, `unit`, `standing`, "
            "`among`, `note`, `reading`\n"
            "  expected: a text",
        ),
        (
            'unit = "%"',
            'unit = "pgg"',
            None,
        ),
    ],
)
def test_a_fault_is_named_with_its_line(tmp_path: Path, before: str, after: str, message: str | None) -> None:
    assert before in FILE
    path = write(tmp_path, FILE.replace(before, after, 1))
    with pytest.raises(InputError) as caught:
        read_evidence(path)
    assert caught.value.where is not None
    assert caught.value.where.line is not None
    if message is None:
        assert caught.value.code.startswith("units.")
    else:
        assert str(caught.value).replace(str(path), "FILE") == message


ROSE = """\
schema = 1
source = "zong-2011"
[[item]]
id = "rose"
account = "it rose"
quantity = "ifng"
visit_day = 182
since_day = 0
kind = "direction"
direction = "up"
n = 6
standing = "ambiguous"
note = "in whom?"
"""


@pytest.mark.parametrize(
    ("reading", "place"),
    [
        ("", "10, key `item[0].direction`"),
        ('[[item.reading]]\nname = "a"\nshare = 1\n', "15, key `item[0].reading[0].name`"),
    ],
)
def test_a_direction_must_say_of_whom_it_is(tmp_path: Path, reading: str, place: str) -> None:
    path = write(tmp_path, ROSE + reading)
    with pytest.raises(InputError) as caught:
        read_evidence(path)
    assert str(caught.value) == (
        "error[evidence.sense]: a direction does not say of whom it is\n"
        f"  --> {path}:{place}\n"
        "  found:    n = 6, and neither `count` nor `sense`\n"
        '  expected: `count`, of how many of the n; or `sense`: "each" if of all n, "mean" if of their mean, '
        '"significant" if of a mean with p below 0.05\n'
        "  try:      an item of which the source does not say it is `ambiguous`, with a [[item.reading]] for each way "
        "to read it"
    )
    assert read_evidence(write(tmp_path, ROSE + reading + 'sense = "mean"\n')).items


def test_what_a_reading_says_of_whom_takes_the_place_of_what_its_item_says(tmp_path: Path) -> None:
    readings = '[[item.reading]]\nname = "a"\nshare = 0.5\n{}\n[[item.reading]]\nname = "b"\nshare = 0.5\n'
    for whole, own in (('sense = "mean"', "count = 4"), ("count = 4", 'sense = "mean"')):
        (item,) = read_evidence(write(tmp_path, f"{ROSE}{whole}\n{readings.format(own)}")).items
        first, second = ((reading.statement.sense, reading.statement.count) for reading in item.readings)
        assert (first, second) == (
            (("count", 4), ("mean", None)) if own == "count = 4" else (("mean", None), ("count", 4))
        )


def test_a_direction_says_of_whom_it_is_in_one_way(tmp_path: Path) -> None:
    path = write(tmp_path, ROSE + 'sense = "mean"\ncount = 4\n')
    with pytest.raises(InputError) as caught:
        read_evidence(path)
    assert str(caught.value) == (
        "error[evidence.sense]: a direction says of whom it is in two ways\n"
        f"  --> {path}:14, key `item[0].sense`\n"
        '  found:    `count` and `sense = "mean"`\n'
        "  try:      leave one of them out"
    )


def test_a_file_without_items_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_evidence(write(tmp_path, 'schema = 1\nsource = "zong-2011"\nitem = []\n'))
    assert caught.value.code == "evidence.empty"


def test_a_reading_of_another_kind_needs_all_of_its_keys(tmp_path: Path) -> None:
    text = FILE.replace("visit_day = 182\nn = 6", 'kind = "mean"\nmean = 2')
    with pytest.raises(InputError) as caught:
        read_evidence(write(tmp_path, text))
    assert (caught.value.code, caught.value.what) == ("key.missing", "the key `n` is missing")
    level = read_evidence(write(tmp_path, text + "n = 6\n"))["level"]
    assert level.readings[1].statement == Mean(2.0, 6)


def test_a_scheme_of_another_version_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_evidence(write(tmp_path, FILE.replace("schema = 1", "schema = 2")))
    assert caught.value.code == "key.value"
