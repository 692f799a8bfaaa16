"""Strict reading of one table of a TOML file: typed values, no key that nobody reads, every fault with its line."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import sympy
from sympy import Expr

from simulate.errors import InputError, Where, did_you_mean
from simulate.files import Document, dotted
from simulate.symbolic.expressions import parse_expression
from simulate.symbolic.gathering import check_name
from simulate.symbolic.units import Unit, unit


class Row:
    """A table of a document, addressed by its keys; elements of arrays are counted from 0.

    Raises
    ------
    InputError
        ``key.type`` when there is something other than a table, ``key.unknown`` for a key that is not in ``allowed``,
        ``key.missing`` for one of ``required`` that is not there.
    """

    def __init__(
        self, document: Document, *keys: str | int, allowed: Sequence[str] | None = None, required: Sequence[str] = ()
    ) -> None:
        self.document = document
        self.keys = keys
        found: Any = document.data
        for key in keys:
            found = found[key]
        if not isinstance(found, Mapping):
            raise InputError(
                f"`{keys[-1]}` is not a table",
                code="key.type",
                where=self.where(),
                found=_shown(found),
                expected=f"a table, [{dotted(*keys)}]",
            )
        self._found: Mapping[str, Any] = found
        for key in found:
            if allowed is not None and key not in allowed:
                raise InputError(
                    f"unknown key `{key[:60]}`",
                    code="key.unknown",
                    where=self.where(key),
                    expected=", ".join(allowed),
                    advice=did_you_mean(key, allowed),
                )
        for key in required:
            if key not in found:
                raise InputError(
                    f"the key `{key}` is missing",
                    code="key.missing",
                    where=self.where(),
                    found=", ".join(found) or "nothing",
                )

    def __contains__(self, key: str) -> bool:
        return key in self._found

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def __getitem__(self, key: str) -> Any:
        return self._found[key]

    def where(self, *keys: str) -> Where:
        """Place of a key of this table."""
        return self.document.where(*self.keys, *keys)

    def sub(self, key: str, *, allowed: Sequence[str] | None = None, required: Sequence[str] = ()) -> Row:
        """A table within this one."""
        return Row(self.document, *self.keys, key, allowed=allowed, required=required)

    def tables(self, key: str) -> Iterator[tuple[str, Row]]:
        """Tables of a kind by name, such as all ``[species.NAME]``; none when the kind is absent."""
        if key in self:
            kind = self.sub(key)
            for name in kind:
                check_name(name, kind.where(name))
                yield name, kind.sub(name)

    def text(self, key: str, default: str = "") -> str:
        """Text that is not empty."""
        if key not in self:
            return default
        value = self[key]
        if not isinstance(value, str):
            raise self.wrong(key, "a text")
        if not value.strip() or not value.isprintable():
            raise self.wrong(key, "a text of one line that is not empty", code="key.value")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """List of texts, empty when the key is absent."""
        value = self[key] if key in self else []
        if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
            raise self.wrong(key, "a list of texts")
        return tuple(value)

    def number(self, key: str) -> float:
        """Finite number."""
        return self._finite(self[key], key, "a number")

    def numbers(self, key: str, count: int) -> tuple[float, ...]:
        """List of finite numbers of a given length."""
        value = self[key]
        expected = f"a list of {count} numbers"
        if not isinstance(value, list) or len(value) != count:
            raise self.wrong(key, expected)
        return tuple(self._finite(entry, key, expected) for entry in value)

    def unit(self, key: str, default: Unit) -> Unit:
        """Unit."""
        if key not in self:
            return default
        try:
            return unit(self.text(key))
        except InputError as error:
            error.where = error.where or self.where(key)
            raise

    def expression(self, key: str) -> Expr:
        """Expression, from a text or a number; decimal numbers are exact."""
        value = self[key]
        if isinstance(value, str):
            return parse_expression(value, where=self.where(key))
        return sympy.Rational(repr(self._finite(value, key, "an expression in quotation marks, or a number")))

    def wrong(self, key: str, expected: str, *, code: str = "key.type") -> InputError:
        """Error that a value is not what was expected."""
        return InputError(
            f"the value of `{key}` cannot be used",
            code=code,
            where=self.where(key),
            found=_shown(self[key]),
            expected=expected,
        )

    def _finite(self, value: object, key: str, expected: str) -> float:
        # A boolean is an integer in Python.
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise self.wrong(key, expected)
        if not abs(value) <= 1e300 or not math.isfinite(value):
            raise self.wrong(key, f"{expected} that is finite and of ordinary size", code="key.value")
        return float(value)


def _shown(value: object) -> str:
    text = repr(value)[:100] if not isinstance(value, str) else repr(value[:100])
    return {"True": "true", "False": "false"}.get(text, text)
