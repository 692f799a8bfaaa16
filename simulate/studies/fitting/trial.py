"""A trial, simulated for many sets of parameters at once: from points of a prior to what would have been seen.

A point is one population. Its patients have coordinates that are the same for all points and all hypotheses
(`simulate.cohort.points`); they are treated as those of the trial were, and looked at on its days
(`simulate.trials.design`). A patient whose baseline cannot be a steady state does not exist: the others take the
weight. A point of whose patients too many do not exist is not in the prior.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType
from typing import TypedDict, Unpack

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from simulate.cohort.arms import Arm
from simulate.cohort.draws import Cohort, cohort_of
from simulate.cohort.ensemble import Ensemble, simulate_cohort
from simulate.cohort.points import POINTS, latin, leading_columns
from simulate.cohort.population import Population
from simulate.cohort.transform import KIND, SCHEME, Changes, coordinates, kinds_of, transform
from simulate.errors import InputError, did_you_mean, listed
from simulate.evidence.audit import check_evidence
from simulate.evidence.items import Evidence, Item
from simulate.evidence.protocol import TrialProtocol, observe, shares
from simulate.evidence.reading import read_evidence
from simulate.evidence.trial_observations import Key, TrialObservations
from simulate.files import content_hash
from simulate.regimen.doses import Plan, exact
from simulate.regimen.timetable import routes_given
from simulate.regimen.words import parse_regimen
from simulate.solver.automatic import Automatic
from simulate.solver.kernel import IntArray
from simulate.solver.problem import Tolerance
from simulate.solver.trajectories import Status
from simulate.streams import FloatArray
from simulate.studies.fitting.priors import (
    CENTERS,
    RELIABILITY,
    Free,
    Role,
    free_numbers,
    is_fixed,
    noise_numbers,
    prior_rows,
)
from simulate.studies.methods import quickest_method
from simulate.studies.models import find_model, hypothesis_parts, population_for, quantity_units
from simulate.symbolic.model import Model
from simulate.symbolic.parts import Parameter
from simulate.symbolic.units import convert
from simulate.trials.design import TrialDesign, Visit
from simulate.trials.reading import find_trial, read_trial, shipped_trial
from simulate.trials.reported import check_reported

SAMPLE_HOUR = "sample hour"
"""Coordinate of the time at which blood is drawn for serum at the last visit; those of other visits name them."""

LEADING = (
    KIND, "f_RO", "chi", "ck_drift", "det1", "det17", "f_m", "il1_muscle", "f_Th17", "f_Th1", "d_M17", "R_0",
    SAMPLE_HOUR, "CK_0", "il1_lymph", "e50", "K_Ra", "CL", "weight", "a_fb", "x_17", "g17", "g1", "k_c",
    "k_in", "k_out", "V", "creatinine_clearance",
)  # fmt: skip
"""Leading columns of the patients' points, whether or not a model has them: what moves the printed figures most is
first. A new name at the end moves no other; any other change makes all fits those of other patients."""

MOST_REFUSED = 0.5
"""Share of patients without a steady baseline beyond which a point is not in the prior."""

COARSE = Tolerance(1e-4)
"""Tolerance of a fit: errors near 0.2 %, beside readings that err by 5 to 60 %."""

_SAMPLES = 9
"""Times between the earliest and the latest blood sample at which serum is recorded."""

_MINUTE = Fraction(1, 1440)
"""Day."""

REGRESSED = "_regressed"
"""End of the name of an observable that is another one with regression to the mean, where a model has it."""


@dataclass(frozen=True, slots=True, eq=False)
class ProblemPart:
    """A trial, its patients before anything is changed, and what it reported."""

    trial: TrialDesign
    population: Population
    evidence: Evidence


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """A hypothesis and the evidence it is fitted to."""

    hypothesis: str  #: As the user named it
    #: What is simulated: the model with the options of the trial, and its patients before anything is changed.
    model: Model
    population: Population
    evidence: Evidence  #: What was reported
    free: tuple[Free, ...]  #: What a point says, coordinate by coordinate
    trial: TrialDesign  #: How patients were treated and looked at
    #: Further trials to which the same numbers are fitted, of which patients and readings have nothing in common with
    #: those of the first or of each other: log-likelihoods add.
    others: tuple[ProblemPart, ...] = ()

    @property
    def dimension(self) -> int:
        return len(self.free)

    @property
    def options(self) -> tuple[str, ...]:
        """Options of the reference model that the model has for what the trials read."""
        trials = (self.trial, *(study.trial for study in self.others))
        return tuple(dict.fromkeys(option for trial in trials for option in trial.options))

    @property
    def parts(self) -> tuple[Problem, ...]:
        """The same hypothesis with each trial alone."""
        return (dataclasses.replace(self, others=()), *(self.with_part(study) for study in self.others))

    def with_part(self, part: ProblemPart) -> Problem:
        """The same hypothesis and free numbers with one other trial, its patients and what it reported."""
        return dataclasses.replace(
            self, others=(), trial=part.trial, population=part.population, evidence=part.evidence
        )

    @property
    def data(self) -> tuple[Item, ...]:
        """What is fitted, trial by trial; of several trials an item has the name of its trial before its own."""
        if not self.others:
            return self.evidence.data
        return tuple(
            dataclasses.replace(item, name=f"{part.trial.name}: {item.name}")
            for part in self.parts
            for item in part.evidence.data
        )

    @property
    def key(self) -> str:
        """Content hash of everything that decides a likelihood, but for the engine."""
        plans = [arm.plan for part in self.parts for arm in part.trial.arms]
        return content_hash(
            dataclasses.replace(self.model, routes=routes_given(plans, self.model.routes)).key,
            repr([(part.population, part.evidence.meaning, part.trial.meaning) for part in self.parts]),
            repr(self.free),
            repr((MOST_REFUSED, COARSE, LEADING, POINTS, SCHEME)),
        )


def problem_for(
    hypothesis: str,
    evidence: Evidence | None = None,
    trials: Sequence[TrialDesign] = (),
    *,
    needs_evidence: bool = True,
) -> Problem:
    """What is to be fitted, or only simulated, under a hypothesis; ``none`` or ``H0`` for no effect on CD4 cells.

    It is fitted to the trials, or else to the one that the evidence names, or the shipped one; evidence is what each
    trial's file names, if not given. A trial that is only planned needs none.
    """
    designs = tuple(trials) or (read_trial(evidence.trial) if evidence is not None and evidence.trial else None,)
    chosen = tuple(shipped_trial() if design is None else design for design in designs)
    reported = [
        Evidence(design.source, (), design.name)
        if not needs_evidence and evidence is None and design.evidence is None
        else _reported(design, evidence, is_alone=len(chosen) == 1)
        for design in chosen
    ]
    for design in chosen:
        if [one.name for one in chosen].count(design.name) > 1:
            raise InputError(
                f"the trial `{design.name}` is given twice",
                code="trial.twice",
                expected="trials whose patients are not the same: likelihoods of independent trials add",
            )
    parts = [part for part in hypothesis_parts(hypothesis) if part != "none"]
    options = tuple(dict.fromkeys(option for design in chosen for option in design.options))
    model = find_model(None, [*parts, *options])
    for design in chosen:
        check_observed(design, model)
    studies = [
        ProblemPart(design, trial_patients(design, model), items)
        for design, items in zip(chosen, reported, strict=True)
    ]
    return problem_of(hypothesis, model, *studies)


def problem_of(hypothesis: str, model: Model, *studies: ProblemPart) -> Problem:
    """A hypothesis with its model and studies, and what a fit of it leaves free; the model has the trials' options."""
    pairs = {(pair.a, pair.b) for study in studies for pair in study.population.correlations}
    options = tuple(dict.fromkeys(option for study in studies for option in study.trial.options))
    free = tuple(
        part
        for part in free_numbers(model, find_model(None, options))
        if part.role is not Role.CORRELATION or part.targets in pairs
    )
    free += noise_numbers([study.trial for study in studies])
    first, *others = studies
    return Problem(hypothesis, model, first.population, first.evidence, free, first.trial, tuple(others))


