"""``simulate design``: which measurement would tell hypotheses apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from simulate.api.studying import design as function
from simulate.cli.console import carry_out, print_rich, print_text, titled
from simulate.cli.options import Drawn, Figured, Fits, FitsOfEach, Force, Json, Threads, Trials, defaults_of
from simulate.errors import counted

if TYPE_CHECKING:
    from rich.table import Table

    from simulate.results.result import Result
    from simulate.studies.measuring.ranking import Ranking


@defaults_of(function)
def design(
    hypotheses: Annotated[
        list[str] | None,
        typer.Argument(metavar="[HYPOTHESIS]...", help="Two or more; H0 to H5 if none is given.", show_default=False),
    ],
    measurement: Annotated[
        list[str] | None,
        typer.Option("--measurement", metavar="NAME|FILE", help="One of the catalogue, or a file; all if not given."),
    ],
    trial: Trials,
    fit: FitsOfEach,
    fits: Fits,
    draws: Annotated[int, typer.Option("--draws", metavar="K", min=10, help="Draws of each hypothesis.")],
    patients: Annotated[
        int, typer.Option("--patients", metavar="N", min=8, help="Virtual patients of each draw; a power of two.")
    ],
    repeats: Annotated[
        int, typer.Option("--repeats", metavar="N", min=20, help="Simulated measurements under each hypothesis.")
    ],
    seed: Annotated[int, typer.Option("--seed", metavar="S", help="Seed of draws and simulated measurements.")],
    threads: Threads,
    out: Figured,
    force: Force,
    figures: Drawn,
    as_json: Json = False,
) -> int:
    """Rank measurements by what they are expected to tell between hypotheses, alone and together.

    A hypothesis is what its fit has left of it, shipped or in the folder of fits; without a fit it is its prior.

    \b
    simulate design
    simulate design H0 H1+H3a+H4 --out design
    simulate design H1 H4 --measurement paired-non-responders --measurement my-measurement.toml
    """  # noqa: D301
    return carry_out(function, locals(), _show)


def _show(found: Result[Ranking]) -> None:
    print_rich(_table(found.value))
    if len(found.value.rows) > 1:
        print_rich(_together(found.value))
    print_text("\n".join(_below(found.value)))


def _table(ranking: Ranking) -> Table:
    from simulate.studies.measuring.ranking import SIZES

    title = f"Information in nats; at most {ranking.entropy:.2f} between the hypotheses"
    headers = (
        "rank", "measurement", "answers", "n", "between", "of", "within", "decides", "misleads (3:1)", "n for 10:1",
        "cost", "per cost",
    )  # fmt: skip
    table = titled(title, headers)
    for row in ranking.rows:
        needed = f"over {SIZES[-1]}" if row.n_needed is None else f"{row.n_needed}"
        table.add_row(
            str(row.rank),
            row.measurement.title,
            row.measurement.answers,
            str(row.measurement.n),
            f"{_zero(row.gain.between):.3f} ± {row.gain.error:.3f}",
            f"{100.0 * _zero(row.gain.between) / ranking.entropy:.0f} %",
            f"{_zero(row.gain.within):.2f}",
            f"{row.decided:.2f} [{row.decided_interval[0]:.2f}, {row.decided_interval[1]:.2f}]",
            f"{row.misled_3:.3f} [{row.misled_3_interval[0]:.3f}, {row.misled_3_interval[1]:.3f}]",
            needed + ("?" if row.n_is_sparse else ""),
            f"{row.measurement.cost:g}",
            f"{_zero(row.per_cost):.4f}",
        )
    return table


def _zero(value: float) -> float:
    """The value, or 0 where rounding has left a little below it."""
    return max(value, 0.0)


def _together(ranking: Ranking) -> Table:
    table = titled("One after the other", ("measurement", "adds", "between, of all so far", "cost of all so far"))
    for step in ranking.steps:
        table.add_row(
            step.measurement.title,
            f"{step.added:.3f} ± {step.error:.3f}",
            f"{step.gain.between:.3f}",
            f"{step.cost:g}",
        )
    return table


def _below(ranking: Ranking) -> list[str]:
    from simulate.studies.measuring.ranking import GAP
    from simulate.studies.measuring.tables import NOT_IN_THE_MODEL

    lines = [f"{pool.draws.problem.label}: {pool.draws.origin}" for pool in ranking.pools]
    lines.append(
        f"{counted(ranking.patients, 'virtual patient')} of each draw, "
        f"{counted(ranking.measurements, 'simulated measurement')} under each "
        "hypothesis; measurements within 2 standard errors share a rank"
    )
    if any(row.n_is_sparse for row in ranking.rows):
        lines.append("question mark: the draws are too few for an exact number: more --draws")
    lines += ranking.assumptions
    for row in ranking.rows:
        if row.gap > GAP:
            lines.append(
                f"warning: {row.measurement.name}: estimates from {row.bound:.3f} (classifier, a lower bound) and "
                f"{row.gain.between:.3f} to {row.gain.with_own:.3f} (own draw left in)"
            )
        if row.gain.is_sparse:
            lines.append(
                f"warning: {row.measurement.name}: a measurement is likely under {row.gain.effective:.1f} draws of its "
                "hypothesis (5 % quantile; 10 are wanted): more --draws"
            )
    lines += [f"{row.measurement.name}: {row.measurement.note}" for row in ranking.rows if row.measurement.note]
    return lines + [f"not in the catalogue: {text}" for text in NOT_IN_THE_MODEL]
