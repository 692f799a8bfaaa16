"""Virtual populations of a hypothesis: one pool of plausible patients, several ways, one set of questions."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.special import ndtr

from simulate.errors import Il1simError, NotConverged
from simulate.evidence.kinds.directions import WAYS as SIGNS
from simulate.inference.populations.conclusions import Answer, Conclusion, Question, Way, conclude
from simulate.inference.populations.target import Target
from simulate.streams import FloatArray
from simulate.studies.fitting.posterior import Posterior
from simulate.studies.fitting.problem import COARSE, Problem, only_trial
from simulate.studies.fitting.simulated_trial import Solving, protocol, simulated_trial, without_noise
from simulate.studies.resolution import Resolution
from simulate.studies.virtual.methods import (
    POOL,
    WAYS,
    PopulationSettings,
    VirtualPopulation,
    makers_of,
    pool_of,
    untouched,
)
from simulate.studies.virtual.patients import PlausiblePatients
from simulate.studies.virtual.reported import Printed, printed
from simulate.trials.design import Outcome, TrialDesign

_DRAWS = 128
"""Draws of a posterior that are asked."""


@dataclass(frozen=True, slots=True, eq=False)
class VirtualPopulations:
    """The virtual populations of a hypothesis, made in several ways."""

    #: What was asked, and what makes patients of points.
    settings: PopulationSettings
    people: PlausiblePatients
    #: What was printed, and the distribution made of it.
    printed: Printed
    target: Target
    refused: float  #: Share of the plausible patients who have no steady baseline
    made: Mapping[str, VirtualPopulation]  #: Populations by name of the way: the pool, the ways, and variants of them
    ways: tuple[str, ...]  #: Names of those between which the spread is taken
    conclusions: tuple[Conclusion, ...]  #: Of these ways, one for each question
    others: Mapping[str, tuple[Answer, ...]]  #: Answers of the rest, in the order of the questions
    posterior: tuple[Answer, ...] | None  #: Medians and 90 % intervals over draws of a fit; None without one
    absent: Mapping[str, str] = field(default_factory=dict)  #: Name of a way that could not be made → why
    weakness: str = ""  #: Why nothing can be concluded from the fit; empty where something can, or without one


def workload(settings: PopulationSettings, as_published: bool, posterior: Posterior | None) -> int:
    """Trajectories that `virtual_populations` solves and tells of."""
    walked = settings.chains * (settings.steps + 1) * (2 if as_published else 1)
    asked = 0 if posterior is None else min(_DRAWS, len(posterior.points)) * posterior.settings.final_patients
    return settings.patients + walked + asked


def virtual_populations(
    problem: Problem,
    settings: PopulationSettings | None = None,
    *,
    posterior: Posterior | None = None,
    as_published: bool = False,
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> VirtualPopulations:
    """Make virtual populations in three ways and ask them the same."""
    only_trial(problem, "a virtual population")
    chosen = PopulationSettings() if settings is None else settings
    found = printed(problem.evidence, protocol(problem), {part.name: part.unit for part in problem.model.observables})
    people = PlausiblePatients(without_noise(problem), found.statistics, threads)

    def told(cube: FloatArray) -> FloatArray:
        outputs = people(cube)
        if progress is not None:
            progress(len(cube))
        return outputs

    pool = pool_of(people, told, found, chosen)
    made, absent = {POOL: untouched(pool)}, dict[str, str]()
    for name, make in makers_of(pool, chosen, problem.evidence, as_published=as_published).items():
        try:
            made[name] = make()
        except Il1simError as fault:
            if not fault.code.startswith("populations."):
                raise
            absent[name] = fault.what
    ways = tuple(name for name in WAYS if name in made)
    if not ways:
        raise NotConverged(
            "no virtual population could be made",
            code="vpop.none",
            found="; ".join(f"{name}: {absent[name]}" for name in WAYS),
            advice="draw more patients; where none are like what was printed, hypothesis and evidence disagree",
        )
    rest = {
        name: tuple(one.answers[name] for one in conclude([_way(part, people)], seed=chosen.seed))
        for name, part in made.items()
        if name not in ways
    }
    return VirtualPopulations(
        settings=chosen,
        people=people,
        printed=found,
        target=pool.target,
        refused=1.0 - len(pool.ids) / chosen.patients,
        made=made,
        ways=ways,
        conclusions=conclude([_way(made[name], people) for name in ways], seed=chosen.seed),
        others=rest,
        weakness="" if posterior is None else posterior.diagnostics.weakness,
        posterior=None if posterior is None else _posterior_answers(problem, posterior, people, progress),
        absent=absent,
    )


def _way(made: VirtualPopulation, people: PlausiblePatients) -> Way:
    first = len(people.statistics)
    response = made.outputs[:, first]
    changes = [made.outputs[:, first + 1 + index] for index in range(len(people.changes))]
    return Way(made.name, made.weights, _questions(changes, response, people), made.chains)


def question_of(trial: TrialDesign, change: Outcome) -> str:
    """What is asked of a change: the share of patients whose readings move as reported, or the mean in responders."""
    if not change.way:
        return f"change of {trial.title_of(change)} in responders"
    return f"{trial.title_of(change)} {'rise' if change.way == 'up' else 'fall'}"


def _questions(changes: Sequence[FloatArray], response: FloatArray, people: PlausiblePatients) -> tuple[Question, ...]:
    # Of a change of a logarithm, and the most that it does to the probability of a reading that goes that way.
    error = 2.0 * float(Resolution(COARSE.rtol).error(1.0))
    found = []
    for asked, values in zip(people.changes, changes, strict=True):
        if asked.way:
            noise = people.noise(asked)
            steepest = error / (noise * math.sqrt(2.0 * math.pi))
            found.append(
                Question(
                    question_of(people.problem.trial, asked), ndtr(SIGNS[asked.way] * values / noise), error=steepest
                )
            )
        else:
            found.append(Question(question_of(people.problem.trial, asked), values, response, error=error))
    return tuple(found)


def _posterior_answers(
    problem: Problem, posterior: Posterior, people: PlausiblePatients, progress: Callable[[int], None] | None
) -> tuple[Answer, ...]:
    """Answers of the populations that a fit has drawn: median and 90 % interval over the draws."""
    settings = posterior.settings
    how = Solving(threads=people.threads, progress=progress)
    points, patients = posterior.points[:_DRAWS], settings.final_patients
    seen = simulated_trial(problem, points, patients=patients, seed=settings.places, **how).seen
    changes = [
        seen.logarithm(part.quantity, part.last) - seen.logarithm(part.quantity, part.first) for part in people.changes
    ]
    answers = []
    for question in _questions(changes, seen.groups["responders"], people):
        weights = seen.weights if question.among is None else seen.weights * question.among
        known = np.isfinite(question.values)
        weights = np.where(known, weights, 0.0)
        means = (weights * np.where(known, question.values, 0.0)).sum(axis=1) / weights.sum(axis=1)
        low, middle, high = np.quantile(means, (0.05, 0.5, 0.95)).tolist()
        answers.append(Answer(middle, low, high))
    return tuple(answers)
