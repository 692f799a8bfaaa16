"""``simulate reproduce``: the abstract's table beside what a fitted model predicts."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simulate.api.reproducing import reproduce as function
from simulate.cli.console import carry_out, print_rich, print_text, titled
from simulate.cli.options import Drawn, EvidenceName, Figured, Fits, Force, Hypothesis, Json, Trials, defaults_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from simulate.api.reproducing import Reproduction
    from simulate.results.result import Result
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
    figures: Drawn,
    as_json: Json = False,
) -> int:
    """Show each row of the abstract beside what the fitted model, and the null hypothesis, predict for it.

    The same statistic, at the same number of patients: median, 90 % interval and tail probability, before and after
    the data. What the evidence gives no likelihood stands below as not fitted, with findings of other studies.

    \b
    simulate reproduce --out reproduced
    simulate reproduce --hypothesis H5 --fit fits/H5/fit.json
    simulate reproduce --refit
    simulate reproduce --trial my-trial.toml
    """  # noqa: D301
    return carry_out(function, locals(), _show)


def _show(found: Result[Reproduction]) -> None:
    from simulate.studies.fitting.reproduction import NULL

    shown = found.value
    of = f"median and 90 % of studies repeated under {shown.posterior.hypothesis} and {NULL}"
    predicted = [row for row in shown.rows if row.fitted is not None]
    parts = (("Fitted", [row for row in predicted if row.is_used]),
             ("Not fitted", [row for row in predicted if not row.is_used]))  # fmt: skip
    print_text(_answer(shown))
    print_rich(*(_table(f"{title}: {of}", rows, shown.posterior, NULL) for title, rows in parts if rows))
    print_text("\n".join([*_unpredicted(shown.rows), _below(shown)]))


def _table(title: str, rows: Sequence[Row], posterior: Posterior, null: str) -> Table:
    headers = ("printed", "standing", "reported", posterior.hypothesis, "tail", null, "tail", "before the data")
    table = titled(title, headers)
    several = len({row.trial for row in rows if row.trial}) > 1
    for row in rows:
        name = " ".join(part for part in (row.trial if several else "", row.item, row.figure) if part)
        reported = row.direction if row.reported is None else f"{row.reported:g} {row.unit}".rstrip()
        table.add_row(
            name, row.standing, reported, _cell(row.fitted), _tail(row.fitted), _cell(row.null), _tail(row.null),
            _cell(row.before),
        )  # fmt: skip
    return table


def _answer(shown: Reproduction) -> str:
    """How many of the figures that were fitted lie where the fit has them, and which do not."""
    fitted = [row for row in shown.rows if row.is_used and row.fitted is not None]
    outside = [f"{row.item} {row.figure}".rstrip() for row in fitted if _is_outside(row)]
    told = (
        f"{len(fitted) - len(outside)} of {len(fitted)} reported values that were fitted are as studies repeated under"
    )
    return f"{told} {shown.posterior.hypothesis} have them" + (f"; not: {', '.join(outside)}" if outside else "")


def _is_outside(row: Row) -> bool:
    """Whether a figure lies outside of 90 % of repeated studies, or most of these go another direction."""
    tail = None if row.fitted is None else row.fitted.tail_probability
    return tail is not None and (tail < 0.1 if row.reported is not None else tail > 0.5)


def _unpredicted(rows: Sequence[Row]) -> list[str]:
    """Statements of which nothing is predicted, by the reason."""
    by_reason: dict[str, dict[str, None]] = {}
    for row in rows:
        if row.fitted is None:
            by_reason.setdefault(row.reason, {})[row.item] = None
    return [f"not predicted, {reason}: {', '.join(items)}" for reason, items in by_reason.items()]


def _cell(predicted: Predicted | None) -> str:
    from simulate.results.tables import rounded

    if predicted is None:
        return ""
    numbers = (predicted.median, predicted.low, predicted.high)
    # Patients are counted, not measured to three digits.
    told = [f"{one:.0f}" if all(map(float.is_integer, map(float, numbers))) else rounded(one) for one in numbers]
    return f"{told[0]} [{told[1]}, {told[2]}]"


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
        "as repeated studies have them: within 90 % of these; a direction, where half of them or more go it",
        "a figure that the null, or the hypothesis before the data, predicts as well as the fit decides nothing",
    ]
    lines += [f"{one.hypothesis}: {one.diagnostics.weakness}" for one in (posterior, null) if one.diagnostics.weakness]
    lines += shown.assumptions
    return "\n".join([*lines, *(f"warning: {text}" for text in posterior.diagnostics.warnings)])
