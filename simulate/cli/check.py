"""``simulate check``: a file, judged without solving."""

from __future__ import annotations

from typing import Annotated

import typer

from simulate.cli.options import Json


def check(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A TOML file, or the name of a shipped scenario.")],
    as_json: Json = False,
) -> None:
    """Check a scenario, model, hypothesis or parameter file without solving.

    What the file is follows from its tables. The first fault is printed with file, line and advice, and the exit code
    is 3.

    \b
    simulate check my-scenario.toml
    """  # noqa: D301
    from dataclasses import asdict

    from simulate.cli.console import print_json, print_text
    from simulate.studies.checks import check_file

    finding = check_file(file)
    if as_json:
        print_json(asdict(finding))
    else:
        print_text(f"{finding.file}: nothing wrong with this {finding.kind} file: {finding.content}")
