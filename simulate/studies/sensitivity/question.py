"""What is asked: which inputs move which endpoints of a scenario.

Inputs are the free numbers of a hypothesis, each on its prior, and the places at which patients stand in their
population; all are independent and uniform on (0, 1), whatever they become. A point is one patient of one population.
With a fit each free number is on what the fit has left of it, taken by itself: that numbers go together in the draws
has no part in it, as shares of variance are of independent inputs.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from scipy.interpolate import PchipInterpolator
from scipy.special import ndtr, ndtri

from simulate.cohort.arms import Arm
from simulate.cohort.draws import Cohort, cohort_of
from simulate.cohort.ensemble import overrides_of
from simulate.cohort.transform import KIND, Overrides, coordinates
from simulate.errors import InputError, Where, not_among
from simulate.evidence.items import Evidence
from simulate.evidence.reading import read_evidence
from simulate.solver.kernel import IntArray
from simulate.streams import FloatArray
from simulate.studies.endpoints import Endpoint, parse_endpoints
from simulate.studies.fitting.draws import Draws, draws_named
from simulate.studies.fitting.priors import RELIABILITY, Free, Role
from simulate.studies.fitting.problem import Problem, ProblemPart, problem_of, study_patients
from simulate.studies.fitting.simulated_trial import changes_at, parameters_of, without_noise
from simulate.studies.models import assumed_of_routes, listing
from simulate.studies.runs import Study, arm_number, prepare
from simulate.studies.scenario import PRIOR, TYPICAL, Scenario
from simulate.studies.unread import refuse_unread
from simulate.trials.reading import shipped_trial

_QUANTILES = np.linspace(-4.0, 4.0, 17)

BETWEEN = " between patients"
"""What follows the name of a parameter in that of the place of patients."""


class By(enum.Enum):
    """Which inputs are varied, and whether one by one or in groups."""

    NUMBERS = "numbers"
    PATIENTS = "patients"
    ALL = "all"
    GROUPS = "groups"


@dataclass(frozen=True, slots=True)
class Input:
    """An input: one column of the points, or a group of them."""

    name: str
    meaning: str
    columns: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class SensitivityQuestion:
    """Inputs and endpoints of a scenario."""

    #: The scenario with its names found, and the number of the arm that is looked at.
    study: Study
    arm: int
    problem: Problem  #: The hypothesis, its patients and its free numbers
    endpoints: tuple[Endpoint, ...]  #: What is asked for
    names: tuple[str, ...]  #: Names of the columns of a point: the free numbers, and then the places of patients
    inputs: tuple[Input, ...]  #: What is varied
    unvaried: tuple[str, ...]  #: Free numbers that cannot act on a single patient at the middle of all places
    #: What the scenario sets in the arm; it is certain, and no input.
    overrides: Overrides = field(default_factory=dict)
    draws: Draws | None = None  #: Draws of the fit within which free numbers vary; None where they vary on their priors

    @property
    def treatment(self) -> Arm:
        """What the patients are given; what is special about them, `cohort_at` knows."""
        return dataclasses.replace(self.study.arms[self.arm], overrides=())

    @property
    def assumptions(self) -> tuple[str, ...]:
        """What is assumed of the unit of time, of how patients differ and of the routes that are used, in sentences."""
        assumed = () if self.study.assumed is None else self.study.assumed.sentences
        return (
            *self.study.scenario.time_taken,
            *assumed,
            *assumed_of_routes(self.treatment.all_plans, self.study.model),
        )

    @property
    def dimension(self) -> int:
        return len(self.names)


def question_of(
    scenario: Scenario,
    endpoints: Sequence[str],
    *,
    by: By | None = None,
    arm: str | None = None,
    hold: Sequence[str] = (),
    fit: str | Path | None = None,
) -> SensitivityQuestion:
    """What is asked of a scenario: of the shipped model, whose hypothesis decides what is free, or of a user's.

    What a fit has beside it (clinical response, and creatine kinase that moves by itself) is added. Inputs of ``hold``
    stay in the middle; free numbers vary within ``fit``, as for `draws_named`, or else on their priors. Of a user's
    model the inputs are the parameters in which patients differ, each in its distribution.

    ``by``: free numbers of the shipped model, if not given.
    """
    if scenario.model is not None:
        return _of_users_model(scenario, endpoints, by=by, arm=arm, hold=hold, fit=fit)
    by = by or By.NUMBERS
    if fit == TYPICAL:
        raise InputError(
            "in the typical population no number is uncertain",
            code="sensitivity.fit",
            found=f"`{fit}`",
            expected="`prior`, `shipped`, or a file fit.json",
            advice="what patients differ in is `--by patients`",
        )
    own = [part for part in scenario.hypothesis if part != "none"]
    options = [option for option in shipped_trial().options if option not in own]
    study = prepare(dataclasses.replace(scenario, hypothesis=(*own, *options)))
    index = arm_number(study, arm, "sensitivity.arm")
    refuse_unread(scenario, "sensitivity", index)
    label = "+".join(str(part) for part in own) or "none"
    overrides = overrides_of(study.arms[index])
    people = study_patients(study.population)
    problem = problem_of(label, study.model, ProblemPart(shipped_trial(), people, read_evidence()))
    problem = dataclasses.replace(problem, free=tuple(part for part in problem.free if not _is_set(part, overrides)))
    if not any(part.name in RELIABILITY for part in study.model.parameters):
        # Nothing is read here, and nothing regresses with the noise of a reading.
        problem = without_noise(problem)
    with listing(scenario.model, scenario.hypothesis):
        asked = parse_endpoints(endpoints, study.model, float(study.times[-1]), scenario.time_unit)
    columns, inputs, unvaried = _inputs(problem, overrides, by, hold)
    draws = None if fit is None or fit == PRIOR else draws_named(label, fit)
    draws = draws if draws is not None and draws.is_fitted else None
    return SensitivityQuestion(study, index, problem, asked, columns, inputs, unvaried, overrides, draws)


def _of_users_model(
    scenario: Scenario,
    endpoints: Sequence[str],
    *,
    by: By | None,
    arm: str | None,
    hold: Sequence[str],
    fit: str | Path | None,
) -> SensitivityQuestion:
    """What is asked of a user's model, in which nothing is free, and patients differ as it says or as is assumed."""
    if by not in (None, By.PATIENTS) or fit is not None:
        raise InputError(
            "nothing says which numbers of a user's model are uncertain",
            code="sensitivity.model",
            where=Where(str(scenario.model)),
            found=f"inputs by {by.value}" if by is not None and by is not By.PATIENTS else f"the fit `{fit}`",
            expected="inputs by patients: how parameters differ is known, or assumed by `--vary cv=0.3`",
            advice="leave `--by` and `--fit` out",
        )
    study = prepare(scenario)
    index = arm_number(study, arm, "sensitivity.arm")
    refuse_unread(scenario, "sensitivity", index)
    overrides = overrides_of(study.arms[index])
    trial = shipped_trial()
    # A trial without options and evidence of which nothing is looked at: nothing is free.
    trial = dataclasses.replace(trial, options=())
    label = "+".join(str(part) for part in scenario.hypothesis)
    problem = Problem(label, study.model, study.population, Evidence(trial.source, (), trial.name), (), trial)
    with listing(scenario.model, scenario.hypothesis):
        asked = parse_endpoints(endpoints, study.model, float(study.times[-1]), scenario.time_unit)
    meanings = {part.name: part.meaning for part in (*study.population.parameters, *study.population.covariates)}
    columns, inputs, _ = _inputs(problem, overrides, By.PATIENTS, hold)
    inputs = tuple(
        dataclasses.replace(part, name=name, meaning=meanings.get(name, part.meaning))
        for part in inputs
        for name in (part.name.removesuffix(BETWEEN),)
    )
    if not inputs:
        raise InputError(
            "no parameter of the model varies",
            code="sensitivity.model",
            where=Where(str(scenario.model)),
            expected="`--vary cv=0.3` for all parameters, or `--vary NAME.cv=0.3` for one: how far they may be off",
        )
    return SensitivityQuestion(study, index, problem, asked, columns, inputs, (), overrides)


