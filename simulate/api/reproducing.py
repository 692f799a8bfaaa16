"""Reported values beside what a fit predicts for them.

Arguments that several functions have are those of `simulate.api.arguments`.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulate.api.arguments import TrialNames, models_of, trials_of
from simulate.api.verb import verb
from simulate.errors import InputError
from simulate.inputs import given
from simulate.manifest import kept_inputs, read_manifest
from simulate.shipped import DEFAULT_HYPOTHESIS as DEFAULT
from simulate.watching import Progress, Report, quiet

__all__ = ["reproduce"]

if TYPE_CHECKING:
    from simulate.evidence.sets import NotUsed
    from simulate.results.result import Result
    from simulate.studies.fitting.posterior import Posterior
    from simulate.studies.fitting.predictive import Predicted
    from simulate.studies.fitting.problem import Problem
    from simulate.studies.fitting.reproduction import Row


@dataclass(frozen=True, slots=True, eq=False)
class Reproduction:
    """Reported values beside what is predicted for them, the fits that predict it, and what they do not use."""

    rows: tuple[Row, ...]
    posterior: Posterior
    null: Posterior
    not_used: tuple[NotUsed, ...] = ()
    assumptions: tuple[str, ...] = ()  #: What is assumed of the routes by which something is given, in sentences


@verb
def reproduce(
    hypothesis: str | None = None,
    *,
    evidence: str | Path | None = None,
    trial: TrialNames = None,
    fit: str | Path | None = None,
    fits: str | Path = "fits",
    refit: bool = False,
    out: str | Path | None = None,
    force: bool = False,
    figures: bool = True,
    progress: Progress = quiet,
    report: Report | None = None,
) -> Result[Reproduction]:
    """Show each reported value beside what a fitted model, and the null hypothesis, predict for it.

    Parameters
    ----------
    hypothesis, trial, fits, out, force, figures, progress, report
        As in `simulate.api.arguments`; the hypothesis is that of the fit, if one is named.
    evidence
        As for `fit`. That of the fit, and its trials, if one is named and neither is given: as its run directory has
        them.
    fit
        Result of `fit`, if not one of those.
    refit
        Whether the hypothesis and the null hypothesis are fitted first.

    Returns
    -------
    Result
        Its value has the rows and both posteriors; table and figure ``reproduction``.

    Raises
    ------
    InputError
        ``reproduce.refit``: a fit is named that would not be looked at.
    """
    arguments = dict(locals())
    from simulate.evidence.sets import evidence_sets
    from simulate.results.provenance import asked
    from simulate.results.result import Result
    from simulate.results.study_openings import of_reproduction
    from simulate.studies.fitting.fit import fit as fit_problem
    from simulate.studies.fitting.named_evidence import evidence_name, not_used, problem_on
    from simulate.studies.fitting.posterior import named, posterior_text, read_posterior
    from simulate.studies.fitting.reproduction import NULL, repeated_study, workload
    from simulate.studies.fitting.reproduction import reproduce as reproduced
    from simulate.tabular import table_of

    if refit and fit is not None:
        raise InputError(
            "a fit is named, and another is to be made",
            code="reproduce.refit",
            found=str(fit),
            advice="leave out `fit` or `refit`",
        )
    posterior = None if fit is None else read_posterior(fit)
    name = named(hypothesis, posterior, DEFAULT)
    files: Mapping[str, bytes] = {}
    if fit is not None and posterior is not None and evidence is None and trial is None:
        evidence, trial, files = _stood_on(Path(fit))
        if evidence is None and posterior.evidence in evidence_sets():
            evidence = posterior.evidence
    with given(files) if files else nullcontext():
        designs = trials_of(trial)
        problem, null = problem_on(name, evidence, designs), problem_on(NULL, evidence, designs)
    if not refit:
        posterior = _fit_of(problem, Path(fits), evidence) if posterior is None else posterior
        null_posterior = _fit_of(null, Path(fits), evidence)
    origin = asked("reproduce", arguments, out=out, force=force)
    if refit:
        posterior, null_posterior = fit_problem(problem, report=report), fit_problem(null, report=report)
    assert posterior is not None
    with progress(workload(problem, posterior, null_posterior), "repeating the study") as advance:
        rows = reproduced(problem, posterior, null, null_posterior, progress=advance)
    own, left_out = problem.label, not_used(problem)
    shown = replace(posterior, hypothesis=own)

    def draw() -> Any:
        from simulate.figures.reproduction import reproduction_figure

        study = repeated_study(problem.parts[0], posterior)
        return reproduction_figure(rows, study, hypothesis=own, null=NULL)

    documents = [_reproduced(row) for row in rows]
    return Result(
        origin,
        f"reported values under {own}, fitted to the evidence {evidence_name(problem)}",
        Reproduction(tuple(rows), shown, null_posterior, left_out, problem.assumptions),
        document={
            "hypothesis": own,
            "null": NULL,
            "evidence": evidence_name(problem),
            "rows": documents,
            "not_used": [asdict(part) for part in left_out],
        },
        tables={"reproduction": table_of([_flat_bands(row) for row in documents])},
        figures={"reproduction": draw},
        models=models_of([problem, null]),
        answer=of_reproduction(rows, shown, null_posterior, problem.assumptions),
        texts={"fit.json": posterior_text(posterior), "null.json": posterior_text(null_posterior)} if refit else {},
    ).written(out, force=force, figures=figures)


def _stood_on(fit: Path) -> tuple[str | None, TrialNames, Mapping[str, bytes]]:
    """Evidence and trials with which a fit was asked for, and the files that it read; nothing where nobody noted it."""
    directory = fit if fit.is_dir() else fit.parent
    entries = read_manifest(directory) or {}
    if entries.get("kind") != "fit":
        return None, None, {}
    asked = entries.get("arguments", {})
    return asked.get("evidence"), asked.get("trial"), kept_inputs(directory, entries)


def _fit_of(problem: Problem, folder: Path, evidence: str | Path | None) -> Posterior:
    """The fit of a hypothesis to its trials, shipped or in the folder of fits."""
    from simulate.evidence.sets import DEFAULT as DEFAULT_EVIDENCE
    from simulate.evidence.sets import evidence_sets
    from simulate.studies.fitting.known_fits import fit_folder, known_fit
    from simulate.studies.fitting.named_evidence import evidence_name
    from simulate.studies.fitting.posterior import shipped_posterior
    from simulate.trials.reading import DEFAULT as SHIPPED

    found = known_fit(problem, folder)
    if found is not None:
        return found.posterior
    names, name = [part.trial.name for part in problem.parts], evidence_name(problem)
    if names == [SHIPPED] and name == DEFAULT_EVIDENCE:
        return shipped_posterior(problem.hypothesis)
    to, how = " and ".join(f"`{name}`" for name in names), "` with the same trials"
    if name in evidence_sets() or evidence is not None:
        to, how = f"the evidence `{name}`", f" --evidence {evidence or name}`"
    raise InputError(
        f"no fit of `{problem.label}` to {to}, of today's numbers, is there",
        code="fit.missing",
        expected=f"a result in {fit_folder(problem, folder)}",
        advice=f"make one: `simulate fit --hypothesis {problem.hypothesis}{how}",
    )


_BANDS = ("before", "null")


def _reproduced(row: Row) -> dict[str, Any]:
    own = ("trial", "item", "figure", "account", "location", "standing", "use", "is_used", "reading", "unit", "n")
    fitted = {name: None if row.fitted is None else getattr(row.fitted, name) for name in ("median", "low", "high")}
    return {
        **{name: getattr(row, name) for name in (*own, "direction", "reported")},
        **fitted,
        "tail_probability": None if row.fitted is None else row.fitted.tail_probability,
        **{name: _bands(getattr(row, name)) for name in _BANDS},
        "reason": row.reason,
    }


def _bands(predicted: Predicted | None) -> dict[str, float | None] | None:
    if predicted is None:
        return None
    return {name: value for name, value in asdict(predicted).items() if name != "values"}


def _flat_bands(row: Mapping[str, Any]) -> dict[str, Any]:
    flat = {name: value for name, value in row.items() if name not in _BANDS}
    for name in _BANDS:
        band = row[name] or {}
        flat |= {f"{name}_{end}": band.get(end) for end in ("median", "low", "high")}
    return flat
