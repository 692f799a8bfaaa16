"""The fits that a comparison needs: those that are found, and those that are made first."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from simulate.errors import Il1simError, InputError, Where, listed
from simulate.inputs import is_given
from simulate.store import working_folder
from simulate.studies.fitting.draws import Draws, draws_elsewhere, draws_of, prior_draws
from simulate.studies.fitting.fit import fit
from simulate.studies.fitting.individual import IndividualProblem
from simulate.studies.fitting.individual_fit import fit_individuals
from simulate.studies.fitting.keys import fit_key
from simulate.studies.fitting.known_fits import MADE, Fit, fit_folder, known_fit, named_result, passed_over
from simulate.studies.fitting.named_evidence import evidence_for, problem_on
from simulate.studies.fitting.posterior import Posterior, Settings, read_posterior, write_posterior
from simulate.studies.fitting.problem import Problem
from simulate.studies.scenario import PRIOR, RESULT, TYPICAL
from simulate.trials.design import TrialDesign


def problems_for(
    hypotheses: Sequence[str],
    evidence: str | Path | None = None,
    trials: Sequence[TrialDesign] = (),
    *,
    needs_evidence: bool = True,
) -> tuple[Problem, ...]:
    """What is to be fitted under each of several hypotheses that differ; arguments as for `problem_on`."""
    problems = tuple(problem_on(name, evidence, trials, needs_evidence=needs_evidence) for name in hypotheses)
    known: dict[tuple[str, str], str] = {}
    for problem in problems:
        # What no trial reads decides no likelihood, and may be all that predictions differ in.
        first = known.setdefault((problem.key, problem.model.key), problem.hypothesis)
        if first is not problem.hypothesis:
            raise InputError(
                f"`{first}` and `{problem.hypothesis}` are the same hypothesis",
                code="compare.same",
                advice="name each hypothesis once",
            )
    named: dict[str, str] = {}
    for problem in problems:
        if (first := named.setdefault(problem.label.casefold(), problem.hypothesis)) is not problem.hypothesis:
            raise InputError(
                f"`{first}` and `{problem.hypothesis}` are both called `{problem.label}`",
                code="compare.name",
                expected="hypotheses of different names: tables and figures tell them apart by that",
                advice='give one of the files another name, `[hypothesis]` with `name = "..."`',
            )
    if len(problems) < 2:
        raise InputError(
            "a comparison needs two hypotheses",
            code="compare.few",
            found=listed(hypotheses) or "none",
            advice="`simulate list` has those that ship; `simulate compare H0 H1` compares two",
        )
    return problems


def draws_behind(
    problem: Problem,
    fit: str | Path | None,
    folder: Path,
    wanted: int,
    *,
    seed: int = 1,
    threads: int | None = None,
) -> tuple[Draws, Fit | None]:
    """Draws on which a hypothesis stands in a trial, and the fit that they are of; None where they are of none.

    Where the trial is only planned, draws are of a fit to what the default evidence has, and numbers that it alone
    needs are of their prior. ``fit`` is ``shipped``, as if not given: the one that ships or lies in the folder, or the
    prior where none does; ``prior``; ``typical``: a single draw, the parameters of the tables; or the result of a fit.
    """
    posterior = named_result(fit)
    if fit == TYPICAL:
        return Draws(dataclasses.replace(problem, free=()), np.empty((1, 0)), False, 1), None
    is_planned = not (problem.data or problem.others)
    base = problem_on(problem.hypothesis) if is_planned else problem
    if fit == PRIOR:
        known = None
    elif posterior is None:
        known = known_fit(base, folder)
    else:
        base = evidence_for(problem.hypothesis, posterior.evidence) if is_planned else base
        known = Fit(base, posterior, str(fit))
    if known is None:
        draws = prior_draws(base, wanted, seed=seed, threads=threads)
        if fit != PRIOR:
            draws = dataclasses.replace(draws, weakness=passed_over(base, folder))
    else:
        draws = draws_of(base, wanted, fit=known)
    return (draws_elsewhere(draws, problem, seed=seed) if is_planned else draws), known


def fits_for(hypotheses: Sequence[str], fits: Sequence[str | Path]) -> list[str | Path | None]:
    """Which fit a user means for each hypothesis: its own result, or the one word that is for all others."""
    asked = [name.casefold() for name in hypotheses]
    words: list[str | Path] = []
    own: dict[str, list[str | Path]] = {name: [] for name in asked}
    for chosen in fits:
        result = named_result(chosen)
        if result is None:
            words.append(chosen)
        elif result.hypothesis.casefold() in own:
            own[result.hypothesis.casefold()].append(chosen)
        else:
            raise InputError(
                f"the fit `{chosen}` is of `{result.hypothesis}`, which is not asked for",
                code="fit.hypothesis",
                expected="a fit of " + " or ".join(f"`{name}`" for name in hypotheses),
                advice="name its hypothesis as well, or leave the fit out",
            )
    for name, key in zip(hypotheses, asked, strict=True):
        several = next((found for found in (own[key], words) if len(found) > 1), None)
        if several is not None:
            raise InputError(
                f"two fits are named for `{name}`",
                code="fit.twice",
                found=listed(several),
                expected="at most one result for each hypothesis, and one word for all others",
                advice="leave all but one out; `simulate run anakinra-100mg-daily --hypothesis "
                f"{name} {' '.join(f'--fit {one}' for one in several)}` shows several beside each other",
            )
    return [(*own[key], *words, None)[0] for key in asked]


def find_fit(
    problem: Problem,
    settings: Settings,
    folder: Path,
    *,
    report: Callable[[str], None] | None = None,
) -> Fit:
    """The fit of a hypothesis, made if there is none of today's numbers; an interrupted one goes on."""
    known = known_fit(problem, folder)
    if known is not None:
        return known
    if is_given():
        raise InputError(
            f"the fit of `{problem.label}` that the run stands on is not of today's numbers, or not in its folder",
            code="fit.missing",
            expected=f"{RESULT} of such a fit among the files that the run read",
            advice="compare anew: `simulate compare` fits what is missing",
        )
    tell = report or (lambda line: None)
    tell(f"no fit of `{problem.label}` is of today's numbers: it is fitted now")
    own = fit_folder(problem, folder)
    try:
        made = make_fit(problem, settings, own, report=lambda line: tell(type(line)(f"  {line}")))
    except Il1simError as error:
        if error.advice is not None:
            # A verb that makes fits beside what is asked has another option for their folder.
            error.advice = error.advice.replace("folder with --out", "folder of fits with --fits")
        raise
    return Fit(problem, made, MADE)


def make_fit(
    problem: Problem | IndividualProblem,
    settings: Settings,
    folder: Path,
    *,
    threads: int | None = None,
    report: Callable[[str], None] | None = None,
) -> Posterior:
    """Fit a hypothesis in a folder, where its result and its generations are kept; arguments as for `find_fit`."""
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
        advice="choose another folder with --out, or remove the file",
    )
