"""A decorator of all verbs."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

from simulate.errors import Il1simError
from simulate.inputs import noting
from simulate.wording import is_command, say_as_python

Verb = TypeVar("Verb", bound=Callable[..., Any])


def worded(function: Verb) -> Verb:
    """Decorator of a function for Python: its errors name its arguments, and options where a command line asks."""
    names = inspect.signature(function).parameters.keys()

    @functools.wraps(function)
    def told(*arguments: Any, **named: Any) -> Any:
        try:
            return function(*arguments, **named)
        except Il1simError as error:
            if not is_command():
                say_as_python(error, names)
            raise

    return cast(Verb, told)


def verb(function: Verb) -> Verb:
    """Decorator of a verb: its directory is looked at before any work, and the files are noted that it reads.

    Its errors are those of `worded`.
    """

    @functools.wraps(function)
    def noted(*arguments: Any, **named: Any) -> Any:
        out = named.get("out")
        if isinstance(out, str | Path):
            from simulate.store import check_target

            # Whose run is there is asked when it is known what is asked; that it is none can be seen at once.
            check_target(Path(out), key="", force=True)
        with noting():
            return function(*arguments, **named)

    return worded(cast(Verb, noted))
