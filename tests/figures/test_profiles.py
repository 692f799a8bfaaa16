"""The figure of profiles: a panel for each, its curve, and where the interval would end."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from simulate.figures.profiles import profiles_figure
from simulate.inference.profiles import THRESHOLD
from simulate.studies.petab.outcomes import ProblemProfiles, ProfiledParameter


def two_profiles() -> ProblemProfiles:
    """One that is bounded, on a logarithmic scale, and one that is open above."""
    held = np.logspace(-1.0, 1.0, 9)
    bounded, open_above = 4.0 * np.log10(held) ** 2, np.maximum(3.0 - held, 0.0)
    return ProblemProfiles(
        parameters=(
            ProfiledParameter("k", "log10", "bounded", 1.0, 0.2, 5.0, 4.0, ((0.2, 5.0),), False),
            ProfiledParameter("V", "lin", "one-sided", 4.0, 1.1, None, 3.0, ((1.1, None),), False),
        ),
        names=("k", "V"),
        curves=((bounded, np.stack([held, held], axis=1)), (open_above, np.stack([held, held], axis=1))),
        point=np.array([0.0, 4.0]),
        gained=0.0,
        evaluations=0,
    )


def test_each_profile_has_a_panel_with_its_curve_its_estimate_and_the_fall_that_ends_it() -> None:
    found = two_profiles()
    figure = profiles_figure(found)
    assert [axes.get_xlabel() for axes in figure.axes] == ["k", "V"]
    assert [axes.get_xscale() for axes in figure.axes] == ["log", "linear"]
    for axes, row, (drops, values) in zip(figure.axes, found.parameters, found.curves, strict=True):
        curve, estimate, end = axes.lines
        np.testing.assert_array_equal(curve.get_xydata(), np.stack([values[:, 0], drops], axis=1))
        assert (float(estimate.get_xdata()[0]), float(estimate.get_ydata()[0])) == (row.estimate, 0.0)
        assert set(end.get_ydata()) == {THRESHOLD}
        # Falls go down.
        low, high = axes.get_ylim()
        assert low > high


def test_panels_that_are_not_needed_are_not_shown() -> None:
    one = two_profiles()
    more = ProblemProfiles(one.parameters * 3, one.names, one.curves * 3, one.point, 0.0, 0)
    axes = profiles_figure(more).axes
    assert [panel.get_visible() for panel in axes] == [True] * 6 + [False] * 2


def test_a_long_name_stands_in_lines_that_are_no_longer_than_its_panel() -> None:
    found = two_profiles()
    first, *others = found.parameters
    name = "a_parameter_whose_name_is_long"
    longer = replace(found, parameters=(replace(first, name=name), *others), names=(name, "V"))
    assert profiles_figure(longer).axes[0].get_xlabel() == "a_parameter_whose_na\nme_is_long"
