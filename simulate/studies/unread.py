"""Refusal of keys of a scenario that an analysis does not read.

A scenario file serves every verb, so that it may have more than one of them needs. What is *set* for an analysis, by
``--set``, an option or an argument, is meant for it.
"""

from __future__ import annotations

from collections.abc import Mapping

from simulate.errors import InputError, listed
from simulate.files import dotted
from simulate.studies.scenario import Scenario

EVERYTHING = ("title", "question", "model", "time", "cohort", "arm", "parameters", "outputs", "solver")

READS: Mapping[str, tuple[str, ...]] = {
    "run": EVERYTHING,
    "sweep": EVERYTHING,
    "dose-response": (
        *("title", "question", "model", "time.end", "time.visits", "cohort", "arm", "parameters", "solver"),
    ),
    "sensitivity": (
        *("model.name", "model.file", "model.time_unit", "model.hypothesis", "model.beyond_bounds"),
        *("time.end", "time.visits"),
        *("cohort.population", "cohort.spread", "cohort.seed", "cohort.between_doses"),
        *("cohort.between_occasions", "cohort.occasion", "arm", "parameters", "solver"),
    ),
    "verify": ("model", "time", "cohort.patients", "cohort.first", "cohort.seed", "cohort.population", "cohort.spread",
               "cohort.between_doses", "cohort.between_occasions", "cohort.occasion", "arm", "parameters", "solver"),
}  # fmt: skip
"""Verb → keys, or tables of keys, that it reads."""

INSTEAD: Mapping[tuple[str, str], str] = {
    ("dose-response", "outputs.quantities"): "what is looked at is named by `--endpoint` and `--exposure`",
    ("dose-response", "time.every"): "times follow from endpoints and doses",
    ("sensitivity", "cohort.patients"): "how many are simulated follows from `--n` and `--trajectories`",
    (
        "sensitivity",
        "model.fit",
    ): "`--fit` says within what the numbers vary: their priors, if it is not given",
    ("sensitivity", "outputs.quantities"): "what is looked at is named by `--endpoint`",
    ("sensitivity", "time.every"): "times follow from endpoints and doses",
}
"""What to do in place of setting a key that a verb does not read."""


def refuse_unread(scenario: Scenario, verb: str, arm: int | None = None) -> None:
    """Refuse settings that an analysis would not look at."""
    for keys in scenario.document.origins:
        key = dotted(*keys)
        if not any(key == known or key.startswith((f"{known}.", f"{known}[")) for known in READS[verb]):
            raise InputError(
                f"`simulate {verb}` does not read `{key}`",
                code="scenario.unread",
                where=scenario.document.where(*keys),
                expected=listed(READS[verb]),
                advice=INSTEAD.get((verb, key)) or "leave the setting out",
            )
        if arm is not None and keys[0] == "arm" and keys[1:2] not in ((), (arm,)):
            raise InputError(
                f"`simulate {verb}` looks at the arm `{scenario.arms[arm].name}` alone",
                code="scenario.unread",
                where=scenario.document.where(*keys),
                advice="leave the setting out, or choose the other arm",
            )
