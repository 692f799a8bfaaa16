"""Bands of many patients over time, arm by arm: the median, the middle half, or where draws have it, and 90 %."""

from __future__ import annotations

import textwrap
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.transforms import ScaledTranslation

from simulate.figures.style import COLORS, TITLE_PAD, color
from simulate.inference.quantiles import quantiles_along
from simulate.solver.kernel import FloatArray
from simulate.studies.sweeps.quantiles import quantiles_of_those

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
"""Quantiles that are drawn: the median, the middle half, and 90 % of the members."""

MOST_BANDS = 2
"""Arms beyond which bands stand as bars beside the axes, at the end: over time they would cover each other up."""

BESIDE, ROOM = 1.06, 0.14
"""Where bars stand beside axes, and how wide those of all arms are, in lengths of the time shown."""

TITLE_LETTERS = 36
"""Letters in a line of the title of one of three panels in a row."""

_LABEL_LETTERS = 14
"""Letters in a line of the label of a y axis."""

_DASHES: tuple[Any, ...] = ("-", (0, (4, 1.5)), (0, (1.2, 1.2)), (0, (6, 1.5, 1.2, 1.5)))


def bands_of(values: FloatArray, seen: npt.NDArray[np.bool_], draws: npt.NDArray[np.int64] | None = None) -> FloatArray:
    """Quantiles `LEVELS` [arm, level, time] of values [arm, member, time] of those who are seen [member, time].

    With the number of each member's draw the inner band is not the middle half of the patients but where 90 % of the
    draws have their own median: what is not known, beside how patients differ. NaN where there is nobody, and, of more
    than `MOST_BANDS` arms, but for the median before the last time at which somebody is there.
    """
    if len(values) <= MOST_BANDS:
        return _all_levels(values, seen, draws)
    bands = np.full((len(values), len(LEVELS), values.shape[2]), np.nan)
    bands[:, _MEDIAN] = medians_of(values, seen)
    for arm, end in _ends(bands):
        last = slice(end, end + 1)
        bands[arm, :, end] = _all_levels(values[arm : arm + 1, :, last], seen[:, last], draws)[0, :, 0]
    return bands


def medians_of(values: FloatArray, seen: npt.NDArray[np.bool_]) -> FloatArray:
    """Medians [arm, time], as those of `bands_of`."""
    return _quantiles(values, seen, (0.5,))[:, 0]


_MEDIAN = LEVELS.index(0.5)


def _all_levels(values: FloatArray, seen: npt.NDArray[np.bool_], draws: npt.NDArray[np.int64] | None) -> FloatArray:
    if draws is None:
        return _quantiles(values, seen, LEVELS)
    low, median, high = np.moveaxis(_quantiles(values, seen, (LEVELS[0], 0.5, LEVELS[-1])), 1, 0)
    own = _medians_of_draws(values, seen, draws)
    with warnings.catch_warnings():
        # Where nobody of any draw is left there is no band.
        warnings.simplefilter("ignore", RuntimeWarning)
        of = np.nanquantile if np.isnan(own).any() else np.quantile
        lower, upper = of(own, (0.05, 0.95), axis=0)
    return np.stack([low, lower, median, upper, high], axis=1)


def _medians_of_draws(values: FloatArray, seen: npt.NDArray[np.bool_], draws: npt.NDArray[np.int64]) -> FloatArray:
    """Median of the members of each draw, shape [draw, arm, time]."""
    places = [np.flatnonzero(draws == draw) for draw in np.unique(draws)]
    if _are_all_there(values, seen) and len({len(place) for place in places}) == 1:
        # One call for all draws, whose patients stand beside each other in memory if they do so in the results.
        members, together = np.concatenate(places), values.swapaxes(1, 2)
        if (np.diff(members) != 1).any():
            together = together[:, :, members]
        of_draws = together.reshape(*together.shape[:2], len(places), len(places[0]))
        return np.moveaxis(quantiles_along(of_draws, (0.5,))[0], 2, 0)
    return np.stack([_quantiles(values[:, place], seen[place], (0.5,))[:, 0] for place in places])


def _quantiles(values: FloatArray, seen: npt.NDArray[np.bool_], levels: Sequence[float]) -> FloatArray:
    """Quantiles [arm, level, time]."""
    if _are_all_there(values, seen):
        return np.moveaxis(quantiles_along(values.swapaxes(1, 2), levels), 0, 1)
    return np.stack([quantiles_of_those(members, seen & ~np.isnan(members), levels).T for members in values])


def _are_all_there(values: FloatArray, seen: npt.NDArray[np.bool_]) -> bool:
    return bool(seen.all() and not np.isnan(values).any())


