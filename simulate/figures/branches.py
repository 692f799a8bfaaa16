"""A bifurcation diagram: steady states over one parameter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from simulate.figures.style import COLORS, COLUMN, INK, POINTS, quantity_label, styled
from simulate.kernels.continuation import Branch
from simulate.kernels.equilibria import Stability

_HEIGHT = 1.9


def branch_diagram(
    branches: Sequence[Branch], quantities: Sequence[str], units: Mapping[str, str], *, draws: int = 0
) -> Figure:
    """Draw states or observables of steady states over the parameter that varies.

    One column wide. Lines are stable states, dotted ones not; dots are folds.
    """
    faint = 1.0 if draws < 2 else max(0.25, draws**-0.5)
    with styled(POINTS):
        figure = Figure(figsize=(COLUMN, _HEIGHT * len(quantities)), layout="constrained")
        panels = np.atleast_1d(figure.subplots(len(quantities), 1, sharex=True))
        for axes, name in zip(panels, quantities, strict=True):
            for branch in branches:
                stable = np.array([one is Stability.STABLE for one in branch.stability])
                values = branch.quantity(name)
                for is_shown, line in ((stable, "-"), (~stable, ":")):
                    axes.plot(branch.values, np.where(is_shown, values, np.nan), line, color=COLORS[0], alpha=faint)
                for fold in branch.folds:
                    height = branch.quantity_at(fold, name)
                    axes.plot(fold.value, height, "o", color=INK, markersize=3.0, alpha=faint)
            axes.set_ylabel(quantity_label(name, units.get(name, "")))
        axis = branches[0].axis
        panels[-1].set_xlabel(quantity_label(axis, units.get(axis, "")))
        lines = [Line2D([], [], color=COLORS[0]), Line2D([], [], color=COLORS[0], linestyle=":")]
        dot = Line2D([], [], color=INK, marker="o", markersize=3.0, linestyle="none")
        figure.legend(
            [*lines, dot],
            [f"stable, {draws} draws" if draws else "stable", "not stable", "fold"],
            loc="outside lower left",
            ncols=3,
        )
    return figure
