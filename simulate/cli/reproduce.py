"""``simulate reproduce``: the abstract's table beside what a fitted model predicts."""

from __future__ import annotations

import math
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from simulate.cli.fit import DEFAULT
from simulate.cli.options import Force, Hypothesis, Json, Trials, trials_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from simulate.studies.fitting.posterior import Posterior
    from simulate.studies.fitting.predictive import Predicted
    from simulate.studies.fitting.reproduction import Row
    from simulate.studies.fitting.trial import Problem


def reproduce(
    hypothesis: Hypothesis = None,
    trial: Trials = None,
    fitted: Annotated[
        Path | None,
        typer.Option(
            "--fit",
            metavar="FILE",
            help="Result of `simulate fit`, if not one of those.",
        ),
    ] = None,
    folder: Annotated[
        Path, typer.Option("--fits", metavar="DIR", help="Folder of fits; those that ship come first.")
    ] = Path("fits"),
    refit: Annotated[bool, typer.Option("--refit", help="Fit the hypothesis and the null hypothesis first.")] = False,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="DIR", help="Folder for the figure and the table.")
    ] = None,
    force: Force = False,
    as_json: Json = False,
) -> int:
    """Show each row of the abstract beside what the fitted model, and the null hypothesis, predict for it.

    The same statistic, at the same number of patients: median, 90 % interval and tail probability, before and after
    the data. A disputed figure is shown, and is not used. Findings of other studies stand below; none was fitted.

    \b
    simulate reproduce --out reproduced
    simulate reproduce --hypothesis H5 --fit fits/H5/fit.json
    simulate reproduce --refit
    simulate reproduce --trial my-trial.toml
    """  # noqa: D301
    arguments = dict(locals())
    from simulate.cli.console import print_json, print_rich, print_text, progress, say
    from simulate.report.analyses import analysis_of, check_place, written
    from simulate.studies.fitting.fit import fit as fit_problem
    from simulate.studies.fitting.posterior import named, read_posterior
    from simulate.studies.fitting.reproduction import NULL, repeated_study, workload
    from simulate.studies.fitting.reproduction import reproduce as reproduced
    from simulate.studies.fitting.trial import problem_for

    designs = trials_of(trial)
    analysis = analysis_of("reproduce", arguments, (path for design in designs for path in design.files))
    check_place(analysis, out, force=force)
    posterior = None if fitted is None else read_posterior(fitted)
    name = named(hypothesis, posterior, DEFAULT)
    problem, null = problem_for(name, None, designs), problem_for(NULL, None, designs)
    if refit:
        posterior, null_posterior = fit_problem(problem, report=say), fit_problem(null, report=say)
    else:
        posterior = _fit_of(problem, folder) if posterior is None else posterior
        null_posterior = _fit_of(null, folder)
    with progress(workload(problem, posterior, null_posterior), "repeating the study") as advance:
        rows = reproduced(problem, posterior, null, null_posterior, progress=advance)
    if out is not None:
        from simulate.figures.reproduction import reproduction_figure
        from simulate.figures.style import save
        from simulate.studies.fitting.posterior import write_posterior

        study = repeated_study(problem.parts[0], posterior)
        with written(analysis, out, title=f"the abstract under {posterior.hypothesis}", force=force) as folder:
            save(reproduction_figure(rows, study, hypothesis=posterior.hypothesis, null=NULL), folder, "reproduction")
            (folder / "reproduction.csv").write_text(_csv(rows), encoding="utf-8")
            if refit:
                write_posterior(folder / "fit.json", posterior)
                write_posterior(folder / "null.json", null_posterior)
    if as_json:
        print_json({"hypothesis": posterior.hypothesis, "null": NULL, "rows": [_row(row) for row in rows]})
    else:
        print_rich(_table(rows, posterior, NULL))
        print_text(_below(posterior, null_posterior))
    return 0


