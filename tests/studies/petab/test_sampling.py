"""Posteriors against closed forms, and priors against the distributions of SciPy."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad

pytest.importorskip("libsbml")
pytest.importorskip("yaml")

from simulate.errors import InputError, Where
from simulate.exchange.petab.problem import EstimatedParameter, Prior
from simulate.studies.fitting.posterior import Settings
from simulate.studies.petab.priors import believed, log_density
from simulate.studies.petab.sampling import sample_problem
from tests.studies.petab.straight import COVARIANCE, ERRORS, LOG_EVIDENCE, MEAN, SIGMA, TABLE, straight_line

PLACES = np.array([-3.0, -1.0, 0.0, 0.5, 2.5])
SHARES = stats.norm.cdf(PLACES)


def settings(**changed: int) -> Settings:
    own = {"particles": 40, "runs": 2, "patients": 1, "draws": 512, "final_patients": 1, "seed": 1}
    return Settings(**{**own, **changed})


def test_the_posterior_of_a_straight_line_is_the_normal_one_with_its_evidence(tmp_path: Path) -> None:
    found = sample_problem(straight_line(tmp_path), settings())
    assert found.is_told
    assert found.effective > 300.0
    far = stats.norm.ppf(0.95)
    for row, mean, error in zip(found.estimates, MEAN, ERRORS, strict=True):
        exact = (mean - far * error, mean, mean + far * error)
        assert row.posterior == pytest.approx(exact, abs=0.2 * error)
    assert found.log_evidence == pytest.approx(LOG_EVIDENCE, abs=4.0 * found.error)
    assert found.error < 0.05
    # The draws that are kept are equally likely.
    assert found.draws.shape == (256, 2)
    covariance = np.cov(found.draws, rowvar=False)
    np.testing.assert_allclose(covariance / np.outer(ERRORS, ERRORS), COVARIANCE / np.outer(ERRORS, ERRORS), atol=0.25)
    assert found.impossible == 0.0
    # Of p nothing was believed, and of q a normal prior, whose bounds are far away.
    p, q = found.estimates
    assert p.prior == pytest.approx((-18.0, 0.0, 18.0), abs=1.0)
    assert q.prior == pytest.approx((0.2 - 0.1 * far, 0.2, 0.2 + 0.1 * far), abs=0.01)
    assert (p.verdict, q.verdict) == ("informed", "informed")


def test_where_nothing_was_measured_of_a_parameter_the_posterior_is_the_prior(tmp_path: Path) -> None:
    objective = straight_line(
        tmp_path,
        f"{TABLE}\np lin -20 20 1 1 _ _\nq log10 0.01 100 1 1 _ _",
        observables="observableId observableFormula noiseFormula\no p+0*q sigma",
        measurements="observableId simulationConditionId time measurement\no c0 1 1",
    )
    found = sample_problem(objective, settings(draws=256, runs=1))
    row = found.estimates[1]
    assert row.verdict == "prior"
    # Uniform on its scale.
    assert np.log10(row.posterior) == pytest.approx((-1.8, 0.0, 1.8), abs=0.25)


def test_half_of_the_prior_in_which_nothing_can_be_computed_counts_in_the_evidence(tmp_path: Path) -> None:
    objective = straight_line(
        tmp_path,
        f"{TABLE}\np lin -2 2 1 1 _ _",
        observables="observableId observableFormula noiseFormula\no ln(p)*time sigma",
        measurements="observableId simulationConditionId time measurement\no c0 1 0",
    )
    found = sample_problem(objective, settings(particles=60))
    exact = quad(lambda p: stats.norm.pdf(math.log(p), scale=SIGMA), 1e-9, 2.0)[0] / 4.0
    assert found.log_evidence == pytest.approx(math.log(exact), abs=4.0 * found.error)
    assert found.error < 0.05
    assert found.impossible == pytest.approx(0.5, abs=0.1)


def test_draws_of_which_too_few_count_are_not_told(tmp_path: Path) -> None:
    found = sample_problem(straight_line(tmp_path), settings(particles=20, runs=1, draws=32))
    assert found.effective < 50.0
    assert not found.is_told
    assert found.estimates == ()
    assert found.draws.shape == (0, 2)
    assert "log_evidence" not in found.as_dict()
    assert found.warnings[0] == "one run alone cannot tell whether it went everywhere: more runs"


def parameter(prior: Prior | None, lower: float, upper: float, scale: str = "lin") -> EstimatedParameter:
    return EstimatedParameter("x", scale, lower, upper, math.nan, True, prior, None, Where(file="table"))


@pytest.mark.parametrize(
    ("one", "exact"),
    [
        (parameter(None, 2.0, 5.0), stats.uniform(2.0, 3.0)),
        (parameter(None, 0.1, 100.0, "log10"), stats.loguniform(0.1, 100.0)),
        (parameter(Prior("uniform", "lin", 3.0, 9.0), 2.0, 5.0), stats.uniform(3.0, 2.0)),
        (parameter(Prior("normal", "lin", 1.0, 2.0), -1e3, 1e3, "lin"), stats.norm(1.0, 2.0)),
        (parameter(Prior("normal", "lin", 1.0, 2.0), 0.0, 4.0, "lin"), stats.truncnorm(-0.5, 1.5, 1.0, 2.0)),
        (parameter(Prior("normal", "lin", 0.0, 1.0), 9.0, 12.0, "lin"), stats.truncnorm(9.0, 12.0)),
        (parameter(Prior("normal", "lin", 0.0, 1.0), -12.0, -9.0, "lin"), stats.truncnorm(-12.0, -9.0)),
        (parameter(Prior("normal", "log", 0.5, 0.3), 1e-9, 1e9, "log10"), stats.lognorm(0.3, scale=math.exp(0.5))),
        (parameter(Prior("laplace", "lin", 1.0, 2.0), -1e3, 1e3, "lin"), stats.laplace(1.0, 2.0)),
    ],
)
def test_values_at_places_of_a_prior_are_the_quantiles_of_the_distribution(one: EstimatedParameter, exact: Any) -> None:
    np.testing.assert_allclose(believed(one, PLACES), exact.ppf(SHARES), rtol=1e-9)


@pytest.mark.parametrize("kind", ["normal", "laplace"])
@pytest.mark.parametrize("bounds", [(0.5, 3.0), (4.0, 9.0), (0.01, 0.6)])
@pytest.mark.parametrize("scale", ["lin", "log", "log10"])
def test_between_bounds_half_of_the_density_lies_below_the_value_at_place_zero(
    kind: str, bounds: tuple[float, float], scale: str
) -> None:
    prior = Prior(kind, scale, 1.0 if scale == "lin" else 0.2, 0.7, truncated=True)
    (half,) = believed(parameter(prior, *bounds), np.zeros(1))
    values = np.linspace(bounds[0], half, 4001)
    density = np.exp([log_density(prior, float(value), bounds)[0] for value in values])
    assert np.trapezoid(density, values) == pytest.approx(0.5, abs=1e-4)


def test_a_prior_with_nothing_between_the_bounds_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        believed(parameter(Prior("uniform", "lin", 6.0, 9.0), 2.0, 5.0), PLACES)
    assert str(caught.value) == (
        "error[petab.prior]: the prior of `x` has nothing between its bounds\n"
        "  --> table\n"
        "  found:    uniform with 6 and 9\n"
        "  expected: something between 2 and 5"
    )
