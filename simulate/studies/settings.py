"""Settings: values laid over a scenario file by an option, an argument or a sweep."""

from __future__ import annotations

import copy
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from simulate.errors import InputError, Where, did_you_mean
from simulate.files import Document, dotted
from simulate.tomltext import MAX_NESTING, Keys, TooDeep, load_toml

MEASURES = ("cv", "sd_log")
"""Measures of a spread: coefficient of variation, and standard deviation of the logarithm."""

KEYS = {
    "hypothesis": "model.hypothesis",
    "fit": "model.fit",
    "draws": "model.draws",
    "patients": "cohort.patients",
    "patient": "cohort.first",
    "seed": "cohort.seed",
    "dropout": "cohort.dropout",
    "quantities": "outputs.quantities",
    "rtol": "solver.rtol",
}
"""Option of the command line, or argument in Python → key of a scenario file."""

_OPTION = "--"


@dataclass(frozen=True, slots=True)
class Setting:
    """A value laid over a file; ``origin`` is what the user wrote, such as ``--set f_m=0.3``."""

    key: str
    value: Any
    origin: str


def option_set(name: str, value: object) -> list[Setting]:
    """The setting that an option such as ``--seed 5`` stands for; none where it is not given."""
    return [] if value is None else [Setting(KEYS[name], value, f"--{name} {value}")]


def parse_setting(text: str) -> Setting:
    """Read ``key=value`` as given to ``--set``; a value is TOML, or else a text that needs no quotation marks."""
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


def parse_variation(text: str) -> Setting:
    """Read what ``--vary`` is given: ``cv=0.3`` for all parameters, ``k_a.cv=0.3`` for one; ``sd_log`` for ``cv``."""
    key, _, value = (part.strip() for part in text.partition("="))
    name, dot, measure = key.rpartition(".")
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if measure not in MEASURES or "." in name or bool(dot) != bool(name) or not math.isfinite(number):
        raise InputError(
            "this does not say how patients differ",
            code="scenario.variation",
            where=Where(file=_clip(f"--vary {text}")),
            expected="`cv=0.3` for all parameters, or `k_a.cv=0.3` for one; `sd_log` in place of `cv`",
        )
    place = f"parameters.{name}.spread.{measure}" if name else f"cohort.spread.{measure}"
    return Setting(place, number, f"--vary {text}")


def regimen_settings(regimens: Sequence[str]) -> list[Setting]:
    """Arms in place of those of a scenario, each of the patients under one regimen in words, and their title."""
    origin = " ".join(f'--regimen "{text}"' for text in regimens)
    arms = [{"name": text, "regimen": text} for text in dict.fromkeys(regimens)]
    return [Setting("arm", arms, origin), Setting("title", "; ".join(dict.fromkeys(regimens)), origin)]


def settings_from(named: Mapping[str, object], settings: Mapping[str, object] | None) -> list[Setting]:
    """Settings of a call from Python: values by their keys, None if not given, and further ones."""
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


def times_set(end: str | None, every: str | None) -> list[Setting]:
    """Settings of what ``--end`` and ``--every`` say of a scenario."""
    times = {"end": end, "every": every}
    return [Setting(f"time.{name}", text, f"--{name} {text}") for name, text in times.items() if text is not None]


def lay_over(document: Document, settings: Sequence[Setting], known: Mapping[str, Sequence[str]]) -> Document:
    """Document with settings laid over it. What a user sets goes before what a file sets, and is set once.

    A key is a path as it stands in errors, with an arm by its name or its place (``arm.NAME.regimen``,
    ``arm[0].regimen``), or the bare name of a parameter.

    ``settings``: what to change in it; ``known``: keys of each table by its name, and under ``""`` those outside of
    any.
    """
    data = copy.deepcopy(document.data)
    origins: dict[Keys, str] = {}
    for setting in settings:
        keys = _keys(setting, data, known)
        if setting.origin.startswith(_OPTION):
            _check_once(keys, setting.origin, origins)
        if len(keys) > MAX_NESTING:
            raise _no_such_place(setting, f"it has {len(keys)} parts, more than {MAX_NESTING}")
        table: Any = data
        if _is_spread_of_value(keys, data):
            data["parameters"][keys[1]] = {"value": data["parameters"][keys[1]]}
        for depth, key in enumerate(keys[:-1]):
            table = table.setdefault(key, {}) if isinstance(key, str) else table[key]
            # Only arms are counted, and they were found already.
            if not isinstance(table, dict) and not (isinstance(table, list) and isinstance(keys[depth + 1], int)):
                raise _no_such_place(setting, f"`{dotted(*keys[: depth + 1])}` is a value and holds no keys")
        if keys[-2:-1] == ("spread",) and keys[-1] in MEASURES:
            # A spread has one measure: that of the file gives way.
            table.clear()
        table[keys[-1]] = setting.value
        origins[keys] = setting.origin
    return replace(document, data=data, origins=origins)


def _is_spread_of_value(keys: Keys, data: Mapping[str, Any]) -> bool:
    """Whether a setting is the spread of a parameter of which only the value is there so far."""
    if keys[:1] != ("parameters",) or keys[2:3] != ("spread",) or not isinstance(data.get("parameters"), dict):
        return False
    found = data["parameters"].get(keys[1])
    return found is not None and not isinstance(found, dict)


def _check_once(keys: Keys, origin: str, origins: Mapping[Keys, str]) -> None:
    """Refuse an option that sets what another has set, or a part of it, or a table around it."""
    for known, before in origins.items():
        shorter = min(len(keys), len(known))
        if known[0] == "parameters" and len(known) == 2 and keys[:2] == known and keys[2:3] == ("spread",):
            # The value and the spread of a parameter are set apart.
            continue
        if before.startswith(_OPTION) and keys[:shorter] == known[:shorter]:
            raise InputError(
                f"`{dotted(*keys[:shorter])}` is set twice",
                code="scenario.setting",
                where=Where(file=origin),
                found=before,
                advice="set it once",
            )


def _keys(setting: Setting, data: Mapping[str, Any], known: Mapping[str, Sequence[str]]) -> Keys:
    key = setting.key
    arms = data.get("arm")
    if isinstance(arms, list) and key.startswith(("arm.", "arm[")):
        return _arm_keys(setting, arms)
    parts = tuple(part.strip() for part in key.split("."))
    if not all(parts):
        raise _no_such_place(setting, "the key has an empty part")
    if len(parts) > 1 or parts[0] in known[""]:
        return parts
    homes = [f"{name}.{parts[0]}" for name, keys in known.items() if name and parts[0] in keys]
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


def _no_such_place(setting: Setting, reason: str, advice: str | None = None) -> InputError:
    return InputError(
        f"the setting `{_clip(setting.key)}` has no place in the file: {reason}",
        code="scenario.setting",
        where=Where(file=_clip(setting.origin)),
        advice=advice,
    )


def _clip(text: str) -> str:
    return text if len(text) <= 200 else f"{text[:197]}..."
