"""``simulate calibrate``: whether the fit finds what is known to be true."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from simulate.api.fitting import calibrate as function
from simulate.cli.console import carry_out, print_rich, print_text, titled
from simulate.cli.options import Force, Hypothesis, Json, Tabled, Trials, defaults_of
from simulate.errors import NotConverged

if TYPE_CHECKING:
    from rich.table import Table

    from simulate.results.result import Result
    from simulate.studies.fitting.calibration import Calibration


@defaults_of(function)
def calibrate(
    hypothesis: Hypothesis,
    trial: Trials,
    repeats: Annotated[int, typer.Option("--repeats", metavar="N", min=8, help="Made-up abstracts.")],
    particles: Annotated[int, typer.Option("--particles", metavar="N", min=16, help="Particles of each fit.")],
    patients: Annotated[int, typer.Option("--patients", "-n", metavar="N", min=8, help="Virtual patients.")],
    seed: Annotated[int, typer.Option("--seed", metavar="S", help="Seed of everything.")],
    out: Tabled,
    force: Force,
    as_json: Json = False,
) -> int:
    """Fit abstracts that are made up from known parameters, and count how often they are found.

    If the fit is right, the true value lies anywhere among the draws of its posterior with the same probability. Exit
    code 5 if ranks are more uneven than one table in a hundred would have them.

    \b
    simulate calibrate --repeats 100
    simulate calibrate --hypothesis H5 --json
    """  # noqa: D301
    return carry_out(function, locals(), _show, judge=_fault)


def _fault(result: Result[Calibration]) -> NotConverged | None:
    found = result.value
    if found.is_calibrated:
        return None
    worst = int(found.p_values.argmin())
    return NotConverged(
        "the fit does not find what is true as often as it says",
        code="fit.calibration",
        found=f"ranks of `{found.names[worst]}` have p = {found.p_values[worst]:.2g}",
        expected=f"p of at least {0.01 / len(found.names):.2g} for each of {len(found.names)}",
        advice="try again with other seeds and more particles; if it stays, report it to the maintainers",
    )


def _show(result: Result[Calibration]) -> None:
    from simulate.studies.fitting.calibration import INTERVALS

    found = result.value
    print_rich(_table(found))
    mean = ", ".join(f"{100 * share:g} % intervals hold it {found.coverage(share).mean():.0%}" for share in INTERVALS)
    print_text(f"over all: {mean} of the time")


def _table(found: Calibration) -> Table:
    from simulate.studies.fitting.calibration import INTERVALS

    table = titled(
        f"{len(found.ranks)} made-up abstracts",
        ("true value of", "p of its ranks", *(f"in {100 * share:g} %" for share in INTERVALS)),
    )
    for column, name in enumerate(found.names):
        shares = [f"{found.coverage(share)[column]:.0%}" for share in INTERVALS]
        table.add_row(name, f"{found.p_values[column]:.2g}", *shares)
    return table
