"""Fits of estimation problems in PEtab."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulate.api.verb import verb
from simulate.watching import Headway, Report

__all__ = ["fit_problem"]

if TYPE_CHECKING:
    from simulate.results.result import Result
    from simulate.studies.fitting.posterior import Settings
    from simulate.studies.petab.fitting import FitStart, PetabFit
    from simulate.studies.petab.objective import Objective
    from simulate.tabular import ResultTable


@verb
def fit_problem(
    problem: str | Path,
    *,
    starts: int = 20,
    seed: int = 1,
    rtol: float = 1e-8,
    profiles: bool | Sequence[str] = False,
    posterior: bool = False,
    particles: int = 200,
    runs: int = 2,
    draws: int = 2048,
    threads: int | None = None,
    out: str | Path | None = None,
    force: bool = False,
    figures: bool = True,
    report: Report | None = None,
) -> Result[PetabFit]:
    """Fit an estimation problem in PEtab: the greatest likelihood, times priors where it has them.

    Parameters
    ----------
    problem
        The YAML file of the problem, of version 1 or 2.
    starts
        Starting points between the bounds.
    seed
        Seed of the starting points and of the sampler.
    rtol
        Relative tolerance of the solver.
    profiles
        Whether every parameter is profiled, or names of those that are.
    posterior
        Whether the posterior is sampled: likelihood times the priors of the problem, and uniform on the scale between
        the bounds where there is none.
    particles, runs, draws
        Particles of a run of its sampler, runs from different seeds, and draws of the final importance sampling.
    threads, out, force, figures, report
        As in `simulate.api.arguments`.

    Returns
    -------
    Result
        Its value is the fit; tables ``estimates``, ``starts`` and ``simulations``. The document has the parameters with
        their estimates, and the log-likelihood. With profiles there are tables
        ``profiles`` and ``curves`` and the figure ``profiles``; with a posterior tables ``posterior`` and ``draws``,
        which are left out where too few draws count.

    Raises
    ------
    InputError
        ``petab.…``, ``sbml.…``: what the problem has and cannot be taken, with file, line and column.
    NotConverged
        ``petab.starts``: the model can be solved at none of the starting points. ``inference.…``: it can be solved in
        too little of the prior.
    MissingExtra
        ``extra.petab``, ``extra.sbml``.
    """
    arguments = dict(locals())
    from simulate.exchange.foreign import refuse_model
    from simulate.exchange.petab.reading import read_petab
    from simulate.results.openings import of_problem
    from simulate.results.provenance import asked
    from simulate.results.result import Result
    from simulate.studies.fitting.posterior import Settings
    from simulate.studies.petab.fitting import fit_objective
    from simulate.studies.petab.objective import objective_of
    from simulate.studies.petab.profiling import chosen_places
    from simulate.tabular import table_of

    refuse_model(
        problem,
        "estimation problem",
        "a problem in PEtab (YAML), which names its model and the measurements",
        "docs/petab.md says how one is written",
    )
    read = read_petab(problem)
    objective = objective_of(read, rtol=rtol, threads=threads)
    if not isinstance(profiles, bool):
        chosen_places(objective, profiles)
    origin = asked("fit", arguments, out=out, force=force)

    def told(row: FitStart) -> None:
        if report is not None:
            value = "could not be solved" if row.log_posterior is None else f"log-posterior {row.log_posterior:.4f}"
            report(Headway(f"start {row.start + 1} of {starts}: {value} after {row.steps} steps"))

    found = fit_objective(objective, starts=starts, seed=seed, told=told)
    tables: dict[str, ResultTable] = {}
    drawn: dict[str, Callable[[], Any]] = {}
    if profiles:
        found, drawn["profiles"] = _profiled(objective, found, profiles, tables, report)
    if posterior:
        found = _sampled(objective, found, Settings(particles, runs, 1, draws, 1, seed=seed), tables, report)
    measured = [
        {
            "observable": one.observable,
            "experiment": read.experiments[one.experiment].id,
            "time": one.time,
            "measurement": one.value,
            "simulation": float(simulated),
        }
        for one, simulated in zip(read.measurements, found.simulated, strict=True)
    ]
    names = [part.name for part in found.parameters]
    ended = [
        {name: value for name, value in asdict(row).items() if name != "values"}
        | {name: row.values.get(name) for name in names}
        for row in found.starts
    ]
    return Result(
        origin,
        f"fit of {Path(problem).name}",
        found,
        document={
            "problem": str(problem),
            "version": read.version,
            **found.as_dict(),
            "left_out": list(objective.equations.left_out),
        },
        tables={
            "estimates": table_of(found.parameters),
            "starts": table_of(ended),
            "simulations": table_of(measured),
            **tables,
        },
        figures=drawn,
        answer=of_problem(Path(problem).name, found),
    ).written(out, force=force, figures=figures)


def _profiled(
    objective: Objective,
    fit: PetabFit,
    chosen: bool | Sequence[str],
    tables: dict[str, ResultTable],
    report: Report | None,
) -> tuple[PetabFit, Callable[[], Any]]:
    """The fit with profiles, of which there are tables then, and what draws them."""
    from simulate.results.result import drawing
    from simulate.studies.petab.profiling import profile_fit
    from simulate.tabular import table_of

    found = profile_fit(objective, fit, names=None if isinstance(chosen, bool) else chosen, told=report)
    rows = [{name: value for name, value in asdict(row).items() if name != "parts"} for row in found.parameters]
    tables |= {"profiles": table_of(rows), "curves": table_of([*found.places()])}
    return replace(fit, profiles=found), drawing("profiles.profiles_figure", found)


def _sampled(
    objective: Objective, fit: PetabFit, settings: Settings, tables: dict[str, ResultTable], report: Report | None
) -> PetabFit:
    """The fit with draws of the posterior, of which there are tables then."""
    from simulate.studies.petab.sampling import sample_problem
    from simulate.tabular import flat, table_of

    found = sample_problem(objective, settings, report)
    if found.is_told:
        tables |= {
            "posterior": table_of([flat(asdict(row)) for row in found.estimates]),
            "draws": table_of([*found.rows()]),
        }
    return replace(fit, posterior=found)
