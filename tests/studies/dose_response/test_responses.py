"""A study from its question to its numbers, against a closed form and against an ordinary run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import simulate
from simulate.api.varying import dose_response
from simulate.errors import InputError

MODEL = """\
[parameters]
k = { value = 1.0, unit = "1/d", spread = { cv = 0.2 } }
c50 = "2 mg"
k_out = "1 1/d"

[species.X]
unit = "mg"
meaning = "drug"
initial = 0

[species.E]
unit = "1"
meaning = "level"
initial = 1

[reactions.loss]
rate = "k*X"
change = { X = -1 }

[reactions.make]
rate = "k_out/(1 + X/c50)"
change = { E = 1 }

[reactions.lose]
rate = "k_out*E"
change = { E = -1 }

[routes.iv]
target = "X"
unit = "mg"
gain = 1
"""
SCENARIO = """\
schema = 1
title = "a drug that lowers a level"

[model]
file = "model.toml"

[time]
end = "8 d"

[cohort]
patients = 6

[[arm]]
name = "untreated"
regimen = "none"

[[arm]]
name = "treated"
regimen = "1 mg iv every 12 h until 8 d"
"""


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    (tmp_path / "model.toml").write_text(MODEL, encoding="utf-8")
    path = tmp_path / "scenario.toml"
    path.write_text(SCENARIO, encoding="utf-8")
    return path


def test_a_study_has_the_endpoints_of_an_ordinary_run_at_each_dose(scenario: Path) -> None:
    found = dose_response(
        scenario, dose="0.5,1,2,4,8,100 mg", endpoint=["E@8d", "E:change@6"], exposure="X", replicates=3
    )
    assert found["dose"].values.tolist() == [0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 100.0]
    assert found.attrs["arm"] == "treated"
    run = simulate.run(scenario, settings={"arm[1].regimen": "4 mg iv every 12 h until 8 d"})
    level = run["E"].sel(arm="treated")
    assert found["effect"].sel(dose=4.0).values[0, 0] == pytest.approx(level.sel(time=8.0).values, rel=1e-6)
    change = 100.0 * (level.sel(time=6.0).values / level.sel(time=0.0).values - 1.0)
    assert found["effect"].sel(dose=4.0).values[1, 0] == pytest.approx(change, rel=1e-6)
    assert found["effect"].sel(dose=0.0).values[0] == pytest.approx(1.0)


def test_exposures_follow_their_closed_form_at_every_interval(scenario: Path) -> None:
    found = dose_response(
        scenario, dose="1,2,4,8 mg", endpoint="E@8", second="interval=12,24,48 h", exposure="X", replicates=0
    )
    assert found["second"].values.tolist() == [12.0, 24.0, 48.0]
    rates = simulate.run(scenario)["parameters"].sel(arm="treated", parameter="k").values
    average, trough, peak = found["exposure"].sel(dose=4.0).values
    for place, interval in enumerate((0.5, 1.0, 2.0)):
        fade = np.exp(-rates * interval)
        after_last = 4.0 * (1.0 - fade ** (8.0 / interval)) / (1.0 - fade)
        assert peak[place] == pytest.approx(after_last, rel=5e-6)
        # The last value is just before the end of the course, at which no dose is given.
        assert trough[place] == pytest.approx(after_last * fade, rel=5e-6)
        assert average[place] == pytest.approx(after_last * (1.0 - fade) / (rates * interval), rel=5e-6)


def test_a_parameter_as_second_axis_moves_the_ed50_as_it_must(scenario: Path) -> None:
    found = dose_response(
        scenario,
        dose="0.1:1000:12log mg",
        endpoint="E@8",
        second="c50=1,2,4 mg",
        isobole=True,
        effect=(50, 90),
        replicates=0,
    )
    ed50 = found["curve"].sel(parameter="ed50").values[0]
    assert ed50 == pytest.approx(ed50[0] * np.array([1.0, 2.0, 4.0]), rel=0.02)
    assert found["isobole"].sel(level=0.5).values[0] == pytest.approx(ed50, rel=0.05)
    hill = found["curve"].sel(parameter="hill").values[0]
    assert found["effect_dose"].sel(share=0.5).values[0] == pytest.approx(ed50)
    assert found["effect_dose"].sel(share=0.9).values[0] == pytest.approx(ed50 * 9.0 ** (1.0 / hill))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"dose": "1,2 mg"},
            "error[response.dose]: these are no doses from which a curve could be fitted\n"
            '  --> dose="1,2 mg"\n'
            "  found:    1, 2\n"
            "  expected: at least 4 positive doses, such as `1 mg:300 mg`\n"
            "  try:      `simulate sweep` takes fewer: the changes at each, and no curve",
        ),
        (
            {"second": "dose=1,2 mg"},
            "error[response.second]: `dose` cannot be the second axis\n"
            '  --> second="dose=1,2 mg"\n'
            "  expected: the interval, a parameter or a covariate with a list or a number of values, such as "
            "`interval=12,24,48 h` or `f_m=0.1:0.9:5`",
        ),
        (
            {"second": "k=0.5:2"},
            "error[response.second]: the values of `k` are not listed\n"
            '  --> second="k=0.5:2"\n'
            "  expected: the interval, a parameter or a covariate with a list or a number of values, such as "
            "`interval=12,24,48 h` or `f_m=0.1:0.9:5`",
        ),
        (
            {"endpoint": "E:mean@8"},
            "error[response.endpoint]: a dose-response study cannot have the mean as its endpoint\n"
            "  found:    'E:mean@8'\n"
            "  expected: the value on a day or its change, such as `il17a@182` or `il17a:change@182`",
        ),
        (
            {"exposure": "Y"},
            "error[response.exposure]: the model has no quantity `Y` for an exposure\n"
            "  try:      `simulate show model --model MODEL` lists them",
        ),
        (
            {"arm": "treatd"},
            "error[response.arm]: the scenario has no arm `treatd`\n"
            "  expected: `untreated`, `treated`\n"
            "  try:      did you mean `treated` or `untreated`?",
        ),
        (
            {"effect": (50.0, 100.0)},
            "error[response.effect]: this is no share of the effect\n"
            "  --> effect=\n"
            "  found:    100 %\n"
            "  expected: more than 0 and less than 100, such as 90 for the dose with 90 % of the effect",
        ),
        (
            {"isobole": True},
            "error[response.second]: isoboles need a second axis\n"
            '  expected: something else that is varied, such as `second="f_m=0.1:0.9:5"`',
        ),
    ],
)
def test_each_question_that_cannot_be_answered_is_told_why(
    scenario: Path, arguments: dict[str, object], message: str
) -> None:
    with pytest.raises(InputError) as caught:
        dose_response(scenario, **({"endpoint": "E@8", "replicates": 0} | arguments))  # type: ignore[arg-type]
    assert str(caught.value) == message.replace("MODEL", str(scenario.with_name("model.toml")))


def test_a_scenario_without_doses_is_told_so() -> None:
    with pytest.raises(InputError) as caught:
        dose_response("untreated")
    assert str(caught.value) == (
        "error[response.arm]: no arm of the scenario has doses\n  try:      choose another scenario"
    )
