"""The command that repeats one patient of a study, with the same bits."""

from __future__ import annotations

import json
import shlex
from typing import Any

from simulate import shipped
from simulate.files import Document, dotted
from simulate.studies.runs import Study
from simulate.tomltext import Keys

_OF_THE_COHORT = {("cohort", "patients"), ("cohort", "first"), ("cohort", "seed")}


def replay_command(study: Study, patient: int) -> str:
    """One line for the shell: ``simulate run SCENARIO … --patient 137 --seed 5``.

    Every setting that was laid over the scenario is in it. A patient has the same bits alone as among others.
    """
    scenario = study.scenario
    path = scenario.document.path
    is_shipped = str(shipped.scenario_files().get(scenario.name)) == path
    words = ["simulate", "run", scenario.name if is_shipped else path]
    is_alone = str(scenario.model) == path
    if is_alone:
        # A model that was run by itself: its scenario was written for it.
        times = scenario.document.data["time"]
        words += ["--end", times["end"], "--every", times["every"]]
    for keys in scenario.document.origins:
        if keys not in _OF_THE_COHORT and not (is_alone and keys in (("time", "end"), ("time", "every"))):
            words += ["--set", f"{dotted(*keys)}={_value(scenario.document, keys)}"]
    return shlex.join([*words, "--patient", str(patient), "--seed", str(scenario.seed)])


def _value(document: Document, keys: Keys) -> str:
    """The value that a setting gave a key, as TOML."""
    value: Any = document.data
    for key in keys:
        value = value[key]
    return json.dumps(value, ensure_ascii=False)
