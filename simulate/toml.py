"""The one reader of typed TOML: a table with its file, which gives typed values by key and names the line of a fault.

Units, regimens and expressions are texts that something else reads: `TomlTable.parsed` takes the function that does.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar, overload

from simulate.errors import InputError, Where, did_you_mean, listed, not_among, relocated
from simulate.files import Document, dotted

T = TypeVar("T")
V = TypeVar("V")

_REQUIRED: Any = object()
_ORDINARY = " that is finite and of ordinary size"


class TomlTable:
    """A table of a document, addressed by its keys; elements of arrays are counted from 0.

    A getter without a default refuses a key that is not there. What it refuses is an `InputError` with the code
    ``key.missing``, ``key.type`` (a value of another kind) or ``key.value`` (one that cannot be), with file and line.

    Parameters
    ----------
    document
        The file.
    keys
        Path of the table; one that the file does not have is empty.
    allowed
        Keys that it may have; None for any.
    required
        Keys that it must have.

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
        self._base: TomlTable | None = None
        self._hidden: Collection[str] = ()
        found: Any = document.data
        for key in keys:
            found = found[key] if isinstance(key, int) else found.get(key)
            if found is None:
                found = {}
        if not isinstance(found, Mapping):
            raise InputError(
                f"`{keys[-1]}` is not a table",
                code="key.type",
                where=self.where(),
                found=shown_value(found),
                expected=f"a table, [{dotted(*keys)}]",
            )
        # A setting of None, from Python, says that the key is not there.
        self._found = {key: value for key, value in found.items() if value is not None}
        self.check_keys(allowed, required)

    def check_keys(self, allowed: Sequence[str] | None, required: Sequence[str] = ()) -> None:
        """Refuse a key that is not among those allowed, and the absence of a required one."""
        for key in self._found:
            if allowed is not None and key not in allowed:
                raise not_among(f"unknown key `{key[:60]}`", key, allowed, code="key.unknown", where=self.where(key))
        for key in required:
            if key not in self:
                raise self.missing(key)

    def over(self, base: TomlTable, hidden: Collection[str] = ()) -> TomlTable:
        """The table laid over another: what it does not say, the other one does, but for some hidden keys."""
        laid = copy.copy(self)
        laid._base, laid._hidden = base, hidden
        return laid

    def __contains__(self, key: str) -> bool:
        return key in self._found or (self._base is not None and key not in self._hidden and key in self._base)

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def __getitem__(self, key: str) -> Any:
        """The value of a key as it stands in the file."""
        return self._home(key)._found[key]

    def where(self, *keys: str | int) -> Where:
        """Place of the table, or of a key of it."""
        return self.document.where(*self.keys, *keys)

    def table(self, key: str, *, allowed: Sequence[str] | None = None, required: Sequence[str] = ()) -> TomlTable:
        """A table within this one; an empty one where it is absent."""
        return TomlTable(self.document, *self.keys, key, allowed=allowed, required=required)

    def tables(
        self, key: str, *, allowed: Sequence[str] | None = None, required: Sequence[str] = ()
    ) -> tuple[TomlTable, ...]:
        """The tables of an array such as ``[[arm]]``, none where it is absent."""
        if key not in self:
            return ()
        entries = self[key]
        if not isinstance(entries, list) or not all(isinstance(entry, Mapping) for entry in entries):
            raise self.wrong(key, f"tables, [[{_without_places(*self.keys, key)}]]", code="key.type")
        if not entries:
            raise self.wrong(key, f"at least one table, [[{_without_places(*self.keys, key)}]]")
        return tuple(
            TomlTable(self.document, *self.keys, key, index, allowed=allowed, required=required)
            for index in range(len(entries))
        )

    def named(
        self, key: str, *, allowed: Sequence[str] | None = None, required: Sequence[str] = ()
    ) -> Iterator[tuple[str, TomlTable]]:
        """Tables of a kind by name, such as all ``[species.NAME]``; none where the kind is absent."""
        kind = self.table(key)
        for name in kind:
            yield name, kind.table(name, allowed=allowed, required=required)

    @overload
    def text(self, key: str, *, expected: str = ..., most: int = ...) -> str: ...
    @overload
    def text(self, key: str, default: T, *, expected: str = ..., most: int = ...) -> str | T: ...
    def text(self, key: str, default: Any = _REQUIRED, *, expected: str = "a text", most: int = 10_000) -> Any:
        """Text of one line that is not empty, of at most some characters."""
        if self._is_left_out(key, default, expected):
            return default
        value = self[key]
        if not isinstance(value, str):
            raise self.wrong(key, expected, code="key.type")
        if not value.strip() or not value.isprintable():
            raise self.wrong(key, "a text of one line that is not empty")
        if len(value) > most:
            raise self.wrong(key, f"at most {most} characters")
        return value

    def texts(self, key: str, *, expected: str = "a list of texts") -> tuple[str, ...]:
        """List of texts, empty when the key is absent."""
        value = self[key] if key in self else []
        if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
            raise self.wrong(key, expected, code="key.type")
        return tuple(value)

    @overload
    def number(self, key: str, *, least: float = ..., above: float = ..., most: float = ...) -> float: ...
    @overload
    def number(
        self, key: str, default: T, *, least: float = ..., above: float = ..., most: float = ...
    ) -> float | T: ...
    def number(
        self,
        key: str,
        default: Any = _REQUIRED,
        *,
        least: float = -math.inf,
        above: float = -math.inf,
        most: float = math.inf,
    ) -> Any:
        """Finite number of at least ``least``, above ``above`` and of at most ``most``."""
        expected = _range("a number", least, above, most)
        if self._is_left_out(key, default, expected):
            return default
        value = self._finite(self[key], key, expected, "" if most < math.inf else _ORDINARY)
        if not (least <= value <= most and value > above):
            raise self.wrong(key, expected)
        return value

    def numbers(self, key: str, count: int | None = None) -> tuple[float, ...]:
        """List of finite numbers, of a given length or of at least one."""
        value = self[key]
        expected = "a list of numbers" if count is None else f"a list of {count} numbers"
        if not isinstance(value, list) or len(value) != (count or max(len(value), 1)):
            raise self.wrong(key, expected, code="key.type")
        return tuple(self._finite(entry, key, expected) for entry in value)

    @overload
    def integer(self, key: str, *, least: int, most: int | None = ...) -> int: ...
    @overload
    def integer(self, key: str, default: T, *, least: int, most: int | None = ...) -> int | T: ...
    def integer(self, key: str, default: Any = _REQUIRED, *, least: int, most: int | None = None) -> Any:
        """Whole number within bounds."""
        expected = _range("a whole number", least, -math.inf, math.inf if most is None else most)
        if self._is_left_out(key, default, expected):
            return default
        value = self[key]
        # A boolean is an integer in Python.
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.wrong(key, expected, code="key.type")
        if value != value // 1 or value < least or (most is not None and value > most):
            raise self.wrong(key, expected)
        return int(value)

    def integers(self, key: str) -> tuple[int, ...]:
        """List of whole numbers, none negative; empty when the key is absent."""
        value = self[key] if key in self else []
        if not isinstance(value, list) or not all(type(entry) is int and entry >= 0 for entry in value):
            raise self.wrong(key, "a list of whole numbers, none negative", code="key.type")
        return tuple(value)

    def boolean(self, key: str, default: bool) -> bool:
        """True or false."""
        value = self[key] if key in self else default
        if not isinstance(value, bool):
            raise self.wrong(key, "true or false", code="key.type")
        return value

    def choice(self, key: str, known: Iterable[str], default: str | None = None) -> str:
        """One of some words."""
        names = tuple(known)
        if default is not None and key not in self:
            return default
        value = self.text(key, expected=listed(names))
        if value not in names:
            raise self.wrong(key, listed(names), advice=did_you_mean(value, names))
        return value

    @overload
    def parsed(self, key: str, parse: Callable[[str], V], *, expected: str = ...) -> V: ...
    @overload
    def parsed(self, key: str, parse: Callable[[str], V], default: T, *, expected: str = ...) -> V | T: ...
    def parsed(self, key: str, parse: Callable[[str], V], default: Any = _REQUIRED, *, expected: str = "a text") -> Any:
        """The result of a function that reads a text, whose faults become those of the key."""
        if self._is_left_out(key, default, expected):
            return default
        value = self[key]
        if not isinstance(value, str):
            raise self.wrong(key, expected, code="key.type")
        try:
            return parse(value)
        except InputError as error:
            raise relocated(error, self._home(key).where(key), value) from None

    def schema(self, version: int = 1) -> None:
        """Refuse a file of another version of its format, which ``schema`` tells."""
        if self["schema"] != version or isinstance(self["schema"], bool):
            raise self.wrong("schema", str(version))

    def wrong(self, key: str, expected: str, *, code: str = "key.value", advice: str | None = None) -> InputError:
        """Error that a value is not what was expected."""
        home = self._home(key)
        return InputError(
            f"the value of `{key}` cannot be used",
            code=code,
            where=home.where(key),
            found=shown_value(home._found[key]),
            expected=expected,
            advice=advice,
        )

    def missing(self, key: str, expected: str | None = None) -> InputError:
        """Error that a key is not there."""
        return InputError(
            f"the key `{key}` is missing",
            code="key.missing",
            where=self.where(),
            found=listed(self) or "nothing",
            expected=expected,
        )

    def _home(self, key: str) -> TomlTable:
        """The table that has a key: this one, or one over which it is laid."""
        if key in self._found:
            return self
        if self._base is None or key not in self:
            raise self.missing(key)
        return self._base._home(key)

    def _is_left_out(self, key: str, default: object, expected: str) -> bool:
        if key in self:
            return False
        if default is _REQUIRED:
            raise self.missing(key, expected)
        return True

    def _finite(self, value: object, key: str, expected: str, limits: str = _ORDINARY) -> float:
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise self.wrong(key, expected, code="key.type")
        # An integer may be too large for a float.
        if not abs(value) <= 1e300 or not math.isfinite(value):
            raise self.wrong(key, f"{expected}{limits}")
        return float(value)


def shown_value(value: object) -> str:
    """A value as a message shows it, no longer than a line."""
    if isinstance(value, bool):
        return str(value).lower()
    text = repr(value[:100]) if isinstance(value, str) else repr(value)
    return "a table" if isinstance(value, Mapping) and len(text) > 100 else text[:110]


def _range(noun: str, least: float, above: float, most: float) -> str:
    if most < math.inf:
        return (
            f"{noun} from {_plain(least)} to {_plain(most)}"
            if above == -math.inf
            else (f"{noun} above {_plain(above)}, at most {_plain(most)}")
        )
    if above > -math.inf:
        return f"{noun} above {_plain(above)}"
    return noun if least == -math.inf else f"{noun} of at least {_plain(least)}"


def _plain(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:g}"


def _without_places(*keys: str | int) -> str:
    return dotted(*(key for key in keys if isinstance(key, str)))


def keys_of(known: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]], table: str) -> dict[str, tuple[str, ...]]:
    """Arguments of `TomlTable` for a table, by the keys that it must have and those that it may have besides."""
    required, optional = known[table]
    return {"allowed": (*required, *optional), "required": required}
