"""``simulate convert``: a model of another program as a model file, and a model file in the format of another."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulate.symbolic.model import Model

from simulate.cli.options import Json

_NOT_SAID: tuple[tuple[Callable[[Model], int], str], ...] = (
    (lambda model: len(model.routes), "the ways in for doses: routes have no counterpart without a regimen"),
    (lambda model: len(model.conditions), "the conditions on a baseline"),
    (lambda model: sum(part.spread is not None for part in model.parameters), "how patients differ"),
)
"""What other formats do not say of a model, where it has it."""


def convert(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A model: SBML, Antimony, or a model file (TOML).")],
    out: Annotated[
        Path,
        typer.Option("--out", "-o", metavar="FILE", help="The file to write: TOML, SBML or Antimony, by its ending."),
    ],
    time: Annotated[
        str | None,
        typer.Option("--time", metavar="UNIT", help="Unit of time of the model; that of the file if not given."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file.")] = False,
    as_json: Json = False,
) -> None:
    """Write a model in SBML or Antimony as a model file, or the other way, and list what is left out.

    \b
    simulate convert BIOMD0000000012.xml -o repressilator.toml
    simulate convert model.xml -o model.toml --time h
    simulate convert my-model.toml -o my-model.xml
    simulate convert my-model.toml -o my-model.ant
    """  # noqa: D301
    from simulate.cli.console import UsageFault, print_json, print_text, say
    from simulate.exchange.foreign import foreign_text, is_foreign, read_foreign
    from simulate.files import write_atomically
    from simulate.symbolic.modelfile import read_model, write_model

    if not all(is_foreign(name) or name.suffix == ".toml" for name in (file, out)):
        raise UsageFault(
            "a model is converted from and to SBML, Antimony and model files",
            code="usage.argument",
            found=f"{file.name} to {out.name}",
            expected="names that end in .xml, .sbml, .ant or .toml",
        )
    if time is not None and not is_foreign(file):
        raise UsageFault("--time is for SBML and Antimony: a model file has units of its own", code="usage.argument")
    if out.exists() and not force:
        raise UsageFault(f"the file {out} is there already", code="usage.argument", advice="--force, or another name")
    imported = None
    if is_foreign(file):
        # SBML and Antimony have no routes: there doses stay events.
        imported = read_foreign(file, time_unit=time, doses=not is_foreign(out))
    model = (read_model(file) if imported is None else imported.model).compose()
    write_atomically(out, foreign_text(model, out) if is_foreign(out) else write_model(model))
    dropped = list(imported.dropped) if imported is not None else []
    if imported is None and is_foreign(out):
        dropped = [text for number, text in _NOT_SAID if number(model)]
    regimen = "none" if imported is None else imported.regimen
    time_unit = "d" if imported is None else imported.time_unit
    counts = {"states": len(model.species), "parameters": len(model.parameters), "events": len(model.events)}
    if as_json:
        print_json({"file": str(out), "time": time_unit, **counts, "left_out": dropped, "regimen": regimen})
        return
    for line in dropped:
        say(f"left out: {line}")
    if regimen != "none":
        say(f'what the file prescribes, for a scenario of the model: regimen = "{regimen}"')
    shown = ", ".join(f"{count} {name}" for name, count in counts.items())
    print_text(f"wrote {out}: {shown}, time in {time_unit}")
