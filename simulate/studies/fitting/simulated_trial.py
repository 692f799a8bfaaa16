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
from simulate.cohort.points import latin, leading_columns
from simulate.cohort.population import Population
from simulate.cohort.transform import KIND, Changes, coordinates, kinds_of, transform
from simulate.evidence.protocol import TrialProtocol, observe, shares
from simulate.evidence.trial_observations import Key, TrialObservations
from simulate.regimen.doses import Plan, exact
from simulate.regimen.words import parse_regimen
from simulate.solver.kernel import IntArray
from simulate.solver.problem import Tolerance
from simulate.solver.trajectories import Status
from simulate.streams import FloatArray
from simulate.studies.fitting.priors import (
    CENTERS,
    RELIABILITY,
    Free,
    Role,
    is_fixed,
)
from simulate.studies.fitting.problem import COARSE, LEADING, MOST_REFUSED, REGRESSED, SAMPLE_HOUR, Problem
from simulate.studies.models import quantity_units
from simulate.symbolic.parts import Parameter
from simulate.symbolic.units import convert
from simulate.trials.design import TrialDesign, Visit

_SAMPLES = 9
"""Times between the earliest and the latest blood sample at which serum is recorded."""

_MINUTE = Fraction(1, 1440)
"""Day."""


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
    return np.square(sd_log) * (1.0 + slope - np.square((ends[0] - ends[1]) / mass))


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
class SimulatedTrial:
    """Observations that a trial would have made of the populations at some points."""

    seen: TrialObservations  #: One cohort for each point; of the first arm, with all arms in it where there are several
    refused: FloatArray  #: Share of the patients of each point who have no steady baseline, shape [point]

    @property
    def feasible(self) -> npt.NDArray[np.bool_]:
        """Which points are in the prior, shape [point]."""
        return self.refused <= MOST_REFUSED

    def of(self, points: IntArray) -> SimulatedTrial:
        """The same of some points by their numbers, each as often as it stands there."""
        return SimulatedTrial(self.seen.rows(points), self.refused[points])


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
    """Simulate patients, treated as those of the trial were, arm by arm, and recorded on its days."""
    arms = (arm,) if arm is not None else arms_of(problem.trial)
    return simulate_cohort(
        problem.model, arms, cohort, recorded_times(problem.trial), tolerance=tolerance, threads=threads,
        progress=progress,
    )  # fmt: skip


def arms_of(design: TrialDesign) -> tuple[Arm, ...]:
    """Treatment of each arm."""
    return tuple(Arm(arm.name, _held(design, arm.plan)) for arm in design.arms)


def treated(regimen: str, design: TrialDesign) -> Arm:
    """Treatment by a regimen in words, of which nothing is given after the last dose before the last visit."""
    return Arm(regimen, _held(design, parse_regimen(regimen)))


def _held(design: TrialDesign, plan: Plan) -> Plan:
    """A plan of which nothing is given from a minute after the last dose on: blood is drawn before the next."""
    return plan if design.last_dose is None else plan.ended(exact(design.last_dose) + _MINUTE)


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


def simulated_trial(
    problem: Problem, points: FloatArray, *, patients: int, seed: int, **how: Unpack[Solving]
) -> SimulatedTrial:
    """What the trial would have seen of the populations at some points; arguments as for `simulate_points`."""
    ensemble = simulate_points(problem, points, patients=patients, seed=seed, **how)
    return seen_at(problem, ensemble, points, patients=patients, seed=seed)


def seen_at(problem: Problem, ensemble: Ensemble, points: FloatArray, *, patients: int, seed: int) -> SimulatedTrial:
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
    return SimulatedTrial(seen, np.max([refused for _, refused in found], axis=0))


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
    return np.where(total > 0.0, weights / np.where(total > 0.0, total, 1.0), 1.0 / weights.shape[1])


def _refused(exists: npt.NDArray[np.bool_], weights: FloatArray, kind: IntArray) -> FloatArray:
    refused: FloatArray = np.where(exists, 0.0, weights).sum(axis=1)
    for index in np.unique(kind):
        # A trial needs patients of each kind: where none is left, it could not have been.
        refused = np.where(exists[:, kind == index].any(axis=1), refused, 1.0)
    return refused


def feasible_at(
    problem: Problem, points: FloatArray, *, patients: int, seed: int, threads: int | None = None
) -> npt.NDArray[np.bool_]:
    """Which points are in the prior, as `SimulatedTrial.feasible`; patients are only brought to the start of the trial.

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