def _is_set(part: Free, overrides: Overrides) -> bool:
    """Whether a scenario says a number that a fit leaves free."""
    set_here = [overrides[name] for name in part.targets if name in overrides]
    if part.role in (Role.TYPICAL, Role.CENTER):
        return any(row.value is not None or row.sd_log == 0.0 for row in set_here)
    return part.role is Role.SPREAD and any(row.sd_log is not None for row in set_here)


def _inputs(
    problem: Problem, overrides: Overrides, by: By, hold: Sequence[str]
) -> tuple[tuple[str, ...], tuple[Input, ...], tuple[str, ...]]:
    numbers = [Input(part.name, part.meaning, (index,)) for index, part in enumerate(problem.free)]
    first = len(numbers)
    places = [
        Input(KIND, "stratum of a patient", (first + index,))
        if name == KIND
        else Input(f"{name}{BETWEEN}", f"place in the distribution of {name}", (first + index,))
        for index, name in enumerate(_place_names(problem, overrides))
    ]
    columns = tuple(part.name for part in (*numbers, *places))
    # A spread or a correlation moves nobody who stands in the middle.
    unvaried = (
        [part.name for part in problem.free if part.role in (Role.SPREAD, Role.CORRELATION)] if by is By.NUMBERS else []
    )
    free = [] if by is By.PATIENTS else [part for part in numbers if part.name not in unvaried]
    between = [] if by is By.NUMBERS else places
    names = [part.name for part in (*free, *between)]
    held = {name if name in names else f"{name}{BETWEEN}" for name in hold}
    if unknown := sorted(held - {*names}):
        name = unknown[0].removesuffix(BETWEEN)
        raise not_among(f"there is no input `{name}` to hold", name, names, code="sensitivity.input")
    free, between = ([part for part in parts if part.name not in held] for parts in (free, between))
    if by is By.GROUPS:
        free = [Input("uncertainty", "free numbers, on their priors", tuple(part.columns[0] for part in free))]
        between = [Input("variability", "what patients differ in", tuple(part.columns[0] for part in between))]
    return columns, (*free, *between), tuple(unvaried)


