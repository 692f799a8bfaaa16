"""Two hypotheses held against each other: what each says of what was reported, and what would tell them apart.

A hypothesis is its draws: of a fit where there is one, and else of the prior. A readout is the change of a quantity
since before treatment, read once before and once at a later visit in each patient, with the error of its assay.
Patients that it takes are those with whom the true hypothesis gets odds of `ODDS` in a share `ENOUGH` of simulated
studies, draws of both being equally likely (`simulate.inference.information`).
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simulate.errors import Where
from simulate.evidence.trial_observations import EVERYONE
from simulate.solver.kernel import FloatArray
from simulate.solver.problem import Tolerance
from simulate.studies.comparison.comparison import Comparison, compare
from simulate.studies.fitting.draws import Draws
from simulate.studies.fitting.known_fits import Fit
from simulate.studies.measuring.catalogue import Measurement, PlannedReading, Sample, shipped_measurements
from simulate.studies.measuring.pool import MeasurementPool, statistic_of
from simulate.studies.measuring.ranking import SIZES, n_needed
from simulate.studies.models import assumed_together, quantity_units
from simulate.studies.prediction.prediction import LITTLE, Band, band_of
from simulate.studies.resolution import Resolution
from simulate.trials.design import Outcome, TrialDesign
from simulate.watching import Advance

TOLERANCE = Tolerance()
"""Of the patients' trajectories: that of runs, so that patients are counted as there."""

_COMMON = 15
"""Patients of a measurement whose number is sought; a scale, and nothing that is printed."""


class Tendency(enum.Enum):
    """Which way a quantity goes, over the draws of a hypothesis. The value is what a reader sees."""

    RISES = "rises"
    FALLS = "falls"
    STAYS = "stays"
    RISES_AT_MOST = "rises or stays"
    FALLS_AT_MOST = "falls or stays"
    EITHER = "rises or falls"


@dataclass(frozen=True, slots=True)
class ReportedSign:
    """A reported direction, and what two hypotheses say of it."""

    #: What changed up to which day, and ``up`` or ``down``.
    quantity: str
    title: str
    day: float
    way: str
    draws: tuple[float, float]  #: For each hypothesis the share of its draws in which the mean change goes that way
    patients: tuple[Band, Band]  #: For each the share of the patients who go that way: median and 90 % of the draws
    shares: tuple[float, float]  #: For each that share of the patients of all draws together, as a run has it


@dataclass(frozen=True, slots=True)
class ContrastReadout:
    """A change since before treatment at a visit, under two hypotheses."""

    #: What is read again when, in days after the start.
    quantity: str
    title: str
    day: float
    changes: tuple[Band, Band]  #: For each hypothesis the mean change of the patients, %: median and 90 % of the draws
    #: Share of pairs of a draw of each in which the change is higher under the first; a half where nothing tells them
    #: apart.
    higher: float
    #: Patients, each read twice, with whom the true hypothesis is found; None if not with the most that are tried.
    n: int | None
    found: float  #: Share of studies of the most patients that are tried in which it is
    is_sparse: bool  #: Whether the draws are too far apart for the number to be exact

    @property
    def number(self) -> str:
        """Patients that it takes, as a table has them."""
        return (f"over {SIZES[-1]}" if self.n is None else f"{self.n}") + ("?" if self.is_sparse else "")

    @property
    def courses(self) -> tuple[Tendency, Tendency]:
        """Which way it goes under each."""
        first, second = (course_of(band) for band in self.changes)
        return first, second


@dataclass(frozen=True, slots=True, eq=False)
class Contrast:
    """Two hypotheses held against each other."""

    trial: TrialDesign  #: Of whose patients all is said
    draws: tuple[Draws, Draws]  #: Draws of each
    comparison: Comparison | None  #: What the reported values say of both; None where one of them has no fit
    signs: tuple[ReportedSign, ...]  #: Reported directions
    readouts: tuple[ContrastReadout, ...]  #: The one that takes the fewest patients first
    #: Quantities that only one of the models has: what a reader calls it, and the hypothesis.
    alone: tuple[tuple[str, str], ...]
    #: Virtual patients of each draw, and simulated studies under each hypothesis.
    patients: int
    studies: int

    @property
    def names(self) -> tuple[str, str]:
        return self.draws[0].problem.label, self.draws[1].problem.label

    @property
    def assumptions(self) -> tuple[str, ...]:
        """What is assumed of the routes by which something is given, in sentences."""
        return assumed_together(one.problem.assumptions for one in self.draws)

    @property
    def best(self) -> tuple[ContrastReadout, ...]:
        """Of each quantity the visit that takes the fewest patients, in the order of these."""
        found: dict[str, ContrastReadout] = {}
        for one in self.readouts:
            found.setdefault(one.quantity, one)
        return tuple(found.values())

    @property
    def earliest(self) -> ContrastReadout | None:
        """The earliest readout that some number of patients tells them apart by."""
        able = [one for one in self.readouts if one.n is not None]
        return min(able, key=lambda one: (one.day, one.n)) if able else None


def course_of(band: Band) -> Tendency:
    """Which way a band goes; less than `LITTLE` percent are no way."""
    if band.low >= LITTLE:
        return Tendency.RISES
    if band.high <= -LITTLE:
        return Tendency.FALLS
    if band.low > -LITTLE:
        return Tendency.STAYS if band.high < LITTLE else Tendency.RISES_AT_MOST
    return Tendency.FALLS_AT_MOST if band.high < LITTLE else Tendency.EITHER


