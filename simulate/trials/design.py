"""A trial as it was designed: who was treated how, when it looked, how well it read, and what it counted.

Nothing here is simulated. What a fit, a prediction or a repeated study needs to know of a trial is in one value, which
`simulate.trials.reading` reads from a TOML file.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from simulate.cohort.assay import Assay
from simulate.errors import InputError, Where, counted, not_among
from simulate.evidence.multiplicity import CORRECTIONS
from simulate.evidence.protocol import Judgment
from simulate.regimen.doses import Plan, exact
from simulate.symbolic.parts import Parameter, Source

WAYS = ("up", "down")

SIGNIFICANT = 0.05
"""Level of tests, if nothing else is said."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """When blood is drawn and how well the drug in it is read.

    Attributes
    ----------
    earliest, latest
        Limits of the time from the last scheduled injection to the sample, days.
    sd_occasion, sd_assay
        Standard deviations of the logarithm of the factors on the drug.
    """

    earliest: float
    latest: float
    sd_occasion: float
    sd_assay: float

    def __post_init__(self) -> None:
        if not (0.0 <= self.earliest <= self.latest <= 1e3 and self.sd_occasion >= 0.0 and self.sd_assay >= 0.0):
            raise InputError(
                "the sampling cannot be",
                code="visit.value",
                found=f"{self.earliest!r} to {self.latest!r} d, spreads {self.sd_occasion!r} and {self.sd_assay!r}",
                expected="0 <= earliest <= latest, and spreads that are not negative",
            )

    @property
    def sd_log(self) -> float:
        """Standard deviation of the logarithm of a reading of the drug."""
        return math.hypot(self.sd_occasion, self.sd_assay)


@dataclass(frozen=True, slots=True)
class TrialArm:
    """Patients who were treated alike.

    Attributes
    ----------
    name
        As evidence names it.
    regimen, plan
        What they were given, in words, and as a prescription.
    n
        Patients who were enrolled.
    strata
        Kind of patient and how many of them; empty where only the proportions of the population are known.
    """

    name: str
    regimen: str
    plan: Plan
    n: int
    strata: tuple[tuple[str, int], ...] = ()

    def __post_init__(self) -> None:
        total = sum(number for _, number in self.strata)
        if self.strata and total != self.n:
            raise InputError(
                f"the kinds of patients of the arm `{self.name}` do not add up",
                code="trial.strata",
                found=" + ".join(f"{number} {kind}" for kind, number in self.strata) + f" = {total}",
                expected=f"{self.n}, as many as were enrolled",
            )


@dataclass(frozen=True, slots=True)
class Visit:
    """A day on which patients were seen.

    Attributes
    ----------
    name
        As the trial's file names it.
    day
        Days since the first dose.
    last_dose
        Day of the last scheduled dose before it; None for a visit before treatment, or where it does not matter.
    n
        Patients of all arms who were still in the study, no whole number where it is expected and nobody counted; None
        where it is not known.
    last_known
        Day of the last figure of who stayed, where that is before the visit; nobody is taken to leave after it.
    """

    name: str
    day: float
    last_dose: float | None = None
    n: float | None = None
    last_known: float | None = None

    def __post_init__(self) -> None:
        if self.last_dose is not None and not 0.0 <= self.last_dose <= self.day:
            raise InputError(
                f"the last dose before the visit `{self.name}` is on day {self.last_dose:g}",
                code="trial.visit",
                expected=f"a day from 0 to {self.day:g}, that of the visit",
            )


@dataclass(frozen=True, slots=True)
class Readout:
    """A quantity that the trial read.

    Attributes
    ----------
    quantity
        Observable of the model.
    title
        For a reader.
    assay
        How well it is read.
    sampling
        When its sample is drawn after the last dose of a visit; None if the hour does not matter.
    samples
        Patients with a reading at each visit, expected ones as for a visit; empty where everybody in the study has one.
    noise
        Row of the noise of the assay, with its bounds, source and grade; None if the file was not read.
    """

    quantity: str
    title: str
    assay: Assay
    sampling: Sampling | None = None
    samples: tuple[float, ...] = ()
    noise: Parameter | None = field(default=None, compare=False)

    def check_samples(self, visits: Sequence[Visit]) -> None:
        """Refuse numbers of samples that are not one for each visit.

        Raises
        ------
        InputError
            ``trial.samples``.
        """
        if self.samples and len(self.samples) != len(visits):
            raise InputError(
                f"`{self.quantity}` has not one number of samples for each visit",
                code="trial.samples",
                found=f"{len(self.samples)} for {counted(len(visits), 'visit')}",
                expected=", ".join(visit.name for visit in visits),
            )


@dataclass(frozen=True, slots=True)
class Outcome:
    """A statistic that a trial computes of its readings.

    Attributes
    ----------
    quantity
        What changes; with a ``partner``, the level at the first visit.
    title
        For a reader.
    first, last
        Days between which something changes.
    way
        ``up`` or ``down`` if the trial reported so; empty otherwise.
    is_compared
        Whether the change is held against that of controls, where there are any.
    partner, partner_title
        Quantity with whose fall the level at the first visit is correlated, and its words; None for a change.
    """

    quantity: str
    title: str
    first: float
    last: float
    way: str = ""
    is_compared: bool = True
    partner: str | None = None
    partner_title: str = ""

    @property
    def asked(self) -> tuple[str, str | None, float, float]:
        """What no other outcome may have too: the quantities and the days."""
        return self.quantity, self.partner, self.first, self.last


@dataclass(frozen=True, slots=True)
class Analysis:
    """The statistical analysis of a study.

    Attributes
    ----------
    endpoints
        Effects that are judged together, each by the name of its quantity and after a comma of its test; empty where
        every effect stands for itself.
    correction
        How their p-values are adjusted, one of `simulate.evidence.multiplicity.CORRECTIONS`. Holm's holds however
        endpoints hang together.
    alpha
        Level of the tests, and of all endpoints together.
    where
        Place of the endpoints in the file of the trial; None where they come from elsewhere.

    Raises
    ------
    InputError
        ``trial.correction``; ``trial.alpha``.
    """

    endpoints: tuple[str, ...] = ()
    correction: str = "holm"
    alpha: float = SIGNIFICANT
    where: Where | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        if self.correction not in CORRECTIONS:
            raise not_among(
                f"there is no correction `{self.correction[:60]}`",
                self.correction,
                CORRECTIONS,
                code="trial.correction",
            )
        if not 0.0 < self.alpha < 1.0:
            raise InputError(
                f"the level of the tests is {self.alpha:g}",
                code="trial.alpha",
                expected="a number between 0 and 1, such as 0.05",
            )


AS_USUAL = Analysis()
"""Every effect for itself."""


@dataclass(frozen=True, slots=True)
class Foresight:
    """Predictions that are made for patients of a trial beyond its readings.

    Attributes
    ----------
    doses
        Doses in place of that of the first arm, in its unit and ascending; that of the trial is among them.
    days
        Days of treatment at which changes are predicted, ascending.
    wash_out
        Days after the last visit, when treatment ends, at which is looked once more.
    titles
        Quantity → what a reader calls it: everything that is predicted, in order.
    main
        Quantities that are predicted for each of these days and every dose.
    early
        Quantities that are predicted for the second of the days as well as for the last.
    """

    doses: tuple[float, ...]
    days: tuple[float, ...]
    wash_out: float
    titles: Mapping[str, str] = field(hash=False)
    main: tuple[str, ...]
    early: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TrialDesign:
    """The design of a trial.

    Attributes
    ----------
    name, title
        Name of its file, and words.
    source
        Key of the reference that describes it.
    population
        Its patients: a shipped population by name, or a file.
    options
        What of the reference model its readings need, such as ``response``.
    arms
        At least one; the first is the one that is treated.
    visits
        In the order of time.
    readouts
        What is read, each quantity once.
    response
        How responders are told; None where nobody is called one.
    outcomes
        What is asked of the readings.
    foresight
        What is predicted beyond; None where the file says nothing, and `foreseen` has what is meant.
    analysis
        How outcomes are judged.
    evidence
        What the trial reported; None if the file names none.
    numbers
        Every number of the file with its source and grade.
    references
        References that the file adds to those that ship.

    Raises
    ------
    InputError
        ``trial.name``, ``trial.visit``, ``trial.quantity``, ``trial.samples`` or ``trial.window``.
    """

    name: str
    title: str
    source: str
    population: str | Path
    options: tuple[str, ...]
    arms: tuple[TrialArm, ...]
    visits: tuple[Visit, ...]
    readouts: tuple[Readout, ...]
    response: Judgment | None = None
    outcomes: tuple[Outcome, ...] = ()
    foresight: Foresight | None = None
    analysis: Analysis = AS_USUAL
    evidence: Path | None = field(default=None, compare=False)
    numbers: tuple[Parameter, ...] = field(default=(), compare=False)
    references: tuple[Source, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        _once([arm.name for arm in self.arms], "arms")
        _once([visit.name for visit in self.visits], "visits")
        _once([part.quantity for part in self.readouts], "readouts")
        for before, after in itertools.pairwise((-math.inf, *self.days)):
            check_order(before, after)
        for part in self.readouts:
            part.check_samples(self.visits)
        for outcome in self.outcomes:
            self.readout(outcome.quantity)
            if outcome.partner is not None:
                self.readout(outcome.partner)
        for arm in self.arms:
            self._check_windows(arm)

    def _check_windows(self, arm: TrialArm) -> None:
        latest = max((part.sampling.latest for part in self.readouts if part.sampling is not None), default=0.0)
        for visit in self.visits[:-1]:
            if visit.last_dose is None or not latest:
                continue
            due = min((course.due_after(visit.last_dose) for course in arm.plan.courses), default=math.inf)
            # What is given after the last visit does not matter; before it, it does.
            if due <= visit.last_dose + latest:
                raise InputError(
                    f"a dose of the arm `{arm.name}` falls before the last sample of the visit `{visit.name}`",
                    code="trial.window",
                    found=f"a dose on day {due:g}, samples up to day {visit.last_dose + latest:g}",
                    expected="samples that are drawn before the next dose; only at the last visit it waits for them",
                    advice="a window that closes earlier",
                )

    @property
    def files(self) -> tuple[Path, ...]:
        """Files that its own names: patients and evidence."""
        return tuple(path for path in (self.population, self.evidence) if isinstance(path, Path))

    @property
    def days(self) -> tuple[float, ...]:
        """Days of the visits."""
        return tuple(visit.day for visit in self.visits)

    @property
    def first(self) -> float:
        """Day of the first visit."""
        return self.visits[0].day

    @property
    def end(self) -> float:
        """Day of the last visit."""
        return self.visits[-1].day

    @property
    def ends(self) -> tuple[float, ...]:
        """Days of the first and the last visit, and of that at which response is judged."""
        return (self.first, self.end, *([] if self.response is None else [self.response.day]))

    @property
    def dose(self) -> float:
        """Dose of the first arm, in the unit of its regimen; 0 where nothing is given."""
        return max((float(course.amount) for course in self.arms[0].plan.courses), default=0.0)

    @property
    def dose_unit(self) -> str:
        """Unit of that dose, as the regimen has it."""
        return next((course.unit for course in self.arms[0].plan.courses), "mg")

    def dosed(self, dose: float) -> Plan:
        """Treatment of the first arm up to the last visit with another dose; nothing for a dose of 0.

        Raises
        ------
        InputError
            ``trial.dose``: nothing is given in the first arm.
        """
        if dose == 0.0:
            return Plan()
        if self.dose == 0.0:
            raise InputError(
                f"nothing is given in the first arm of the trial `{self.name}`, which has no other dose",
                code="trial.dose",
                found=f"`{self.arms[0].name}`: {self.arms[0].regimen}",
                advice="let the arm that is treated come first",
            )
        factor = exact(dose) / exact(self.dose)
        plan = self.arms[0].plan.ended(self.end)
        return Plan(tuple(replace(course, amount=course.amount * factor) for course in plan.courses), plan.resets)

    @property
    def foreseen(self) -> Foresight:
        """What is predicted: as the file says, or else of all readings at all visits, for a third to twice the dose."""
        if self.foresight is not None:
            return self.foresight
        main = tuple(dict.fromkeys(part.quantity for part in self.changes)) or self.quantities
        return Foresight(
            doses=(0.3 * self.dose, self.dose, 2.0 * self.dose),
            days=tuple(day for day in self.days if day > 0.0),
            wash_out=28.0,
            titles={part.quantity: part.title for part in self.readouts},
            main=main,
        )

    @property
    def n(self) -> int:
        """Patients who were enrolled in all arms."""
        return sum(arm.n for arm in self.arms)

    @property
    def last_dose(self) -> float | None:
        """Day after which nothing more is given: that of the last scheduled dose before the last visit."""
        return self.visits[-1].last_dose

    @property
    def quantities(self) -> tuple[str, ...]:
        """Names of the quantities that were read."""
        return tuple(part.quantity for part in self.readouts)

    @property
    def watched(self) -> tuple[str, ...]:
        """Observables that the trial looked at: what is read, and whether patients responded."""
        return (*self.quantities, *([] if self.response is None else [self.response.quantity]))

    @property
    def changes(self) -> tuple[Outcome, ...]:
        """Outcomes that are changes of what treatment may act on, and no more than that the drug was given."""
        return tuple(part for part in self.outcomes if part.partner is None and part.is_compared)

    def name_of(self, outcome: Outcome) -> str:
        """Its quantity, of a correlation both, and the visits where another outcome is of the same."""

        def alike(other: Outcome) -> bool:
            return (other.quantity, other.partner) == (outcome.quantity, outcome.partner)

        name = outcome.quantity if outcome.partner is None else f"{outcome.quantity}-{outcome.partner}"
        others = [part for part in self.outcomes if alike(part) and part.asked != outcome.asked]
        if not others:
            return name
        visits = {visit.day: visit.name for visit in self.visits}
        is_last_its_own = all(part.last != outcome.last for part in others)
        before = "" if is_last_its_own else f"{visits[outcome.first]} to "
        return f"{name}@{before}{visits[outcome.last]}"

    def title_of(self, outcome: Outcome) -> str:
        """Its words, with the visits where another outcome is of the same."""
        visits = self.name_of(outcome).partition("@")[2]
        return f"{outcome.title}, {visits}" if visits else outcome.title

    @property
    def assays(self) -> Mapping[str, Assay]:
        """Assays by the quantity that they read."""
        return {part.quantity: part.assay for part in self.readouts}

    @property
    def sampled(self) -> tuple[Visit, ...]:
        """Visits at which the hour of a sample matters."""
        if all(part.sampling is None for part in self.readouts):
            return ()
        return tuple(visit for visit in self.visits if visit.last_dose is not None)

    def readout(self, quantity: str) -> Readout:
        """The readout of a quantity.

        Raises
        ------
        InputError
            ``trial.quantity``.
        """
        for part in self.readouts:
            if part.quantity == quantity:
                return part
        raise not_among(
            f"the trial `{self.name}` does not read `{quantity}`", quantity, self.quantities, code="trial.quantity"
        )

    def arm(self, name: str) -> TrialArm:
        """An arm by its name.

        Raises
        ------
        InputError
            ``trial.arm``.
        """
        for arm in self.arms:
            if arm.name == name:
                return arm
        known = [arm.name for arm in self.arms]
        raise not_among(f"the trial `{self.name}` has no arm `{name}`", name, known, code="trial.arm")

    def samples(self, quantity: str, *days: float) -> float:
        """Patients of all arms who have a reading of a quantity at each of some visits."""
        part = self.readout(quantity)
        found = []
        for visit, own in itertools.zip_longest(self.visits, part.samples):
            if visit.day in days:
                found.append(own if own is not None else self.n if visit.n is None else visit.n)
        return min(found)

    @property
    def meaning(self) -> tuple[object, ...]:
        """What decides a likelihood, without words: the same for two files that say the same."""
        return (
            [(arm.name, arm.plan, arm.strata) for arm in self.arms],
            [(visit.day, visit.last_dose) for visit in self.visits],
            [(part.quantity, part.assay, part.sampling) for part in self.readouts],
            self.response,
        )


def changes_of(readouts: Sequence[Readout], visits: Sequence[Visit]) -> tuple[Outcome, ...]:
    """What is asked of readings where nothing is said: the change of each from the first visit to the last."""
    if len(visits) < 2:
        return ()
    return tuple(
        Outcome(part.quantity, part.title, visits[0].day, visits[-1].day, is_compared=part.sampling is None)
        for part in readouts
    )


def check_order(before: float, after: float) -> None:
    """Refuse the day of a visit that is not after that of the one before it.

    Raises
    ------
    InputError
        ``trial.visit``.
    """
    if after < 0.0 or not before < after:
        raise InputError(
            f"the visit on day {after:g} is not after the one before it",
            code="trial.visit",
            found=f"day {after:g}" if before < 0.0 else f"day {after:g} after day {before:g}",
            expected="days in the order of time, from day 0 on",
        )


def _once(names: Sequence[str], what: str) -> None:
    for name in names:
        if names.count(name) > 1:
            raise InputError(
                f"two {what} have the name `{name}`", code="trial.name", advice="give one of them another name"
            )
    if not names:
        raise InputError(f"a trial has {what}", code="trial.name", found="none", expected="at least one")
