"""``simulate work-precision``: what each method costs for the error that it makes, as a table and as diagrams."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simulate.cli.options import Hypothesis, Json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure
    from rich.table import Table

    from simulate.studies.workprecision import Point

DEFAULT = "anakinra-100mg-daily"
PATIENTS = 16


def work_precision(
    scenario: Annotated[
        str, typer.Argument(metavar="[SCENARIO]", help="Name of a shipped scenario, or a TOML file.")
    ] = DEFAULT,
    hypothesis: Hypothesis = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change a parameter (f_m=0.3) or any key (time.end='28 d')."),
    ] = None,
    patients: Annotated[
        int, typer.Option("--patients", "-n", metavar="N", min=1, help="Size of the cohort.")
    ] = PATIENTS,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Write the diagrams and the table to this folder.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace another run in the folder.")] = False,
    as_json: Json = False,
) -> None:
    """Measure what each method costs for the error that it makes: time and evaluations against true values.

    Every method solves three problems with known answers (smooth, dosed, stiff) and the first arm of a scenario at nine
    tolerances, from 1e-3 to 1e-11. Times are of one thread of this machine; evaluations are the same everywhere.

    \b
    simulate work-precision
    simulate work-precision --out diagrams
    simulate work-precision my-scenario.toml -H H1 --json
    """  # noqa: D301
    from dataclasses import asdict

    from simulate.cli.console import print_json, print_rich, progress, say
    from simulate.cli.run import chosen_settings
    from simulate.inputs import noting
    from simulate.results.provenance import asked
    from simulate.results.result import Result
    from simulate.solver.methods import METHODS
    from simulate.studies.runs import prepare
    from simulate.studies.scenario import read_scenario
    from simulate.studies.unread import refuse_unread
    from simulate.studies.workprecision import SHOWN, TOLERANCES, Point, measure, workloads
    from simulate.tabular import table_of
    from simulate.versions import versions

    chosen = chosen_settings(settings or [], hypothesis=hypothesis, patients=patients)
    with noting():
        read = read_scenario(scenario, chosen)
        refuse_unread(read, "work-precision", 0)
        study = prepare(read)
        origin = asked("work-precision", {"scenario": scenario, "settings": chosen}, out=out, force=force)
    points: list[Point] = []
    with progress((len(SHOWN) + 1) * len(METHODS) * len(TOLERANCES), "measuring") as advance:
        for workload in workloads(study):
            points += measure(workload, progress=advance)

    def draw() -> Figure:
        from simulate.figures.work_precision import work_precision

        return work_precision(points)

    result = Result(
        origin,
        "Work and precision of the methods",
        points,
        tables={"work-precision": table_of(points, Point)},
        figures={"work-precision": draw},
        models={study.hypothesis: study.model},
        facts={"scenario": study.settings},
    )
    files = () if out is None else result.write(out, force=force)
    if as_json:
        document = {"points": [asdict(point) for point in points], "versions": versions()}
        print_json(document if out is None else {**document, "directory": str(out), "files": list(files)})
    else:
        print_rich(_table(points))
    if out is not None:
        say(f"wrote {out}")


def _table(points: Sequence[Point]) -> Table:
    """A line for each workload, method and tolerance."""
    from rich import box
    from rich.table import Table

    from simulate.results.tables import rounded

    table = Table(
        title="work for one trajectory, and the largest relative error",
        box=box.SIMPLE_HEAD,
        title_justify="left",
        title_style="bold",
        pad_edge=False,
    )
    table.add_column("workload")
    table.add_column("method")
    for heading in ("tolerance", "error", "time (µs)", "evaluations", "steps"):
        table.add_column(heading, justify="right")
    shown: tuple[str, str] = ("", "")
    for point in points:
        table.add_row(
            "" if point.workload == shown[0] else point.workload,
            "" if (point.workload, point.method) == shown else point.method,
            f"{point.rtol:.0e}",
            "failed" if point.error is None else f"{point.error:.1e}",
            rounded(point.microseconds),
            rounded(point.evaluations),
            rounded(point.steps),
        )
        shown = (point.workload, point.method)
    return table
