"""Estimated parameters of a PEtab problem that is written: bounds and priors from the rows of the tables.

A fit of this program believes of a typical value two half-normal pieces about its median, cut off at its bounds
(`simulate.studies.fitting.priors`). PEtab has one piece: normal on the same scale about the same median, with the mean
of both widths, cut off at the same bounds. Where both sides are alike it is the same prior.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from simulate.errors import InputError, Where, did_you_mean
from simulate.exchange.petab.problem import EstimatedParameter, Prior
from simulate.exchange.petab.upgrading import shortened
from simulate.studies.fitting.priors import Free, Role, typical_number
from simulate.symbolic.parts import Parameter

_HALF = 1.959963984540054
"""Standard deviations from the middle of a normal distribution to its 95 % limits."""
_ALIKE = 0.01
"""Difference of both sides of a prior, as a share of their sum, up to which they are alike."""


def sought_free(part: Free, where: Where) -> EstimatedParameter:
    """A typical value that is free, without its nominal value."""
    return _sought(part.targets[0], (part.low, part.median, part.high), part.widening, part.meaning, where)


def sought_noise(name: str, row: Parameter, meaning: str) -> EstimatedParameter:
    """The size of a noise that is free, which is its nominal value."""
    assert row.bounds is not None
    found = _sought(name, (row.bounds[0], row.value, row.bounds[1]), 1.0, meaning, Where())
    return replace(found, nominal=row.value)


def _sought(
    name: str, limits: tuple[float, float, float], widening: float, meaning: str, where: Where
) -> EstimatedParameter:
    low, _, high = limits
    scale = "log" if low > 0.0 else "lin"
    below, middle, above = (math.log(one) if scale == "log" else one for one in limits)
    prior = Prior("normal", scale, middle, (above - below) / (2.0 * _HALF) * widening, truncated=True)
    return EstimatedParameter(name, "lin", low, high, math.nan, True, prior, None, where, meaning)


def asked_parameters(
    texts: Sequence[str], rows: Sequence[Parameter], *, is_shipped: bool
) -> tuple[list[EstimatedParameter], list[str]]:
    """Parameters of a model that are named, ``NAME`` or ``NAME=LOW:HIGH``, without their nominal values.

    Those with bounds in their row have its prior, between the bounds that are given or those of the row; of others
    bounds must be given, and nothing is believed but these. Second, what `beliefs_changed` says.

    Raises
    ------
    InputError
        ``petab.estimate``: no such parameter, or one twice; what is no pair of bounds, or has the value of the
        parameter outside; ``fit.bounds``: neither the row nor the text has bounds.
    """
    known = {row.name: row for row in rows}
    found: dict[str, EstimatedParameter] = {}
    free: list[Free] = []
    for text in texts:
        name, sign, bounds = (part.strip() for part in text.partition("="))
        if name not in known or name in found:
            raise InputError(
                f"`{name}` is named twice" if name in found else f"the model has no parameter `{name}`",
                code="petab.estimate",
                found=f"`{text}`",
                expected="a parameter of the model, once",
                advice=None if name in found else did_you_mean(name, known),
            )
        row, limits = known[name], _pair(text, bounds) if sign else None
        if row.bounds is not None or limits is None:
            free.append(_believed(row, is_shipped))
            found[name] = sought_free(free[-1], Where())
        if limits is not None:
            found[name] = _with_bounds(row, limits, found.get(name))
    return [*found.values()], [*beliefs_changed(free)]


def _believed(row: Parameter, is_shipped: bool) -> Free:
    try:
        return typical_number(row, is_shipped=is_shipped)
    except InputError as error:
        if error.code == "fit.bounds":
            error.advice = f"give it bounds: `--estimate {row.name}=LOW:HIGH`"
        raise


def _with_bounds(
    row: Parameter, bounds: tuple[float, float], believed: EstimatedParameter | None
) -> EstimatedParameter:
    low, high = bounds
    if not low <= row.value <= high:
        raise InputError(
            f"the value of `{row.name}` is not between its bounds",
            code="petab.estimate",
            found=f"{row.value:g} [{row.unit.text}]",
            expected=f"{low:g} to {high:g}",
        )
    if believed is None:
        return EstimatedParameter(row.name, "lin", low, high, math.nan, True, None, None, Where(), row.meaning)
    return replace(believed, lower=low, upper=high)


def _pair(text: str, bounds: str) -> tuple[float, float]:
    try:
        low, high = (float(part) for part in bounds.split(":"))
    except ValueError:
        low = high = math.nan
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise InputError(
            "this says no bounds",
            code="petab.estimate",
            found=f"`{text}`",
            expected="NAME=LOW:HIGH, two numbers in the unit of the parameter, the lower first",
        )
    return low, high


def beliefs_changed(free: Iterable[Free]) -> Iterator[str]:
    """In words, what PEtab says in another way, or not at all, of what is free in a fit."""
    free = tuple(free)
    skew = [part.targets[0] for part in free if part.role is Role.TYPICAL and not _is_even(part)]
    if skew:
        yield f"that the priors of {shortened(skew)} are wider on one side: in PEtab both sides have the mean width"
    if others := [part.name for part in free if part.role not in (Role.TYPICAL, Role.NOISE)]:
        yield f"what else is free in a fit here: {shortened(others)}"


def _is_even(part: Free) -> bool:
    low, middle, high = (math.log(one) if part.is_log else one for one in (part.low, part.median, part.high))
    return abs(high + low - 2.0 * middle) <= _ALIKE * (high - low)
