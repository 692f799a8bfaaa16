"""The axes of a sweep: what is varied, over which values, as text and as tables of a file.

As text::

    dose=10:300:40log           40 values from 10 to 300 at equal ratios, in the unit of the regimen
    dose=10 mg:300 mg:4         4 values at equal distances
    interval=12,24,48 h         a list; the last unit stands for all that have none
    f_m=0.1:0.5                 a range, from which a design draws
    k_a=0.05:0.5:log            the same, drawn evenly in the logarithm
    regimen=100 mg sc every 24 h | 200 mg sc every 48 h
"""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from simulate.errors import InputError, Where, counted
from simulate.symbolic.units import Unit, convert, parse_quantity, unit
from simulate.toml import TomlTable

REGIMEN, DOSE, INTERVAL = "regimen", "dose", "interval"
"""Axes that change what is given; every other name is that of a parameter or a covariate."""

MAX_VALUES = 100_000

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_STEPS = re.compile(r"(\d*)\s*(log|linear)?(?:\s+(\S.*))?")
_SPELLINGS = "`10:300:40log`, `0.1:0.5`, `10,30,100 mg`"


@dataclass(frozen=True, slots=True)
class Axis:
    """An axis of a sweep: the name of what is varied, and its values or range."""

    name: str  #: ``dose``, ``interval``, ``regimen``, a parameter or a covariate
    values: tuple[float | str, ...]  #: Numbers, or regimens in words; empty where a design draws from the range
    #: The range, and whether it is drawn from evenly in the logarithm.
    low: float
    high: float
    is_log: bool
    unit: Unit | None  #: Unit of the values; None for that of what is varied
    where: Where  #: Where its values are written
    where_name: Where | None = None  #: Where its name is written, if not there

    @property
    def is_drawn(self) -> bool:
        return not self.values

    def at(self, share: float) -> float:
        """The value at a share, from 0 to 1, of the range; with 12 digits, so that a reader can repeat it."""
        if share in (0.0, 1.0):
            return self.high if share else self.low
        value = self.low * (self.high / self.low) ** share if self.is_log else self.low + (self.high - self.low) * share
        return float(f"{value:.12g}")


AXIS_KEYS = ("over", "values", "from", "to", "count", "spacing")


def axes_of(top: TomlTable) -> tuple[Axis, ...]:
    """Axes of a sweep file."""
    return tuple(replace(_of_table(row), where_name=row.where("over")) for row in top.tables("axis", allowed=AXIS_KEYS))


def _of_table(row: TomlTable) -> Axis:
    over = row.text("over", expected='what is varied, such as "dose" or "f_m"')
    count = row.integer("count", None, least=2, most=MAX_VALUES)
    spacing = row.choice("spacing", ("linear", "log"), "linear")
    ends = [row[key] for key in ("from", "to") if key in row]
    if ("values" in row) == bool(ends) or len(ends) == 1:
        raise InputError(
            f"the axis `{over}` has no values, or has them in two ways",
            code="sweep.axis",
            where=row.where(),
            expected="`values`, or both of `from` and `to`",
        )
    if ends:
        numbers, given = _numbers(over, ends, row.where())
        return _range(over, numbers, given, count=count, is_log=spacing == "log", where=row.where())
    if not isinstance(row["values"], list) or not row["values"]:
        raise row.wrong("values", 'an array such as [10, 30] or ["10 mg"]', code="key.type")
    if count is not None or spacing == "log":
        raise InputError(
            f"the axis `{over}` has a list of values, which needs no `count` and no `spacing`",
            code="sweep.axis",
            where=row.where(),
            advice="leave them out",
        )
    return _list(over, row["values"], row.where("values"))


