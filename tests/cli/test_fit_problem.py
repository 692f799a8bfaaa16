"""``simulate fit problem.yaml`` and ``simulate check problem.yaml``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("libsbml")
pytest.importorskip("yaml")

import simulate
from simulate.cli.app import outcome
from tests.exchange.problems import write_problem

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Path of a problem in the working folder."""
    monkeypatch.chdir(tmp_path)
    return str(write_problem(Path("p")))


def test_a_problem_is_fitted_written_and_repeated_to_the_same_bits(problem: str, capsys: Capture) -> None:
    assert outcome(["fit", problem, "--starts", "1", "--out", "mine", "--threads", "1"]) == 0
    said = capsys.readouterr()
    assert "The greatest log-likelihood found is" in said.out
    # On a pipe nothing says how far a short fit is.
    assert "start 1 of 1" not in said.err
    document = json.loads(Path("mine/fit.json").read_text(encoding="utf-8"))
    assert [row["name"] for row in document["parameters"]] == ["k", "a0"]
    names = {path.name for path in Path("mine").iterdir()}
    assert names == {"estimates.csv", "starts.csv", "simulations.csv", "fit.json", "inputs", "manifest.json"}
    again = simulate.repeat("mine")
    assert again.differing == ()
    assert {"estimates.csv", "fit.json", "simulations.csv", "starts.csv"} <= set(again.same)


def test_profiles_and_a_posterior_are_printed_written_and_repeated(problem: str, capsys: Capture) -> None:
    asked = ["--profile", "k", "--posterior", "--particles", "20", "--draws", "128", "--runs", "1"]
    assert outcome(["fit", problem, "--starts", "2", *asked, "--out", "mine", "--threads", "1"]) == 0
    said = capsys.readouterr()
    assert "profile 1 of 1, `k`" in said.err
    assert "Profiles: both ends within the bounds: k." in said.out
    assert "Posterior: median and 90 %" in said.out
    assert "Log-evidence" in said.out
    assert "Posterior: one run alone cannot tell whether it went everywhere: more runs." in said.out
    document = json.loads(Path("mine/fit.json").read_text(encoding="utf-8"))
    (row,) = document["profiles"]["parameters"]
    assert (row["name"], row["verdict"]) == ("k", "bounded")
    assert [one["name"] for one in document["posterior"]["estimates"]] == ["k", "a0"]
    names = {path.name for path in Path("mine").iterdir()}
    assert {"profiles.csv", "curves.csv", "profiles.png", "posterior.csv", "draws.csv"} <= names
    assert Path("mine/draws.csv").read_text(encoding="utf-8").startswith("log_likelihood,k,a0\n")
    assert Path("mine/curves.csv").read_text(encoding="utf-8").startswith("held,drop,k,a0\n")
    assert simulate.repeat("mine").differing == ()


def test_a_fit_without_figures_is_repeated_without_and_only_a_problem_has_any(problem: str, capsys: Capture) -> None:
    asked = ["--starts", "2", "--profile", "k", "--threads", "1", "--no-figures", "--out", "mine"]
    assert outcome(["fit", problem, *asked]) == 0
    assert not list(Path("mine").glob("*.png"))
    simulate.repeat("mine", out="again")
    assert not list(Path("again").glob("*.png"))
    capsys.readouterr()
    assert outcome(["fit", "--no-figures"]) == 2
    assert "--no-figures is for a PROBLEM, and none is given" in capsys.readouterr().err


def test_all_parameters_are_profiled_where_all_are_asked_for_and_one_is_named(problem: str, capsys: Capture) -> None:
    assert outcome(["fit", problem, "--starts", "1", "--profiles", "--profile", "k", "--threads", "1", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["profiles"]["parameters"]
    assert [row["name"] for row in rows] == ["k", "a0"]


def test_a_posterior_of_which_too_few_draws_count_is_not_told(problem: str, capsys: Capture) -> None:
    asked = ["--posterior", "--particles", "20", "--draws", "64", "--runs", "1", "--seed", "3"]
    assert outcome(["fit", problem, "--starts", "1", *asked, "--out", "mine"]) == 0
    said = capsys.readouterr().out
    assert "The posterior is not told: " in said
    assert " More particles and draws." in said
    assert "Posterior: median" not in said
    assert not Path("mine/draws.csv").exists()
    assert json.loads(Path("mine/fit.json").read_text(encoding="utf-8"))["posterior"]["estimates"] == []


def test_a_profile_of_what_is_not_sought_is_refused_before_the_fit(problem: str, capsys: Capture) -> None:
    assert outcome(["fit", problem, "--profile", "a"]) == 3
    assert (
        capsys.readouterr().err
        == "error[petab.profile]: no parameter `a` is sought\n  expected: `k`, `a0`\n  try:      did you mean `a0`?\n"
    )


def test_the_document_of_a_fit_is_printed_alone_when_it_is_asked_for(problem: str, capsys: Capture) -> None:
    assert outcome(["fit", problem, "--starts", "1", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    (folder,) = Path("fits").iterdir()
    assert document == json.loads((folder / "fit.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--particles", "30"],
            "--particles is for the fit of a hypothesis, and a PROBLEM is given",
        ),
        (["-H", "H1"], "--hypothesis is for the fit of a hypothesis, and a PROBLEM is given"),
    ],
)
def test_options_of_hypotheses_are_refused_with_a_problem(
    problem: str, capsys: Capture, arguments: list[str], message: str
) -> None:
    assert outcome(["fit", problem, *arguments]) == 2
    assert capsys.readouterr().err == f"error[usage.argument]: {message}\n  try:      leave it out\n"


def test_options_of_problems_are_refused_without_one(capsys: Capture) -> None:
    for option, *value in (["--starts", "3"], ["--profile", "k"], ["--posterior"]):
        assert outcome(["fit", option, *value]) == 2
        assert capsys.readouterr().err == (
            f"error[usage.argument]: {option} is for a PROBLEM, and none is given\n  try:      leave it out\n"
        )


def test_checking_a_problem_says_what_it_holds(problem: str, capsys: Capture) -> None:
    assert outcome(["check", problem]) == 0
    assert capsys.readouterr().out == (
        "p/problem.yaml: nothing wrong with this PEtab file: version 1, 3 parameters of which 2 are sought, "
        "1 experiment, 1 observable, 3 measurements, 2 states; "
        "left out: the parameter `unused`, which nothing uses\n"
    )


def test_checking_a_problem_that_cannot_be_taken_names_the_place(problem: str, capsys: Capture) -> None:
    table = Path("p/parameters.tsv")
    table.write_text(table.read_text(encoding="utf-8").replace("log10", "log3"), encoding="utf-8")
    assert outcome(["check", problem]) == 3
    assert "error[petab.choice]" in (said := capsys.readouterr().err)
    assert "p/parameters.tsv:2, key `parameterScale`" in said
