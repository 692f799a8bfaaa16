"""A hypothesis: which mechanisms it adds, removes and replaces, and which parameters it fixes."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from simulate.errors import InputError
from simulate.symbolic.parts import Mechanism

_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class Constraint:
    """A parameter fixed at a value, in its own unit; it then varies neither in fits nor between patients."""

    parameter: str
    value: float

    def __post_init__(self) -> None:
        if not math.isfinite(self.value):
            raise InputError(
                f"the constraint on `{self.parameter}` is not a finite number",
                code="hypothesis.constraint",
                found=repr(self.value),
            )


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """Changes to a base model.

    ``replace`` pairs the name of a mechanism with the one that takes its place. Hypotheses combine by ``+``, in any
    order to the same value; the name of ``H1 + H3a`` is ``H1+H3a`` and its title joins theirs by ``"; "``.

    Raises
    ------
    InputError
        ``hypothesis.name`` for a name that a reader could not type, or a title that does not match it;
        ``hypothesis.conflict`` when the changes contradict one another.
    """

    name: str
    title: str = ""
    add: tuple[Mechanism, ...] = ()
    remove: tuple[str, ...] = ()
    replace: tuple[tuple[str, Mechanism], ...] = ()
    constraints: tuple[Constraint, ...] = ()

    def __post_init__(self) -> None:
        names = self.name.split("+")
        if not all(re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", name) for name in names):
            raise InputError(
                f"`{self.name}` cannot name a hypothesis",
                code="hypothesis.name",
                expected="letters, digits, `_`, `.` and `-`; parts of a combination joined by `+`",
            )
        if len(self.title.split("; ")) != len(names):
            raise InputError(
                f"the title of hypothesis `{self.name}` has {len(self.title.split('; '))} parts",
                code="hypothesis.name",
                found=f"`{self.title}`",
                expected=f"{len(names)}, as in the name",
                advice="`; ` joins the titles of combined hypotheses; use a comma within one",
            )
        added = _agreeing(self.name, "adds", ((mechanism.name, mechanism) for mechanism in self.add))
        replaced = _agreeing(self.name, "replaces", self.replace)
        fixed = _agreeing(self.name, "fixes", ((fix.parameter, fix) for fix in self.constraints))
        for name in self.remove:
            if name in replaced:
                raise _conflict(self.name, f"both removes and replaces `{name}`")
        object.__setattr__(self, "add", tuple(added.values()))
        object.__setattr__(self, "remove", tuple(sorted(set(self.remove))))
        object.__setattr__(self, "replace", tuple(replaced.items()))
        object.__setattr__(self, "constraints", tuple(fixed.values()))

    def __add__(self, other: Hypothesis) -> Hypothesis:
        if NONE in (self, other):
            return self if other == NONE else other
        titles = dict(
            pair
            for hypothesis in (self, other)
            for pair in zip(hypothesis.name.split("+"), hypothesis.title.split("; "), strict=True)
        )
        names = sorted(titles)
        return Hypothesis(
            name="+".join(names),
            title="; ".join(titles[name] for name in names),
            add=self.add + other.add,
            remove=self.remove + other.remove,
            replace=self.replace + other.replace,
            constraints=self.constraints + other.constraints,
        )


def combine(hypotheses: Iterable[Hypothesis]) -> Hypothesis:
    """Sum of hypotheses in which an error names the two that exclude each other, however many there are.

    Raises
    ------
    InputError
        ``hypothesis.conflict``.
    """
    combined = NONE
    for index, hypothesis in enumerate(chosen := tuple(hypotheses)):
        for earlier in chosen[:index]:
            earlier + hypothesis
        combined += hypothesis
    return combined


def _agreeing(hypothesis: str, verb: str, items: Iterable[tuple[str, _Item]]) -> dict[str, _Item]:
    """Items by name in the order of names; the same item twice is one, two of a name are a conflict."""
    found: dict[str, _Item] = {}
    for name, item in items:
        if (first := found.setdefault(name, item)) != item:
            raise _conflict(hypothesis, f"{verb} `{name}` in two ways", f"{_saying(first)}; {_saying(item)}")
    return dict(sorted(found.items()))


def _saying(item: object) -> str:
    """What a change says, as a reader would quote it against another that says otherwise."""
    if isinstance(item, Mechanism):
        return f'"{item.title or item.name}"'
    return f"{item.value:g}" if isinstance(item, Constraint) else repr(item)


def _conflict(hypothesis: str, what: str, found: str | None = None) -> InputError:
    return InputError(
        f"hypothesis `{hypothesis}` {what}",
        code="hypothesis.conflict",
        found=found,
        advice="hypotheses that contradict one another cannot be combined",
    )


NONE = Hypothesis(name="none")
"""The hypothesis that changes nothing."""
