"""Models of other programs as scenarios: one patient, untreated, for some time."""

from __future__ import annotations

import json
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from simulate.errors import InputError
from simulate.exchange.sbml import read_sbml
from simulate.files import parse_toml
from simulate.studies.scenario import Scenario, scenario_from
from simulate.studies.sheets import Setting
from simulate.symbolic.units import TIME_DIMENSION, parse_quantity

_TIMES = 100


def model_scenario(path: Path | str, end: str, every: str | None = None, settings: Sequence[Setting] = ()) -> Scenario:
    """Scenario of an SBML file: its states and observables, at ``every`` time until the ``end``.

    Raises
    ------
    InputError
        ``units.…`` for what is no time; as `read_sbml` and `scenario_from`.
    """
    path = Path(path)
    imported = read_sbml(path)
    model = imported.model.compose()
    number, given = parse_quantity(end)
    if every is None:
        if given.dimension != TIME_DIMENSION:
            raise InputError(
                f"`{end}` is not a time", code="units.mismatch", expected='a number with a unit of time, such as "10 h"'
            )
        days = Fraction(repr(number)) * given.factor / _TIMES
        every = f"{float(days)!r} d"
    quantities = [part.name for part in (*model.species, *model.observables)]
    text = "\n".join(
        (
            "schema = 1",
            f"title = {json.dumps(model.title or path.stem)}",
            f"[model]\nfile = {json.dumps(path.name)}",
            f"[time]\nend = {json.dumps(end)}\nevery = {json.dumps(every)}",
            "[cohort]\npatients = 1",
            '[[arm]]\nname = "model"\nregimen = "none"',
            f"[outputs]\nquantities = {json.dumps(quantities)}",
        )
    )
    return scenario_from(parse_toml(text, str(path)), settings, name=path.stem)
