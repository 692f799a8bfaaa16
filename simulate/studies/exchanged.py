"""Models of other programs as scenarios: one patient, untreated, for some time."""

from __future__ import annotations

import json
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from simulate.errors import InputError, Where
from simulate.exchange.sbml import is_sbml, read_sbml
from simulate.files import parse_toml
from simulate.studies.scenario import Scenario, read_scenario, scenario_from
from simulate.studies.settings import Setting
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


def scenario_for(
    source: Path | str, end: str | None = None, every: str | None = None, settings: Sequence[Setting] = ()
) -> Scenario:
    """Scenario of its name or file, or of an SBML file, which alone needs to be told its times.

    Raises
    ------
    InputError
        ``exchange.time`` for an SBML file without an ``end``, and for times beside a scenario; as `model_scenario` and
        `read_scenario`.
    """
    if is_sbml(source):
        if end is None:
            raise InputError(
                "an SBML file does not say how long it is to be solved",
                code="exchange.time",
                where=Where(str(source)),
                expected='--end "10 h"',
            )
        return model_scenario(source, end, every, settings)
    if end is not None or every is not None:
        raise InputError(
            "--end and --every are for an SBML file, and a scenario has times of its own",
            code="exchange.time",
            where=Where(str(source)),
            advice='set them: --set "time.end=10 d"',
        )
    return read_scenario(source, settings)
