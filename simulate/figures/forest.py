"""The forest: an effect and its interval for each of many groups, one below the other."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.transforms import blended_transform_factory

from simulate.figures.style import COLORS, FAINT, INK, PAGE, POINTS, quantity_label, styled
from simulate.studies.effects import Effect

_ROW_HEIGHT = 0.21
_SHOWN = 3


def forest(effects: Sequence[Effect], *, label: str, unit: str) -> Figure:
    """Draw effects with their intervals from the top, a page wide; a heading stands wherever the group changes.

    The numbers and how many patients they are of stand beside each row. At 0 there is no effect.
    """
    lines: list[str | Effect] = []
    for index, effect in enumerate(effects):
        if effect.group and (index == 0 or effect.group != effects[index - 1].group):
            lines.append(effect.group)
        lines.append(effect)
    with styled(POINTS):
        figure = Figure(figsize=(PAGE, _ROW_HEIGHT * len(lines) + 0.8), layout="constrained")
        axes = figure.subplots()
        beside = blended_transform_factory(axes.transAxes, axes.transData)
        ticks: list[str] = []
        for row, line in enumerate(lines):
            if isinstance(line, str):
                ticks.append(textwrap.shorten(line, 44, placeholder="…"))
                continue
            ticks.append("  " + textwrap.shorten(line.label, 42, placeholder="…"))
            count = f"n = {line.n}" + (f", {line.missing} without a value" if line.missing else "")
            if line.estimate is None or line.low is None or line.high is None:
                axes.text(1.02, row, f"none; {count}", transform=beside, va="center")
                continue
            axes.plot([line.low, line.high], [row, row], color=COLORS[0], linewidth=1.4, solid_capstyle="butt")
            axes.plot([line.estimate], [row], marker="s", markersize=4.0, color=INK, linestyle="none")
            numbers = f"{line.estimate:.{_SHOWN}g} ({line.low:.{_SHOWN}g} to {line.high:.{_SHOWN}g})".replace("-", "−")
            axes.text(1.02, row, f"{numbers}; {count}", transform=beside, va="center")
        axes.axvline(0.0, color=FAINT, linewidth=0.8, zorder=0)
        axes.set_yticks(range(len(lines)), ticks)
        for text, line in zip(axes.get_yticklabels(), lines, strict=True):
            text.set_fontweight("bold" if isinstance(line, str) else "normal")
            text.set_horizontalalignment("left")
        # For left-aligned labels: half of the size of text is the mean width of a letter.
        room = 0.55 * POINTS * max(map(len, ticks))
        axes.tick_params(axis="y", length=0.0, pad=room)
        axes.spines["left"].set_visible(False)
        axes.set_ylim(len(lines) - 0.5, -0.5)
        axes.set_xlabel(quantity_label(label, unit))
    return figure
