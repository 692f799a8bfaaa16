"""Hypotheses side by side: a panel for each endpoint, the patients of each hypothesis as a bar about their median."""

from __future__ import annotations

import string
from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator

from simulate.figures.bands import titled
from simulate.figures.changes import LETTERS
from simulate.figures.style import FAINT, INK, MILLIMETER, WIDTH, color, plain_number, styled
from simulate.studies.paired import TITLES, percent_of
from simulate.studies.side_by_side import SideBySide

_HEIGHT, _ROW = 34.0, 5.5


def side_by_side_figure(found: Sequence[SideBySide]) -> Figure:
    """Draw what hypotheses say of endpoints.

    180 mm wide: lines reach over 90 % of the patients, bars over the middle half, dots are medians, and beside each
    stands the share of patients who go the reported way. Of draws of a fit, dark lines reach over the medians of 90 %
    of them: what is not known, beside how patients differ.
    """
    endpoints = [one.quantity for one in found[0].endpoints]
    several = len({one.arm for one in found}) > 1
    own = [one.name or one.hypothesis for one in found]
    names = [f"{name}, {one.arm}" if several else name for name, one in zip(own, found, strict=True)]
    order = list(dict.fromkeys(own))
    with styled():
        height = _HEIGHT + _ROW * len(found)
        figure = Figure(figsize=(WIDTH * MILLIMETER, height * MILLIMETER), layout="constrained")
        panels = figure.subplots(1, len(endpoints), sharey=True, squeeze=False)[0]
        for column, (axes, name) in enumerate(zip(panels, endpoints, strict=True)):
            axes.axvline(0.0, color=FAINT, linewidth=0.6, zorder=0)
            shown = [next(part for part in one.endpoints if part.quantity == name) for one in found]
            for row, (name_shown, part) in enumerate(zip(own, shown, strict=True)):
                changed, shade = part.changed, color(order.index(name_shown))
                if changed.median is None:
                    continue
                axes.plot([changed.p5, changed.p95], [row, row], color=shade, linewidth=1.0, zorder=2)
                axes.plot([part.p25, part.p75], [row, row], color=shade, linewidth=4.0, solid_capstyle="butt", zorder=3)
                if "median" in changed.of_draws:
                    axes.plot(changed.of_draws["median"], [row, row], "-|", color=INK, linewidth=0.8, markersize=5.0)
                axes.plot([changed.median], [row], "o", color="white", markeredgecolor=shade, markersize=4.0, zorder=4)
                axes.annotate(
                    f"{percent_of(part.going)} %" if part.direction else "",
                    (1.0, row),
                    xycoords=("axes fraction", "data"),
                    xytext=(2.0, 0.0),
                    textcoords="offset points",
                    va="center",
                )
            way = shown[0].direction
            arrow = "" if not way else " ↑" if way == "up" else " ↓"
            titled(
                axes,
                TITLES.get(name, shown[0].title[:1].upper() + shown[0].title[1:]) + arrow,
                string.ascii_lowercase[column],
                width=LETTERS,
            )
            axes.set_xlabel("change (%)" if shown[0].unit == "%" else f"change ({shown[0].unit})")
            axes.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]))
            axes.xaxis.set_major_formatter(FuncFormatter(plain_number))
            axes.set_ylim(len(found) - 0.4, -0.6)
            axes.set_yticks(range(len(found)), names)
            axes.tick_params(axis="y", length=0.0)
        handles = [
            Line2D([], [], marker="o", color="white", markeredgecolor=INK, markersize=4.0, label="median"),
            Line2D([], [], color=INK, linewidth=4.0, solid_capstyle="butt", label="50 % of patients"),
            Line2D([], [], color=INK, linewidth=1.0, label="90 % of patients"),
            *(
                [Line2D([], [], color=INK, marker="|", markersize=5.0, linewidth=0.8, label="90 % of draws' medians")]
                if any("median" in part.changed.of_draws for one in found for part in one.endpoints)
                else []
            ),
            Line2D([], [], linestyle="none", label="↑ ↓ reported; % of patients who go that way"),
        ]
        figure.legend(handles=handles, loc="outside upper left", ncols=len(handles))
    return figure
