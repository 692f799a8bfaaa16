"""Fits that no fit has made: draws of the prior with their own likelihoods, under two hypotheses."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np

from simulate.evidence.likelihoods import log_likelihood
from simulate.studies.fitting.fit import by_reading
from simulate.studies.fitting.known_fits import Fit
from simulate.studies.fitting.posterior import Posterior, Support
from simulate.studies.fitting.predictive import tails
from simulate.studies.fitting.simulated_trial import simulated_trial
from tests.studies.fitting.tiny import problem
from tests.studies.virtual.fits import SETTINGS, fitted

PATIENTS, PLACES = SETTINGS.final_patients, SETTINGS.places


@cache
def posterior(hypothesis: str) -> Posterior:
    found = fitted(hypothesis)
    seen = simulated_trial(problem(hypothesis), found.points, patients=PATIENTS, seed=PLACES).seen
    terms = log_likelihood(problem(hypothesis).evidence, seen).values
    items = terms.shape[1]
    draw = np.random.default_rng(len(found.estimates))
    return replace(
        found,
        log_evidence=float(np.mean(terms.sum(axis=1))),
        errors=(0.05, 0.2, 0.0),
        log_likelihoods=terms,
        shares=terms.mean(axis=0) - 0.01,
        support=Support(
            feasible=1.0,
            sets=0.2 * draw.standard_normal(3),
            set_items=0.1 * draw.standard_normal((3, items)),
            share_errors=np.full(items, 0.03),
            readings=by_reading(problem(hypothesis), [seen]),
            tails=tails(problem(hypothesis).evidence, seen),
        ),
    )


def fit(hypothesis: str) -> Fit:
    return Fit(problem(hypothesis), posterior(hypothesis), "test")