def _reported(design: TrialDesign, evidence: Evidence | None, *, is_alone: bool) -> Evidence:
    """What a trial reported, checked."""
    if evidence is not None and not is_alone:
        raise InputError(
            "evidence is given beside several trials",
            code="trial.evidence",
            advice='let each trial\'s file name its evidence: `evidence = "my-evidence.toml"`',
        )
    if evidence is None and design.evidence is None:
        raise InputError(
            f"the trial `{design.name}` names no evidence",
            code="trial.evidence",
            expected="what it reported: a fit, a comparison and a reproduction are held against it",
            advice='give its file `evidence = "my-evidence.toml"`; `simulate trial` and `simulate predict` need none',
        )
    named = f" in {design.evidence.name}" if evidence is None and design.evidence else ""
    items = read_evidence(design.evidence) if evidence is None else evidence
    if items.trial and find_trial(items.trial).stem != design.name:
        raise InputError(
            f"the evidence is of the trial `{find_trial(items.trial).stem}`, not of `{design.name}`",
            code="trial.evidence",
            found=f'`trial = "{items.trial}"`' + named,
            expected=f"evidence of `{design.name}`, or none",
            advice=f'leave `evidence` out of the trial, or name a copy of it with `trial = "{design.name}.toml"`',
        )
    check_evidence(items)
    if not items.data:
        raise InputError(
            "the evidence has no item to fit to",
            code="fit.evidence",
            found=f'{len(items.items)} items, none with `use = "datum"`',
            advice="give the items that are data the use `datum`",
        )
    check_reported(items, design)
    return items


