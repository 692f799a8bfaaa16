"""A decorator of all verbs."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

from simulate.api.types import check_types, plain
from simulate.errors import Il1simError, did_you_mean
from simulate.inputs import noting
from simulate.wording import is_command, say_as_python

Verb = TypeVar("Verb", bound=Callable[..., Any])

_ONLY_SEVERAL = re.compile(r"(Mapping\[[^]]*\] \| )?Sequence\[str\]")
"""Types of arguments whose functions do not take one text themselves."""


def _in_one_list(signature: inspect.Signature, arguments: tuple[Any, ...]) -> str | None:
    """What to do where several texts stand in the places of several arguments, and the first takes them all."""
    places = [part for part in signature.parameters.values() if part.kind is part.POSITIONAL_OR_KEYWORD]
    takes_all = bool(places) and "Sequence[" in str(places[0].annotation)
    is_meant = takes_all and len(arguments) > len(places) and all(isinstance(one, str | Path) for one in arguments)
    return f"`{places[0].name}` takes several in one list: {[str(one) for one in arguments]}" if is_meant else None


def worded(function: Verb) -> Verb:
    """Decorator of a function for Python: its errors name its arguments, and options where a command line asks.

    One text in the place of several is taken for a sequence of one; what is no value of its annotation is refused.
    """
    signature = inspect.signature(function)
    several = {name for name, part in signature.parameters.items() if _ONLY_SEVERAL.match(str(part.annotation))}

    @functools.wraps(function)
    def told(*arguments: Any, **named: Any) -> Any:
        try:
            given = signature.bind(*arguments, **named)
        except TypeError as error:
            unknown = next((name for name in named if name not in signature.parameters), None)
            near = did_you_mean(unknown, signature.parameters) if unknown else _in_one_list(signature, arguments)
            raise TypeError(f"simulate.{function.__name__}: {error}" + (f"; {near}" if near else "")) from None
        given.arguments |= {
            name: plain(value, str(signature.parameters[name].annotation)) for name, value in given.arguments.items()
        }
        given.arguments |= {
            name: (value,) for name, value in given.arguments.items() if name in several and isinstance(value, str)
        }
        try:
            if not is_command():
                check_types(function.__name__, signature.parameters, given.arguments)
            return function(*given.args, **given.kwargs)
        except Il1simError as error:
            if not is_command():
                say_as_python(error, signature.parameters.keys())
            raise

    return cast(Verb, told)


def verb(function: Verb) -> Verb:
    """Decorator of a verb: its directory is looked at before any work, and the files are noted that it reads.

    It is `worded`, too.
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
