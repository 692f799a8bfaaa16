"""Repeated studies: how often they find an effect, how wrong they then are, and where the reported values stand."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from simulate.figures.style import COLORS, FAINT, GRAY, MILLIMETER, WIDTH, styled
from simulate.studies.power.families import ALL, ANY
from simulate.studies.power.power import Power, Rank, SimulatedTrials
from simulate.studies.power.repeats import Interval

_ROW = 5.0
_FRAME = 24.0


def trials_figure(result: SimulatedTrials) -> Figure:
    """Draw the result of repeated studies, 180 mm wide."""
    rows, ranks = result.powers, result.ranks
    with styled():
        height = (_FRAME * (2 if ranks else 1) + _ROW * (len(rows) + len(ranks))) * MILLIMETER
        figure = Figure(figsize=(WIDTH * MILLIMETER, height), layout="constrained")
        ratios = (len(rows) + 4.0, len(ranks) + 4.0) if ranks else (1.0,)
        parts = figure.subfigures(len(ratios), 1, squeeze=False, height_ratios=ratios)[:, 0]
        power, sign, size = parts[0].subplots(1, 3, sharey=True)
        _points(power, rows, [row.power for row in rows], [row.power_interval for row in rows])
        power.axvline(result.analysis.alpha, color=FAINT, linewidth=0.8, linestyle=":")
        power.set_xlim(-0.03, 1.03)
        power.set_xlabel(f"studies with p < {result.analysis.alpha:g}\n(share)")
        _points(sign, rows, [row.wrong_sign for row in rows], [row.wrong_sign_interval for row in rows])
        sign.set_xlim(-0.02, 0.55)
        sign.set_xlabel("of these, with the wrong sign\n(share)")
        _points(size, rows, [row.exaggeration for row in rows], [row.exaggeration_interval for row in rows])
        size.axvline(1.0, color=FAINT, linewidth=0.8, linestyle=":")
        size.set_xscale("log")
        ticks = [0.5, 1.0, 2.0, 5.0, 10.0, 20.0]
        size.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        size.set_xticks([], minor=True)
        size.set_xlim(0.45, 25.0)
        size.set_xlabel("their estimate over the truth,\nmedian (ratio)")
        power.set_yticks(range(len(rows)), [f"{row.effect}, {row.test}, n {row.n}" for row in rows])
        power.set_ylim(len(rows) - 0.5, -0.5)
        hypothesis = result.draws.problem.label
        origin = result.draws.name
        parts[0].suptitle(f"{result.design.title} ({hypothesis}, {origin})", x=0.01, ha="left", fontweight="bold")
        if ranks:
            _ranks(parts[1].subplots(1, 1), ranks)
            parts[1].suptitle("The printed figures among repeated studies", x=0.01, ha="left", fontweight="bold")
    return figure


def power_curves(result: SimulatedTrials) -> Figure:
    """Draw power over the number of patients, of each endpoint, of at least one and of all, 180 mm wide."""
    analysis, curves = result.analysis, result.curves
    sizes = [point.n for point in curves]
    rows = [[point.endpoints[place] for point in curves] for place in range(len(curves[0].endpoints))]
    is_corrected = len(analysis.endpoints) > 0
    with styled():
        figure = Figure(figsize=(WIDTH * MILLIMETER, 75.0 * MILLIMETER), layout="constrained")
        kinds = [("each alone", [[(row.raw, row.raw_interval) for row in line] for line in rows])]
        if is_corrected:
            name = f"together, corrected by {analysis.correction}"
            kinds.append((name, [[(row.corrected, row.corrected_interval) for row in line] for line in rows]))
        panels = figure.subplots(1, len(kinds), sharey=True, squeeze=False)[0]
        for axes, (kind, lines) in zip(panels, kinds, strict=True):
            for place, (line, found) in enumerate(zip(rows, lines, strict=True)):
                name = line[0].endpoint
                color = {ANY: GRAY, ALL: "black"}.get(name, COLORS[place % len(COLORS)])
                style = {ANY: "--", ALL: "-."}.get(name, "-")
                axes.fill_between(
                    sizes, *zip(*(ends for _, ends in found), strict=True), color=color, alpha=0.15, linewidth=0.0
                )
                axes.plot(
                    sizes, [share for share, _ in found], style, color=color, marker="o", markersize=2.5, label=name
                )
            axes.axhline(analysis.alpha, color=FAINT, linewidth=0.8, linestyle=":")
            axes.set_title(kind)
            axes.set_ylim(-0.02, 1.02)
            axes.set_xlabel(f"patients, {result.design.name}" if result.design.others else "patients who are treated")
        panels[0].set_ylabel(f"studies with p < {analysis.alpha:g} (share)")
        handles, names = panels[0].get_legend_handles_labels()
        figure.legend(handles, names, loc="outside lower center", ncols=6)
        title = f"Power over size, {result.draws.problem.label}, {result.design.trial.name}"
        figure.suptitle(title, x=0.01, ha="left", fontweight="bold")
    return figure


def _points(
    axes: Axes, rows: Sequence[Power], values: Sequence[float | None], intervals: Sequence[Interval | None]
) -> None:
    names = list(dict.fromkeys(row.effect for row in rows))
    for place, (row, value, interval) in enumerate(zip(rows, values, intervals, strict=True)):
        color = COLORS[names.index(row.effect) % len(COLORS)]
        if value is not None and interval is not None:
            axes.plot(interval, (place, place), color=color, linewidth=1.0)
            axes.plot(value, place, "o", color=color, markersize=3.5)
    axes.tick_params(axis="y", length=0.0)


def _ranks(axes: Axes, ranks: Sequence[Rank]) -> None:
    for place, row in enumerate(ranks):
        low, high = max(row.rank - 1.96 * row.error, 0.0), min(row.rank + 1.96 * row.error, 1.0)
        axes.plot((low, high), (place, place), color=GRAY, linewidth=1.0)
        axes.plot(row.rank, place, "o", color=COLORS[0] if 0.05 <= row.rank <= 0.95 else COLORS[1], markersize=3.5)
    for edge in (0.05, 0.95):
        axes.axvline(edge, color=FAINT, linewidth=0.8, linestyle=":")
    labels = [f"{row.item}, {row.figure}: {row.reported:g} {row.unit}".rstrip() for row in ranks]
    axes.set_yticks(range(len(ranks)), labels)
    axes.set_ylim(len(ranks) - 0.5, -0.5)
    axes.set_xlim(-0.02, 1.02)
    axes.tick_params(axis="y", length=0.0)
    axes.set_xlabel("share of the repeated studies with a smaller figure")