def _place_names(problem: Problem, overrides: Overrides) -> tuple[str, ...]:
    population = problem.population
    return (*([KIND] if len(population.strata) > 1 else []), *coordinates(population, overrides))


def people_at(question: SensitivityQuestion, points: FloatArray) -> tuple[FloatArray, IntArray]:
    """Parameters [patient, parameter] and kinds [patient] of the patients at some points, shape [patient, column]."""
    problem = question.problem
    numbers = len(problem.free)
    names = _place_names(problem, question.overrides)
    kinds = _kinds(problem, points, names, numbers)
    scores = scores_of(problem, ndtri(points[:, :numbers]), question.draws)
    changes = dataclasses.replace(changes_at(problem, scores), overrides=question.overrides)
    uniforms = {name: points[:, numbers + column] for column, name in enumerate(names)}
    return parameters_of(problem, uniforms, kinds, changes), kinds


def scores_of(problem: Problem, scores: FloatArray, draws: Draws | None) -> FloatArray:
    """Free numbers on the normal scale of their priors, shape [point, number], by the scores of their inputs.

    With draws of a fit an input is a place among the draws of its number. Between seventeen quantiles, from -4 to 4
    standard deviations, it is interpolated by monotone cubic pieces (Fritsch and Carlson, SIAM J. Numer. Anal. 17,
    1980, 238), so that it has a derivative.
    """
    if draws is None:
        return scores
    known = [part.name for part in draws.problem.free]
    found = scores.copy()
    for column, part in enumerate(problem.free):
        own = draws.points[:, known.index(part.name)]
        ends = np.quantile(own, ndtr(_QUANTILES))
        found[:, column] = PchipInterpolator(_QUANTILES, ends)(np.clip(scores[:, column], -4.0, 4.0))
    return found


def _kinds(problem: Problem, points: FloatArray, names: Sequence[str], numbers: int) -> IntArray:
    counts = np.array([stratum.count for stratum in problem.population.strata])
    if KIND not in names:
        return np.zeros(len(points), dtype=np.int64)
    # The most frequent kind stands in the middle, so that the typical patient is one of them.
    order = np.argsort(-counts, kind="stable")
    order = np.array([*order[1::2], order[0], *order[2::2]])
    edges = np.cumsum(counts[order]) / counts.sum()
    at = np.minimum(np.searchsorted(edges, points[:, numbers + names.index(KIND)], side="right"), len(counts) - 1)
    return order[at].astype(np.int64)


def cohort_at(question: SensitivityQuestion, points: FloatArray) -> Cohort:
    """Patients at some points, shape [patient, column], as a cohort.

    All miss the same doses and have the same kinetics on each occasion, those of member 0: what differs between two
    points is their inputs alone.
    """
    values, kinds = people_at(question, points)
    scenario, population = question.study.scenario, question.study.population
    return dataclasses.replace(
        cohort_of(question.problem.population, values, kinds, seed=scenario.seed),
        ids=np.zeros(len(points), dtype=np.int64),
        between_doses=tuple((one.route, one.sd_log) for one in population.occasions),
        occasions=scenario.occasions,
    )
