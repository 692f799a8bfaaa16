"""Names for the parts of a model: those of the file, where they are allowed and free."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain, count

from simulate.symbolic.naming import is_name
from simulate.symbolic.symbols import TIME

_LONGEST = 80


class Names:
    """The names that a model has so far, and whether a language allows a name: the grammar, if nothing else is said."""

    def __init__(self, is_name: Callable[[str], bool] = is_name) -> None:
        self._taken: set[str] = set()
        self._is_name = is_name

    def new(self, wanted: str) -> str:
        """The name that is wanted, or one like it that the language allows and nothing has yet."""
        is_name = self._is_name
        text = "".join(letter if letter.isascii() and (letter.isalnum() or letter == "_") else "_" for letter in wanted)
        text = text[:_LONGEST] or "_"
        stem = next(stem for stem in (text, f"_{text}", f"n_{text}") if is_name(f"{stem}_2"))
        candidates = chain(
            [text if is_name(text) and text != TIME.name else f"{text}_"],
            [] if stem == text else [stem],
            (f"{stem}_{number}" for number in count(2)),
        )
        candidate = next(one for one in candidates if one not in self._taken and is_name(one))
        self._taken.add(candidate)
        return candidate
