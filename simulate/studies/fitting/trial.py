"""The trial, simulated for many sets of parameters at once: from points of a prior to what would have been seen.

A point is one population. Its patients stand at places that are the same for all points and all hypotheses
(`simulate.cohort.placed`); they are treated as the study was, and looked at on its days. A patient whose baseline
cannot be a steady state does not exist: the others take the weight. A point of whose patients too many do not exist is
not in the prior.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simulate.biology.reference import parameter_table
from simulate.cohort.assay import shipped_assays
from simulate.cohort.ensemble import Arm, Ensemble, simulate_cohort
from simulate.cohort.placed import KIND, Places, Populations, cohort_of, kinds, placed, places
from simulate.cohort.population import Population
from simulate.cohort.reading import shipped_population
from simulate.errors import InputError
from simulate.evidence.audit import check_evidence
from simulate.evidence.items import Evidence
from simulate.evidence.protocol import Protocol, observe
from simulate.evidence.reading import read_evidence
from simulate.evidence.seen import Key, Seen
from simulate.files import content_hash
from simulate.regimen.words import parse_regimen
from simulate.solver.kernel import IntArray
from simulate.solver.problem import Tolerance
from simulate.solver.trajectories import Status
from simulate.streams import FloatArray
from simulate.studies.fitting.priors import Free, Role, free_numbers, prior_rows
from simulate.studies.fitting.weights import weights_of_existing
from simulate.studies.methods import quickest_method
from simulate.studies.models import find_model, hypothesis_parts
from simulate.studies.serum import Sampling, shipped_sampling, until_sample
from simulate.symbolic.model import Model

OPTIONS = ("response", "ck-drift")
"""Options that every fitted model has: the trial judged response, and creatine kinase moves by itself."""

REGIMEN = "100 mg sc every 24 h"
BEFORE, AFTER = 0.0, 182.0
"""Visits at which cells were taken, days."""

LAST_DOSE = 181.0
"""Day of the last scheduled injection before the second visit."""

_FIRST = (
    KIND, "f_RO", "chi", "ck_drift", "det1", "det17", "f_m", "il1_muscle", "f_Th17", "f_Th1", "d_M17", "R_0",
    "sample hour", "CK_0", "il1_lymph", "e50", "K_Ra", "CL", "weight", "a_fb", "x_17", "g17", "g1", "k_c",
    "k_in", "k_out",
)  # fmt: skip
"""What moves the printed figures most has the first and best columns of the places."""

MOST_REFUSED = 0.5
"""Share of patients without a steady baseline beyond which a point is not in the prior."""

COARSE = Tolerance(1e-4, 1e-7)
"""Tolerance of a fit: errors near 0.2 %, beside readings that err by 5 to 60 %."""

_SAMPLES = 9
"""Times between the earliest and the latest blood sample at which serum is recorded."""


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """A hypothesis and the evidence it is fitted to.

    Attributes
    ----------
    hypothesis
        As the user named it.
    model, population
        What is simulated: the model with the options of the trial, and its patients before anything is changed.
    evidence
        What was printed.
    free
        What a point says, coordinate by coordinate.
    """

    hypothesis: str
    model: Model
    population: Population
    evidence: Evidence
    free: tuple[Free, ...]

    @property
    def dimension(self) -> int:
        """Number of coordinates of a point."""
        return len(self.free)

    @property
    def key(self) -> str:
        """Content hash of everything that decides a likelihood, but for the engine."""
        return content_hash(
            self.model.key,
            repr(self.population),
            repr([dataclasses.replace(item, where=None) for item in self.evidence.items]),  # type: ignore[arg-type]
            repr(self.free),
            repr((REGIMEN, BEFORE, AFTER, LAST_DOSE, MOST_REFUSED, COARSE, _FIRST)),
            repr((shipped_assays(), shipped_sampling())),
        )


def problem_for(hypothesis: str, evidence: Evidence | None = None) -> Problem:
    """What is to be fitted under a hypothesis.

    Parameters
    ----------
    hypothesis
        Name, file, or several joined by ``+``; ``none`` or ``H0`` for no effect of IL-1 on CD4 cells.
    evidence
        Items; those of the abstract if not given.

    Raises
    ------
    InputError
        As for `find_model`, `free_numbers` and `check_evidence`: a contradiction that is not marked as disputed.
    """
    items = read_evidence() if evidence is None else evidence
    check_evidence(items)
    if not items.data:
        raise InputError(
            "the evidence has no item to fit to",
            code="fit.evidence",
            found=f'{len(items.items)} items, none with `use = "datum"`',
            advice="give the items that are data the use `datum`",
        )
    parts = [part for part in hypothesis_parts(hypothesis) if part != "none"]
    model = find_model(None, [*parts, *OPTIONS])
    return problem_of(hypothesis, model, study_patients(shipped_population(model.parameters)), items)


def problem_of(hypothesis: str, model: Model, population: Population, evidence: Evidence) -> Problem:
    """A hypothesis with its model, patients and evidence, and what a fit of it leaves free; the model has `OPTIONS`."""
    pairs = {(pair.a, pair.b) for pair in population.correlations}
    free = tuple(
        part
        for part in free_numbers(model, find_model(None, OPTIONS))
        if part.role is not Role.CORRELATION or part.targets in pairs
    )
    return Problem(hypothesis, model, population, evidence, free)


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


def populations_at(problem: Problem, points: FloatArray) -> Populations:
    """Populations of points, shape [point, coordinate]."""
    typical: dict[str, FloatArray] = {}
    sd_log: dict[str, FloatArray] = {}
    rho: dict[tuple[str, str], FloatArray] = {}
    rows = {part.name: part for part in problem.population.parameters}
    for column, part in enumerate(problem.free):
        values = part.values(points[:, column])
        if part.role is Role.TYPICAL:
            typical[part.targets[0]] = values
        elif part.role is Role.SPREAD:
            spread = rows[part.targets[0]].spread
            sd_log[part.targets[0]] = values * (0.0 if spread is None else spread.sd_log)
        else:
            rho[part.targets[0], part.targets[1]] = values
    return Populations(problem.population, typical, sd_log, rho)


@functools.lru_cache(maxsize=16)
def _places(names: frozenset[str], patients: int, seed: int) -> Places:
    shipped = [part.name for part in parameter_table().values() if part.spread is not None]
    always = list(_FIRST) + sorted({*shipped, "V", "creatinine_clearance"} - {*_FIRST})
    return places(always, patients, seed=seed, others=sorted(names - {*always}))


def places_for(problem: Problem, patients: int, seed: int) -> Places:
    """Places of the patients: a parameter has the same under every hypothesis that has it."""
    population = problem.population
    varying = {part.name for part in (*population.parameters, *population.covariates) if part.spread is not None}
    varying |= {row.name for stratum in population.strata for row in stratum.parameters}
    return _places(frozenset(varying), patients, seed)


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """What the trial would have seen of the populations at some points.

    Attributes
    ----------
    seen
        One cohort for each point.
    refused
        Share of the patients of each point who have no steady baseline, shape [point].
    """

    seen: Seen
    refused: FloatArray

    @property
    def feasible(self) -> npt.NDArray[np.bool_]:
        """Which points are in the prior, shape [point]."""
        return self.refused <= MOST_REFUSED


def simulate_points(
    problem: Problem,
    points: FloatArray,
    *,
    patients: int,
    seed: int,
    tolerance: Tolerance = COARSE,
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
    arm: Arm | None = None,
) -> Ensemble:
    """Simulate the patients of all points as one batch.

    Parameters
    ----------
    problem, tolerance, threads, progress, arm
        As for `simulate_people`.
    points
        Shape [point, coordinate].
    patients
        Patients of each point, a power of two; member ``c * patients + p`` of the result is patient p of point c.
    seed
        Key of the places.
    """
    at = places_for(problem, patients, seed)
    values = placed(populations_at(problem, points), at)
    of_kind = np.tile(kinds(problem.population, at), len(points))
    return simulate_people(
        problem,
        values.reshape(len(of_kind), -1),
        of_kind,
        seed=seed,
        tolerance=tolerance,
        threads=threads,
        progress=progress,
        arm=arm,
    )


def simulate_people(
    problem: Problem,
    values: FloatArray,
    of_kind: IntArray,
    *,
    seed: int,
    tolerance: Tolerance = COARSE,
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
    arm: Arm | None = None,
) -> Ensemble:
    """Simulate people with given parameters, treated as the study was and recorded on its days.

    Parameters
    ----------
    problem
        What is fitted.
    values, of_kind
        Parameters in the order and units of the population, shape [person, parameter], and stratum of each person.
    tolerance, threads, progress
        As for `simulate.solver.solve`.
    seed, arm
        Seed of the cohort, and its treatment: that of the study if not given.
    """
    cohort = cohort_of(problem.population, values, of_kind, seed=seed)
    chosen = arm or treated(REGIMEN)
    return simulate_cohort(
        problem.model, (chosen,), cohort, recorded_times(), tolerance=tolerance,
        method=quickest_method(problem.model), threads=threads, progress=progress,
    )  # fmt: skip


def treated(regimen: str) -> Arm:
    """Treatment by a regimen in words, of which nothing is given after the last injection before the second visit."""
    return Arm(regimen, until_sample(parse_regimen(regimen), LAST_DOSE))


def recorded_times() -> FloatArray:
    """Days that are recorded: the two visits, and those between which blood is drawn for serum."""
    return np.unique([BEFORE, AFTER, *(LAST_DOSE + _sample_times(shipped_sampling()))])


def _sample_times(sampling: Sampling) -> FloatArray:
    return np.linspace(sampling.earliest, sampling.latest, _SAMPLES)


def trial_of(
    problem: Problem,
    points: FloatArray,
    *,
    patients: int,
    seed: int,
    tolerance: Tolerance = COARSE,
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
    arm: Arm | None = None,
) -> Trial:
    """What the trial would have seen of the populations at some points; arguments as for `simulate_points`."""
    ensemble = simulate_points(
        problem, points, patients=patients, seed=seed, tolerance=tolerance, threads=threads, progress=progress, arm=arm
    )
    at = places_for(problem, patients, seed)
    levels = levels_of(problem, ensemble, np.tile(at.of("sample hour"), len(points)))
    seen = observe(ensemble, protocol(problem), cohorts=len(points), levels=levels)
    exists = (ensemble.status[0] != Status.INFEASIBLE).reshape(len(points), patients)
    refused = np.where(exists, 0.0, seen.weights).sum(axis=1)
    kind = kinds(problem.population, at)
    of_kind = {
        stratum.name: np.broadcast_to((kind == index).astype(np.float64), exists.shape)
        for index, stratum in enumerate(problem.population.strata)
    }
    for index in np.unique(kind):
        # A trial needs patients of each kind: where none is left, it could not have been.
        refused = np.where(exists[:, kind == index].any(axis=1), refused, 1.0)
    strata = np.zeros(patients, dtype=np.int64) if seen.strata is None else seen.strata[0]
    weights = weights_of_existing(exists, seen.weights, strata)
    return Trial(dataclasses.replace(seen, weights=weights, groups={**seen.groups, **of_kind}), refused)


def levels_of(problem: Problem, ensemble: Ensemble, hours: FloatArray) -> dict[Key, FloatArray]:
    """Levels that are not simply those of the visit: serum at the hour of the sample, and regression to the mean.

    Parameters
    ----------
    problem, ensemble
        What was simulated.
    hours
        Place of each member's blood sample between the earliest and the latest, from 0 to 1, shape [member].
    """
    times = ensemble.trajectories.times
    sampling = shipped_sampling()
    due = LAST_DOSE + sampling.earliest + hours * (sampling.latest - sampling.earliest)
    with np.errstate(divide="ignore", invalid="ignore"):
        serum = np.log(ensemble.quantity("serum_il1ra")[0])
    after = np.clip(np.searchsorted(times, due), 1, len(times) - 1)
    rows = np.arange(len(due))
    share = (due - times[after - 1]) / (times[after] - times[after - 1])
    found: dict[Key, FloatArray] = {
        ("serum_il1ra", AFTER): np.exp((1.0 - share) * serum[rows, after - 1] + share * serum[rows, after])
    }
    names = [part.name for part in problem.model.observables]
    for quantity in ("ifng", "il17a", "ck"):
        if f"{quantity}_regressed" in names:
            read = ensemble.quantity(f"{quantity}_regressed")[0]
            found |= {(quantity, day): read[:, int(np.searchsorted(times, day))] for day in (BEFORE, AFTER)}
    return found


@functools.cache
def _noise() -> tuple[Mapping[str | Key, float], Mapping[str, float]]:
    sampling, assays = shipped_sampling(), shipped_assays()
    noise: dict[str | Key, float] = {
        name: assays[name].sd_log for name in ("serum_il1ra", "ifng", "il17a", "cd45ro", "ck")
    }
    # On the drug, what varies from one occasion to the next comes on top.
    noise["serum_il1ra", AFTER] = math.hypot(sampling.sd_occasion, sampling.sd_assay)
    return noise, {name: assays[name].limit for name in ("serum_il1ra", "ifng", "il17a")}


def protocol(problem: Problem) -> Protocol:
    """When the trial looked, and how well."""
    noise, limits = _noise()
    sizes = {stratum.name: round(stratum.count) for stratum in problem.population.strata}
    return Protocol(days=(BEFORE, AFTER), noise=noise, limits=limits, response_day=AFTER, sizes=sizes)
