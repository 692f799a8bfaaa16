"""Steady states from the command line and from Python, against a closed form."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import simulate
from simulate.cli.app import outcome
from tests.faults.small import write_files

# dx/dt = mu - x^2: two states at ±sqrt(mu), eigenvalues -2x, a fold at mu = 0. Shifted by 3, so that x is not negative.
MODEL = """\
[parameters]
mu = { value = 1.0, unit = "1/d" }
one = { value = 1.0, unit = "1/d" }

[species.X]
unit = "1"
meaning = "state"
initial = 4

[reactions.fold]
rate = "mu - one*(X - 3)**2"
change = { X = 1 }

[observables.Y]
unit = "1"
expression = "2*X"
"""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "fold.toml"
    path.write_text(MODEL, encoding="utf-8")
    return path


def test_both_states_of_a_fold_are_found_with_their_eigenvalues(model: Path) -> None:
    rows = simulate.equilibria(model).tables["states"].records()
    assert [row["X"] for row in rows] == pytest.approx([2.0, 4.0], rel=1e-9)
    assert [row["leading_real"] for row in rows] == pytest.approx([2.0, -2.0], rel=1e-9)
    assert [row["stability"] for row in rows] == ["unstable", "stable"]
    assert [row["Y"] for row in rows] == pytest.approx([4.0, 8.0], rel=1e-9)


def test_a_branch_turns_at_the_fold_and_is_found_once(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["equilibria", str(model), "--over", "mu=-1:4", "--out", str(tmp_path / "here")]
    assert outcome([*arguments, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    (turn,) = found["turns"]
    assert (turn["kind"], turn["branch"]) == ("fold", 1)
    assert turn["mu"] == pytest.approx(0.0, abs=1e-9)
    assert turn["X"] == pytest.approx(3.0, abs=1e-6)
    (branch,) = found["branches"]
    assert branch["to"] == 4.0
    table = simulate.equilibria(model, over="mu=-1:4").tables["branches"].frame()
    assert np.square(table["X"] - 3.0).to_numpy() == pytest.approx(table["mu"].to_numpy(), abs=1e-9)
    assert ((table["X"] > 3.0) == (table["stability"] == "stable"))[table["mu"] > 1e-6].all()
    names = {path.name for path in (tmp_path / "here").iterdir()}
    assert {"states.csv", "branches.csv", "turns.csv", "branches.png", "equilibria.json", "manifest.json"} <= names
    assert outcome(["runs", "repeat", str(tmp_path / "here")]) == 0
    capsys.readouterr()
    assert outcome(["equilibria", str(model), "--over", "mu=-1:4"]) == 0
    assert "the branch turns back: two steady states meet and vanish" in capsys.readouterr().out


def test_what_cannot_vary_is_refused_with_the_nearest(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome(["equilibria", str(model), "--over", "onee=0:1"]) == 3
    assert capsys.readouterr().err == (
        "error[equilibria.over]: this is no parameter or route with a range\n"
        "  --> --over onee=0:1\n"
        "  expected: such as `f_m=0.1:0.9`, or a route and its rate a day, such as `sc=0:300`\n"
        "  try:      did you mean `one`?\n"
    )


def test_a_unit_of_the_rate_of_a_route_is_not_read_past(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_files(tmp_path)
    assert outcome(["equilibria", str(tmp_path / "model.toml"), "--over", "iv=0:2 g"]) == 3
    assert capsys.readouterr().err == (
        "error[equilibria.over]: the rate of a route has no unit of its own\n"
        "  --> --over iv=0:2 g\n"
        "  found:    `g`\n"
        "  expected: numbers alone, which are in mg a day\n"
        "  try:      leave the unit out\n"
    )
