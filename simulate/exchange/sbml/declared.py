"""Units of a model that is written: their definitions in SBML, and conversion factors, which have units of their own.

SBML converts nothing by itself, so that each factor between units stands in the formulas. Such a factor is a number
with a unit, as 1000 pM over nM, and not a pure number: else both sides would differ in size.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from fractions import Fraction
from xml.sax.saxutils import quoteattr

from sympy import Symbol

from simulate.exchange.sbml.names import Names
from simulate.symbolic.naming import is_name
from simulate.symbolic.units import DIMENSIONLESS, Dimension, Unit, unit

# Kind of unit of SBML, multiplier and scale of the coherent base; a length is the third root of a litre.
_KINDS: Mapping[str, tuple[str, int, int]] = {
    "cell": ("item", 1, 6),
    "substance": ("mole", 1, -9),
    "mass": ("gram", 1, -6),
    "length": ("metre", 1, -1),
    "temperature": ("kelvin", 1, 0),
    "current": ("ampere", 1, 0),
    "luminosity": ("candela", 1, 0),
}
_PREDEFINED = frozenset(
    "ampere avogadro becquerel candela coulomb dimensionless farad gram gray henry hertz item joule katal kelvin "
    "kilogram litre lumen lux metre mole newton ohm pascal radian second siemens sievert steradian tesla volt watt "
    "weber".split()
)
"""Units that SBML has by itself: no definition may have their names."""
_DAY = 86_400
_SECONDS = (_DAY, 1, 60, 3_600, 7 * _DAY)
_LITRE = Dimension.of([("length", 3)])
_AMOUNTS = ("cell", "substance", "mass")


class DeclaredUnits:
    """The units that a model has so far, each under an identifier."""

    def __init__(self) -> None:
        self._names = Names(lambda name: is_name(name) and name not in _PREDEFINED)
        self._known: dict[tuple[Dimension, Fraction], tuple[str, Unit]] = {}
        self.factors: dict[Symbol, tuple[Fraction, str]] = {}
        """Of what stands for a factor between units, or a number, in formulas: that, and the identifier of its unit."""
        self.time = self.of(unit("day"))

    def of(self, given: Unit) -> str:
        """Identifier of a unit."""
        key = (given.dimension, given.factor)
        if key == (DIMENSIONLESS.dimension, DIMENSIONLESS.factor):
            return "dimensionless"
        if key not in self._known:
            self._known[key] = (self._names.new(_identifier(given.text)), given)
        return self._known[key][0]

    def base(self, dimension: Dimension) -> str:
        """Identifier of the unit in which formulas have a quantity."""
        return self.of(base_unit(dimension))

    def factor(self, given: Unit) -> Symbol:
        """What a number in a unit is multiplied by to be one in the base of units."""
        symbol = Symbol(f"factor {given.factor}")
        if symbol not in self.factors:
            ratio = 1 / given.factor
            self.factors[symbol] = (given.factor, self.of(Unit(f"ratio {ratio}", DIMENSIONLESS.dimension, ratio)))
        return symbol

    def number(self, value: Fraction, given: Unit) -> Symbol:
        """What stands for a number in a unit in formulas."""
        symbol = Symbol(f"number {value} {given.text}")
        self.factors[symbol] = (value, self.of(given))
        return symbol

    def lines(self) -> Iterator[str]:
        """A definition of each unit, sorted by identifier."""
        for identifier, given in sorted(self._known.values(), key=lambda pair: pair[0]):
            inside = "".join(_parts(given))
            yield (
                f'<unitDefinition id="{identifier}" name={quoteattr(given.text)}><listOfUnits>{inside}</listOfUnits>'
                "</unitDefinition>"
            )


def base_unit(dimension: Dimension) -> Unit:
    """The unit of a dimension in the base of units."""
    return Unit(dimension.in_units(), dimension, Fraction(1))


def substance_unit(given: Unit) -> tuple[Unit, bool] | None:
    """Unit of the amount of a species that has a unit, and whether it is a concentration; None if it is neither."""
    for dimension, is_concentration in ((given.dimension, False), (given.dimension * _LITRE, True)):
        if [power for power in dimension.exponents if power[0] not in _AMOUNTS or power[1] != 1]:
            continue
        if len(dimension.exponents) <= 1:
            return Unit(
                f"{given.text} L" if is_concentration else given.text, dimension, given.factor
            ), is_concentration
    return None


def _parts(given: Unit) -> Iterator[str]:
    powers = {name: int(power) for name, power in given.dimension.exponents}
    time = powers.pop("time", 0)
    second = next((size for size in _SECONDS if _ten(_left(given, time, size)) is not None), _DAY)
    left = _left(given, time, second)
    scale = _ten(left)
    litres, rest = divmod(powers.pop("length", 0), 3)
    if rest:
        litres, powers["length"] = 0, 3 * litres + rest
    for name, power in powers.items():
        kind, multiplier, own = _KINDS[name]
        if scale is not None and abs(power) == 1:
            own, scale = own + scale * power, 0
        yield _unit(kind, power, own, multiplier)
    if litres:
        yield _unit("litre", litres)
    if time:
        yield _unit("second", time, 0, second)
    if scale:
        yield _unit("dimensionless", 1, scale)
    elif scale is None:
        yield _unit("dimensionless", 1, 0, left.numerator)
        yield _unit("dimensionless", -1, 0, left.denominator)


def _left(given: Unit, time: int, second: int) -> Fraction:
    """What is left of the factor of a unit when time is counted in so many seconds."""
    return given.factor * Fraction(_DAY, second) ** time


def _ten(number: Fraction) -> int | None:
    """Which power of ten a number is, if it is one."""
    digits = len(str(number.numerator)) - len(str(number.denominator))
    return digits if number == Fraction(10) ** digits else None


def _unit(kind: str, exponent: int, scale: int = 0, multiplier: int = 1) -> str:
    return f'<unit kind="{kind}" exponent="{exponent}" scale="{scale}" multiplier="{multiplier}"/>'


def _identifier(text: str) -> str:
    words = re.sub("^1/", "per ", text).replace("/", " per ").replace("%", "percent").replace("µ", "u")
    return "_".join(re.findall("[A-Za-z0-9]+", words)) or "unit_of_its_own"