def check_observed(design: TrialDesign, model: Model) -> None:
    """Refuse a trial that reads what a model does not have, or in another kind of unit."""
    units = quantity_units(model)
    for quantity in design.watched:
        if quantity not in units:
            raise InputError(
                f"the trial `{design.name}` reads `{quantity}`, which the model does not have",
                code="trial.quantity",
                found=f"hypothesis {model.hypothesis}",
                expected="an observable or a state of the reference model with the `options` of the trial",
                advice=did_you_mean(quantity, units),
            )
    for part in design.readouts:
        convert(1.0, part.assay.unit, units[part.quantity])


def only_trial(problem: Problem, what: str) -> TrialDesign:
    """The trial of a problem that has one."""
    if problem.others:
        raise InputError(
            f"{what} takes one trial",
            code="trial.several",
            found=", ".join(f"`{part.trial.name}`" for part in problem.parts),
            advice="name one of them: `fit`, `compare` and `reproduce` take several",
        )
    return problem.trial


def trial_patients(design: TrialDesign, model: Model) -> Population:
    """Patients of a trial: those of its population, in the numbers that the trial had of each kind."""
    people = study_patients(population_for(model, design.population, is_shipped=True))
    numbers: dict[str, int] = {}
    for arm in design.arms:
        for kind, number in arm.strata:
            numbers[kind] = numbers.get(kind, 0) + number
    if not numbers:
        return people
    known = [stratum.name for stratum in people.strata]
    for kind in numbers:
        if kind not in known:
            raise InputError(
                f"the population of the trial `{design.name}` has no kind of patient `{kind}`",
                code="trial.strata",
                expected=listed(known) or "no kinds: all patients are alike",
                advice=did_you_mean(kind, known),
            )
    strata = tuple(
        dataclasses.replace(stratum, count=float(numbers[stratum.name]))
        for stratum in people.strata
        if stratum.name in numbers
    )
    return dataclasses.replace(people, strata=strata)


def study_patients(shipped: Population) -> Population:
    """A shipped population with the bounds of single patients where those of the table are of typical values."""
    rows = {name.removeprefix("patients_"): row for name, row in prior_rows().items() if name.startswith("patients_")}
    return dataclasses.replace(
        shipped,
        parameters=tuple(
            dataclasses.replace(part, bounds=rows[part.name].bounds) if part.name in rows else part
            for part in shipped.parameters
        ),
    )


def changes_at(problem: Problem, points: FloatArray) -> Changes:
    """In what the populations of points differ, points of shape [..., coordinate]; arrays of shape [...]."""
    return changes_of(problem.population, problem.free, points, noise_at(problem, points))


