"""A check of the units of an SBML file against its formulas: ``--units strict``.

Each quantity must have a unit, and each formula the unit of what it gives, in dimension and in size: SBML converts
nothing by itself, so a sum of mmol/L and nmol/L is wrong.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import sympy
from sympy import Expr, Symbol

from simulate.errors import InputError, Where
from simulate.exchange.sbml.document import SbmlModel, all_of, local_parameters, references_of
from simulate.exchange.sbml.mathml import Formula, functions_of
from simulate.symbolic.dimensions import infer, require, require_condition
from simulate.symbolic.units import DIMENSIONLESS, Dimension, unit

_TIME = "time "
"""The time in formulas: no identifier has a space."""
_OF_LEVEL_2 = {"substance": "mole", "volume": "litre", "area": "square metre", "length": "metre", "time": "second"}
_SIZES = {3: "volume", 2: "area", 1: "length"}
_LARGEST_PRIME = 10_000
_PURE = DIMENSIONLESS.dimension


@dataclass(frozen=True, slots=True)
class _Measure:
    """A unit: what is measured, and in which size, as powers of primes beside the dimension."""

    plain: Dimension = _PURE
    sized: Dimension = _PURE

    def __mul__(self, other: _Measure) -> _Measure:
        return _Measure(self.plain * other.plain, self.sized * other.sized)

    def __truediv__(self, other: _Measure) -> _Measure:
        return _Measure(self.plain / other.plain, self.sized / other.sized)


def check_units(file: SbmlModel) -> None:
    """Refuse a model in which something has no unit, or a formula another than that of what it gives.

    Raises
    ------
    InputError
        ``units.missing`` and ``units.unknown`` with identifier and line, ``units.mismatch`` and ``units.size`` with the
        smallest wrong term as well.
    """
    _Check(file).run()


class _Check:
    """One check of one file."""

    def __init__(self, file: SbmlModel) -> None:
        self.lib, self.model, self.file, self.level = file.lib, file.model, file, file.level
        self.time = self._of_model("time", "the model", self.model)
        self.extent = self._of_model("extent" if self.level > 2 else "substance", "the model", self.model)
        self.measures: dict[str, _Measure] = {_TIME: self.time}
        self.compartments: dict[str, _Measure] = {}
        self.formula = Formula(
            symbol=lambda identifier, _: Symbol(identifier),
            time=Symbol(_TIME),
            rate_of=self._rate_of,
            functions=functions_of(self.model),
            unit=self._number_unit,
        )

    def run(self) -> None:
        for compartment in all_of(self.model.getListOfCompartments()):
            self.compartments[compartment.getId()] = self.measures[compartment.getId()] = self._size(compartment)
        for species in all_of(self.model.getListOfSpecies()):
            self.measures[species.getId()] = self._species(species)
        for parameter in all_of(self.model.getListOfParameters()):
            self.measures[parameter.getId()] = self._declared(parameter, "parameter")
        for reaction in all_of(self.model.getListOfReactions()):
            self.measures[reaction.getId()] = self.extent / self.time
            for reference in references_of(reaction):
                if reference.getIdAttribute():
                    self.measures[reference.getIdAttribute()] = _Measure()
        for part, what, math_of, expected, own in self._formulas():
            self._hold(part, what, math_of, expected, own)

    def _formulas(self) -> Iterator[tuple[Any, str, Any, _Measure | None, Mapping[str, _Measure]]]:
        """Each formula with its place, what it is, and the unit that it must have; none of a condition."""
        for assignment in all_of(self.model.getListOfInitialAssignments()):
            symbol = assignment.getSymbol()
            yield assignment, f"the initial value of `{symbol}`", assignment.getMath(), self.measures.get(symbol), {}
        for rule in all_of(self.model.getListOfRules()):
            if rule.isAlgebraic():
                continue
            measure = self.measures.get(rule.getVariable())
            if measure is not None and rule.isRate():
                measure = measure / self.time
            yield rule, f"the rule of `{rule.getVariable()}`", rule.getMath(), measure, {}
        for reaction in all_of(self.model.getListOfReactions()):
            law = reaction.getKineticLaw()
            if law is not None and law.isSetMath():
                own = {one.getId(): self._declared(one, "local parameter") for one in local_parameters(law)}
                what = f"the rate of the reaction `{reaction.getId()}`"
                yield reaction, what, law.getMath(), self.extent / self.time, own
            self._check_conversions(reaction)
        for event in all_of(self.model.getListOfEvents()):
            yield from self._of_event(event)

    def _of_event(self, event: Any) -> Iterator[tuple[Any, str, Any, _Measure | None, Mapping[str, _Measure]]]:
        of = f"of the event `{event.getIdAttribute() or event.getLine()}`"
        if event.isSetTrigger() and event.getTrigger().isSetMath():
            condition = self.formula.condition(event.getTrigger().getMath(), self._where(event))
            for is_sized in (False, True):
                known = self._sized({}) if is_sized else self._plain({})
                judge = functools.partial(
                    require_condition, condition, known, where=self._where(event), subject=f"the trigger {of}"
                )
                self._judged(event, is_sized, judge)
        if event.isSetDelay():
            yield event, f"the delay {of}", event.getDelay().getMath(), self.time, {}
        for assignment in all_of(event.getListOfEventAssignments()):
            name = assignment.getVariable()
            yield assignment, f"the value of `{name}` {of}", assignment.getMath(), self.measures.get(name), {}

    def _hold(self, part: Any, what: str, formula: Any, expected: _Measure | None, own: Mapping[str, _Measure]) -> None:
        if formula is None:
            return
        where = self._where(part)
        expression = self.formula.number(formula, where)
        for is_sized in (False, True):
            known = self._sized(own) if is_sized else self._plain(own)
            judge: Callable[[], object]
            if expected is None:
                judge = functools.partial(infer, expression, known, where=where, subject=what)
            else:
                wanted = expected.sized if is_sized else expected.plain
                judge = functools.partial(require, expression, wanted, known, where=where, subject=what)
            self._judged(part, is_sized, judge)

    def _judged(self, part: Any, is_sized: bool, judge: Callable[[], object]) -> None:
        """Judge, and say of a fault of size alone that it is one."""
        try:
            judge()
        except InputError as error:
            if not is_sized or error.code != "units.mismatch":
                raise
            raise InputError(
                error.what,
                code="units.size",
                where=error.where or self._where(part),
                expected="units of one size: SBML converts none, such as mmol to nmol",
                advice="give both the same unit, or a factor in the formula that converts",
            ) from None

    def _check_conversions(self, reaction: Any) -> None:
        """A reaction changes amounts by extents, unless a factor with a unit converts them."""
        for reference in references_of(reaction):
            species = self.model.getSpecies(reference.getSpecies())
            if species is None or species.getBoundaryCondition():
                continue
            factor = species.getConversionFactor() if self.level > 2 else ""
            factor = factor or (self.model.getConversionFactor() if self.level > 2 else "")
            made = self.extent * self.measures[factor] if factor in self.measures else self.extent
            amount = self._substance(species)
            if amount != made:
                what = f"the reaction `{reaction.getId()}` changes `{species.getId()}` in another unit than it has"
                raise InputError(
                    what,
                    code="units.mismatch" if amount.plain != made.plain else "units.size",
                    where=self._where(reaction),
                    found=made.plain.in_units(),
                    expected=amount.plain.in_units(),
                    advice="give extents and amounts the same unit, or the species a conversion factor",
                )

    def _plain(self, own: Mapping[str, _Measure]) -> dict[str, Dimension]:
        return {name: measure.plain for name, measure in {**self.measures, **own}.items()}

    def _sized(self, own: Mapping[str, _Measure]) -> dict[str, Dimension]:
        return {name: measure.sized for name, measure in {**self.measures, **own}.items()}

    def _species(self, species: Any) -> _Measure:
        amount = self._substance(species)
        compartment = self.model.getCompartment(species.getCompartment())
        if species.getHasOnlySubstanceUnits() or compartment is None or compartment.getSpatialDimensions() == 0:
            return amount
        return amount / self.compartments[species.getCompartment()]

    def _substance(self, species: Any) -> _Measure:
        if species.isSetSubstanceUnits():
            return self._named(species.getSubstanceUnits(), species)
        return self._of_model("substance", f"the species `{species.getId()}`", species)

    def _size(self, compartment: Any) -> _Measure:
        if compartment.isSetUnits():
            return self._named(compartment.getUnits(), compartment)
        dimensions = compartment.getSpatialDimensions()
        if dimensions == 0:
            return _Measure()
        kind = _SIZES.get(dimensions)
        if kind is None:
            raise self._missing(f"the compartment `{compartment.getId()}`", compartment)
        return self._of_model(kind, f"the compartment `{compartment.getId()}`", compartment)

    def _declared(self, part: Any, what: str) -> _Measure:
        if not part.isSetUnits():
            raise self._missing(f"the {what} `{part.getId()}`", part)
        return self._named(part.getUnits(), part)

    def _of_model(self, kind: str, what: str, part: Any) -> _Measure:
        """Unit of a kind of quantity in the whole model."""
        if self.level > 2:
            named = getattr(self.model, f"get{kind.capitalize()}Units")()
            if not named:
                raise self._missing(what if kind != "time" else "the time of the model", part, f"{kind}Units")
            return self._named(named, part)
        return self._named(kind, part)

    def _named(self, name: str, part: Any) -> _Measure:
        definition = self.model.getUnitDefinition(name)
        if definition is None:
            if self.level < 3 and name in _OF_LEVEL_2:
                return self._kind(_OF_LEVEL_2[name], part)
            return self._kind(name, part)
        found = _Measure()
        for one in all_of(definition.getListOfUnits()):
            size = Fraction(repr(one.getMultiplier())) * Fraction(10) ** one.getScale()
            measure = self._kind(self.lib.UnitKind_toString(one.getKind()), part)
            found = found * _raised(_Measure(measure.plain, measure.sized * _primes(size)), one.getExponentAsDouble())
        return found

    def _kind(self, kind: str, part: Any) -> _Measure:
        if kind in ("dimensionless", "radian", "steradian"):
            return _Measure()
        if kind == "item":
            counted = Dimension.of([("item", 1)])
            return _Measure(counted, counted)
        if kind == "square metre":
            return _raised(self._kind("metre", part), 2.0)
        if kind == "avogadro":
            return _Measure(_PURE, _primes(Fraction("6.02214179e23")))
        try:
            known = unit({"metre": "m", "litre": "L", "liter": "L", "meter": "m"}.get(kind, kind))
        except InputError as error:
            raise InputError(
                f"`{kind}` is no unit that is known here",
                code="units.unknown",
                where=self._where(part),
                advice=error.advice,
            ) from None
        return _Measure(known.dimension, known.dimension * _primes(known.factor))

    def _number_unit(self, name: str, where: Where) -> Expr:
        """Something that is 1 in the unit that a number in a formula has."""
        symbol = f"1 {name}"
        self.measures.setdefault(symbol, self._named(name, self.model))
        return Symbol(symbol)

    def _rate_of(self, identifier: str, _: Where) -> Expr:
        symbol = f"rate of {identifier}"
        if identifier in self.measures:
            self.measures.setdefault(symbol, self.measures[identifier] / self.time)
        return Symbol(symbol)

    def _missing(self, what: str, part: Any, key: str = "units") -> InputError:
        return InputError(
            f"{what} has no unit",
            code="units.missing",
            where=self._where(part),
            expected=f"`{key}`, as --units strict asks of every quantity",
            advice="give it one, or leave --units strict out: quantities are pure numbers then",
        )

    def _where(self, part: Any) -> Where:
        return Where(file=str(self.file.path), line=self.file.line(part))


def _primes(size: Fraction) -> Dimension:
    """A number as a dimension, a power of each prime."""
    powers: list[tuple[str, Expr | int]] = []
    for number, sign in ((size.numerator, 1), (size.denominator, -1)):
        found = sympy.factorint(number, limit=_LARGEST_PRIME)
        powers += [(f"factor {prime}", sign * power) for prime, power in found.items() if prime != 1]
    return Dimension.of(powers)


def _raised(measure: _Measure, exponent: float) -> _Measure:
    power = sympy.Integer(int(exponent)) if exponent == math.floor(exponent) else sympy.Rational(repr(exponent))
    return _Measure(measure.plain**power, measure.sized**power)