def shown_of_bands(bands: FloatArray) -> FloatArray:
    """Those of the quantiles [arm, level, time] that are drawn: of many arms medians, and all levels at the end."""
    if len(bands) <= MOST_BANDS:
        shown = bands.ravel()
    else:
        shown = np.concatenate([bands[:, _MEDIAN].ravel(), *(bands[arm][:, end] for arm, end in _ends(bands))])
    found: FloatArray = shown[np.isfinite(shown)]
    return found


def _ends(bands: FloatArray) -> list[tuple[int, int]]:
    """Arms with the last time at which somebody is there."""
    there = [np.flatnonzero(np.isfinite(own[_MEDIAN])) for own in bands]
    return [(arm, int(days[-1])) for arm, days in enumerate(there) if len(days)]


def place_beside(end: float, arm: int, arms: int, row: int = 0) -> float:
    """Where the bar of an arm stands beside axes that end with a time; a second row is right of the first."""
    return end * (BESIDE + row * (ROOM + 0.03) + ROOM * arm / max(arms, 4))


def draw_bands(axes: Axes, days: FloatArray, bands: FloatArray) -> None:
    """Draw bands of arms, shape [arm, level, time], in the colors of the arms."""
    for arm, (low, lower, median, upper, high) in enumerate(bands):
        shade = color(arm)
        if len(bands) <= MOST_BANDS:
            fill(axes, days, low, high, color=shade, alpha=0.14, linewidth=0.0, zorder=1 + arm)
            fill(axes, days, lower, upper, color=shade, alpha=0.28, linewidth=0.0, zorder=10 + arm)
        axes.plot(days, median, color=shade, linestyle=dashes(arm), zorder=20 + arm)
    for arm, end in _ends(bands) if len(bands) > MOST_BANDS else ():
        x = place_beside(float(days[-1]), arm, len(bands))
        for one, other, width in ((0, -1, 0.4), (1, -2, 1.8 if len(bands) <= 4 else 1.1)):
            axes.plot(
                [x, x], bands[arm, [one, other], end], color=color(arm), linewidth=width, solid_capstyle="butt",
                clip_on=False, zorder=20 + arm,
            )  # fmt: skip


def fill(axes: Axes, days: FloatArray, low: FloatArray, high: FloatArray, **look: Any) -> None:
    """Fill between two curves where both are, as `Axes.fill_between` in a third of its time.

    Limits follow when a line is drawn.
    """
    there = np.flatnonzero(np.isfinite(low) & np.isfinite(high))
    if len(there):
        stretches = np.split(there, np.flatnonzero(np.diff(there) > 1) + 1)
        outlines = [np.r_[np.c_[days[own], low[own]], np.c_[days[own], high[own]][::-1]] for own in stretches]
        axes.add_artist(area(outlines, **look))
        axes.update_datalim(np.concatenate(outlines))


def area(outlines: Sequence[npt.ArrayLike], **look: Any) -> PathPatch:
    """What is within some outlines; a collection of them is drawn as marks are, each after a picture of it is made."""
    closed = [np.concatenate([outline, outline[:1]]) for outline in map(np.asarray, outlines)]
    return PathPatch(Path.make_compound_path(*(Path(outline, closed=True) for outline in closed)), **look)


def dashes(arm: int) -> Any:
    """Pattern of an arm's lines: what lies beneath shows through the gaps where two arms agree.

    Where colors return, after twice `COLORS`, patterns are others: color and pattern together tell 48 arms apart.
    """
    return _DASHES[(arm + arm // (2 * len(COLORS))) % len(_DASHES)]


def label_y(axes: Axes, label: str) -> None:
    """Label the y axis of a panel, in lines that are no longer than the axis: the letter of the panel is above it."""
    axes.set_ylabel(textwrap.fill(label, _LABEL_LETTERS, break_long_words=False))


def titled(axes: Axes, title: str, letter: str, *, width: int = TITLE_LETTERS) -> None:
    """Give a panel its title, in two lines of so many letters at most, and its letter."""
    lines = textwrap.wrap(title, width)[:2]
    axes.set_title("\n".join(lines), loc="left", pad=TITLE_PAD, y=1.0)
    across, up = -24.0 / 72.0, (3.5 + 9.0 * (len(lines) - 1)) / 72.0
    beside = axes.transAxes + ScaledTranslation(across, up, axes.figure.dpi_scale_trans)
    axes.text(0.0, 1.0, letter, transform=beside, fontweight="bold", fontsize=9.0, va="bottom")
