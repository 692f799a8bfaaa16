"""Bands of many patients over time, arm by arm: the median, the middle half, or where draws have it, and 90 %."""

from __future__ import annotations

import textwrap
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection

from simulate.figures.style import TITLE_PAD, color
from simulate.studies.sweeps.quantiles import quantiles_of_those

FloatArray = npt.NDArray[np.float64]

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
"""Quantiles that are drawn: the median, the middle half, and 90 % of the members."""

WIDE_BANDS = 2
"""Arms beyond which the wide band is drawn by its edges."""

EDGED_BANDS = 4
"""Arms beyond which the middle half alone is drawn."""

TITLE_LETTERS = 36
"""Letters in a line of the title of one of three panels in a row."""

_LABEL_LETTERS = 14
"""Letters in a line of the label of a y axis."""

_DASHES: tuple[Any, ...] = ("-", (0, (4, 1.5)), (0, (1.2, 1.2)), (0, (6, 1.5, 1.2, 1.5)))


def bands_of(values: FloatArray, seen: npt.NDArray[np.bool_], draws: npt.NDArray[np.int64] | None = None) -> FloatArray:
    """Quantiles `LEVELS` [arm, level, time] of values [arm, member, time] of those who are seen [member, time].

    With the number of each member's draw the inner band is not the middle half of the patients but where 90 % of the
    draws have their own median: what is not known, beside how patients differ. NaN where there is nobody.
    """
    bands = _quantiles(values, seen, LEVELS)
    if draws is not None:
        own = _medians_of_draws(values, seen, draws)
        with warnings.catch_warnings():
            # Where nobody of any draw is left there is no band.
            warnings.simplefilter("ignore", RuntimeWarning)
            of = np.nanquantile if np.isnan(own).any() else np.quantile
            bands[:, _MEDIAN - 1], bands[:, _MEDIAN + 1] = of(own, (0.05, 0.95), axis=0)
    return bands


def _medians_of_draws(values: FloatArray, seen: npt.NDArray[np.bool_], draws: npt.NDArray[np.int64]) -> FloatArray:
    """Median of the members of each draw, shape [draw, arm, time]."""
    places = [np.flatnonzero(draws == draw) for draw in np.unique(draws)]
    if seen.all() and len({len(place) for place in places}) == 1 and not np.isnan(values).any():
        # Everybody is there: one call for all draws.
        return np.moveaxis(np.quantile(values[:, np.stack(places)], 0.5, axis=2), 0, 1)
    return np.stack([_quantiles(values[:, place], seen[place], (0.5,))[:, 0] for place in places])


_MEDIAN = LEVELS.index(0.5)


def _quantiles(values: FloatArray, seen: npt.NDArray[np.bool_], levels: Sequence[float]) -> FloatArray:
    found = [quantiles_of_those(members, seen & ~np.isnan(members), levels).T for members in values]
    return np.stack(found)


def shown_levels(arms: int) -> slice:
    """Levels that are drawn: of many arms the middle half alone, as wide bands would cover each other up."""
    return slice(None) if arms <= EDGED_BANDS else slice(1, -1)


def draw_bands(axes: Axes, days: FloatArray, bands: FloatArray) -> None:
    """Draw bands of arms, shape [arm, level, time], in the colors of the arms."""
    is_crowded = len(bands) > WIDE_BANDS
    for arm, (low, lower, median, upper, high) in enumerate(bands):
        shade = color(arm)
        if is_crowded:
            # Several fillings add up to a gray that belongs to no arm; edges stay apart.
            for edge in (lower, upper):
                axes.plot(days, edge, color=shade, linestyle=dashes(arm), linewidth=0.5, alpha=0.8, zorder=1 + arm)
            for edge in (low, high) if len(bands) <= EDGED_BANDS else ():
                axes.plot(days, edge, color=shade, linestyle=(0, (1.0, 3.0)), linewidth=0.6, alpha=0.9, zorder=1 + arm)
        else:
            fill(axes, days, low, high, color=shade, alpha=0.14, linewidth=0.0, zorder=1 + arm)
        pale = 0.06 if is_crowded else 0.28
        fill(axes, days, lower, upper, color=shade, alpha=pale, linewidth=0.0, zorder=10 + arm)
        axes.plot(days, median, color=shade, linestyle=dashes(arm), zorder=20 + arm)


def fill(axes: Axes, days: FloatArray, low: FloatArray, high: FloatArray, **look: Any) -> None:
    """Fill between two curves where both are, as `Axes.fill_between` in a third of its time.

    Limits follow when a line is drawn.
    """
    there = np.flatnonzero(np.isfinite(low) & np.isfinite(high))
    if len(there):
        stretches = np.split(there, np.flatnonzero(np.diff(there) > 1) + 1)
        outlines = [np.r_[np.c_[days[own], low[own]], np.c_[days[own], high[own]][::-1]] for own in stretches]
        axes.add_collection(PolyCollection(outlines, **look), autolim=False)
        axes.update_datalim(np.concatenate(outlines))


def dashes(arm: int) -> Any:
    """Pattern of an arm's lines: what lies beneath shows through the gaps where two arms agree."""
    return _DASHES[arm % len(_DASHES)]


def label_y(axes: Axes, label: str) -> None:
    """Label the y axis of a panel, in lines that are no longer than the axis: the letter of the panel is above it."""
    axes.set_ylabel(textwrap.fill(label, _LABEL_LETTERS, break_long_words=False))


def titled(axes: Axes, title: str, letter: str, *, width: int = TITLE_LETTERS) -> None:
    """Give a panel its title, in two lines of so many letters at most, and its letter."""
    lines = textwrap.wrap(title, width)[:2]
    axes.set_title("\n".join(lines), loc="left", pad=TITLE_PAD, y=1.0)
    axes.annotate(
        letter,
        (0.0, 1.0),
        xycoords="axes fraction",
        xytext=(-24.0, 3.5 + 9.0 * (len(lines) - 1)),
        textcoords="offset points",
        fontweight="bold",
        fontsize=9.0,
        va="bottom",
    )
