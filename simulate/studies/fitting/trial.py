"""The trial, simulated for many sets of parameters at once: from points of a prior to what would have been seen.

A point is one population. Its patients have coordinates that are the same for all points and all hypotheses
(`simulate.cohort.points`); they are treated as the study was, and looked at on its days. A patient whose baseline
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

from simulate.cohort.assay import shipped_assays
from simulate.cohort.draws import Cohort, cohort_of
from simulate.cohort.ensemble import Arm, Ensemble, simulate_cohort
from simulate.cohort.points import POINTS, latin, leading_columns
from simulate.cohort.population import Population
from simulate.cohort.reading import shipped_population
from simulate.cohort.transform import KIND, SCHEME, Changes, coordinates, kinds_of, transform
from simulate.errors import InputError, Where
from simulate.evidence.audit import check_evidence
from simulate.evidence.items import Evidence, Item
from simulate.evidence.protocol import Protocol, observe
from simulate.evidence.reading import read_evidence
from simulate.evidence.seen import Key, Seen
from simulate.files import content_hash
from simulate.regimen.words import parse_regimen
from simulate.solver.automatic import Automatic
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

SAMPLE_HOUR = "sample hour"
"""Coordinate of the time at which blood is drawn for serum."""

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
            repr([_without_words(item) for item in self.evidence.items]),
            repr(self.free),
            repr((REGIMEN, BEFORE, AFTER, LAST_DOSE, MOST_REFUSED, COARSE, LEADING, POINTS, SCHEME)),
            repr((shipped_assays(), shipped_sampling())),
        )


def _without_words(item: Item) -> Item:
    """The item less what only a reader sees, which decides no likelihood."""
    return dataclasses.replace(item, account="", location=None, note=None, where=Where())


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


def changes_at(problem: Problem, points: FloatArray) -> Changes:
    """In what the populations of points differ, points of shape [..., coordinate]; arrays of shape [...]."""
    typical: dict[str, FloatArray] = {}
    sd_log: dict[str, FloatArray] = {}
    rho: dict[tuple[str, str], FloatArray] = {}
    rows = {part.name: part for part in problem.population.parameters}
    for column, part in enumerate(problem.free):
        values = part.values(points[..., column])
        first, *others = part.targets
        if part.role is Role.TYPICAL:
            typical[first] = values
        elif part.role is Role.SPREAD:
            spread = rows[first].spread
            sd_log[first] = values * (0.0 if spread is None else spread.sd_log)
        else:
            rho[first, others[0]] = values
    return Changes(typical, sd_log, rho)


@functools.lru_cache(maxsize=16)
def _leading(patients: int, seed: int) -> Mapping[str, FloatArray]:
    return leading_columns(LEADING, patients, seed=seed)


def uniforms_for(problem: Problem, patients: int, seed: int) -> Mapping[str, FloatArray]:
    """Coordinates of the patients by name, each of shape [patient].

    A parameter has the same under every hypothesis that has it, and whatever else the model has.
    """
    leading = _leading(patients, seed)
    names = (KIND, SAMPLE_HOUR, *coordinates(problem.population))
    return {name: leading[name] if name in leading else latin(name, patients, seed=seed) for name in names}


def cohort_at(problem: Problem, points: FloatArray, *, patients: int, seed: int) -> tuple[Cohort, IntArray]:
    """Patients of the populations of all points, and the stratum of each patient of a point, shape [patient].

    Parameters
    ----------
    problem
        What is fitted.
    points
        Shape [point, coordinate].
    patients, seed
        Patients of each point, a power of two, and the key of their coordinates. Member ``c * patients + p`` of the
        cohort is patient p of point c.
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
    patients, seed
        As for `cohort_at`, as which the members of the result are ordered.
    """
    cohort, _ = cohort_at(problem, points, patients=patients, seed=seed)
    return simulate_people(problem, cohort, tolerance=tolerance, threads=threads, progress=progress, arm=arm)


def simulate_people(
    problem: Problem,
    cohort: Cohort,
    *,
    tolerance: Tolerance = COARSE,
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
    arm: Arm | None = None,
) -> Ensemble:
    """Simulate people, treated as the study was and recorded on its days.

    Parameters
    ----------
    problem, cohort
        What is fitted, and people of its population.
    tolerance, threads, progress
        As for `simulate.solver.solve`.
    arm
        Treatment; that of the study if not given.
    """
    chosen = arm or treated(REGIMEN)
    return simulate_cohort(
        problem.model, (chosen,), cohort, recorded_times(), tolerance=tolerance,
        method=Automatic(quickest_method(problem.model), patience=None), threads=threads, progress=progress,
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
    at = uniforms_for(problem, patients, seed)
    levels = levels_of(problem, ensemble, np.tile(at[SAMPLE_HOUR], len(points)))
    seen = observe(ensemble, protocol(problem), cohorts=len(points), levels=levels)
    exists = (ensemble.status[0] != Status.INFEASIBLE).reshape(len(points), patients)
    refused = np.where(exists, 0.0, seen.weights).sum(axis=1)
    kind = kinds_of(problem.population, at[KIND])
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
        Coordinate of each member's blood sample, 0 at the earliest and 1 at the latest, shape [member].
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
