"""Steady states from the command line and from Python, against a closed form."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

import simulate
from simulate.cli.app import outcome
from simulate.studies.fitting.draws import draws_named
from simulate.studies.fitting.simulated_trial import changes_at
from simulate.studies.steady_states import _population
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


# A <-> B beside 2 M <-> D: what there is in all of each never changes.
CLOSED = """\
[parameters]
kf = { value = 3.0, unit = "1/d" }
kr = { value = 1.0, unit = "1/d" }
kd = { value = 2.0, unit = "1/nM/d" }
kb = { value = 6.0, unit = "1/d" }

[species.A]
unit = "nM"
meaning = "one form"
initial = 8

[species.B]
unit = "nM"
meaning = "another form"
initial = 0

[species.M]
unit = "nM"
meaning = "monomer"
initial = 9

[species.D]
unit = "nM"
meaning = "dimer"
initial = 3

[reactions.turn]
rate = "kf*A - kr*B"
change = { A = -1, B = 1 }

[reactions.pair]
rate = "kd*M**2 - kb*D"
change = { M = -2, D = 1 }

[observables.Y]
unit = "nM"
expression = "2*B"
"""


# Two cells that hold each other back: dx/dt = 1 + 3/(1 + y^2) - x, and the same with x and y exchanged.
TOGGLE = """\
[parameters]
k = { value = 1.0, unit = "1/d" }

[species.X]
unit = "1"
meaning = "one"
initial = 1

[species.Y]
unit = "1"
meaning = "other"
initial = 2

[reactions.of_x]
rate = "k*(1 + 3/(1 + Y**2) - X)"
change = { X = 1 }

