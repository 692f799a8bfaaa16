"""Hypotheses and models fitted to what was reported, virtual populations, and whether fitting can be trusted.

Arguments that several functions have are those of `simulate.api.arguments`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from simulate.api.arguments import TrialNames, models_of, trials_of
from simulate.api.verb import verb, worded
from simulate.errors import InputError
from simulate.inputs import noting
from simulate.shipped import DEFAULT_HYPOTHESIS as DEFAULT
from simulate.watching import Headway, Progress, Report, quiet

__all__ = ["calibrate", "fit", "vpop"]

if TYPE_CHECKING:
    from simulate.results.result import Result
    from simulate.studies.fitting.calibration import Calibration
    from simulate.studies.fitting.individual import IndividualProblem
    from simulate.studies.fitting.posterior import Posterior
    from simulate.studies.fitting.problem import Problem
    from simulate.studies.fitting.profiling import Profiled
    from simulate.studies.virtual.populations import VirtualPopulations


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
        As in `simulate.api.arguments`; the usual hypothesis, or that of the data, if not given.
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
    from simulate.results.undrawn import telling_afterwards
    from simulate.store import working_folder
    from simulate.studies.comparison.fits import make_fit
    from simulate.studies.fitting.before import before_fit
    from simulate.studies.fitting.individual import IndividualProblem
    from simulate.studies.fitting.known_fits import fit_folder
    from simulate.studies.fitting.named_evidence import problem_on
    from simulate.studies.fitting.posterior import Settings, posterior_text
    from simulate.studies.scenario import RESULT
    from simulate.tabular import flat, table_of

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
    with telling_afterwards(), working_folder(folder):
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
        As in `simulate.api.arguments`.

    Returns
    -------
    Result
        Its value has the ranks; table ``calibration``. ``passed`` is whether all are as even as chance has them, and
        ``faults`` name those that are not.
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
            "hypothesis": problem.label, "repeats": repeats, "passed": found.is_calibrated, "rows": rows
        },
        tables={"calibration": table_of(table)},
        models=models_of([problem]),
        faults=found.faults,
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
        As in `simulate.api.arguments`.

    Returns
    -------
    Result
        Its value has the populations; table ``pool`` and one for each way with chains.
    """
    arguments = dict(locals())
    from simulate.results.provenance import asked
    from simulate.results.result import Result
    from simulate.results.study_openings import of_virtual_populations
    from simulate.studies.fitting.keys import check_current
    from simulate.studies.fitting.known_fits import known_fit
    from simulate.studies.fitting.posterior import named, read_posterior
    from simulate.studies.fitting.problem import problem_for
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
