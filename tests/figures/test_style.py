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

from simulate.figures.bands import dashes
from simulate.figures.style import around, color, png_bytes, save, styled
from simulate.studies.resolution import Resolution


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


def test_colors_of_twelve_arms_differ_and_with_dashes_those_of_48() -> None:
    looks = [(color(arm), str(dashes(arm))) for arm in range(48)]
    assert len(set(looks)) == 48
    shades = np.array([[int(color(arm)[place : place + 2], 16) for place in (1, 3, 5)] for arm in range(12)])
    apart = np.abs(shades[:, None] - shades[None]).sum(axis=2)[~np.eye(12, dtype=bool)]
    assert apart.min() >= 40
    # Darker: about half of the light, as Rec. 709 weighs it.
    light = shades @ [0.2126, 0.7152, 0.0722]
    assert light[6:] / light[:6] == pytest.approx([0.55] * 6, abs=0.01)
    assert [dashes(arm) for arm in range(12)] == 3 * [dashes(arm) for arm in range(4)]


@pytest.mark.parametrize(("level", "limits", "ticks"), [(0.0, (-1.0, 1.0), [0.0]), (4.0, (2.0, 6.0), None)])
def test_what_is_zero_throughout_has_one_tick(
    level: float, limits: tuple[float, float], ticks: list[float] | None
) -> None:
    axes = Figure().add_subplot()
    axes.plot([0.0, 1.0], [level, level])
    around(axes, [level, level], Resolution(1e-6, 1e-9))
    assert axes.get_ylim() == limits
    shown = [tick for tick in axes.get_yticks() if limits[0] <= tick <= limits[1]]
    assert shown == ticks if ticks else len(shown) > 2
