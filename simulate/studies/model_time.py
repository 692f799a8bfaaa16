"""The unit of time of a model of another program, where a scenario says it or nobody does."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from simulate.errors import InputError, Where
from simulate.exchange.foreign import is_foreign, read_foreign
from simulate.studies.settings import Setting
from simulate.symbolic.units import TIME_DIMENSION, unit
from simulate.toml import TomlTable


def time_unit_of(model: TomlTable) -> str | None:
    """Unit of time that a scenario gives to its model; None where it gives none."""
    text = model.text("time_unit", None)
    if text is None:
        return None
    if not is_foreign(model.text("file", "")):
        raise InputError(
            "only a model in SBML or Antimony can be told its unit of time",
            code="scenario.model",
            where=model.where("time_unit"),
            found=f"`{text}`",
            advice="leave it out: other models have units of their own",
        )
    return _checked(text, model.where("time_unit"))


def _checked(text: str, where: Where) -> str:
    """A unit of time that somebody gives to a model, as it was written; an error if it is none."""
    try:
        is_time = unit(text).dimension == TIME_DIMENSION
    except InputError:
        is_time = False
    if not is_time:
        raise InputError(
            "this is no unit of time",
            code="units.mismatch",
            where=where,
            found=f"`{text}`",
            expected="a unit such as s, min, h or d",
        )
    return text


def time_unit_set(settings: Sequence[Setting]) -> str | None:
    """Unit of time that settings give to a model of another program; None where none does."""
    said = [setting for setting in settings if setting.key == "model.time_unit"]
    return _checked(str(said[-1].value), Where(said[-1].origin)) if said else None


def said_of_time(file: Path) -> tuple[str, ...]:
    """What is taken for the unit of time of a model whose file gives none, and how to say another."""
    imported = read_foreign(file)
    other = "days, `--set model.time_unit=d`" if imported.time_unit == "s" else "hours, `--set model.time_unit=h`"
    return (f"{imported.time_note}; if it counts {other}",) if imported.time_note else ()
