"""What scenarios, tables and rules mean by doses, against closed forms: one drug, lost at 0.1 an hour."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from simulate.api.simulating import run
from simulate.errors import InputError
from simulate.regimen.stops import realize
from simulate.regimen.words import parse_regimen
from simulate.studies.sweeps.axes import parse_axis
from simulate.studies.sweeps.variations import varied
from simulate.studies.treatments import Treatment
from simulate.symbolic.parts import Route, Species
from simulate.symbolic.units import unit

MODEL = """
[parameters]
k = "0.1 1/h"
F = 1.0
[species.A]
unit = "mg"
[reactions.out]
rate = "k*A"
change = { A = -1 }
[routes.iv]
target = "A"
unit = "mg"
gain = "F"
"""
SCENARIO = """
schema = 1
title = "t"
[model]
file = "model.toml"
[time]
end = "20 d"
every = "1 h"
[cohort]
patients = 1
[solver]
rtol = 1e-9
atol = 1e-10
"""
K = 0.1


def dataset(folder: Path, arms: str, *, table: str = "", **settings: object) -> xr.Dataset:
    (folder / "model.toml").write_text(MODEL, encoding="utf-8")
    (folder / "d.csv").write_text(table, encoding="utf-8")
    (folder / "s.toml").write_text(SCENARIO + arms, encoding="utf-8")
    return run(folder / "s.toml", settings={key.replace("__", "."): value for key, value in settings.items()})


def amounts(found: xr.Dataset, *hours: float, arm: int = 0) -> list[float]:
    times = 24.0 * found["time"].values
    return [float(found["A"].values[arm, 0, int(np.abs(times - hour).argmin())]) for hour in hours]


def tabled(ignore: str = "[]", more: str = "") -> str:
    return f'[[arm]]\nname = "a"\ndoses = {{ file = "d.csv", time = "h", amount = "mg", ignore = {ignore}{more} }}\n'


def worded(regimen: str, rule: str = "", name: str = "a") -> str:
    return f'[[arm]]\nname = "{name}"\nregimen = "{regimen}"\n{rule}'


@pytest.mark.parametrize(
    ("table", "hours", "expected"),
    [
        # Twenty infusions run at once: as much enters an hour as is lost.
        ("TIME,AMT,II,SS,DUR\n98,100,7,1,140\n", (98, 99), (100 / 7 / K,) * 2),
        # The infusion that runs from the start is replaced.
        (
            "TIME,AMT,II,SS,DUR\n0,1000,0,0,400\n170,100,12,1,0\n",
            (169, 177),
            (2.5 / K * -np.expm1(-16.9), 100 * np.exp(-0.7) / -np.expm1(-1.2)),
        ),
        # So are additional doses, and one whose lag is not over.
        (
            "TIME,AMT,II,ADDL,SS,ALAG\n0,50,10,40,0,0\n30,70,0,0,0,50\n40,10,24,0,1,0\n",
            (40, 90),
            (10 / -np.expm1(-2.4), 10 / -np.expm1(-2.4) * np.exp(-5.0)),
        ),
        # A morning and an evening dose.
        (
            "TIME,AMT,II,SS\n336,100,24,1\n342,50,24,2\n",
            (336, 342),
            (100 / -np.expm1(-2.4), 100 * np.exp(-0.6) / -np.expm1(-2.4) + 50 / -np.expm1(-2.4)),
        ),
        # A lag longer than the interval: two doses are still on their way.
        (
            "TIME,AMT,II,SS,ALAG\n48,100,6,1,15\n",
            (48, 50, 51, 57, 63, 64),
            tuple(
                sum(100 * np.exp(-K * (hour - begin)) for begin in range(63, -6000, -6) if begin <= hour)
                for hour in (48, 50, 51, 57, 63, 64)
            ),
        ),
    ],
)
def test_a_steady_state_is_that_of_doses_always_given(
    tmp_path: Path, table: str, hours: tuple[float, ...], expected: tuple[float, ...]
) -> None:
    assert amounts(dataset(tmp_path, tabled(), table=table), *hours) == pytest.approx(expected, rel=1e-7)


def test_a_steady_state_goes_by_the_kinetics_of_the_scenario(tmp_path: Path) -> None:
    found = dataset(tmp_path, tabled(), table="TIME,AMT,II,SS\n336,100,24,1\n", parameters__k="0.002 1/h")
    assert amounts(found, 336) == pytest.approx([100 / -np.expm1(-0.048)], rel=1e-8)


def test_an_ignored_column_of_nonmem_is_not_looked_at(tmp_path: Path) -> None:
    found = dataset(tmp_path, tabled('["rate", "ALAG"]'), table="TIME,AMT,RATE,ALAG\n0,100,10,5\n")
    assert amounts(found, 1, 6) == pytest.approx([100 * np.exp(-0.1), 100 * np.exp(-0.6)], rel=1e-8)


@pytest.mark.parametrize(
    ("column", "more", "duration"),
    [("RATE", "", 6.0), ("RATE", ', fixed = "rate"', 6.0), ("RATE", ', fixed = "duration"', 10.0), ("DUR", "", 10.0)],
)
def test_bioavailability_changes_how_long_an_infusion_at_a_rate_takes(
    tmp_path: Path, column: str, more: str, duration: float
) -> None:
    table = f"TIME,AMT,{column},ALAG\n0,100,10,1\n"
    found = dataset(tmp_path, tabled(more=more), table=table, parameters__k="1e-9 1/h", parameters__F=0.6)
    entered = [60.0 * min(max(hour - 1.0, 0.0) / duration, 1.0) for hour in (1, 3, 6, 8, 12)]
    assert amounts(found, 1, 3, 6, 8, 12) == pytest.approx(entered, rel=1e-6, abs=1e-6)


def test_words_say_a_rate_too(tmp_path: Path) -> None:
    found = dataset(tmp_path, worded("100 mg iv rate 10 mg/h"), parameters__k="1e-9 1/h", parameters__F=0.6)
    assert amounts(found, 3, 6, 8, 10) == pytest.approx([30, 60, 60, 60], rel=1e-6)


@pytest.mark.parametrize(
    ("regimen", "ends"),
    [
        ("80 mg iv over 8 h and 20 mg iv over 2 h from 1 h", ((0, 8, 10), (1, 3, 5))),
        ("20 mg iv over 2 h from 1 h and 80 mg iv over 8 h", ((0, 8, 10), (1, 3, 5))),
        ("20 mg iv over 2 h and 80 mg iv over 8 h from 1 h", ((0, 2, 10), (1, 9, 5))),
        ("80 mg iv over 8 h and 40 mg iv over 4 h from 1 h lag 1 h and 10 mg iv over 1 h from 3 h",
         ((0, 8, 10), (2, 6, 5), (3, 4, 5))),
    ],
)  # fmt: skip
def test_an_infusion_ends_as_it_began_beside_others_of_its_rate(
    tmp_path: Path, regimen: str, ends: tuple[tuple[float, float, float], ...]
) -> None:
    # Above 5 mg, at half an hour, later infusions are given at half their rate.
    rule = '[[arm.rule]]\nquantity = "A"\nabove = "5 mg"\ndose = 0.5\nonce = true\n'
    hours = np.arange(1.0, 13.0)
    expected = sum(
        rate
        / K
        * -np.expm1(-K * np.clip(hours - begin, 0.0, end - begin))
        * np.exp(-K * np.clip(hours - end, 0.0, None))
        for begin, end, rate in ends
    )
    assert amounts(dataset(tmp_path, worded(regimen, rule)), *hours) == pytest.approx(list(expected), rel=1e-7)


AT_VISITS = '[[arm.rule]]\nquantity = "A"\n{} = "50 mg"\ndose = {}\nat_visits = true\n'


def test_a_visit_at_the_time_of_a_dose_sees_the_state_before_it(tmp_path: Path) -> None:
    arms = worded("100 mg iv every 24 h", AT_VISITS.format("above", 0))
    found = dataset(tmp_path, arms, time__visits=["3 d"])
    assert np.isnan(found["rule_day"].values).all()
    # What it decides holds for that dose.
    arms = worded("100 mg iv every 24 h", AT_VISITS.format("below", 0.5))
    found = dataset(tmp_path, arms, time__visits=["3 d"])
    assert found["rule_day"].values.tolist() == [[[3.0]]]
    trough = 100 * sum(np.exp(-2.4 * day) for day in (1, 2, 3))
    assert amounts(found, 72) == pytest.approx([trough + 50.0], rel=1e-8)


def test_a_visit_after_the_end_is_refused(tmp_path: Path) -> None:
    arms = worded("100 mg iv every 24 h", AT_VISITS.format("above", 0))
    with pytest.raises(InputError) as caught:
        dataset(tmp_path, arms, time__visits=["20 d", "21 d"])
    assert str(caught.value) == (
        "error[scenario.value]: a visit is after the end of the simulation\n"
        "  --> time.visits = ['20 d', '21 d'], key `time.visits[1]`\n"
        "  found:    21 d\n  expected: at most 20 d, the end\n"
        "  try:      leave the visit out, or simulate longer: `time.end`"
    )


@pytest.mark.parametrize(
    "arms",
    [
        worded("100 mg iv every 24 h"),
        worded("100 mg iv every 24 h and 30 mg iv over 5 h from 9 d and reset at 10 d"),
        worded("100 mg iv every 24 h and 30 mg iv every 5 h from 10 d steady"),
        worded("100 mg iv every 24 h", AT_VISITS.format("below", 0.3)),
    ],
)
def test_what_a_recorded_time_means_does_not_depend_on_the_end(tmp_path: Path, arms: str) -> None:
    visits = {"time__visits": ["4 d", "10 d"]} if "visits" in arms else {}
    short = dataset(tmp_path, arms, time__end="10 d", **visits)
    long = dataset(tmp_path, arms, time__end="11 d", **visits)
    assert amounts(short, 0) == [0.0]
    assert amounts(short, 240) == pytest.approx(amounts(long, 240), rel=1e-8)


def test_an_arm_more_changes_no_bit_of_another(tmp_path: Path) -> None:
    above = '[[arm.rule]]\nquantity = "A"\nabove = "105 mg"\ndose = 0.5\n'
    first = worded("100 mg iv every 24 h", above)
    others = worded("7 mg iv every 5 h", AT_VISITS.format("below", 0.5), "b") + worded("none", name="c")
    visits = {"time__visits": ["2.3 d", "7 d"]}
    alone = dataset(tmp_path, first, **visits)
    among = dataset(tmp_path, first + others, **visits)
    np.testing.assert_array_equal(alone["A"].values[0], among["A"].values[0])
    np.testing.assert_array_equal(alone["work"].values[0], among["work"].values[0])


@pytest.mark.parametrize(
    ("regimen", "hours", "times"),
    [
        ("100 mg iv every 24 h x 3", 12, [0, 12, 24]),
        ("100 mg iv every 24 h x 3", 24, [0, 24, 48]),
        ("100 mg iv every 24 h x 3", 48, [0, 48, 96]),
        ("100 mg iv every 24 h for 2 d", 12, [0, 12, 24, 36]),
        ("100 mg iv every 24 h from 1 d until 3 d", 12, [24, 36, 48, 60]),
        ("100 mg iv every 24 h x 2 then 100 mg iv every 24 h x 2", 48, [0, 48, 96, 144]),
        ("100 mg iv every 24 h x 2 then 100 mg iv every 24 h for 1 d", 12, [0, 12, 24, 36]),
    ],
)
def test_a_regimen_keeps_its_meaning_at_another_interval(regimen: str, hours: int, times: list[int]) -> None:
    axis = parse_axis(f"interval={hours}")
    arm = Treatment("a", regimen, parse_regimen(regimen), (), axis.where)
    changed = varied(arm, [(axis, float(hours))], {"interval": "interval"}, {"interval": "h"}, several=False)
    drug = Species("A", "drug", unit("mg"))
    found = realize(changed.plan, [Route("iv", "drug", drug, unit("mg"), drug.symbol**0)])  # type: ignore[arg-type]
    assert [24.0 * dose.time for dose in found.doses] == pytest.approx(times)


@pytest.mark.parametrize(
    ("regimen", "dose", "hours"),
    [
        ("100 mg iv every 24 h x 3 rate 10 mg/h", "50 mg", 5),
        ("100 mg iv every 24 h x 3 rate 10 mg/h", "200", 20),
        ("100 mg iv every 24 h x 3 rate 10 mg/h", "0.05 g", 5),
        ("100 mg iv every 24 h x 3 over 10 h", "50 mg", 10),
    ],
)
def test_a_rate_that_was_set_is_kept_at_another_dose_and_so_is_a_duration(regimen: str, dose: str, hours: int) -> None:
    changed = at_dose(regimen, dose)
    (course,) = parse_regimen(changed.regimen).courses
    assert (course,) == changed.plan.courses  # type: ignore[union-attr]
    assert 24 * course.duration == hours
    assert course.rated == ("rate" in regimen)


def test_a_dose_of_nothing_at_a_rate_is_words_that_can_be_read() -> None:
    changed = at_dose("100 mg iv every 24 h x 3 rate 10 mg/h", "0 mg")
    assert changed.regimen == "0 mg iv every 1 d x 3"
    assert parse_regimen(changed.regimen) == changed.plan


def test_the_rate_of_an_infusion_of_nothing_is_not_guessed() -> None:
    with pytest.raises(InputError) as caught:
        at_dose("0 mg iv every 24 h rate 10 mg/h", "50 mg")
    assert str(caught.value) == (
        "error[sweep.axis]: the arm `a` has infusions of nothing, whose rate is not kept\n"
        "  --> --over dose=50 mg\n"
        "  found:    0 mg iv every 24 h rate 10 mg/h\n"
        "  try:      give the arm an amount above 0"
    )


def at_dose(regimen: str, dose: str) -> Treatment:
    axis = parse_axis(f"dose={dose}")
    arm = Treatment("a", regimen, parse_regimen(regimen), (), axis.where)
    return varied(arm, [(axis, axis.values[0])], {"dose": "dose"}, {"dose": "mg"}, several=False)