def contrast_days(design: TrialDesign) -> tuple[float, ...]:
    """Days after the start on which readouts are tried: of treatment, of what was reported, and after the last dose."""
    seen = design.foreseen
    reported = (day for part in design.outcomes for day in (part.first, part.last))
    days = (*seen.days, *reported, design.end, design.end + seen.wash_out)
    return tuple(sorted({day for day in days if day > design.first}))


def readouts_of(design: TrialDesign, draws: Sequence[Draws]) -> tuple[Measurement, ...]:
    """Readouts of which an assay is known and that all models have, on every day, as measurements of one sample."""
    known = _assays(design)
    names = [quantity_units(part.problem.model) for part in draws]
    where = Where(file="simulate contrast")
    return tuple(
        Measurement(
            name=f"{quantity} {day:g}",
            title=_title(quantity, draws[0], design),
            answers="",
            note="",
            cost=1.0,
            cost_source="",
            cost_grade="",
            samples=(
                Sample(
                    EVERYONE,
                    design.arms[0].name,
                    _COMMON,
                    (PlannedReading(quantity, day, design.first, None, noise, limit, False, where),),
                ),
            ),
        )
        for quantity, (noise, limit) in known.items()
        if all(quantity in own for own in names)
        for day in contrast_days(design)
    )


def contrasted(
    pools: Sequence[MeasurementPool],
    readouts: Sequence[Measurement],
    fits: Sequence[Fit | None],
    *,
    patients: int,
    studies: int,
    seed: int,
    progress: Advance = lambda done: None,
) -> Contrast:
    """Hold two hypotheses against each other."""
    first, second = pools
    design = first.draws.problem.trial
    found = []
    for one in readouts:
        found.append(_readout(one, pools, studies, seed))
        progress(1)
    order = sorted(found, key=lambda one: (one.n is None, one.n or 0, -one.found, one.day))
    known = [fit for fit in fits if fit is not None]
    asked = [part for part in design.outcomes if part.way and part.partner is None]
    shared = {one.quantity for one in found}
    names = [quantity_units(pool.draws.problem.model) for pool in pools]
    alone = tuple(
        (_title(quantity, pool.draws, design), pool.draws.problem.label)
        for index, pool in enumerate(pools)
        for quantity in _assays(design)
        if quantity in names[index] and quantity not in names[1 - index]
    )
    return Contrast(
        trial=design,
        draws=(first.draws, second.draws),
        comparison=compare(known) if len(known) == len(fits) else None,
        signs=tuple(_sign(part, pools) for part in asked if part.quantity in shared),
        readouts=tuple(order),
        alone=alone,
        patients=patients,
        studies=studies,
    )


def _assays(design: TrialDesign) -> dict[str, tuple[float, float]]:
    """Error and limit of what can be read: by the assays of the trial, else by those of the shipped measurements."""
    found = {name: (assay.sd_log, assay.limit) for name, assay in design.assays.items()}
    of_the_drug = {part.quantity for part in design.readouts if part.sampling is not None}
    for measurement in shipped_measurements():
        for sample in measurement.samples:
            for reading in sample.readings:
                found.setdefault(reading.quantity, (reading.noise, reading.limit))
    # What is in the blood says what was injected, under every hypothesis.
    return {name: assay for name, assay in found.items() if name not in of_the_drug}


def _title(quantity: str, draws: Draws, design: TrialDesign) -> str:
    model = draws.problem.model
    meaning = {part.name: part.meaning for part in model.species}
    meaning |= {part.name: part.meaning for part in model.observables}
    return design.foreseen.titles.get(quantity) or meaning.get(quantity) or quantity


def _readout(measurement: Measurement, pools: Sequence[MeasurementPool], studies: int, seed: int) -> ContrastReadout:
    (sample,) = measurement.samples
    (reading,) = sample.readings
    changes = 100.0 * np.expm1(statistic_of(measurement, sample, pools).mean[:, :, 0])
    prior = np.full(len(pools), 1.0 / len(pools))
    n, is_sparse, most = n_needed(measurement, pools, prior, studies, seed)
    low, high = (band_of(own) for own in changes)
    return ContrastReadout(
        quantity=reading.quantity,
        title=measurement.title,
        day=reading.day,
        changes=(low, high),
        higher=_higher(changes[0], changes[1]),
        n=n,
        found=most,
        is_sparse=is_sparse,
    )


def _higher(first: FloatArray, second: FloatArray) -> float:
    """Share of pairs in which the first is higher; equal ones count half."""
    apart = np.sign(first[:, np.newaxis] - second[np.newaxis])
    return float(0.5 + 0.5 * apart.mean())


def _sign(outcome: Outcome, pools: Sequence[MeasurementPool]) -> ReportedSign:
    draws, patients, shares = [], [], []
    for pool in pools:
        arm = pool.draws.problem.trial.arms[0].name
        after, before = (pool.levels[arm, outcome.quantity, day] for day in (outcome.last, outcome.first))
        with np.errstate(divide="ignore", invalid="ignore"):
            moved = np.where(pool.weights > 0.0, np.log(after / before), 0.0)
        resolved = Resolution(TOLERANCE.rtol).percent(after, before)
        goes = resolved > 0.0 if outcome.way == "up" else resolved < 0.0
        mean = 100.0 * np.expm1(np.einsum("kp,kp->k", pool.weights, moved))
        draws.append(float(((mean if outcome.way == "up" else -mean) >= LITTLE).mean()))
        each = np.einsum("kp,kp->k", pool.weights, goes.astype(np.float64))
        patients.append(band_of(each))
        shares.append(float(each.mean()))
    return ReportedSign(
        outcome.quantity,
        outcome.title,
        outcome.last,
        outcome.way,
        (draws[0], draws[1]),
        (patients[0], patients[1]),
        (shares[0], shares[1]),
    )
