"""``simulate convert``: a model of another program as a model file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from simulate.cli.options import Json


def convert(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A model in SBML.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="The model file to write (TOML).")],
    time: Annotated[
        str | None,
        typer.Option("--time", metavar="UNIT", help="Unit of time of the model; that of the file if not given."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file.")] = False,
    as_json: Json = False,
) -> None:
    """Write a model in SBML as a model file, and list what is left out.

    \b
    simulate convert BIOMD0000000012.xml -o repressilator.toml
    simulate convert model.xml -o model.toml --time h
    """  # noqa: D301
    from simulate.cli.console import UsageFault, print_json, print_text, say
    from simulate.exchange.sbml import is_sbml, read_sbml
    from simulate.files import write_atomically
    from simulate.symbolic.modelfile import write_model

    if not is_sbml(file) or out.suffix != ".toml":
        raise UsageFault(
            "only SBML can be converted, and only to a model file",
            code="usage.argument",
            found=f"{file.name} to {out.name}",
            expected="a name that ends in .xml or .sbml, and one that ends in .toml",
        )
    if out.exists() and not force:
        raise UsageFault(f"the file {out} is there already", code="usage.argument", advice="--force, or another name")
    imported = read_sbml(file, time_unit=time)
    model = imported.model.compose()
    write_atomically(out, write_model(model))
    counts = {"states": len(model.species), "parameters": len(model.parameters), "events": len(model.events)}
    if as_json:
        print_json({"file": str(out), "time": imported.time_unit, **counts, "left_out": list(imported.dropped)})
        return
    for line in imported.dropped:
        say(f"left out: {line}")
    shown = ", ".join(f"{count} {name}" for name, count in counts.items())
    print_text(f"wrote {out}: {shown}, time in {imported.time_unit}")
