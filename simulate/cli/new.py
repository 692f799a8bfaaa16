"""``simulate new``: a commented file to begin with."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated

import typer

from simulate.cli.console import UsageFault, print_json, print_text
from simulate.cli.options import Json
from simulate.errors import did_you_mean, listed, not_among

_NEXT = {
    "scenario": "simulate run {file}",
    "model": 'simulate run {file} --end "28 d"',
    "hypothesis": "simulate run anakinra-100mg-daily -H {file}",
    "trial": "simulate trial --trial {file}",
    "evidence": "simulate audit {file}",
    "measurement": "simulate design H0 H1+H6 --measurement {file}",
}
"""What is done with a file of each kind."""

_PLACE = "NAME"
"""Stands in a template for the name of the file."""


def new(
    kind: Annotated[
        str, typer.Argument(metavar="KIND", help="scenario, model, hypothesis, trial, evidence or measurement.")
    ],
    name: Annotated[
        Path, typer.Argument(metavar="NAME", help="Name of the file, with or without .toml, in any folder that exists.")
    ],
    like: Annotated[
        str | None,
        typer.Option("--like", metavar="NAME", help="Copy a scenario or trial that ships (`simulate list`) instead."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file.")] = False,
    as_json: Json = False,
) -> None:
    """Write a commented file to begin with: of a scenario, model, hypothesis, trial, evidence or measurement.

    \b
    simulate new scenario mine                # mine.toml; then `simulate check mine.toml`, `simulate run mine.toml`
    simulate new scenario mine --like dose-arms
    simulate new hypothesis il23
    simulate new trial mine
    simulate new evidence mine-reported
    """  # noqa: D301
    from simulate import shipped
    from simulate.files import read_bytes, write_atomically

    if kind not in _NEXT:
        raise not_among(f"there are no files of the kind `{kind}`", kind, _NEXT, code="usage.argument", kind=UsageFault)
    file = name if name.suffix == ".toml" or not name.name else name.with_name(f"{name.name}.toml")
    # The name of a model or hypothesis is part of names in its equations.
    is_part = kind in ("model", "hypothesis")
    if re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*" if is_part else r"[A-Za-z0-9][A-Za-z0-9_-]*", file.stem) is None:
        what = "a set of evidence" if kind == "evidence" else f"a {kind}"
        raise UsageFault(
            f"{file.stem!r} cannot be the name of {what}",
            code="usage.argument",
            expected="letters, digits and `_`, a letter first" if is_part else "letters, digits, `_` and `-`",
        )
    if kind == "hypothesis" and (taken := _taken(file.stem)) is not None:
        raise UsageFault(
            f"{file.stem!r} is the name of {taken}",
            code="usage.argument",
            expected="a name that the model does not have yet",
            advice=f"such as `simulate new hypothesis my_{file.stem}`",
        )
    if os.path.lexists(file) and not force:
        raise UsageFault(f"the file {file} is there already", code="usage.argument", advice="--force, or another name")
    source = shipped.template_files()[kind]
    if like is not None:
        known = {"scenario": shipped.scenario_files, "trial": shipped.trial_files}.get(kind, dict)()
        if like not in known:
            raise UsageFault(
                f"no {kind} `{like}` ships",
                code="usage.argument",
                expected=listed(known) or None,
                advice=did_you_mean(like, known) or f"leave `--like` out: `simulate new {kind} {file.stem}`",
            )
        source = known[like]
    text = read_bytes(source, str(source)).decode("utf-8")
    if like is None:
        text = text.replace(_PLACE, file.stem)
    elif kind == "trial":
        text = re.sub(r"^(evidence = .*)$", rf"# \1  # what {like} reported is not of this trial", text, flags=re.M)
    write_atomically(file, text)
    follow = _NEXT[kind].format(file=file)
    if as_json:
        print_json({"file": str(file), "kind": kind, "next": follow})
    else:
        print_text(f"wrote {file}\nlook at it:  simulate check {file}\nuse it:      {follow}")


def _taken(name: str) -> str | None:
    """What of the reference model has a name already."""
    from simulate.biology.hypotheses import HYPOTHESES
    from simulate.biology.options import OPTIONS
    from simulate.biology.reference import REFERENCE

    own = name.casefold()
    if any(own == part.name.casefold() for part in (*HYPOTHESES, *OPTIONS)):
        return "a hypothesis that ships"
    return "a mechanism of the reference model" if any(own == part.name for part in REFERENCE) else None
