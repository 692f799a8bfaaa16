"""``simulate trial``: the study again and again, as it was and as it could be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from simulate.api.studying import trial as function
from simulate.cli.options import Figured, Fit, Fits, Force, Hypothesis, Json, Threads, Trials, defaults_of

if TYPE_CHECKING:
    from rich.table import Table

    from simulate.studies.trials.power import Interval
    from simulate.studies.trials.power import SimulatedTrials as Result


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
    studies: Annotated[int, typer.Option("--studies", metavar="N", min=100, help="Studies, at least.")],
    draws: Annotated[int, typer.Option("--draws", metavar="N", min=8, help="Draws of the fit.")],
    patients: Annotated[
        int, typer.Option("--patients", metavar="N", min=16, help="Virtual patients of each draw; a power of two.")
    ],
    seed: Annotated[int, typer.Option("--seed", metavar="S", help="Seed of the studies.")],
    threads: Threads,
    out: Figured,
    force: Force,
    as_json: Json = False,
) -> int:
    """Repeat the study thousands of times: power, errors of sign and size, and the printed figures among the others.

    Populations are draws of a fit; their patients are simulated once, and studies are drawn from them.

    \b
    simulate trial
    simulate trial --n 40 --placebo 40 --end "12 weeks" --complete
    simulate trial --arm "40: 100 mg sc every 24 h" --arm "40: 100 mg sc every 48 h" --arm "40: none"
    simulate trial --trial my-trial.toml    # a trial that is planned needs no evidence
    simulate trial -H H5 --fit fits/H5/fit.json --regimen "100 mg sc every 12 h" --out trial
    """  # noqa: D301
    from simulate.cli.console import print_json, print_rich, print_text, progress

    found = function(
        hypothesis,
        trial=trial,
        fit=fit,
        fits=fits,
        n=n,
        regimen=regimen,
        placebo=placebo,
        control=control,
        arms=arms,
        end=end,
        complete=complete,
        studies=studies,
        draws=draws,
        patients=patients,
        seed=seed,
        threads=threads,
        out=out,
        force=force,
        progress=progress,
    )
    if as_json:
        print_json(found.document)
    else:
        print_rich(_effects(found.value))
        if found.value.ranks:
            print_rich(_printed(found.value))
        print_text("\n".join(_below(found.value)))
    return 0


def _effects(result: Result) -> Table:
    from rich import box
    from rich.table import Table

    title = f"{result.draws.problem.hypothesis}, {result.design.title}"
    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left")
    columns = ("effect", "n", "truth (90 % of populations)", "test", "p < 0.05", "wrong sign", "exaggeration")
    for header in columns:
        table.add_column(header)
    before = ""
    for row in result.powers:
        truth = f"{row.truth:.2f} ({row.truth_interval[0]:.2f}, {row.truth_interval[1]:.2f})"
        table.add_row(
            *((row.title, str(row.n), truth) if row.effect != before else ("", "", "")),
            row.test,
            _shown(row.power, row.power_interval, "{:.2f}"),
            _shown(row.wrong_sign, row.wrong_sign_interval, "{:.3f}"),
            _shown(row.exaggeration, row.exaggeration_interval, "{:.1f}"),
        )
        before = row.effect
    return table


def _shown(value: float | None, interval: Interval | None, form: str) -> str:
    if value is None or interval is None:
        return "no effect to find"
    low, high = (form.format(end) for end in interval)
    return f"{form.format(value)} [{low}, {high}]"


def _printed(result: Result) -> Table:
    from rich import box
    from rich.table import Table

    title = "The printed figures among repeated studies"
    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left")
    for header in ("printed", "reported", "repeated studies", "rank", "tail"):
        table.add_column(header)
    for row in result.ranks:
        table.add_row(
            f"{row.item} {row.figure}",
            f"{row.reported:g} {row.unit}".rstrip(),
            f"{row.median:.3g} [{row.low:.3g}, {row.high:.3g}]",
            f"{row.rank:.3f} ± {row.error:.3f}",
            f"{row.tail:.2g}",
        )
    return table


def _below(result: Result) -> list[str]:
    several = bool(result.design.others)
    arms = [(f"treated ({arm.name})" if several else "treated", arm.n) for arm in result.design.treated]
    if result.design.controls:
        arms.append((f"controls ({result.design.control})" if several else "controls", result.design.controls))
    lines = [f"{result.studies} studies of {result.draws.origin}, {result.patients} virtual patients of each"]
    for arm, size in arms:
        part = result.design.sizes(size)
        lines.append(
            f"{arm}: {part.enrolled} enrolled, {part.stayed} to {result.design.trial.visits[-1].name}; read at the "
            "first visit, and at the last as well: "
            + ", ".join(f"{name} {part.first[name]}, {part.both[name]}" for name in part.first)
        )
    lines.append("brackets: 95 % intervals of the simulation; truth: the mean of a population, without noise")
    if not result.design.controls:
        lines.append("without a second arm a change is no effect of the drug: it holds whatever else changes as well")
    if result.refused:
        lines.append(f"{100.0 * result.refused:.1f} % of the virtual patients have no steady baseline")
    return lines