def changes_of(
    population: Population, free: Sequence[Free], points: FloatArray, noises: Mapping[str, FloatArray]
) -> Changes:
    """In what populations at points [..., coordinate] differ from one; regression follows from the ``noises``."""
    typical: dict[str, FloatArray] = {}
    sd_log: dict[str, FloatArray] = {}
    rho: dict[tuple[str, str], FloatArray] = {}
    ratios: dict[str, FloatArray] = {}
    rows = {part.name: part for part in population.parameters}
    for column, part in enumerate(free):
        values = part.values(points[..., column])
        first, *others = part.targets
        if part.role is Role.TYPICAL:
            typical[first] = values
        elif part.role is Role.SPREAD:
            sd_log[first] = values * _sd_log(rows[first])
        elif part.role is Role.SD:
            sd_log[first] = values
        elif part.role is Role.CORRELATION:
            rho[first, others[0]] = values
        elif part.role is Role.CENTER:
            ratios[first] = values
    for name, ratio in ratios.items():
        # What the center's other patients would have read is read with the same detection.
        detection = CENTERS[name]
        typical[name] = rows[name].value * ratio * typical.get(detection, ratio * 0.0 + rows[detection].value)
        typical[name] /= rows[detection].value
    for name, (quantity, factors) in RELIABILITY.items():
        if name in rows and quantity in noises and not is_fixed(rows[name]):
            between = sum(
                _variance(
                    typical.get(factor, noises[quantity] * 0.0 + rows[factor].value),
                    sd_log.get(factor, noises[quantity] * 0.0 + _sd_log(rows[factor])),
                    rows[factor].bounds,
                )
                for factor in factors
            )
            typical[name] = between / (between + np.square(noises[quantity]))
    return Changes(typical, sd_log, rho)


def _sd_log(row: Parameter) -> float:
    return 0.0 if row.spread is None else row.spread.sd_log


def _variance(typical: FloatArray, sd_log: FloatArray, bounds: tuple[float, float] | None) -> FloatArray:
    """Variance of the logarithm of what is log-normal and cut at bounds."""
    if bounds is None:
        return np.square(sd_log)
    with np.errstate(divide="ignore"):
        low, high = (np.log(max(bound, 0.0) / typical) / sd_log for bound in bounds)
    ends = [np.exp(-0.5 * np.square(edge)) / math.sqrt(2.0 * math.pi) for edge in (low, high)]
    mass = ndtr(high) - ndtr(low)
    # At an edge that is infinitely far away its product with the density is 0.
    slope = (np.where(np.isfinite(low), low, 0.0) * ends[0] - high * ends[1]) / mass
    variance: FloatArray = np.square(sd_log) * (1.0 + slope - np.square((ends[0] - ends[1]) / mass))
    return variance


def noise_at(problem: Problem, points: FloatArray) -> dict[str, FloatArray]:
    """Noise of the readings whose noise is free, standard deviations of the logarithm by quantity, shape [...]."""
    return {
        quantity: part.values(points[..., column])
        for column, part in enumerate(problem.free)
        if part.role is Role.NOISE and part.targets[0] == problem.trial.name
        for quantity in part.targets[1:]
    }


def without_noise(problem: Problem) -> Problem:
    """The same with every noise as the file of the trial has it: for what reads nothing, or reads it otherwise."""
    return dataclasses.replace(problem, free=tuple(part for part in problem.free if part.role is not Role.NOISE))


@functools.lru_cache(maxsize=16)
def _leading(patients: int, seed: int) -> Mapping[str, FloatArray]:
    return leading_columns(LEADING, patients, seed=seed)


def uniforms_for(problem: Problem, patients: int, seed: int) -> Mapping[str, FloatArray]:
    """Coordinates of the patients by name, each of shape [patient].

    A parameter has the same under every hypothesis that has it, and whatever else the model has.
    """
    leading = _leading(patients, seed)
    names = (KIND, *sample_hours(problem.trial), *coordinates(problem.population))
    return {name: leading[name] if name in leading else latin(name, patients, seed=seed) for name in names}


