"""A TOML file with settings laid over it, and the sentences for what a schema finds wrong in it.

The schema is pydantic's; what a reader sees is `InputError` with the line of the file, or the setting, at fault.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.fields import FieldInfo

from simulate.errors import InputError, Where, did_you_mean
from simulate.files import Document, dotted
from simulate.tomltext import MAX_NESTING, Keys, TooDeep, load_toml

_OPTION = "--"
AnyTable = TypeVar("AnyTable", bound="Table")


class Table(BaseModel):
    """A table of a file: unknown keys are refused, and no value is taken for one of another type."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


@dataclass(frozen=True, slots=True)
class Setting:
    """A value laid over a file; ``origin`` is what the user wrote, such as ``--set f_m=0.3``."""

    key: str
    value: Any
    origin: str


def parse_setting(text: str) -> Setting:
    """Read ``key=value`` as given to ``--set``; a value is TOML, or else a text that needs no quotation marks.

    Raises
    ------
    InputError
        ``scenario.setting``: no key, no value or no equals sign.
    """
    key, _, value = (part.strip() for part in text.partition("="))
    if not key or not value:
        raise InputError(
            "a setting needs a key and a value",
            code="scenario.setting",
            where=Where(file=f"--set {text}"),
            expected="key=value, such as f_m=0.3",
        )
    try:
        parsed = load_toml(f"value = {value}")
    except TooDeep as error:
        raise InputError(
            f"the value of a setting is nested too deeply: {error}",
            code="scenario.setting",
            where=Where(file=_clip(f"--set {key}")),
            expected=f"at most {MAX_NESTING} tables and lists inside one another",
        ) from None
    except ValueError:
        parsed = {}
    return Setting(key, parsed["value"] if len(parsed) == 1 else value, f"--set {text}")


def settings_from(named: Mapping[str, object], settings: Mapping[str, object] | None) -> list[Setting]:
    """Settings of a call from Python: arguments that stand for a key, None if not given, and further ones.

    Raises
    ------
    InputError
        ``scenario.setting``: a key that both set.
    """
    given = {key: value for key, value in named.items() if value is not None}
    for key in settings or {}:
        if key in given:
            raise InputError(
                f"`{key}` is set twice",
                code="scenario.setting",
                found=f"an argument, {given[key]!r}, and a setting, {(settings or {})[key]!r}",
                advice="set it once",
            )
    return [Setting(key, value, f"{key} = {value!r}") for key, value in (given | dict(settings or {})).items()]


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """A document with settings laid over it; ``origins`` tells which setting decided a key."""

    document: Document
    data: dict[str, Any]
    origins: Mapping[Keys, str]

    def where(self, *keys: str | int) -> Where:
        """Place of a key: the setting that decided it, else the file with its line."""
        for length in range(len(keys), 0, -1):
            origin = self.origins.get(keys[:length])
            if origin is not None:
                return Where(file=origin, key=dotted(*keys))
        return self.document.where(*keys)


def lay_over(document: Document, settings: Sequence[Setting], schema: type[Table]) -> Sheet:
    """Sheet of a document and settings. What a user sets goes before what a file sets, and is set once.

    A key is a path as it stands in errors, with an arm by its name or its place (``arm.NAME.regimen``,
    ``arm[0].regimen``), or the bare name of a parameter.

    Raises
    ------
    InputError
        ``scenario.setting``: the key leads nowhere, or two options set it.
    """
    data = copy.deepcopy(document.data)
    origins: dict[Keys, str] = {}
    for setting in settings:
        keys = _keys(setting, data, schema)
        if setting.origin.startswith(_OPTION):
            _check_once(keys, setting.origin, origins)
        if len(keys) > MAX_NESTING:
            raise _no_such_place(setting, f"it has {len(keys)} parts, more than {MAX_NESTING}")
        table: Any = data
        for depth, key in enumerate(keys[:-1]):
            if isinstance(key, str):
                table = table.setdefault(key, {})
            else:
                table = table[key]
            if not isinstance(table, dict | list):
                raise _no_such_place(setting, f"`{dotted(*keys[: depth + 1])}` is a value and holds no keys")
        if not isinstance(table, dict):
            raise _no_such_place(setting, f"`{dotted(*keys[:-1])}` is not a table")
        table[keys[-1]] = setting.value
        origins[keys] = setting.origin
    return Sheet(document, data, origins)


def _check_once(keys: Keys, origin: str, origins: Mapping[Keys, str]) -> None:
    """Refuse an option that sets what another has set, or a part of it, or a table around it."""
    for known, before in origins.items():
        shorter = min(len(keys), len(known))
        if before.startswith(_OPTION) and keys[:shorter] == known[:shorter]:
            raise InputError(
                f"`{dotted(*keys[:shorter])}` is set twice",
                code="scenario.setting",
                where=Where(file=origin),
                found=before,
                advice="set it once",
            )


def _keys(setting: Setting, data: Mapping[str, Any], schema: type[Table]) -> Keys:
    key = setting.key
    arms = data.get("arm")
    if isinstance(arms, list) and key.startswith(("arm.", "arm[")):
        return _arm_keys(setting, arms)
    parts = tuple(part.strip() for part in key.split("."))
    if not all(parts):
        raise _no_such_place(setting, "the key has an empty part")
    if len(parts) > 1 or parts[0] in _fields(schema):
        return parts
    homes = [f"{name}.{parts[0]}" for name, table in _tables(schema) if parts[0] in _fields(table)]
    if homes:
        raise _no_such_place(setting, f"`{key}` is a key of a table", f"did you mean `{homes[0]}`?")
    return ("parameters", parts[0])