[reactions.of_y]
rate = "k*(1 + 3/(1 + X**2) - Y)"
change = { Y = 1 }
"""


@pytest.fixture(scope="module")
def toggle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("toggle") / "toggle.toml"
    path.write_text(TOGGLE, encoding="utf-8")
    return path


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


def test_a_closed_system_has_the_state_of_its_initial_sums(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "closed.toml").write_text(CLOSED)
    found = simulate.equilibria(tmp_path / "closed.toml")
    (state,) = found.document["states"]
    # A + B = 8 with 3 A = B; M + 2 D = 15 with 2 M² = 6 D, so M² + 1.5 M = 22.5.
    monomer = (-1.5 + np.sqrt(1.5**2 + 4 * 22.5)) / 2
    assert [state[name] for name in "ABMDY"] == pytest.approx([2.0, 6.0, monomer, (15.0 - monomer) / 2.0, 12.0])
    assert (state["stability"], state["leading_real"]) == ("stable", pytest.approx(-4.0))
    assert found.document["conserved"] == ["A + B", "M + 2 D"]
    assert outcome(["equilibria", str(tmp_path / "closed.toml")]) == 0
    assert (
        "2 sums of states never change: A + B; M + 2 D. So steady states form a continuum; "
        "those here have the sums of the initial state\n"
    ) in capsys.readouterr().out


def test_a_branch_of_a_closed_system_keeps_its_sums(tmp_path: Path) -> None:
    (tmp_path / "closed.toml").write_text(CLOSED)
    found = simulate.equilibria(tmp_path / "closed.toml", over="kf=0:5")
    table = found.tables["branches"].frame()
    # A = 8 kr/(kf + kr), B the rest; the slowest disturbance dies out at kf + kr.
    kf = table["kf"].to_numpy()
    assert (kf.min(), kf.max()) == (0.0, 5.0)
    assert table["A"].to_numpy() == pytest.approx(8.0 / (kf + 1.0), rel=1e-6)
    assert table["B"].to_numpy() == pytest.approx(8.0 - 8.0 / (kf + 1.0), rel=1e-6, abs=1e-9)
    assert table["leading_real"].to_numpy() == pytest.approx(-(kf + 1.0), rel=1e-6)
    assert set(table["stability"]) == {"stable"}
    assert found.document["turns"] == []


def test_a_branch_goes_on_where_all_of_a_state_is_used_up(tmp_path: Path) -> None:
    # A turns into B for good: at rest there are 0 and 8 of them, whatever the rate.
    gone = CLOSED.replace("kf*A - kr*B", "kf*A").replace('kr = { value = 1.0, unit = "1/d" }\n', "")
    (tmp_path / "gone.toml").write_text(gone)
    table = simulate.equilibria(tmp_path / "gone.toml", over="kf=1:5").tables["branches"].frame()
    assert (table["kf"].min(), table["kf"].max()) == (1.0, 5.0)
    assert table["A"].to_numpy() == pytest.approx(0.0, abs=1e-12)
    assert table["B"].to_numpy() == pytest.approx(8.0)
    assert set(table["stability"]) == {"stable"}


def test_a_sum_that_depends_on_what_varies_is_no_sum_along_a_branch(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # What leaves A comes to B kf/kr times over: kf/kr A + B never changes.
    weighted = CLOSED.replace("change = { A = -1, B = 1 }", 'change = { A = -1, B = "kf/kr" }')
    (tmp_path / "weighted.toml").write_text(weighted)
    assert outcome(["equilibria", str(tmp_path / "weighted.toml"), "--over", "kf=1:5"]) == 3
    assert capsys.readouterr().err == (
        "error[equilibria.over]: which sums of states never change depends on `kf`\n"
        "  --> --over kf=1:5\n"
        "  try:      follow another parameter, or set `kf` to single values\n"
    )


def test_a_root_below_zero_that_no_amount_reaches_is_left_out_and_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # dX/dt = X (1 - X) (2 + X): from above 0 nothing comes to -2.
    shifted = MODEL.replace("mu - one*(X - 3)**2", "one*X*(mu/one - X)*(2 + X)").replace("initial = 4", "initial = 0.5")
    (tmp_path / "amount.toml").write_text(shifted)
    found = simulate.equilibria(tmp_path / "amount.toml", starts=200)
    assert [row["X"] for row in found.document["states"]] == pytest.approx([0.0, 1.0])
    assert [row["stability"] for row in found.document["states"]] == ["unstable", "stable"]
    assert found.document["left_out"] == 1
    assert outcome(["equilibria", str(tmp_path / "amount.toml"), "--starts", "200"]) == 0
    assert (
        "1 root is left out: with an amount below 0, where no course from amounts above 0 leads\n"
        in capsys.readouterr().out
    )


def test_of_undecided_states_three_are_shown_and_the_rest_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # All points of the line X = Z are steady, and their sum is not conserved: d(X + Z)/dt = -(X - Z)².
    line = MODEL.replace("mu - one*(X - 3)**2", "mu*(Z - X)").replace("initial = 4", "initial = 1")
    line += """
[species.Z]
unit = "1"
meaning = "other state"
initial = 2

