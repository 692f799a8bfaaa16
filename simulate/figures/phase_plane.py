"""A phase plane: directions, nullclines and steady states of two states of a model."""

from __future__ import annotations

import textwrap
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from simulate.figures.style import COLORS, COLUMN, FAINT, INK, POINTS, quantity_label, styled

_HEIGHT = 3.5
_DOT: dict[str, Any] = {"marker": "o", "linestyle": "none", "markersize": 5.0, "markeredgewidth": 1.0, "color": INK}


def phase_plane(plane: xr.Dataset) -> Figure:
    """Draw a phase plane.

    Parameters
    ----------
    plane
        As `simulate.studies.phase_plane.phase_plane` makes it.

    Returns
    -------
    Figure
        One column wide. Filled dots are stable states, hollow ones unstable; the diamond is the baseline.
    """
    xs, ys = (np.asarray(plane[name].values, dtype=np.float64) for name in ("x", "y"))
    dx, dy = (np.ma.masked_invalid(np.asarray(plane[name].values, dtype=np.float64)) for name in ("dx", "dy"))
    with styled(POINTS):
        figure = Figure(figsize=(COLUMN, _HEIGHT), layout="constrained")
        axes = figure.subplots()
        axes.set_facecolor("#C8C8C8" if dx.mask.any() else "white")
        if dx.mask.any():
            axes.contourf(xs, ys, (~np.ma.getmaskarray(dx)).astype(float), levels=[0.5, 1.5], colors=["white"])
        flow: dict[str, Any] = {"color": FAINT, "linewidth": 0.5, "arrowsize": 0.6, "density": 0.8}
        axes.streamplot(xs, ys, dx.filled(np.nan), dy.filled(np.nan), **flow)
        handles: list[Line2D] = []
        labels: list[str] = []
        solid: Any = "-"
        dashed: Any = (0, (4, 1.5))
        for rate, shade, dashes, axis in ((dx, COLORS[0], solid, "x"), (dy, COLORS[1], dashed, "y")):
            if rate.count() and float(rate.min()) < 0.0 < float(rate.max()):
                axes.contour(xs, ys, rate, levels=[0.0], colors=[shade], linewidths=1.6, linestyles=[dashes])
            handles.append(Line2D([], [], color=shade, linestyle=dashes, linewidth=1.6))
            labels.append(f"{plane.attrs[axis]} at rest")
        stable = np.asarray(plane["stable"].values, dtype=bool)
        for chosen, face, label in ((stable, INK, "stable state"), (~stable, "white", "unstable state")):
            if chosen.any():
                points = (plane[f"steady_{axis}"].values[chosen] for axis in ("x", "y"))
                axes.plot(*points, markerfacecolor=face, zorder=10, clip_on=False, **_DOT)
                handles.append(Line2D([], [], markerfacecolor=face, **_DOT))
                labels.append(label)
        start = plane["start"].values
        # Hollow and larger than a steady state, as the baseline may be one.
        diamond = _DOT | {"marker": "D", "markersize": 8.0, "color": COLORS[2], "markerfacecolor": "none"}
        axes.plot(start[:1], start[1:], zorder=9, clip_on=False, **diamond)
        handles.append(Line2D([], [], **diamond))
        labels.append("baseline")
        axes.set_xlim(xs[0], xs[-1])
        axes.set_ylim(ys[0], ys[-1])
        for axis, set_label in (("x", axes.set_xlabel), ("y", axes.set_ylabel)):
            about = plane[axis].attrs
            set_label(textwrap.fill(quantity_label(str(about["long_name"]), str(about["units"])), 42))
        title = f"{plane.attrs['hypothesis']}, {plane.attrs['fed']}; the other states at rest, typical patient"
        axes.set_title(textwrap.fill(title, 46), loc="left")
        figure.legend(handles, labels, loc="outside lower left", ncols=2)
    return figure