def _fit_of(problem: Problem, folder: Path) -> Posterior:
    """The fit of a hypothesis to its trials, shipped or in the folder of fits."""
    from simulate.errors import InputError
    from simulate.studies.comparison.fits import fit_folder, known_fit
    from simulate.studies.fitting.posterior import shipped_posterior
    from simulate.trial.reading import DEFAULT

    found = known_fit(problem, folder)
    if found is not None:
        return found.posterior
    names = [part.trial.name for part in problem.parts]
    if names == [DEFAULT]:
        return shipped_posterior(problem.hypothesis)
    raise InputError(
        f"no fit of `{problem.hypothesis}` to {' and '.join(f'`{name}`' for name in names)} is of today's numbers",
        code="fit.missing",
        expected=f"a result in {fit_folder(problem, folder)}",
        advice=f"make one: `simulate fit --hypothesis {problem.hypothesis}` with the same trials",
    )


def _row(row: Row) -> dict[str, Any]:
    fitted = row.fitted
    return {
        "trial": row.trial,
        "item": row.item,
        "figure": row.figure,
        "account": row.account,
        "location": row.location,
        "standing": row.standing,
        "use": row.use,
        "is_used": row.is_used,
        "reading": row.reading,
        "unit": row.unit,
        "n": row.n,
        "direction": row.direction,
        "reported": row.reported,
        "median": None if fitted is None else fitted.median,
        "low": None if fitted is None else fitted.low,
        "high": None if fitted is None else fitted.high,
        "tail_probability": None if fitted is None else fitted.tail_probability,
        "before": _bands(row.before),
        "null": _bands(row.null),
        "reason": row.reason,
    }


def _bands(predicted: Predicted | None) -> dict[str, float | None] | None:
    if predicted is None:
        return None
    found = asdict(predicted)
    del found["values"]
    return found


def _csv(rows: Sequence[Row]) -> str:
    import csv
    import io

    text = io.StringIO()
    columns = [key for key in _row(rows[0]) if key not in ("before", "null")]
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(
        [*columns, *(f"{which}_{key}" for which in ("before", "null") for key in ("median", "low", "high"))]
    )
    for row in rows:
        cells = _row(row)
        both = [
            [cells[which][key] if cells[which] else None for key in ("median", "low", "high")]
            for which in ("before", "null")
        ]
        writer.writerow([cells[key] for key in columns] + both[0] + both[1])
    return text.getvalue()


def _table(rows: Sequence[Row], posterior: Posterior, null: str) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD)
    for header in ("printed", "standing", "reported", "before the data", posterior.hypothesis, "tail", null, "tail"):
        table.add_column(header, justify="left")
    several = len({row.trial for row in rows if row.trial}) > 1
    for row in rows:
        name = " ".join(part for part in (row.trial if several else "", row.item, row.figure) if part)
        reported = row.direction if row.reported is None else f"{row.reported:g} {row.unit}".rstrip()
        standing = row.standing + ("" if row.is_used else ", not fitted")
        table.add_row(
            name, standing, reported or "(qualitative)", _cell(row.before), _cell(row.fitted) or row.reason,
            _tail(row.fitted), _cell(row.null), _tail(row.null),
        )  # fmt: skip
    return table


def _cell(predicted: Predicted | None) -> str:
    return "" if predicted is None else f"{predicted.median:.3g} [{predicted.low:.3g}, {predicted.high:.3g}]"


def _tail(predicted: Predicted | None) -> str:
    return "" if predicted is None or predicted.tail_probability is None else f"{predicted.tail_probability:.2g}"


def _below(posterior: Posterior, null: Posterior) -> str:
    from simulate.studies.fitting.posterior import error_by_patients

    difference = posterior.log_evidence - null.log_evidence
    error = math.hypot(posterior.errors[0], null.errors[0], error_by_patients(posterior, null)[0])
    lines = [
        f"log-evidence of {posterior.hypothesis} less that of {null.hypothesis}: {difference:.2f} ± {error:.2f}",
        "a figure that the null, or the hypothesis before the data, predicts as well as the fit decides nothing",
    ]
    return "\n".join([*lines, *(f"warning: {text}" for text in posterior.diagnostics.warnings)])
