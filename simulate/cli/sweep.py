"""``simulate sweep``: a scenario at every point of a design, into a directory that can be gone on with."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from simulate.api.varying import sweep as function
from simulate.cli.console import ask, ended, print_json, print_text, progress, say
from simulate.cli.options import (
    Draws,
    End,
    Every,
    Fit,
    Force,
    Hypothesis,
    Json,
    Patients,
    Quantities,
    Rtol,
    Seed,
    Settings,
    Vary,
    chosen_settings,
    defaults_of,
)
from simulate.cli.run import too_many_failures
from simulate.errors import counted

if TYPE_CHECKING:
    from simulate.studies.sweeps.plans import SweepPlan

GIGABYTE = 1e9


@defaults_of(function)
def sweep(
    *,
    scenario: Annotated[
        str,
        typer.Argument(metavar="FILE|SCENARIO", help="Sweep file, scenario (shipped or a file), or model."),
    ],
    over: Annotated[
        list[str] | None,
        typer.Option(
            "--over", metavar="NAME=VALUES", help="What varies: dose=10:300:40log, interval=12,24 h, f_m=0.1:0.5 ..."
        ),
    ],
    arms: Annotated[
        list[str] | None, typer.Option("--arm", metavar="NAME", help="Arm that is varied; all if not given.")
    ],
    zipped: Annotated[bool | None, typer.Option("--zip", help="Axes in step: first values together, second ...")],
    design: Annotated[
        str | None, typer.Option("--design", metavar="NAME:N", help="How ranges are drawn from: sobol:64 or lhs:100.")
    ],
    design_seed: Annotated[int | None, typer.Option("--design-seed", metavar="S", help="Seed of the design.")],
    at: Annotated[
        list[str] | None,
        typer.Option("--at", metavar="TIME", help="When values are kept ('182 d'); at all times if not given."),
    ],
    parameters: Annotated[
        bool | None, typer.Option("--parameters", help="Keep the parameters of every patient in every arm.")
    ],
    hypothesis: Hypothesis,
    fit: Fit,
    draws: Draws,
    settings: Settings,
    vary: Vary = None,
    end: End,
    every: Every,
    patients: Patients,
    seed: Seed,
    dropout: Annotated[
        bool | None,
        typer.Option("--dropout/--no-dropout", help="Whether quantiles are of those who are still in the study."),
    ],
    quantities: Quantities,
    rtol: Rtol,
    workers: Annotated[
        int, typer.Option("--workers", metavar="N", min=1, help="Processes that solve; 1 if not given.")
    ],
    threads: Annotated[
        int | None, typer.Option("--threads", metavar="N", min=1, help="Threads of each; all cores if not given.")
    ],
    scheduler: Annotated[
        str | None,
        typer.Option("--scheduler", metavar="ADDRESS", help="Dask scheduler whose workers solve (extra `cluster`)."),
    ],
    part_size: Annotated[
        int | None,
        typer.Option("--part-size", metavar="N", min=1, help="Most trajectories that an interruption can cost."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="DIR", help="Directory; runs/NAME-HASH if not given.")
    ],
    force: Force,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what it would take, and do nothing.")] = False,
    as_json: Json = False,
) -> int:
    """Simulate a scenario at every point of a design, the same patients at each.

    What is finished is kept in the directory, whatever ends the command; the same command goes on from there, to the
    same bits. In the end the directory holds results.nc, quantiles.nc, summary.csv, changes.csv and manifest.json.

    \b
    simulate sweep anakinra-100mg-daily --over dose=10:300:40log -n 50 --at "0 d" --at "182 d" --out doses
    simulate sweep anakinra-100mg-daily --over dose=30,100,300 --over "interval=12,24,48 h" --at "182 d"
    simulate sweep anakinra-100mg-daily --over f_m=0.1:0.5 --over k_a=0.05:0.3:log --design sobol:64 --dry-run
    simulate sweep my-sweep.toml --workers 8
    simulate sweep model.xml --end "10 h" --over k_cat=0.1:10:9log --vary cv=0.3
    """  # noqa: D301
    from simulate.api.varying import planned_sweep

    chosen = chosen_settings(
        settings,
        vary=vary,
        hypothesis=hypothesis,
        fit=fit,
        draws=draws,
        patients=patients,
        seed=seed,
        dropout=dropout,
        quantities=quantities,
        rtol=rtol,
    )
    # What is not asked for is up to the file.
    plan = ask(planned_sweep, locals(), settings=chosen, zipped=zipped or None, parameters=parameters or None)
    behind = plan.study.draws
    weak = [behind.origin] if behind is not None and behind.weakness else []
    for line in (*plan.study.scenario.understood, *plan.study.assumptions, *weak):
        say(line)
    if dry_run:
        return _announce(plan, workers, as_json)
    return perform(plan, out, workers=workers, threads=threads, scheduler=scheduler, force=force, as_json=as_json)


def perform(
    plan: SweepPlan,
    out: Path | None,
    *,
    workers: int,
    threads: int | None,
    scheduler: str | None,
    force: bool,
    as_json: bool,
) -> int:
    """Run a sweep and say what came of it; the exit code."""
    from simulate.cli.run_tables import people_of
    from simulate.cli.sweep_tables import print_changes
    from simulate.studies.datasets import STOPPED
    from simulate.studies.sweeps.changes import sweep_changes
    from simulate.studies.sweeps.running import RESULTS, default_directory, run_sweep
    from simulate.studies.visits import time_words

    target = default_directory(plan) if out is None else out
    try:
        with progress(plan.rows, "simulating") as advance:
            manifest = run_sweep(
                plan,
                target,
                workers=workers,
                threads=threads,
                scheduler=scheduler,
                force=force,
                progress=advance,
                notify=say,
            )
    except KeyboardInterrupt:
        say(f"to go on: the same command, or `simulate runs resume {target}`")
        raise
    counters = manifest["counters"]
    if as_json:
        print_json({"directory": str(target), **{name: manifest[name] for name in ("key", "counters", "files")}})
    for row in manifest["failures"][:1]:
        say(
            f"left out: {counters['n'] - counters['n_ok'] - counters.get(STOPPED, 0)} of "
            f"{counted(counters['n'], 'trajectory')}"
        )
        when = time_words(row["time"], plan.study.scenario.time_unit)
        say(f"  the first: patient {row['patient']}, arm `{row['arm']}`, {when}: {row['reason']}")
    if stopped := counters.get(STOPPED, 0):
        say(f"stopped by a rule: {stopped} of {counted(counters['n'], 'trajectory')}; each counts until then")
    if not as_json:
        print_changes(rows := sweep_changes(target / RESULTS), people_of(plan.study))
        if not rows:
            print_text("one time was kept, so that there are no changes: summary.csv has the levels")
    say(f"wrote {target}")
    advice = "manifest.json lists the first of them; try a smaller --rtol, or a larger solver.max_steps"
    return ended(too_many_failures(counters, advice))


def _announce(plan: SweepPlan, workers: int, as_json: bool) -> int:
    """Print what a sweep would take."""
    from simulate.durations import duration
    from simulate.studies.sweeps.estimates import estimate

    found = estimate(plan, workers=workers)
    if as_json:
        print_json(asdict(found))
        return 0
    rows: list[tuple[str, Any]] = [
        ("arms", found.arms),
        ("patients in each", found.patients),
        ("trajectories", found.trajectories),
        ("parts", f"{found.parts}, at most {counted(found.largest_part, 'trajectory')} each"),
        ("memory", f"{found.memory_bytes / GIGABYTE:.2g} GB, whatever the number of patients"),
        ("disk", f"{found.disk_bytes / GIGABYTE:.2g} GB, of which {found.kept_bytes / GIGABYTE:.2g} GB stay"),
        (
            "time",
            f"{duration(found.seconds)}, as {counted(found.sampled, 'trajectory')} took "
            f"{found.sample_seconds:.2g} s here",
        ),
    ]
    width = max(len(name) for name, _ in rows)
    print_text("\n".join(f"{name:<{width}}  {value}" for name, value in rows))
    return 0
