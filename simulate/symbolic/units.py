"""Units, their dimensions, and quantities: values, and how their texts are read.

A unit is a text that a reader knows, a dimension, and an exact factor to one coherent base: day, nmol, L, µg and
10⁶ cells (so that cell/µL, nM and µg/L all have the factor 1). The factor of ``%`` is 1/100.

What a name such as ``nM`` stands for is in `simulate.symbolic.unitnames`. Products, quotients and powers of names are
read here, so that no text of a user reaches a parser with fewer limits than this one. `Dimension` is here as well; the
dimension of an expression is found in `simulate.symbolic.dimensions`.
"""

from __future__ import annotations

import functools
import math
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Union

from simulate.errors import InputError, Where
from simulate.symbolic.unitnames import clipped, unit_named

if TYPE_CHECKING:
    from sympy import Expr

MAX_UNIT_LENGTH = 200
"""Characters that a unit text may have."""

Exponent = Union[int, Fraction, "Expr"]
"""Of a base dimension: a whole number as such, another as a fraction; an expression in ``K**n``."""

_MAX_POWER = 12
_BASE_ORDER = ("cell", "substance", "mass", "length", "time")


@functools.lru_cache(maxsize=10_000)
def _product(one: Dimension, other: Dimension) -> Dimension:
    return Dimension.of((*one.exponents, *other.exponents))


def _normal_exponent(exponent: Exponent) -> Exponent:
    if isinstance(exponent, int):
        return exponent
    if isinstance(exponent, Fraction):
        return exponent.numerator if exponent.denominator == 1 else exponent
    if exponent.is_Rational:
        return _normal_exponent(Fraction(int(exponent.p), int(exponent.q)))
    expanded = exponent.expand()
    return _normal_exponent(expanded) if expanded.is_Rational else expanded


_CALLED = {
    "time": "a time",
    "mass": "a mass",
    "substance": "an amount of substance",
    "cell": "a number of cells",
    "length": "a length",
    "length**2": "an area",
    "length**3": "a volume",
    "1 / time": "a rate (per time)",
    "mass / time": "a mass per time",
    "substance / time": "an amount of substance per time",
    "length**3 / time": "a volume per time",
    "mass / length**3": "a concentration (mass per volume)",
    "substance / length**3": "a concentration (amount of substance per volume)",
    "cell / length**3": "a concentration of cells",
    "mass / substance": "a molar mass",
}
"""What dimensions are called, by how they are written."""


