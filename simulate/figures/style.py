"""How figures look: print-ready, legible for the color-blind, the same bytes for the same data.

Colors are those of Okabe and Ito (2008), https://jfly.uni-koeln.de/color/, without yellow, which is faint on paper.
"""

from __future__ import annotations

import contextlib
import functools
import io
import re
import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import matplotlib
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.axis import Axis, XAxis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullFormatter

from simulate.arrays import LabeledArrays
from simulate.studies.datasets import UNITS_OF_FILE
from simulate.studies.resolution import Resolution, signal, varies

MILLIMETER = 1.0 / 25.4
"""A millimeter in inches."""

WIDTH = 180.0
"""Width of a figure across two columns of a journal, mm."""

COLUMN, PAGE = 3.3, 6.9
"""Widths of a figure in one column of a journal and across its page, inches."""

POINTS = 8.0
"""Size of text in figures that are made for a column or a page."""

COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
"""Colors of arms, in order; the next arms have them darker."""

_DARKER = 0.55
"""Share of the light of a color that its darker one has."""

INK = "#1A1A1A"
"""Text and observed values."""

GRAY = "#666666"
"""Observed values of lesser standing."""

FAINT = "#8C8C8C"
"""What helps to read and is not to be seen first."""

TITLE_PAD = 4.0
"""Points between axes and their title."""

TICK, MINOR_TICK = (2.5, 0.6), (1.5, 0.4)
"""Length and width of ticks, in points."""

SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
"""Digits as powers of ten have them."""

_STYLE: dict[str, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 7.0,
    "axes.titlesize": 7.0,
    "axes.labelsize": 7.0,
    "xtick.labelsize": 7.0,
    "ytick.labelsize": 7.0,
    "legend.fontsize": 7.0,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.edgecolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "xtick.major.width": TICK[1],
    "ytick.major.width": TICK[1],
    "xtick.minor.width": MINOR_TICK[1],
    "ytick.minor.width": MINOR_TICK[1],
    "xtick.major.size": TICK[0],
    "ytick.major.size": TICK[0],
    "xtick.minor.size": MINOR_TICK[0],
    "ytick.minor.size": MINOR_TICK[0],
    "axes.labelpad": 2.0,
    "lines.linewidth": 1.2,
    "lines.solid_capstyle": "round",
    "legend.frameon": False,
    "legend.handlelength": 1.6,
    "legend.columnspacing": 1.4,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "figure.dpi": 100.0,
    "savefig.dpi": 300.0,
    # A name with a dollar sign is a name, not a formula.
    "text.parse_math": False,
    "axes.unicode_minus": True,
    "svg.fonttype": "none",
    # Identifiers in an SVG are random unless they are salted.
    "svg.hashsalt": "il1sim",
    "path.simplify": True,
}


_SIZES = ("font.size", *(f"{part}size" for part in ("axes.title", "axes.label", "xtick.label", "ytick.label")))


@contextlib.contextmanager
def styled(points: float = 7.0) -> Iterator[None]:
    """Context in which figures are drawn and saved; matplotlib is left as it was found.

    Parameters
    ----------
    points
        Size of all text that has no size of its own.
    """
    with matplotlib.rc_context():
        dict.update(cast(Any, matplotlib.rcParams), _looks(points))
        yield


@functools.cache
def _looks(points: float) -> dict[str, Any]:
    """Every setting but that of windows: those of Matplotlib as it comes, and over them `_STYLE`.

    `matplotlib.rcdefaults` reads all style sheets first, and checks what it sets each time.
    """
    shipped: Any = matplotlib.rcParamsDefault
    own: Any = matplotlib.RcParams(cast(Any, {**_STYLE, **dict.fromkeys((*_SIZES, "legend.fontsize"), points)}))
    return {name: value for name, value in (*dict.items(shipped), *dict.items(own)) if name != "backend"}


def color(index: int) -> str:
    """Color of the arm ``index``; colors return darker after the sixth, and as they were after the twelfth."""
    rounds, place = divmod(index, len(COLORS))
    if rounds % 2 == 0:
        return COLORS[place]
    parts = bytes.fromhex(COLORS[place].removeprefix("#"))
    return "#" + bytes(round(_DARKER * part) for part in parts).hex().upper()


def plain_number(value: float, _position: int | None) -> str:
    """A number on an axis: without an exponent where that is readable, else with a power of ten in plain letters."""
    if value == 0.0 or 1e-4 <= abs(value) < 1e6:
        return f"{value:g}".replace("-", "−")
    return _power_of_ten(value, None)


def spelling(low: float, high: float) -> Callable[[float, int | None], str]:
    """How numbers are spelt on a logarithmic axis from ``low`` to ``high``: all alike.

    Where one of them is spelt with a power of ten, so are all below 0.01 and from 1000 on.
    """
    return plain_number if low >= 1e-4 and high < 1e6 else _power_of_ten


def _power_of_ten(value: float, _position: int | None) -> str:
    if value == 0.0 or 1e-2 <= abs(value) < 1e3:
        return plain_number(value, None)
    digits, _, exponent = f"{value:.0e}".partition("e")
    power = "10" + str(int(exponent)).translate(SUPERSCRIPTS)
    return power if digits == "1" else f"{digits}·{power}"


def logarithmic(axis: Axis) -> None:
    """Give an axis a logarithmic scale with plain numbers; to be called when everything is drawn."""
    axis.axes.set_xscale("log") if isinstance(axis, XAxis) else axis.axes.set_yscale("log")
    low, high = sorted(axis.get_view_interval())
    # Below two decades the powers of ten alone would be one number on the axis.
    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if high < 100.0 * low else (1.0,), numticks=7))
    # Below an axis six digits would run into each other.
    axis.set_major_formatter(FuncFormatter(spelling(low, 10.0 * high)))
    axis.set_minor_formatter(NullFormatter())


