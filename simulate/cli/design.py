"""``simulate design``: which measurement would tell hypotheses apart."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simulate.cli.options import Figured, Force, Json, Threads, Trials, trials_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from simulate.studies.fitting.draws import Draws
    from simulate.studies.measuring.catalogue import Measurement
    from simulate.studies.measuring.ranking import Ranking
    from simulate.trial.design import TrialDesign

DEFAULT = ("H0", "H1", "H2", "H3a", "H3b", "H4", "H5")


def design(
    hypotheses: Annotated[
        list[str] | None,
        typer.Argument(metavar="[HYPOTHESIS]...", help="Two or more; H0 to H5 if none is given.", show_default=False),
    ] = None,
    measurement: Annotated[
        list[str] | None,
        typer.Option("--measurement", metavar="NAME|FILE", help="One of the catalogue, or a file; all if not given."),
    ] = None,
    trial: Trials = None,
    fits: Annotated[Path, typer.Option("--fits", metavar="DIR", help="Folder of fits that do not ship.")] = Path(
        "fits"
    ),
    draws: Annotated[int, typer.Option("--draws", metavar="K", min=10, help="Draws of each hypothesis.")] = 128,
    patients: Annotated[
        int, typer.Option("--patients", metavar="N", min=8, help="Virtual patients of each draw; a power of two.")
    ] = 32,
    measurements: Annotated[
        int, typer.Option("--repeats", metavar="N", min=20, help="Simulated measurements under each hypothesis.")
    ] = 256,
    seed: Annotated[int, typer.Option("--seed", metavar="S", help="Seed of draws and simulated measurements.")] = 1,
    threads: Threads = None,
    out: Figured = None,
    force: Force = False,
    as_json: Json = False,
) -> int:
    """Rank measurements by what they are expected to tell between hypotheses, alone and together.

    A hypothesis is what its fit has left of it, shipped or in the folder of fits; without a fit it is its prior.

    \b
    simulate design
    simulate design H0 H1+H3a+H4 --out design
    simulate design H1 H4 --measurement paired-non-responders --measurement my-measurement.toml
    """  # noqa: D301
    arguments = dict(locals())
    from simulate.cli.console import print_json, print_rich, print_text, progress, say
    from simulate.report.analyses import analysis_of, check_place, written
    from simulate.studies.measuring.pool import needed, pool_of
    from simulate.studies.measuring.ranking import rank_measurements
    from simulate.studies.measuring.tables import document

    designs = trials_of(trial)
    analysis = analysis_of("design", arguments, (path for design in designs for path in design.files))
    check_place(analysis, out, force=force)
    catalogue = _catalogue(measurement or [], designs[0] if designs else None)
    known = _draws(hypotheses or list(DEFAULT), designs, fits, draws, seed, threads)
    total = sum(len(part.points) for part in known) * patients * len(needed(catalogue, known[0].problem.trial))
    with progress(total, "virtual patients") as advance:
        pools = [pool_of(part, catalogue, patients=patients, threads=threads, progress=advance) for part in known]
    ranking = rank_measurements(pools, catalogue, patients=patients, measurements=measurements, seed=seed, report=say)
    if out is not None:
        with written(analysis, out, title="measurements that tell hypotheses apart", force=force) as folder:
            _write(folder, ranking)
    if as_json:
        print_json(document(ranking))
    else:
        print_rich(_table(ranking))
        if len(ranking.rows) > 1:
            print_rich(_together(ranking))
        print_text("\n".join(_below(ranking)))
    return 0


def _draws(
    names: list[str], trials: Sequence[TrialDesign], folder: Path, wanted: int, seed: int, threads: int | None
) -> list[Draws]:
    import dataclasses

    from simulate.studies.comparison.fits import known_fit, problems_for
    from simulate.studies.fitting.draws import draws_of
    from simulate.studies.fitting.trial import only_trial

    found = []
    for problem in problems_for(names, None, trials):
        only_trial(problem, "a ranking of measurements")
        fit = known_fit(problem, folder)
        posterior = None if fit is None else fit.posterior
        found.append(draws_of(problem, wanted, posterior=posterior, seed=seed, threads=threads))
    fewest = min(len(part.points) for part in found)
    return [dataclasses.replace(part, points=part.points[:fewest]) for part in found]


def _catalogue(asked: list[str], design: TrialDesign | None) -> tuple[Measurement, ...]:
    from simulate import shipped
    from simulate.errors import InputError, did_you_mean
    from simulate.studies.measuring.catalogue import read_measurement, shipped_measurements

    if not asked:
        return shipped_measurements(design)
    files = shipped.measurement_files()
    found = []
    for name in asked:
        if not name.endswith(".toml") and name not in files:
            raise InputError(
                f"there is no measurement `{name}`",
                code="measurement.unknown",
                expected=", ".join(f"`{known}`" for known in files) + ", or a TOML file",
                advice=did_you_mean(name, files),
            )
        found.append(read_measurement(files.get(name, Path(name)), design))
    return tuple(found)


def _write(folder: Path, ranking: Ranking) -> None:
    import json

    from simulate.figures.gains import gains_figure
    from simulate.figures.style import save
    from simulate.studies.measuring.tables import as_csv, document

    text = json.dumps(document(ranking), indent=1, ensure_ascii=False, allow_nan=False)
    (folder / "design.json").write_text(text + "\n", encoding="utf-8")
    (folder / "design.csv").write_text(as_csv(ranking), encoding="utf-8")
    save(gains_figure(ranking), folder, "design")


def _table(ranking: Ranking) -> Table:
    from rich import box
    from rich.table import Table

    from simulate.studies.measuring.ranking import SIZES

    title = f"Information in nats; at most {ranking.entropy:.2f} between the hypotheses"
    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left")
    headers = (
        "rank",
        "measurement",
        "answers",
        "n",
        "between",
        "of",
        "within",
        "decides",
        "misleads (3:1)",
        "n for 10:1",
    )
    for header in (*headers, "cost", "per cost"):
        table.add_column(header)
    for row in ranking.rows:
        needed = f"over {SIZES[-1]}" if row.n_needed is None else f"{row.n_needed}"
        table.add_row(
            str(row.rank),
            row.measurement.title,
            row.measurement.answers,
            str(row.measurement.n),
            f"{_zero(row.gain.between):.3f} ± {row.gain.error:.3f}",
            f"{100.0 * _zero(row.gain.between) / ranking.entropy:.0f} %",
            f"{_zero(row.gain.within):.2f}",
            f"{row.decided:.2f} [{row.decided_interval[0]:.2f}, {row.decided_interval[1]:.2f}]",
            f"{row.misled_3:.3f} [{row.misled_3_interval[0]:.3f}, {row.misled_3_interval[1]:.3f}]",
            needed + ("?" if row.n_is_sparse else ""),
            f"{row.measurement.cost:g}",
            f"{_zero(row.per_cost):.4f}",
        )
    return table


def _zero(value: float) -> float:
    """The value, or 0 where rounding has left a little below it."""
    return max(value, 0.0)


def _together(ranking: Ranking) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, title="One after the other", title_justify="left")
    for header in ("measurement", "adds", "between, of all so far", "cost of all so far"):
        table.add_column(header)
    for step in ranking.steps:
        table.add_row(
            step.measurement.title,
            f"{step.added:.3f} ± {step.error:.3f}",
            f"{step.gain.between:.3f}",
            f"{step.cost:g}",
        )
    return table


def _below(ranking: Ranking) -> list[str]:
    from simulate.studies.measuring.ranking import GAP
    from simulate.studies.measuring.tables import NOT_IN_THE_MODEL

    lines = [f"{pool.draws.problem.hypothesis}: {pool.draws.origin}" for pool in ranking.pools]
    lines.append(
        f"{ranking.patients} virtual patients of each draw, {ranking.measurements} simulated measurements under each "
        "hypothesis; measurements within 2 standard errors share a rank"
    )
    for row in ranking.rows:
        if row.gap > GAP:
            lines.append(
                f"warning: {row.measurement.name}: estimates from {row.bound:.3f} (classifier, a lower bound) and "
                f"{row.gain.between:.3f} to {row.gain.with_own:.3f} (own draw left in)"
            )
        if row.gain.is_sparse:
            lines.append(
                f"warning: {row.measurement.name}: a measurement is likely under {row.gain.effective:.1f} draws of its "
                "hypothesis (5 % quantile; 10 are wanted): more --draws"
            )
    lines += [f"{row.measurement.name}: {row.measurement.note}" for row in ranking.rows if row.measurement.note]
    return lines + [f"not in the catalogue: {text}" for text in NOT_IN_THE_MODEL]
