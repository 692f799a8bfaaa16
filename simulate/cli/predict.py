"""``simulate predict``: what hypotheses say of what was not measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from simulate.api.comparing import predict as function
from simulate.cli.console import carry_out, print_rich, print_text, titled
from simulate.cli.options import Drawn, EvidenceName, Figured, Fits, FitsOfEach, Force, Json, Trials, defaults_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from simulate.results.result import Result
    from simulate.studies.prediction.prediction import PredictedAnswer, Prediction


@defaults_of(function)
def predict(
    hypotheses: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME|FILE]...", help="Hypotheses; all single ones that ship, and H1+H6, if none is given."
        ),
    ],
    evidence: EvidenceName,
    trial: Trials,
    draws: Annotated[int, typer.Option("--draws", metavar="N", min=8, help="Populations of each hypothesis.")],
    patients: Annotated[int, typer.Option("--patients", "-n", metavar="N", min=8, help="Patients of each population.")],
    fit: FitsOfEach,
    fits: Fits,
    seed: Annotated[int, typer.Option("--seed", metavar="S", help="Seed of patients and of draws of a prior.")],
    out: Figured,
    force: Force,
    figures: Drawn,
    as_json: Json = False,
) -> int:
    """Predict what was not measured: courses, double positives, doses, wash-out, responders, muscle.

    Bands are over draws of a fit where one of today's numbers ships or lies in the folder of fits, else over draws of
    the prior, unless --fit names others; the table says which. Beside each stands what the literature expects.

    \b
    simulate predict
    simulate predict H1 H4 mine.toml --out predicted
    simulate predict H1 H4 --fit prior
    """  # noqa: D301
    return carry_out(function, locals(), _show)


def _show(found: Result[tuple[Prediction, ...]]) -> None:
    print_rich(_table(found.value))
    fitted = any(part.source == "fit" for part in found.value)
    standing = [f"evidence of the fits: {(found.document or {})['evidence']}"] if fitted else []
    print_text("\n".join((*standing, *_below(found.value))))


_ARROWS = {"up": "↑", "down": "↓", "flat": "→"}


def _table(predictions: Sequence[Prediction]) -> Table:
    table = titled(
        "Mean change of a population since baseline, %: median and 90 % of the populations",
        ("", *(f"{part.hypothesis} ({part.source})" for part in predictions)),
    )
    for index, answer in enumerate(predictions[0].answers):
        table.add_row(answer.question.text, *(_cell(part.answers[index]) for part in predictions))
    return table


def _cell(answer: PredictedAnswer) -> str:
    if answer.band is None:
        return "not in the model"
    low, middle, high = (
        "0" if abs(value) < 0.05 else f"{value:+.1f}"
        for value in (answer.band.low, answer.band.median, answer.band.high)
    )
    text = middle if low == high else f"{middle} [{low}, {high}]"
    text += f" {_ARROWS[answer.sign]}" if len(answer.signs) == 1 else f" ({_ARROWS[answer.sign]})"
    if answer.agrees is False:
        text += f" expected {'/'.join(_ARROWS[way] for way in sorted(answer.expected))}"
    return text


def _below(predictions: Sequence[Prediction]) -> list[str]:
    from simulate.studies.prediction.prediction import APART, LITTLE
    from simulate.studies.prediction.questions import ABSENT

    counted = [answer.agrees for part in predictions for answer in part.answers if answer.agrees is not None]
    lines = [
        f"→ is a change below {LITTLE:g} %, or a difference below {APART:g} points; in parentheses: "
        "the band holds other directions as well",
        f"as the literature expects: {sum(counted)} of {len(counted)} for which it expects something",
        f"not in the model: {', '.join(ABSENT)}",
    ]
    priors = [part.hypothesis for part in predictions if part.source == "prior"]
    if priors:
        lines.append(f"draws of the prior for {', '.join(priors)}")
    lines += dict.fromkeys(text for part in predictions for text in part.assumptions)
    lines += [f"{part.hypothesis}: {part.weakness}" for part in predictions if part.weakness]
    return lines + [
        f"{part.hypothesis}: {100.0 * part.refused:.1f} % of the patients have no steady baseline"
        for part in predictions
        if part.refused > 0.005
    ]
