"""What every verb does first."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

from simulate.inputs import noting

Verb = TypeVar("Verb", bound=Callable[..., Any])


def verb(function: Verb) -> Verb:
    """Decorator of a verb: its directory is looked at before any work, and the files are noted that it reads."""

    @functools.wraps(function)
    def noted(*arguments: Any, **named: Any) -> Any:
        out = named.get("out")
        if isinstance(out, str | Path):
            from simulate.store import check_target

            # Whose run is there is asked when it is known what is asked; that it is none can be seen at once.
            check_target(Path(out), key="", force=True)
        with noting():
            return function(*arguments, **named)

    return cast(Verb, noted)
