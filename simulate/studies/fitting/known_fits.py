"""Fits that are known: those that ship, those in the folder of fits, and those that a user names.

Every verb that stands on a fit finds it here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from simulate import shipped
from simulate.evidence.sets import evidence_sets
from simulate.inputs import is_there
from simulate.studies.fitting.keys import is_current
from simulate.studies.fitting.named_evidence import DEFAULT as STANDS_ON
from simulate.studies.fitting.named_evidence import evidence_name
from simulate.studies.fitting.posterior import Posterior, read_posterior, shipped_posterior
from simulate.studies.fitting.problem import Problem
from simulate.studies.scenario import RESULT, SHIPPED, named_fit
from simulate.trials.reading import DEFAULT

if TYPE_CHECKING:
    from simulate.studies.fitting.individual import IndividualProblem

FITS = Path("fits")
"""Folder of the folders of fits, if none is named."""

MADE = "made now"
"""Source of a fit that no file has yet."""


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """A hypothesis that was fitted."""

    #: What was fitted, and the result.
    problem: Problem
    posterior: Posterior
    source: str  #: Where the result is from: `SHIPPED`, a file, or `MADE`

    @property
    def name(self) -> str:
        return self.problem.label


def fit_folder(problem: Problem | IndividualProblem, folder: Path = FITS) -> Path:
    """Folder in which a fit is kept, if the user names none: of the hypothesis, and of evidence that is not usual."""
    name = Path(problem.hypothesis.replace("/", "-")).with_suffix("").name
    if not isinstance(problem, Problem):
        return folder / f"{name}@{problem.name}"
    trials = [part.trial.name for part in problem.parts]
    evidence = evidence_name(problem)
    if evidence != STANDS_ON and (evidence in evidence_sets() or trials == [DEFAULT]):
        return folder / f"{name}@{evidence}"
    return folder / (name if trials == [DEFAULT] else f"{name}@{'+'.join(trials)}")


def known_fit(problem: Problem, folder: Path = FITS) -> Fit | None:
    """The shipped fit of a hypothesis, or that in its folder, if one is of today's numbers; None if neither is."""
    name = problem.hypothesis
    evidence = evidence_name(problem)
    if name.casefold() in (known.casefold() for known in _shipped(problem)):
        found = shipped_posterior(name, evidence)
        if is_current(problem, found):
            return Fit(problem, found, SHIPPED)
    file = fit_folder(problem, folder) / RESULT
    if is_there(file):
        found = read_posterior(file)
        if is_current(problem, found):
            return Fit(problem, found, str(file))
    return None


def passed_over(problem: Problem, folder: Path = FITS) -> str:
    """Why a fit that is there does not stand behind a hypothesis where `known_fit` finds none; empty without one."""
    file = fit_folder(problem, folder) / RESULT
    has_shipped = problem.hypothesis.casefold() in (known.casefold() for known in _shipped(problem))
    if not (is_there(file) or has_shipped):
        return ""
    which = f"the fit {file}" if is_there(file) else "the fit that ships"
    return f"{which} was made with other numbers, patients, evidence or priors than today's"


def _shipped(problem: Problem) -> Iterable[str]:
    return shipped.fit_files(evidence_name(problem))


def named_result(fit: str | Path | None) -> Posterior | None:
    """The result of a fit that is named by its file or folder; None where nothing or a word such as ``prior`` is."""
    found = None if fit is None else named_fit(fit)
    return read_posterior(found) if isinstance(found, Path) else None
