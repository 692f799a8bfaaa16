"""The reported values of the abstract, as a reader of the program meets them."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from simulate.errors import InputError
from simulate.evidence.observations import Standing, comparable, read_observations
from simulate.evidence.reading import abstract_file


def test_the_abstract_is_read_as_it_was_printed() -> None:
    items = {item.name: item for item in read_observations()}
    baseline = items["il1ra-baseline"]
    assert (baseline.quantity, baseline.day, baseline.standing) == ("serum_il1ra", 0.0, Standing.REPORTED)
    assert (baseline.mean, baseline.low, baseline.high, baseline.unit.text) == (2559.0, 467.0, 6937.0, "pg/mL")


def test_the_inverted_range_is_kept_and_disputed() -> None:
    item = next(item for item in read_observations() if item.name == "il1ra-on-drug")
    assert (item.low, item.high, item.standing) == (19572.0, 18844.0, Standing.DISPUTED)
    assert item.note is not None


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [
        ("visit_day = 0", "visit_dy = 0", "key.unknown"),
        ('unit = "pg/mL"', 'unit = "pgg/mL"', "units.unknown"),
        ('standing = "reported"', 'standing = "sure"', "key.value"),
        ("mean = 2559", 'mean = "2559"', "key.type"),
    ],
)
def test_a_fault_in_the_file_is_named_with_its_line(tmp_path: Path, before: str, after: str, code: str) -> None:
    path = tmp_path / "printed.toml"
    path.write_text(abstract_file().read_text(encoding="utf-8").replace(before, after, 1), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_observations(path)
    assert caught.value.code == code
    assert caught.value.where is not None
    assert caught.value.where.line is not None


def test_observations_are_values() -> None:
    first = read_observations()[0]
    with pytest.raises(dataclasses.FrozenInstanceError):
        first.day = 1.0  # type: ignore[misc]


def test_printed_figures_stand_beside_the_people_they_are_about() -> None:
    printed = read_observations()
    assert comparable(printed, population=None) == printed
    assert comparable(printed, population="myositis") == printed
    healthy = comparable(printed, population="healthy")
    assert {item.standing for item in healthy} == {Standing.HEALTHY}
    assert comparable(printed, population="caps") == ()
