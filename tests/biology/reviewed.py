"""A reviewer's table: what was published beside what the model has, row by row, with its verdict.

The rows are in `reviewed_drug` and `reviewed_cells`; `docs/checks.md` prints them, and `test_checks` holds both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

Interval = tuple[float, float]


@dataclass(frozen=True)
class Check:
    """A published figure and its counterpart.

    ``accepted`` holds an interval for each number of the model: the printed mean ± standard deviation, the printed
    range, or what rounds to the printed digits. ``why`` explains a number that lies outside; it is empty where none
    does. ``kind`` tells what was ``put in`` from what ``follows``.
    """

    key: str
    quantity: str
    published: str
    accepted: tuple[Interval, ...]
    model: Callable[[], Sequence[float]]
    kind: str = "follows"
    why: str = ""
    style: str = ".3g"

    def __str__(self) -> str:
        return self.key


def outside(check: Check) -> tuple[float, ...]:
    """Numbers of the model that are not in the accepted intervals."""
    values = check.model()
    assert len(values) == len(check.accepted)
    return tuple(value for value, (low, high) in zip(values, check.accepted, strict=True) if not low <= value <= high)


def rounding(*printed: float, by: float) -> tuple[Interval, ...]:
    """Intervals of half a unit of the last printed digit around printed numbers."""
    return tuple((value - by, value + by) for value in printed)


def row(check: Check) -> str:
    """The line of the table."""
    shown = ", ".join(f"{value:{check.style}}" for value in check.model())
    shown += f"; **differs**: {check.why}" if check.why else ""
    return f"| {check.quantity} | {check.published.replace(' / ', ', ')} | {shown} |"


def table(checks: Sequence[Check]) -> str:
    """A table of Markdown; that a number is met which was put in says nothing, and its row is not shown."""
    head = ("| quantity | published | model |", "|---|---|---|")
    return "\n".join((*head, *(row(check) for check in checks if check.kind != "put in" or check.why))) + "\n"
