"""Priors of both versions of PEtab."""

from __future__ import annotations

import math

from simulate.errors import InputError
from simulate.exchange.petab.problem import Prior
from simulate.exchange.petab.tables import TableRow, number

_ON_SCALE = "parameterScale"
_KINDS = ("uniform", "normal", "laplace")
_FIRST_VERSION = {
    **{kind: (kind, "lin") for kind in _KINDS},
    "logNormal": ("normal", "log"),
    "logLaplace": ("laplace", "log"),
}
SECOND_VERSION = {
    **{kind: (kind, "lin") for kind in _KINDS},
    **{f"log-{kind}": (kind, "log") for kind in _KINDS},
}
"""Names of priors in version 2, with the distribution and the scale on which it is one."""


def first_version(row: TableRow, what: str, scale: str) -> Prior | None:
    """Prior of the columns ``{what}PriorType`` and ``{what}PriorParameters``; None where the row has none.

    A prior ``parameterScale…`` is one of the value on the scale of the parameter.
    """
    column = f"{what}PriorType"
    known = (*_FIRST_VERSION, *(f"{_ON_SCALE}{kind.capitalize()}" for kind in _KINDS))
    if not row.text(column):
        _refuse_parameters(row, f"{what}PriorParameters")
        return None
    name = row.choice(column, known)
    is_on_scale = name.startswith(_ON_SCALE)
    kind, own = (name[len(_ON_SCALE) :].lower(), scale) if is_on_scale else _FIRST_VERSION[name]
    if kind == "uniform" and not row.text(f"{what}PriorParameters"):
        return None
    first, second = _two(row, f"{what}PriorParameters", own, kind)
    return Prior(kind, own, first, second, is_density_of_value=not is_on_scale)


def second_version(row: TableRow) -> Prior | None:
    """Prior of the columns ``priorDistribution`` and ``priorParameters``, normalized between the bounds."""
    if not row.text("priorDistribution"):
        _refuse_parameters(row, "priorParameters")
        return None
    kind, scale = SECOND_VERSION[row.choice("priorDistribution", tuple(SECOND_VERSION))]
    first, second = _two(row, "priorParameters", scale, kind)
    if kind == "uniform" and scale != "lin":
        first, second = _logarithm(row, first), _logarithm(row, second)
    return Prior(kind, scale, first, second, truncated=True)


def _refuse_parameters(row: TableRow, column: str) -> None:
    if row.text(column):
        raise InputError("parameters of a prior are given, and no prior", code="petab.prior", where=row.where(column))


def _logarithm(row: TableRow, value: float) -> float:
    if value <= 0.0:
        raise InputError(
            "a limit of a log-uniform prior is not positive", code="petab.prior", where=row.where("priorParameters")
        )
    return math.log(value)


def _two(row: TableRow, column: str, scale: str, kind: str) -> tuple[float, float]:
    found = [number(part) for part in row.needed(column).split(";")]
    is_sound = len(found) == 2 and all(value is not None and math.isfinite(value) for value in found)
    first, second = (found[0], found[1]) if is_sound else (None, None)
    if first is None or second is None or (first >= second if kind == "uniform" else second <= 0.0):
        raise InputError(
            "the parameters of a prior are not two numbers that it can have",
            code="petab.prior",
            where=row.where(column),
            found=row.text(column),
            expected="lower;upper" if kind == "uniform" else "location;scale, and the scale above 0",
        )
    return first, second
