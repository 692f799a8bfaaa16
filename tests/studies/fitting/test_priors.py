"""Priors: medians and limits of the tables, widened by grade, cut at the bounds."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from simulate.biology.hypotheses import hypothesis_named
from simulate.biology.reference import parameter_table, reference_model
from simulate.errors import InputError
from simulate.studies.fitting.priors import COMMON, FIXED, Free, Role, free_numbers
from simulate.studies.fitting.trial import problem_for


def free(median: float, low: float, high: float, widening: float = 1.0) -> Free:
    return Free("x", "something", "1", Role.TYPICAL, ("x",), median, low, high, widening)


def test_the_median_is_the_value_of_the_table() -> None:
    for part in problem_for("H1+H3a+H4").free:
        assert part.values(np.zeros(1))[0] == pytest.approx(part.median, rel=1e-12, abs=1e-12)


def test_the_taper_is_believed_to_be_what_the_meeting_abstract_says_of_the_trial() -> None:
    """Co-medication was stable: the rest of the dose is near 1, and not the quarter that shows what a taper does."""
    (rest,) = (part for part in problem_for("H5b").free if part.name == "taper_rest")
    assert (rest.low, rest.median, rest.high) == (0.8, 0.95, 1.0)
    assert rest.targets == ("taper_rest",)
    assert parameter_table()["taper_rest"].value == 0.25


def test_without_widening_the_bounds_hold_what_lies_within_95_percent_limits() -> None:
    part = free(1.0, 0.1, 10.0)
    # Cut at the limits, a coordinate u corresponds to the quantile 0.025 + 0.95 u of the normal distribution.
    coordinate = norm.ppf([0.1, 0.3, 0.9])
    expected = np.exp(norm.ppf(0.025 + 0.95 * np.array([0.1, 0.3, 0.9])) / norm.ppf(0.975) * np.log(10.0))
    np.testing.assert_allclose(part.values(coordinate), expected, rtol=1e-12)


def test_both_sides_reach_their_bound_however_far_it_is() -> None:
    part = free(0.5, 0.1, 0.95, widening=2.5)
    assert part.values(np.array([-8.0]))[0] == pytest.approx(0.1, rel=1e-6)
    assert part.values(np.array([8.0]))[0] == pytest.approx(0.95, rel=1e-6)


def test_widening_spreads_and_never_narrows() -> None:
    narrow, wide = free(1.0, 0.1, 10.0, 1.0), free(1.0, 0.1, 10.0, 2.5)
    at = np.array([-1.0, 1.0])
    assert wide.values(at)[0] < narrow.values(at)[0] < 1.0 < narrow.values(at)[1] < wide.values(at)[1]


def test_a_prior_that_is_very_wide_is_flat_on_either_side() -> None:
    part = free(0.0, -1.0, 1.0, widening=1e3)
    np.testing.assert_allclose(part.values(norm.ppf([0.25, 0.75, 0.9])), [-0.5, 0.5, 0.8], atol=1e-4)


def test_values_rise_with_the_coordinate() -> None:
    at = np.linspace(-6.0, 6.0, 101)
    for part in problem_for("H5").free:
        assert (np.diff(part.values(at)) > 0.0).all(), part.name


def test_hypotheses_share_the_priors_of_what_they_share() -> None:
    first, second = ({part.name: part for part in problem_for(name).free} for name in ("H1", "H4+H3a"))
    for name in COMMON:
        assert first[name] == second[name]


def test_what_a_hypothesis_adds_is_free_or_has_a_reason_not_to_be() -> None:
    base = {part.name for part in problem_for("none").model.parameters}
    for name in ("H1", "H2", "H3a", "H3b", "H4", "H4-dm", "H5a", "H5b"):
        problem = problem_for(name)
        added = {part.name for part in problem.model.parameters} - base
        assert added == {part.name for part in problem.free if part.name in added} | (added & FIXED.keys())


def test_reasons_are_of_parameters_that_exist() -> None:
    assert FIXED.keys() <= parameter_table().keys()


def test_a_parameter_without_bounds_has_no_prior() -> None:
    from dataclasses import replace

    model = reference_model(hypothesis_named("H1+response"))
    bare = replace(
        model, parameters=tuple(replace(p, bounds=None) if p.name == "x_17" else p for p in model.parameters)
    )
    with pytest.raises(InputError) as caught:
        free_numbers(bare, reference_model(hypothesis_named("response")))
    assert str(caught.value).splitlines()[0] == (
        "error[fit.bounds]: the parameter `x_17` has no bounds, and so no prior"
    )
