"""Figures over two parameters and over two states."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import xarray as xr
from matplotlib.collections import QuadMesh
from matplotlib.contour import QuadContourSet
from matplotlib.lines import Line2D

from simulate.errors import InputError
from simulate.figures import phase_plane as drawn
from simulate.figures.heat_map import heat_map
from simulate.solver.kernel import FloatArray
from simulate.studies.phase_plane import phase_plane
from simulate.symbolic.composition import compose
from simulate.symbolic.model import Model
from simulate.symbolic.parts import Mechanism, Parameter, Reaction, Species
from simulate.symbolic.units import DIMENSIONLESS, unit
from tests.figures.check import check_figure, texts_of

A = 2.5


def field(x: FloatArray, y: FloatArray) -> xr.DataArray:
    return xr.DataArray(
        x * y[:, None],
        {
            "share": ("share", y, {"long_name": "share", "units": "1"}),
            "dose": ("dose", x, {"long_name": "dose", "units": "mg"}),
        },
        ("share", "dose"),
        attrs={"long_name": "product", "units": "mg"},
    )


def test_a_heat_map_has_a_cell_for_each_number_centered_on_its_place() -> None:
    values = field(np.array([1.0, 10.0, 100.0]), np.array([0.0, 0.5, 1.0]))
    figure = heat_map(values, note="median of 9 of 10 patients")
    check_figure(figure)
    axes = figure.axes[0]
    mesh = next(artist for artist in axes.collections if isinstance(artist, QuadMesh))
    corners = np.asarray(mesh.get_coordinates())
    assert corners[0, :, 0] == pytest.approx(10.0 ** np.array([-0.5, 0.5, 1.5, 2.5]))
    assert corners[:, 0, 1] == pytest.approx([-0.25, 0.25, 0.75, 1.25])
    assert np.asarray(mesh.get_array()).ravel() == pytest.approx(values.values.ravel())
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "linear")
    assert (axes.get_xlabel(), axes.get_ylabel(), figure.axes[1].get_ylabel()) == ("dose (mg)", "share", "product (mg)")
    assert axes.get_title(loc="left") == "median of 9 of 10 patients"
    assert texts_of(figure) == []


@pytest.mark.parametrize(
    ("doses", "scale"),
    [
        ((10.0, 30.0, 100.0, 300.0), "log"),
        ((12.0, 24.0, 48.0), "log"),
        ((1.0, 2.0, 5.0, 10.0), "log"),
        ((0.1, 0.3, 0.5, 0.7), "linear"),
        ((25.0, 50.0, 75.0, 100.0), "linear"),
        ((0.0, 10.0, 100.0), "linear"),
    ],
)
def test_an_axis_has_the_scale_in_which_its_places_are_more_even(doses: tuple[float, ...], scale: str) -> None:
    axes = heat_map(field(np.array(doses), np.array([0.1, 0.2]))).axes[0]
    assert axes.get_xscale() == scale


def test_a_contour_lies_where_its_value_is() -> None:
    figure = heat_map(field(np.linspace(1.0, 9.0, 9), np.linspace(1.0, 9.0, 9)), contours=[36.0])
    contour = next(artist for artist in figure.axes[0].collections if isinstance(artist, QuadContourSet))
    points = np.concatenate([path.vertices for path in contour.get_paths()])
    # Between two columns the product is interpolated along one axis alone: exact.
    assert points[:, 0] * points[:, 1] == pytest.approx(36.0, rel=0.02)


def test_what_has_no_number_is_gray_and_counted() -> None:
    values = field(np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0]))
    values[0, 1] = np.nan
    figure = heat_map(values)
    check_figure(figure)
    assert texts_of(figure) == ["no result: 1 of 6"]
    everywhere_the_same = heat_map(xr.full_like(values, 7.0))
    assert not any(isinstance(artist, QuadContourSet) for artist in everywhere_the_same.axes[0].collections)


def toggle(*, has_third: bool = False) -> Model:
    """Two genes that repress each other, a day each; a third that follows the first may stand for it."""
    u, v, w = (Species(name, name, DIMENSIONLESS, initial=0.4) for name in "uvw")
    made = (Reaction("make_u", "k*a/(1 + v**2)", {u: 1}), Reaction("lose_u", "k*u", {u: -1}))
    repressor = "w" if has_third else "u"
    held = (Reaction("make_v", f"k*a/(1 + {repressor}**2)", {v: 1}), Reaction("lose_v", "k*v", {v: -1}))
    mechanism = Mechanism(
        name="toggle",
        title="a switch",
        species=(u, v, w) if has_third else (u, v),
        reactions=(*made, *held, *((Reaction("follow", "k*(u - w)", {w: 1}),) if has_third else ())),
        parameters=(Parameter("a", "strength", A), Parameter("k", "pace", 1.0, unit("1/d"))),
    )
    return compose((mechanism,))


@cache
def plane(*, has_third: bool = False) -> xr.Dataset:
    return phase_plane(toggle(has_third=has_third), "u", "v", points=21, x_range=(0.0, 3.0), y_range=(0.0, 3.0))


def test_a_plane_has_the_rates_of_its_two_states() -> None:
    found = plane()
    u, v = found["x"].values[None, :], found["y"].values[:, None]
    assert found["dx"].values == pytest.approx(A / (1 + v**2) - u)
    assert found["dy"].values == pytest.approx(A / (1 + u**2) - v)
    assert found["start"].values.tolist() == [0.4, 0.4]


def test_its_steady_states_are_those_of_the_toggle_switch() -> None:
    # Off the diagonal u v = 1 and u + v = a; on it u³ + u = a.
    middle = float(np.real(next(root for root in np.roots([1, 0, 1, -A]) if abs(root.imag) < 1e-12)))
    found = plane()
    assert found["steady_x"].values == pytest.approx([0.5, middle, 2.0])
    assert found["steady_y"].values == pytest.approx([2.0, middle, 0.5])
    assert found["stable"].values.tolist() == [True, False, True]


def test_states_that_are_not_shown_are_at_rest() -> None:
    assert plane(has_third=True)["dy"].values == pytest.approx(plane()["dy"].values)
    assert plane(has_third=True)["steady_x"].values == pytest.approx(plane()["steady_x"].values)


def test_the_picture_has_both_nullclines_and_tells_stable_from_unstable() -> None:
    figure = drawn.phase_plane(plane())
    check_figure(figure)
    axes = figure.axes[0]
    curves = [artist for artist in axes.collections if isinstance(artist, QuadContourSet)]
    for curve, rate in zip(curves, ("x", "y"), strict=True):
        u, v = np.concatenate([path.vertices for path in curve.get_paths()]).T
        expected = A / (1 + v**2) - u if rate == "x" else A / (1 + u**2) - v
        assert np.abs(expected).max() < 0.02
    dots = [line for line in axes.get_lines() if isinstance(line, Line2D) and line.get_marker() == "o"]
    assert [(len(dot.get_xdata()), dot.get_markerfacecolor() == "white") for dot in dots] == [(2, False), (1, True)]  # type: ignore[arg-type]
    assert texts_of(figure) == ["u at rest", "v at rest", "stable state", "unstable state", "baseline"]
    assert axes.get_title(loc="left").replace("\n", " ").endswith("no drug; the other states at rest, typical patient")


@pytest.mark.parametrize(
    ("names", "settings", "message"),
    [
        (
            ("u", "vv"),
            {},
            "error[plane.state]: the model has no state `vv`\n  expected: `u`, `v`\n  try:      did you mean `v`?",
        ),
        (("u", "u"), {}, "error[plane.state]: a plane needs two different states\n  found:    `u` twice"),
        (("u", "v"), {"b": 1.0}, "error[plane.parameter]: the model has no parameter `b`"),
    ],
)
def test_a_plane_that_cannot_be_is_refused(names: tuple[str, str], settings: dict[str, float], message: str) -> None:
    with pytest.raises(InputError) as caught:
        phase_plane(toggle(), *names, settings=settings)
    assert str(caught.value) == message
