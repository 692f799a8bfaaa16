"""Verbs of the command line and functions of Python are one: the same defaults, the same numbers."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from dataclasses import fields
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import typer

import simulate
from simulate.api.comparing import calibrate_choice
from simulate.cli.app import outcome
from simulate.errors import InputError
from simulate.studies.fitting.posterior import Settings
from simulate.verbs import verbs

Capture = pytest.CaptureFixture[str]

FUNCTIONS: dict[str, Callable[..., Any]] = {
    name: getattr(simulate, verb.word) for name, verb in verbs().items() if verb.api is not None
}

ONLY_IN_PYTHON = {"progress", "report"}
"""Arguments for which the command line has no option: it shows progress of its own."""

ONLY_OF_THE_COMMAND = {
    "run": {"hypotheses", "patient"},
    "sweep": {"dry_run", "part_size"},
    "audit": {"everything"},
    "compare": {"calibrate", "larger"},
    "tidy": {"directory", "out", "force"},
    "fit": {"problem", "starts", "rtol", "force", "profile", "posterior", "figures"},
}
"""Options that ask for something else: several hypotheses, one patient, an estimate, made-up abstracts, a file, a
problem in PEtab, which `simulate.fit_problem` fits."""

INSTEAD = {"run": {"hypothesis"}, "verify": {"threads"}, "tidy": {"results"}}
"""Arguments whose option is another: one hypothesis of a run is one of several; a verification takes all cores; a
directory is what a command has of results."""


def options_of(verb: str) -> dict[str, Any]:
    """Default of each parameter of the parsed command line."""
    row = verbs()[verb]
    app = typer.Typer(add_completion=False)
    app.command()(getattr(import_module(row.module), row.function))
    command = typer.main.get_command(app)
    return {part.name or "": part.default for part in command.params if part.name not in ("help", "as_json")}


@pytest.mark.parametrize("verb", FUNCTIONS)
def test_defaults_of_a_function_are_those_of_its_verb(verb: str) -> None:
    parameters = inspect.signature(FUNCTIONS[verb]).parameters
    options = options_of(verb)
    assert set(parameters) - ONLY_IN_PYTHON - INSTEAD.get(verb, set()) == set(options) - ONLY_OF_THE_COMMAND.get(
        verb, set()
    )
    for name, default in options.items():
        own = parameters[name].default if name in parameters else default
        asked = None if own is inspect.Parameter.empty else own
        assert (default or None) == (asked or None), name


@pytest.mark.parametrize("verb", FUNCTIONS)
def test_each_argument_of_a_function_has_a_type_and_its_meaning_is_told(verb: str) -> None:
    function = FUNCTIONS[verb]
    told = inspect.getdoc(function) or ""
    heads = {name.strip() for line in told.splitlines() if not line.startswith(" ") for name in line.split(",")}
    for name, part in inspect.signature(function).parameters.items():
        assert part.annotation is not inspect.Parameter.empty
        assert name in heads, name


def test_a_fit_is_as_long_in_every_verb_that_makes_one() -> None:
    known = {part.name: part.default for part in fields(Settings)}
    for verb in ("fit", "compare"):
        own = inspect.signature(FUNCTIONS[verb]).parameters
        assert {name: own[name].default for name in known if name in own} == {n: known[n] for n in known if n in own}
    larger = options_of("compare")["larger"]
    assert inspect.signature(calibrate_choice).parameters["larger"].default == larger


def test_names_of_verbs_stay_functions_whatever_is_imported() -> None:
    for module in ("simulate.trials.reading", "simulate.results.html_report", "simulate.api.fitting"):
        import_module(module)
    assert all(callable(getattr(simulate, name)) for name in ("trial", "report", "fit", "repeat"))


def test_an_audit_finds_in_python_what_the_verb_prints(capsys: Capture) -> None:
    found = simulate.audit()
    assert outcome(["audit", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == found.document
    assert found.tables["findings"].frame().shape == (len(found.value[1]), 5)


def test_a_trial_has_in_python_the_numbers_of_the_verb_and_repeats_from_its_directory(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    short = {"hypothesis": "H0", "studies": 100, "draws": 8, "patients": 16}
    found = simulate.trial(**short, out="here")
    options = ["-H", "H0", "--studies", "100", "--draws", "8", "--patients", "16"]
    assert outcome(["trial", *options, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(json.dumps(found.document))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert outcome(["runs", "repeat", "../here"]) == 0
    assert capsys.readouterr().out == "the same to the bit: effects.csv, printed.csv, trial.json\n"
    assert list(Path().iterdir()) == []


def test_a_fit_that_would_not_be_looked_at_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        simulate.reproduce(fit="mine.json", refit=True)
    assert str(caught.value) == (
        "error[reproduce.refit]: a fit is named, and another is to be made\n"
        "  found:    mine.json\n"
        "  try:      leave out `fit` or `refit`"
    )


def test_one_text_in_the_place_of_several_is_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^error\[hypothesis.unknown\]: there is no hypothesis `H77`"):
        simulate.predict("H77")
    one, many = simulate.tidy(_ran(tmp_path), quantities="ifng"), simulate.tidy(_ran(tmp_path), quantities=["ifng"])
    assert one.equals(many)


def _ran(folder: Path) -> Path:
    if not (folder / "ran").exists():
        simulate.run("anakinra-100mg-daily", end="1 d", patients=1, fit="typical", out=folder / "ran", figures=False)
    return folder / "ran"
