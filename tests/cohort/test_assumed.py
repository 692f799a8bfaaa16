"""A spread that is assumed of all parameters reaches those that can have one, and says whom it leaves out."""

from __future__ import annotations

import math

import numpy as np
from scipy.stats import norm

from simulate.cohort.assumed import with_assumed_spread
from simulate.cohort.draws import draw
from simulate.cohort.population import Population, Stratum
from simulate.symbolic.parts import CONVERSION, Parameter, Spread

PARAMETERS = (
    Parameter("a", "one without a spread", 2.0),
    Parameter("known", "one with a spread", 2.0, spread=Spread(0.1)),
    Parameter("none", "nothing", 0.0),
    Parameter("below", "less than nothing", -1.0),
    Parameter("per_time", "a factor", 86400.0, source=CONVERSION),
    Parameter("differs", "one with a spread in a kind of patients", 2.0),
)
STRATA = (
    Stratum("mild", 1, ()),
    Stratum("severe", 1, (Parameter("differs", "", 3.0, spread=Spread(0.2)), Parameter("a", "", 8.0))),
)


def test_what_has_a_spread_or_no_logarithm_is_left_out_with_the_reason() -> None:
    population, found = with_assumed_spread(Population(PARAMETERS, strata=STRATA), Spread.from_cv(0.3))
    assert found.varied == ("a",)
    assert dict(found.left_out) == {
        "known": "a spread of its own",
        "none": "the value is 0",
        "below": "the value is negative",
        "per_time": "a factor between units",
        "differs": "a spread of its own",
    }
    spreads = {part.name: part.spread for part in population.parameters}
    assert spreads == {
        "a": Spread.from_cv(0.3),
        "known": Spread(0.1),
        "none": None,
        "below": None,
        "per_time": None,
        "differs": None,
    }
    assert [part.spread for part in population.strata[1].parameters] == [Spread(0.2), Spread.from_cv(0.3)]


def test_sentences_say_that_no_evidence_is_behind_it() -> None:
    _, found = with_assumed_spread(Population(PARAMETERS, strata=STRATA), Spread.from_cv(0.3))
    assert found.sentences == (
        "spread: 1 parameter is log-normal between patients, with a coefficient of variation of 0.3, as the scenario "
        "assumes: no evidence is behind it",
        "without that spread: `known`, `differs`: a spread of its own",
        "without that spread: `none`: the value is 0",
        "without that spread: `below`: the value is negative",
        "without that spread: `per_time`: a factor between units",
    )


def test_patients_have_the_mean_logarithm_and_the_variation_that_is_assumed() -> None:
    population, _ = with_assumed_spread(Population(PARAMETERS[:2]), Spread.from_cv(0.3))
    logs = np.log(draw(population, 4000, seed=3).values[:, 0] / 2.0)
    sd = math.sqrt(math.log(1.09))
    edge = norm.isf(1e-6)
    assert abs(logs.mean()) < edge * sd / math.sqrt(4000)
    assert abs(logs.std() / sd - 1.0) < edge / math.sqrt(2 * 4000)


def test_a_patient_has_the_same_value_whatever_else_varies() -> None:
    alone, _ = with_assumed_spread(Population(PARAMETERS[:1]), Spread.from_cv(0.3))
    among, _ = with_assumed_spread(Population(PARAMETERS), Spread.from_cv(0.3))
    np.testing.assert_array_equal(draw(alone, 7, seed=5).values[:, 0], draw(among, 9, seed=5).values[:7, 0])
