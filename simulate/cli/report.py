"""``simulate report``: one HTML file about one directory."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from simulate.api.reporting import report as function
from simulate.cli.console import ask, print_json, say
from simulate.cli.options import Json, defaults_of


@defaults_of(function)
def report(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="A run directory.")],
    question: Annotated[
        str | None, typer.Option("--question", metavar="TEXT", help="Question of interest; else that of the scenario.")
    ],
    context: Annotated[str | None, typer.Option("--context", metavar="TEXT", help="Context of use.")],
    influence: Annotated[str | None, typer.Option("--influence", metavar="TEXT", help="Model influence.")],
    consequence: Annotated[
        str | None, typer.Option("--consequence", metavar="TEXT", help="Consequence of a wrong decision.")
    ],
    risk: Annotated[str | None, typer.Option("--risk", metavar="TEXT", help="Model risk.")],
    error: Annotated[
        bool, typer.Option("--error/--no-error", help="Whether a sample is solved again for the numerical error.")
    ],
    figures: Annotated[
        bool, typer.Option("--figures/--no-figures", help="Whether to draw what the directory does not have.")
    ],
    out: Annotated[Path | None, typer.Option("--out", "-o", metavar="FILE", help="The report; DIR.html if not given.")],
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")],
    as_json: Json = False,
) -> None:
    """Write a report of a directory: one HTML file that needs no network.

    It opens with question, answer, key figure and caveats. Then come results and figures, regimen, the model with its
    equations, parameters with sources and grades, the numerical error, failures and versions.

    \b
    simulate run anakinra-100mg-daily --out mine && simulate report mine
    simulate report mine --context "choice of a dose for a second study" --influence low --out report.html
    """  # noqa: D301
    whole = directory.resolve()
    target = whole.with_name(f"{whole.name}.html") if out is None else out
    text = ask(function, locals(), out=target)
    if as_json:
        print_json({"report": str(target), "bytes": len(text.encode())})
    say(f"wrote {target}")
