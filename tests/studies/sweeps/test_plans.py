"""Arms of a sweep: what an axis changes, and what it cannot."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from simulate.errors import InputError
from simulate.studies.settings import Setting, parse_setting
from simulate.studies.sweeps.plans import Part, plan_sweep
from simulate.studies.sweeps.requests import Options, read_request
from tests.studies.sweeps.small import SCENARIO, options, plan


def fault(*over: str, scenario: str = SCENARIO, **others: object) -> str:
    with pytest.raises(InputError) as caught:
        plan_sweep(read_request(scenario, options(*over, **others)))
    return str(caught.value)


def regimens(*over: str) -> list[object]:
    arms = plan(*over).study.settings["arms"]
    assert isinstance(arms, list)
    return [arm["regimen"] for arm in arms]


def test_each_point_is_an_arm_named_by_its_values_with_units() -> None:
    found = plan("dose=10,100", "k_a=0.15 1/h,0.2 1/h")
    assert [arm.name for arm in found.study.arms] == [
        "dose 10 mg, k_a 0.15 1/h",
        "dose 10 mg, k_a 0.2 1/h",
        "dose 100 mg, k_a 0.15 1/h",
        "dose 100 mg, k_a 0.2 1/h",
    ]
    assert found.base_arms == ("anakinra 100 mg/d",) * 4


def test_doses_intervals_and_regimens_change_what_is_given() -> None:
    assert regimens("dose=10 mg,0.05 g") == ["0.01 g sc every 1 d until 182 d", "0.05 g sc every 1 d until 182 d"]
    assert regimens("interval=12 h,2 d") == ["100 mg sc every 0.5 d until 182 d", "100 mg sc every 2 d until 182 d"]
    loaded = "regimen=loading dose 200 mg sc then 100 mg sc daily"
    assert regimens(loaded, "interval=12 h") == ["200 mg sc and 100 mg sc every 0.5 d from 0.5 d"]
    reset = "regimen=loading dose 200 mg sc then reset at 5 d then 100 mg sc daily"
    assert regimens(reset, "interval=2 d") == ["200 mg sc and 100 mg sc every 2 d from 5 d and reset at 5 d"]
    after = "regimen=loading dose 200 mg sc then 100 mg sc daily"
    assert regimens(f"{after} until 28 d", "interval=2 d") == ["200 mg sc and 100 mg sc every 2 d from 2 d until 28 d"]
    assert regimens(f"{after} for 28 d", "interval=2 d") == ["200 mg sc and 100 mg sc every 2 d from 2 d until 30 d"]
    assert regimens(f"{after} x 14", "interval=2 d") == ["200 mg sc and 100 mg sc every 2 d from 2 d x 14"]
    words = "regimen=50 mg sc every 24 h | 30 mg sc every 12 h"
    assert regimens(words, "dose=7") == ["7 mg sc every 1 d", "7 mg sc every 0.5 d"]


def test_an_axis_of_a_scenario_with_several_arms_varies_each_or_those_that_are_named() -> None:
    all_arms = plan_sweep(read_request("dose-arms", options("f_m=0.2,0.3")))
    assert len(all_arms.study.arms) == 8
    assert all_arms.study.arms[0].name == "10 mg/d: f_m 0.2"
    named = plan_sweep(read_request("dose-arms", options("f_m=0.2,0.3", arms=("100 mg/d",))))
    assert [arm.name for arm in named.study.arms] == ["f_m 0.2", "f_m 0.3"]


def test_the_same_people_are_in_every_arm_but_for_what_is_an_axis() -> None:
    found = plan("weight=60,90", "dose=10,100")
    light, heavy = found.cohort(0, 0, 3), found.cohort(2, 0, 3)
    column = light.covariates.index("weight")
    assert light.covariate_values[:, column].tolist() == [60.0] * 3
    assert heavy.covariate_values[:, column].tolist() == [90.0] * 3
    same = [name for name in light.names if np.array_equal(light.of(name), heavy.of(name))]
    assert 0 < len(same) < len(light.names)
    assert np.array_equal(found.cohort(0, 0, 3).values, found.cohort(1, 0, 3).values)


def test_parts_cover_every_trajectory_once_whatever_their_size() -> None:
    for size in (1, 2, 3, 5, 7, 12, 100):
        seen = np.zeros((4, 3), dtype=int)
        for part in plan(part_size=size).parts:
            assert part.rows <= max(size, 1)
            seen[slice(*part.arms), slice(*part.members)] += 1
        assert (seen == 1).all()
    assert plan(part_size=100).parts == (Part((0, 4), (0, 3)),)


def test_the_key_depends_on_what_decides_the_result_and_not_on_the_size_of_parts() -> None:
    key = plan().key
    assert plan(part_size=2).key == key
    assert plan(patients=4).key != key
    assert plan("dose=10,30,100").key != key
    kept = plan_sweep(read_request(SCENARIO, options("dose=10,30,100,300", at=("1 d",))))
    assert kept.key != key
    assert kept.times.tolist() == [1.0]


def test_values_that_six_digits_do_not_tell_apart_make_arms_of_their_own() -> None:
    names = [arm.name for arm in plan("dose=10,10.0000001").study.arms]
    assert names == ["dose 10 mg #0", "dose 10 mg #1"]


@pytest.mark.parametrize(
    ("over", "message"),
    [
        (
            "f_n=0.1,0.2",
            "error[sweep.unknown]: there is nothing with the name `f_n` to vary\n  --> --over f_n=0.1,0.2\n"
            "  expected: `dose`, `interval`, `regimen`, a parameter, or a covariate of the population\n"
            "  try:      did you mean `f_m`",
        ),
        (
            "f_m=0.1,2",
            "error[scenario.bounds]: the parameter `f_m` is out of its bounds\n  --> --over f_m=0.1,2\n  found:    2\n",
        ),
        (
            "k_a=0.1 mg,2",
            "error[units.mismatch]: the parameter `k_a` cannot be given in mg\n  --> --over k_a=0.1 mg,2\n",
        ),
        (
            "weight=60,9000",
            "error[cohort.covariate]: a given value of `weight` cannot be used\n  --> --over weight=60,9000\n"
            "  found:    9000 kg\n",
        ),
        (
            "weight=60 mL,70 mL",
            "error[units.mismatch]: the covariate `weight` cannot be given in mL\n  --> --over weight=60 mL,70 mL\n"
            "  expected: a unit such as kg",
        ),
        (
            "interval=12,24 mg",
            "error[units.mismatch]: an interval cannot be given in mg\n  --> --over interval=12,24 mg\n"
            "  expected: a unit of time such as h",
        ),
        (
            "dose=12 h",
            "error[regimen.unit]: ",
        ),
        (
            "dose=-1,2",
            "error[regimen.value]: the amount of a dose is out of range: -1 mg\n  --> --over dose=-1,2",
        ),
        (
            "regimen=100 mg sc evry 24 h",
            "error[regimen.",
        ),
    ],
)
def test_an_axis_that_cannot_be_is_refused_where_it_is_written(over: str, message: str) -> None:
    found = fault(over)
    assert found.startswith(message)
    assert f"--> --over {over}" in found


def test_in_a_file_a_wrong_name_is_told_with_its_own_line(tmp_path: Path) -> None:
    path = tmp_path / "sweep.toml"
    text = f'schema = 1\ntitle = "x"\nscenario = "{SCENARIO}"\n[[axis]]\nover = "f_n"\nvalues = [0.1, 0.2]\n'
    path.write_text(text, encoding="utf-8")
    assert f"--> {path}:5, key `axis[0].over`" in fault(scenario=str(path))


def test_doses_of_an_untreated_arm_cannot_vary() -> None:
    assert fault("dose=1,2", scenario="untreated") == (
        "error[sweep.axis]: the arm `untreated` has no doses\n  --> --over dose=1,2\n  found:    none\n"
        "  expected: doses of one amount\n  try:      choose other arms with --arm"
    )


def test_an_arm_or_time_that_the_scenario_does_not_have_is_refused() -> None:
    assert fault("f_m=0.1", arms=("anakinra 100 mg",)) == (
        "error[sweep.unknown]: the scenario has no arm `anakinra 100 mg`\n  --> --arm anakinra 100 mg\n"
        "  expected: `anakinra 100 mg/d`\n  try:      did you mean `anakinra 100 mg/d`?"
    )
    assert fault("f_m=0.1", at=("4 d",)) == (
        "error[sweep.time]: values are to be kept at day 4\n  --> --at 4 d\n"
        "  expected: times up to day 3, the end of the scenario"
    )


def test_a_sweep_larger_than_memory_is_planned_as_it_is_made_in_parts() -> None:
    size = Setting("cohort.patients", 1_000_000, "--patients")
    found = plan_sweep(read_request(SCENARIO, Options(over=("dose=10,100",), settings=(size,))))
    assert found.rows == 2 * 16 * 1_000_000 == sum(part.rows for part in found.parts)
    assert max(part.rows for part in found.parts) <= 2048


def test_what_is_varied_is_not_set_as_well() -> None:
    with pytest.raises(InputError) as caught:
        plan_sweep(read_request(SCENARIO, Options(over=("f_m=0.1,0.3",), settings=(parse_setting("f_m=0.5"),))))
    assert str(caught.value) == (
        "error[sweep.axis]: `f_m` is set, and varied as well\n"
        "  --> --set f_m=0.5, key `parameters.f_m`\n"
        "  found:    an axis of `f_m`\n"
        "  try:      leave out the one or the other"
    )
