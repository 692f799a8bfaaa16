"""A fit that is short."""

from __future__ import annotations

from functools import cache

from simulate.studies.fitting.fit import fit
from simulate.studies.fitting.posterior import Posterior, Settings
from simulate.studies.fitting.trial import Problem, problem_for

SETTINGS = Settings(particles=16, runs=1, patients=8, draws=32, final_patients=8, kept=16)


@cache
def problem(hypothesis: str = "H1") -> Problem:
    return problem_for(hypothesis)


@cache
def posterior(hypothesis: str = "H1") -> Posterior:
    return fit(problem(hypothesis), SETTINGS)
