"""Whether an argument of a function for Python is what its annotation says, in words for who gave another."""

from __future__ import annotations

import functools
import inspect
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

from simulate.errors import InputError

ALIASES = {
    "TrialNames": "str | Path | Sequence[str | Path] | None",
    "FitNames": "str | Path | Sequence[str | Path] | None",
    "Settings": "Mapping[str, object] | Sequence[Setting] | None",
}
"""Names of annotations that stand for others: those of `simulate.api.arguments`."""

_SEVERAL = {
    ("run", "hypothesis"): "`simulate.side_by_side(scenario, ['H1', 'H4'])` takes several",
    ("run", "fit"): "`simulate.side_by_side(scenario, fit=['prior', 'shipped'])` takes several",
}
"""What to do, by function and argument, for who gives a list of what there is one of."""

_LONGEST = 60


@dataclass(frozen=True, slots=True)
class Kind:
    """What a part of an annotation admits, and how a reader is told of one and of several."""

    admits: Callable[[Any], bool]
    one: str
    several: str


def _is_truth(value: Any) -> bool:
    # NumPy has a truth value of its own.
    return isinstance(value, bool) or type(value).__name__ in ("bool", "bool_")


def _is_bit(value: Any) -> bool:
    return isinstance(value, Integral) and value in (0, 1)


_KINDS = {
    "None": Kind(lambda value: value is None, "None", "None"),
    "bool": Kind(lambda value: _is_truth(value) or _is_bit(value), "True or False", "truth values"),
    "int": Kind(lambda value: isinstance(value, Integral) and not _is_truth(value), "a whole number", "whole numbers"),
    "float": Kind(lambda value: isinstance(value, Real) and not _is_truth(value), "a number", "numbers"),
    "str": Kind(lambda value: isinstance(value, str), "a text", "texts"),
    "Path": Kind(lambda value: isinstance(value, os.PathLike), "a path", "paths"),
    "object": Kind(lambda _: True, "a value", "values"),
    "Progress": Kind(callable, "a function", "functions"),
    "Report": Kind(callable, "a function", "functions"),
}


@functools.cache
def kinds_of(annotation: str) -> tuple[Kind, ...] | None:
    """What an annotation admits, part by part; None where it has a part of which nothing is known here."""
    parts = re.split(r" \| (?![^\[]*\])", ALIASES.get(annotation, annotation))
    found = [_kind(part) for part in parts]
    return tuple(kind for kind in found if kind is not None) if all(found) else None


def _kind(part: str) -> Kind | None:
    if part in _KINDS:
        return _KINDS[part]
    if part.startswith("Literal["):
        # Which texts there are, the function says.
        return _KINDS["str"]
    name, _, inner = part.removesuffix("]").partition("[")
    if name == "Sequence":
        own = kinds_of(inner) or (_KINDS["object"],)
        what = " or ".join(kind.several for kind in own)
        return Kind(
            lambda value: _is_sequence(value) and all(_fits(one, own) for one in value), f"a list of {what}", ""
        )
    if name == "Mapping" and inner.startswith("str, ") and (values := kinds_of(inner.removeprefix("str, "))):
        what = " or ".join(kind.several for kind in values)
        return Kind(
            lambda value: (
                isinstance(value, Mapping)
                and all(isinstance(key, str) and _fits(one, values) for key, one in value.items())
            ),
            f'a mapping of names to {what}, such as {{"name": 0.3}}',
            "",
        )
    return None


def plain(value: Any, annotation: str) -> Any:
    """An argument as the functions know it: numbers of NumPy as Python's own, what can be read once as a tuple.

    Where its annotation knows texts and no paths, as of hypotheses, of which each may be a file, a path is its text.
    """
    admitted = ALIASES.get(annotation, annotation)
    if isinstance(value, Iterator) and "Sequence[" in admitted:
        value = tuple(value)
    if _is_text_alone(admitted):
        return type(value)(map(_as_text, value)) if type(value) in (list, tuple) else _as_text(_own(value))
    # Results are mappings as well, and stay what they are.
    if "Mapping[" in admitted and isinstance(value, Mapping):
        return {key: _own(one) for key, one in value.items()}
    return _own(value)


def _is_text_alone(annotation: str) -> bool:
    return bool(re.search(r"\bstr\b", annotation)) and not re.search(r"\b(Path|Mapping|Literal)\b", annotation)


def _as_text(value: Any) -> Any:
    return os.fspath(value) if isinstance(value, os.PathLike) else value


def _own(value: Any) -> Any:
    return value.item() if type(value).__module__ == "numpy" and getattr(value, "ndim", None) == 0 else value


def _is_sequence(value: Any) -> bool:
    return isinstance(value, Iterable) and hasattr(value, "__len__") and not isinstance(value, str | bytes | Mapping)


def _fits(value: Any, kinds: Iterable[Kind]) -> bool:
    return any(kind.admits(value) for kind in kinds)


def check_types(function: str, parameters: Mapping[str, inspect.Parameter], given: Mapping[str, Any]) -> None:
    """Refuse arguments that are not what their annotations say; those of which nothing is known here are admitted.

    Parameters
    ----------
    function
        Its name.
    parameters, given
        Those of its signature, and values by their names.

    Raises
    ------
    InputError
        ``argument.type``.
    """
    for name, value in given.items():
        kinds = kinds_of(str(parameters[name].annotation))
        if kinds is None or _fits(value, kinds):
            continue
        wanted = [kind.one for kind in kinds]
        shown = repr(value)
        is_number = isinstance(value, str) and re.fullmatch(r"[-+]?\d+(\.\d+)?", value.strip())
        meaning = f"`help(simulate.{function})` says what it means"
        advice = _SEVERAL.get((function, name), meaning) if _is_sequence(value) else meaning
        raise InputError(
            f"the argument `{name}` of `simulate.{function}` is not what it can be",
            code="argument.type",
            found=f"{shown if len(shown) <= _LONGEST else shown[:_LONGEST] + '…'} ({type(value).__name__})",
            expected=", or ".join([", ".join(wanted[:-1]), wanted[-1]] if len(wanted) > 1 else wanted),
            advice="leave the quotation marks out" if is_number else advice,
        )
