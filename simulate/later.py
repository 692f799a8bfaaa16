"""What waits for Numba, which takes longer to load than a small batch takes to solve."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any


class Later:
    """Something of Numba's that is made when a function is compiled that has need of it."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make

    @functools.cached_property
    def made(self) -> Any:
        """What it stands for."""
        return self._make()

    @property
    def is_made(self) -> bool:
        """Whether somebody asked for it."""
        return "made" in vars(self)


class LaterType(Later):
    """A type of Numba's, or what makes one, as it is written in a signature."""

    def __init__(self, text: str, make: Callable[[], Any]) -> None:
        super().__init__(make)
        self._text = text

    def __repr__(self) -> str:
        return self._text

    def __getattr__(self, name: str) -> LaterType:
        if name.startswith("_"):
            raise AttributeError(name)
        return LaterType(f"{self!r}.{name}", lambda: getattr(self.made, name))

    def __getitem__(self, key: Any) -> LaterType:
        return LaterType(f"{self!r}[{key!r}]", lambda: self.made[key])

    def __call__(self, *arguments: Any, **named: Any) -> LaterType:
        return LaterType(f"{self!r}({arguments!r}, {named!r})", lambda: self.made(*made(arguments), **named))


def made(value: Any) -> Any:
    """What is to be given to Numba in the place of what waits, or of a tuple with something that does."""
    if isinstance(value, tuple):
        return tuple(map(made, value))
    return value.made if isinstance(value, Later) else value


def _numba_types() -> Any:
    from numba import types

    return types


types = LaterType("types", _numba_types)
"""Numba's types."""
