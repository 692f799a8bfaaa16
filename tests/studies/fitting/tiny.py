"""A fit that is short."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest

from simulate.studies.fitting import problem as problems
from simulate.studies.fitting.fit import fit
from simulate.studies.fitting.posterior import Posterior, Settings
from simulate.studies.fitting.problem import Problem, problem_for

SETTINGS = Settings(particles=16, runs=1, patients=8, draws=64, final_patients=8, kept=16)


@cache
def problem(hypothesis: str = "H1") -> Problem:
    return problem_for(hypothesis)


FEW = ("chi", "spread_det1", "rho_chi_f_RO", "noise_staining")
"""Numbers of each role."""


@cache
def few(hypothesis: str = "H1") -> Problem:
    """The same where only `FEW` numbers are free, which is what decides how long a fit takes."""
    whole = problem(hypothesis)
    return replace(whole, free=tuple(part for part in whole.free if part.name in FEW))


def free_few(patch: pytest.MonkeyPatch) -> None:
    """Let whatever is fitted leave no other number of the model free, and those of readings."""
    whole = problems.free_numbers
    patch.setattr(problems, "free_numbers", lambda *models: tuple(part for part in whole(*models) if part.name in FEW))


@cache
def posterior(hypothesis: str = "H1") -> Posterior:
    return fit(few(hypothesis), SETTINGS)
