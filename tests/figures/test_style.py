"""What all files of figures have: one layout, the pixels of Matplotlib, texts that are text."""

from __future__ import annotations

import io
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from PIL import Image

from simulate.figures.style import png_bytes, save, styled


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


def test_texts_of_an_svg_are_texts_as_they_were_given_and_points_have_two_decimals(tmp_path: Path) -> None:
    with styled():
        figure = panels()
        figure.axes[0].set_title("k = 0.123456 of 0.654321 <per> day", loc="left")
    _, svg = save(figure, tmp_path, "panels")
    root = ElementTree.parse(svg).getroot()
    texts = [node for node in root.iter() if node.tag.endswith("}text")]
    assert "k = 0.123456 of 0.654321 <per> day" in [node.text for node in texts]
    assert {"panel 1", "20000", "x", "y"} <= {node.text for node in texts}
    assert all("Verdana" in node.attrib["style"] for node in texts)
    lines = [node.attrib["d"] for node in root.iter() if node.tag.endswith("}path")]
    assert max(len(number.partition(".")[2]) for line in lines for number in line.split()) == 2
    assert not [node for node in root.iter() if node.tag.endswith("}metadata")]
