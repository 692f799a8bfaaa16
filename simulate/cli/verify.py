"""``simulate verify``: whether this machine gives the bits and the accuracy that are promised."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from simulate.api.inspecting import verify as function
from simulate.cli.console import carry_out, print_rich, print_text, say, titled
from simulate.cli.options import (
    Draws,
    End,
    Every,
    Fit,
    Hypothesis,
    Json,
    Patients,
    Settings,
    Vary,
    chosen_settings,
    defaults_of,
)
from simulate.errors import NotConverged, counted

if TYPE_CHECKING:
    from rich.table import Table

    from simulate.errors import NotConverged
    from simulate.results.result import Result
    from simulate.studies.verification import Verification


@defaults_of(function)
def verify(
    scenario: Annotated[
        str,
        typer.Argument(
            metavar="[SCENARIO|MODEL]", help="A shipped scenario, a TOML file, or a model (SBML, Antimony)."
        ),
    ],
    hypothesis: Hypothesis,
    fit: Fit,
    draws: Draws,
    settings: Settings,
    vary: Vary,
    patients: Patients,
    seed: Annotated[int | None, typer.Option("--seed", metavar="S", help="Seed of the cohort and the sample.")],
    end: End,
    every: Every,
    share: Annotated[
        float, typer.Option("--share", metavar="X", min=0.0, max=1.0, help="Share that SciPy solves again.")
    ],
    as_json: Json = False,
) -> int:
    """Verify a scenario or a model on this machine: the same bits however it is run, and the error actually made.

    The cohort is solved on several numbers of threads, in other orders, in batches of several sizes and in pieces, and
    every bit is compared. A random 1 % of the trajectories, three at least, is solved again by SciPy, and ten times as
    many by the other kind of method, at a tolerance a thousand times tighter. Exit code 5 if anything is wrong, such as
    an error of a state of more than 1000 tolerances, or where no tolerance is tighter.

    \b
    simulate verify
    simulate verify dose-arms --patients 1000
    simulate verify my-scenario.toml --json
    simulate verify model.xml --end "10 h" --vary cv=0.3
    """  # noqa: D301
    chosen = chosen_settings(
        settings, vary=vary, hypothesis=hypothesis, fit=fit, draws=draws, patients=patients, seed=seed
    )
    given = {"scenario": scenario, "settings": chosen, "end": end, "every": every, "share": share, "as_json": as_json}
    return carry_out(function, given, _show, judge=lambda result: _fault(result.value))


def _show(result: Result[Verification]) -> None:
    print_rich(_repetitions(result.value), _errors(result.value))
    for line in result.value.assumptions:
        say(line)
    print_text(_verdict(result.value))


def _fault(found: Verification) -> NotConverged | None:
    if found.passed:
        return None
    return NotConverged(
        f"the scenario `{found.scenario}` is not solved as promised",
        code="verify.failed",
        found="; ".join(found.faults),
        expected="the same bits in every way of solving, and errors within their limits",
        advice="a smaller solver.rtol for an error that is too large; report bits that differ, with this machine, to "
        "the maintainers",
    )


def _repetitions(found: Verification) -> Table:
    table = titled("the same bits, however it is solved", title_style="bold", pad_edge=False)
    table.add_column("solved again")
    table.add_column("trajectories", justify="right")
    table.add_column("differ", justify="right")
    for row in found.repetitions:
        table.add_row(row.way, str(row.trajectories), "none" if not row.differing else str(row.differing))
    return table


def _errors(found: Verification) -> Table:
    from simulate.results.tables import rounded
    from simulate.studies.visits import time_words

    solved = [judge.trajectories - judge.given_up for judge in found.judges]
    judges = " and ".join(
        f"{judge.method} at {judge.rtol:.0e} ({counted(number, 'trajectory')})"
        for judge, number in zip(found.judges, solved, strict=True)
    )
    table = titled(f"the error made, against {judges}", title_style="bold", pad_edge=False)
    table.add_column("quantity")
    table.add_column("largest error", justify="right")
    table.add_column("in tolerances", justify="right")
    table.add_column("where")
    for row in sorted(found.errors, key=lambda row: -row.relative):
        place = f"patient {row.patient}, {time_words(row.day, found.time_unit)}" + (
            f", {row.arm}" if found.arms > 1 else ""
        )
        table.add_row(
            row.quantity,
            f"{row.relative:.1e}",
            "" if row.ratio is None else rounded(row.ratio),
            place if row.relative > 0.0 else "",
        )
    return table


def _verdict(found: Verification) -> str:

    worst = max(found.errors, key=lambda row: row.relative, default=None)
    failed = f", of which {counted(found.failed, 'trajectory')} failed alike" if found.failed else ""
    under = "" if found.hypothesis == "none" else f", hypothesis {found.hypothesis}"
    return (
        f"{'verified' if found.passed else 'NOT verified'}: {found.scenario}{under}, "
        f"{counted(found.patients, 'patient')}{failed}; {found.method} at {found.rtol:g}; "
        + ("errors not judged" if worst is None else f"largest error {worst.relative:.1e} in {worst.quantity}")
    )
