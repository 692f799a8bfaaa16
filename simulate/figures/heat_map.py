"""A number over two parameters: colors that rise in lightness, contours with their values, gray where there is none."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator

from simulate.figures.style import COLUMN, INK, POINTS, logarithmic, plain_number, quantity_label, styled
from simulate.solver.kernel import FloatArray

COLORS = "cividis"
"""Map of colors that the color-blind see as everybody else does (Nuñez, Anderton, Renslow 2018)."""

_HEIGHT = 3.0
_CONTOURS = 6
_EVEN = 1e-3


def heat_map(field: xr.DataArray, *, contours: int | Sequence[float] = _CONTOURS, note: str = "") -> Figure:
    """Draw a number over two parameters, one column wide.

    The field has the shape [y, x], NaN where there is no number; its coordinates ascend, and they and the field have
    the attributes ``long_name`` and ``units``. A coordinate whose values are more even in their logarithm has a
    logarithmic axis. ``contours`` says how many, or at which values; ``note`` of whom the number is, such as ``median
    of 97 of 100 patients``.
    """
    y, x = (np.asarray(field[name].values, dtype=np.float64) for name in field.dims)
    values = np.asarray(field.values, dtype=np.float64)
    with styled(POINTS):
        figure = Figure(figsize=(COLUMN, _HEIGHT), layout="constrained")
        axes = figure.subplots()
        shown = np.ma.masked_invalid(values)
        axes.set_facecolor("#C8C8C8")
        image = axes.pcolormesh(_edges(x), _edges(y), shown, cmap=COLORS, linewidth=0.0, rasterized=True)
        _contours(axes, x, y, shown, contours)
        for axis, name, places in ((axes.xaxis, field.dims[1], x), (axes.yaxis, field.dims[0], y)):
            if _is_geometric(places):
                logarithmic(axis)
            axis.set_label_text(textwrap.fill(_label(field[name]), 40))
        bar = figure.colorbar(image, ax=axes, format=FuncFormatter(plain_number), pad=0.02)
        bar.outline.set_visible(False)
        bar.set_label(textwrap.fill(_label(field), 40))
        if note:
            axes.set_title(textwrap.fill(note, 46), loc="left")
        if shown.mask.any():
            missing = int(np.count_nonzero(shown.mask))
            patch = Patch(facecolor="#C8C8C8")
            figure.legend([patch], [f"no result: {missing} of {values.size}"], loc="outside lower left")
    return figure


def _contours(axes: Axes, x: FloatArray, y: FloatArray, shown: Any, contours: int | Sequence[float]) -> None:
    is_flat = not shown.count() or float(shown.max()) == float(shown.min())
    if min(len(x), len(y)) < 2 or is_flat or (isinstance(contours, int) and not contours):
        return
    low, high = float(shown.min()), float(shown.max())
    asked = MaxNLocator(contours).tick_values(low, high) if isinstance(contours, int) else np.sort(contours)
    levels = np.asarray(asked, dtype=np.float64)
    levels = levels[(levels > low) & (levels < high)]
    if not len(levels):
        return
    # Light upon dark, and dark upon light.
    shades = ["white" if level < (low + high) / 2.0 else INK for level in levels]
    drawn = axes.contour(x, y, shown, levels=levels, colors=shades, linewidths=0.7)
    axes.clabel(drawn, fmt=lambda value: plain_number(value, None), fontsize=POINTS - 1.0)


def _is_geometric(places: FloatArray) -> bool:
    """Whether places are more even in their logarithm than as they are, such as 10, 30, 100."""
    if len(places) < 3 or places.min() <= 0.0:
        return False
    uneven = [np.ptp(steps) / steps.mean() for steps in (np.diff(np.log(places)), np.diff(places))]
    return bool(uneven[0] < uneven[1] and uneven[1] > _EVEN)


def _edges(places: FloatArray) -> FloatArray:
    """Edges of cells whose centers are the places, halfway in the scale that they are even in."""
    if len(places) == 1:
        return np.array([places[0] - 0.5, places[0] + 0.5])
    scaled = np.log(places) if _is_geometric(places) else places
    inner = (scaled[1:] + scaled[:-1]) / 2.0
    edges = np.concatenate([[2.0 * scaled[0] - inner[0]], inner, [2.0 * scaled[-1] - inner[-1]]])
    found: FloatArray = np.exp(edges) if _is_geometric(places) else edges
    return found


def _label(part: xr.DataArray) -> str:
    return quantity_label(str(part.attrs.get("long_name", part.name)), str(part.attrs.get("units", "")))
