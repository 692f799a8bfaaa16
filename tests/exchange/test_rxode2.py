"""Texts for rxode2: R, whose grammar they have, computes the same rates, and deSolve the same course."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from simulate.biology.hypotheses import hypothesis_named
from simulate.cli.app import outcome
from simulate.errors import InputError
from simulate.exchange.rxode2 import rxode2_text
from simulate.exchange.sbml.names import Names
from tests.exchange.texts import (
    EVENT,
    SECOND_ROUTE,
    Twin,
    assert_agree,
    course,
    given_to,
    shipped_models,
    switching_model,
    twins_of_sample,
)
from tests.helpers.models import reference_model

READER = r"""
# A model as rxode2 reads it: values of `ini`, then the statements of `model`, a state by its name.
read_model <- function(path) {
  blocks <- as.list(body(eval(parse(path, encoding = "UTF-8")[[1]][[3]])))[-1]
  found <- list(ini = list(), model = list())
  for (block in blocks) found[[as.character(block[[1]])]] <- as.list(block[[2]])[-1]
  place <- new.env()
  for (one in found$ini) eval(one, place)
  is_call <- function(one, name) is.call(one[[2]]) && identical(one[[2]][[1]], as.name(name))
  kind <- sapply(found$model, function(one)
    if (is_call(one, "/")) "rate" else if (is_call(one, "f")) "gain" else if (is.call(one[[2]])) "start" else "value")
  of <- function(one) as.character(one[[2]][[if (is_call(one, "/")) 3 else 1]])
  rates <- found$model[kind == "rate"]
  names(rates) <- sapply(rates, function(one) as.character(one[[2]][[3]][[2]]))
  gains <- found$model[kind == "gain"]
  names(gains) <- sapply(gains, function(one) as.character(one[[2]][[2]]))
  starts <- found$model[kind == "start"]
  names(starts) <- sapply(starts, function(one) as.character(one[[2]][[1]]))
  list(values = found$model[kind == "value"], rates = rates, gains = gains, starts = starts, place = place)
}
at <- function(model, t, y) {
  place <- new.env(parent = model$place)
  for (name in names(y)) assign(name, y[[name]], place)
  assign("t", t, place)
  for (one in model$values) eval(one, place)
  sapply(model$rates, function(one) eval(one[[3]], place)) -> rates
  list(rates = rates, place = place)
}
zeros <- function(model) setNames(rep(0, length(model$rates)), names(model$rates))
started <- function(model, part) {
  place <- at(model, 0, zeros(model))$place
  sapply(model[[part]], function(one) eval(one[[3]], place))
}
"""

POINTS = (
    READER
    + r"""
for (line in readLines("cases.txt")) {
  part <- strsplit(line, " ")[[1]]
  model <- read_model(part[1])
  points <- as.matrix(read.csv(part[2], header = FALSE))
  observed <- setdiff(strsplit(part[3], ",")[[1]], "-")
  starts <- started(model, "starts")
  values <- c(starts[names(model$rates)], started(model, "gains"))
  for (row in seq_len(nrow(points))) {
    found <- at(model, points[row, 1], setNames(points[row, -1], names(model$rates)))
    values <- c(values, found$rates, sapply(observed, get, found$place))
  }
  cat(format(unlist(values), digits = 17), "\n")
}
"""
)

COURSE = (
    READER
    + r"""
