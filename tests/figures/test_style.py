"""Labels are placed once, where Matplotlib would place them each time; a figure is laid out once for its files."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from PIL import Image

from simulate.figures.style import png_bytes, save, settle, styled


def panels() -> Figure:
    """Two columns of two panels, with tick labels of several widths."""
    figure = Figure(figsize=(5.0, 4.0), layout="constrained")
    for place, top in enumerate((1.0, 30.0, 20_000.0, 0.001)):
        axes = figure.add_subplot(2, 2, place + 1)
        axes.plot([0.0, 1.0], [0.0, top])
        axes.set_yticks(np.linspace(0.0, top, 5))
        axes.set_xticks([0.0, 0.5, 1.0])
        axes.set_title(f"panel {place}", loc="left", pad=4.0)
        axes.set_ylabel("y")
        axes.set_xlabel("x")
    return figure


def corners(figure: Figure) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Corners of all labels and titles as they are drawn, in pixels."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    renderer = canvas.get_renderer()  # type: ignore[no-untyped-call]
    texts = [
        text for axes in figure.axes for text in (axes.xaxis.label, axes.yaxis.label, *axes.texts, axes._left_title)
    ]  # type: ignore[attr-defined]
    return np.array([text.get_window_extent(renderer).extents for text in texts])


def test_labels_and_titles_stand_where_each_drawing_would_put_them() -> None:
    with styled():
        ours, theirs = panels(), panels()
        settle(ours, ours.axes)
        theirs.align_ylabels()
        np.testing.assert_allclose(corners(ours), corners(theirs), atol=0.51)


def test_labels_that_are_not_aligned_keep_their_own_distances() -> None:
    with styled():
        ours, theirs = panels(), panels()
        settle(ours)
        np.testing.assert_allclose(corners(ours), corners(theirs), atol=0.51)


def test_a_figure_is_laid_out_once_for_all_its_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    times: list[Figure] = []
    execute = ConstrainedLayoutEngine.execute
    monkeypatch.setattr(ConstrainedLayoutEngine, "execute", lambda own, fig: (times.append(fig), execute(own, fig)))
    with styled():
        figure = panels()
    png, svg = save(figure, tmp_path, "panels")
    assert times == [figure]
    assert svg.read_text(encoding="utf-8").count("<svg ") == 1
    with Image.open(png) as image:
        assert (image.mode, image.size, round(image.info["dpi"][0])) == ("RGB", (1500, 1200), 300)


def test_a_png_has_the_pixels_that_matplotlib_writes() -> None:
    with styled():
        figure = panels()
        figure.set_size_inches(4.01, 3.53)
        expected = io.BytesIO()
        figure.savefig(expected, format="png", dpi=100.0)
        figure.set_layout_engine(None)
        found = io.BytesIO(png_bytes(figure, dpi=100.0))
    with Image.open(found) as ours, Image.open(expected) as theirs:
        assert (ours.mode, ours.size, ours.info) == ("RGB", theirs.size, {"dpi": theirs.info["dpi"]})
        assert np.array_equal(np.asarray(ours), np.asarray(theirs.convert("RGB")))