def sample_hours(design: TrialDesign) -> tuple[str, ...]:
    """Coordinates of the times at which blood is drawn, in the order of the visits at which the hour matters."""
    return tuple(_hour(design, visit) for visit in design.sampled)


def _hour(design: TrialDesign, visit: Visit) -> str:
    return SAMPLE_HOUR if visit == design.visits[-1] else f"{SAMPLE_HOUR}: {visit.name}"


def cohort_at(problem: Problem, points: FloatArray, *, patients: int, seed: int) -> tuple[Cohort, IntArray]:
    """Patients of the populations of all points, and the stratum of each patient of a point, shape [patient].

    Member ``c * patients + p`` of the cohort is patient p of point c; ``seed`` is the key of their coordinates.
    """
    at = uniforms_for(problem, patients, seed)
    kinds = kinds_of(problem.population, at[KIND])
    values = parameters_of(problem, at, kinds, changes_at(problem, points[:, np.newaxis]))
    return cohort_of(
        problem.population, values.reshape(-1, values.shape[-1]), np.tile(kinds, len(points)), seed=seed
    ), kinds


def parameters_of(
    problem: Problem, uniforms: Mapping[str, FloatArray], kinds: IntArray, changes: Changes
) -> FloatArray:
    """Parameters of patients in the order of the population, shape [..., parameter]; arguments as for `transform`."""
    found = transform(problem.population, uniforms, kinds, changes=changes, names=problem.population.names)
    return np.stack([*found.values()], axis=-1)


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """What a trial would have seen of the populations at some points."""

    seen: TrialObservations  #: One cohort for each point; of the first arm, with all arms in it where there are several
    refused: FloatArray  #: Share of the patients of each point who have no steady baseline, shape [point]

    @property
    def feasible(self) -> npt.NDArray[np.bool_]:
        """Which points are in the prior, shape [point]."""
        return self.refused <= MOST_REFUSED

    def of(self, points: IntArray) -> Trial:
        """The same of some points by their numbers, each as often as it stands there."""
        return Trial(self.seen.rows(points), self.refused[points])


class Solving(TypedDict, total=False):
    """How trials are solved, as for `simulate.solver.solve`, and which arm; all arms of the trial if not given."""

    tolerance: Tolerance
    threads: int | None
    progress: Callable[[int], None] | None
    arm: Arm | None


def simulate_points(
    problem: Problem, points: FloatArray, *, patients: int, seed: int, **how: Unpack[Solving]
) -> Ensemble:
    """Simulate the patients of all points as one batch."""
    cohort, _ = cohort_at(problem, points, patients=patients, seed=seed)
    return simulate_people(problem, cohort, **how)


def simulate_people(
    problem: Problem,
    cohort: Cohort,
    *,
    tolerance: Tolerance = COARSE,
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
    arm: Arm | None = None,
) -> Ensemble:
    """Simulate people, treated as those of the trial were, arm by arm, and recorded on its days."""
    arms = (arm,) if arm is not None else arms_of(problem.trial)
    return simulate_cohort(
        problem.model, arms, cohort, recorded_times(problem.trial), tolerance=tolerance,
        method=Automatic(quickest_method(problem.model), patience=None), threads=threads, progress=progress,
    )  # fmt: skip


def arms_of(design: TrialDesign) -> tuple[Arm, ...]:
    """Treatment of each arm."""
    return tuple(Arm(arm.name, _held(design, arm.plan)) for arm in design.arms)


def treated(regimen: str, design: TrialDesign) -> Arm:
    """Treatment by a regimen in words, of which nothing is given after the last dose before the last visit."""
    return Arm(regimen, _held(design, parse_regimen(regimen)))


def _held(design: TrialDesign, plan: Plan) -> Plan:
    """A plan of which nothing is given from a minute after the last dose on: blood is drawn before the next."""
    if design.last_dose is None:
        return plan
    end = exact(design.last_dose) + _MINUTE
    kept = []
    for course in plan.courses:
        if course.every is not None and course.start < end:
            kept.append(dataclasses.replace(course, until=end if course.until is None else min(course.until, end)))
        elif course.start < end:
            kept.append(course)
    return Plan(tuple(kept), plan.resets)


