"""Priors: medians and limits of the tables, widened by grade, cut at the bounds."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from simulate.biology.hypotheses import hypothesis_named
from simulate.biology.reference import parameter_table, reference_model
from simulate.errors import InputError
from simulate.studies.fitting.priors import (
    CENTERS,
    COMMON,
    FIXED,
    RELIABILITY,
    Free,
    Role,
    free_numbers,
    prior_rows,
)
from simulate.studies.fitting.problem import problem_for
from simulate.studies.fitting.simulated_trial import changes_at, noise_at, simulated_trial


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
        free_of = {target for part in problem.free for target in part.targets}
        assert added == (free_of & added) | (added & FIXED.keys())


USED_TWICE = ("det1", "det17", "p_unchanged", "slope_response", "R_0")


def test_no_prior_begins_at_a_figure_that_it_is_fitted_to() -> None:
    """Their rows in the tables have the abstract as their source, or were chosen to have its figures."""
    extra = prior_rows()
    of = {part.name: part for part in problem_for("H5a").free}
    for name in USED_TWICE:
        row = extra[f"prior_{name}"]
        assert row.source != "zong-2011"
        assert (of[name].median, (of[name].low, of[name].high)) == (row.value, row.bounds)
    # What the abstract would have them be is in the prior all the same: 1.85 ng/mL, and 1.1 % of a quarter of 60 %.
    assert of["R_0"].low < 1.85 < of["R_0"].high
    assert of["det1"].low < 0.011 / (0.25 * 0.6) < of["det1"].high


def test_a_free_row_that_names_the_abstract_has_another_prior() -> None:
    """But for how much IL-1 blockade favors Th1: of that the abstract gives the idea and no figure."""
    names = {part.targets[0] for name in ("H1+H6", "H2", "H3a+H4", "H5") for part in problem_for(name).free}
    table = parameter_table()
    of_abstract = {name for name in names if name in table and table[name].source == "zong-2011"}
    assert {name for name in of_abstract if f"prior_{name}" not in prior_rows()} == {"y_1"}


def test_the_noise_of_readings_is_free_with_the_row_of_the_assay_as_its_prior() -> None:
    (noise,) = (part for part in problem_for("H1").free if part.role is Role.NOISE)
    assert noise.targets == ("zong-2011", "ifng", "il17a")
    assert (noise.name, noise.median, noise.low, noise.high) == ("noise_staining", 0.36, 0.18, 0.8)


def test_the_likelihood_and_regression_to_the_mean_have_the_same_noise() -> None:
    """A reliability of v / (v + σ²), with the variance of the level between the very patients that are simulated."""
    problem = problem_for("H5a")
    points = np.random.default_rng(3).standard_normal((4, problem.dimension))
    noises, typical = noise_at(problem, points), changes_at(problem, points).typical
    seen = simulated_trial(problem, points, patients=128, seed=1).seen
    for name, (quantity, _) in RELIABILITY.items():
        np.testing.assert_array_equal(seen.spread(quantity, 0.0)[:, 0], noises[quantity])
        between = seen.logarithm(quantity, 0.0).var(axis=1)
        expected = between / (between + noises[quantity] ** 2)
        # A variance of 128 patients has an error of one in eight, and r (1 − r) is at most a quarter.
        np.testing.assert_allclose(typical[name], expected, atol=0.04)


def test_what_is_typical_of_the_center_is_read_with_the_detection_of_the_trial() -> None:
    problem = problem_for("H5a")
    points = np.zeros((2, problem.dimension))
    names = [part.name for part in problem.free]
    points[1, names.index("det1")] = 1.0
    typical, table = changes_at(problem, points).typical, parameter_table()
    ratio = typical["ifng_typical"] / typical["det1"]
    np.testing.assert_allclose(ratio, table["ifng_typical"].value / table["det1"].value)
    assert set(CENTERS) <= typical.keys()


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
