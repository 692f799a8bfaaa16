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
    totals = [float(row["total"]) for row in rows]
    assert totals == sorted(totals, reverse=True)


def test_an_unknown_kind_of_inputs_is_refused_with_the_nearest(capsys: Capture) -> None:
    assert outcome([*SHORT, "-e", "ck", "--by", "number"]) == 3
    assert capsys.readouterr().err == (
        "error[sensitivity.by]: inputs cannot be `number`\n"
        "  expected: `numbers`, `patients`, `all`, `groups`\n"
        "  try:      did you mean `numbers`?\n"
    )
