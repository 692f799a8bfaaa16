"""Profiles of the parameters of a problem: how much the logarithm falls while each is held."""

from __future__ import annotations

import textwrap

import numpy as np
from matplotlib.figure import Figure

from simulate.figures.style import COLORS, FAINT, INK, PAGE, POINTS, logarithmic, styled
from simulate.inference.profiles import THRESHOLD
from simulate.studies.petab.outcomes import ProblemProfiles

_COLUMNS = 4
_HEIGHT = 1.35
_LETTERS = 20
_SHOWN = 2.0 * THRESHOLD
_WIDE = 10.0
"""Ratio of the ends from which an axis is logarithmic where the parameter is sought so: below, its ticks crowd."""


def profiles_figure(found: ProblemProfiles) -> Figure:
    """Draw profiles, a panel each.

    A page wide where there are four or more. The dotted line is the fall at which an interval ends, the dot the
    estimate; a curve that stays above the line to one side ends at a bound.
    """
    columns = min(_COLUMNS, len(found.parameters))
    rows = -(-len(found.parameters) // columns)
    with styled(POINTS):
        figure = Figure(figsize=(PAGE * columns / _COLUMNS, _HEIGHT * rows + 0.3), layout="constrained")
        panels = figure.subplots(rows, columns, sharey=True, squeeze=False).ravel()
        for axes, row, (drops, values) in zip(panels, found.parameters, found.curves, strict=False):
            held = values[:, found.names.index(row.name)]
            axes.plot(held, np.maximum(drops, 0.0), marker=".", markersize=3.0, color=COLORS[0])
            axes.plot([row.estimate], [0.0], "o", color=INK, markersize=3.5)
            axes.axhline(THRESHOLD, color=FAINT, linewidth=0.8, linestyle=":", zorder=0)
            axes.set_ylim(_SHOWN, -0.1 * _SHOWN)
            axes.set_xlabel(textwrap.fill(row.name, _LETTERS))
            if row.scale != "lin" and held[-1] >= _WIDE * held[0]:
                logarithmic(axes.xaxis)
            else:
                axes.locator_params(axis="x", nbins=4)
        for axes in panels[len(found.parameters) :]:
            axes.set_visible(False)
        figure.supylabel("fall of the log-posterior", fontsize=POINTS)
    return figure
