"""The form of generated functions: operations on values that never change, between reads and writes of the workspace.

`simulate.kernels.lowering` makes it of expressions, and every printer takes it and nothing else: text
(`print_text`), instructions of the processor (`print_llvm`) and tables (`print_table`).

An operation is a kind and its operands, which are the numbers of operations before it. Each is there once.

========================================  =============================================================
``number``, ``read``                      a number; the row at a place, which is what follows the kind
``minus``                                 of one value
``plus difference times over``            of two
``fused fused_minus minus_times``         z + x·y, z − x·y, −x·y of x, y, z: what `fused` makes of them
``above at_least same differs``           truth of a > b, a ≥ b, a = b, a ≠ b
``both either``                           truth of two truths
``choose``                                by a truth, one of two values
any other                                 the function of that name, such as ``exp``
========================================  =============================================================
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

LEAVES = ("number", "read")
ARITHMETIC = (*LEAVES, "minus", "plus", "difference", "times", "over", "fused", "fused_minus", "minus_times")
"""Kinds of operations of programs that have nothing but sums, products and quotients."""
TRUTHS = ("above", "at_least", "same", "differs", "both", "either")
"""Kinds of operations whose value is no number."""
IN_ONE = ("abs", "sqrt")
"""Functions that are one operation of a machine."""
KINDS = (*ARITHMETIC, *TRUTHS, "choose")
"""Kinds of operations that are no calls of functions."""

Operation = tuple[Any, ...]


class OfStage(NamedTuple):
    """A row of what is remembered of a stage, so far beyond the first."""

    offset: int


Place = int | OfStage | str
"""Where a row is: at an offset in the workspace, `OfStage`, or what a name says to who prints it."""


@dataclass(frozen=True, slots=True)
class Body:
    """Operations for each lane, and what is written: all is read before anything is."""

    operations: tuple[Operation, ...]
    writes: tuple[tuple[Place, int], ...]


@dataclass(frozen=True, slots=True)
class Fence:
    """What follows shares no operation with what was before, and reads the workspace anew."""


@dataclass(frozen=True, slots=True)
class Follow:
    """Tables that one function follows (`simulate.kernels.following`)."""

    runs: tuple[tuple[int, ...], ...]
    numbers: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Reply:
    """One number for the caller, whatever the lane."""

    offset: int
    value: float


@dataclass(frozen=True, slots=True)
class StageRows:
    """Offset of the first row of the first stage, and how far the same is from there for the next."""

    first: int
    stride: int


@dataclass(frozen=True, slots=True)
class Asked:
    """Blocks that are done on some commands only."""

    commands: tuple[int, ...]
    blocks: tuple[Body | Fence, ...]


Block = Body | Fence | Follow | Reply | StageRows | Asked


@dataclass(frozen=True, slots=True)
class KernelFunction:
    """A function of the flat workspace of a block of lanes.

    Attributes
    ----------
    name, meaning
        For readers.
    blocks
        What it does, one after the other. Where these are the same, so are the instructions.
    labels
        What lies at a place, for readers.
    is_simple
        Whether a compiler would find nothing to simplify.
    """

    name: str
    meaning: str
    blocks: tuple[Block, ...]
    labels: Mapping[Place, str] = field(default_factory=dict)
    is_simple: bool = False


class Draft:
    """A body that is being written; does not leave who writes it."""

    def __init__(self) -> None:
        self.operations: list[Operation] = []
        self._numbers: dict[Operation, int] = {}

    def add(self, *operation: object) -> int:
        """Number of an operation, which is added where it is new."""
        number = self._numbers.setdefault(operation, len(self.operations))
        if number == len(self.operations):
            self.operations.append(operation)
        return number

    def number(self, value: float) -> int:
        return self.add("number", value)

    def indicator(self, *truth: object) -> int:
        """1 where something is true, else 0."""
        return self.add("choose", self.add(*truth), self.number(1.0), self.number(0.0))

    def body(self, writes: Sequence[tuple[Place, int]]) -> Body:
        """What is needed for what is written."""
        return _renumbered(dict(enumerate(self.operations)), writes)


def _renumbered(operations: dict[int, Operation], writes: Sequence[tuple[Place, int]]) -> Body:
    needed = {value for _, value in writes}
    for value in reversed(operations):
        if value in needed:
            needed.update(operands(operations[value]))
    moved: dict[int, int] = {}
    kept: list[Operation] = []
    for value, operation in operations.items():
        if value in needed:
            moved[value] = len(kept)
            is_leaf = operation[0] in LEAVES
            kept.append(operation if is_leaf else (operation[0], *[moved[operand] for operand in operation[1:]]))
    return Body(tuple(kept), tuple((place, moved[value]) for place, value in writes))


def operands(operation: Operation) -> tuple[int, ...]:
    """Numbers of the operations that one needs."""
    return () if operation[0] in LEAVES else operation[1:]


def uses(body: Body) -> Counter[int]:
    """How often each value is an operand or written."""
    return Counter(
        [value for operation in body.operations for value in operands(operation)] + [value for _, value in body.writes]
    )


def is_arithmetic(body: Body) -> bool:
    """Whether there is nothing but sums, products and quotients."""
    return all(operation[0] in ARITHMETIC for operation in body.operations)


def reads(body: Body) -> list[tuple[Place, int]]:
    """Places that are read, fixed offsets in their order, and the values there."""
    found = [(operation[1], value) for value, operation in enumerate(body.operations) if operation[0] == "read"]
    return sorted(found, key=lambda read: (not isinstance(read[0], int), read[0]))


def fused(body: Body, *, first_too: bool = False) -> Body:
    """The same, where a product that only one sum needs is a part of it if it is its last term, or its first too."""
    times = uses(body) + Counter(value for _, value in body.writes)

    def is_own(value: int) -> bool:
        return times[value] == 1 and body.operations[value][0] == "times"

    found = dict(enumerate(body.operations))
    for value in reversed(range(len(found))):
        kind, *others = found[value]
        if kind not in ("plus", "difference", "minus"):
            continue
        if first_too and kind == "plus" and not is_own(others[1]):
            others.reverse()
        *others, last = others
        if is_own(last):
            name = {"plus": "fused", "difference": "fused_minus", "minus": "minus_times"}[kind]
            found[value] = (name, *body.operations[last][1:], *others)
    return _renumbered(found, body.writes)
