"""Axes of small multiples: ticks without objects for each, and places that follow from the sizes of texts alone.

Matplotlib makes five objects for each tick and asks all of them for their sizes in each layout and each format, which
takes longer than all else that is drawn.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from copy import copy
from typing import Any, cast

import numpy as np
from matplotlib.artist import Artist, allow_rasterization
from matplotlib.axes import Axes
from matplotlib.axis import Axis, XAxis, YAxis
from matplotlib.backend_bases import RendererBase
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import LayoutEngine
from matplotlib.lines import Line2D
from matplotlib.markers import TICKDOWN, TICKLEFT
from matplotlib.path import Path
from matplotlib.text import Text
from matplotlib.ticker import Formatter, NullFormatter, NullLocator
from matplotlib.transforms import Bbox, IdentityTransform, ScaledTranslation

from simulate.figures.style import INK, MINOR_TICK, SUPERSCRIPTS, TICK, TITLE_PAD
from simulate.streams import FloatArray

_TICK_PAD = 3.5
"""Points between ticks and their labels."""

_LABEL_PAD = 2.0
"""Points between the labels of ticks and the label of their axis."""

_LINE = 1.2
"""Height of a line of text, of its size."""

_EDGE, _BESIDE, _BELOW = 2.2, 7.0, 6.0
"""Points at the edges of a page, between columns and between rows."""

LETTER = 24.0
"""Points by which the letter of a panel stands left of its axes."""


class PlainNumbers(Formatter):
    """Labels of a linear axis with as many decimals as its ticks need, and with a power of ten where those are many.

    Nothing of a label stands elsewhere, as what Matplotlib would leave out of all of them.
    """

    def __call__(self, value: float, position: int | None = None) -> str:
        """One number alone."""
        return self.format_ticks([value])[0]

    def format_ticks(self, values: Sequence[float]) -> list[str]:
        """Labels of all ticks of an axis."""
        numbers = np.asarray(values, dtype=np.float64)
        largest = float(np.abs(self._seen(numbers)).max(initial=0.0))
        power = math.floor(math.log10(largest)) if largest and not 1e-4 <= largest < 1e6 else 0
        numbers = numbers / 10.0**power
        apart = np.diff(np.unique(numbers))
        step = float(apart.min()) if len(apart) else abs(float(numbers[0])) if len(numbers) else 1.0
        decimals = next((n for n in range(16) if (np.abs(np.round(numbers, n) - numbers) <= 1e-3 * step).all()), 16)
        # Nothing is nothing in any unit, and has no sign.
        shown = [f"{number:.{decimals}f}" for number in np.round(numbers, decimals) + 0.0]
        ten = f"·10{str(power).translate(SUPERSCRIPTS)}" if power else ""
        return [
            (label.replace("-", "−") + ten) if number or not ten else "0"
            for label, number in zip(shown, numbers, strict=True)
        ]

    def _seen(self, numbers: FloatArray) -> FloatArray:
        """Those within the limits of the axis, if it has one: a locator gives a tick beyond each."""
        if self.axis is None:
            return numbers
        low, high = np.sort(self.axis.get_view_interval())
        slack = 1e-7 * (high - low)
        seen: FloatArray = numbers[(numbers >= low - slack) & (numbers <= high + slack)]
        return seen


class _Plain(Axis):
    """An axis that draws its ticks as one line of markers, and a text for each label, below or left of its axes."""

    axis_name: str

    def shown(self) -> tuple[list[Line2D], list[Text]]:
        """Marks of major and of minor ticks within the limits, and labels; the same objects each time."""
        marks: dict[str, Line2D] = self.__dict__.setdefault("_own_marks", {})
        texts: list[Text] = self.__dict__.setdefault("_own_texts", [])
        is_x = self.axis_name == "x"
        ends = self.get_transform().transform(np.sort(self.get_view_interval()))
        slack = 1e-7 * float(ends[1] - ends[0])
        lines, labeled = [], []
        for which, locator, formatter in (
            ("major", self.get_major_locator(), self.get_major_formatter()),
            ("minor", self.get_minor_locator(), self.get_minor_formatter()),
        ):
            if isinstance(locator, NullLocator):
                continue
            places = np.asarray(self.get_majorticklocs() if which == "major" else self.get_minorticklocs(), dtype=float)
            at = self.get_transform().transform(places)
            inside = np.flatnonzero((at >= ends[0] - slack) & (at <= ends[1] + slack)).tolist()
            if which not in marks:
                marks[which] = self._mark(which)
            line = marks[which]
            nothing = np.zeros(len(inside))
            line.set_data(*((places[inside], nothing) if is_x else (nothing, places[inside])))
            lines.append(line)
            if not isinstance(formatter, NullFormatter) and self._has_labels(which):
                labels = formatter.format_ticks(places.tolist())
                labeled += [(float(places[place]), labels[place]) for place in inside if labels[place]]
        while len(texts) < len(labeled):
            # A copy takes a tenth of the time of another text.
            texts.append(copy(texts[0]) if texts else self._text())
        for text, (place, label) in zip(texts, labeled, strict=False):
            text.set_text(label)
            text.set_position((place, 0.0) if is_x else (0.0, place))
        return lines, texts[: len(labeled)]

    def _has_labels(self, which: str) -> bool:
        return bool(self.get_tick_params(cast(Any, which))["labelbottom" if self.axis_name == "x" else "labelleft"])

    def pad(self) -> float:
        """Points between the axes and the labels of ticks."""
        return TICK[0] + float(self.get_tick_params("major").get("pad", _TICK_PAD))

    def _mark(self, which: str) -> Line2D:
        is_x, (size, width) = self.axis_name == "x", TICK if which == "major" else MINOR_TICK
        line = Line2D(
            [], [], color=INK, linestyle="none", marker=cast(Any, TICKDOWN if is_x else TICKLEFT), markersize=size,
            markeredgewidth=width,
            transform=self.axes.get_xaxis_transform("tick1") if is_x else self.axes.get_yaxis_transform("tick1"),
        )  # fmt: skip
        line.set_figure(self.axes.figure)
        line.axes = self.axes
        return line

    def _text(self) -> Text:
        of = self.axes.get_xaxis_text1_transform if self.axis_name == "x" else self.axes.get_yaxis_text1_transform
        transform, vertical, horizontal = of(self.pad())
        text = Text(0.0, 0.0, "", color=INK, va=vertical, ha=horizontal, transform=transform)
        text.set_figure(self.axes.figure)
        text.axes = self.axes
        return text

    def set(self, **settings: object) -> list[Any]:
        """Set several properties; a class without this would have all of them described when it is loaded."""
        return super().set(**settings)

    def reset_ticks(self) -> None:
        """Make no object to copy others from."""
        super().reset_ticks()
        self.majorTicks, self.minorTicks = [], []

    def set_clip_path(self, path: object, transform: object = None) -> None:
        """Clip nothing: all is outside of the axes."""

    def get_children(self) -> list[Artist]:
        """The label and what is drawn; of other axes, objects of all ticks."""
        lines, texts = self.shown()
        return [self.label, self.offsetText, *lines, *texts]

    def get_tightbbox(self, renderer: RendererBase | None = None, *, for_layout_only: bool = False) -> Bbox | None:
        """What labels take, in pixels."""
        texts = [text for text in (*self.shown()[1], self.label) if text.get_text()]
        return Bbox.union([text.get_window_extent(renderer) for text in texts]) if texts else None

    @allow_rasterization  # type: ignore[untyped-decorator]
    def draw(self, renderer: RendererBase) -> None:
        """Draw ticks, their labels and the label; where that stands is up to `Multiples`."""
        if self.get_visible():
            lines, texts = self.shown()
            for line in lines:
                if line.get_visible():
                    self._draw_ticks(renderer, line)
            for text in (*texts, self.label):
                text.draw(renderer)
        self.stale = False

    def _draw_ticks(self, renderer: RendererBase, line: Line2D) -> None:
        """Draw ticks of a kind as one path: as markers each would be an element of an SVG."""
        ends = np.repeat(line.get_transform().transform(line.get_xydata()), 2, axis=0)
        ends[1::2, int(self.axis_name == "x")] -= renderer.points_to_pixels(line.get_markersize())
        context = renderer.new_gc()
        context.set_foreground(cast(Any, line.get_color()))
        context.set_linewidth(line.get_markeredgewidth())
        context.set_snap(True)
        path = Path(ends, cast(Any, [Path.MOVETO, Path.LINETO] * (len(ends) // 2)))
        renderer.draw_path(context, path, IdentityTransform())
        context.restore()


class _PlainX(_Plain, XAxis):
    pass


class _PlainY(_Plain, YAxis):
    pass


class PanelAxes(Axes):
    """Axes with ticks at the left and at the bottom, placed by `Multiples`."""

    xaxis: _PlainX
    yaxis: _PlainY

    def set(self, **settings: object) -> list[Any]:
        """Set several properties, as `_Plain.set`."""
        return super().set(**settings)

    def _init_axis(self) -> None:
        self.xaxis, self.yaxis = _PlainX(self, clear=False), _PlainY(self, clear=False)
        for side, axis in (("bottom", self.xaxis), ("top", self.xaxis), ("left", self.yaxis), ("right", self.yaxis)):
            self.spines[side].register_axis(axis)


def panel_axes(figure: Figure) -> PanelAxes:
    """New axes in a figure; the page shows through."""
    axes = PanelAxes(figure, (0.0, 0.0, 1.0, 1.0))
    axes.patch.set_visible(False)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PlainNumbers())
    figure.add_axes(axes)
    return axes


class Multiples(LayoutEngine):
    """Places rows of `PanelAxes` below the legend of a figure, all of one height, and those of a row of one width.

    Parameters
    ----------
    blocks
        Rows of axes. Those of one block stand in columns: their edges and the labels of their y axes are in line.
    """

    _adjust_compatible = False
    _colorbar_gridspec = False

    def __init__(self, blocks: Sequence[Sequence[Sequence[PanelAxes]]]) -> None:
        super().__init__()
        self.blocks = [block for block in blocks if block]
        self._placed: tuple[float, float] | None = None

    def fit(self, figure: Figure, panel: float, tallest: float) -> None:
        """Make a figure as high as axes of a height need, but not higher than a page, and place all; inches."""
        sizes = _Sizes(figure, self.blocks)
        width, count = figure.get_size_inches()[0], sum(map(len, self.blocks))
        figure.set_size_inches(width, min(sizes.beside / 72.0 + count * panel, tallest))
        self._place(figure, sizes)

    def execute(self, figure: Figure) -> None:
        """Place all axes and their labels, once for a size of the figure."""
        if tuple(figure.get_size_inches()) != self._placed:
            self._place(figure, _Sizes(figure, self.blocks))

    def _place(self, figure: Figure, sizes: _Sizes) -> None:
        self._placed = tuple(figure.get_size_inches())
        width, height = (72.0 * inches for inches in self._placed)
        high = max(1.0, (height - sizes.beside) / sum(map(len, self.blocks)))
        top = height - sizes.legend
        rows = iter(sizes.rows)
        for block in self.blocks:
            bottoms = []
            for _, (above, below) in zip(block, rows, strict=False):
                bottoms.append(top - above - high)
                top = bottoms[-1] - below
            columns = [[row[place] for row in block if place < len(row)] for place in range(len(block[0]))]
            ticks = [max(sizes.ticks[axes] for axes in column) for column in columns]
            left = [
                max(LETTER, reach + max(map(_thickness, column))) for reach, column in zip(ticks, columns, strict=True)
            ]
            right = [0.0] * len(columns)
            # What stands out at the right depends on the width, and less than in proportion: twice is enough.
            for _ in range(2):
                gaps = 2.0 * _EDGE + _BESIDE * len(columns)
                wide = max(1.0, (width - gaps - sum(left) - sum(right)) / len(columns))
                start = _EDGE
                for place, column in enumerate(columns):
                    start += left[place]
                    for axes, bottom in zip(column, bottoms, strict=False):
                        axes.set_position((start / width, bottom / height, wide / width, high / height))
                    start += wide + right[place] + _BESIDE
                right = [max(map(sizes.outside, column)) for column in columns]
            for reach, column in zip(ticks, columns, strict=True):
                for axes in column:
                    _place_label(axes.yaxis, (0.0, 0.5), (-reach - _LABEL_PAD, 0.0))
                    _place_label(axes.xaxis, (0.5, 0.0), (0.0, -sizes.below[axes]))


class _Sizes:
    """Sizes of what stands beside axes, in points."""

    def __init__(self, figure: Figure, blocks: Sequence[Sequence[Sequence[PanelAxes]]]) -> None:
        self._renderer = FigureCanvasAgg(figure).get_renderer()  # type: ignore[no-untyped-call]
        self._points, self._widths = 72.0 / figure.dpi, dict[str, float]()
        #: From axes to the left of the labels of ticks, and to the bottom of those below.
        self.ticks, self.below = dict[Axes, float](), dict[Axes, float]()
        for axes in (axes for block in blocks for row in block for axes in row):
            self.ticks[axes] = axes.yaxis.pad() + max(
                (self._width(text) for text in axes.yaxis.shown()[1]), default=0.0
            )
            heights = (_lines(text.get_text(), text) for text in axes.xaxis.shown()[1])
            self.below[axes] = axes.xaxis.pad() + max(heights, default=0.0)
        #: Above and below the axes of each row.
        self.rows = [(max(map(_above, row)), _BELOW + max(map(self._below, row))) for block in blocks for row in block]
        pixels = max((legend.get_window_extent(self._renderer).height for legend in figure.legends), default=0.0)
        #: What the legend takes of the top, and all that is not within axes.
        self.legend = 2.0 * _EDGE + pixels * self._points
        self.beside = self.legend + sum(above + below for above, below in self.rows)

    def _width(self, text: Text) -> float:
        shown = text.get_text()
        if shown not in self._widths:
            pixels, _, _ = self._renderer.get_text_width_height_descent(shown, text.get_fontproperties(), False)
            self._widths[shown] = pixels * self._points
        return self._widths[shown]

    def _below(self, axes: PanelAxes) -> float:
        return self.below[axes] + _lines(axes.get_xlabel(), axes.xaxis.label)

    def outside(self, axes: PanelAxes) -> float:
        """By how much lines and texts that are not clipped stand out at the right of axes, where these are now."""
        parts = [part for part in (*axes.lines, *axes.texts) if part.get_in_layout() and not part.get_clip_on()]
        ends = [float(part.get_window_extent(self._renderer).x1) for part in parts]
        return max(0.0, *(end - axes.bbox.x1 for end in ends if math.isfinite(end))) * self._points if ends else 0.0


def _lines(shown: str, text: Text) -> float:
    """Height of the lines of what is shown, in the size of a text."""
    size = float(text.get_fontsize())
    return _LINE * size * (1 + shown.count("\n")) if shown else 0.0


def _above(axes: PanelAxes) -> float:
    """Points above axes: their title, and the letter of the panel, which is higher than a line of it."""
    return TITLE_PAD + _lines(axes.get_title(loc="left"), axes.title) + 3.0


def _thickness(axes: PanelAxes) -> float:
    label = axes.get_ylabel()
    return _LABEL_PAD + _lines(label, axes.yaxis.label) if label else 0.0


def _place_label(axis: XAxis | YAxis, at: tuple[float, float], points: tuple[float, float]) -> None:
    """Place a label at a place of axes, with a distance in points."""
    figure = axis.axes.figure
    x, y = (distance / 72.0 for distance in points)
    axis.set_label_coords(*at, axis.axes.transAxes + ScaledTranslation(x, y, figure.dpi_scale_trans))
