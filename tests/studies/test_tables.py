"""Summaries say what the members did, and what the source printed."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest

from simulate.evidence.observations import Observation, Standing, read_observations
from simulate.results.tables import VISITS, SummaryVisit, printed, printed_alone, rounded, summary, visits
from simulate.symbolic.units import unit
from simulate.tabular import table_of
from tests.figures.synthetic import dataset, observation


@pytest.mark.parametrize(
    ("days", "names"),
    [
        (182.0, ["baseline", "3 months", "6 months"]),
        (364.0, ["baseline", "3 months", "6 months", "12 months"]),
        (365.0, ["baseline", "3 months", "6 months", "12 months"]),
        (120.0, ["baseline", "3 months", "day 120"]),
        (3.0, ["baseline", "day 3"]),
        (28.0, ["baseline", "day 28"]),
    ],
)
def test_visits_are_those_of_the_trial_that_the_run_covers(days: float, names: list[str]) -> None:
    assert [visit.name for visit in visits(dataset(days=days))] == names


def test_a_row_has_the_quantiles_and_the_number_of_those_who_finished() -> None:
    data = dataset(arms=2)
    data["status"].values[1, :11] = 1
    rows = [row for row in summary(data) if row.quantity == "level" and row.visit == "6 months"]
    assert [(row.arm, row.median, row.p5, row.p95, row.n_ok, row.n) for row in rows] == [
        ("arm 0", 20.0, 11.0, 29.0, 21, 21),
        ("arm 1", 51.0, pytest.approx(42.9), pytest.approx(59.1), 10, 21),
    ]


def items_of(kind: str, folder: Path) -> tuple[Observation, ...]:
    path = folder / "mine.toml"
    path.write_text(
        'schema = 1\nsource = "zong-2011"\n[[item]]\nid = "it"\naccount = "all were at the ceiling"\n'
        f'quantity = "level"\nvisit_day = 0\nunit = "%"\nstanding = "reported"\nn = 7\n{kind}\n',
        encoding="utf-8",
    )
    return read_observations(path)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ('kind = "mean"\nmean = 1.2', "mean 1.2"),
        ('kind = "ceiling"\nceiling = 50', "all were at the ceiling"),
        ('kind = "count"\ncount = 4', "4 of 7"),
    ],
)
def test_what_has_no_range_is_told_by_its_mean_or_in_the_words_of_its_account(
    kind: str, text: str, tmp_path: Path
) -> None:
    assert printed(items_of(kind, tmp_path), "level", SummaryVisit(0, 0.0, "baseline", 0.0), "%") == text


def test_where_nobody_finished_there_is_no_number() -> None:
    data = dataset()
    data["status"].values[:] = 3
    data["level"].values[:] = np.nan
    row = summary(data)[0]
    assert (row.median, row.p5, row.p95, row.n_ok) == (None, None, None, 0)
    assert rounded(row.median) == "–"


def test_numbers_of_the_csv_read_back_as_the_same_bits() -> None:
    data = dataset()
    data["level"].values[:] *= np.pi
    rows = summary(data)
    read = list(csv.DictReader(io.StringIO(table_of(rows).csv())))
    assert [float(entry["median"]) for entry in read] == [row.median for row in rows]
    assert [entry["visit"] for entry in read] == [row.visit for row in rows]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (0.8401, "0.840"),
        (18.849, "18.8"),
        (19571.0, "19600"),
        (0.0001234, "0.000123"),
        (1.234e-9, "1.23e-09"),
        (999.6, "1000"),
        (99.97, "100"),
        (-2.5, "-2.50"),
        (float("nan"), "–"),
    ],
)
def test_numbers_for_readers_have_three_digits(value: float, text: str) -> None:
    assert rounded(value) == text


def test_the_source_is_quoted_with_its_standing() -> None:
    visit = SummaryVisit(0, 0.0, "baseline", 0.0)
    items = [
        observation("level", 0.0, mean=2559.0, low=467.0, high=6937.0, unit=unit("pg/mL")),
        observation("level", 0.0, standing=Standing.HEALTHY, mean=354.0, low=11.0, high=839.0, unit=unit("pg/mL")),
        observation("level", 2.0, standing=Standing.DISPUTED, mean=19.5, low=None, high=None, unit=unit("ng/mL")),
        observation("level", 0.0, standing=Standing.AMBIGUOUS, mean=None, direction="down", count=2, n=3),
        observation("level", 0.0, mean=None, direction="up", p=0.005),
        observation("level", 0.0, standing=Standing.AMBIGUOUS, mean=None, correlation=-0.9, partner="ck", p=0.001),
        observation("level", 182.0),
        observation("rise", 0.0),
    ]
    assert printed(items, "level", visit, "ng/mL").split("; ") == [
        "mean 2.559, range 0.467 to 6.937",
        "healthy controls: mean 0.354, range 0.011 to 0.839",
        "mean 19.5 (disputed)",
        "fell in 2 of 3 (ambiguous)",
        "rose, p = 0.005",
        "R = -0.9 with ck, p = 0.001 (ambiguous)",
    ]
    assert printed(items, "level", SummaryVisit(4, 2.0, "day 2", None), "ng/mL") == ""


def test_counts_of_what_is_not_simulated_are_listed() -> None:
    counted = {"mean": None, "low": None, "high": None, "count": 7, "n": 15}
    items = [
        observation("clinical_response", 182.0, standing=Standing.AMBIGUOUS, **counted),
        observation("still_treated", 10.0, **counted),
        observation("level", 0.0, **counted),
        observation("other", 0.0),
    ]
    assert printed_alone(items, summary(dataset())) == (
        "clinical response 7 of 15 (6 months, ambiguous)",
        "still treated 7 of 15 (day 10)",
    )


def test_every_number_of_the_abstract_is_shown() -> None:
    items = read_observations()
    rows = [
        text
        for quantity in {item.quantity for item in items}
        for day, name in VISITS
        for text in printed(
            items, quantity, SummaryVisit(0, day, name, day), "%" if quantity != "serum_il1ra" else "pg/mL"
        ).split()
    ]
    shown = " ".join(rows)
    for number in (
        "2559",
        "467",
        "6937",
        "354",
        "11",
        "839",
        "19571",
        "19572",
        "18844",
        "0.005",
        "-0.9",
        "0.001",
        "1.1",
    ):
        assert number in shown
    for number in ("0.08", "4.96", "0.16", "0.03", "0.4", "2 of 3", "7 of 15", "10 of 14", "8 of 15", "6 of 15"):
        assert number in shown
