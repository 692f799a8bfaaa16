"""Scenarios made of a model alone, of another program or in TOML: it is simulated as it is, for some time."""

from __future__ import annotations

import json
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from simulate.errors import InputError, Where
from simulate.exchange.foreign import format_of, is_foreign, read_foreign
from simulate.files import parse_toml, read_toml
from simulate.studies.model_time import time_unit_set
from simulate.studies.scenario import (
    DEFAULT_PATIENTS,
    Scenario,
    find_scenario,
    is_model,
    read_scenario,
    scenario_from,
)
from simulate.studies.settings import Setting, times_set
from simulate.symbolic.units import TIME_DIMENSION, parse_quantity, with_unit

_TIMES = 100


def model_scenario(path: Path | str, end: str, every: str | None = None, settings: Sequence[Setting] = ()) -> Scenario:
    """Scenario of a model, of another program or in TOML: its states and observables, ``every`` time until the ``end``.

    Times are shown in the unit of the end, which the file of another program has where the end is a bare number; other
    bare numbers are in the same unit. Where patients differ, by the model or the settings,
    there are a hundred, else one.
    """
    path = Path(path)
    if is_foreign(path):
        imported = read_foreign(path, time_unit=time_unit_set(settings))
        model, own, regimen = imported.model.compose(), imported.time_unit, imported.regimen
    else:
        from simulate.symbolic.modelfile import read_model

        model, own, regimen = read_model(path).compose(), "", "none"
    asked = {name: f"--{name} {text}" for name, text in {"end": end, "every": every}.items() if text is not None}
    where = Where(asked["end"])
    number, given = parse_quantity(end, where=where)
    shown = given.text
    if own and given.dimension != TIME_DIMENSION:
        end, shown = with_unit(end, own), own
        number, given = parse_quantity(end)
    if given.dimension != TIME_DIMENSION:
        raise InputError(
            f"`{end}` is not a time",
            code="units.mismatch",
            where=where,
            expected='a number with a unit of time, such as "10 h"',
        )
    if every is None:
        days = Fraction(repr(number)) * given.factor / _TIMES
        every = f"{float(days)!r} d"
    else:
        parse_quantity(every, where=Where(asked["every"]))
        every = with_unit(every, shown)
    varies = any("spread" in setting.key.split(".") for setting in settings)
    varies = varies or any(part.spread is not None for part in model.parameters)
    patients = DEFAULT_PATIENTS if varies else 1
    quantities = [part.name for part in (*model.species, *model.observables)]
    text = "\n".join(
        (
            "schema = 1",
            f"title = {json.dumps(model.title or path.stem)}",
            f"[model]\nfile = {json.dumps(path.name)}",
            f"[time]\nend = {json.dumps(end)}\nevery = {json.dumps(every)}\nunit = {json.dumps(shown)}",
            f"[cohort]\npatients = {patients}",
            f'[[arm]]\nname = "model"\nregimen = {json.dumps(regimen)}',
            f"[outputs]\nquantities = {json.dumps(quantities)}",
        )
    )
    # What is wrong with a time is blamed on who said it.
    times = [Setting(f"time.{name}", {"end": end, "every": every}[name], origin) for name, origin in asked.items()]
    return scenario_from(parse_toml(text, str(path)), [*times, *settings], name=path.stem)


def scenario_for(
    source: Path | str, end: str | None = None, every: str | None = None, settings: Sequence[Setting] = ()
) -> Scenario:
    """Scenario of its name or file, or of a model, which must be told how long it is solved."""
    path = Path(source) if is_foreign(source) else find_scenario(str(source))
    if path.suffix.lower() == ".csv":
        raise InputError(
            "a table of doses is no scenario",
            code="run.kind",
            where=Where(str(source)),
            expected="a scenario, or a model",
            advice="name it in an arm of a scenario, in place of a regimen: "
            f'`doses = {{ file = "{path.name}", time = "h", amount = "mg" }}`',
        )
    document = None if is_foreign(path) else read_toml(path)
    if document is None or is_model(document):
        if end is None:
            if document is None:
                # One that is not there, or is cut short, is told as that.
                read_foreign(path, time_unit=time_unit_set(settings))
            a_model = f"an {format_of(path)}" if document is None else "a model"
            raise InputError(
                f"{a_model} file does not say how long it is to be solved",
                code="exchange.time",
                where=Where(str(source)),
                expected='--end "10 h"',
            )
        return model_scenario(path, end, every, settings)
    return read_scenario(source, [*settings, *times_set(end, every)])