def parse_axis(text: str, origin: str | None = None) -> Axis:
    """Read an axis from text, as at the top of this module; ``origin`` is what the user wrote, if not ``--over``."""
    where = Where(file=origin or f"--over {text}")
    name, _, spec = (part.strip() for part in text.partition("="))
    if not name or not spec:
        raise InputError("an axis needs a name and values", code="sweep.axis", where=where, expected="name=values")
    if name == REGIMEN or ":" not in spec:
        return _list(name, [part.strip() for part in spec.split("|" if name == REGIMEN else ",")], where)
    low, high, *rest = (part.strip() for part in spec.split(":"))
    steps = _STEPS.fullmatch(rest[0] if rest else "")
    if len(rest) > 1 or steps is None:
        raise InputError(
            f"the values of `{name}` cannot be read", code="sweep.axis", where=where, found=spec, expected=_SPELLINGS
        )
    numbers, given = _numbers(name, [low, high], where, None if steps[3] is None else unit(steps[3]))
    count = int(steps[1]) if steps[1] else None
    if count is not None and not 2 <= count <= MAX_VALUES:
        raise InputError(
            f"the axis `{name}` would have {counted(count, 'value')}",
            code="sweep.axis",
            where=where,
            expected=f"2 to {MAX_VALUES}",
        )
    return _range(name, numbers, given, count=count, is_log=steps[2] == "log", where=where)


def axes_from(over: Mapping[str, object] | Sequence[str]) -> tuple[str, ...]:
    """Axes as texts: of texts as they are, of a mapping from names to texts or to sequences of values."""
    if not isinstance(over, Mapping):
        return tuple(over)
    texts = []
    for name, values in over.items():
        if isinstance(values, str):
            texts.append(f"{name}={values}")
            continue
        try:
            shown = [value if isinstance(value, str) else repr(float(value)) for value in values]  # type: ignore[attr-defined]
        except (TypeError, ValueError):
            raise InputError(
                f"the values of `{name}` cannot be read",
                code="sweep.axis",
                found=repr(values)[:100],
                expected=f"numbers, or a text such as {_SPELLINGS}",
            ) from None
        texts.append(f"{name}=" + (" | " if name == REGIMEN else ",").join(shown))
    return tuple(texts)


def _list(name: str, values: Sequence[Any], where: Where) -> Axis:
    found: tuple[float | str, ...]
    if name == REGIMEN:
        if not all(isinstance(value, str) and value for value in values):
            raise InputError(
                "a regimen is not a text in words", code="sweep.axis", where=where, found=repr(values)[:100]
            )
        found, given = tuple(values), None
    else:
        found, given = _numbers(name, values, where)
    for index, value in enumerate(found):
        if value in found[:index]:
            raise InputError(f"the axis `{name}` has the value {value} twice", code="sweep.axis", where=where)
    return Axis(name, found, math.nan, math.nan, False, given, where)


def _range(
    name: str, ends: tuple[float, ...], given: Unit | None, *, count: int | None, is_log: bool, where: Where
) -> Axis:
    low, high = ends
    if name == REGIMEN or not low < high or (is_log and low <= 0.0):
        raise InputError(
            f"the axis `{name}` cannot go from {low:g} to {high:g}",
            code="sweep.axis",
            where=where,
            expected="a lower number before a higher one" + (", both positive for equal ratios" if is_log else ""),
            advice="list regimens: `regimen=A | B`" if name == REGIMEN else None,
        )
    axis = Axis(name, (), low, high, is_log, given, where)
    return axis if count is None else replace(axis, values=tuple(axis.at(i / (count - 1)) for i in range(count)))


def _numbers(
    name: str, values: Sequence[Any], where: Where, given: Unit | None = None
) -> tuple[tuple[float, ...], Unit | None]:
    """Numbers in one unit: the one that is given, or else that of the last value that has one."""
    rows = [_number(name, value, where) for value in values]
    given = given or next((own for _, own in reversed(rows) if own is not None), None)
    found = []
    for value, own in rows:
        if own is None or given is None or own == given:
            found.append(value)
        elif own.dimension != given.dimension:
            raise InputError(
                f"the values of `{name}` have units that do not go together",
                code="units.mismatch",
                where=where,
                found=f"{own.text} and {given.text}",
            )
        else:
            found.append(convert(value, own, given))
    return tuple(found), given


def _number(name: str, value: Any, where: Where) -> tuple[float, Unit | None]:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if (is_number or (isinstance(value, str) and _NUMBER.fullmatch(value))) and math.isfinite(float(value)):
        return float(value), None
    if isinstance(value, str):
        with contextlib.suppress(InputError):
            return parse_quantity(value)
    raise InputError(
        f"a value of `{name}` cannot be used",
        code="sweep.axis",
        where=where,
        found=str(value).lower() if isinstance(value, bool) else repr(value)[:100],
        expected=f'a finite number, or one with a unit such as "10 mg"; altogether such as {_SPELLINGS}',
    )
