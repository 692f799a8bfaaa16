"""What could be measured and was not, and which way the literature expects each hypothesis to move it.

The expectations stand beside the hypotheses, in `simulate.biology.hypotheses`.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from simulate.biology.hypotheses import DOWN, EXPECTED, FLAT, UP
from simulate.trials.design import TrialDesign

UNTREATED = 0.0
"""Dose of those who are not treated."""


class Group(enum.Enum):
    """Of whom something is predicted."""

    ALL = "all"
    RESPONDERS = "responders"
    OTHERS = "non-responders"


@dataclass(frozen=True, slots=True)
class PredictedReading:
    """A change since baseline: of what, when, on which dose (None: that of the trial), in whom."""

    quantity: str
    day: float
    dose: float | None = None
    group: Group = Group.ALL


@dataclass(frozen=True, slots=True)
class PredictionQuestion:
    """Something that could be measured."""

    key: str  #: What the expectations are filed under; empty where there is none
    text: str  #: As a reader sees it
    #: The change since baseline, %; with ``less``, that change less another, in points.
    reading: PredictedReading
    less: PredictedReading | None = None


ABSENT = (
    "IL-10 of Th17 cells",
    "chemokine receptors (CXCR3, CCR6) and CD161",
    "TNF",
)
"""What one would like to see and no model here has."""


def questions(design: TrialDesign) -> tuple[PredictionQuestion, ...]:
    """Everything that is predicted for a trial, in the order of the table."""
    seen = design.foreseen
    titles, at_end, end = seen.titles, seen.days[-1], design.end
    found = [
        PredictionQuestion(
            quantity if day == at_end else "", f"{titles[quantity]}, {_week(day)}", PredictedReading(quantity, day)
        )
        for quantity in seen.main
        for day in seen.days
    ]
    found += [
        *(
            PredictionQuestion("", f"{titles[quantity]}, {_week(day)}", PredictedReading(quantity, day))
            for quantity in seen.early
            for day in seen.days[1:2]
        ),
        *(
            PredictionQuestion(quantity, f"{titles[quantity]}, {_week(at_end)}", PredictedReading(quantity, at_end))
            for quantity in titles
            if quantity not in seen.main
        ),
    ]
    for quantity in seen.main:
        title, usual = titles[quantity], PredictedReading(quantity, at_end)
        found += [
            *(
                PredictionQuestion(
                    f"{quantity} dose",
                    f"{title}, {dose:g} less {design.dose:g} {design.dose_unit}",
                    PredictedReading(quantity, at_end, dose),
                    usual,
                )
                for dose in seen.doses
                if dose != design.dose
            ),
            PredictionQuestion(
                f"{quantity} drug", f"{title}, without the drug", PredictedReading(quantity, at_end, UNTREATED)
            ),
            PredictionQuestion(
                f"{quantity} wash-out",
                f"{title}, {seen.wash_out / 7.0:g} weeks after stop less at stop",
                PredictedReading(quantity, end + seen.wash_out),
                PredictedReading(quantity, end),
            ),
        ]
        if design.response is not None:
            found.append(
                PredictionQuestion(
                    f"{quantity} who",
                    f"{title}, responders less others",
                    PredictedReading(quantity, end, group=Group.RESPONDERS),
                    PredictedReading(quantity, end, group=Group.OTHERS),
                )
            )
    return tuple(found)


def _week(day: float) -> str:
    return f"week {day / 7.0:g}"


def expected(key: str, hypothesis: str) -> frozenset[str]:
    """Ways in which a hypothesis is expected to move something; of a combination those of its parts.

    Empty where nothing is expected, as of a part that is not among the hypotheses of the table.
    """
    parts = [part.strip() for part in hypothesis.split("+")]
    known = {name.casefold(): rows for name, rows in EXPECTED.items()}
    if not all(part.casefold() in known for part in parts):
        return frozenset()
    ways = {known[part.casefold()].get(key) for part in parts}
    moves = ways & {UP, DOWN}
    # What does not move something leaves the word to what does.
    return frozenset(way for way in (moves or ways & {FLAT}) if way is not None)
