"""What a manifest holds of a study, and the study again from it, as far as that can be had."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from simulate.errors import InputError
from simulate.files import Document, content_hash
from simulate.studies.runs import Study, prepare
from simulate.studies.scenario import REFERENCE, scenario_from
from simulate.studies.treatments import Tabled


def described(study: Study) -> dict[str, Any]:
    """What a manifest holds of a study, so that it can be rebuilt: what was asked, of which files, with which model."""
    document = study.scenario.document
    inputs = {document.path: content_hash(document.text)}
    for path in (study.scenario.model, study.scenario.fit, *study.scenario.hypothesis):
        if isinstance(path, Path):
            inputs[str(path)] = content_hash(path.read_bytes())
    for arm in study.scenario.arms:
        if isinstance(arm.plan, Tabled):
            inputs[arm.plan.table.file] = content_hash(Path(arm.plan.table.file).read_bytes())
    return {
        "scenario": study.settings,
        "changes": sorted(study.scenario.document.origins.values()),
        "inputs": inputs,
        "model": {
            "name": study.model.name,
            "hypothesis": study.model.hypothesis,
            "key": study.model.key,
            "mechanisms": list(study.model.mechanisms),
        },
    }


def rebuilt_study(manifest: Mapping[str, Any]) -> Study | str:
    """The study of a run, or a sentence that says why it cannot be had.

    Its model is that of the run to the last number: the hash of the model is compared. Files of a user's model and
    hypothesis are read where they were, and must be as they were.

    Parameters
    ----------
    manifest
        With what `described` makes.
    """
    try:
        settings, model_key = dict(manifest["scenario"]), str(manifest["model"]["key"])
        if any("regimens" in arm or "covariates" in arm for arm in settings["arms"]):
            return "its doses were in a table, which a manifest does not hold"
        if any("rules" in arm for arm in settings["arms"]):
            return "its arms have rules, which a manifest holds as text only"
        data = _scenario(settings, manifest["inputs"])
        study = prepare(scenario_from(Document(path="manifest.json", data=data, text=""), name="manifest"))
    except (InputError, KeyError, TypeError, ValueError) as error:
        return f"its model cannot be had again: {error.what if isinstance(error, InputError) else error}"
    if study.model.key != model_key:
        return "its model, or a number of it, has changed since the run"
    same = study.settings.get("draws_key") == settings.get("draws_key")
    return study if same else "the fit that it stands on has changed since the run"


def _scenario(settings: Mapping[str, Any], inputs: Mapping[str, str]) -> dict[str, Any]:
    """What a scenario file would hold."""
    names = ("patients", "seed", "first", "between_doses", "dropout", "population")
    cohort = {name: settings[name] for name in names if name in settings}
    if (occasions := settings.get("occasions")) is not None:
        raise ValueError(f"its patients differ between occasions ({len(occasions)} settings)")
    model: dict[str, Any] = {"beyond_bounds": True, "hypothesis": settings["hypothesis"]}
    model |= {name: settings[name] for name in ("fit", "draws") if name in settings}
    own = [path for path, known in inputs.items() if _is_model(path, known)]
    if settings["model"] == REFERENCE:
        model["name"] = REFERENCE
    elif own:
        model["file"] = own[0]
    else:
        raise ValueError("the file of the model is gone, or is not as it was")
    return {
        "schema": 1,
        "title": settings["title"],
        **({} if settings.get("question") is None else {"question": settings["question"]}),
        "model": model,
        "time": {
            "end": f"{settings['end']!r} d",
            "every": f"{settings['every']!r} d",
            "visits": [f"{day!r} d" for day in settings.get("visits", ())],
        },
        "cohort": cohort,
        "arm": [
            {"name": arm["name"], "regimen": arm["regimen"], "parameters": dict(arm["parameters"])}
            for arm in settings["arms"]
        ],
        "outputs": {"quantities": list(settings["quantities"])},
        "solver": {name: settings[name] for name in ("rtol", "atol", "max_steps", "method") if name in settings}
        | ({"max_step": f"{settings['max_step']!r} d"} if "max_step" in settings else {})
        | ({"breaks": [f"{day!r} d" for day in settings["breaks"]]} if "breaks" in settings else {}),
    }


def _is_model(path: str, known: str) -> bool:
    """Whether a file is the model that it was: as long and as written then."""
    try:
        content = Path(path).read_bytes()
    except OSError:
        return False
    return content_hash(content) == known and b"[species." in content
