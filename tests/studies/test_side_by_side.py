"""Hypotheses side by side: who gives both signs, how much, and how many patients would show it."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from simulate.cli.app import outcome
from simulate.figures.side_by_side import side_by_side_figure
from simulate.results.side_by_side import side_by_side_caption, side_by_side_cells, side_by_side_rows
from simulate.studies.paired import ALL, OTHERS, RESPONDERS
from simulate.studies.side_by_side import set_side_by_side
from tests.figures.synthetic import dataset

Capture = pytest.CaptureFixture[str]

WAYS = {"ifng": "up", "il17a": "down"}
IFNG = np.array([20.0, 20.0, 5.0, 5.0, -5.0, 0.0, 20.0, -20.0])
IL17A = np.array([-20.0, -20.0, -20.0, 5.0, -5.0, -5.0, -5.0, -20.0])


def moved(arms: int = 1) -> xr.Dataset:
    """Eight patients of whom four change as reported, two by more than 10 % both; the first arm is treated."""
    data = dataset(arms=arms, members=8, doses=5)
    for name, changes in (("ifng", IFNG), ("il17a", IL17A)):
        data[name] = data["level"].copy(data=data["level"].values.copy())
        data[name].values[:, :, 1:] *= 1.0 + changes[None, :, None] / 100.0
    return data


def test_both_signs_are_counted_in_all_in_responders_and_in_the_others() -> None:
    data = moved()
    chance = np.array([1.0, 0.5, 0.0, 0.0, 0.5, 0.0, 0.0, 0.0])
    data["response"] = data["level"].copy(data=np.broadcast_to(100.0 * chance[None, :, None], data["level"].shape))
    (one,) = set_side_by_side(data, "H", 182, WAYS)
    assert (one.hypothesis, one.arm, one.day, one.n) == ("H", "arm 0", 182.0, 8)
    assert one.both == {ALL: 0.5, RESPONDERS: pytest.approx(0.75), OTHERS: pytest.approx(2.5 / 6.0)}
    assert one.large == 0.25


def test_an_endpoint_has_its_change_its_share_and_the_patients_that_show_it() -> None:
    (one,) = set_side_by_side(moved(), "H", 182, WAYS)
    il17a, ifng = one.endpoints
    assert (il17a.quantity, il17a.direction, il17a.going) == ("il17a", "down", 7 / 8)
    assert (ifng.going, ifng.changed.median) == (5 / 8, pytest.approx(5.0))
    assert (ifng.p25, ifng.p75) == (pytest.approx(-1.25), pytest.approx(20.0))
    assert il17a.needed is not None
    assert ifng.needed is not None
    assert 6 < il17a.needed < ifng.needed


def test_the_direction_of_a_report_is_asked_for_on_days_without_one_too() -> None:
    # Half of the patients fall: of the six who move, four rise.
    falling = moved()
    falling["ifng"].values[:, :, 1:] = falling["level"].values[:, :, 1:] * (1.0 - IFNG[None, :, None] / 100.0)
    (one,) = set_side_by_side(falling, "H", 182, WAYS, {"arm 0": ["il17a"]})
    ifng = next(part for part in one.endpoints if part.quantity == "ifng")
    assert (ifng.direction, ifng.is_reported, ifng.going, ifng.needed) == ("up", False, 2 / 8, None)
    rows = {row["quantity"]: row["reported"] for row in side_by_side_rows([one])}
    assert (rows["ifng"], rows["il17a"]) == ("", "fell")
    assert one.both[ALL] is not None


def test_the_caption_explains_the_columns_that_are_there_and_no_others() -> None:
    caption = side_by_side_caption(set_side_by_side(moved(), "H", 182, WAYS))
    assert caption == (
        "both: % of patients in whom ifng rises and il17a falls, as was reported; resp. and others: of the "
        "responders and the others; >10 %: of all, by more than 10 % each; ifng, il17a: median change, %; n: patients "
        "in whom a sign test (two-sided, 5 %) shows the reported direction with a power of 80 %, by the exact binomial "
        "distribution, of error-free readings; a dash where 1000 would not show it, or where the noise of the trial's "
        "readings would hide the median change"
    )
    elsewhere = side_by_side_caption(set_side_by_side(moved(), "H", 182, WAYS, {}))
    assert "as was reported of 100 mg a day at 6 months" in elsewhere
    assert side_by_side_caption(set_side_by_side(moved(), "H", 182, {})) == (
        "ifng, il17a: median change, %; n: patients in whom a sign test (two-sided, 5 %) shows the way that more "
        "patients go with a power of 80 %, by the exact binomial distribution, of error-free readings; a dash where "
        "1000 would not show it"
    )


def test_no_number_of_patients_stands_beside_a_change_that_the_noise_of_readings_hides() -> None:
    shown = {}
    for percent in (0.2, 22.0, 24.0):
        data = moved()
        data["ifng"].values[:, :, 1:] = data["ifng"].values[:, :, :1] * (1.0 + percent / 100.0)
        (one,) = set_side_by_side(data, "H", 182, WAYS)
        headings, (line,) = side_by_side_cells([one])
        (part,) = (part for part in one.endpoints if part.quantity == "ifng")
        assert (part.needed, side_by_side_rows([one])[1]["needed"]) == (6, 6)
        shown[percent] = (line[headings.index("ifng") + 1], part.seen)
    # A reading is wrong by 0.36 in the logarithm, a change by sqrt(2) times that, its mean in six by 0.208: 23 %.
    assert shown == {0.2: ("–", False), 22.0: ("–", False), 24.0: ("6", True)}


def test_only_treated_arms_are_set_side_by_side() -> None:
    assert [one.arm for one in set_side_by_side(moved(arms=3), "H", 182, WAYS)] == ["arm 0"]


def test_without_a_reported_direction_no_both_is_counted_and_the_greater_share_is_taken() -> None:
    (one,) = set_side_by_side(moved(), "H", 182, {})
    assert (one.both, one.large) == ({}, None)
    assert [part.going for part in one.endpoints] == [7 / 8, 5 / 8]
    headings, lines = side_by_side_cells([one])
    assert headings == ["hypothesis", "ifng", "n", "il17a", "n"]
    assert lines[0][0] == "H"


def of_two_draws() -> xr.Dataset:
    """The eight as four patients of a table of doses in each of two draws."""
    return moved().assign_coords(draw=("member", np.repeat([0, 1], 4)), patient_id=("member", [*"abcd"] * 2))


def test_draws_of_a_fit_have_their_own_shares() -> None:
    data = of_two_draws()
    (one,) = set_side_by_side(data, "H", 182, WAYS)
    # Three of the first four, and one of the others.
    assert one.both_of_draws == (pytest.approx(0.25 + 0.05 * 0.5), pytest.approx(0.75 - 0.05 * 0.5))
    assert side_by_side_cells([one])[1][0][1] == "50 [28 to 72]"
    assert (one.n, one.endpoints[0].changed.n) == (4, 4.0)


def test_few_patients_who_are_drawn_do_not_say_what_is_not_known() -> None:
    (one,) = set_side_by_side(of_two_draws().drop_vars("patient_id"), "H", 182, WAYS)
    assert (one.both_of_draws, side_by_side_cells([one])[1][0][1]) == (None, "50")
    assert [part.changed.of_draws for part in one.endpoints] == [{}, {}]


def test_rows_and_figure_have_every_hypothesis_and_endpoint() -> None:
    found = [*set_side_by_side(moved(), "A", 182, WAYS), *set_side_by_side(moved(), "B", 182, WAYS)]
    rows = side_by_side_rows(found)
    assert [(row["hypothesis"], row["quantity"], row["both"]) for row in rows] == [
        (name, quantity, 0.5) for name in "AB" for quantity in ("il17a", "ifng")
    ]
    figure = side_by_side_figure(found)
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["IL-17A+ cells ↓", "IFNγ+ cells ↑"]
    assert [text.get_text() for text in figure.axes[0].get_yticklabels()] == ["A", "B"]
    assert [text.get_text() for text in figure.axes[1].texts if "%" in text.get_text()] == ["62 %", "62 %"]


def test_several_hypotheses_on_the_command_line_give_one_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    small = ["--fit", "typical", "-n", "6", "--set", "time.every=91 d", "-H", "H4", "-H", "H0"]
    assert outcome(["run", "anakinra-100mg-daily", *small, "--out", "here"]) == 0
    shown = capsys.readouterr()
    assert shown.err.endswith("wrote here\n")
    assert max(len(line) for line in shown.out.splitlines()) <= 80
    lines = {line.split()[0]: line.split() for line in shown.out.splitlines() if line.split()}
    # H0 changes no cells at all; under H4 all patients rise and fall, by less than six noisy readings can tell.
    assert lines["H0"][1:] == ["0", "0", "0", "0", "0", "–", "0", "–"]
    assert lines["H4"][1] == "100"
    assert (lines["H4"][6], lines["H4"][8]) == ("–", "–")
    assert sorted(path.name for path in (tmp_path / "here").iterdir()) == [
        "inputs", "manifest.json", "models",
        "side-by-side.csv", "side-by-side.json", "side-by-side.png", "side-by-side.svg",
    ]  # fmt: skip
    with open(tmp_path / "here" / "side-by-side.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert outcome(["run", "anakinra-100mg-daily", *small, "--no-figures", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["directory"].startswith("runs/anakinra-100mg-daily-")
    assert document["counters"] == {"H4": {"n": 6, "n_ok": 6}, "H0": {"n": 6, "n_ok": 6}}
    assert [float(row["median"]) for row in rows] == [row["median"] for row in document["hypotheses"]]


def test_a_hypothesis_twice_is_refused(capsys: Capture) -> None:
    assert outcome(["run", "anakinra-100mg-daily", "-H", "H1", "-H", "H1"]) == 3
    assert capsys.readouterr().err == (
        "error[hypothesis.twice]: the hypothesis `H1` is given twice\n  try:      give it once\n"
    )


def test_prior_and_fit_stand_side_by_side_in_one_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    small = ["-n", "50", "--draws", "3", "--set", "time.every=91 d", "--fit", "prior", "--fit", "typical", "-H", "H0"]
    assert outcome(["run", "anakinra-100mg-daily", *small, "--no-figures", "--out", "here"]) == 0
    shown = capsys.readouterr().out
    assert max(len(line) for line in shown.splitlines()) <= 80
    assert [line.split()[:2] for line in shown.splitlines() if line.startswith(" H0")] == [
        ["H0,", "prior"], ["H0,", "typical"]
    ]  # fmt: skip
    with open(tmp_path / "here" / "side-by-side.csv", encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["quantity"] == "ck"]
    assert [(row["hypothesis"], row["draws_of"]) for row in rows] == [("H0", "prior"), ("H0", "typical")]
    assert float(rows[0]["median_low"]) < float(rows[0]["median_high"])
    assert rows[1]["median_low"] == ""
    assert outcome(["runs", "repeat", "here"]) == 0
    assert capsys.readouterr().out.startswith("the same to the bit: side-by-side.csv")


def test_medians_of_draws_are_dark_lines_about_the_medians() -> None:
    data = of_two_draws()
    found = set_side_by_side(data, "H", 182, WAYS)
    figure = side_by_side_figure(found)
    assert "90 % of draws' medians" in [text.get_text() for text in figure.legends[0].get_texts()]
    il17a = [line for line in figure.axes[0].get_lines() if line.get_marker() == "|"]
    # Medians of four patients each are -20 and -5, of which the middle 90 % are drawn.
    assert sorted(np.asarray(il17a[0].get_xdata()).tolist()) == pytest.approx([-19.25, -5.75])


def test_a_fit_twice_is_refused(capsys: Capture) -> None:
    assert outcome(["run", "anakinra-100mg-daily", "--fit", "prior", "--fit", "prior"]) == 3
    assert capsys.readouterr().err == "error[fit.twice]: the fit `prior` is given twice\n  try:      give it once\n"
