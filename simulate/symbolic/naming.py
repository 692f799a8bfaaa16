"""What can be a name in an expression."""

from __future__ import annotations

import keyword
import re

from simulate.errors import InputError, Where

MAX_NAME = 100
"""Characters of a name."""

FUNCTION_NAMES = (
    *("exp", "log", "sqrt", "tanh", "abs", "min", "max", "hill", "at_baseline"),
    *("sin", "cos", "tan", "asin", "acos", "atan", "floor", "ceil", "piecewise"),
)
"""Functions of the grammar; `simulate.symbolic.functions` says what they are."""

TIME_NAME = "t"
"""What time is called in every model."""


def is_name(text: str) -> bool:
    """Whether a text can name a symbol: an ASCII identifier that is neither a function nor a Python keyword."""
    return (
        re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", text) is not None
        and len(text) <= MAX_NAME
        and not keyword.iskeyword(text)
        and text not in FUNCTION_NAMES
    )


def check_name(name: str, where: Where) -> None:
    """Refuse a name that cannot be a symbol.

    Raises
    ------
    InputError
        ``model.name``.
    """
    if name == TIME_NAME:
        raise InputError("the name `t` belongs to time", code="model.name", where=where)
    if not is_name(name):
        raise InputError(
            f"`{name[:60]}` cannot be a name",
            code="model.name",
            where=where,
            expected="ASCII letters, digits and underscores, the first no digit",
            advice="it is a function"
            if name in FUNCTION_NAMES
            else "it is a keyword of Python"
            if keyword.iskeyword(name)
            else None,
        )
