"""``simulate trial`` on the command line."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import pytest

from simulate import shipped
from simulate.cli.app import outcome

Capture = pytest.CaptureFixture[str]

SHORT = ["trial", "-H", "H0", "--draws", "8", "--patients", "16", "--studies", "200"]


def test_power_errors_and_ranks_are_printed_and_the_design_is_told(capsys: Capture) -> None:
    assert outcome(SHORT) == 0
    shown = capsys.readouterr().out
    assert "H0, zong-2011, as it was, to day 182 (6 months): 15 patients, 100 mg sc every 24 h" in shown
    assert "  signed rank, exact  0.0" in shown
    assert "no effect " in shown
    assert max(map(len, shown.partition("\n200 studies of")[0].splitlines()[1:])) <= 80
    assert "cd45ro-ck-correlation r" in shown
    assert "200 studies of 8 draws of the fit, 16 virtual patients of each" in shown
    assert "treated: 15 enrolled, 11 to 6 months; read at the first visit, and at the last as well: " in shown
    assert "serum_il1ra 14, 10, ifng 8, 6, il17a 8, 6, cd45ro 8, 6, ck 15, 11" in " ".join(shown.split())
    assert "without a second arm a change is no effect of the drug" in shown


def test_a_hypothesis_without_a_fit_is_drawn_from_its_prior_and_says_so(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("simulate.shipped.fit_files", lambda *_: {})
    assert outcome([*SHORT, "--n", "20", "--placebo", "20"]) == 0
    shown = capsys.readouterr().out
    assert "200 studies of 8 draws of the prior, 16 virtual patients of each" in shown
    assert "H0, zong-2011, to day 182 (6 months): 20 patients, 100 mg sc every 24 h against 20 on none" in shown
    assert "controls: 20 enrolled, 15 to 6 months" in shown


def test_the_folder_holds_what_json_says(tmp_path: Path, capsys: Capture) -> None:
    assert outcome([*SHORT, "--json", "--out", str(tmp_path)]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown == json.loads((tmp_path / "trial.json").read_text(encoding="utf-8"))
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "effects.csv",
        "inputs",
        "manifest.json",
        "models",
        "printed.csv",
        "trial.json",
        "trial.png",
        "trial.svg",
    ]
    assert shown["design"]["as_it_was"] is True
    with (tmp_path / "effects.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["power"]) for row in rows] == [part["power"] for part in shown["effects"]]
    for row in shown["effects"]:
        low, high = row["power_interval"]
        assert 0.0 <= low <= row["power"] <= high <= 1.0
    for row in shown["printed"]:
        assert 0.0 <= row["rank"] <= 1.0
    unlike = next(row for row in shown["printed"] if row["item"] == "cd45ro-ck-correlation")
    assert unlike["rank"] < 0.05


def test_without_figures_none_is_drawn_and_nothing_else_is_missing(tmp_path: Path) -> None:
    asked = [*SHORT, "--sizes", "10", "--out"]
    assert outcome([*asked, str(tmp_path / "with")]) == 0
    assert outcome([*asked, str(tmp_path / "without"), "--no-figures"]) == 0
    drawn, other = ({path.name for path in (tmp_path / name).iterdir()} for name in ("with", "without"))
    assert drawn - other == {"curves.png", "curves.svg", "trial.png", "trial.svg"}
    assert other <= drawn


def test_other_doses_have_no_ranks_of_what_was_printed_under_this_one(capsys: Capture) -> None:
    assert outcome([*SHORT, "--regimen", "50 mg sc every 24 h", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["printed"] == []


def test_endpoints_are_judged_together_and_points_of_a_curve_have_the_bits_of_a_study_of_that_size(
    tmp_path: Path, capsys: Capture
) -> None:
    asked = ["--endpoint", "ifng", "--endpoint", "il17a, t", "--correction", "bonferroni", "--alpha", "0.1"]
    assert outcome([*SHORT, *asked, "--sizes", "20,40", "--out", str(tmp_path / "here")]) == 0
    shown = capsys.readouterr().out
    assert "effect and test       p < 0.1 " in shown
    assert "Endpoints together, share of the studies with p < 0.1\n" in shown
    assert "Share with p < 0.1, bonferroni, by patients\n" in shown
    assert "together: any, at least one endpoint is significant; all, each of them; " in shown
    found = json.loads((tmp_path / "here" / "trial.json").read_text(encoding="utf-8"))
    assert found["analysis"] == {"endpoints": ["ifng", "il17a, t"], "correction": "bonferroni", "alpha": 0.1}
    assert [row["endpoint"] for row in found["endpoints"]] == ["ifng-change", "il17a-change", "any", "all"]
    assert [row["test"] for row in found["endpoints"]] == ["signed rank", "t", "", ""]
    assert [point["n"] for point in found["curves"]] == [20, 40]
    assert {"endpoints.csv", "curves.csv", "curves.png"} <= {path.name for path in (tmp_path / "here").iterdir()}
    for row in found["endpoints"][:2]:
        same = next(one for one in found["effects"] if (one["effect"], one["test"]) == (row["endpoint"], row["test"]))
        assert row["raw"] == same["power"]
        assert row["raw_interval"] == same["power_interval"]
    assert outcome([*SHORT, *asked, "--n", "40", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["endpoints"] == found["curves"][1]["endpoints"]


def test_without_endpoints_nothing_is_judged_together_and_a_change_is_told_as_a_ratio(capsys: Capture) -> None:
    assert outcome([*SHORT, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert not {"analysis", "endpoints", "curves"} & set(found)
    assert outcome(SHORT) == 0
    shown = capsys.readouterr().out
    for row in found["effects"]:
        scale = {"change of the logarithm": "ratio ", "R": ""}[row["scale"]]
        number = math.exp(row["truth"]) if scale else row["truth"]
        assert f"{row['title']}, n {row['n']}: {scale}{number:.2f} (" in shown


def test_an_endpoint_that_is_none_is_refused_before_anything_is_simulated(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("simulate.studies.power.power.simulated_trial", lambda *_, **__: pytest.fail("simulated"))
    assert outcome([*SHORT, "--endpoint", "response"]) == 3
    assert capsys.readouterr().err == (
        "error[trial.endpoint]: the study has no endpoint `response`\n"
        "  expected: `ifng`, `il17a`, `ck`, `serum_il1ra`, `cd45ro-ck`\n"
    )


def test_the_file_of_a_trial_says_how_it_is_judged(tmp_path: Path, capsys: Capture) -> None:
    analysis = '[analysis]\nendpoints = ["il17a, rank sum"]\ncorrection = "hochberg"\nalpha = 0.01\n'
    path = tmp_path / "mine.toml"
    path.write_text(PLANNED + analysis, encoding="utf-8")
    assert outcome([*SHORT, "--trial", str(path), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["analysis"] == {"endpoints": ["il17a, rank sum"], "correction": "hochberg", "alpha": 0.01}
    # Both doses are held against the controls.
    assert [row["endpoint"] for row in found["endpoints"]] == [
        "il17a-difference: daily",
        "il17a-difference: every other day",
        "any",
        "all",
    ]
    assert outcome([*SHORT, "--trial", str(path), "--alpha", "0.05", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["analysis"]["alpha"] == 0.05
    line = PLANNED.count("\n") + 2
    path.write_text(PLANNED + analysis.replace("il17a", "il17"), encoding="utf-8")
    assert outcome([*SHORT, "--trial", str(path)]) == 3
    assert capsys.readouterr().err == (
        f"error[trial.endpoint]: there is no outcome `il17`\n"
        f"  --> {path}:{line}, key `analysis.endpoints`\n"
        "  expected: `il17a`\n"
        "  try:      did you mean `il17a`?\n"
    )


PLANNED = """
schema = 1
title = "planned"
source = "assumption"

