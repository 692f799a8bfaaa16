"""A population from a file such as `parameters/cohort.toml`; its keys are in `docs/reference-files.md`.

What concerns a parameter that the model in hand does not use is left out, if the parameter is a known one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator, Mapping, Sequence
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
from simulate.errors import Il1simError, InputError, Where, did_you_mean, not_among
from simulate.files import Document, files_hash, read_toml
from simulate.recall import recalled
from simulate.shipped import cohort_file, parameter_files, population_files, root
from simulate.symbolic.parameterfile import bounds_of, grade_of, parameter_of, spread_of
from simulate.symbolic.parts import Parameter
from simulate.toml import TomlTable

_ORIGIN = ("source", "grade", "note")

POPULATION_KEYS: Mapping[str, tuple[str, ...]] = {
    "": ("base", "covariate", "effect", "correlation", "stratum", "occasion", "retention"),
    "covariate": ("meaning", "value", "unit", "spread", "bounds", *_ORIGIN),
    "effect": ("covariate", "parameter", "exponent", "log10_slope", *_ORIGIN),
    "correlation": ("a", "b", "rho", "unless", *_ORIGIN),
    "stratum": ("name", "count", "parameters", *_ORIGIN),
    "stratum.parameters": ("value", "spread", "bounds", "unless", *_ORIGIN),
    "occasion": ("route", "spread", *_ORIGIN),
    "retention": ("day", "reached", "of", *_ORIGIN),
}
"""Keys of the tables of a population file."""

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


def _shipped_names() -> frozenset[str]:
    # They are wanted for every study, and their numbers for none that stands on a model that is there already.
    return recalled(
        "parameters",
        files_hash(parameter_files(), root()),
        lambda: frozenset(name for path in parameter_files() for name in read_toml(path).data),
    )


def _file_of(name: str, where: Where | None) -> Path:
    files = {MYOSITIS: cohort_file(), **population_files()}
    if name not in files:
        raise no_population(name, files, where)
    return files[name]


def no_population(name: str, known: Collection[str], where: Where | None) -> Il1simError:
    """The fault of a name that no population has."""
    error = not_among(f"there is no population `{name[:60]}`", name, known, code="cohort.unknown", where=where)
    error.expected = f"{error.expected}, or a file"
    return error


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
        ``key.*``, ``cohort.value``, ``cohort.parameter`` (a name that nobody knows), ``cohort.correlation``,
        ``cohort.stratum``, ``cohort.retention``, ``cohort.unknown`` (the base), or an error of `read_toml`.
    """
    return _Reader(
        read_toml(path, kind="population"), {parameter.name: parameter for parameter in parameters}, known
    ).population()