model <- read_model("model.R")
doses <- read.csv("doses.csv")
times <- scan("times.txt", quiet = TRUE)
gains <- started(model, "gains")
y <- started(model, "starts")[names(model$rates)]
slope <- function(t, y, parms) list(at(model, t, y)$rates)
now <- 0
found <- NULL
for (stop in unique(sort(c(doses$TIME, times)))) {
  if (stop > now) y <- deSolve::lsoda(y, c(now, stop), slope, NULL, rtol = 1e-10, atol = 1e-12)[2, -1]
  now <- stop
  if (stop %in% times) found <- rbind(found, y)
  for (row in which(doses$TIME == stop)) {
    name <- doses$CMT[row]
    y[name] <- if (doses$EVID[row] == 5) doses$AMT[row] else y[name] + gains[name] * doses$AMT[row]
  }
}
write.table(format(found, digits = 17), row.names = FALSE, col.names = FALSE, quote = FALSE, sep = ",")
"""
)


def run_r(program: str, folder: Path) -> str:
    if shutil.which("Rscript") is None:
        pytest.skip("R is not installed")
    done = subprocess.run(
        ["Rscript", "--vanilla", "-"],
        cwd=folder,
        input=program,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def in_r(twins: dict[str, Twin], folder: Path) -> dict[str, np.ndarray]:
    """Start, gains, and rates and observables at the points of each model, as R finds them."""
    cases = []
    for name, twin in twins.items():
        text = rxode2_text(twin.written, given_to(twin.written))
        (folder / f"{name}.R").write_text(text.text, encoding="utf-8")
        np.savetxt(folder / f"{name}.csv", twin.points(), delimiter=",", fmt="%.17g")
        names = [text.renamed.get(part.name, part.name) for part in twin.written.observables]
        cases.append(f"{name}.R {name}.csv {','.join(names) or '-'}")
    (folder / "cases.txt").write_text("\n".join(cases) + "\n", encoding="utf-8")
    lines = run_r(POINTS, folder).splitlines()
    return {name: np.array(line.split(), dtype=float) for name, line in zip(twins, lines, strict=True)}


def test_every_model_and_hypothesis_that_ships_becomes_a_function_of_r(tmp_path: Path) -> None:
    models = shipped_models()
    assert len(models) > 45
    for name, model in models.items():
        text = rxode2_text(model)
        assert text.left_out == ()
        (tmp_path / f"{name}.R").write_text(text.text, encoding="utf-8")
    program = 'for (file in list.files(pattern = "[.]R$")) cat(class(eval(parse(file, encoding = "UTF-8")))[1], "\n")'
    assert run_r(program, tmp_path).split() == ["function"] * len(models)


def test_r_computes_models_that_ship_to_the_same_rates(tmp_path: Path) -> None:
    twins = twins_of_sample()
    assert_agree(twins, in_r(twins, tmp_path))


def test_r_computes_every_function_and_each_renamed_quantity(tmp_path: Path) -> None:
    model = switching_model(tmp_path)
    text = rxode2_text(model)
    assert text.renamed == {"rate": "rate_", "_in": "x_in", "_0": "x_0"}
    twins = {"switching": Twin(model)}
    assert_agree(twins, in_r(twins, tmp_path))


def test_desolve_reaches_the_same_states_from_the_table_of_doses(tmp_path: Path) -> None:
    if "TRUE" not in run_r('cat(requireNamespace("deSolve", quietly = TRUE))', tmp_path):
        pytest.skip("the R package deSolve is not installed")
    model = reference_model(hypothesis_named("H1+H6"))
    text = rxode2_text(model, given_to(model))
    (tmp_path / "model.R").write_text(text.text, encoding="utf-8")
    (tmp_path / "doses.csv").write_text(text.doses, encoding="utf-8")
    times = np.array([0.25, 0.75, 2.0, 9.0])
    np.savetxt(tmp_path / "times.txt", times, fmt="%.17g")
    found = np.loadtxt(io.StringIO(run_r(COURSE, tmp_path)), delimiter=",")
    expected = course(model, times)
    np.testing.assert_allclose(found[:, : expected.shape[1]], expected, rtol=1e-7, atol=1e-9)


def test_an_arm_becomes_a_text_and_a_table_of_doses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert outcome(["convert", "anakinra-100mg-daily", "-H", "H1", "-o", "anakinra.R"]) == 0
    assert capsys.readouterr().out.split()[:5] == ["wrote", "anakinra.R,", "doses", "in", "anakinra.R.doses.csv:"]
    with Path("anakinra.R.doses.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["TIME"], row["EVID"], row["CMT"], row["AMT"]) for row in rows[:2]] == [
        ("0.0", "1", "A_d", "100.0"),
        ("1.0", "1", "A_d", "100.0"),
    ]
    assert len(rows) == 182
    assert "\n    K_Ra <- 0.1  # dissociation constant of IL-1Ra and the IL-1 receptor [nM]; dripps-1991 (read)\n" in (
        Path("anakinra.R").read_text(encoding="utf-8")
    )
    Path("anakinra.R").unlink()
    assert outcome(["convert", "anakinra-100mg-daily", "-H", "H1", "-o", "anakinra.R"]) == 2
    assert "the file anakinra.R.doses.csv is there already" in capsys.readouterr().err
    assert not Path("anakinra.R").exists()
    assert outcome(["convert", "anakinra-100mg-daily", "-o", "anakinra.R", "--force", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["doses"] == "anakinra.R.doses.csv"
    # Of an arm without doses none are left beside it.
    Path("anakinra.R").unlink()
    assert outcome(["convert", "untreated", "-o", "anakinra.R"]) == 2
    assert "the file anakinra.R.doses.csv is there already" in capsys.readouterr().err
    assert outcome(["convert", "untreated", "-o", "anakinra.R", "--force"]) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["anakinra.R"]


def test_events_of_a_model_and_doses_that_cannot_be_told_apart_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        rxode2_text(switching_model(tmp_path, EVENT))
    assert str(caught.value) == (
        "error[exchange.events]: rxode2 has no events that a model triggers by itself\n"
        "  found:    empty\n"
        "  expected: a model without events\n"
        "  try:      write it as SBML; doses of a file of another program can be said with --end"
    )
    model = switching_model(tmp_path, SECOND_ROUTE)
    assert rxode2_text(model).left_out == ("the routes `pill`, `drop`: they lead into one state with different gains",)
    with pytest.raises(InputError) as caught:
        rxode2_text(model, given_to(model))
    assert str(caught.value) == (
        "error[exchange.route]: the route `pill` leads into the same state as another, with another gain\n"
        "  expected: one route into each state: the text says what arrives of a dose state by state\n"
        "  try:      write it as SBML, or give all doses by one route"
    )


def test_what_a_text_does_not_say_is_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    switching_model(tmp_path)
    assert outcome(["convert", "switching.toml", "-o", "switching.cpp"]) == 0
    assert (
        capsys.readouterr().err.split()
        == (
            "renamed: `R_C` is `R_C_`, `_in` is `x_in`, `rate` is `rate_`, `C_0` is `C_0_`, `_0` is `x_0`, "
            "`double` is `double_`"
        ).split()
    )


def test_the_reference_model_has_neither_doses_nor_an_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for arguments in (["-o", "x.omex"], ["--end", "2 d", "-o", "x.R"]):
        assert outcome(["convert", "reference", *arguments]) == 2
        assert capsys.readouterr().err == (
            "error[usage.argument]: the reference model alone has neither doses nor an end\n"
            "  try:      convert an arm of a scenario, such as `untreated`\n"
        )


def test_routes_that_an_arm_leaves_out_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    switching_model(tmp_path, SECOND_ROUTE)
    assert outcome(["convert", "switching.toml", "--end", "2 d", "-o", "x.R"]) == 0
    told = " ".join(capsys.readouterr().err.split())
    assert "left out: the routes `pill`, `drop`: they lead into one state with different gains" in told


def test_a_name_whose_beginning_the_language_keeps_for_itself_gets_another_beginning() -> None:
    names = Names(lambda name: name[0].isalpha() and not name.startswith("rx"))
    assert [names.new(name) for name in ("rxa", "rxa", "n_rxa", "a", "a", "t")] == [
        *("n_rxa", "n_rxa_2", "n_rxa_3", "a", "a_2", "t_"),
    ]
