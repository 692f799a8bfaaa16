"""Expressions of a model, which are in base units, as expressions of numbers in declared units."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain, count

import sympy
from sympy import Expr, Symbol

from simulate.symbolic.expressions import substitute
from simulate.symbolic.model import Model
from simulate.symbolic.units import DIMENSIONLESS, Unit


def numbers_of(model: Model) -> dict[Symbol, Expr]:
    """What states and parameters are in the base of units, of the numbers in their own units that are written."""
    declared = (*model.species, *model.parameters)
    return {part.symbol: sympy.Rational(part.unit.factor) * part.symbol for part in declared if part.unit.factor != 1}


def written(expression: Expr | float, numbers: Mapping[Symbol, Expr], of: Unit = DIMENSIONLESS) -> Expr:
    """An expression in the base of units as a number in a unit, of the numbers of `numbers_of`."""
    return substitute(sympy.sympify(expression, strict=True), numbers) / sympy.Rational(of.factor)


def free_name(wanted: str, taken: set[str]) -> str:
    """The name, or it with the first number from 2 on, that is not taken; it is taken then."""
    name = next(one for one in chain([wanted], (f"{wanted}_{number}" for number in count(2))) if one not in taken)
    taken.add(name)
    return name
