"""Fits that ship were made from the numbers, the evidence and the priors that ship."""

from __future__ import annotations

import numpy as np
import pytest

from simulate import shipped
from simulate.studies.fitting.fit import Likelihood
from simulate.studies.fitting.keys import is_current
from simulate.studies.fitting.named_evidence import problem_on
from simulate.studies.fitting.posterior import Settings, read_posterior, shipped_posterior
from simulate.studies.fitting.problem import problem_for
from simulate.studies.fitting.reproduction import NULL

NAMES = list(shipped.fit_files())
OF_SYNTHESIS = list(shipped.fit_files("synthesis"))
STALE = "the model, its numbers, patients, evidence or priors are others: docs/fitting.md says how fits are made anew"


def test_the_null_hypothesis_and_a_rival_ship() -> None:
    assert {NULL, "H1+H3a+H4"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_fit_is_of_todays_numbers_evidence_and_priors(name: str) -> None:
    found = shipped_posterior(name.lower())
    assert found.hypothesis == name
    assert found.settings == Settings()
    assert is_current(problem_for(name), found), STALE


@pytest.mark.parametrize("name", NAMES)
def test_its_likelihoods_are_found_again(name: str) -> None:
    found = read_posterior(shipped.fit_files()[name])
    few = np.arange(0, len(found.points), 128)
    target = Likelihood(problem_for(name), found.settings.final_patients, found.settings.places)
    # Another processor may round otherwise, and the solver of a fit errs by some tenths of a percent.
    np.testing.assert_allclose(target(found.points[few]).items, found.log_likelihoods[few], atol=0.02)


@pytest.mark.parametrize("name", OF_SYNTHESIS)
def test_a_fit_to_the_synthesis_is_of_todays_numbers_and_its_draws_are_enough(name: str) -> None:
    found = shipped_posterior(name, "synthesis")
    assert (found.hypothesis, found.evidence, found.settings) == (name, "synthesis", Settings())
    assert is_current(problem_on(name, "synthesis"), found), STALE
    assert found.diagnostics.r_hat is not None
    assert found.diagnostics.r_hat < 1.05
    assert found.diagnostics.effective >= 400.0
    assert found.diagnostics.tail < 0.7


def test_likelihoods_of_a_fit_to_the_synthesis_are_found_again() -> None:
    found = shipped_posterior(OF_SYNTHESIS[0], "synthesis")
    few = np.arange(0, len(found.points), 128)
    target = Likelihood(problem_on(found.hypothesis, "synthesis"), found.settings.final_patients, found.settings.places)
    np.testing.assert_allclose(target(found.points[few]).items, found.log_likelihoods[few], atol=0.02)


@pytest.mark.parametrize("name", NAMES)
def test_its_runs_agree_and_its_draws_are_enough(name: str) -> None:
    found = shipped_posterior(name).diagnostics
    assert found.r_hat is not None
    assert found.r_hat < 1.05
    assert found.effective >= 400.0
    assert found.tail < 0.7
    assert found.unresolved <= 1e-3
