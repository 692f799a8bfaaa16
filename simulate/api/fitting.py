"""Hypotheses and models fitted to what was reported, what a fit says beside it, and whether fitting can be trusted.

Arguments that several functions have:

hypothesis, hypotheses
    Names such as ``"H1"`` or ``"H1+H3a"``, or hypothesis files.
trial
    A trial that ships, or its file; several in a sequence. The shipped one if not given.
fits
    Folder of fits; those that ship come first.
threads
    Threads to use; all cores if not given. The result does not depend on it.
out
    Run directory to be written; nothing is written if not given.
force
    Whether another run in the directory may be replaced.
figures
    Whether figures are drawn in the directory.
progress, report
    What shows how far the work is, and what is told about it; see `simulate.watching`.

All raise `InputError` for what cannot be used, and `MissingExtra` where the directory cannot be written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulate.api.verb import verb, worded
from simulate.errors import InputError
from simulate.inputs import noting
from simulate.shipped import DEFAULT_HYPOTHESIS as DEFAULT
from simulate.watching import Headway, Progress, Report, quiet

__all__ = ["calibrate", "fit", "reproduce", "vpop"]

if TYPE_CHECKING:
    from simulate.evidence.sets import NotUsed
    from simulate.results.result import Result
    from simulate.studies.fitting.calibration import Calibration
    from simulate.studies.fitting.individual import IndividualProblem
    from simulate.studies.fitting.posterior import Posterior
    from simulate.studies.fitting.predictive import Predicted
    from simulate.studies.fitting.problem import Problem
    from simulate.studies.fitting.profiling import Profiled
    from simulate.studies.fitting.reproduction import Row
    from simulate.studies.virtual.populations import VirtualPopulations
    from simulate.symbolic.model import Model
    from simulate.trials.design import TrialDesign

TrialNames = str | Path | Sequence[str | Path] | None


def trials_of(names: TrialNames) -> tuple[TrialDesign, ...]:
    """Trials that are named; none if none is, which means the shipped one."""
    from simulate.trials.reading import read_trial

    given = [names] if isinstance(names, str | Path) else names or ()
    return tuple(read_trial(name) for name in given)


FitNames = str | Path | Sequence[str | Path] | None


def fits_of(names: FitNames) -> tuple[str | Path, ...]:
    """Fits that are named; none if none is, which means those that ship."""
    return (names,) if isinstance(names, str | Path) else tuple(names or ())


def models_of(problems: Sequence[Problem]) -> dict[str, Model]:
    """Models of hypotheses by their names."""
    return {problem.label: problem.model for problem in problems}


@noting()
@worded
def fit(
    hypothesis: str | None = None,
    *,
    evidence: str | Path | None = None,
    trial: TrialNames = None,
    data: str | Path | None = None,
    out: str | Path | None = None,
    particles: int = 200,
    runs: int = 2,
    patients: int = 32,
    draws: int = 2048,
    final_patients: int = 128,
    seed: int = 1,
    profiles: bool = False,
    threads: int | None = None,
    report: Report | None = None,
) -> Result[Posterior]:
    """Fit a hypothesis to what was reported, or a model to readings of single patients.

    Parameters
    ----------
    hypothesis, trial, threads, report
        As for all functions of `simulate.api.fitting`; the usual hypothesis, or that of the data, if not given.
    evidence
        A set of evidence by name, ``abstract`` or ``synthesis``, or a file; that of the trial if not given.
    data
        Individual data in place of what was reported: their file, or a table (docs/individual-data.md).
    out
        Folder of the result, in which progress is kept: the same call goes on after an interruption, to the same bits.
        One in ``fits`` if not given.
    particles, runs
        Particles of a run of the sampler, and runs from different seeds.
    patients
        Virtual patients of a point while sampling; with individual data, of each patient.
    draws, final_patients
        Draws of the final importance sampling, and virtual patients of each.
    seed
        Seed of the samplers.
    profiles
        Whether the likelihood of each number is profiled as well.

    Returns
    -------
    Result
        Its value is the posterior; tables ``estimates`` and, if asked for, ``profiles``; with individual data
        ``patients``.

    Raises
    ------
    InputError
        ``fit.data``: individual data beside evidence, trials or profiles.
    NotConverged
        Too many points could not be solved, the sampler does not move, or the likelihood of a patient of individual
        data hangs on too few virtual ones.
    """
    arguments = dict(locals())
    from simulate.results.provenance import asked
    from simulate.results.result import Result, complete
    from simulate.results.study_openings import of_fit
    from simulate.store import working_folder
    from simulate.studies.comparison.fits import make_fit
    from simulate.studies.fitting.before import before_fit
    from simulate.studies.fitting.individual import IndividualProblem
    from simulate.studies.fitting.known_fits import fit_folder
    from simulate.studies.fitting.named_evidence import problem_on
    from simulate.studies.fitting.posterior import Settings, posterior_text
    from simulate.studies.scenario import RESULT
    from simulate.tabular import table_of

    problem: Problem | IndividualProblem
    if data is not None:
        others = {"evidence": evidence, "trial": trial, "profiles": profiles}
        problem = _individual(data, hypothesis, others)
    else:
        problem = problem_on(hypothesis or DEFAULT, evidence, trials_of(trial))
    settings = Settings(
        particles=particles, runs=runs, patients=patients, draws=draws, final_patients=final_patients, seed=seed
    )
    folder = fit_folder(problem) if out is None else Path(out)
    # The folder is looked at by `make_fit`, which knows what it goes on with.
    origin = asked("fit", arguments, out=None, force=False)
    if report is not None and not isinstance(problem, IndividualProblem):
        for line in before_fit(problem):
            report(line)
    posterior = make_fit(problem, settings, folder, threads=threads, report=report)
    profiled: tuple[Profiled, ...] = ()
    if profiles and not isinstance(problem, IndividualProblem):
        profiled = _profiled(problem, posterior, threads, report)
    shown = replace(posterior, hypothesis=problem.label)
    document = shown.as_dict()
    tables = {"estimates": table_of([flat(asdict(row)) for row in posterior.told])}
    if profiled:
        document["profiles"] = [asdict(row) for row in profiled]
        tables["profiles"] = table_of(profiled)
    if posterior.individuals is not None:
        tables["patients"] = table_of(posterior.individuals.patients)
    standing = "the individual data" if posterior.individuals is not None else "the evidence"
    assumed = problem.assumptions
    result = Result(
        origin,
        f"fit of {problem.label} to {standing} {posterior.evidence}",
        shown,
        document=document,
        tables=tables,
        models={problem.label: problem.model},
        texts={RESULT: posterior_text(posterior)},
        facts={"file": str(folder / RESULT)} | ({"assumptions": list(assumed)} if assumed else {}),
        answer=of_fit(shown, assumed),
    )
    with working_folder(folder):
        complete(result, folder)
    return result


def _individual(data: str | Path, hypothesis: str | None, others: Mapping[str, object]) -> IndividualProblem:
    """What is to be fitted to individual data.

    Raises
    ------
    InputError
        ``fit.data``.
    """
    from simulate.exchange.foreign import refuse_model
    from simulate.studies.fitting.individual import individual_problem
    from simulate.trials.individual import read_individual

    named = [name for name, value in others.items() if value]
    if named:
        raise InputError(
            f"`{named[0]}` is named beside individual data",
            code="fit.data",
            expected="individual data alone: nothing that was reported, and no profiles",
            advice=f"leave out `{named[0]}` or `data`",
        )
    refuse_model(
        data,
        "data file",
        "a data file (TOML), which names its model, or a table (CSV)",
        "docs/individual-data.md says how one is written",
    )
    return individual_problem(read_individual(data), hypothesis)


def _profiled(
    problem: Problem, posterior: Posterior, threads: int | None, report: Report | None
) -> tuple[Profiled, ...]:
    from simulate.studies.fitting.profiling import profile

    if report is not None:
        report(Headway("profiling the likelihood"))
    return profile(problem, posterior, threads=threads)


def flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """Quantiles one by one."""
    flat: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, tuple | list):
            flat |= {f"{name}_{end}": part for end, part in zip(("low", "median", "high"), value, strict=True)}
        else:
            flat[name] = value
    return flat


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
        As for all functions of `simulate.api.fitting`; the hypothesis is that of the fit, if one is named.
    evidence
        As for `fit`; that of the fit, if one is named.
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
    designs = trials_of(trial)
    posterior = None if fit is None else read_posterior(fit)
    name = named(hypothesis, posterior, DEFAULT)
    if evidence is None and posterior is not None and not designs and posterior.evidence in evidence_sets():
        evidence = posterior.evidence
    problem, null = problem_on(name, evidence, designs), problem_on(NULL, evidence, designs)
    if not refit:
        posterior = _fit_of(problem, Path(fits)) if posterior is None else posterior
        null_posterior = _fit_of(null, Path(fits))
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


def _fit_of(problem: Problem, folder: Path) -> Posterior:
    """The fit of a hypothesis to its trials, shipped or in the folder of fits."""
    from simulate.evidence.sets import evidence_sets
    from simulate.studies.fitting.known_fits import fit_folder, known_fit
    from simulate.studies.fitting.named_evidence import evidence_name
    from simulate.studies.fitting.posterior import shipped_posterior
    from simulate.trials.reading import DEFAULT as SHIPPED

    found = known_fit(problem, folder)
    if found is not None:
        return found.posterior
    names = [part.trial.name for part in problem.parts]
    if names == [SHIPPED]:
        return shipped_posterior(problem.hypothesis)
    name = evidence_name(problem)
    to, how = " and ".join(f"`{name}`" for name in names), "` with the same trials"
    if name in evidence_sets():
        to, how = f"the evidence `{name}`", f" --evidence {name}`"
    raise InputError(
        f"no fit of `{problem.label}` to {to} is of today's numbers",
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


@verb
def calibrate(
    hypothesis: str | None = DEFAULT,
    *,
    trial: TrialNames = None,
    repeats: int = 40,
    particles: int = 96,
    patients: int = 16,
    seed: int = 1,
    out: str | Path | None = None,
    force: bool = False,
    progress: Progress = quiet,
) -> Result[Calibration]:
    """Fit abstracts that are made up from known parameters, and count how often they are found.

    Parameters
    ----------
    repeats
        Made-up abstracts.
    particles, patients
        Particles of each fit, and virtual patients.
    seed
        Seed of everything.
    hypothesis, trial, out, force, progress
        As for all functions of `simulate.api.fitting`.

    Returns
    -------
    Result
        Its value has the ranks; table ``calibration``.
    """
    arguments = dict(locals())
    from simulate.results.provenance import asked
    from simulate.results.result import Result
    from simulate.studies.fitting.calibration import INTERVALS
    from simulate.studies.fitting.calibration import calibrate as calibrated
    from simulate.studies.fitting.problem import problem_for
    from simulate.tabular import table_of

    problem = problem_for(hypothesis or DEFAULT, None, trials_of(trial))
    origin = asked("calibrate", arguments, out=out, force=force)
    with progress(repeats, "made-up abstracts") as advance:
        found = calibrated(problem, repeats=repeats, particles=particles, patients=patients, seed=seed, report=advance)
    rows = [
        {
            "name": name,
            "p": float(found.p_values[column]),
            "coverage": {str(share): float(found.coverage(share)[column]) for share in INTERVALS},
            "ranks": found.ranks[:, column].tolist(),
        }
        for column, name in enumerate(found.names)
    ]
    table = [
        {"name": row["name"], "p": row["p"]} | {f"in_{name}": value for name, value in row["coverage"].items()}
        for row in rows
    ]
    return Result(
        origin,
        f"calibration of the fit of {problem.label}",
        found,
        document={
            "hypothesis": problem.label, "repeats": repeats, "passed": bool(found.is_calibrated), "rows": rows
        },
        tables={"calibration": table_of(table)},
        models=models_of([problem]),
    ).written(out, force=force)  # fmt: skip


@verb
def vpop(
    hypothesis: str | None = None,
    *,
    patients: int = 4096,
    fewest: int = 200,
    chains: int = 64,
    steps: int = 300,
    as_published: bool = False,
    fit: str | Path | None = None,
    seed: int = 1,
    out: str | Path | None = None,
    force: bool = False,
    progress: Progress = quiet,
) -> Result[VirtualPopulations]:
    """Make plausible patients into populations that match the reported values, in three published ways.

    Parameters
    ----------
    patients, fewest
        Plausible patients of the pool, and patients that acceptance takes, at least.
    chains, steps
        Chains, walked together, and steps of each; the first third is left out.
    as_published
        Whether chains are walked once more as their authors' program does, a search only.
    fit
        Result of `fit` to stand beside; else the one that ships or lies in the folder of fits.
    seed
        Seed of everything random.
    hypothesis, out, force, progress
        As for all functions of `simulate.api.fitting`.

    Returns
    -------
    Result
        Its value has the populations; table ``pool`` and one for each way with chains.
    """
    arguments = dict(locals())
    from simulate.results.provenance import asked
    from simulate.results.result import Result
    from simulate.results.study_openings import of_virtual_populations
    from simulate.studies.fitting.known_fits import known_fit
    from simulate.studies.fitting.posterior import named, read_posterior
    from simulate.studies.fitting.problem import problem_for
    from simulate.studies.fitting.reproduction import check_current
    from simulate.studies.virtual.methods import PopulationSettings
    from simulate.studies.virtual.populations import virtual_populations, workload
    from simulate.studies.virtual.tables import document, patients_tables

    posterior = None if fit is None else read_posterior(fit)
    problem = problem_for(named(hypothesis, posterior, DEFAULT))
    if posterior is None:
        known = known_fit(problem)
        posterior = None if known is None else known.posterior
    else:
        check_current(problem, posterior)
    origin = asked("vpop", arguments, out=out, force=force)
    settings = PopulationSettings(
        patients=patients, fewest=fewest, chains=chains, steps=steps, burn_in=steps // 3, seed=seed
    )
    with progress(workload(settings, as_published, posterior), "virtual patients") as advance:
        found = virtual_populations(problem, settings, posterior=posterior, as_published=as_published, progress=advance)
    return Result(
        origin,
        f"virtual populations, {problem.label}",
        found,
        document=document(found),
        tables=patients_tables(found),
        models=models_of([problem]),
        answer=of_virtual_populations(found),
    ).written(out, force=force)
