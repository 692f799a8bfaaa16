"""Pictures of all figures beside those that were looked at, without their texts, which another font would move.

After a change of a figure that is meant: ``python -m tests.figures.test_pictures``, and look at what it has written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import matplotlib as mpl
import matplotlib.text
import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.testing.compare import compare_images

from simulate.figures.axis_response import axis_response
from simulate.figures.contrast import contrast_figure
from simulate.figures.dose_response import dose_response
from simulate.figures.dosing_interval import dosing_interval
from simulate.figures.exposure_response import exposure_response
from simulate.figures.forest import Effect, forest
from simulate.figures.heat_map import heat_map
from simulate.figures.isobole import isobole
from simulate.figures.phase_plane import phase_plane
from simulate.figures.profiles import profiles_figure
from simulate.figures.responses import in_lines
from simulate.figures.spaghetti import spaghetti
from simulate.figures.time_course import time_course
from simulate.figures.tornado import tornado
from simulate.figures.trials import trials_figure
from simulate.figures.waterfall import waterfall
from tests.figures.synthetic import dataset, observation
from tests.figures.test_planes import field, plane
from tests.figures.test_profiles import two_profiles
from tests.figures.test_responses import two
from tests.figures.test_tornado import sensitivity_of
from tests.figures.test_trials import RANK, result
from tests.studies.dose_response.made import response
from tests.studies.test_contrast import made_up

PICTURES = Path(__file__).with_name("pictures")
LIMIT = 4.0
"""Root of the mean square of the difference, of 255: edges that are smoothed in another way stay below."""

EFFECTS = (
    Effect("all", "H1", -5.0, -7.0, -3.0, 20, 0),
    Effect("men", "H1", 2.0, 1.0, 4.0, 9, 2),
    Effect("all", "H2", None, None, None, 0, 20),
)


def over_dose() -> Figure:
    data = dataset(arms=3).assign_coords(over_dose=("arm", np.array([30.0, 10.0, 100.0]), {"units": "mg"}))
    members = np.arange(data.sizes["member"])
    data["level"].values[:, :, -1] *= np.array([1.2, 0.9, 1.5])[:, np.newaxis] + 0.01 * members
    return axis_response(data, "dose", quantities=["level"])


FIGURES: Mapping[str, Callable[[], Figure]] = {
    "axis-response": over_dose,
    "contrast": lambda: contrast_figure(made_up((1.5, 1 / 1.5))),
    "dose-response": lambda: dose_response(response(seconds=3)),
    "dose-response-hypotheses": lambda: dose_response(in_lines(two())),
    "dosing-interval": lambda: dosing_interval(response()),
    "dosing-interval-places": lambda: dosing_interval(response(seconds=3)),
    "exposure-response": lambda: exposure_response(response()),
    "forest": lambda: forest(EFFECTS, label="change of IL-17A", unit="%"),
    "heat-map": lambda: heat_map(field(np.linspace(1.0, 9.0, 9), np.linspace(1.0, 9.0, 9)), contours=[36.0]),
    "isobole": lambda: isobole(response(seconds=3)),
    "phase-plane": lambda: phase_plane(plane()),
    "profiles": lambda: profiles_figure(two_profiles()),
    "spaghetti": lambda: spaghetti(dataset(arms=2), patients=10),
    "time-course": lambda: time_course(dataset(arms=2), [observation("level", 0.0)]),
    "tornado": lambda: tornado(sensitivity_of([0.2, 0.7, 0.0]), ["a", "b", "c"]),
    "trials": lambda: trials_figure(result((RANK,))),
    "waterfall": lambda: waterfall(dataset(arms=2), "rise", 182.0),
}


def draw(name: str, path: Path) -> None:
    """Draw a figure without its texts and legends, small."""
    figure = FIGURES[name]()
    for artist in (*figure.findobj(matplotlib.text.Text), *figure.legends):  # type: ignore[attr-defined]
        artist.set_visible(False)
    with mpl.rc_context({"text.parse_math": False}):
        figure.savefig(path, dpi=60, metadata={"Software": None})


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_looks_as_it_did_when_it_was_looked_at(name: str, tmp_path: Path) -> None:
    draw(name, tmp_path / f"{name}.png")
    difference = compare_images(PICTURES / f"{name}.png", tmp_path / f"{name}.png", LIMIT, in_decorator=True)
    assert difference is None, difference


def test_a_picture_of_something_else_is_told_apart(tmp_path: Path) -> None:
    draw("isobole", tmp_path / "isobole.png")
    other = response(seconds=3)
    other["isobole"].values *= 2.0
    figure = isobole(other)
    for artist in (*figure.findobj(matplotlib.text.Text), *figure.legends):  # type: ignore[attr-defined]
        artist.set_visible(False)
    figure.savefig(tmp_path / "other.png", dpi=60)
    assert compare_images(tmp_path / "isobole.png", tmp_path / "other.png", LIMIT, in_decorator=True) is not None


if __name__ == "__main__":
    PICTURES.mkdir(exist_ok=True)
    for chosen in FIGURES:
        draw(chosen, PICTURES / f"{chosen}.png")
