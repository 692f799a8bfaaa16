"""``simulate sensitivity``: what an endpoint depends on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from simulate.api.varying import sensitivity as function
from simulate.cli.console import carry_out, print_rich, print_text, titled
from simulate.cli.options import (
    Drawn,
    End,
    Figured,
    Fit,
    Force,
    Hypothesis,
    Json,
    Settings,
    Threads,
    Vary,
    chosen_settings,
    defaults_of,
)

if TYPE_CHECKING:
    from rich.table import Table

    from simulate.results.result import Result
    from simulate.studies.sensitivity.analysis import Sensitivity
    from simulate.studies.sensitivity.question import SensitivityQuestion


@defaults_of(function)
def sensitivity(
    scenario: Annotated[
        str, typer.Argument(metavar="SCENARIO", help="A shipped scenario, a TOML file, or a model (SBML, Antimony).")
    ],
    endpoint: Annotated[
        list[str],
        typer.Option(
            "--endpoint",
            "-e",
            metavar="QUANTITY[:SUMMARY][@DAY]",
            help="What is looked at; SUMMARY is value, change, mean, lowest or highest. May be given several times.",
        ),
    ],
    hypothesis: Hypothesis,
    by: Annotated[
        str | None,
        typer.Option(
            "--by",
            metavar="WHAT",
            help="Inputs: numbers (uncertain ones, for the typical patient; the default), patients (what differs; of a "
            "model the default), all, or groups.",
        ),
    ],
    arm: Annotated[str | None, typer.Option("--arm", metavar="NAME", help="Arm; the first if not given.")],
    hold: Annotated[list[str] | None, typer.Option("--hold", metavar="NAME", help="Input that stays in the middle.")],
    fit: Fit,
    settings: Settings,
    vary: Vary,
    end: End,
    n: Annotated[
        int, typer.Option("--n", "-n", metavar="N", min=0, help="Rows of the Sobol design, a power of two; 0: none.")
    ],
    trajectories: Annotated[
        int, typer.Option("--trajectories", metavar="N", min=0, help="Trajectories of the Morris design; 0: none.")
    ],
    local: Annotated[
        bool | None,
        typer.Option("--local/--no-local", help="Whether derivatives are asked for; by default if by numbers."),
    ],
    seed: Annotated[int, typer.Option("--seed", metavar="S", help="Seed of the designs.")],
    threads: Threads,
    out: Figured,
    force: Force,
    figures: Drawn,
    as_json: Json = False,
) -> int:
    """Show what an endpoint depends on: derivatives, elementary effects (Morris) and shares of variance (Sobol).

    Inputs are the free numbers of the hypothesis, on their priors or, with --fit, on what a fit has left of each, and
    what patients differ in. Those of a model are its parameters, each as far from its value as --vary says.

    \b
    simulate sensitivity anakinra-100mg-daily -e il17a:change -e ifng:change -H H1+H3a+H4
    simulate sensitivity anakinra-100mg-daily -e il17a:change -H H1 --by groups --n 1024
    simulate sensitivity anakinra-100mg-daily -e ifng:change -H H1+H6 --fit shipped
    simulate sensitivity anakinra-100mg-daily -e ck:change@91 --by patients --out sensitivity
    simulate sensitivity model.xml --end "10 h" -e S@5 --vary cv=0.3
    """  # noqa: D301
    chosen = chosen_settings(settings, vary=vary, hypothesis=hypothesis)

    def show(found: Result[tuple[SensitivityQuestion, tuple[Sensitivity, ...]]]) -> None:
        question, results = found.value
        for part in results:
            print_rich(_table(question, part))
            print_text("\n".join(_below(part)))
        if question.draws is not None:
            origin = question.draws.origin
            print_text(f"numbers vary within {origin}, each by itself: what goes together in it has no part")
        elif fit is not None and question.problem.free:
            print_text("numbers vary within their priors")
        for line in question.assumptions:
            print_text(line)
        if question.unvaried:
            print_text(f"not varied, as they act between patients only: {', '.join(question.unvaried)}")

    return carry_out(function, locals(), show, settings=chosen, hypothesis=None, vary=None)


def _table(question: SensitivityQuestion, found: Sensitivity) -> Table:
    from simulate.studies.sensitivity.tables import rows

    unit = found.endpoint.unit
    # A user's model has no hypothesis of its own.
    of = question.problem.label if question.problem.free else question.study.scenario.title
    title = f"{found.endpoint.title}{f' ({unit})' if unit else ''}, {of}"
    columns = ("input", "at 5 … 95 %", "slope per sd", "share with interactions", "share alone", "effect (spread)")
    table = titled(title, (*columns, "meaning"))
    for row in rows(question, found):
        swing = "" if row["low"] is None else f"{row['low']:.4g} … {row['high']:.4g}"
        effect = "" if row["effect_size"] is None else f"{row['effect_size']:.3g} ({row['effect_spread']:.3g})"
        slope = "" if row["slope"] is None else f"{row['slope']:.3g}"
        table.add_row(
            row["input"], swing, slope, _share(found, row, "total"), _share(found, row, "first"), effect, row["meaning"]
        )
    return table


def _share(found: Sensitivity, row: dict[str, float | None], name: str) -> str:
    import numpy as np

    from simulate.studies.sensitivity.tables import UNDEFINED, UNKNOWN, are_known

    if found.shares is None:
        return ""
    value, low, high = row[name], row[f"{name}_low"], row[f"{name}_high"]
    if value is None or low is None or high is None:
        return UNDEFINED
    if not are_known(np.array([[low, high]])).all():
        return UNKNOWN
    return f"{value:.2f} [{low:.2f}, {high:.2f}]".replace("-0.00", "0.00")


def _below(found: Sensitivity) -> list[str]:
    unit = f" {found.endpoint.unit}".rstrip()
    lines = [f"in the middle of all inputs {found.middle:.4g}{unit}"]
    shares = found.shares
    if shares is not None and not shares.is_defined:
        return [*lines, f"it is {shares.mean:.4g}{unit} whatever the inputs: shares of its variance are undefined"]
    if shares is not None:
        spread = shares.variance**0.5
        lines.append(f"over the inputs mean {shares.mean:.4g}, standard deviation {spread:.4g}{unit}")
        widest = float((shares.total_interval[:, 1] - shares.total_interval[:, 0]).max())
        if widest > 0.2:
            lines.append(f"warning: an interval of a share is {widest:.2f} wide: more rows, --n")
    return lines
