"""A change is that of each patient: its size, its sign and what it says of a reported direction."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest

from simulate.evidence.observations import Standing
from simulate.results.changes import ChangeRow, banded, change_rows, judged, signed
from simulate.studies.paired import (
    ALL,
    OTHERS,
    RESPONDERS,
    SignVerdict,
    chance_of_response,
    changes_since_baseline,
    groups_of,
    less_untreated,
    percent_of,
    share_of_both,
    summed_up,
    treated_by,
    untreated_arm,
    verdict,
)
from simulate.tabular import table_of
from tests.figures.synthetic import dataset, observation

LAST = 182


def paired(changes: list[float], *, arms: int = 1, doses: int = 5):  # type: ignore[no-untyped-def]
    """A dataset whose ``level`` moves by so many percent in each patient from the second day on, alike in all arms."""
    data = dataset(arms=arms, members=len(changes), doses=doses)
    data["level"].values[:, :, 1:] *= 1.0 + np.array(changes)[None, :, None] / 100.0
    return data


def rows_of(data, items=(), **wanted: str) -> list[ChangeRow]:  # type: ignore[no-untyped-def]
    wanted = {"quantity": "level", "group": ALL, "less": "", **wanted}
    return [row for row in change_rows(data, items) if all(getattr(row, key) == wanted[key] for key in wanted)]


def test_most_patients_may_rise_while_the_medians_fall() -> None:
    data = dataset(members=5, doses=5)
    data["level"].values[0, :, 0] = [1.0, 2.0, 10.0, 20.0, 30.0]
    data["level"].values[0, :, 1:] = np.array([1.1, 2.2, 9.0, 21.0, 33.0])[:, None]
    row = rows_of(data)[-1]
    assert (row.up, row.down, row.n) == (0.8, pytest.approx(0.2), 5.0)
    # Changes in order: -10, 5, 10, 10, 10 %; quantiles by hand at 0.2 and 3.8 places.
    assert (row.median, row.p5, row.p95) == pytest.approx((10.0, -7.0, 10.0))
    assert np.median(data["level"].values[0, :, -1]) < np.median(data["level"].values[0, :, 0])


def test_a_change_that_the_solver_does_not_resolve_is_neither_up_nor_down() -> None:
    row = rows_of(paired([1e-6, -1e-6, 0.0, 5.0, 50.0]))[-1]
    assert (row.up, row.down, row.median) == (pytest.approx(0.4), 0.0, 0.0)


def test_what_begins_at_zero_changes_by_a_difference_in_its_own_unit() -> None:
    data = dataset(members=4)
    data["rise"].values[0, 0, 0] = 0.0
    changes, unit = changes_since_baseline(data, "rise", LAST)
    assert unit == "ng/mL"
    assert changes[0] == pytest.approx([1.0, -999.0, -999.0, -999.0])
    assert rows_of(data, quantity="rise")[-1].unit == "ng/mL"


@pytest.mark.parametrize(
    ("share", "change", "unit", "up"),
    [(0.9e-24, 0.0, "mol", 0.0), (1.1e-24, 5.5e-23, "mol", 1.0), (3e-24, 100.0, "%", 1.0)],
)
def test_what_is_nothing_but_rounding_does_not_change(share: float, change: float, unit: str, up: float) -> None:
    """A quantity that doubles, to a share of the largest number in its unit; nothing at first has no percent."""
    data = dataset(members=1)
    days = data.sizes["time"]
    data["large"] = data["level"].copy(data=np.full((1, 1, days), 50.0)).assign_attrs(units="mol")
    small = np.full((1, 1, days), share * 50.0)
    small[:, :, 0] /= 2.0
    data["small"] = data["level"].copy(data=small).assign_attrs(units="mol")
    row = rows_of(data, quantity="small")[-1]
    assert (row.median, row.unit, row.up, row.down) == (pytest.approx(change), unit, up, 0.0)


def test_who_failed_was_stopped_or_left_gives_no_change() -> None:
    data = paired([10.0, 20.0, 30.0, 40.0])
    data["status"].values[0, 0] = 1
    data["level"].values[0, 1, 120:] = np.nan
    data["dropout_day"] = ("member", np.array([np.inf, np.inf, 100.0, np.inf]))
    data.attrs["dropout"] = 1
    months_3, months_6 = rows_of(data)
    assert (months_3.visit, months_3.n, months_3.median) == ("3 months", 3.0, pytest.approx(30.0))
    assert (months_6.visit, months_6.n, months_6.median) == ("6 months", 1.0, pytest.approx(40.0))


def test_where_nobody_is_left_there_is_no_number_and_no_verdict() -> None:
    data = paired([10.0, 20.0])
    data["status"].values[:] = 3
    row = rows_of(data, [observation("level", 182.0, direction="up")])[-1]
    assert (row.median, row.up, row.n, row.verdict, row.agreeing) == (None, None, 0.0, "", None)


def test_strata_are_counted_apart() -> None:
    data = paired([10.0, -10.0, 20.0, -20.0])
    assert [group.name for group in groups_of(data)] == [ALL, "even", "odd"]
    even, odd = (rows_of(data, group=name)[-1] for name in ("even", "odd"))
    assert (even.median, even.up, even.n) == (pytest.approx(15.0), 1.0, 2.0)
    assert (odd.median, odd.up, odd.n) == (pytest.approx(-15.0), 0.0, 2.0)


def test_each_patient_counts_as_a_responder_with_the_probability_of_responding() -> None:
    data = paired([10.0, -10.0, 30.0])
    chance = np.array([0.2, 0.3, 0.5])
    data["response"] = data["level"].copy(data=np.broadcast_to(100.0 * chance[None, :, None], data["level"].shape))
    responders, others = (rows_of(data, group=name)[-1] for name in (RESPONDERS, OTHERS))
    assert (responders.n, responders.up) == (pytest.approx(1.0), pytest.approx(0.7))
    assert (others.n, others.up) == (pytest.approx(2.0), pytest.approx(1.3 / 2.0))


def test_the_shipped_model_tells_responders_by_creatine_kinase() -> None:
    data = dataset(members=3)
    data["ck"] = data["level"].copy()
    data["ck"].values[0, :, 1:] *= np.array([1.0, 0.7, 0.1])[:, None]
    assert chance_of_response(data) is None
    data.attrs["model"] = "reference"
    found = chance_of_response(data)
    assert found is not None
    # The odds are 0.2/0.8 at unchanged creatine kinase, and go with its power -3.5.
    odds = 0.25 * np.array([1.0, 0.7, 0.1]) ** -3.5
    assert found[0] == pytest.approx(odds / (1.0 + odds))
    # As the note of the parameters says: 7 of 15 respond when it has fallen by 30 %.
    assert found[0, 1] == pytest.approx(7 / 15, abs=0.01)


def test_the_observable_of_the_model_and_the_derived_chance_are_the_same() -> None:
    import simulate

    short = {"time.every": "91 d", "model.fit": "typical"}
    run = simulate.run("anakinra-100mg-daily", hypothesis="H4+response", patients=4, settings=short)
    assert run["response"].values.std() > 0.1
    assert chance_of_response(run.drop_vars("response")) == pytest.approx(chance_of_response(run), rel=1e-9)


def test_less_untreated_is_taken_patient_by_patient() -> None:
    data = paired([10.0, 20.0, 30.0], arms=2)
    assert untreated_arm(data) == 1
    data["level"].values[1, :, 1:] = data["level"].values[1, :, :1] * np.array([1.30, 1.05, 1.30])[:, None]
    changes, unit = less_untreated(data, "level", LAST)
    assert unit == "points of %"
    assert changes == pytest.approx(np.array([[-20.0, 15.0, 0.0], [0.0, 0.0, 0.0]]), abs=1e-9)
    assert changes[0, 2] == 0.0
    row = rows_of(data, less="arm 1")[-1]
    assert (row.arm, row.up, row.down) == ("arm 0", pytest.approx(1 / 3), pytest.approx(1 / 3))


@pytest.mark.parametrize("doses", [(0, 0), (1, 1)])
def test_where_all_or_none_are_treated_no_arm_is_the_untreated_one(doses: tuple[int, int]) -> None:
    data = dataset(arms=2, doses=1)
    data["dose_time"].values[:] = np.where(np.array(doses)[:, None] == 1, 0.0, np.nan)
    assert untreated_arm(data) is None
    with pytest.raises(ValueError, match="the results have no untreated arm beside treated ones"):
        less_untreated(data, "level", LAST)


@pytest.mark.parametrize(
    ("up", "said"),
    [
        (4, SignVerdict.AGREES),
        (3, SignVerdict.AGREES),
        (2, SignVerdict.UNDECIDED),
        (1, SignVerdict.DISAGREES),
        (0, SignVerdict.DISAGREES),
    ],
)
def test_a_direction_agrees_from_three_quarters_on_and_disagrees_up_to_one(up: int, said: SignVerdict) -> None:
    changes = np.array([1.0] * up + [-1.0] * (4 - up))
    assert verdict("up", summed_up(changes, np.ones(4))) == (said, up / 4)
    assert verdict("down", summed_up(-changes, np.ones(4))) == (said, up / 4)


@pytest.mark.parametrize(
    ("rising", "said"),
    [
        ([4, 4, 0, 0], SignVerdict.NO_PREDICTION),
        ([4, 4, 4, 0], SignVerdict.NO_PREDICTION),
        ([4, 4, 4, 4], SignVerdict.AGREES),
        ([2, 2, 2, 2], SignVerdict.UNDECIDED),
        ([1, 0, 0, 1], SignVerdict.DISAGREES),
    ],
)
def test_nothing_is_predicted_where_some_draws_agree_and_others_disagree(rising: list[int], said: SignVerdict) -> None:
    changes = np.concatenate([np.where(np.arange(4) < up, 1.0, -1.0) for up in rising])
    found = verdict("up", summed_up(changes, np.ones(16), np.repeat(np.arange(4), 4)))
    assert found == (said, sum(rising) / 16)
    # Of one population all that can be said is how many.
    assert verdict("up", summed_up(changes, np.ones(16))) != (SignVerdict.NO_PREDICTION, sum(rising) / 16)


def test_what_is_not_known_is_how_far_apart_the_draws_are() -> None:
    draws = np.repeat(np.arange(3), 4)
    changes = np.array([1.0, 2.0, 3.0, 4.0, -1.0, -2.0, 3.0, 6.0, -5.0, -6.0, -7.0, np.nan])
    found = summed_up(changes, np.ones(12), draws)
    # A patient is one in however many draws: eleven changes of three draws.
    assert (found.median, found.n) == (1.0, pytest.approx(11.0 / 3.0))
    # Medians 2.5, 1 and -6; shares up 1, 1/2 and 0: a tenth of the way in from the ends.
    assert found.of_draws["median"] == pytest.approx((-6.0 + 0.1 * 7.0, 1.0 + 0.9 * 1.5))
    assert found.of_draws["up"] == pytest.approx((0.05, 0.95))
    assert summed_up(changes, np.ones(12)).of_draws == {}


def test_a_direction_stands_beside_treated_patients_at_its_visit_only() -> None:
    data = paired([10.0, 20.0, -30.0, 40.0], arms=2)
    items = [
        observation("level", 182.0, standing=Standing.HEALTHY, direction="down"),
        observation("level", 182.0, standing=Standing.AMBIGUOUS, mean=None, direction="up"),
    ]
    rows = change_rows(data, items)
    told = [row for row in rows if row.reported]
    assert [(row.quantity, row.arm, row.visit, row.group, row.less) for row in told] == [
        ("level", "arm 0", "6 months", ALL, "")
    ]
    assert (told[0].reported, told[0].verdict, told[0].agreeing) == ("rose", "agrees", 0.75)
    assert judged(told[0]) == "rose: agrees 75 %"
    assert treated_by(data, 0.0).tolist() == [False, False]


@pytest.mark.parametrize(
    ("percent", "way", "said"),
    [
        (0.2, "up", "rose: agrees 100 %,\ntoo small to be seen"),
        (22.0, "up", "rose: agrees 100 %,\ntoo small to be seen"),
        (24.0, "up", "rose: agrees 100 %"),
        (-0.2, "up", "rose: disagrees 0 %,\ntoo small to be seen"),
        (-18.0, "down", "fell: agrees 100 %,\ntoo small to be seen"),
        (-20.0, "down", "fell: agrees 100 %"),
        (-100.0, "down", "fell: agrees 100 %"),
    ],
)
def test_a_change_that_the_readings_of_the_trial_cannot_tell_from_none_is_too_small_to_be_seen(
    percent: float, way: str, said: str
) -> None:
    data = paired([percent] * 4).rename(level="ifng")
    data["ifng"].values[:, :, 1:] = np.maximum(data["ifng"].values[:, :, 1:], 0.0)
    told = [row for row in change_rows(data, [observation("ifng", 182.0, mean=None, direction=way)]) if row.reported]
    # 0.36 in the logarithm for a reading, two readings, six patients: exp(±0.36 sqrt(2/6)) is +23.1 % and -18.8 %.
    assert judged(told[0]) == said
    assert told[0].seen is ("too small" not in said)


def test_of_a_quantity_that_the_trial_does_not_read_nobody_knows_what_is_seen() -> None:
    (row,) = [row for row in change_rows(paired([0.2] * 4), [observation("level", 182.0, mean=None, direction="up")])
              if row.reported]  # fmt: skip
    assert (row.seen, judged(row)) == (None, "rose: agrees 100 %")


def test_both_signs_are_counted_in_the_same_patients() -> None:
    first, second = np.array([5.0, 20.0, 20.0, -5.0, np.nan]), np.array([-5.0, -20.0, 5.0, -5.0, -5.0])
    assert share_of_both([first, second], ["up", "down"], np.ones(5)) == 0.5
    assert share_of_both([first, second], ["up", "down"], np.ones(5), beyond=10.0) == 0.25
    assert share_of_both([first, second], ["up", "down"], np.array([1.0, 0.0, 1.0, 0.0, 1.0])) == 0.5
    assert share_of_both([first, second], ["up", "down"], np.zeros(5)) is None


def test_the_csv_of_changes_reads_back_as_the_same_bits() -> None:
    rows = change_rows(paired([np.pi, -np.e, 7.0]))
    read = list(csv.DictReader(io.StringIO(table_of(rows, ChangeRow).csv())))
    assert [float(entry["median"]) for entry in read] == [row.median for row in rows]
    assert [float(entry["up"]) for entry in read] == [row.up for row in rows]


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.0, "%", "0"),
        (2.84, "%", "+2.8"),
        (-76.4, "%", "-76"),
        (9.96, "%", "+10"),
        (-0.031, "%", "-0.03"),
        (912.6, "%", "+913"),
        (1981.6, "%", "+1980"),
        (23189.0, "%", "+23200"),
        (-0.1234, "mg", "-0.123"),
        (None, "%", "–"),
        (-20.0, "points of %", "-20"),
    ],
)
def test_a_change_has_its_sign_and_the_digits_that_can_be_read(value: float | None, unit: str, text: str) -> None:
    assert signed(value, unit) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.0, "0"), (0.0002, "<1"), (0.006, "1"), (0.614, "61"), (0.994, "99"), (0.9998, ">99"), (1.0, "100")],
)
def test_a_share_is_all_or_none_only_where_it_is(share: float, text: str) -> None:
    assert percent_of(share) == text
    assert percent_of(None) == "–"


def test_the_change_of_one_patient_has_no_range() -> None:
    assert banded(rows_of(paired([12.0]))[-1]) == "+12"
