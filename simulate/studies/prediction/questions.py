"""What could be measured and was not, and which way the literature expects each hypothesis to move it.

The expectations are those of the table of rival hypotheses in the evidence base, which `docs/hypotheses.md` discusses
cell by cell.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

END, WASHED_OUT = 182.0, 210.0
"""Last day of treatment, and four weeks later."""

WEEKS = (2, 4, 12, 24)
"""Visits at which readings are predicted, weeks of treatment."""

DOSES = (30.0, 100.0, 200.0)
"""Daily doses, mg; that of the study stands in the middle."""

STUDIED = 100.0

UNTREATED = 0.0


class Group(enum.Enum):
    """Of whom something is predicted."""

    ALL = "all"
    RESPONDERS = "responders"
    OTHERS = "non-responders"


@dataclass(frozen=True, slots=True)
class Reading:
    """A change since baseline: of what, when, on which dose, in whom."""

    quantity: str
    day: float
    dose: float = STUDIED
    group: Group = Group.ALL


@dataclass(frozen=True, slots=True)
class Question:
    """Something that could be measured.

    Attributes
    ----------
    key
        What the expectations are filed under; empty where there is none.
    text
        As a reader sees it.
    reading, less
        The change since baseline, %; with ``less``, that change less another, in points.
    """

    key: str
    text: str
    reading: Reading
    less: Reading | None = None


TITLES: Mapping[str, str] = MappingProxyType(
    {
        "il17a": "IL-17A+",
        "ifng": "IFNγ+",
        "double_positive": "double positives",
        "ex_th17": "ex-Th17",
        "th17_memory": "Th17 memory",
        "naive": "naive",
        "cd45ro": "CD45RO share",
        "T1": "Th1 in muscle",
        "inflammation": "muscle inflammation",
        "ck": "CK",
        "il17a_unwashed": "IL-17A+, cells not washed",
        "ifng_unwashed": "IFNγ+, cells not washed",
    }
)
"""Quantities of the model; the last do not exist under all hypotheses."""

ABSENT = (
    "IL-10 of Th17 cells",
    "chemokine receptors (CXCR3, CCR6) and CD161",
    "TNF",
)
"""What one would like to see and no model here has."""


def questions() -> tuple[Question, ...]:
    """Everything that is predicted, in the order of the table."""
    at_end = 7.0 * WEEKS[-1]
    found = [
        Question(
            quantity if week == WEEKS[-1] else "", f"{TITLES[quantity]}, week {week}", Reading(quantity, 7.0 * week)
        )
        for quantity in ("il17a", "ifng")
        for week in WEEKS
    ]
    found += [
        Question("", f"{TITLES['double_positive']}, week {WEEKS[1]}", Reading("double_positive", 7.0 * WEEKS[1])),
        *(
            Question(quantity, f"{TITLES[quantity]}, week {WEEKS[-1]}", Reading(quantity, at_end))
            for quantity in TITLES
            if quantity not in ("il17a", "ifng")
        ),
    ]
    for quantity in ("il17a", "ifng"):
        title, usual = TITLES[quantity], Reading(quantity, at_end)
        found += [
            *(
                Question(
                    f"{quantity} dose", f"{title}, {dose:g} less {STUDIED:g} mg", Reading(quantity, at_end, dose), usual
                )
                for dose in DOSES
                if dose != STUDIED
            ),
            Question(f"{quantity} drug", f"{title}, without the drug", Reading(quantity, at_end, UNTREATED)),
            Question(
                f"{quantity} wash-out",
                f"{title}, 4 weeks after stop less at stop",
                Reading(quantity, WASHED_OUT),
                Reading(quantity, END),
            ),
            Question(
                f"{quantity} who",
                f"{title}, responders less others",
                Reading(quantity, END, group=Group.RESPONDERS),
                Reading(quantity, END, group=Group.OTHERS),
            ),
        ]
    return tuple(found)


UP, DOWN, FLAT = "up", "down", "flat"

_EXPECTED: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "H0": {
            key: FLAT
            for quantity in ("il17a", "ifng")
            for key in (quantity, f"{quantity} dose", f"{quantity} drug", f"{quantity} wash-out", f"{quantity} who")
        },
        "H1": {
            "il17a": DOWN, "ifng": UP, "double_positive": DOWN, "th17_memory": DOWN, "naive": UP, "cd45ro": FLAT,
            "il17a dose": FLAT, "il17a drug": FLAT, "il17a wash-out": FLAT, "il17a who": FLAT, "ifng who": FLAT,
        },
        "H2": {
            "il17a": DOWN, "ifng": UP, "ex_th17": UP, "naive": FLAT, "cd45ro": FLAT,
            "il17a dose": FLAT, "il17a drug": FLAT,
        },
        "H3a": {
            "il17a": DOWN, "ifng": DOWN, "double_positive": DOWN, "th17_memory": DOWN, "naive": FLAT, "cd45ro": DOWN,
            "il17a drug": FLAT, "il17a wash-out": UP, "il17a who": FLAT, "ifng who": FLAT,
        },
        "H3b": {
            "il17a": FLAT, "ifng": FLAT, "il17a_unwashed": DOWN, "ifng_unwashed": DOWN, "double_positive": DOWN,
            "naive": FLAT, "cd45ro": FLAT, "il17a drug": FLAT, "il17a who": FLAT, "ifng who": FLAT,
        },
        "H4": {
            "il17a": DOWN, "ifng": UP, "double_positive": FLAT, "cd45ro": UP, "T1": DOWN, "ifng dose": FLAT,
            "ifng drug": FLAT, "ifng wash-out": DOWN, "ifng who": UP,
        },
        "H5": {
            "il17a": DOWN, "ifng": UP, "double_positive": FLAT, "il17a dose": FLAT, "ifng dose": FLAT,
            "il17a drug": DOWN, "ifng drug": UP,
        },
        "H5a": {
            "double_positive": FLAT, "il17a dose": FLAT, "ifng dose": FLAT,
        },
        "H5b": {
            "il17a": DOWN, "ifng": UP, "double_positive": FLAT, "il17a dose": FLAT, "ifng dose": FLAT,
            "il17a drug": DOWN, "ifng drug": UP,
        },
        "H6": {
            "il17a": FLAT, "ifng": UP, "double_positive": FLAT, "th17_memory": FLAT, "il17a drug": FLAT,
            "ifng drug": FLAT,
        },
        "H7": {
            "ifng": UP, "il17a drug": FLAT, "ifng drug": FLAT,
        },
        "H8": {
            "il17a": DOWN, "double_positive": DOWN, "th17_memory": DOWN, "naive": FLAT, "il17a drug": FLAT,
        },
    }
)  # fmt: skip


def expected(key: str, hypothesis: str) -> frozenset[str]:
    """Ways in which a hypothesis is expected to move something; of a combination those of its parts.

    Empty where nothing is expected, as of a part that is not among the hypotheses of the table.
    """
    parts = [part.strip() for part in hypothesis.split("+")]
    known = {name.casefold(): rows for name, rows in _EXPECTED.items()}
    if not all(part.casefold() in known for part in parts):
        return frozenset()
    ways = {known[part.casefold()].get(key) for part in parts}
    moves = ways & {UP, DOWN}
    # What does not move something leaves the word to what does.
    return frozenset(way for way in (moves or ways & {FLAT}) if way is not None)