[reactions.other]
rate = "one*(X - Z) - one*(X - Z)**2"
change = { Z = 1 }
"""
    (tmp_path / "line.toml").write_text(line)
    found = simulate.equilibria(tmp_path / "line.toml")
    states = found.document["states"]
    assert len(states) > 10
    assert [row["X"] for row in states] == pytest.approx([row["Z"] for row in states], abs=1e-5)
    assert {row["stability"] for row in states} == {"undecided"}
    assert "conserved" not in found.document
    assert outcome(["equilibria", str(tmp_path / "line.toml")]) == 0
    told = capsys.readouterr().out
    assert f"{len(states) - 3} more states are undecided: they lie side by side along a zero eigenvalue" in told
    assert "state 3" in told
    assert "state 4" not in told


def test_what_cannot_vary_is_refused_with_the_nearest(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome(["equilibria", str(model), "--over", "onee=0:1"]) == 3
    assert capsys.readouterr().err == (
        "error[equilibria.over]: this is no parameter or route with a range\n"
        "  --> --over onee=0:1\n"
        "  expected: such as `mu=0.5:2`\n"
        "  try:      did you mean `one`?\n"
    )


def test_states_are_drawn_where_they_are_named_or_nothing_else_is(
    model: Path, toggle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # At the states ±1 around 3 of mu = 1 stands 2 or 4 of X, 4 or 8 of Y.
    found = simulate.equilibria(model, over="mu=0.5:1", quantity=["X", "Y"])
    for branch in found.value[0].branches:
        assert branch.quantity("Y") == pytest.approx(2.0 * branch.quantity("X"), abs=1e-12)
        assert abs(branch.quantity("X") - 3.0) == pytest.approx(np.sqrt(branch.values), rel=1e-7)
    assert [axes.get_ylabel() for axes in found.figures["branches"]().axes] == ["X", "Y"]
    alone = simulate.equilibria(toggle, over="k=0.5:1")
    assert [axes.get_ylabel() for axes in alone.figures["branches"]().axes] == ["X", "Y"]
    assert outcome(["equilibria", str(toggle), "--over", "k=0.5:1", "--quantity", "XX", "--out", str(tmp_path)]) == 3
    assert capsys.readouterr().err == (
        "error[equilibria.quantity]: the model has no state or observable `XX`\n  --> --quantity XX\n"
        "  try:      did you mean `X`?\n"
    )


def test_a_parameter_that_ends_with_the_name_is_meant(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "local.toml").write_text(MODEL.replace("one", "vtrnldeg_a2"))
    assert outcome(["equilibria", str(tmp_path / "local.toml"), "--over", "a2=1"]) == 3
    assert capsys.readouterr().err == (
        "error[equilibria.over]: this is no parameter or route with a range\n"
        "  --> --over a2=1\n"
        "  expected: such as `mu=0.5:2`\n"
        "  try:      did you mean `vtrnldeg_a2`?\n"
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


def test_each_draw_of_a_fit_has_the_steady_states_of_its_own_typical_patient(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["equilibria", "-H", "H1", "--fit", "prior", "--draws", "3", "--starts", "4", "--out", str(tmp_path / "a")]
    assert outcome(asked) == 0
    shown = capsys.readouterr().out
    assert "of 3 draws of the prior: median (5 % to 95 % of these)" in " ".join(shown.split())
    rows = csv.DictReader((tmp_path / "a" / "states.csv").read_text(encoding="utf-8").splitlines())
    stable = {int(row["draw"]): row for row in rows if row["stability"] == "stable"}
    assert sorted(stable) == [0, 1, 2]
    # The balanced baseline is a steady state of each draw, and how well cells stain differs between them.
    assert [float(row["signal_lymph"]) for row in stable.values()] == pytest.approx([100.0] * 3, rel=1e-6)
    assert len({row["il17a"] for row in stable.values()}) == 3


def test_a_draw_changes_the_typical_values_that_it_has_and_no_others() -> None:
    found = simulate.equilibria(hypothesis="H1", fit="prior", draws=2, starts=2).value
    known = draws_named("H1", "prior", 2)
    rows = {part.name: part.value for part in found[0].study.population.parameters}
    changes = changes_at(known.problem, known.points).typical
    for one in found:
        assert one.draw is not None
        population = {part.name: part.value for part in _population(one.study, one.draw).parameters}
        moved = {name for name in rows if population[name] != rows[name]}
        assert moved <= changes.keys()
        assert {name: population[name] for name in moved} == {name: float(changes[name][one.draw]) for name in moved}
        assert moved


def test_the_plane_of_two_states_has_their_rates_and_a_figure(toggle: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    found = simulate.equilibria(toggle, plane="X=0:4,Y", out=out)
    rows = np.array([[row[name] for name in ("X", "Y", "X_rate", "Y_rate")] for row in found.tables["plane"].records()])
    x, y, dx, dy = rows.T
    assert (x.min(), x.max()) == (0.0, 4.0)
    assert dx == pytest.approx(1 + 3 / (1 + y**2) - x, abs=1e-12)
    assert dy == pytest.approx(1 + 3 / (1 + x**2) - y, abs=1e-12)
    assert {path.name for path in out.iterdir()} >= {"plane.csv", "plane.png", "plane.svg"}


@pytest.mark.parametrize(
    ("plane", "fit", "message"),
    [
        (
            "X",
            "typical",
            "error[equilibria.plane]: these are not two states\n  --> --plane X\n"
            "  expected: two names with or without a range in their own unit, such as `x,y` or `x=0:3,y=0:10`\n",
        ),
        (
            "X,Z",
            "typical",
            "error[plane.state]: the model has no state `Z`\n  expected: `X`, `Y`\n",
        ),
        (
            "X,Y",
            "prior",
            "error[equilibria.plane]: a plane is of one patient, and each draw of a fit has its own\n"
            "  found:    the plane `X,Y` and the fit `prior`\n  try:      leave out one of the two\n",
        ),
    ],
)
def test_what_is_no_plane_is_refused(
    toggle: Path, capsys: pytest.CaptureFixture[str], plane: str, fit: str, message: str
) -> None:
    source = str(toggle) if fit == "typical" else "untreated"
    assert outcome(["equilibria", source, "--plane", plane, "--fit", fit]) == 3
    assert capsys.readouterr().err == message


def test_no_draw_keeps_a_root_below_zero() -> None:
    found = simulate.equilibria(settings={"model.hypothesis": "H1+H3a+H4", "model.fit": "prior", "model.draws": 4})
    assert len(found.value) == 4
    assert all((state.state >= 0.0).all() for one in found.value for state in one.states)
    assert found.document["left_out"] == sum(one.left_out for one in found.value) > 0


def test_no_branch_is_entered_at_a_root_below_zero(tmp_path: Path) -> None:
    # The branches are X = 0 and X = mu; from above 0 nothing comes to the third, at -2.
    shifted = MODEL.replace("mu - one*(X - 3)**2", "one*X*(mu/one - X)*(2 + X)").replace("initial = 4", "initial = 0.5")
    (tmp_path / "amount.toml").write_text(shifted)
    (found,) = simulate.equilibria(tmp_path / "amount.toml", starts=200, over="mu=0.5:2").value
    curves = sorted(found.branches, key=lambda branch: branch.states.max())
    assert len(curves) == 2
    np.testing.assert_allclose(curves[0].states[:, 0], 0.0, atol=1e-9)
    np.testing.assert_allclose(curves[1].states[:, 0], curves[1].values, rtol=1e-9)


TIMED = """\
[parameters]
k = "1 1/d"
[species.A]
unit = "mg"
[species.B]
unit = "mg"
[definitions.dawn]
expression = "1 + sin(2*t/day)"
unit = "1"
[definitions.light]
expression = "2*dawn"
unit = "1"
[parameters.day]
value = 1
unit = "d"
[reactions.fed]
rate = "k*A*light"
change = { A = 1 }
[reactions.gone]
rate = "k*A*t/day"
change = { A = -1 }
[reactions.still]
rate = "k*B"
change = { B = -1 }
"""


def test_what_depends_on_time_is_named_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("timed.toml").write_text(TIMED, encoding="utf-8")
    assert outcome(["equilibria", "timed.toml"]) == 3
    assert capsys.readouterr().err == (
        "error[equilibria.time]: a system that depends on time has no steady states\n"
        "  found:    time in the definition `dawn`, the reaction `gone`\n"
        "  try:      fix what changes in time at one value, as a parameter\n"
    )
    rules = """
      <listOfParameters><parameter id="k" value="1" constant="false"/></listOfParameters>
      <listOfRules><rateRule variable="k"><math xmlns="http://www.w3.org/1998/Math/MathML">
      <csymbol encoding="text" definitionURL="http://www.sbml.org/sbml/symbols/time">t</csymbol></math></rateRule>
      </listOfRules>"""
    head = '<sbml xmlns="http://www.sbml.org/sbml/level2/version4" level="2" version="4">'
    Path("timed.xml").write_text(f'{head}<model id="m">{rules}</model></sbml>', encoding="utf-8")
    assert outcome(["equilibria", "timed.xml"]) == 3
    assert "  found:    time in the reaction `k_by_rule`\n" in capsys.readouterr().err
