"""``simulate sensitivity``: what an endpoint depends on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simulate.cli.options import Force, Hypothesis, Json, Threads

if TYPE_CHECKING:
    from rich.table import Table

    from simulate.studies.sensitivity.analysis import Sensitivity
    from simulate.studies.sensitivity.question import Question


def sensitivity(
    scenario: Annotated[str, typer.Argument(metavar="SCENARIO", help="Name of a shipped scenario, or a TOML file.")],
    endpoint: Annotated[
        list[str],
        typer.Option(
            "--endpoint",
            "-e",
            metavar="QUANTITY[:SUMMARY][@DAY]",
            help="What is looked at; SUMMARY is value, change, mean, lowest or highest. May be given several times.",
        ),
    ],
    hypothesis: Hypothesis = None,
    by: Annotated[
        str,
        typer.Option(
            "--by",
            metavar="WHAT",
            help="Inputs: numbers (uncertain ones, for the typical patient), patients (what differs), all, or groups.",
        ),
    ] = "numbers",
    arm: Annotated[str | None, typer.Option("--arm", metavar="NAME", help="Arm; the first if not given.")] = None,
    hold: Annotated[
        list[str] | None, typer.Option("--hold", metavar="NAME", help="Input that stays in the middle.")
    ] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change a parameter or key of the scenario.")
    ] = None,
    n: Annotated[
        int, typer.Option("--n", "-n", metavar="N", min=0, help="Rows of the Sobol design, a power of two; 0: none.")
    ] = 512,
    trajectories: Annotated[
        int, typer.Option("--trajectories", metavar="N", min=0, help="Trajectories of the Morris design; 0: none.")
    ] = 32,
    local: Annotated[
        bool | None,
        typer.Option("--local/--no-local", help="Whether derivatives are asked for; by default if by numbers."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", metavar="S", help="Seed of the designs.")] = 1,
    threads: Threads = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="DIR", help="Folder for JSON, CSV and a figure per endpoint.")
    ] = None,
    force: Force = False,
    as_json: Json = False,
) -> int:
    """Show what an endpoint depends on: derivatives, elementary effects (Morris) and shares of variance (Sobol).

    Inputs are the free numbers of the hypothesis, on the priors of a fit, and what patients differ in.

    \b
    simulate sensitivity anakinra-100mg-daily -e il17a:change -e ifng:change -H H1+H3a+H4
    simulate sensitivity anakinra-100mg-daily -e il17a:change -H H1 --by groups --n 1024
    simulate sensitivity anakinra-100mg-daily -e ck:change@91 --by patients --out sensitivity
    """  # noqa: D301
    arguments = dict(locals())
    from simulate.cli.console import UsageFault, print_json, print_rich, print_text, progress, say
    from simulate.cli.run import chosen_settings
    from simulate.errors import did_you_mean
    from simulate.report.analyses import analysis_of, check_place, written
    from simulate.studies.scenario import read_scenario
    from simulate.studies.sensitivity.analysis import sensitivity as analyzed
    from simulate.studies.sensitivity.analysis import workload
    from simulate.studies.sensitivity.question import By, question_of
    from simulate.studies.sensitivity.tables import document

    words = [way.value for way in By]
    if by not in words:
        raise UsageFault(
            f"inputs cannot be `{by}`",
            code="usage.argument",
            expected=", ".join(f"`{word}`" for word in words),
            advice=did_you_mean(by, words),
        )
    analysis = analysis_of("sensitivity", arguments)
    check_place(analysis, out, force=force)
    read = read_scenario(scenario, chosen_settings(settings or [], hypothesis=hypothesis))
    question = question_of(read, endpoint, by=By(by), arm=arm, hold=hold or [])
    is_local = By(by) is By.NUMBERS if local is None else local
    if is_local:
        say(f"derivatives by {len(question.inputs)} inputs: the first time a kernel is compiled for them")
    with progress(workload(question, n, trajectories), "patients") as advance:
        results = analyzed(
            question,
            n=n,
            trajectories=trajectories,
            local=is_local,
            seed=seed,
            threads=threads,
            progress=advance,
        )
    asked = {"by": by, "n": n, "trajectories": trajectories, "local": is_local, "seed": seed, "hold": hold or []}
    found = document(question, results, asked)
    if out is not None:
        with written(analysis, out, title=f"sensitivity of {read.title}", force=force) as folder:
            _write(folder, question, results, found)
    if as_json:
        print_json(found)
    else:
        for part in results:
            print_rich(_table(question, part))
            print_text("\n".join(_below(part)))
        if question.unvaried:
            print_text(f"not varied, as they act between patients only: {', '.join(question.unvaried)}")
    return 0


def _write(folder: Path, question: Question, results: tuple[Sensitivity, ...], found: dict[str, object]) -> None:
    import json
    import re

    from simulate.figures.style import save
    from simulate.figures.tornado import tornado
    from simulate.studies.sensitivity.tables import as_csv

    text = json.dumps(found, indent=1, ensure_ascii=False, allow_nan=False)
    (folder / "sensitivity.json").write_text(text + "\n", encoding="utf-8")
    (folder / "sensitivity.csv").write_text(as_csv(question, results), encoding="utf-8")
    names = [part.name for part in question.inputs]
    for part in results:
        save(tornado(part, names), folder, "tornado-" + re.sub(r"[^\w.]+", "-", part.endpoint.text))


def _table(question: Question, found: Sensitivity) -> Table:
    from rich import box
    from rich.table import Table

    from simulate.studies.sensitivity.tables import rows

    unit = found.endpoint.unit
    title = f"{found.endpoint.title}{f' ({unit})' if unit else ''}, {question.problem.hypothesis}"
    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left")
    columns = ("input", "at 5 … 95 %", "slope per sd", "share with interactions", "share alone", "effect (spread)")
    for header in (*columns, "meaning"):
        table.add_column(header)
    for row in rows(question, found):
        swing = "" if row["low"] is None else f"{row['low']:.4g} … {row['high']:.4g}"
        effect = "" if row["effect_size"] is None else f"{row['effect_size']:.3g} ({row['effect_spread']:.3g})"
        slope = "" if row["slope"] is None else f"{row['slope']:.3g}"
        table.add_row(
            row["input"], swing, slope, _share(found, row, "total"), _share(found, row, "first"), effect, row["meaning"]
        )
    return table


def _share(found: Sensitivity, row: dict[str, float | None], name: str) -> str:
    from simulate.studies.sensitivity.tables import UNDEFINED

    if found.shares is None:
        return ""
    value, low, high = row[name], row[f"{name}_low"], row[f"{name}_high"]
    if value is None or low is None or high is None:
        return UNDEFINED
    return f"{value:.2f} [{low:.2f}, {high:.2f}]".replace("-0.00", "0.00")


def _below(found: Sensitivity) -> list[str]:
    unit = f" {found.endpoint.unit}".rstrip()
    lines = [f"in the middle of all inputs {found.middle:.4g}{unit}"]
    shares = found.shares
    if shares is not None and not shares.is_defined:
        return [*lines, f"it is {shares.mean:.4g}{unit} whatever the inputs: shares of its variance are undefined"]
    if shares is not None:
        spread = shares.variance**0.5
        lines.append(f"over the inputs mean {shares.mean:.4g}, standard deviation {spread:.4g}{unit}")
        widest = float((shares.total_interval[:, 1] - shares.total_interval[:, 0]).max())
        if widest > 0.2:
            lines.append(f"warning: an interval of a share is {widest:.2f} wide: more rows, --n")
    return lines
