"""Values whose expressions are read when the first of them is asked for.

A run of a shipped model wants names, units and numbers, and the code that was made of the equations: SymPy, which takes
longer to load than most runs to solve, is needed where somebody asks for the equations themselves.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any, ClassVar

from simulate.recall import packed, unpacked


class Deferred:
    """A frozen dataclass with slots whose fields ``EXPRESSIONS`` are packed by themselves, and unpacked when wanted."""

    __slots__ = ("_packed",)

    EXPRESSIONS: ClassVar[tuple[str, ...]]

    def __reduce__(self) -> tuple[Any, ...]:
        own: Any = self
        others = {field.name: getattr(self, field.name) for field in fields(own) if field.name not in self.EXPRESSIONS}
        try:
            expressions = self._packed
        except AttributeError:
            expressions = packed([getattr(self, name) for name in self.EXPRESSIONS])
        return _restored, (type(self), others, expressions)

    def __getattr__(self, name: str) -> Any:
        # Python asks here for what has no value yet.
        if name not in self.EXPRESSIONS:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        for field, value in zip(self.EXPRESSIONS, unpacked(self._packed), strict=True):
            object.__setattr__(self, field, value)
        return object.__getattribute__(self, name)


def _restored(kind: type[Deferred], others: dict[str, Any], expressions: bytes) -> Deferred:
    value = object.__new__(kind)
    for name, other in {**others, "_packed": expressions}.items():
        object.__setattr__(value, name, other)
    return value
