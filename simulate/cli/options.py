"""Options that several verbs have."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from simulate.trial.design import TrialDesign

Figured = Annotated[Path | None, typer.Option("--out", "-o", metavar="DIR", help="Folder for JSON, CSV and a figure.")]
Force = Annotated[bool, typer.Option("--force", help="Replace another run in DIR.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output, and nothing else.")]
Hypothesis = Annotated[
    str | None,
    typer.Option("--hypothesis", "-H", metavar="NAME|FILE", help="Hypothesis, such as H1 or H1+H3a, or its file."),
]
Hypotheses = Annotated[
    list[str] | None,
    typer.Option(
        "--hypothesis",
        "-H",
        metavar="NAME|FILE",
        help="Hypothesis, such as H1 or H1+H3a, or its file; repeat it for a table of several, side by side.",
    ),
]
Fit = Annotated[
    str | None,
    typer.Option(
        "--fit", metavar="FIT", help="Whose populations: shipped, prior, typical (of the tables), or a fit.json."
    ),
]
Draws = Annotated[int | None, typer.Option("--draws", metavar="N", min=1, help="Draws of the fit.")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Change a parameter (f_m=0.3) or any key (time.end='364 d')."),
]
Patients = Annotated[int | None, typer.Option("--patients", "-n", metavar="N", help="Size of the cohort.")]
Trials = Annotated[
    list[str] | None,
    typer.Option(
        "--trial", metavar="NAME|FILE", help="A trial (simulate list, or a file); repeat it to take several at once."
    ),
]
Rtol = Annotated[float | None, typer.Option("--rtol", metavar="X", help="Relative tolerance.")]
Threads = Annotated[int | None, typer.Option("--threads", metavar="N", min=1, help="Threads; all cores if not given.")]


def trials_of(names: list[str] | None) -> tuple[TrialDesign, ...]:
    """Trials that `Trials` names; none if it was not given, which means the shipped one."""
    from simulate.trial.reading import read_trial

    return tuple(read_trial(name) for name in names or ())
