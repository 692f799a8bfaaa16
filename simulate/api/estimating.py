"""Estimation problems in PEtab, fitted."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from simulate.api.asking import verb
from simulate.watching import Report

__all__ = ["fit_problem"]

if TYPE_CHECKING:
    from simulate.results.result import Result
    from simulate.studies.petab.fitting import FitStart, PetabFit


@verb
def fit_problem(
    problem: str | Path,
    *,
    starts: int = 20,
    seed: int = 1,
    rtol: float = 1e-8,
    threads: int | None = None,
    out: str | Path | None = None,
    force: bool = False,
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
        Seed of the starting points.
    rtol
        Relative tolerance of the solver.
    threads
        Threads to use; all cores if not given. The result does not depend on it.
    out
        Run directory to be written; nothing is written if not given.
    force
        Whether another run in the directory may be replaced.
    report
        What is told as the fit goes on.

    Returns
    -------
    Result
        Its value is the fit; tables ``estimates``, ``starts`` and ``simulations``. The document has the parameters with
        their estimates, the log-likelihood, and how gradients were computed.

    Raises
    ------
    InputError
        ``petab.…``, ``sbml.…``: what the problem has and cannot be taken, with file, line and column.
    NotConverged
        ``petab.starts``: the model can be solved at none of the starting points.
    MissingExtra
        ``extra.petab``, ``extra.sbml``.
    """
    arguments = dict(locals())
    from simulate.exchange.petab.reading import read_petab
    from simulate.results.openings import of_problem
    from simulate.results.provenance import asked
    from simulate.results.result import Result
    from simulate.studies.petab.fitting import fit_objective
    from simulate.studies.petab.objective import objective_of
    from simulate.tabular import table_of

    read = read_petab(problem)
    objective = objective_of(read, rtol=rtol, threads=threads)
    origin = asked("fit", arguments, out=out, force=force)

    def told(row: FitStart) -> None:
        if report is not None:
            value = "could not be solved" if row.log_posterior is None else f"log-posterior {row.log_posterior:.4f}"
            report(f"start {row.start + 1} of {starts}: {value} after {row.steps} steps")

    found = fit_objective(objective, starts=starts, seed=seed, told=told)
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
        },
        answer=of_problem(Path(problem).name, found),
    ).written(out, force=force)
