"""``simulate vpop``: plausible patients made into populations that match what was printed, and what they say."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simulate.api.fitting import vpop as function
from simulate.cli.console import carry_out, print_rich, print_text, titled
from simulate.cli.options import Force, Hypothesis, Json, Tabled, defaults_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from simulate.inference.populations.conclusions import Answer, Conclusion
    from simulate.results.result import Result
    from simulate.studies.virtual.populations import VirtualPopulations
    from simulate.trials.design import Outcome


@defaults_of(function)
def vpop(
    hypothesis: Hypothesis,
    patients: Annotated[
        int, typer.Option("--patients", "-n", metavar="N", min=50, help="Plausible patients of the pool.")
    ],
    fewest: Annotated[
        int, typer.Option("--fewest", metavar="N", min=10, help="Patients that acceptance takes, at least.")
    ],
    chains: Annotated[int, typer.Option("--chains", metavar="N", min=2, help="Chains, walked together.")],
    steps: Annotated[
        int, typer.Option("--steps", metavar="N", min=3, help="Steps of a chain; the first third is left out.")
    ],
    as_published: Annotated[
        bool,
        typer.Option("--as-published", help="Walk chains once more as their authors' program does, a search only."),
    ],
    fit: Annotated[
        Path | None,
        typer.Option("--fit", metavar="FILE", help="Result of `simulate fit` to stand beside; else the shipped one."),
    ],
    seed: Annotated[int, typer.Option("--seed", metavar="S", help="Seed of everything random.")],
    out: Tabled,
    force: Force,
    as_json: Json = False,
) -> int:
    """Make plausible patients into populations that match the reported values, in three published ways.

    Acceptance, chains and reweighting begin with the same patients and match the same figures. What is concluded is
    printed for each way, with the spread between them, beside the posterior of a fit where there is one.

    \b
    simulate vpop
    simulate vpop --hypothesis H5 --fit fits/H5/fit.json --out vpop-H5
    simulate vpop --as-published
    """  # noqa: D301
    return carry_out(function, locals(), _show)


def _show(found: Result[VirtualPopulations]) -> None:
    print_rich(_populations(found.value), _conclusions(found.value))
    print_text("\n".join(_below(found.value)))


def _populations(result: VirtualPopulations) -> Table:
    title = f"{result.people.problem.label}: geometric mean (sd of the logarithm) of what is read"
    ties = [f"R of {tie.a.name} and {tie.b.name}" for tie in result.printed.ties]
    table = titled(title, ("population", "worth", *result.target.names, *ties, "summed distance"))
    target = result.target
    table.add_row(
        "target",
        "",
        *(f"{math.exp(mean):.3g} ({sd:.2f})" for mean, sd in zip(target.mean, target.sd, strict=True)),
        *(f"{tie.rho:.2f}" for tie in result.printed.ties),
        "",
    )
    for name, made in result.made.items():
        table.add_row(
            name,
            f"{made.effective:.0f}",
            *(f"{math.exp(mean):.3g} ({sd:.2f})" for mean, sd in zip(made.mean, made.sd, strict=True)),
            *(f"{value:.2f}" for value in made.correlations),
            f"{made.distances.sum():.2f}",
        )
    return table


def _conclusions(result: VirtualPopulations) -> Table:
    from simulate.studies.virtual.populations import question_of

    changes = result.people.changes
    questions = (question_of(result.people.problem.trial, part) for part in changes)
    table = titled("what they say, with 90 % intervals", ("population", *questions))
    others = dict(result.others)
    table.add_row("pool, before any figure", *_shown(changes, others.pop("pool")))
    for name in result.ways:
        table.add_row(name, *_shown(changes, tuple(row.answers[name] for row in result.conclusions)))
    table.add_row("spread between ways", *map(_spread, changes, result.conclusions))
    table.add_row("", *("method-dependent" if row.is_method_dependent else "" for row in result.conclusions))
    for name, answers in others.items():
        table.add_row(name, *_shown(changes, answers))
    if result.posterior is not None:
        table.add_row("posterior of the fit", *_shown(changes, result.posterior))
    return table


def _percent(change: Outcome, value: float) -> float:
    """A share, or the change that a change of the logarithm is, in percent."""
    return 100.0 * (value if change.way else math.expm1(value))


def _shown(changes: Sequence[Outcome], answers: Sequence[Answer]) -> list[str]:
    shown = []
    for change, answer in zip(changes, answers, strict=True):
        middle, low, high = (_percent(change, value) for value in (answer.value, answer.low, answer.high))
        shown.append(f"{middle:.1f} % [{low:.1f}, {high:.1f}]")
    return shown


def _spread(change: Outcome, found: Conclusion) -> str:
    values = [_percent(change, answer.value) for answer in found.answers.values()]
    return f"{max(values) - min(values):.1f}"


def _below(result: VirtualPopulations) -> list[str]:
    from simulate.studies.virtual.tables import CAVEATS

    lines = []
    for level in result.printed.levels:
        reading = f", read as: {level.reading}" if level.reading else ""
        lines.append(f"{level.statistic.name}: the log-normal likeliest for `{level.item}`, n = {level.n}{reading}")
    for tie in result.printed.ties:
        reading = f", read as: {tie.reading}" if tie.reading else ""
        lines.append(f"R of {tie.a.name} and {tie.b.name}: `{tie.item}`, n = {tie.n}{reading}")
    if result.refused:
        lines.append(f"{100.0 * result.refused:.1f} % of the plausible patients have no steady baseline")
    for name, made in result.made.items():
        facts = [f"{key} {value:.3g}" if isinstance(value, float) else value for key, value in made.facts.items()]
        if name != "pool":
            lines.append(f"{name}: {', '.join(facts)}")
        lines += [f"warning: {name}: {text}" for text in made.warnings]
    lines += [f"warning: {name} could not be made: {reason}" for name, reason in result.absent.items()]
    lines += result.people.problem.assumptions
    if result.weakness:
        lines.append(f"posterior of the fit: {result.weakness}")
    if result.posterior is None:
        lines.append("no posterior of today's numbers: fit with `simulate fit`, and name the result with --fit")
    return lines + list(CAVEATS)
