"""On which evidence a hypothesis is fitted: a named set, a file, or what trials reported."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from simulate import shipped
from simulate.errors import InputError, did_you_mean
from simulate.evidence.reading import read_evidence
from simulate.evidence.sets import DEFAULT as DEFAULT
from simulate.evidence.sets import NotUsed, check_trials, evidence_sets
from simulate.inputs import is_there
from simulate.studies.fitting.problem import Problem, ProblemPart, problem_for, trial_patients
from simulate.trials.design import TrialDesign
from simulate.trials.reading import read_trial


def problem_on(
    hypothesis: str,
    evidence: str | Path | None = None,
    trials: Sequence[TrialDesign] = (),
    *,
    needs_evidence: bool = True,
) -> Problem:
    """The problem of fitting a hypothesis to evidence that is named.

    ``evidence``: a set by name, or a file; what the trials reported if not given.
    """
    named = None if evidence is None else evidence_sets().get(str(evidence))
    if named is None:
        if evidence is not None:
            _check_named(str(evidence))
        items = None if evidence is None else read_evidence(evidence)
        return problem_for(hypothesis, items, trials, needs_evidence=needs_evidence)
    if trials:
        own = " and ".join(f"`{name}`" for name in named.trials)
        raise InputError(
            f"the evidence `{named.name}` is named beside trials",
            code="evidence.set",
            found=", ".join(f"`{trial.name}`" for trial in trials),
            expected=f"one of them: the set has trials of its own, {own}",
            advice="leave out `--trial`, or name an evidence file",
        )
    return problem_for(hypothesis, None, tuple(read_trial(name) for name in named.trials))


def _check_named(evidence: str) -> None:
    """Refuse a bare word that is neither a set of evidence nor what a trial reported."""
    known = (*evidence_sets(), *shipped.observation_files())
    if Path(evidence).suffix or Path(evidence).parent != Path() or evidence in known or is_there(Path(evidence)):
        return
    raise InputError(
        f"there is no evidence `{evidence}`",
        code="evidence.unknown",
        expected=f"a set, {' or '.join(f'`{name}`' for name in evidence_sets())}; or an evidence file",
        advice=did_you_mean(evidence, known),
    )


def evidence_name(problem: Problem) -> str:
    """Name of what a problem stands on: of a set, or of the files of its evidence."""
    trials = tuple(part.trial.name for part in problem.parts)
    files = tuple(part.evidence.name for part in problem.parts)
    own = tuple("" if part.trial.evidence is None else part.trial.evidence.stem for part in problem.parts)
    for known in evidence_sets().values():
        if known.trials == trials and files == own:
            return known.name
    return "+".join(name or "unnamed" for name in files)


def evidence_for(hypothesis: str, name: str) -> Problem:
    """The problem that a fit stands on by the name of its evidence; that of the default where it is of no set."""
    return problem_on(hypothesis, name if name in evidence_sets() else None)


def not_used(problem: Problem) -> tuple[NotUsed, ...]:
    """What the set of a problem could have and does not use; nothing where its evidence is of no set."""
    found = evidence_sets().get(evidence_name(problem))
    return () if found is None else found.not_used


def checks_of(problem: Problem) -> tuple[Problem, ...]:
    """The same hypothesis and free numbers in trials of other patients or drugs that the problem does not use."""
    used = {part.trial.name for part in problem.parts}
    found = []
    for name in check_trials():
        design = read_trial(name)
        if name in used or design.evidence is None:
            continue
        part = ProblemPart(design, trial_patients(design, problem.model), read_evidence(design.evidence))
        found.append(problem.with_part(part))
    return tuple(found)
