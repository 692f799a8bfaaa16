"""``simulate reproduce``: the abstract's table beside what a fitted model predicts."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simulate.api.fitting import reproduce as function
from simulate.cli.options import EvidenceName, Figured, Fits, Force, Hypothesis, Json, Trials, defaults_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from simulate.api.fitting import Reproduction
    from simulate.studies.fitting.posterior import Posterior
    from simulate.studies.fitting.predictive import Predicted
    from simulate.studies.fitting.reproduction import Row


@defaults_of(function)
def reproduce(
    hypothesis: Hypothesis,
    evidence: EvidenceName,
    trial: Trials,
    fit: Annotated[
        Path | None,
        typer.Option(
            "--fit",
            metavar="FILE",
            help="Result of `simulate fit`, if not one of those.",
        ),
    ],
    fits: Fits,
    refit: Annotated[bool, typer.Option("--refit", help="Fit the hypothesis and the null hypothesis first.")],
    out: Figured,
    force: Force,
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
    from simulate.cli.console import print_json, print_rich, print_text, progress, say
    from simulate.studies.fitting.reproduction import NULL

    found = function(
        hypothesis,
        evidence=evidence,
        trial=trial,
        fit=fit,
        fits=fits,
        refit=refit,
        out=out,
        force=force,
        progress=progress,
        report=say,
    )
    if as_json:
        print_json(found.document)
    else:
        shown = found.value
        print_rich(_table(shown.rows, shown.posterior, NULL))
        print_text(_below(shown))
    return 0


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


def _below(shown: Reproduction) -> str:
    from simulate.studies.fitting.posterior import error_by_patients

    posterior, null = shown.posterior, shown.null
    difference = posterior.log_evidence - null.log_evidence
    error = math.hypot(posterior.errors[0], null.errors[0], error_by_patients(posterior, null)[0])
    lines = [
        f"fitted to the evidence {posterior.evidence or 'abstract'}",
        *map(str, shown.not_used),
        f"log-evidence of {posterior.hypothesis} less that of {null.hypothesis}: {difference:.2f} ± {error:.2f}",
        "a figure that the null, or the hypothesis before the data, predicts as well as the fit decides nothing",
    ]
    return "\n".join([*lines, *(f"warning: {text}" for text in posterior.diagnostics.warnings)])
