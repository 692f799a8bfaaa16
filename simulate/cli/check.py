"""``simulate check``: a file, judged without solving."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from simulate.cli.console import print_json, print_text
from simulate.cli.options import Hypothesis, Json, Units


def check(
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE",
            help="A TOML file, a shipped scenario, a table of doses (CSV), a model (SBML, Antimony), a PEtab problem.",
        ),
    ],
    time: Annotated[str, typer.Option("--time", metavar="UNIT", help="Unit of time of a dose table.")] = "h",
    amount: Annotated[
        str, typer.Option("--amount", metavar="UNIT", help="Unit of the amounts of a dose table.")
    ] = "mg",
    ignore: Annotated[
        list[str] | None, typer.Option("--ignore", metavar="COLUMN", help="A column of a dose table that is not read.")
    ] = None,
    population: Annotated[
        str | None, typer.Option("--population", metavar="NAME|FILE", help="Who the patients of a dose table are.")
    ] = None,
    hypothesis: Hypothesis = None,
    units: Units = "numbers",
    as_json: Json = False,
) -> None:
    """Check a scenario, sweep, model, hypothesis, parameter or trial file, or a table of doses, without solving.

    What a TOML file is follows from its tables; a CSV file is a dose table for the reference model, an XML file a model
    in SBML and an ANT file one in Antimony, of which is listed what is left out, and a YAML file an estimation problem
    in PEtab. The first fault is printed with file, line and advice, and the exit code is 3.

    \b
    simulate check my-scenario.toml
    simulate check my-trial.toml
    simulate check model.xml
    simulate check model.xml --units strict
    simulate check problem.yaml
    simulate check doses.csv --time d --population renal --hypothesis H3a
    """  # noqa: D301
    from simulate.exchange.foreign import judge_units
    from simulate.studies.checks import check_file

    judge_units(file, units)
    finding = check_file(
        file, time=time, amount=amount, ignored=ignore or (), population=population, hypothesis=hypothesis
    )
    if as_json:
        print_json(asdict(finding))
    else:
        print_text(f"{finding.file}: nothing wrong with this {finding.kind} file: {finding.content}")