def recorded_times(design: TrialDesign) -> FloatArray:
    """Days that are recorded: the visits, and those between which blood is drawn for serum."""
    return np.unique([*design.days, *(day for visit in design.sampled for day in _sample_times(design, visit))])


def _sample_times(design: TrialDesign, visit: Visit) -> list[float]:
    """Days between which blood is drawn after the last dose before a visit."""
    found: list[float] = []
    for sampling in dict.fromkeys(part.sampling for part in design.readouts):
        if sampling is not None and visit.last_dose is not None:
            found += (visit.last_dose + np.linspace(sampling.earliest, sampling.latest, _SAMPLES)).tolist()
    return found


def trial_of(problem: Problem, points: FloatArray, *, patients: int, seed: int, **how: Unpack[Solving]) -> Trial:
    """What the trial would have seen of the populations at some points; arguments as for `simulate_points`."""
    ensemble = simulate_points(problem, points, patients=patients, seed=seed, **how)
    return seen_at(problem, ensemble, points, patients=patients, seed=seed)


def seen_at(problem: Problem, ensemble: Ensemble, points: FloatArray, *, patients: int, seed: int) -> Trial:
    """What the trial would have seen of the populations at some points, of which an ensemble has the patients."""
    at = uniforms_for(problem, patients, seed)
    hours = {name: np.tile(at[name], len(points)) for name in sample_hours(problem.trial)}
    kind = kinds_of(problem.population, at[KIND])
    noises = {quantity: values[:, np.newaxis] for quantity, values in noise_at(problem, points).items()}
    found = [
        _seen_of(problem, ensemble, number, hours, kind, noises, shape=(len(points), patients))
        for number in range(len(ensemble.arms))
    ]
    seen = found[0][0]
    if len(found) > 1:
        arms = {arm.name: part for arm, (part, _) in zip(ensemble.arms, found, strict=True)}
        seen = dataclasses.replace(seen, arms=arms)
    return Trial(seen, np.max([refused for _, refused in found], axis=0))


def _seen_of(
    problem: Problem,
    ensemble: Ensemble,
    number: int,
    hours: Mapping[str, FloatArray],
    kind: IntArray,
    noises: Mapping[str, FloatArray],
    *,
    shape: tuple[int, int],
) -> tuple[TrialObservations, FloatArray]:
    """What would have been seen in one arm, and the share of patients of each point who cannot exist."""
    levels = levels_of(problem, ensemble, hours, arm=number)
    looked = protocol(problem, ensemble.arms[number], noises)
    seen = observe(ensemble, looked, arm=number, cohorts=shape[0], levels=levels)
    exists = (ensemble.status[number] != Status.INFEASIBLE).reshape(shape)
    of_kind = {
        stratum.name: np.broadcast_to((kind == index).astype(np.float64), exists.shape)
        for index, stratum in enumerate(problem.population.strata)
    }
    strata = np.zeros(shape[1], dtype=np.int64) if seen.strata is None else seen.strata[0]
    weights = weights_of_existing(exists, seen.weights, strata)
    refused = _refused(exists, seen.weights, kind)
    return dataclasses.replace(seen, weights=weights, groups={**seen.groups, **of_kind}), refused


def weights_of_existing(exists: npt.NDArray[np.bool_], shares: FloatArray, of_kind: IntArray) -> FloatArray:
    """Weights of those who exist; each kind of patient keeps the share that it had in the trial, if anyone is left."""
    weights = np.where(exists, shares, 0.0)
    for kind in np.unique(of_kind):
        mine = of_kind == kind
        before, left = shares[:, mine].sum(axis=1), weights[:, mine].sum(axis=1)
        weights[:, mine] *= np.where(left > 0.0, before / np.where(left > 0.0, left, 1.0), 0.0)[:, np.newaxis]
    total = weights.sum(axis=1, keepdims=True)
    spread: FloatArray = np.where(total > 0.0, weights / np.where(total > 0.0, total, 1.0), 1.0 / weights.shape[1])
    return spread


def _refused(exists: npt.NDArray[np.bool_], weights: FloatArray, kind: IntArray) -> FloatArray:
    refused: FloatArray = np.where(exists, 0.0, weights).sum(axis=1)
    for index in np.unique(kind):
        # A trial needs patients of each kind: where none is left, it could not have been.
        refused = np.where(exists[:, kind == index].any(axis=1), refused, 1.0)
    return refused


