"""Values whose expressions are read from disk when the first of them is asked for.

A run of a shipped model wants names, units and numbers, and the code that was made of the equations: SymPy, which takes
longer to load than most runs to solve, is only needed where somebody asks for the equations themselves.
"""

from __future__ import annotations

import dataclasses
import pickle
from typing import Any, ClassVar


class Deferred:
    """A frozen dataclass with slots, of whose pickle ``EXPRESSIONS`` are a part of its own, read when wanted."""

    __slots__ = ("_kept",)

    EXPRESSIONS: ClassVar[tuple[str, ...]]
    """Fields that hold expressions."""

    def __reduce__(self) -> tuple[Any, ...]:
        names = [field.name for field in dataclasses.fields(self) if field.name not in self.EXPRESSIONS]  # type: ignore[arg-type]
        others = {name: getattr(self, name) for name in names}
        try:
            kept = self._kept
        except AttributeError:
            kept = pickle.dumps(tuple(getattr(self, name) for name in self.EXPRESSIONS), pickle.HIGHEST_PROTOCOL)
        return _restored, (type(self), others, kept)

    def __getattr__(self, name: str) -> Any:
        # Python asks here for what has no value yet.
        if name not in self.EXPRESSIONS:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        for field, value in zip(self.EXPRESSIONS, pickle.loads(self._kept), strict=True):
            object.__setattr__(self, field, value)
        return object.__getattribute__(self, name)


def _restored(kind: type[Deferred], others: dict[str, Any], kept: bytes) -> Deferred:
    value = object.__new__(kind)
    for name, other in others.items():
        object.__setattr__(value, name, other)
    object.__setattr__(value, "_kept", kept)
    return value
