"""Names of a model: those it has elsewhere, as far as a language allows them, and each once."""

from __future__ import annotations

from collections.abc import Callable

from simulate.symbolic.expressions import is_name
from simulate.symbolic.parts import TIME

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
        candidate = text if is_name(text) and text != TIME.name else f"{text}_"
        number = 2
        while candidate in self._taken or not is_name(candidate):
            candidate, number = f"{text}_{number}" if is_name(f"{text}_{number}") else f"_{text}_{number}", number + 1
        self._taken.add(candidate)
        return candidate
