"""``simulate contrast``: two hypotheses held against each other, on one page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from simulate.api.comparing import contrast as function
from simulate.cli.console import carry_out, in_lines, letters_in_line, print_rich, print_text, titled
from simulate.cli.options import Drawn, Figured, Fits, FitsOfEach, Force, Json, Threads, Trials, defaults_of

if TYPE_CHECKING:
    from simulate.studies.contrast import Contrast


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
    return carry_out(function, locals(), lambda found: show(found.value))


def show(found: Contrast) -> None:
    """Print a contrast: its page, or its sentences and a table that is folded where lines are narrower."""
    from simulate.results.contrast import WIDTH, answer_of, cells, page

    if letters_in_line() >= WIDTH:
        print_text(page(found))
        return
    told = answer_of(found)
    headings, lines = cells(found)
    table = titled(None, pad_edge=False)
    for place, heading in enumerate(headings):
        table.add_column(heading, justify="left" if place < 2 else "right")
    for line in lines:
        table.add_row(*line)
    print_text("\n\n".join("\n".join(in_lines(text)) for text in (told.question, *told.sentences)))
    print_rich("", table)
    print_text("\n".join(line for text in told.caveats for line in in_lines(text)))
