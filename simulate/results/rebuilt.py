"""The study of a run directory, rebuilt from the files in it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from simulate.errors import InputError
from simulate.inputs import given
from simulate.manifest import kept_inputs
from simulate.studies.bare_models import scenario_for
from simulate.studies.dose_response.responses import plan_response, request_of
from simulate.studies.models import kept_model
from simulate.studies.runs import Study, prepare
from simulate.studies.settings import Setting, option_set
from simulate.studies.sweeps.sweeping import planned
from simulate.symbolic.model import Model


def settings_of(arguments: Mapping[str, Any]) -> list[Setting]:
    """Settings that were laid over the scenario, from the arguments that a manifest has."""
    given_ones = arguments.get("settings") or []
    if isinstance(given_ones, Mapping):
        return [Setting(key, value, f"{key} = {value!r}") for key, value in given_ones.items()]
    return [Setting(*row) for row in given_ones]


def study_of(directory: Path, entries: Mapping[str, Any]) -> Study | str:
    """The study of a directory, or a sentence that says why it could not be rebuilt.

    Its model is that of the run to the last number, and its draws are those of the run: both are compared.
    """
    try:
        with given(kept_inputs(directory, entries)):
            study = _asked_again(directory, entries)
    except (InputError, KeyError, TypeError, ValueError) as error:
        return f"its study could not be rebuilt: {error.what if isinstance(error, InputError) else error}"
    if study is None:
        return "the numerical error is that of a scenario, and this is of none"
    if study.model.key not in (entry.get("key") for entry in entries.get("models", {}).values()):
        return "its model, or a number of it, has changed since the run"
    same = study.settings.get("draws_key") == entries.get("scenario", study.settings).get("draws_key")
    return study if same else "the fit that it stands on has changed since the run"


def _asked_again(directory: Path, entries: Mapping[str, Any]) -> Study | None:
    if entries["kind"] == "sweep":
        return planned(directory).study
    arguments = dict(entries.get("arguments", {}))
    if "scenario" not in arguments:
        return None
    settings = settings_of(arguments)
    if entries["kind"] == "dose-response":
        first = arguments["hypotheses"][:1]
        settings += [setting for name in first for setting in option_set("hypothesis", name)]
        return plan_response(arguments["scenario"], settings, request_of(arguments["request"])).sweep.study
    hypothesis = arguments.get("hypothesis") or next(iter(arguments.get("hypotheses") or []), None)
    settings += option_set("hypothesis", hypothesis)
    if entries["kind"] == "side-by-side" and arguments.get("fit"):
        settings += option_set("fit", arguments["fit"][0])
    return prepare(scenario_for(arguments["scenario"], arguments.get("end"), arguments.get("every"), settings))


def models_of(directory: Path, entries: Mapping[str, Any]) -> dict[str, Model | None]:
    """Models of a directory by hypothesis; None where the file is not as it was."""
    return {name: kept_model(directory, entry) for name, entry in dict(entries.get("models", {})).items()}