def _arm_keys(setting: Setting, arms: list[Any]) -> Keys:
    names = [arm.get("name") for arm in arms if isinstance(arm, dict)]
    for index, name in sorted(enumerate(names), key=lambda pair: -len(str(pair[1]))):
        for prefix in (f"arm.{name}.", f'arm."{name}".', f"arm[{index}]."):
            if setting.key.startswith(prefix):
                rest = tuple(part.strip() for part in setting.key.removeprefix(prefix).split("."))
                return ("arm", index, *rest)
    known = [f"arm.{name}.regimen" for name in names]
    place = re.match(r"arm\[(\d+)\](.*)", setting.key)
    if place is not None and int(place[1]) >= len(names):
        raise _no_such_place(setting, f"the arms are counted from 0 to {len(names) - 1}")
    if place is not None and not place[2]:
        raise _no_such_place(setting, "an arm is a table", f"set a key of it, such as `{setting.key}.regimen`")
    raise _no_such_place(
        setting, "no arm has this name", did_you_mean(setting.key, known) or f"such as `{known[0]}`" if known else None
    )


def _fields(schema: type[Table]) -> dict[str, FieldInfo]:
    """Fields of a table by the keys of the file."""
    return {field.alias or name: field for name, field in schema.model_fields.items()}


def _tables(schema: type[Table]) -> Iterator[tuple[str, type[Table]]]:
    for name, field in _fields(schema).items():
        table = field.annotation
        if isinstance(table, type) and issubclass(table, Table):
            yield name, table


def _no_such_place(setting: Setting, reason: str, advice: str | None = None) -> InputError:
    return InputError(
        f"the setting `{_clip(setting.key)}` has no place in the file: {reason}",
        code="scenario.setting",
        where=Where(file=_clip(setting.origin)),
        advice=advice,
    )


def validated(sheet: Sheet, schema: type[AnyTable]) -> AnyTable:
    """What a sheet says, in the types of a schema.

    Raises
    ------
    InputError
        ``scenario.key``, ``scenario.missing`` or ``scenario.value``: the first fault, unknown keys before all others,
        as a misspelt key is also a missing one.
    """
    try:
        return schema.model_validate(sheet.data)
    except ValidationError as error:
        faults = error.errors(include_url=False)
    first = min(faults, key=lambda fault: fault["type"] != "extra_forbidden")
    kind, keys, found = first["type"], tuple(first["loc"]), first["input"]
    if kind == "extra_forbidden":
        name, known = str(keys[-1]), tuple(_fields(_table_at(schema, keys[:-1])))
        raise InputError(
            f"there is no key `{name}` here",
            code="scenario.key",
            where=sheet.where(*keys),
            expected=", ".join(f"`{key}`" for key in known),
            advice=did_you_mean(name, known),
        )
    if kind == "missing":
        raise InputError(
            f"the key `{dotted(*keys)}` is missing",
            code="scenario.missing",
            where=sheet.where(*keys),
            expected=_fields(_table_at(schema, keys[:-1]))[str(keys[-1])].description,
        )
    raise InputError(
        f"the value of `{dotted(*keys)}` cannot be used",
        code="scenario.value",
        where=sheet.where(*keys),
        found=_shown(found),
        expected=_described(schema, keys, kind) or _expected(kind, first.get("ctx", {})) or first["msg"],
    )


def _described(schema: type[Table], keys: Keys, kind: str) -> str | None:
    """What the schema says of a key that holds a value of a wrong type."""
    if kind not in ("string_type", "list_type", "model_type") or not isinstance(keys[-1], str):
        return None
    return _fields(_table_at(schema, keys[:-1]))[keys[-1]].description


def _expected(kind: str, limits: Mapping[str, Any]) -> str | None:
    if kind == "greater_than_equal":
        return f"a number of at least {limits['ge']}"
    if kind == "less_than_equal":
        return f"a number of at most {limits['le']}"
    if kind == "literal_error":
        return str(limits["expected"])
    if kind == "too_short":
        return "at least one"
    if kind == "string_too_short":
        return "a text that is not empty"
    return _EXPECTED.get(kind)


def _shown(value: object) -> str:
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= 100 else f"{text[:97]}..."


def _clip(text: str) -> str:
    return text if len(text) <= 200 else f"{text[:197]}..."


def _table_at(schema: type[Table], keys: Keys) -> type[Table]:
    """Table of the schema to which a path of keys leads."""
    found: Any = schema
    for key in keys:
        if isinstance(key, str):
            found = _fields(found)[key].annotation
        candidates = (found, *get_args(found))
        found = next((item for item in candidates if isinstance(item, type) and issubclass(item, Table)), found)
    assert isinstance(found, type)
    assert issubclass(found, Table)
    return found


_EXPECTED = {
    "dict_type": "a table",
    "float_type": "a number",
    "int_from_float": "a whole number",
    "int_type": "a whole number",
    "list_type": "an array",
    "model_type": "a table",
    "string_type": "a text in quotation marks",
    "tuple_type": "an array",
}


def in_range(value: float, low: float, high: float, sheet: Sheet, *keys: str) -> float:
    """A value that must lie within bounds; said with its line where it does not."""
    # Not a bound of the schema: NaN passes comparisons there.
    if not low <= value <= high:
        raise InputError(
            f"`{dotted(*keys)}` is out of range",
            code="scenario.value",
            where=sheet.where(*keys),
            found=repr(value),
            expected=f"a number from {low:g} to {high:g}",
        )
    return value