def quantity_label(name: str, unit: str) -> str:
    """Label of an axis: what it is, with its unit in parentheses where it has one."""
    return name if unit in ("", "1") else f"{name} ({unit})"


def unit_label(dataset: LabeledArrays, name: str) -> str:
    """Unit of a quantity on an axis that has its name elsewhere; nothing where `NO_UNITS` says so for all."""
    unit = str(dataset[name].attrs["units"])
    if unit != "1":
        return unit
    return "" if UNITS_OF_FILE in dataset.attrs else "ratio"


NO_UNITS = "numbers without a unit: in those of the file"
"""What a figure says once, of the quantities of a file of another program."""


def lacks_units(dataset: LabeledArrays, names: Sequence[str]) -> bool:
    """Whether some quantities are numbers in units that the file of another program alone knows."""
    return UNITS_OF_FILE in dataset.attrs and any(dataset[name].attrs["units"] == "1" for name in names)


def title_of(dataset: LabeledArrays, name: str) -> str:
    """What a quantity is, as a title: with a capital where it begins with a word, and not with a name of the model."""
    title = str(dataset[name].attrs["long_name"])
    is_word = title.partition(" ")[0].islower() and title != name and UNITS_OF_FILE not in dataset.attrs
    return title[:1].upper() + title[1:] if is_word else title


def counted(finished: Sequence[int], total: int) -> str:
    """How many of whom a picture shows, such as ``97 of 100 patients``; a range where it differs between arms.

    Who is missing has failed, or a rule had stopped them.
    """
    low, high = min(finished), max(finished)
    shown = f"{low}" if low == high else f"{low}–{high}"
    people = "patient" if total == 1 else "patients"
    return f"{total} {people}" if low == high == total else f"{shown} of {total} {people}"


def around(axes: Axes, shown: npt.ArrayLike, resolution: Resolution, terms: npt.ArrayLike = 0.0) -> None:
    """Where all that is shown is one number, as far as the solver resolves it, an axis around it, and not of rounding.

    Parameters
    ----------
    axes
        Linear in y, after everything is drawn.
    shown
        Values; NaN where there is none.
    resolution
        How exact they are.
    terms
        Sizes of what they are added up from where terms cancel; the largest counts.
    """
    values = np.asarray(shown, dtype=np.float64)
    values = values[np.isfinite(values)]
    errors = resolution.error(values, terms=float(np.nanmax(terms)))
    if len(values) and not varies(values, errors):
        middle = float(signal(values.mean(), errors.max()))
        reach = 0.5 * abs(middle) or 1.0
        axes.set_ylim(middle - reach, middle + reach)
        if middle == 0.0:
            # Nothing there is has a size, so that other numbers would say nothing.
            axes.yaxis.set_major_locator(FixedLocator([0.0]))


def png_bytes(figure: Figure, *, dpi: float = 200.0) -> bytes:
    """A figure as PNG, without dates or versions in it."""
    with styled():
        return _png(figure, dpi)


def _png(figure: Figure, dpi: float) -> bytes:
    # Nothing shows through a white page, so there is no channel for that; and areas of one color are small as they are:
    # the filters that other writers try on each row take longer than all else, for a larger file.
    before = figure.dpi
    canvas = FigureCanvasAgg(figure)
    try:
        figure.set_dpi(dpi)
        canvas.draw()  # type: ignore[no-untyped-call]
        pixels = np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]
    finally:
        figure.set_dpi(before)
    height, width, _ = pixels.shape
    rows = np.zeros((height, 1 + 3 * width), dtype=np.uint8)
    page = rows[:, 1:]
    # Of one color after the other a copy takes a fifth of the time.
    for place in range(3):
        page[:, place::3] = pixels[..., place]
    per_meter = round(dpi / 0.0254)
    parts = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        (b"pHYs", struct.pack(">IIB", per_meter, per_meter, 1)),
        (b"IDAT", zlib.compress(rows.data, 3)),
        (b"IEND", b""),
    )
    chunks = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def save(figure: Figure, directory: Path, name: str) -> tuple[Path, Path]:
    """Save a figure as PNG and as SVG, without dates or versions in them; returns both paths."""
    png, svg = directory / f"{name}.png", directory / f"{name}.svg"
    with styled():
        # Laid out once, which needs no drawing; each format would do it again, and draw all twice for it.
        if (engine := figure.get_layout_engine()) is not None:
            engine.execute(figure)
            figure.set_layout_engine(None)
        png.write_bytes(_png(figure, _STYLE["savefig.dpi"]))
        drawn = io.StringIO()
        figure.savefig(drawn, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    svg.write_text(_short(drawn.getvalue()), encoding="utf-8")
    return png, svg


_FONTS = "'DejaVu Sans', Verdana, 'Bitstream Vera Sans', Geneva, sans-serif"
"""Fonts of the texts of an SVG: the letters of the first three are equally wide, and one of them is everywhere."""


def _short(svg: str) -> str:
    """An SVG with coordinates to a hundredth of a point, and with texts in the fonts of `_FONTS`."""
    # Numbers at the end of a line, where no text ends, are a point of a path.
    rounded = re.sub(r"(?<=\.\d\d)\d+(?= (?:-?[\d.]+ )?\n)", "", svg)
    return re.sub(r"font-family: 'DejaVu Sans'[^;\"]*", f"font-family: {_FONTS}", rounded)
