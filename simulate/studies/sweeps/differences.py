"""What differs between two runs, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """What differs between the inputs of two runs, a phrase each."""
    before, after = flat(old), flat(new)
    phrases = []
    for name in dict.fromkeys((*before, *after)):
        if before.get(name) != after.get(name):
            phrases.append(f"`{name}` was {_brief(before.get(name))} and is {_brief(after.get(name))}")
    return phrases


def flat(inputs: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Inputs by dotted names."""
    rows: dict[str, Any] = {}
    for name, value in inputs.items():
        if isinstance(value, Mapping):
            rows |= flat(value, f"{before}{name}.")
        else:
            rows[before + str(name)] = value
    return rows


def _brief(value: object) -> str:
    if isinstance(value, list) and len(value) > 4:
        return f"{value[0]} to {value[-1]} ({len(value)} values)"
    return "absent" if value is None else str(value)[:60]
