"""Keys of fits, by which it is known whether a result is of today's numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulate.errors import InputError
from simulate.evidence.sets import evidence_sets
from simulate.files import content_hash
from simulate.studies.fitting.named_evidence import evidence_name
from simulate.studies.fitting.posterior import Posterior, Settings
from simulate.studies.fitting.problem import Problem

if TYPE_CHECKING:
    from simulate.studies.fitting.individual import IndividualProblem


def fit_key(problem: Problem | IndividualProblem, settings: Settings) -> str:
    """Content hash of what decides the result of a fit, but for the engine."""
    return content_hash("fit 2", problem.key, repr(settings))


def is_current(problem: Problem, posterior: Posterior) -> bool:
    """Whether a result is of this problem as it is now: of the same model, numbers, evidence and priors."""
    return posterior.key == fit_key(problem, posterior.settings)


def check_current(problem: Problem, posterior: Posterior) -> None:
    """Whether a result may stand for a problem."""
    name = evidence_name(problem)
    if posterior.hypothesis.casefold() != problem.hypothesis.casefold():
        raise InputError(
            f"the fit is of `{posterior.hypothesis}`, not of `{problem.hypothesis}`",
            code="fit.hypothesis",
            expected=f"a fit of `{problem.hypothesis}`",
            advice=f"`--hypothesis {posterior.hypothesis}`, or another fit",
        )
    if posterior.evidence not in ("", name):
        raise InputError(
            f"the fit of `{posterior.hypothesis}` stands on the evidence `{posterior.evidence}`, not on `{name}`",
            code="fit.evidence",
            expected="a fit to the evidence that is named",
            advice=f"name its evidence, `--evidence {posterior.evidence}`, or another fit"
            if posterior.evidence in evidence_sets()
            else f"name the file of `{posterior.evidence}` by `--evidence`, or another fit",
        )
    if not is_current(problem, posterior):
        raise InputError(
            f"the fit of `{posterior.hypothesis}` was made with other numbers, patients, evidence or priors "
            "than today's",
            code="fit.stale",
            found=f"key {posterior.key}",
            expected=f"key {fit_key(problem, posterior.settings)}",
            advice=f"fit again: `simulate reproduce --hypothesis {problem.hypothesis} --refit`",
        )
