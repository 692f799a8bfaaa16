"""``simulate explore``: a scenario as one HTML file with sliders."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from simulate.api.exploring import explore as function
from simulate.cli.console import ask, print_json, say
from simulate.cli.options import (
    Draws,
    Every,
    Fit,
    Hypotheses,
    Json,
    Patients,
    Seed,
    Settings,
    chosen_settings,
    defaults_of,
)


@defaults_of(function)
def explore(
    *,
    scenario: Annotated[
        str, typer.Argument(metavar="[SCENARIO]", help="A shipped scenario, a TOML file, or a model (SBML).")
    ],
    hypotheses: Hypotheses = None,
    fit: Fit,
    draws: Draws,
    patients: Patients,
    seed: Seed,
    settings: Settings,
    end: Annotated[
        str | None, typer.Option("--end", metavar="TIME", help="How long a model file (TOML, SBML) is solved: '10 s'.")
    ],
    every: Every,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="The page; SCENARIO-explorer.html if not given.")
    ],
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")],
    as_json: Json = False,
) -> None:
    """Write one HTML file in which a scenario can be explored: it works offline and can be mailed.

    Dose, interval, missed doses, wash-out and parameters have sliders, and up to 200 patients of the fit are solved
    again in the browser at every move: medians, bands and shares who rise and fall, beside what was reported. A link
    holds the setting; tables and pictures can be saved. Of several hypotheses one or two are seen side by side.

    \b
    simulate explore
    simulate explore anakinra-100mg-daily -H H1+H6 -H H4 --out explorer.html
    simulate explore my-scenario.toml -H mine.toml -n 120
    simulate explore model.xml --end "10 h"    # a model in SBML, or a model file in TOML
    """  # noqa: D301
    target = Path(f"{Path(scenario).stem}-explorer.html") if out is None else out
    chosen = chosen_settings(settings)
    found = ask(function, locals(), hypotheses=hypotheses or (), settings=chosen, out=target)
    for line in found.assumptions:
        say(line)
    size = len(found.html.encode())
    if as_json:
        print_json({"page": str(target), "bytes": size})
    say(f"wrote {target}, {size / 1e6:.1f} MB; open it in a browser")
