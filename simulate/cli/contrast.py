"""``simulate contrast``: two hypotheses held against each other, on one page."""

from __future__ import annotations

from typing import Annotated

import typer

from simulate.api.comparing import contrast as function
from simulate.cli.console import carry_out, print_text, say
from simulate.cli.options import Drawn, Figured, Fits, FitsOfEach, Force, Json, Threads, Trials, defaults_of


@defaults_of(function)
def contrast(
    hypotheses: Annotated[
        list[str], typer.Argument(metavar="HYPOTHESIS HYPOTHESIS", help="Two: names, or hypothesis files.")
    ],
    trial: Trials,
    fit: FitsOfEach,
    fits: Fits,
    draws: Annotated[int, typer.Option("--draws", metavar="K", min=10, help="Draws of each hypothesis.")],
    patients: Annotated[
        int, typer.Option("--patients", "-n", metavar="N", min=8, help="Virtual patients of each draw; a power of two.")
    ],
    studies: Annotated[
        int, typer.Option("--studies", metavar="N", min=20, help="Simulated studies under each hypothesis.")
    ],
    seed: Annotated[int, typer.Option("--seed", metavar="S", help="Seed of draws and simulated studies.")],
    threads: Threads,
    out: Figured,
    force: Force,
    figures: Drawn,
    as_json: Json = False,
) -> int:
    """Hold two hypotheses against each other: which fits, which signs, and what would tell them apart.

    One page: what the reported values say of both, whether both give the reported directions, and for each readout of
    which an assay is known the change under each, at the visit that takes the fewest patients to tell them apart. A
    hypothesis is what its fit has left of it, shipped or in the folder of fits; without a fit it is its prior.

    \b
    simulate contrast H1+H6 H3a
    simulate contrast H1 my-hypothesis.toml --out h1-or-mine
    """  # noqa: D301
    from simulate.results.contrast import page

    code = carry_out(function, locals(), lambda found: print_text(page(found.value)))
    if out is not None:
        say(f"wrote {out}")
    return code
