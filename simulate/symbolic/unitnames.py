"""Names of units: the exact factor of each, and its powers of the base dimensions.

Names that pharmacologists write are in a table. All others are looked up in pint, which takes seconds to import and is
imported for the first of them.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from simulate.aside import fetch
from simulate.errors import InputError, did_you_mean

if TYPE_CHECKING:
    from pint import UnitRegistry

Powers = Mapping[str, int]
"""Power of each base dimension, none of them zero."""

# pint's root units in the coherent base, exactly; a litre is a cubic decimeter.
_ROOTS = {
    "cell": ("cell", Fraction(1, 1_000_000)),
    "mole": ("substance", Fraction(10**9)),
    "gram": ("mass", Fraction(10**6)),
    "meter": ("length", Fraction(10)),
    "second": ("time", Fraction(1, 86_400)),
    "kelvin": ("temperature", Fraction(1)),
    "ampere": ("current", Fraction(1)),
    "candela": ("luminosity", Fraction(1)),
}

# Names offered in advice: those a pharmacologist would mean, not pint's thousand.
_FAMILIAR = (
    *("nM", "pM", "µM", "mM", "M", "mol", "mmol", "µmol", "nmol", "pmol", "L", "dL", "mL", "µL", "uL", "kg", "g"),
    *("mg", "µg", "ug", "ng", "pg", "s", "min", "h", "hour", "hours", "d", "day", "days", "week", "weeks", "wk"),
    *("month", "year", "cell", "cells", "kat", "µkat", "ukat", "nkat", "U", "mU", "%", "percent", "m", "cm", "mm"),
    *("µm", "um", "Da", "kDa"),
)


# Abbreviations that pint takes for another unit, with a prefix or without: picocarat, picopint, pint, picohenry.
_ABBREVIATIONS = {
    **dict.fromkeys(("pct", "pcts", "Pct"), "did you mean `%`?"),
    "ppt": "write `1e-12` for parts per trillion, and `1e-3` for parts per thousand",
    "pt": "write `mL` for a volume, and `1` for a number of patients",
    "pH": "a pH has no unit: write `1`",
    "qd": "write `1/d` for once a day",
}

_SHORT = {"minute": "min", "hour": "h", "day": "d"}
_WITHOUT_PREFIX = ("minute", "hour", "day", "week", "month", "year")


# Exponents of the coherent base, and the exact factors to it; a test sets them beside those of pint.
_KNOWN: tuple[tuple[Powers, Mapping[str, str]], ...] = (
    ({}, {"%": "1/100", "percent": "1/100"}),
    ({"cell": 1}, {"cell": "1/1000000", "cells": "1/1000000"}),
    ({"substance": 1}, {"mol": "1e9", "mmol": "1e6", "µmol": "1000", "nmol": "1", "pmol": "1/1000"}),
    (
        {"substance": 1, "length": -3},
        {"M": "1e9", "mM": "1e6", "µM": "1000", "nM": "1", "pM": "1/1000"},
    ),
    (
        {"substance": 1, "time": -1},
        {"kat": "864e11", "µkat": "864e5", "ukat": "864e5", "nkat": "86400", "U": "1440000", "mU": "1440"},
    ),
    (
        {"mass": 1},
        {"kg": "1e9", "g": "1e6", "mg": "1000", "µg": "1", "ug": "1", "ng": "1/1000", "pg": "1/1000000"},
    ),
    ({"length": 3}, {"L": "1", "dL": "1/10", "mL": "1/1000", "µL": "1/1000000", "uL": "1/1000000"}),
    ({"length": 1}, {"m": "10", "cm": "1/10", "mm": "1/100", "µm": "1/100000", "um": "1/100000"}),
    (
        {"time": 1},
        {
            **{"s": "1/86400", "min": "1/1440", "h": "1/24", "hour": "1/24", "hours": "1/24"},
            **{"d": "1", "day": "1", "days": "1", "week": "7", "weeks": "7", "wk": "7"},
        },
    ),
)


@functools.cache
def known_names() -> Mapping[str, tuple[Fraction, Powers]]:
    """Factor and powers of the names that are in the table."""
    return {name: (Fraction(factor), powers) for powers, factors in _KNOWN for name, factor in factors.items()}


def unit_named(name: str, text: str) -> tuple[Fraction, Powers]:
    """Factor and powers of the unit with a name.

    ``text`` is the whole unit in which the name stands, for errors.

    Raises
    ------
    InputError
        ``units.unknown`` with the nearest names.
    """
    if (known := known_names().get(name)) is not None:
        return known
    advice = _ABBREVIATIONS.get(name) or _without_prefix(name)
    found = None if advice else _lookup(name)
    if found is not None:
        return found
    raise InputError(
        f"`{clipped(name)}` is not a unit",
        code="units.unknown",
        found=f"`{clipped(text)}`",
        expected="units such as `nM`, `1/d`, `L/d`, `cell/µL`, `%`, or `1` for a pure number",
        advice=advice or did_you_mean(name, _FAMILIAR),
    )


@functools.lru_cache(maxsize=4096)
def _without_prefix(name: str) -> str | None:
    """Advice for a time with a prefix that nobody writes, such as md for a thousandth of a day; else None."""
    try:
        prefix, base, _ = _registry().parse_unit_name(name)[0]
    except (IndexError, AttributeError, ValueError):
        return None
    if not prefix or base not in _WITHOUT_PREFIX:
        return None
    return f"{base}s take no prefix: write the number with it, as in `0.001 {_SHORT.get(base, base)}`"


@functools.lru_cache(maxsize=4096)
def _lookup(name: str) -> tuple[Fraction, Powers] | None:
    """What pint knows of a name; None when it is no unit, or one such as °C whose zero is not nothing."""
    registry = _registry()
    import pint

    try:
        if registry.Quantity(Fraction(0), name).to_root_units().magnitude != 0:
            return None
        found, roots = registry.get_root_units(name)
    except (pint.errors.PintError, AttributeError, ArithmeticError, TypeError, ValueError, KeyError):
        return None
    total = Fraction(str(found))
    powers: dict[str, int] = {}
    for root, exponent in dict(roots._units).items():
        if (power := Fraction(str(exponent))).denominator != 1:
            return None
        if root in _ROOTS:
            base, scale = _ROOTS[root]
            total *= scale ** int(power)
            powers[base] = powers.get(base, 0) + int(power)
        elif registry.get_dimensionality(root):
            return None
    return (total, powers) if total > 0 else None


@functools.cache
def _registry() -> UnitRegistry[Any]:
    fetch("pint")
    import pint

    registry: UnitRegistry[Any] = pint.UnitRegistry(non_int_type=Fraction, cache_folder=None)
    registry.define("cell = [cell]")
    registry.define("@alias week = wk = w")
    return registry


def clipped(text: str) -> str:
    """A unit, or a name in it, for a message: no longer than 60 characters."""
    return text if len(text) <= 60 else text[:57] + "..."
