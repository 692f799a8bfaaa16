"""Errors that name options for the command line, and arguments for Python."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace

from simulate.errors import Il1simError

_IS_COMMAND: ContextVar[bool] = ContextVar("is_command", default=False)
_NAME = r"(?<![\w-])--(?P<name>[a-z][a-z-]*[a-z]|[a-z])(?![\w-])"
_QUOTED = re.compile(rf"""{_NAME}(?:[ =](?P<value>"[^"]*"|'[^']*'|[^\s-]\S*))?""")
_TEXT = re.compile(r'"[^"]*"')
_KEPT = re.compile(rf"(`[^`]*`|{_TEXT.pattern})")
_REPEATED = re.compile(rf"{_NAME} {_TEXT.pattern}(?: --(?P=name) {_TEXT.pattern})+")
_OTHERS = {"set": "settings", "hypothesis": "hypotheses", "quantity": "quantities", "zip": "zipped"}
"""Arguments that are not called as their options are, nor by their plural."""


@contextmanager
def command_line() -> Iterator[None]:
    """Within this, what is asked comes from a command line, and errors keep its options."""
    token = _IS_COMMAND.set(True)
    try:
        yield
    finally:
        _IS_COMMAND.reset(token)


def is_command() -> bool:
    """Whether what is asked comes from a command line."""
    return _IS_COMMAND.get()


def argument_of(option: str, names: Collection[str]) -> str | None:
    """Which of the arguments of a function an option, without its hyphens, is; None if it has none for it."""
    name = option.replace("-", "_")
    return next((own for own in (name, f"{name}s", _OTHERS.get(name, "")) if own in names), None)


def say_as_python(error: Il1simError, names: Collection[str]) -> None:
    """Name the arguments of a function where an error names their options.

    Commands stay that it quotes, and whatever else stands between backticks or quotation marks and does not begin with
    an option: it may be what somebody wrote, as what was found is. ``names``: of its arguments.
    """
    if error.where is not None:
        # The place is all that was written, such as `--end 5 parsecs`, or the name of a file, whatever is in it.
        file = error.where.file or ""
        error.where = replace(error.where, file=_whole(file, names) or error.where.file)
    error.what = _part(error.what, names)
    error.expected = None if error.expected is None else _part(error.expected, names)
    error.advice = None if error.advice is None else _part(error.advice, names)


def _whole(text: str, names: Collection[str]) -> str | None:
    """A text that is an option and what was written behind it, or one that is repeated; None for any other."""
    several = _REPEATED.fullmatch(text)
    if several is not None and (name := argument_of(several["name"], names)) is not None:
        return f"{name}=[{', '.join(_TEXT.findall(text))}]"
    found = re.fullmatch(rf"{_NAME}(?: (?P<value>.*))?", text, re.DOTALL)
    return None if found is None else _argument(found, names)


def _part(text: str, names: Collection[str]) -> str:
    # Odd parts are what is quoted.
    parts = _KEPT.split(text)
    for place, part in enumerate(parts):
        if place % 2 == 0:
            # Words that follow an option in a sentence are not its value.
            parts[place] = re.sub(rf"{_NAME}(?P<value>)", lambda found: _argument(found, names), part)
        elif part.startswith("`--"):
            parts[place] = f"`{_QUOTED.sub(lambda found: _argument(found, names), part[1:-1])}`"
    return "".join(parts)


def _argument(found: re.Match[str], names: Collection[str]) -> str:
    name = argument_of(found["name"], names)
    if name is None:
        return found[0]
    value = (found["value"] or "").strip()
    key, equals, number = value.partition("=")
    if name in ("settings", "vary") and equals:
        return f'{name}={{"{key}": {_value(number)}}}'
    if not value:
        return f"{name}="
    # A time is a text, whatever is in it.
    return f'{name}="{value}"' if name in ("end", "every") and value[0] not in "\"'" else f"{name}={_value(value)}"


def _value(text: str) -> str:
    if text in ("true", "false"):
        return text.capitalize()
    is_plain = text[:1] in "\"'" or re.fullmatch(r"[-+]?\d+(\.\d*)?(e[-+]?\d+)?|[A-Z]+|\.\.\.", text)
    return text if is_plain else '"' + text.replace('"', '\\"') + '"'
