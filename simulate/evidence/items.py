"""A statement of a source and what it may mean."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from simulate.errors import Where

if TYPE_CHECKING:
    from simulate.evidence.resampling import Trials
    from simulate.evidence.subject import Subject
    from simulate.evidence.trial_observations import TrialObservations
    from simulate.streams import FloatArray


class Standing(enum.Enum):
    """Reliability of a reported value; the value is the word of the file."""

    REPORTED = "reported"
    INFERRED = "inferred"
    AMBIGUOUS = "ambiguous"
    DISPUTED = "disputed"
    HEALTHY = "healthy control"


class Use(enum.Enum):
    """Purpose of a statement; the value is the word of the file."""

    DATUM = "datum"
    """A model is fitted to it."""
    DESIGN = "design"
    """It says what study is simulated: who, when, how many."""
    PRIOR = "prior"
    """It informs parameters before the fit, and would count twice in it."""
    CHECK = "check"
    """A fitted model is held against it; it is never fitted."""
    TEXT = "text"
    """Nothing in it can be counted or measured."""


class Verdict(enum.Enum):
    """The result of an arithmetic check of a figure."""

    AGREES = "agrees"
    NOTE = "note"
    CONTRADICTS = "contradicts"


@dataclass(frozen=True, slots=True)
class Finding:
    """A piece of arithmetic on reported values: of which item, what was checked, and the sentence for a reader."""

    item: str
    check: str
    verdict: Verdict
    text: str


Remark = tuple[str, Verdict, str]
"""What was checked, the verdict, and the sentence; a finding that does not know its item."""


class Statement(Protocol):
    """A statement about a subject: one class for each kind, in `simulate.evidence.kinds`."""

    @property
    def n(self) -> int | None:
        """Number of people; None where it is not printed."""

    def remarks(self) -> Iterator[Remark]:
        """Results of arithmetic checks of the figures."""

    def log_likelihood(self, subject: Subject, seen: TrialObservations) -> FloatArray:
        """Logarithm of the density or probability of the statement, shape [cohort]."""

    @property
    def figures(self) -> tuple[str, ...]:
        """Names of the numbers that a trial would print."""

    def imitate(self, subject: Subject, seen: TrialObservations, trials: Trials) -> FloatArray:
        """Numbers that trials would print, before rounding, shape [cohort, trial, figure]."""

    def printed(self, numbers: Mapping[str, float]) -> Statement | None:
        """The same of other numbers, by the names of `figures`, as a trial would print them; None if none would."""

    def enlarged(self, factor: int) -> Statement:
        """The same of so many times as many people; p-values and ceilings stay as they are."""

    def log_floor(self) -> float:
        """Logarithm of a density or probability that knows no model, in the units of the statement.

        It is the same under all hypotheses: what remains where the statement does not mean what was thought.
        """


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to understand an item, and the share of belief in it; the shares of an item add up to 1."""

    name: str
    share: float
    subject: Subject
    statement: Statement


@dataclass(frozen=True, slots=True)
class Item:
    """A statement of a source."""

    #: Name in its file, and what the source says, in our words.
    name: str
    account: str
    #: Key of `parameters/sources.toml`, and where in that source; None where it is not known.
    source: str
    location: str | None
    #: How far it can be relied on, and why no farther.
    standing: Standing
    note: str | None
    use: Use  #: What it is for
    #: What was printed.
    subject: Subject
    statement: Statement
    readings: tuple[Reading, ...]  #: What it may mean. One that is not ambiguous has one reading, with share 1.
    doubt: float  #: Probability that it means nothing of the kind
    among: str | None  #: Item that says how many people there were to be measured; None if there is none
    where: Where = field(compare=False)  #: Place in its file
    #: Arm of the trial whose patients it is about; None if there is one arm, or where all arms are alike.
    arm: str | None = None
    #: What is taken to be meant where the file does not say it, in sentences; it decides nothing.
    taken: tuple[str, ...] = field(default=(), compare=False, repr=False)

    @property
    def most(self) -> Reading:
        """The reading that is believed most."""
        return max(self.readings, key=lambda reading: reading.share)


@dataclass(frozen=True, slots=True)
class Evidence:
    """Items of a file, in its order."""

    #: Key of the reference, and what it states.
    source: str
    items: tuple[Item, ...]
    trial: str = ""  #: Trial that reported them, by name or file; empty if none is named
    #: Name of the file; empty if they are of none. It decides no likelihood.
    name: str = field(default="", compare=False)

    def __getitem__(self, name: str) -> Item:
        return next(item for item in self.items if item.name == name)

    @property
    def meaning(self) -> list[Item]:
        """The items less what only a reader sees: what decides a likelihood."""
        return [replace(item, account="", location=None, note=None, where=Where()) for item in self.items]

    @property
    def data(self) -> tuple[Item, ...]:
        """Items to which a model is fitted."""
        return tuple(item for item in self.items if item.use is Use.DATUM)

    @property
    def checks(self) -> tuple[Item, ...]:
        """Items that a fitted model is held against, and which are never fitted."""
        return tuple(item for item in self.items if item.use is Use.CHECK)
