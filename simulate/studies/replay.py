"""The command that repeats one patient of a study, with the same bits."""

from __future__ import annotations

import json
import shlex

from simulate import shipped
from simulate.files import dotted
from simulate.studies.runs import Study
from simulate.studies.sheets import Sheet
from simulate.tomltext import Keys

_OF_THE_COHORT = {("cohort", "patients"), ("cohort", "first"), ("cohort", "seed")}


def replay_command(study: Study, patient: int) -> str:
    """One line for the shell: ``simulate run SCENARIO … --patient 137 --seed 5``.

    Every setting that was laid over the scenario is in it. A patient has the same bits alone as among others.
    """
    scenario = study.scenario
    document = scenario.sheet.document.path
    is_shipped = str(shipped.scenario_files().get(scenario.name)) == document
    words = ["simulate", "run", scenario.name if is_shipped else document]
    for keys in scenario.sheet.origins:
        if keys not in _OF_THE_COHORT:
            words += ["--set", f"{dotted(*keys)}={_value(scenario.sheet, keys)}"]
    return shlex.join([*words, "--patient", str(patient), "--seed", str(scenario.seed)])


def _value(sheet: Sheet, keys: Keys) -> str:
    """The value that a setting gave a key, as TOML."""
    value = sheet.data
    for key in keys:
        value = value[key]  # type: ignore[index]
    return json.dumps(value, ensure_ascii=False)