[[arm]]
name = "placebo"
regimen = "none"
n = 40
source = "assumption"
grade = "assumed"

[[arm]]
name = "daily"
regimen = "100 mg sc every 24 h"
n = 40
source = "assumption"
grade = "assumed"

[[arm]]
name = "every other day"
regimen = "100 mg sc every 48 h"
n = 30
source = "assumption"
grade = "assumed"

[[visit]]
name = "baseline"
day = 0
source = "assumption"
grade = "assumed"

[[visit]]
name = "week 12"
day = 84
source = "assumption"
grade = "assumed"

[assay.cytometry]
reads = { il17a = "IL-17A+ cells" }
unit = "%"
sd_log = { value = 0.2, unit = "1", source = "assumption", grade = "assumed" }
source = "assumption"
grade = "assumed"
"""


@pytest.fixture
def planned(tmp_path: Path) -> str:
    path = tmp_path / "mine.toml"
    path.write_text(PLANNED, encoding="utf-8")
    return str(path)


def test_a_planned_trial_of_three_arms_is_simulated_without_evidence(
    planned: str, tmp_path: Path, capsys: Capture
) -> None:
    assert outcome([*SHORT, "--trial", planned, "--out", str(tmp_path / "trial")]) == 0
    shown = capsys.readouterr().out
    assert (
        "H0, mine, to day 84 (week 12): 40 patients, 100 mg sc every 24 h, "
        "30 on 100 mg sc every 48 h against 40 on none" in " ".join(shown.split())
    )
    assert "200 studies of 8 draws of the fit to zong-2011, 16 virtual patients of each" in shown
    assert "treated (every other day): 30 enrolled, 30 to week 12" in shown
    assert "controls (none): 40 enrolled" in shown
    found = json.loads((tmp_path / "trial" / "trial.json").read_text(encoding="utf-8"))
    assert {(row["effect"], row["n"]) for row in found["effects"]} == {
        ("il17a-difference: daily", 80),
        ("il17a-difference: every other day", 70),
    }


def test_a_planned_trial_is_predicted_from_the_fit_and_cannot_be_fitted(planned: str, capsys: Capture) -> None:
    assert outcome(["predict", "H0", "--trial", planned, "--draws", "8", "--patients", "8", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["hypotheses"][0]["draws_of"] == "fit"
    assert outcome(["fit", "-H", "H0", "--trial", planned]) == 3
    assert "error[trial.evidence]: the trial `mine` names no evidence\n" in capsys.readouterr().err


def test_a_study_may_end_at_another_time_in_weeks_too(capsys: Capture) -> None:
    ended = [*SHORT, "--n", "40", "--placebo", "40", "--json"]
    assert outcome([*ended, "--end", "12 weeks"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["design"]["end"] == 84.0
    assert found["design"]["as_it_was"] is False
    assert found["printed"] == []
    assert "ck-difference" in {row["effect"] for row in found["effects"]}
    assert outcome([*ended, "--end", "84 d"]) == 0
    assert json.loads(capsys.readouterr().out)["effects"] == found["effects"]


@pytest.mark.parametrize(
    ("end", "stayed", "cells", "known"),
    [
        ("1 d", 40, 21, True),
        ("4 weeks", 38, 21, True),
        ("12 weeks", 35, 19, True),
        ("26 weeks", 29, 16, True),
        ("365 d", 24, 13, True),
        ("104 weeks", 24, 13, False),
    ],
)
def test_as_many_leave_a_study_as_leave_by_its_last_visit(
    end: str, stayed: int, cells: int, known: bool, capsys: Capture
) -> None:
    # The figures are those of [[retention]]: 13 of 15 at 91 d, 11 at 182 d, 9 at 365 d; cells of 6 of 11 who stayed.
    assert outcome([*SHORT, "--n", "40", "--placebo", "40", "--end", end]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    for arm in ("treated", "controls"):
        assert f"{arm}: 40 enrolled, {stayed} to {end}; read at the first visit" in shown
    assert f"ifng 21, {cells}, il17a 21, {cells}" in shown
    assert ("drop-out: who leaves after day 365 is not known; nobody is taken to" in shown) != known


def test_the_file_of_a_trial_keeps_who_stays(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(PLANNED.replace("day = 84\n", "day = 84\nn = 55\n"), encoding="utf-8")
    assert outcome([*SHORT, "--trial", str(path)]) == 0
    assert "treated (daily): 40 enrolled, 20 to week 12" in capsys.readouterr().out
    path.write_text(PLANNED, encoding="utf-8")
    assert outcome([*SHORT, "--trial", str(path), "--end", "52 weeks"]) == 0
    assert "treated (daily): 40 enrolled, 40 to 52 weeks" in capsys.readouterr().out


def test_arms_may_be_given_one_by_one(capsys: Capture) -> None:
    arms = ["--arm", "20: 100 mg sc every 24 h", "--arm", "20: none"]
    assert outcome([*SHORT, *arms, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert outcome([*SHORT, "--n", "20", "--placebo", "20", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["effects"] == found["effects"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--arm", "40"],
            "error[trial.arm]: `40` is not an arm\n"
            "  expected: patients, a colon and a regimen, such as `40: 100 mg sc every 24 h` or `40: none`\n",
        ),
        (
            ["--arm", "40: none", "--n", "4"],
            "error[trial.arm]: arms are given, and numbers or regimens beside them\n"
            "  expected: `--arm` for each arm, or `--n`, `--regimen`, `--placebo` and `--control`\n"
            '  try:      say all of it in the arms: `--arm "40: 100 mg sc every 24 h" --arm "40: none"`\n',
        ),
    ],
)
def test_arms_that_cannot_be_are_refused(arguments: list[str], message: str, capsys: Capture) -> None:
    assert outcome([*SHORT, *arguments]) == 3
    assert capsys.readouterr().err == message


def test_one_regimen_for_several_arms_is_refused(planned: str, capsys: Capture) -> None:
    assert outcome([*SHORT, "--trial", planned, "--regimen", "50 mg sc daily"]) == 3
    assert capsys.readouterr().err == (
        "error[trial.arm]: one regimen is given for the 2 arms that are treated\n"
        "  found:    `daily`, `every other day`\n"
        '  try:      give each arm: `--arm "40: 100 mg sc every 24 h" --arm "40: none"`\n'
    )


def test_a_correction_without_endpoints_is_refused(capsys: Capture) -> None:
    assert outcome([*SHORT, "--correction", "hochberg"]) == 3
    assert capsys.readouterr().err == (
        "error[trial.correction]: the correction `hochberg` is of endpoints that are judged together, and none is "
        "named\n"
        "  expected: two endpoints or more\n"
        "  try:      name them, such as `--endpoint ifng --endpoint il17a`; or leave the correction out\n"
    )


def test_a_quantity_between_two_pairs_of_visits_has_a_row_of_each_curve_once(tmp_path: Path, capsys: Capture) -> None:
    text = shipped.trial_files()["example-two-arms"].read_text(encoding="utf-8")
    text = text.replace('evidence = "example-two-arms"\n', "")
    twice = '\n[[outcome]]\nquantity = "gcsf"\nbetween = ["baseline", "week 12"]\n'
    (tmp_path / "twice.toml").write_text(text + twice, encoding="utf-8")
    assert outcome([*SHORT, "--trial", str(tmp_path / "twice.toml"), "--sizes", "10", "--json"]) == 0
    (point,) = json.loads(capsys.readouterr().out)["curves"]
    assert [row["endpoint"] for row in point["endpoints"]] == [
        "double_positive-difference",
        "gcsf-difference@week 4",
        "naive-difference",
        "gcsf-difference@week 12",
    ]


def test_a_test_that_the_file_of_a_trial_names_and_the_study_has_not_is_told_with_its_line(
    tmp_path: Path, capsys: Capture
) -> None:
    path = tmp_path / "mine.toml"
    text = shipped.trial_files()["zong-2011"].read_text(encoding="utf-8").replace('evidence = "abstract"\n', "")
    line = text.count("\n") + 2
    path.write_text(text + '[analysis]\nendpoints = ["ifng, t", "il17a, u"]\n', encoding="utf-8")
    assert outcome(["trial", "--trial", str(path)]) == 3
    assert capsys.readouterr().err == (
        "error[trial.endpoint]: `il17a-change` is not tested by `u`\n"
        f"  --> {path}:{line}, key `analysis.endpoints`\n"
        "  expected: `signed rank`, `signed rank, exact`, `t`\n"
    )


def test_what_is_reported_of_an_arm_stands_beside_what_is_seen_of_that_arm(capsys: Capture) -> None:
    asked = ["--trial", "example-two-arms", "-H", "H1", "--fit", "prior", "--draws", "16", "--patients", "16"]
    assert outcome(["trial", *asked, "--studies", "400", "--no-figures", "--json"]) == 0
    rows = {row["item"]: row for row in json.loads(capsys.readouterr().out)["printed"] if row["figure"] == "count"}
    # Of five who are given nothing each is as likely to have less as to have more: P(0, 1, 2) and half of P(3).
    placebo = rows["double-positive-on-placebo"]
    assert placebo["rank"] == pytest.approx((1 + 5 + 10 + 0.5 * 10) / 2**5, abs=0.04)
    assert placebo["median"] in (2.0, 3.0)
    # Under H1 nearly all of the eleven on the drug have less.
    assert rows["double-positive-on-drug"]["median"] >= 9.0
    # With other doses of the drug there is only what was reported of placebo.
    assert outcome(["trial", *asked, "--studies", "400", "--no-figures", "--json", "--regimen", "50 mg sc daily"]) == 0
    names = {row["item"] for row in json.loads(capsys.readouterr().out)["printed"]}
    assert names == {"double-positive-on-placebo"}
