"""``simulate trial``: the study again and again, as it was and as it could be."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated

import typer

from simulate.api.studying import trial as function
from simulate.cli.console import carry_out, print_rich, print_text, titled
from simulate.cli.options import Drawn, Figured, Fit, Fits, Force, Hypothesis, Json, Threads, Trials, defaults_of
from simulate.errors import counted

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from simulate.results.result import Result
    from simulate.studies.power.power import Power, SimulatedTrials
    from simulate.studies.power.repeats import Interval


@defaults_of(function)
def trial(
    hypothesis: Hypothesis,
    trial: Trials,
    fit: Fit,
    fits: Fits,
    n: Annotated[
        int | None,
        typer.Option("--n", "-n", metavar="N", help="Patients who are treated, if not as in the trial."),
    ],
    regimen: Annotated[
        str | None, typer.Option("--regimen", metavar="TEXT", help="What they are given; as in the trial if not said.")
    ],
    placebo: Annotated[
        int | None,
        typer.Option("--placebo", metavar="N", help="Patients of a second arm, if not as in the trial; 0: none."),
    ],
    control: Annotated[
        str | None,
        typer.Option("--control", metavar="TEXT", help="What the second arm is given; nothing, or as in the trial."),
    ],
    arms: Annotated[
        list[str] | None,
        typer.Option("--arm", metavar="TEXT", help='An arm, such as "40: 100 mg sc every 24 h"; repeat it for each.'),
    ],
    end: Annotated[
        str | None, typer.Option("--end", metavar="TIME", help='Time of the last visit, such as "12 weeks".')
    ],
    complete: Annotated[bool, typer.Option("--complete", help="All stay, and all give cells at both visits.")],
    endpoints: Annotated[
        list[str] | None,
        typer.Option(
            "--endpoint",
            metavar="NAME[, TEST]",
            help='An outcome that is judged together with others, such as ifng or "ifng, t"; repeat it for each.',
        ),
    ],
    correction: Annotated[
        str | None,
        typer.Option(
            "--correction",
            metavar="holm|hochberg|bonferroni|none",
            help="How p-values of several endpoints are adjusted; holm, if the trial does not say.",
        ),
    ],
    alpha: Annotated[
        float | None,
        typer.Option("--alpha", metavar="X", help="Level of the tests, and of all endpoints together; 0.05."),
    ],
    sizes: Annotated[
        str | None,
        typer.Option("--sizes", metavar="N,N,…|N:N:HOW MANY", help="A curve of power over the number of patients."),
    ],
    studies: Annotated[int, typer.Option("--studies", metavar="N", min=100, help="Studies, at least.")],
    draws: Annotated[int, typer.Option("--draws", metavar="N", min=8, help="Draws of the fit.")],
    patients: Annotated[
        int, typer.Option("--patients", metavar="N", min=16, help="Virtual patients of each draw; a power of two.")
    ],
    seed: Annotated[int, typer.Option("--seed", metavar="S", help="Seed of the studies.")],
    threads: Threads,
    out: Figured,
    force: Force,
    figures: Drawn,
    as_json: Json = False,
) -> int:
    """Repeat the study thousands of times: power, errors of sign and size, and the reported values among the others.

    Populations are draws of a fit; their patients are simulated once, and studies are drawn from them.

    \b
    simulate trial
    simulate trial --n 40 --placebo 40 --end "12 weeks" --complete
    simulate trial --arm "40: 100 mg sc every 24 h" --arm "40: 100 mg sc every 48 h" --arm "40: none"
    simulate trial --endpoint ifng --endpoint il17a --correction holm --alpha 0.05 --sizes 10:80:8
    simulate trial --trial my-trial.toml    # a trial that is planned needs no evidence
    simulate trial -H H5 --fit fits/H5/fit.json --regimen "100 mg sc every 12 h" --out trial
    """  # noqa: D301
    return carry_out(function, locals(), _show)


def _show(found: Result[SimulatedTrials]) -> None:
    print_rich(*_effects(found.value))
    if found.value.together:
        print_rich(_together(found.value))
    if found.value.curves:
        print_rich(_curves(found.value))
    if found.value.ranks:
        print_rich(_printed(found.value))
    print_text("\n".join(_below(found.value)))


_WIDTHS = (21, 17, 20, 17)
"""Characters of the columns: together with what stands between them they fit into a line of 80."""


def _effects(result: SimulatedTrials) -> list[RenderableType]:
    """Each effect in a line, and below it its tests; all in one grid."""
    from rich import box
    from rich.table import Table

    head = Table(box=box.SIMPLE_HEAD, padding=0, show_edge=False)
    level = f"p < {result.analysis.alpha:g}"
    for header, width in zip(("effect and test", level, "wrong sign", "exaggeration"), _WIDTHS, strict=True):
        head.add_column(header, width=width)
    parts: list[RenderableType] = [f"{result.draws.problem.label}, {result.design.title}\n", head]
    grid = head
    before = ""
    for row in result.powers:
        if row.effect != before:
            parts.append(f"{row.title}, n {row.n}: {_truth(row)}")
            grid = Table.grid(padding=(0, 1, 0, 0))
            for width in _WIDTHS:
                grid.add_column(width=width)
            parts.append(grid)
        before = row.effect
        grid.add_row(
            f"  {row.test}",
            _shown(row.power, row.power_interval, "{:.2f}"),
            _shown(row.wrong_sign, row.wrong_sign_interval, "{:.3f}"),
            _shown(row.exaggeration, row.exaggeration_interval, "{:.1f}"),
        )
    return parts


def _truth(row: Power) -> str:
    """What is behind an effect, and what it is measured in: a change of a logarithm is the ratio that it stands for."""
    from simulate.studies.power.repeats import LOGARITHM, SHARE

    numbers = (row.truth, *row.truth_interval)
    is_ratio = row.scale == LOGARITHM
    label = "ratio " if is_ratio else "share " if row.scale == SHARE else ""
    middle, low, high = (f"{math.exp(number) if is_ratio else number:.2f}" for number in numbers)
    return f"{label}{middle} ({low}, {high})"


def _together(result: SimulatedTrials) -> Table:
    analysis = result.analysis
    title = f"Endpoints together, share of the studies with p < {analysis.alpha:g}"
    table = titled(title, ("endpoint", "test", "each alone", analysis.correction), padding=0, show_edge=False)
    for row in result.together:
        table.add_row(
            row.endpoint,
            row.test,
            _shown(row.raw, row.raw_interval, "{:.2f}"),
            _shown(row.corrected, row.corrected_interval, "{:.2f}"),
        )
    return table


def _curves(result: SimulatedTrials) -> Table:
    analysis = result.analysis
    is_corrected = len(analysis.endpoints) > 0
    how = analysis.correction if is_corrected else "each alone"
    names = [row.endpoint for row in result.curves[0].endpoints]
    title = f"Share with p < {analysis.alpha:g}, {how}, by patients"
    table = titled(title, ("patients", *names), padding=0, show_edge=False)
    for point in result.curves:
        sizes = f"{point.n} + {point.controls}" if point.controls else f"{point.n}"
        table.add_row(sizes, *(f"{row.corrected if is_corrected else row.raw:.2f}" for row in point.endpoints))
    return table


def _shown(value: float | None, interval: Interval | None, form: str) -> str:
    if value is None or interval is None:
        return "no effect"
    low, high = (form.format(end) for end in interval)
    return f"{form.format(value)} [{low}, {high}]"


def _short(value: float) -> str:
    """Two digits, and thousands without an exponent."""
    return f"{float(f'{value:.2g}'):g}"


def _printed(result: SimulatedTrials) -> Table:
    title = "The reported values among repeated studies"
    table = titled(title, ("printed", "reported", "repeated studies", "rank", "tail"), padding=0, show_edge=False)
    for row in result.ranks:
        table.add_row(
            f"{row.item} {row.figure}",
            f"{row.reported:g} {row.unit}".rstrip(),
            f"{_short(row.median)} [{_short(row.low)}, {_short(row.high)}]",
            f"{row.rank:.3f} ± {row.error:.3f}",
            f"{row.tail:.2g}",
        )
    return table


def _below(result: SimulatedTrials) -> list[str]:
    lines = [
        f"{counted(result.studies, 'study')} of {result.draws.origin}, "
        f"{counted(result.patients, 'virtual patient')} of each"
    ]
    for arm, part in result.design.arms.items():
        lines.append(
            f"{arm}: {part.enrolled} enrolled, {part.stayed} to {result.design.trial.visits[-1].name}; read at the "
            "first visit, and at the last as well: "
            + ", ".join(f"{name} {part.first[name]}, {part.both[name]}" for name in part.first)
        )
    lines.append(
        "behind each effect: the mean of a population without noise, its median and 90 % of the populations; "
        "ratio: to what the mean of the logarithm changes, 1.10 for 10 % more; "
        "brackets: 95 % intervals of the simulation; no effect: there is none to find"
    )
    lines += result.assumptions
    if not result.design.controls:
        lines.append("without a second arm a change is no effect of the drug: it holds whatever else changes as well")
    if result.together:
        lines.append(
            "together: any, at least one endpoint is significant; all, each of them; a study that must find all "
            "needs no correction"
        )
    if result.refused:
        lines.append(f"{100.0 * result.refused:.1f} % of the virtual patients have no steady baseline")
    return lines
