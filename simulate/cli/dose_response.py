"""``simulate dose-response``: from doses to effects, with curves and what they are worth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from simulate.api.varying import dose_response as function
from simulate.cli.console import carry_out, print_rich, print_text, titled
from simulate.cli.options import (
    Drawn,
    Draws,
    Dropout,
    Figured,
    Fit,
    Force,
    Hypotheses,
    Json,
    Patients,
    Rtol,
    ScenarioFile,
    Seed,
    Settings,
    Threads,
    chosen_settings,
    defaults_of,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    import xarray as xr
    from rich.table import Table

    from simulate.results.result import Result
    from simulate.studies.dose_response.tables import CurveRow


@defaults_of(function)
def dose_response(
    scenario: ScenarioFile,
    dose: Annotated[
        str, typer.Option("--dose", "-d", metavar="VALUES", help="Such as 1mg:300mg, 1:300:20log or 10,30,100 mg.")
    ],
    endpoint: Annotated[
        list[str] | None,
        typer.Option("--endpoint", "-e", metavar="QUANTITY[:change][@DAY]", help="May be given several times."),
    ],
    second: Annotated[
        str | None, typer.Option("--second", metavar="AXIS", help="Such as interval=12h:48h:4 or f_m=0.1:0.9:5.")
    ],
    isobole: Annotated[
        bool, typer.Option("--isobole", help="Seek the doses with the same effect along the second axis.")
    ],
    effect: Annotated[
        list[float] | None,
        typer.Option("--effect", metavar="PERCENT", help="Dose with this much of the effect, as 90; several times."),
    ],
    hypothesis: Hypotheses,
    fit: Fit,
    draws: Draws,
    settings: Settings,
    patients: Patients,
    seed: Seed,
    dropout: Dropout,
    rtol: Rtol,
    arm: Annotated[str | None, typer.Option("--arm", metavar="NAME", help="Arm whose doses vary.")],
    exposure: Annotated[
        str | None, typer.Option("--exposure", metavar="QUANTITY", help="What exposure is measured by.")
    ],
    bound: Annotated[
        float,
        typer.Option("--bound", metavar="X", min=0.0, help="Signal of IL-1 that counts as blocked, % of baseline."),
    ],
    replicates: Annotated[
        int, typer.Option("--replicates", metavar="N", min=0, max=10_000, help="Resampled cohorts for intervals.")
    ],
    workers: Annotated[int, typer.Option("--workers", metavar="N", min=1, help="Processes that solve.")],
    threads: Threads,
    out: Figured,
    force: Force,
    figures: Drawn,
    as_json: Json = False,
) -> int:
    """Simulate a scenario at many doses, the same patients at each, and fit sigmoid Emax curves.

    Intervals are over draws of the fit, where there are some, and resampled patients. A curve without a plateau in the
    range is said not to be identifiable. Several hypotheses stand in one table and in one figure.

    \b
    simulate dose-response anakinra-100mg-daily --dose 1mg:300mg -e ifng@180d -e il17a@180d --out doses
    simulate dose-response anakinra-100mg-daily -e il17a:change@182 --second interval=12h:48h:4
    simulate dose-response anakinra-100mg-daily -e ck:change@182 --second f_m=0.1:0.9:5 --isobole --json
    simulate dose-response anakinra-100mg-daily -e ifng:change@182 -H H1+H6 -H H3a --out two
    """  # noqa: D301
    from simulate.api.varying import responded
    from simulate.studies.dose_response.responses import ENDPOINTS, ResponseRequest

    request = ResponseRequest(
        dose=dose,
        endpoint=tuple(endpoint or ENDPOINTS),
        second=second,
        isobole=isobole,
        effect=tuple(effect or ()),
        arm=arm,
        exposure=exposure,
        bound=bound,
        replicates=replicates,
    )
    chosen = chosen_settings(settings, fit=fit, draws=draws, patients=patients, seed=seed, dropout=dropout, rtol=rtol)
    return carry_out(responded, locals(), _show, hypotheses=hypothesis or (), settings=chosen)


def _show(result: Result[tuple[xr.Dataset, ...]]) -> None:
    from simulate.studies.dose_response.tables import assumptions, weak_fits

    found = result.value
    print_rich(_curves(found), "", _doses(found[0]) if len(found) == 1 else _doses_of_several(found))
    print_text("\n".join((*weak_fits(found), *assumptions(found), *_below(found))))


def _curves(datasets: Sequence[xr.Dataset]) -> Table:
    from simulate.results.tables import rounded
    from simulate.studies.dose_response.emax import CurveVerdict
    from simulate.studies.dose_response.tables import curve_rows, effect_rows, names_of, people_text

    dataset, several = datasets[0], len(datasets) > 1
    named = list(zip(names_of(datasets), datasets, strict=True))
    rows = [(name, row) for name, one in named for row in curve_rows(one)]
    # An endpoint under each hypothesis, and then the next.
    rows.sort(key=lambda pair: dataset["endpoint"].values.tolist().index(pair[1].endpoint))
    # Without a dose nothing changes in anybody, and what the curve has there says how well it fits, not what is so.
    still = {
        (name, row.endpoint, row.second)
        for name, one in named
        for row in effect_rows(one)
        if row.dose == row.p5 == row.p95 == 0.0
    }
    has_base = any((hypothesis, row.endpoint, row.second) not in still for hypothesis, row in rows)
    own = "" if several else f"hypothesis {dataset.attrs['hypothesis']}; "
    table = titled(
        dataset.attrs["title"],
        caption=f"{own}sigmoid Emax curves of the mean of {people_text(datasets)}; 95 % of resampled cohorts in "
        "parentheses",
        caption_justify="left",
        title_style="bold",
        pad_edge=False,
    )
    unit = str(dataset["dose"].attrs.get("units", ""))
    names = (
        "endpoint",
        *(("hypothesis",) if several else ()),
        *((dataset.attrs["second"],) if dataset.attrs["second"] else ()),
        *(("base",) if has_base else ()),
        "span",
        _with_unit("ED50", unit),
        "Hill",
    )
    for name in names:
        table.add_column(name, overflow="fold", justify="left" if name in ("endpoint", "hypothesis") else "right")
    table.add_column(f"own {_with_unit('ED50', unit)} (5 to 95 %)", justify="right")
    table.add_column("patients", justify="right")
    table.add_column("verdict", overflow="fold")
    for first in range(0, len(rows), 4):
        hypothesis, four = rows[first][0], [row for _, row in rows[first : first + 4]]
        is_known = four[0].verdict == CurveVerdict.IDENTIFIED.value
        cells = [_known(row) if is_known else "–" for row in four]
        ed50 = four[2]
        if ed50.estimate is None and ed50.low is not None:
            cells[2] = f"{rounded(ed50.low)} to {rounded(ed50.high)}"
        if (hypothesis, ed50.endpoint, ed50.second) in still:
            cells[0] = ""
        spread = f"{rounded(ed50.patients_median)} ({rounded(ed50.patients_p5)} to {rounded(ed50.patients_p95)})"
        table.add_row(
            _with_unit(ed50.endpoint, four[0].unit),
            *([hypothesis] if several else []),
            *([f"{ed50.second:.4g}"] if ed50.second is not None else []),
            *(cells if has_base else cells[1:]),
            *((spread, str(ed50.patients)) if ed50.patients else ("–", "0")),
            ed50.verdict,
        )
    return table


def _with_unit(name: str, unit: str) -> str:
    return f"{name}, {unit}" if unit else name


def _known(row: CurveRow) -> str:
    """An estimate with its interval, if there is one."""
    from simulate.results.tables import rounded

    interval = "" if row.low is None else f" ({rounded(row.low)} to {rounded(row.high)})"
    return f"{rounded(row.estimate)}{interval}"


def _doses(dataset: xr.Dataset) -> Table:
    from simulate.results.tables import rounded
    from simulate.studies.dose_response.tables import effect_rows

    rows = effect_rows(dataset)
    caption = f"exposures and shares of the interval before day {dataset.attrs['window_end']:g}: medians"
    table = _table_of_doses(dataset, caption)
    exposure = rows[0].exposure_unit if rows else ""
    for name in (
        *("mean (95 %)", "median (5 to 95 %)"),
        *(_with_unit(part, exposure) for part in ("average", "trough", "peak")),
        *("blocked, lymph", "blocked, muscle"),
    ):
        table.add_column(name, justify="right")
    for row in rows:
        table.add_row(
            _with_unit(row.endpoint, row.unit),
            *([f"{row.second:.4g}"] if row.second is not None else []),
            f"{row.dose:.4g}",
            _effect(row.mean, row.mean_low, row.mean_high),
            _effect(row.median, row.p5, row.p95),
            *(rounded(value) for value in (row.average, row.trough, row.peak)),
            *("–" if value is None else f"{value:.0f} %" for value in (row.blocked_lymph, row.blocked_muscle)),
        )
    return table


def _table_of_doses(dataset: xr.Dataset, caption: str) -> Table:
    """An empty table with columns for what a dose is of."""
    table = titled("At each dose", pad_edge=False, caption=caption, caption_justify="left")
    unit = str(dataset["dose"].attrs.get("units", ""))
    for name in ("endpoint", *((dataset.attrs["second"],) if dataset.attrs["second"] else ()), f"dose, {unit}"):
        table.add_column(name, overflow="fold", justify="left" if name == "endpoint" else "right")
    return table


def _doses_of_several(datasets: Sequence[xr.Dataset]) -> Table:
    """Means at each dose, a column for each hypothesis."""
    from simulate.studies.dose_response.tables import effect_rows, names_of

    dataset = datasets[0]
    rows = [effect_rows(one) for one in datasets]
    table = _table_of_doses(dataset, "means (95 %)")
    for name in names_of(datasets):
        table.add_column(name, justify="right")
    for together in zip(*rows, strict=True):
        row = together[0]
        table.add_row(
            row.endpoint,
            *([f"{row.second:.4g}"] if row.second is not None else []),
            f"{row.dose:.4g}",
            *(f"{_effect(own.mean, own.mean_low, own.mean_high)} {own.unit}" for own in together),
        )
    return table


def _below(datasets: Sequence[xr.Dataset]) -> list[str]:
    """What "blocked" means, if it is shown; of each hypothesis its other doses; and what is in no interval."""
    from simulate.studies.dose_response.tables import names_of

    several = len(datasets) > 1
    bound = datasets[0].attrs["bound"]
    blocked = f"blocked: share of the interval with the signal of IL-1 below {bound:g} % of its baseline"
    lines = [] if several else [blocked]
    for name, one in zip(names_of(datasets), datasets, strict=True):
        prefix = f"{name}: " if several else ""
        lines += [prefix + line for line in _of_doses(one)]
    if any("draw" not in one.coords for one in datasets):
        lines.append(
            "Intervals are over patients alone, with parameters at their typical values: `--fit shipped` or "
            "`--fit prior` adds what is not known of these."
        )
    return lines


def _of_doses(dataset: xr.Dataset) -> list[str]:
    """Other doses and what the ED50 goes with, as sentences."""
    from simulate.results.tables import dose_text
    from simulate.studies.dose_response.tables import influence_rows, isobole_rows, share_rows

    name = dataset.attrs["second"]
    highest = float(dataset["dose"].max())

    def at(second: float | None) -> str:
        return "" if second is None else f" at {name} {second:.4g}"

    lines = []
    for share in share_rows(dataset):
        dose = dose_text(share.dose, share.low, share.high, share.dose_unit, highest)
        lines.append(f"{share.endpoint}{at(share.second)}: ED{100.0 * share.share:g} {dose}")
    for row in isobole_rows(dataset):
        dose = dose_text(row.dose, row.low, row.high, row.dose_unit, highest)
        lines.append(f"{row.endpoint}: {100.0 * row.level:.0f} % of the largest effect{at(row.second)}: {dose}")
    named: dict[str, list[str]] = {}
    for found in influence_rows(dataset):
        named.setdefault(f"{found.endpoint}{at(found.second)}", []).append(
            f"{found.parameter} ({found.rank_correlation:+.2f})"
        )
    for what, parameters in named.items():
        lines.append(f"{what}: patients' own ED50 goes with {', '.join(parameters)} (rank correlations)")
    return lines


def _effect(*values: float | None) -> str:
    """A number of the table and its interval, in parentheses."""
    from simulate.results.tables import rounded

    middle, low, high = (rounded(value) for value in values)
    return f"{middle} ({low} to {high})"
