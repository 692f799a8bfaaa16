"""``simulate sensitivity`` on the command line."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from simulate.cli.app import outcome

HELD = [
    word for name in ("det1", "det17", "d_M17", "p_unchanged", "slope_response", "R_0") for word in ("--hold", name)
]
SHORT = ["sensitivity", "anakinra-100mg-daily", "-H", "H0", *HELD, "--n", "8", "--trajectories", "2", "--no-local"]

Capture = pytest.CaptureFixture[str]


def test_a_table_says_what_matters_and_what_is_undefined(capsys: Capture) -> None:
    assert outcome([*SHORT, "-e", "ck:change@28", "-e", "il17a:change"]) == 0
    shown = capsys.readouterr().out
    assert "change to day 28 of creatine kinase in serum (%), H0" in shown
    assert "undefined" in shown
    assert "whatever the inputs: shares of its variance are undefined" in shown
    assert "not varied, as they act between patients only: spread_det1, spread_det17, spread_R_0, rho_chi_f_RO" in shown


POWERS = """
[species.x]
meaning = "what grows"
unit = "1"
initial = "1"
[parameters]
steep = "1 1/d"
times = "2"
flat = "0.01 1/d"
[reactions.grow]
rate = "(steep*times + flat)*x"
change = { x = 1 }
"""


def test_a_share_that_too_few_rows_cannot_tell_is_not_known_and_stands_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "powers.toml").write_text(POWERS, encoding="utf-8")
    command = ["sensitivity", "powers.toml", "--end", "4 d", "--vary", "cv=0.5", "-e", "x", "--n", "16", "--seed", "3"]
    command += ["--trajectories", "0", "--no-figures"]
    assert outcome(command) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    # In the closed form x is exp(8 + 0.04) in the middle; 5 and 95 % of a log-normal input are 0.46 and 2.17 times it.
    swing = ["41.19", "…", "3.749e+07"]
    assert lines[4:7] == [
        ["flat", "3036", "…", "3252", "0.00", "[0.00,", "0.00]", "0.01", "[0.00,", "0.01]", "flat"],
        ["steep", *swing, "not", "known", "not", "known", "steep"],
        ["times", *swing, "not", "known", "-0.07", "[-0.31,", "0.16]", "times"],
    ]
    # The rule: an end of an interval is beyond 1.5 times the whole. The file has every number.
    assert outcome([*command, "--json"]) == 0
    (endpoint,) = json.loads(capsys.readouterr().out)["endpoints"]
    ends = {
        (part["input"], name): max(abs(part[f"{name}_low"]), abs(part[f"{name}_high"]))
        for part in endpoint["inputs"]
        for name in ("first", "total")
    }
    assert {place for place, end in ends.items() if end > 1.5} == {
        ("steep", "first"),
        ("steep", "total"),
        ("times", "total"),
    }


def test_the_folder_holds_what_json_says_and_a_figure_for_each_endpoint(tmp_path: Path, capsys: Capture) -> None:
    assert outcome([*SHORT, "-e", "ck:change@28", "--json", "--out", str(tmp_path)]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown == json.loads((tmp_path / "sensitivity.json").read_text(encoding="utf-8"))
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "inputs",
        "manifest.json",
        "models",
        "sensitivity.csv",
        "sensitivity.json",
        "tornado-ck-change-28.png",
        "tornado-ck-change-28.svg",
    ]
    (endpoint,) = shown["endpoints"]
    with (tmp_path / "sensitivity.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["input"] for row in rows] == [part["input"] for part in endpoint["inputs"]]
    assert {row["input"] for row in rows} == {"chi", "f_m", "il1_muscle"}
    # What is known is in order, and what is not stands after it.
    known = [max(abs(float(row["total_low"])), abs(float(row["total_high"]))) <= 1.5 for row in rows]
    assert known == sorted(known, reverse=True)
    totals = [float(row["total"]) for row, is_known in zip(rows, known, strict=True) if is_known]
    assert totals
    assert totals == sorted(totals, reverse=True)


def test_an_unknown_kind_of_inputs_is_refused_with_the_nearest(capsys: Capture) -> None:
    assert outcome([*SHORT, "-e", "ck", "--by", "number"]) == 3
    assert capsys.readouterr().err == (
        "error[sensitivity.by]: inputs cannot be `number`\n"
        "  expected: `numbers`, `patients`, `all`, `groups`\n"
        "  try:      did you mean `numbers`?\n"
    )
