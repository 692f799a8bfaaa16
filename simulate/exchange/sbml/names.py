"""Names of a model: those of the file as far as the grammar of expressions allows them, and each once."""

from __future__ import annotations

from simulate.symbolic.expressions import is_name
from simulate.symbolic.parts import TIME

_LONGEST = 80


class Names:
    """The names that a model has so far."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def new(self, wanted: str) -> str:
        """The name that is wanted, or one like it that the grammar allows and nothing has yet."""
        text = "".join(letter if letter.isascii() and (letter.isalnum() or letter == "_") else "_" for letter in wanted)
        text = text[:_LONGEST] or "_"
        candidate = text if is_name(text) and text != TIME.name else f"{text}_"
        number = 2
        while candidate in self._taken or not is_name(candidate):
            candidate, number = f"{text}_{number}" if is_name(f"{text}_{number}") else f"_{text}_{number}", number + 1
        self._taken.add(candidate)
        return candidate
