"""The fits that a comparison stands on: those that ship, those in folders, and those that must be made first."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from simulate import shipped
from simulate.errors import InputError, Where
from simulate.evidence.sets import evidence_sets
from simulate.inputs import is_given, is_there
from simulate.store import working_folder
from simulate.studies.fitting.fit import fit, fit_key
from simulate.studies.fitting.individual import IndividualProblem
from simulate.studies.fitting.individual_fit import fit_individuals
from simulate.studies.fitting.posterior import Posterior, Settings, read_posterior, shipped_posterior, write_posterior
from simulate.studies.fitting.reproduction import is_current
from simulate.studies.fitting.standing import DEFAULT as STANDS_ON
from simulate.studies.fitting.standing import evidence_name, problem_on
from simulate.studies.fitting.trial import Problem
from simulate.trials.design import TrialDesign
from simulate.trials.reading import DEFAULT

RESULT = "fit.json"
"""Name of the result of a fit in its folder."""


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """A hypothesis that was fitted.

    Attributes
    ----------
    problem, posterior
        What was fitted, and the result.
    source
        Where the result is from: ``shipped``, a file, or ``made now``.
    """

    problem: Problem
    posterior: Posterior
    source: str

    @property
    def name(self) -> str:
        """Hypothesis, as the user named it."""
        return self.problem.hypothesis


def fit_folder(problem: Problem | IndividualProblem, folder: Path = Path("fits")) -> Path:
    """Folder in which a fit is kept, if the user names none: of the hypothesis, and of evidence that is not usual."""
    name = Path(problem.hypothesis.replace("/", "-")).with_suffix("").name
    if isinstance(problem, IndividualProblem):
        return folder / f"{name}@{problem.name}"
    trials = [part.trial.name for part in problem.parts]
    evidence = evidence_name(problem)
    if evidence != STANDS_ON and evidence in evidence_sets():
        return folder / f"{name}@{evidence}"
    return folder / (name if trials == [DEFAULT] else f"{name}@{'+'.join(trials)}")


def problems_for(
    hypotheses: Sequence[str],
    evidence: str | Path | None = None,
    trials: Sequence[TrialDesign] = (),
    *,
    needs_evidence: bool = True,
) -> tuple[Problem, ...]:
    """What is to be fitted under each of several hypotheses that differ; arguments as for `problem_on`.

    Raises
    ------
    InputError
        ``compare.few``: fewer than two. ``compare.same``: two of them are one. As for `problem_on`.
    """
    problems = tuple(problem_on(name, evidence, trials, needs_evidence=needs_evidence) for name in hypotheses)
    known: dict[str, str] = {}
    for problem in problems:
        first = known.setdefault(problem.key, problem.hypothesis)
        if first is not problem.hypothesis:
            raise InputError(
                f"`{first}` and `{problem.hypothesis}` are the same hypothesis",
                code="compare.same",
                advice="name each hypothesis once",
            )
    if len(problems) < 2:
        raise InputError(
            "a comparison needs two hypotheses",
            code="compare.few",
            found=", ".join(f"`{name}`" for name in hypotheses) or "none",
            advice="`simulate list` has those that ship; `simulate compare H0 H1` compares two",
        )
    return problems


def known_fit(problem: Problem, folder: Path) -> Fit | None:
    """The shipped fit of a hypothesis, or that in its folder, if one is of today's numbers; None if neither is.

    Raises
    ------
    InputError
        ``fit.file``: a damaged result.
    """
    name = problem.hypothesis
    if name.casefold() in (ships.casefold() for ships in shipped.fit_files()):
        found = shipped_posterior(name)
        if is_current(problem, found):
            return Fit(problem, found, "shipped")
    file = fit_folder(problem, folder) / RESULT
    if is_there(file):
        found = read_posterior(file)
        if is_current(problem, found):
            return Fit(problem, found, str(file))
    return None


def fit_behind(problem: Problem, folder: Path) -> Fit | None:
    """The fit on which a hypothesis stands: to its trials or, where these are only planned, to the shipped one.

    Raises
    ------
    InputError
        As `known_fit`.
    """
    is_planned = not (problem.data or problem.others)
    return known_fit(problem_on(problem.hypothesis) if is_planned else problem, folder)


def find_fit(
    problem: Problem,
    settings: Settings,
    folder: Path,
    *,
    threads: int | None = None,
    report: Callable[[str], None] | None = None,
) -> Fit:
    """The fit of a hypothesis, made if there is none of today's numbers; an interrupted one goes on.

    Parameters
    ----------
    problem
        What is fitted.
    settings
        How long a fit looks that must be made.
    folder
        Folder of the folders of fits.
    threads, report
        As for `fit`.

    Raises
    ------
    InputError
        ``fit.missing``: a run is repeated, which makes no fits in folders of its user. As for `known_fit` and `fit`.
    """
    known = known_fit(problem, folder)
    if known is not None:
        return known
    if is_given():
        raise InputError(
            f"the fit of `{problem.hypothesis}` that the run stands on is not of today's numbers, or not in its folder",
            code="fit.missing",
            expected=f"{RESULT} of such a fit among the files that the run read",
            advice="compare anew: `simulate compare` fits what is missing",
        )
    tell = report or (lambda line: None)
    tell(f"no fit of `{problem.hypothesis}` is of today's numbers: it is fitted now")
    own = fit_folder(problem, folder)
    made = make_fit(problem, settings, own, threads=threads, report=lambda line: tell(f"  {line}"))
    return Fit(problem, made, "made now")


def make_fit(
    problem: Problem | IndividualProblem,
    settings: Settings,
    folder: Path,
    *,
    threads: int | None = None,
    report: Callable[[str], None] | None = None,
) -> Posterior:
    """Fit a hypothesis in a folder, where its result and its generations are kept; arguments as for `find_fit`.

    Raises
    ------
    InputError
        ``store.locked``: another process works in the folder. ``fit.occupied``: it has the result of another fit, or
        something else of that name. As for `fit`.
    """
    with working_folder(folder):
        _check_result(folder / RESULT, fit_key(problem, settings))
        if isinstance(problem, IndividualProblem):
            made = fit_individuals(problem, settings, folder=folder, threads=threads, report=report)
        else:
            made = fit(problem, settings, folder=folder, threads=threads, report=report)
        write_posterior(folder / RESULT, made)
    return made


def _check_result(file: Path, key: str) -> None:
    """Refuse to replace what is not an earlier result of the same fit."""
    if not os.path.lexists(file):
        return
    with contextlib.suppress(InputError):
        if not file.is_symlink() and read_posterior(file).key == key:
            return
    raise InputError(
        "the folder has the result of another fit",
        code="fit.occupied",
        where=Where(file=str(file)),
        advice="choose another folder, or remove the file",
    )