def feasible_at(
    problem: Problem, points: FloatArray, *, patients: int, seed: int, threads: int | None = None
) -> npt.NDArray[np.bool_]:
    """Which points are in the prior, as `Trial.feasible`, without the trial: patients are only brought to its start.

    Arguments as for `simulate_points`.
    """
    cohort, kind = cohort_at(problem, points, patients=patients, seed=seed)
    shape = (len(points), patients)
    ensemble = simulate_cohort(problem.model, arms_of(problem.trial), cohort, np.zeros(1), threads=threads)
    refused = [
        _refused((status != Status.INFEASIBLE).reshape(shape), shares(cohort, protocol(problem, arm), shape)[0], kind)
        for arm, status in zip(ensemble.arms, ensemble.status, strict=True)
    ]
    feasible: npt.NDArray[np.bool_] = np.max(refused, axis=0) <= MOST_REFUSED
    return feasible


def levels_of(
    problem: Problem, ensemble: Ensemble, hours: Mapping[str, FloatArray], *, arm: int = 0
) -> dict[Key, FloatArray]:
    """Levels that are not simply those of the visit: at the hour of a sample, and with regression to the mean."""
    design, times = problem.trial, ensemble.trajectories.times
    found: dict[Key, FloatArray] = {}
    for part in design.readouts:
        for visit in design.sampled if part.sampling is not None else ():
            assert part.sampling is not None
            assert visit.last_dose is not None
            sampling, at = part.sampling, hours[_hour(design, visit)]
            due = visit.last_dose + sampling.earliest + at * (sampling.latest - sampling.earliest)
            with np.errstate(divide="ignore", invalid="ignore"):
                logs = np.log(ensemble.quantity(part.quantity)[arm])
            after = np.clip(np.searchsorted(times, due), 1, len(times) - 1)
            rows = np.arange(len(due))
            share = (due - times[after - 1]) / (times[after] - times[after - 1])
            found[part.quantity, visit.day] = np.exp((1.0 - share) * logs[rows, after - 1] + share * logs[rows, after])
    names = [part.name for part in problem.model.observables]
    for quantity in design.quantities:
        if f"{quantity}{REGRESSED}" in names:
            read = ensemble.quantity(f"{quantity}{REGRESSED}")[arm]
            found |= {(quantity, day): read[:, int(np.searchsorted(times, day))] for day in design.days}
    return found


def protocol(
    problem: Problem, arm: Arm | None = None, noises: Mapping[str, FloatArray] = MappingProxyType({})
) -> TrialProtocol:
    """When the trial looked, and how well, at patients of an arm, or of the first if it has no such arm.

    ``noises`` by quantity, of shape [point, 1], take the place of those of the assays.
    """
    design = problem.trial
    own = next((part for part in design.arms if arm is not None and part.name == arm.name), design.arms[0])
    is_dosed = bool(own.plan.courses if arm is None else arm.plan.courses)
    noise: dict[str | Key, float | FloatArray] = {
        part.quantity: noises.get(part.quantity, part.assay.sd_log) for part in design.readouts
    }
    for part in design.readouts:
        if part.sampling is not None and is_dosed:
            # On the drug, what varies from one occasion to the next comes on top.
            noise |= {(part.quantity, visit.day): part.sampling.sd_log for visit in design.sampled}
    units = quantity_units(problem.model)
    limits = {}
    for part in design.readouts:
        if part.assay.limit > 0.0:
            given, wanted = part.assay.unit, units[part.quantity]
            # To the bit the same where the units are.
            limits[part.quantity] = part.assay.limit if given == wanted else convert(part.assay.limit, given, wanted)
    sizes = {stratum.name: round(stratum.count) for stratum in problem.population.strata}
    if len(design.arms) > 1 and own.strata:
        sizes = {name: dict(own.strata).get(name, 0) for name in sizes}
    return TrialProtocol(days=design.days, noise=noise, limits=limits, response=design.response, sizes=sizes)
