"""Models and hypotheses as TOML files, described with examples in ``docs/model-files.md``.

A file holds one mechanism, named after ``[model] name`` or the file: ``[parameters]``, ``[species.NAME]``,
``[definitions.NAME]``, ``[reactions.NAME]``, ``[observables.NAME]``, ``[routes.NAME]``, ``[balances.NAME]``,
``[conditions.NAME]`` and ``[events.NAME]``. A file with a ``[hypothesis]`` table says besides how that mechanism
changes a base model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import sympy
from sympy import Expr

from simulate.errors import InputError, Where, listed, not_among
from simulate.files import Document, parse_toml, read_toml
from simulate.symbolic.composition import ParameterTable, Places, compose
from simulate.symbolic.expressions import parse_expression
from simulate.symbolic.hypothesis import NONE, Constraint, Hypothesis
from simulate.symbolic.limits import check_states
from simulate.symbolic.model import Model
from simulate.symbolic.modelwriting import model_text
from simulate.symbolic.naming import check_name
from simulate.symbolic.parameterfile import PARAMETER_KEYS, check_sources, parameter_of, read_parameters, read_sources
from simulate.symbolic.parts import (
    Balance,
    Condition,
    Definition,
    Event,
    Mechanism,
    Observable,
    Parameter,
    Reaction,
    Route,
    Species,
)
from simulate.symbolic.units import DIMENSIONLESS, Unit, parse_quantity, unit
from simulate.toml import TomlTable

__all__ = [
    "UserModel",
    "check_sources",
    "read_hypothesis",
    "read_model",
    "read_parameters",
    "read_sources",
    "write_model",
]

# Keys of each kind of table, those that must be there first.
MODEL_KEYS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "species": (("unit",), ("meaning", "initial")),
    "definitions": (("expression",), ("meaning", "unit")),
    "reactions": (("rate", "change"), ()),
    "observables": (("expression",), ("meaning", "unit")),
    "routes": (("target", "unit", "gain"), ("drug",)),
    "balances": (("unit", "reason"), ("meaning", "steady", "zero")),
    "conditions": (("expression", "reason"), ()),
    "events": (("when",), ("set", "add", "delay", "priority", "persistent", "at_start", "values")),
}
_TABLES = ("model", "parameters", *MODEL_KEYS)

HYPOTHESIS_KEYS = ("name", "title", "add", "remove", "replace", "constraints")
"""Keys of the table ``[hypothesis]``, of which a name is needed."""


@dataclass(frozen=True, slots=True)
class UserModel:
    """A model file: its mechanism, and where each key stands, so that composition can name the line of a fault."""

    name: str
    title: str
    mechanisms: tuple[Mechanism, ...]
    places: Places

    @property
    def parameters(self) -> ParameterTable:
        """Parameters of the file by name."""
        return MappingProxyType({part.name: part for mechanism in self.mechanisms for part in mechanism.parameters})

    def compose(
        self, hypothesis: Hypothesis = NONE, *, values: ParameterTable = MappingProxyType({}), name: str | None = None
    ) -> Model:
        """Composed model; arguments and errors as `composition.compose`."""
        return compose(
            self.mechanisms, hypothesis, values=values, name=name or self.name, title=self.title, places=self.places
        )


def read_model(path: Path | str) -> UserModel:
    """Read a model that stands on its own.

    Raises
    ------
    InputError
        ``key.unknown``, ``key.missing``, ``key.type``, ``key.value``, ``model.name``, ``model.undefined`` (an unknown
        species), ``units.…``, ``expression.…``, ``file.…``; each with file and line.
    """
    document = read_toml(Path(path), kind="model")
    if "hypothesis" in document.data:
        raise InputError(
            "the file states a hypothesis, which needs a base model",
            code="key.unknown",
            where=document.where("hypothesis"),
            expected=listed(_TABLES),
            advice="give it where a hypothesis is expected",
        )
    mechanism = _mechanism(document, {})
    return UserModel(mechanism.name, mechanism.title, (mechanism,), MappingProxyType(_places(document)))


def read_hypothesis(path: Path | str, known: Mapping[str, Mechanism]) -> Hypothesis:
    """Read a hypothesis: a mechanism, and what it changes in a base model.

    The mechanism of the file, if it has any part, is added unless ``replace`` puts it in the place of another.

    Parameters
    ----------
    known
        Mechanisms by name, those of the base model and any that may be added.

    Raises
    ------
    InputError
        As `read_model`; ``hypothesis.unknown`` for a mechanism that is not known.
    """
    document = read_toml(Path(path), kind="hypothesis")
    row = TomlTable(document, allowed=("hypothesis", *_TABLES), required=("hypothesis",)).table(
        "hypothesis", allowed=HYPOTHESIS_KEYS, required=("name",)
    )
    species = {part.name: part for mechanism in known.values() for part in mechanism.species}
    own = _mechanism(document, species)
    has_parts = any(kind in document.data for kind in ("parameters", *MODEL_KEYS))
    available = {**known, own.name: own} if has_parts else known
    replaced = {}
    table = row.table("replace")
    for name in table:
        _check_known(name, known, table.where(name))
        replaced[name] = _check_known(table.text(name), available, table.where(name))
    adds = tuple(_check_known(name, available, row.where("add")) for name in row.texts("add"))
    if has_parts and own not in (*adds, *replaced.values()):
        adds = (*adds, own)
    for name in row.texts("remove"):
        _check_known(name, known, row.where("remove"))
    fixed = row.table("constraints")
    try:
        return Hypothesis(
            name=row.text("name"),
            title=row.text("title", ""),
            add=adds,
            remove=row.texts("remove"),
            replace=tuple(replaced.items()),
            constraints=tuple(Constraint(name, fixed.number(name)) for name in fixed),
        )
    except InputError as error:
        error.where = error.where or row.where("name")
        raise


def read_places(path: Path | str) -> Mapping[str, Where]:
    """Places of the keys of a model or hypothesis file, for the errors of composition."""
    return MappingProxyType(_places(read_toml(Path(path))))


def write_model(model: Model) -> str:
    """Text of a model file that reads back and composes to a model with the same key; that is verified.

    A constraint of the hypothesis is the value of the parameter, and a balanced unknown is balanced by its solution.

    Raises
    ------
    InputError
        ``model.unwritable``: a bare number with a unit, as an initial value can be, has become part of an equation.
    """
    text = model_text(model)
    try:
        key = compose([_mechanism(parse_toml(text, "model.toml"), {})]).key
    except InputError as error:
        raise InputError(
            f"the model cannot be written as a file: {error.what}",
            code="model.unwritable",
            where=Where(key=error.where.key, term=error.where.term) if error.where is not None else None,
            found=error.found,
            expected=error.expected,
            advice="give the initial values that equations refer to as parameters",
        ) from error
    assert key == model.key, "what is written is the model"
    return text


def _check_known(name: str, known: Mapping[str, Mechanism], where: Where) -> Mechanism:
    if name not in known:
        raise not_among(f"unknown mechanism `{name[:60]}`", name, sorted(known), code="hypothesis.unknown", where=where)
    return known[name]


def _mechanism(document: Document, species: Mapping[str, Species]) -> Mechanism:
    """The mechanism of a file; ``species`` are those of other mechanisms that it may change."""
    top = TomlTable(document, allowed=("hypothesis", *_TABLES))
    head = top.table("model", allowed=("name", "title"))
    name = head.text("name", Path(document.path).stem)
    return _MechanismReader(top, species).mechanism(name, head.text("title", ""))


class _MechanismReader:
    """One reading of the tables of a mechanism."""

    def __init__(self, top: TomlTable, others: Mapping[str, Species]) -> None:
        self.top = top
        # Before any of them is read.
        states, observables = (len(top.table(kind)) for kind in ("species", "observables"))
        check_states(states, observables, top.where())
        self.species = {
            name: Species(
                name,
                row.text("meaning", name),
                row.parsed("unit", unit, DIMENSIONLESS),
                _expression(row, "initial") if "initial" in row else 0,
            )
            for name, row in self._rows("species")
        }
        self.known: Mapping[str, Species] = {**others, **self.species}

    def mechanism(self, name: str, title: str) -> Mechanism:
        return Mechanism(
            name=name,
            title=title,
            species=tuple(self.species.values()),
            definitions=tuple(
                Definition(part, *self._meaning_unit(part, row), _expression(row, "expression"))
                for part, row in self._rows("definitions")
            ),
            reactions=tuple(
                Reaction(part, _expression(row, "rate"), self._change(row)) for part, row in self._rows("reactions")
            ),
            observables=tuple(
                Observable(part, *self._meaning_unit(part, row), _expression(row, "expression"))
                for part, row in self._rows("observables")
            ),
            routes=tuple(
                Route(
                    part,
                    row.text("drug", part),
                    self._target(row.text("target"), row.where("target")),
                    row.parsed("unit", unit, DIMENSIONLESS),
                    _expression(row, "gain"),
                )
                for part, row in self._rows("routes")
            ),
            balances=tuple(
                Balance(part, *self._meaning_unit(part, row), self._zero(row), row.text("reason"))
                for part, row in self._rows("balances")
            ),
            conditions=tuple(
                Condition(part, _expression(row, "expression"), row.text("reason"))
                for part, row in self._rows("conditions")
            ),
            parameters=self._parameters(),
            events=tuple(self._event(part, row) for part, row in self._rows("events")),
        )

    def _event(self, name: str, row: TomlTable) -> Event:
        changes: dict[Species, Expr | float] = {}
        for verb in ("set", "add"):
            table = row.table(verb)
            for target in table:
                species = self._target(target, table.where(target))
                if species in changes:
                    raise InputError(
                        f"the event both sets `{target}` and adds to it",
                        code="key.value",
                        where=table.where(target),
                        expected="one of the two",
                    )
                value = _expression(table, target)
                changes[species] = value if verb == "set" else species.symbol + value * _in_base(value, species)
        if not changes:
            raise InputError(
                "the event changes nothing",
                code="key.missing",
                where=row.where(),
                expected="`set = { SPECIES = ... }` or `add = { SPECIES = ... }`",
            )
        values = row.choice("values", ("trigger", "execution"), "trigger")
        return Event(
            name=name,
            when=parse_expression(row.text("when"), where=row.where("when"), condition=True),
            changes=changes,
            delay=_expression(row, "delay") if "delay" in row else 0,
            priority=_expression(row, "priority") if "priority" in row else None,
            persistent=row.boolean("persistent", True),
            at_start=row.boolean("at_start", False),
            at_trigger=values == "trigger",
        )

    def _rows(self, kind: str) -> Sequence[tuple[str, TomlTable]]:
        required, optional = MODEL_KEYS[kind]
        for name in (table := self.top.table(kind)):
            check_name(name, table.where(name))
        return list(self.top.named(kind, allowed=(*required, *optional), required=required))

    def _meaning_unit(self, name: str, row: TomlTable) -> tuple[str, Unit]:
        return row.text("meaning", name), row.parsed("unit", unit, DIMENSIONLESS)

    def _change(self, row: TomlTable) -> dict[Species, Expr | float]:
        table = row.table("change")
        return {self._target(name, table.where(name)): _expression(table, name) for name in table}

    def _target(self, name: str, where: Where) -> Species:
        if name not in self.known:
            what = f"there is no species `{name[:60]}`"
            raise not_among(what, name, self.known, code="model.undefined", where=where, none="a table [species.NAME]")
        return self.known[name]

    def _zero(self, row: TomlTable) -> Species | Expr:
        if ("steady" in row) == ("zero" in row):
            raise InputError(
                "a balance says what must vanish in exactly one way",
                code="key.missing" if "zero" not in row else "key.value",
                where=row.where(),
                expected='either steady = "SPECIES" or zero = "EXPRESSION"',
            )
        if "steady" in row:
            return self._target(row.text("steady"), row.where("steady"))
        return _expression(row, "zero")

    def _parameters(self) -> tuple[Parameter, ...]:
        table = self.top.table("parameters")
        return tuple(self._parameter(table, name) for name in table)

    def _parameter(self, table: TomlTable, name: str) -> Parameter:
        """Parameter from its table, or from a short form such as ``k = "0.1 1/d"``."""
        check_name(name, table.where(name))
        value = table[name]
        if isinstance(value, str):
            return Parameter(name, name, *table.parsed(name, parse_quantity))
        if isinstance(value, Mapping):
            return parameter_of(name, table.table(name, allowed=PARAMETER_KEYS, required=("value", "unit")))
        return Parameter(name, name, table.number(name))


def _expression(row: TomlTable, key: str) -> Expr:
    """Expression, from a text or a number; decimal numbers are exact."""
    value = row[key]
    if isinstance(value, str):
        return parse_expression(value, where=row.where(key))
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise row.wrong(key, "an expression in quotation marks, or a number", code="key.type")
    return sympy.Rational(repr(row.number(key)))


def _in_base(value: Expr, species: Species) -> Expr:
    """A bare number that is added is in the unit of the species."""
    factor = species.unit.factor
    return sympy.S.One if value.free_symbols else sympy.Rational(factor.numerator, factor.denominator)


def _places(document: Document) -> dict[str, Where]:
    """Place of every key that composition can blame."""
    found: dict[str, Where] = {}

    def note(table: Mapping[str, object], keys: tuple[str, ...]) -> None:
        for key, value in table.items():
            where = document.where(*keys, key)
            # A balance on a species has `steady` in the file, but is `zero` to composition.
            name = "zero" if keys[:1] == ("balances",) and key == "steady" else key
            # What an event sets and what it adds are changes to composition.
            name = "changes" if keys[:1] == ("events",) and len(keys) == 2 and key in ("set", "add") else name
            found[".".join((*keys, name))] = where
            if isinstance(value, Mapping):
                note(value, (*keys, key))

    note(document.data, ())
    return found