class _Reader:
    """Reads the four parts of the file, and leaves out what the model does not have."""

    def __init__(self, document: Document, parameters: Mapping[str, Parameter], known: Collection[str]) -> None:
        self.document = document
        self.parameters = parameters
        self.known = frozenset(known)
        self.covariates: dict[str, Parameter] = {}

    def population(self) -> Population:
        self.top = top = TomlTable(self.document, allowed=POPULATION_KEYS[""])
        base = self.base(top)
        self.covariates |= {covariate.name: covariate for covariate in base.covariates}
        for name, row in top.named(
            "covariate", allowed=POPULATION_KEYS["covariate"], required=("meaning", "value", "unit")
        ):
            self.covariates[name] = self.covariate(name, row)
        effects = [*base.effects, *self.effects()]
        correlations = [*base.correlations, *self.correlations()]
        strata = [self.stratum(row) for row in self.rows("stratum")]
        acting = {effect.covariate for effect in effects}
        acting |= {name for found in correlations for name in (found.a, found.b)}
        return Population(
            parameters=tuple(self.parameters.values()),
            covariates=tuple(part for name, part in self.covariates.items() if name in acting),
            correlations=tuple(correlations),
            effects=tuple(effects),
            strata=tuple(strata),
            retention=tuple(self.retained(row) for row in self.rows("retention")),
            occasions=self.occasions(base),
        )

    def rows(self, key: str) -> tuple[TomlTable, ...]:
        """Tables of an array, each of which says where it is from."""
        return self.top.tables(key, allowed=POPULATION_KEYS[key], required=("source", "grade"))

    def base(self, top: TomlTable) -> Population:
        """The population on which this one is built."""
        if "base" not in top:
            return Population(tuple(self.parameters.values()))
        return _Reader(
            read_toml(_file_of(top.text("base"), top.where("base"))), self.parameters, self.known | _shipped_names()
        ).population()

    def occasions(self, base: Population) -> tuple[Occasion, ...]:
        """Spreads between doses: those of the base, and in place of them or beside them those of the file."""
        found = {occasion.route: occasion for occasion in base.occasions}
        own: set[str] = set()
        for row in self.rows("occasion"):
            route, spread = row.text("route"), spread_of(row)
            if spread is None or route in own:
                raise InputError(
                    f"the route `{route}` has no spread" if spread is None else f"the route `{route}` occurs twice",
                    code="cohort.value",
                    where=row.where("route"),
                    expected="one `spread` for each route, such as { cv = 0.2 }",
                )
            own.add(route)
            found[route] = Occasion(route, spread.sd_log, row.text("source"), grade_of(row))
        return tuple(found.values())

    def retained(self, row: TomlTable) -> Retained:
        share = row.number("reached") / row.number("of", above=0.0)
        return Retained(row.number("day"), share, row.text("source"), grade_of(row))

    def covariate(self, name: str, row: TomlTable) -> Parameter:
        if name in self.parameters or name in self.known:
            raise InputError(
                f"the covariate `{name}` has the name of a parameter", code="cohort.value", where=row.where()
            )
        return parameter_of(name, row, is_within=False)

    def effects(self) -> Iterator[Effect]:
        for row in self.rows("effect"):
            covariate, parameter = row.text("covariate"), row.text("parameter")
            if covariate not in self.covariates:
                raise self.unknown(covariate, "covariate", row.where("covariate"), self.covariates)
            if ("exponent" in row) == ("log10_slope" in row):
                raise InputError(
                    "an effect has either `exponent` or `log10_slope`", code="cohort.value", where=row.where()
                )
            source, grade = row.text("source"), grade_of(row)
            effect: Effect
            if "exponent" in row:
                effect = PowerEffect(covariate, parameter, row.number("exponent"), source, grade)
            else:
                effect = SlopeEffect(covariate, parameter, row.number("log10_slope"), source, grade)
            if self.is_used(parameter, row.where("parameter")):
                yield effect

    def correlations(self) -> Iterator[Correlation]:
        for row in self.rows("correlation"):
            found = Correlation(
                row.text("a"), row.text("b"), row.number("rho"), source=row.text("source"), grade=grade_of(row)
            )
            # No short cut: both names are checked. A parameter that a hypothesis has fixed correlates with nothing.
            used = [self.varies(name, row.where(key)) for key, name in (("a", found.a), ("b", found.b))]
            if all(used) and not self.supplied(row):
                yield found

    def stratum(self, table: TomlTable) -> Stratum:
        table.text("source")
        grade_of(table)
        rows = []
        for name, row in table.named("parameters", allowed=POPULATION_KEYS["stratum.parameters"]):
            # No short cut: a row that the model does not need is checked like any other.
            own: dict[str, Any] = {"value": row.number("value"), "source": row.text("source"), "grade": grade_of(row)}
            own |= {key: found for key, found in (("spread", spread_of(row)), ("bounds", bounds_of(row))) if found}
            supplied = self.supplied(row)
            if self.is_used(name, row.where()) and not supplied:
                rows.append(dataclasses.replace(self.parameters[name], **own))
        return Stratum(table.text("name"), table.number("count"), tuple(rows))

    def is_used(self, name: str, where: Where) -> bool:
        """Whether the model uses a parameter; an error if nobody knows it."""
        if name not in self.parameters and name not in self.known:
            raise self.unknown(name, "parameter", where, (*self.parameters, *self.known))
        return name in self.parameters

    def supplied(self, table: TomlTable) -> bool:
        """Whether the model has the parameter that `unless` names, whose mechanism does what the table would."""
        return "unless" in table and self.is_used(table.text("unless"), table.where("unless"))

    def varies(self, name: str, where: Where) -> bool:
        if name in self.covariates:
            return self.covariates[name].spread is not None
        return self.is_used(name, where) and self.parameters[name].spread is not None

    def unknown(self, name: str, what: str, where: Where, known: Collection[str]) -> InputError:
        return InputError(
            f"there is no {what} `{name}`", code="cohort.parameter", where=where, advice=did_you_mean(name, known)
        )
