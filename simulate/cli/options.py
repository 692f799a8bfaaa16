"""Options that several verbs have."""

from __future__ import annotations

from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output, and nothing else.")]
Hypothesis = Annotated[
    str | None,
    typer.Option("--hypothesis", "-H", metavar="NAME|FILE", help="Hypothesis, such as H1 or H1+H3a, or its file."),
]
