"""Weighting anew gives what another prior, doubt or reading would have given."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm

from simulate.evidence.likelihoods import item_term, log_likelihood
from simulate.studies.comparison.variants import DOUBT, FACTOR, Sort, Variant, change, variants
from simulate.studies.fitting.simulated_trial import simulated_trial
from tests.studies.comparison.short import PATIENTS, PLACES, fit


def named(text: str) -> Variant:
    return next(variant for variant in variants([fit("H0"), fit("H1")]) if variant.name == text)


@pytest.mark.parametrize("factor", [FACTOR, 1.0 / FACTOR])
def test_a_prior_weighted_anew_has_the_moments_of_the_other_prior(factor: float) -> None:
    points = np.random.default_rng(1).standard_normal(40_000)
    for part in fit("H1").problem.free:
        other = replace(part, widening=part.widening * factor)
        weights = np.exp(part.log_ratio(points, other.widening))
        values, expected = part.values(points), other.values(points)
        scale = expected.std()
        assert weights.mean() == pytest.approx(1.0, abs=0.03)
        assert (weights * values).mean() == pytest.approx(expected.mean(), abs=0.03 * scale)
        assert (weights * (values - expected.mean()) ** 2).mean() == pytest.approx(scale**2, rel=0.05)


def test_a_number_that_a_hypothesis_does_not_have_does_not_change_it() -> None:
    variant = named("prior of x_17 1.5 times as wide")
    assert variant.sort is Sort.NUMBER
    assert change(variant, fit("H0")).value == 0.0
    assert change(variant, fit("H1")).value != 0.0


def test_the_prior_of_all_is_that_of_each_together() -> None:
    whole = named("all priors 1.5 times as wide").log_ratio(fit("H1"))
    each = sum(
        variant.log_ratio(fit("H1"))
        for variant in variants([fit("H1"), fit("H0")])
        if variant.sort is Sort.NUMBER and variant.name.endswith("wide")
    )
    np.testing.assert_allclose(whole, each, atol=1e-12)


def test_another_doubt_gives_the_likelihood_that_the_item_would_have() -> None:
    found = fit("H1")
    seen = simulated_trial(found.problem, found.posterior.points, patients=PATIENTS, seed=PLACES).seen
    before = log_likelihood(found.problem.evidence, seen).values
    for item in found.problem.evidence.data:
        variant = named(f"doubt in what is {item.standing.value} times 3")
        expected = np.zeros(len(before))
        for column, other in enumerate(found.problem.evidence.data):
            if other.standing is item.standing:
                doubted = replace(other, doubt=min(other.doubt * DOUBT, 0.95))
                expected += item_term(doubted, seen).total - before[:, column]
        np.testing.assert_allclose(variant.log_ratio(found), expected, atol=1e-9)


def test_a_reading_alone_gives_the_likelihood_of_the_item_without_the_others() -> None:
    found = fit("H1")
    seen = simulated_trial(found.problem, found.posterior.points, patients=PATIENTS, seed=PLACES).seen
    item = found.problem.evidence["ifng-direction"]
    for reading in item.readings:
        alone = item_term(replace(item, readings=(replace(reading, share=1.0),)), seen).total
        expected = alone - item_term(item, seen).total
        variant = named(f"ifng-direction read as: {reading.name}")
        np.testing.assert_allclose(variant.log_ratio(found), expected, atol=1e-9)


def test_a_noise_of_another_size_has_the_evidence_of_the_prior_that_is_left() -> None:
    """Of the evidence with a third of the prior the share of the posterior in it is a third: their ratio."""
    below = [variant for variant in variants([fit("H0"), fit("H1")]) if variant.sort is Sort.NOISE]
    assert [variant.name for variant in below] == ["noise staining below 0.3", "noise staining above 0.44"]
    for name in ("H0", "H1"):
        found = fit(name)
        column = [part.name for part in found.problem.free].index("noise_staining")
        noise = found.problem.free[column]
        assert noise.values(norm.ppf([1.0 / 3.0, 2.0 / 3.0])) == pytest.approx([0.305, 0.436], abs=0.001)
        points = np.random.default_rng(1).standard_normal((400, found.problem.dimension)) - 0.3
        share = float((norm.cdf(points[:, column]) < 1.0 / 3.0).mean())
        many = replace(found, posterior=replace(found.posterior, points=points))
        assert change(below[0], many).value == pytest.approx(np.log(3.0 * share))


def test_of_a_noise_that_hardly_a_draw_has_nothing_is_known() -> None:
    (above,) = (variant for variant in variants([fit("H0"), fit("H1")]) if variant.name.startswith("noise staining ab"))
    found = fit("H0")
    none = replace(found, posterior=replace(found.posterior, points=np.zeros_like(found.posterior.points)))
    assert not change(above, none).is_known


def test_without_the_readings_only_priors_and_noise_vary() -> None:
    found = fit("H1")
    older = replace(found, posterior=replace(found.posterior, support=None))
    sorts = {variant.sort for variant in variants([older, fit("H0")])}
    assert sorts == {Sort.PRIORS, Sort.NUMBER, Sort.NOISE}