@dataclass(frozen=True, slots=True)
class Dimension:
    """A product of powers of base dimensions, such as ``substance / length**3``.

    ``exponents`` is sorted by name and holds no zero. An exponent may be an expression, as in ``K**n``.
    """

    exponents: tuple[tuple[str, Exponent], ...] = ()

    @classmethod
    def of(cls, exponents: Iterable[tuple[str, Exponent]]) -> Dimension:
        """Dimension in its normal form from exponents in any order; exponents of one name are added."""
        total: dict[str, Exponent] = {}
        for name, exponent in exponents:
            total[name] = total.get(name, 0) + exponent
        normal = ((name, _normal_exponent(exponent)) for name, exponent in sorted(total.items()))
        return cls(tuple((name, exponent) for name, exponent in normal if exponent != 0))

    def __mul__(self, other: Dimension) -> Dimension:
        return _product(self, other)

    def __truediv__(self, other: Dimension) -> Dimension:
        return self * other**-1

    def __pow__(self, power: Exponent) -> Dimension:
        return Dimension.of((name, exponent * power) for name, exponent in self.exponents)

    def __str__(self) -> str:
        return _quotient(sorted(self.exponents, key=_base_rank))

    @property
    def is_one(self) -> bool:
        """Whether this is the dimension of a pure number."""
        return not self.exponents

    def in_words(self) -> str:
        """The dimension in words, such as ``a volume``; a product of powers where it has no common name."""
        return "a pure number" if self.is_one else _CALLED.get(str(self), str(self))

    def in_units(self) -> str:
        """The dimension as a reader of pharmacology would write it, in coherent units: ``cell/µL · nM / d``."""
        powers = {name: power for name, power in self.exponents if isinstance(power, int)}
        volume, rest = divmod(powers.pop("length", 0), 3)
        if rest or len(powers) + (volume != 0) != len(self.exponents):
            return str(self)
        parts: list[tuple[str, Exponent]] = []
        for name, dense in (("cell", "cell/µL"), ("substance", "nM"), ("mass", "µg/L")):
            shared = min(abs(powers.get(name, 0)), abs(volume)) if powers.get(name, 0) * volume < 0 else 0
            sign = 1 if volume < 0 else -1
            if shared:
                parts.append((dense, sign * shared))
                powers[name] -= sign * shared
                volume += sign * shared
        symbols = {"cell": "cell", "substance": "nmol", "mass": "µg", "length": "L", "time": "d"}
        left = sorted([*powers.items(), ("length", volume)], key=_base_rank)
        parts += [(symbols.get(name, name), power) for name, power in left if power]
        return _quotient(parts, times=" · ") if parts else "a pure number"


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of measurement: its text as given, its dimension, its exact factor to the coherent base."""

    text: str
    dimension: Dimension
    factor: Fraction

    def __str__(self) -> str:
        return self.text


DIMENSIONLESS = Unit("1", Dimension(), Fraction(1))
"""The unit of pure numbers."""

PER_DAY = Dimension.of([("time", -1)])
"""What a rate adds to the dimension of its species."""

TIME_DIMENSION = Dimension.of([("time", 1)])
"""The dimension of ``t``."""


@functools.lru_cache(maxsize=4096)
def unit(text: str) -> Unit:
    """Unit from text such as ``nM``, ``1/d``, ``cell/µL/d``, ``L/(nmol d)``, ``ug/L``, ``%`` or ``1``.

    A space, ``*`` or ``·`` multiplies, ``/`` divides, ``**``, ``^`` or a superscript raises to a whole power.

    Raises
    ------
    InputError
        ``units.unknown`` for a name that is no unit (with the nearest ones), ``units.syntax`` for anything else.
    """
    return _UnitText(text).parse()


def convert(value: float, source: Unit, target: Unit) -> float:
    """Value in ``target`` of a value in ``source``, correctly rounded.

    Raises
    ------
    InputError
        ``units.mismatch`` when the dimensions differ, ``units.range`` when there is no such number.
    """
    if source.dimension != target.dimension:
        raise InputError(
            f"{source.text} cannot be converted to {target.text}",
            code="units.mismatch",
            found=source.dimension.in_units(),
            expected=target.dimension.in_units(),
        )
    if not math.isfinite(value) or source.factor == target.factor:
        return value
    try:
        return float(Fraction(value) * source.factor / target.factor)
    except OverflowError:
        what = f"{value:g} {source.text} is out of range in {target.text}"
        raise InputError(what, code="units.range", expected="at most 1.8e308") from None


_QUANTITY = re.compile(r"\s*([+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)(.*)", re.DOTALL)


def with_unit(text: str, own: str) -> str:
    """A quantity with its own unit, or else with the one given: ``5`` becomes ``5 h``, or ``1825 d`` by ``365 d``."""
    value, given = parse_quantity(text)
    if not own or given is not DIMENSIONLESS:
        return text
    head, _, tail = own.partition(" ")
    return f"{value * float(head)!r} {tail}" if tail else f"{text.strip()} {own}"


def parse_quantity(text: str, *, where: Where | None = None) -> tuple[float, Unit]:
    """Value and unit of a text such as ``100 mg``; without a unit it is a pure number.

    Raises
    ------
    InputError
        ``units.quantity`` when no number begins the text or it is out of range; otherwise as `unit`.
    """
    match = _QUANTITY.fullmatch(text[: MAX_UNIT_LENGTH + 1])
    if match is None or len(text) > MAX_UNIT_LENGTH or re.match(r"\s*(?!1\s*/)[0-9]", match[2]):
        raise InputError(
            f"`{clipped(text)}` is not a quantity",
            code="units.quantity",
            where=where,
            expected="a number, with its unit if it has one, such as `100 mg`, `12 h` or `0.3`",
        )
    if re.match(r",[0-9]", match[2]):
        raise InputError(
            f"`{clipped(text)}` has a decimal comma",
            code="units.quantity",
            where=where,
            advice="write a decimal point: `0.5 nM`",
        )
    value = float(match[1])
    if not math.isfinite(value):
        raise InputError(f"the number {match[1]} is out of range", code="units.quantity", where=where)
    name = match[2].strip()
    if not name:
        return value, DIMENSIONLESS
    try:
        return value, unit(name)
    except InputError as error:
        error.where = error.where or where
        raise


class _UnitText:
    """One reading of one unit text, left to right."""

    def __init__(self, text: str) -> None:
        self.text = text
        if len(text) > MAX_UNIT_LENGTH:
            raise self._syntax(f"has {len(text)} characters", expected=f"at most {MAX_UNIT_LENGTH}")
        if not text.strip():
            raise self._syntax("is empty", advice="write `1` for a pure number")
        self._tokens = list(self._split(text))
        self._next = 0
        self._depth = 0

    def parse(self) -> Unit:
        factor, dimension = self._product()
        if self._peek() is not None:
            raise self._syntax(f"has a stray `{self._peek()}`")
        if not Fraction(1, 10**100) < factor < 10**100:
            raise self._syntax("is out of range")
        return Unit(self.text.strip(), dimension, factor)

    def _product(self) -> tuple[Fraction, Dimension]:
        factor, dimension = self._power()
        divided = False
        while (token := self._peek()) is not None and token != ")":
            inverse = token == "/"
            if token in ("/", "*"):
                self._next += 1
            elif token[0].isdigit():
                raise self._syntax(f"has a stray `{token}`", advice="write powers as `**2`, factors in front")
            elif divided:
                raise self._syntax(
                    f"does not say whether `{token}` multiplies or divides", advice="use parentheses, as in `1/(nM d)`"
                )
            divided = divided or inverse
            more, unit_of = self._power()
            factor, dimension = (
                (factor / more, dimension / unit_of) if inverse else (factor * more, dimension * unit_of)
            )
        return factor, dimension

    def _power(self) -> tuple[Fraction, Dimension]:
        factor, dimension = self._atom()
        if self._peek() != "**":
            return factor, dimension
        self._next += 1
        sign = -1 if self._peek() == "-" else 1
        self._next += self._peek() in ("-", "+")
        power = self._peek() or ""
        if not re.fullmatch("[0-9]{1,3}", power) or int(power) > _MAX_POWER:
            raise self._syntax(f"has the power `{power or 'nothing'}`", expected=f"a whole number up to {_MAX_POWER}")
        self._next += 1
        return factor ** (sign * int(power)), dimension ** (sign * int(power))

    def _atom(self) -> tuple[Fraction, Dimension]:
        token = self._peek()
        self._next += 1
        if token == "(":
            self._depth += 1
            if self._depth > 20:
                raise self._syntax("has too many parentheses", expected="at most 20 inside one another")
            inner = self._product()
            if self._peek() != ")":
                raise self._syntax("lacks a closing parenthesis")
            self._next += 1
            self._depth -= 1
            return inner
        if token is None:
            raise self._syntax("ends too early", expected="a unit after the last sign")
        if token[0].isdigit():
            return self._number(token), Dimension()
        if token[0].isalpha() or token in ("%", "‰"):
            factor, powers = unit_named(token, self.text)
            return factor, Dimension.of(powers.items())
        raise self._syntax(f"has a stray `{token}`")

    def _number(self, token: str) -> Fraction:
        if len(token) > 20 or abs(int(token.lower().partition("e")[2] or 0)) > 30 or Fraction(token) <= 0:
            raise self._syntax(f"has the factor {token}", expected="a positive number from 1e-30 to 1e30")
        return Fraction(token)

    def _peek(self) -> str | None:
        return self._tokens[self._next] if self._next < len(self._tokens) else None

    def _split(self, text: str) -> Iterator[str]:
        position = 0
        for match in _UNIT_TOKEN.finditer(text):
            if match.start() != position:
                break
            position = match.end()
            token = match["token"]
            if match["superscript"]:
                yield from ("**", *_split_sign(unicodedata.normalize("NFKC", token).replace("\N{MINUS SIGN}", "-")))
            elif token:
                yield {"·": "*", "⋅": "*", "×": "*", "^": "**"}.get(token, token)
        if position != len(text):
            raise self._syntax(f"has a stray `{text[position]}`")

    def _syntax(self, fault: str, *, expected: str | None = None, advice: str | None = None) -> InputError:
        return InputError(
            f"the unit `{clipped(self.text)}` {fault}", code="units.syntax", expected=expected, advice=advice
        )


_UNIT_TOKEN = re.compile(
    r"\s*(?P<token>(?P<superscript>[⁺⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+)"
    r"|[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+(?![0-9.A-Za-z]))?"
    r"|[^\W\d_]+(?:_[^\W\d_]+)*|\*\*|[*·⋅×/^()%‰+-]|\Z)"
)


def _split_sign(digits: str) -> tuple[str, ...]:
    return (digits[0], digits[1:]) if digits[0] in "+-" else (digits,)


def _base_rank(item: tuple[str, object]) -> tuple[int, str]:
    name = item[0]
    return (_BASE_ORDER.index(name) if name in _BASE_ORDER else len(_BASE_ORDER), name)


def _quotient(powers: Iterable[tuple[str, Exponent]], times: str = " * ") -> str:
    """Text of a product of powers, those with a negative exponent after a stroke."""
    above: list[str] = []
    below: list[str] = []
    for name, exponent in powers:
        negative = exponent < 0 if isinstance(exponent, (int, Fraction)) else exponent.could_extract_minus_sign()
        size = -exponent if negative else exponent
        is_short = isinstance(size, int) or (not isinstance(size, Fraction) and size.is_Symbol)
        if size == 1:
            shown = name
        else:
            shown = f"({name})" if "/" in name else name
            shown += f"**{size}" if is_short else f"**({size})"
        (below if negative else above).append(f"({shown})" if negative and "/" in shown and size == 1 else shown)
    return " / ".join([times.join(above) or "1", *below])
