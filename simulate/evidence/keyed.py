"""Typed values by key from an item of a file, or from a reading laid over its item."""

from __future__ import annotations

from collections.abc import Sequence

from simulate.errors import InputError, did_you_mean
from simulate.symbolic.rows import Row
from simulate.symbolic.units import DIMENSIONLESS, Unit


class Keyed:
    """Rows of which the first that has a key gives its value."""

    def __init__(self, *rows: Row) -> None:
        self.rows = rows

    def __contains__(self, key: str) -> bool:
        return any(key in row for row in self.rows)

    def row(self, key: str) -> Row:
        """The row that has the key.

        Raises
        ------
        InputError
            ``key.missing``.
        """
        for row in self.rows:
            if key in row:
                return row
        raise InputError(
            f"the key `{key}` is missing",
            code="key.missing",
            where=self.rows[0].where(),
            found=", ".join(self.rows[0]) or "nothing",
        )

    def text(self, key: str) -> str:
        return self.row(key).text(key)

    def number(self, key: str) -> float:
        return self.row(key).number(key)

    def maybe_number(self, key: str) -> float | None:
        return self.number(key) if key in self else None

    def positive(self, key: str) -> float:
        """Number above 0."""
        value = self.number(key)
        if value <= 0.0:
            raise self.row(key).wrong(key, "a number above 0", code="key.value")
        return value

    def maybe_positive(self, key: str) -> float | None:
        return self.positive(key) if key in self else None

    def whole(self, key: str, *, least: int) -> int:
        """Whole number of at least some other."""
        value = self.number(key)
        if value != int(value) or value < least:
            raise self.row(key).wrong(key, f"a whole number of at least {least}", code="key.value")
        return int(value)

    def maybe_whole(self, key: str, *, least: int) -> int | None:
        return self.whole(key, least=least) if key in self else None

    def between(self, key: str, low: float, high: float) -> float:
        """Number between two others, these included."""
        value = self.number(key)
        if not low <= value <= high:
            raise self.row(key).wrong(key, f"a number from {low:g} to {high:g}", code="key.value")
        return value

    def choice(self, key: str, known: Sequence[str], default: str | None = None) -> str:
        """One of some words."""
        if key not in self and default is not None:
            return default
        value = self.text(key)
        if value not in known:
            raise InputError(
                f"`{value[:60]}` is not known here",
                code="key.value",
                where=self.row(key).where(key),
                expected=", ".join(f"`{name}`" for name in known),
                advice=did_you_mean(value, known),
            )
        return value

    def unit(self, key: str) -> Unit:
        return self.row(key).unit(key, DIMENSIONLESS) if key in self else DIMENSIONLESS

    def days(self, key: str) -> tuple[float, ...]:
        """A day, or several of them."""
        row = self.row(key)
        value = row[key]
        days = row.numbers(key, len(value)) if isinstance(value, list) and value else (row.number(key),)
        if min(days) < 0.0 or len(set(days)) < len(days):
            raise row.wrong(key, "a day from 0 on, or several different ones", code="key.value")
        return days

    def wholes(self, key: str) -> tuple[int, ...]:
        """List of whole numbers, empty when the key is absent."""
        if key not in self:
            return ()
        row = self.row(key)
        value = row[key]
        if not isinstance(value, list) or not all(type(entry) is int and entry >= 0 for entry in value):
            raise row.wrong(key, "a list of whole numbers, none negative")
        return tuple(value)
