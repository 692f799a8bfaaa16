"""A population from a file such as `parameters/cohort.toml`.

::

    base = "myositis"               # covariates, effects and correlations of a shipped population hold here too
                                    # (a covariate or occasion given here replaces that of the base)

    [covariate.weight]              # a row like that of a parameter
    meaning = "body weight"
    value = 75
    unit = "kg"
    spread = { cv = 0.18 }          # or { sd_log = 0.18 }
    bounds = [50, 110]
    source = "..."
    grade = "memory"

    [[effect]]                      # covariate → parameter, by `exponent` of a power or by `log10_slope`
    covariate = "weight"
    parameter = "V"
    exponent = 1
    source = "..."
    grade = "seen"

    [[correlation]]                 # between the logarithms of two parameters or covariates
    a = "chi"
    b = "f_RO"
    rho = 0.8
    unless = "null_typical"         # left out where the model has this parameter: its mechanism brings it about
    source = "..."
    grade = "assumed"

    [[stratum]]                     # kinds of patients, in these proportions
    name = "IBM"
    count = 5
    source = "..."
    grade = "seen"

    [stratum.parameters.chi]        # in which these have a typical value (and spread, and bounds) of their own
    value = 0.9                     # `unless` as for a correlation
    source = "..."
    grade = "assumed"

    [[occasion]]                    # how much of a dose arrives, from dose to dose of a patient
    route = "sc"
    spread = { cv = 0.2 }
    source = "..."
    grade = "assumed"

    [[retention]]                   # how many stay in the study
    day = 91
    reached = 13
    of = 15
    source = "..."
    grade = "seen"

What concerns a parameter that the model in hand does not use is left out, if the parameter is a known one.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from simulate.cohort.population import (
    Correlation,
    Effect,
    Occasion,
    Population,
    PowerEffect,
    Retained,
    SlopeEffect,
    Stratum,
)
from simulate.errors import InputError, Where, did_you_mean
from simulate.files import Document, read_toml
from simulate.shipped import cohort_file, parameter_files, population_files
from simulate.symbolic.parts import Grade, Parameter, Spread
from simulate.symbolic.units import unit

_GRADES = {grade.name.casefold(): grade for grade in Grade}
_ORIGIN = ("source", "grade", "note")
_OF_STRATUM = ("value", "spread", "bounds", "unless", *_ORIGIN)


MYOSITIS = "myositis"
"""Name of the population of the trial, which a scenario has if it names no other."""


def shipped_population(parameters: Sequence[Parameter], name: str = MYOSITIS) -> Population:
    """A shipped population for the parameters of a model: patients of the trial, or others by name.

    Raises
    ------
    InputError
        ``cohort.unknown``: no population has this name.
    """
    return read_population(_file_of(name, None), parameters, known=_shipped_names())


def _shipped_names() -> set[str]:
    return {name for path in parameter_files() for name in read_toml(path).data}


def _file_of(name: str, where: Where | None) -> Path:
    files = {MYOSITIS: cohort_file(), **population_files()}
    if name not in files:
        raise InputError(
            f"there is no population `{name}`",
            code="cohort.unknown",
            where=where,
            expected=", ".join(f"`{known}`" for known in files) + ", or a file",
            advice=did_you_mean(name, files),
        )
    return files[name]


def read_population(
    path: Path | str, parameters: Sequence[Parameter], *, known: Collection[str] = frozenset()
) -> Population:
    """Read a population for the parameters of a model.

    Parameters
    ----------
    path
        File in the format above.
    parameters
        Parameters of the model, with their typical values, spreads and bounds.
    known
        Names that may occur in the file although the model does not use them.

    Raises
    ------
    InputError
        ``cohort.key``, ``cohort.value``, ``cohort.parameter`` (a name that nobody knows), ``cohort.correlation``,
        ``cohort.stratum``, ``cohort.retention``, ``cohort.unknown`` (the base), or an error of `read_toml`.
    """
    return _Reader(read_toml(path), {parameter.name: parameter for parameter in parameters}, known).population()


class _Table:
    """A table of the file: takes typed values by key, and blames key and line."""

    def __init__(self, document: Document, keys: tuple[str | int, ...], allowed: Sequence[str]) -> None:
        self.document = document
        self.keys = keys
        rows: Any = document.data
        for key in keys:
            rows = rows[key]
        if not isinstance(rows, Mapping):
            raise self.error("this is not a table", None)
        self.rows = rows
        for key in rows:
            if key not in allowed:
                raise InputError(
                    f"`{key}` is not a key of this table",
                    code="cohort.key",
                    where=self.where(key),
                    expected=", ".join(allowed),
                    advice=did_you_mean(key, allowed),
                )

    def where(self, key: str | None) -> Where:
        return self.document.where(*self.keys, *(() if key is None else (key,)))

    def error(self, what: str, key: str | None, *, expected: str | None = None, found: Any = None) -> InputError:
        shown = None if found is None else repr(found)[:100]
        return InputError(what, code="cohort.value", where=self.where(key), found=shown, expected=expected)

    def text(self, key: str) -> str:
        value = self.rows.get(key)
        if not isinstance(value, str) or not value:
            raise self.error(f"`{key}` is missing or not a text", key, found=value, expected="a text")
        return value

    def number(self, key: str) -> float:
        return self.as_number(self.rows.get(key), key)

    def as_number(self, value: Any, key: str) -> float:
        # A boolean is an integer in Python; an integer may be too large for a float.
        fine = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300
        if not fine or not math.isfinite(value):
            raise self.error(f"`{key}` is missing or not a number", key, found=value, expected="a finite number")
        return float(value)

    def spread(self) -> Spread | None:
        value = self.rows.get("spread")
        if value is None:
            return None
        if not isinstance(value, Mapping) or len(value) != 1 or not set(value) <= {"cv", "sd_log"}:
            raise self.error(
                "`spread` is not understood", "spread", found=value, expected="{ cv = 0.3 } or { sd_log = 0.3 }"
            )
        kind, size = next(iter(value.items()))
        number = self.as_number(size, "spread")
        if number < 0.0:
            raise self.error("`spread` is negative", "spread", found=value)
        return Spread.from_cv(number) if kind == "cv" else Spread(number)

    def bounds(self) -> tuple[float, float] | None:
        value = self.rows.get("bounds")
        if value is None:
            return None
        if not isinstance(value, list) or len(value) != 2:
            raise self.error("`bounds` is not a pair", "bounds", found=value, expected="[lowest, highest]")
        low, high = (self.as_number(edge, "bounds") for edge in value)
        if low >= high:
            raise self.error("the lower bound is not below the upper", "bounds", found=value)
        return low, high

    def grade(self) -> Grade:
        name = self.text("grade")
        if name not in _GRADES:
            raise self.error(f"`{name}` is not a grade", "grade", expected=", ".join(_GRADES))
        return _GRADES[name]


class _Reader:
    """Reads the four parts of the file, and leaves out what the model does not have."""

    def __init__(self, document: Document, parameters: Mapping[str, Parameter], known: Collection[str]) -> None:
        self.document = document
        self.parameters = parameters
        self.known = frozenset(known)
        self.covariates: dict[str, Parameter] = {}

    def population(self) -> Population:
        parts = ("covariate", "correlation", "effect", "stratum", "retention", "occasion")
        top = _Table(self.document, (), ("base", *parts))
        base = self.base(top)
        self.covariates |= {covariate.name: covariate for covariate in base.covariates}
        for name in self.named("covariate"):
            self.covariates[name] = self.covariate(name)
        effects = [effect for index in self.numbered("effect") for effect in self.effect(index)]
        correlations = [found for index in self.numbered("correlation") for found in self.correlation(index)]
        effects = [*base.effects, *effects]
        correlations = [*base.correlations, *correlations]
        strata = [self.stratum(index) for index in self.numbered("stratum")]
        acting = {effect.covariate for effect in effects}
        acting |= {name for found in correlations for name in (found.a, found.b)}
        return Population(
            parameters=tuple(self.parameters.values()),
            covariates=tuple(part for name, part in self.covariates.items() if name in acting),
            correlations=tuple(correlations),
            effects=tuple(effects),
            strata=tuple(strata),
            retention=tuple(self.retained(index) for index in self.numbered("retention")),
            occasions=self.occasions(base),
        )

    def base(self, top: _Table) -> Population:
        """The population on which this one is built."""
        if "base" not in top.rows:
            return Population(tuple(self.parameters.values()))
        return _Reader(
            read_toml(_file_of(top.text("base"), top.where("base"))), self.parameters, self.known | _shipped_names()
        ).population()

    def occasions(self, base: Population) -> tuple[Occasion, ...]:
        """Spreads between doses: those of the base, and in place of them or beside them those of the file."""
        found = {occasion.route: occasion for occasion in base.occasions}
        own: set[str] = set()
        for index in self.numbered("occasion"):
            table = _Table(self.document, ("occasion", index), ("route", "spread", *_ORIGIN))
            route, spread = table.text("route"), table.spread()
            if spread is None or route in own:
                raise table.error(
                    f"the route `{route}` has no spread" if spread is None else f"the route `{route}` occurs twice",
                    "route",
                    expected="one `spread` for each route, such as { cv = 0.2 }",
                )
            own.add(route)
            found[route] = Occasion(route, spread.sd_log, table.text("source"), table.grade())
        return tuple(found.values())

    def retained(self, index: int) -> Retained:
        table = _Table(self.document, ("retention", index), ("day", "reached", "of", *_ORIGIN))
        entered = table.number("of")
        if entered <= 0.0:
            raise table.error("`of` is not above 0", "of", found=table.rows["of"])
        return Retained(table.number("day"), table.number("reached") / entered, table.text("source"), table.grade())

    def named(self, key: str) -> tuple[str, ...]:
        """Names of the tables under a key."""
        value = self.document.data.get(key, {})
        if not isinstance(value, dict):
            raise self.misshapen(key, f"`[{key}.NAME]`")
        return tuple(value)

    def numbered(self, key: str) -> range:
        """Indices of an array of tables."""
        value = self.document.data.get(key, [])
        if not isinstance(value, list):
            raise self.misshapen(key, f"`[[{key}]]`")
        return range(len(value))

    def misshapen(self, key: str, expected: str) -> InputError:
        return InputError(
            f"`{key}` has the wrong shape", code="cohort.value", where=self.document.where(key), expected=expected
        )

    def covariate(self, name: str) -> Parameter:
        table = _Table(self.document, ("covariate", name), ("meaning", "value", "unit", "spread", "bounds", *_ORIGIN))
        if name in self.parameters or name in self.known:
            raise table.error(f"the covariate `{name}` has the name of a parameter", None)
        return Parameter(
            name=name,
            meaning=table.text("meaning"),
            value=table.number("value"),
            unit=unit(table.text("unit")),
            spread=table.spread(),
            bounds=table.bounds(),
            source=table.text("source"),
            grade=table.grade(),
        )

    def effect(self, index: int) -> list[Effect]:
        table = _Table(
            self.document, ("effect", index), ("covariate", "parameter", "exponent", "log10_slope", *_ORIGIN)
        )
        covariate, parameter = table.text("covariate"), table.text("parameter")
        if covariate not in self.covariates:
            raise self.unknown(covariate, "covariate", table.where("covariate"), self.covariates)
        if ("exponent" in table.rows) == ("log10_slope" in table.rows):
            raise table.error("an effect has either `exponent` or `log10_slope`", None)
        source, grade = table.text("source"), table.grade()
        effect: Effect
        if "exponent" in table.rows:
            effect = PowerEffect(covariate, parameter, table.number("exponent"), source, grade)
        else:
            effect = SlopeEffect(covariate, parameter, table.number("log10_slope"), source, grade)
        return [effect] if self.is_used(parameter, table.where("parameter")) else []

    def correlation(self, index: int) -> list[Correlation]:
        table = _Table(self.document, ("correlation", index), ("a", "b", "rho", "unless", *_ORIGIN))
        found = Correlation(
            table.text("a"), table.text("b"), table.number("rho"), source=table.text("source"), grade=table.grade()
        )
        # No short cut: both names are checked. A parameter that a hypothesis has fixed correlates with nothing.
        used = [self.varies(name, table.where(key)) for key, name in (("a", found.a), ("b", found.b))]
        return [found] if all(used) and not self.supplied(table) else []

    def stratum(self, index: int) -> Stratum:
        table = _Table(self.document, ("stratum", index), ("name", "count", "parameters", *_ORIGIN))
        table.text("source")
        table.grade()
        own = table.rows.get("parameters", {})
        if not isinstance(own, Mapping):
            raise table.error("`parameters` is not a table", "parameters", found=own)
        rows = []
        for name in own:
            row = _Table(self.document, ("stratum", index, "parameters", name), _OF_STRATUM)
            supplied = self.supplied(row)
            if not self.is_used(name, row.where(None)) or supplied:
                continue
            general = self.parameters[name]
            rows.append(
                dataclasses.replace(
                    general,
                    value=row.number("value"),
                    spread=row.spread() or general.spread,
                    bounds=row.bounds() or general.bounds,
                    source=row.text("source"),
                    grade=row.grade(),
                )
            )
        return Stratum(table.text("name"), table.number("count"), tuple(rows))

    def is_used(self, name: str, where: Where) -> bool:
        """Whether the model uses a parameter; an error if nobody knows it."""
        if name not in self.parameters and name not in self.known:
            raise self.unknown(name, "parameter", where, (*self.parameters, *self.known))
        return name in self.parameters

    def supplied(self, table: _Table) -> bool:
        """Whether the model has the parameter that `unless` names, whose mechanism does what the table would."""
        return "unless" in table.rows and self.is_used(table.text("unless"), table.where("unless"))

    def varies(self, name: str, where: Where) -> bool:
        if name in self.covariates:
            return self.covariates[name].spread is not None
        return self.is_used(name, where) and self.parameters[name].spread is not None

    def unknown(self, name: str, what: str, where: Where, known: Collection[str]) -> InputError:
        return InputError(
            f"there is no {what} `{name}`", code="cohort.parameter", where=where, advice=did_you_mean(name, known)
        )
