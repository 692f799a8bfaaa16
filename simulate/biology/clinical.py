"""Clinical response as a probability that depends on creatine kinase.

Response by the IMACS definition needs three of six measures of which creatine kinase (CK) is one, and CK is normal in
many patients whose disease is refractory. So CK does not decide response; it moves its odds:

    odds of response = odds at unchanged CK · (CK / CK_0) ** −slope

which is a logit that is linear in the logarithm of the ratio. ``p_unchanged`` and ``slope_response`` are assumed such
that the typical fall of CK, by about 30 %, goes with the share of responders in the trial, 7 of 15. The observable is
the probability at the time of reading; whether a patient responded is a draw from it.
"""

from __future__ import annotations

from typing import Any

from sympy import symbols

from simulate.biology.muscle import CREATINE_KINASE
from simulate.biology.receptors import PERCENT
from simulate.symbolic.hypothesis import Hypothesis
from simulate.symbolic.parts import Condition, Definition, Mechanism, Observable
from simulate.symbolic.symbols import at_baseline
from simulate.symbolic.units import DIMENSIONLESS

p_unchanged, slope_response = symbols("p_unchanged slope_response")


def odds_of_response(unchanged: Any, slope: Any, ratio: Any) -> Any:
    """Odds of a response, of symbols or of numbers.

    Parameters
    ----------
    unchanged, slope
        Probability at unchanged creatine kinase, and the rise of the logit as its logarithm falls by one.
    ratio
        Creatine kinase over that at baseline.
    """
    return unchanged / (1 - unchanged) * ratio**-slope


ODDS = Definition(
    "response_odds", "odds of a response by the IMACS definition", DIMENSIONLESS,
    odds_of_response(p_unchanged, slope_response, CREATINE_KINASE / at_baseline(CREATINE_KINASE.symbol)),
)  # fmt: skip

RESPONSE = Mechanism(
    name="response",
    title="Probability of clinical response, given creatine kinase",
    definitions=(ODDS,),
    observables=(
        Observable("response", "probability of a response by the IMACS definition", PERCENT, ODDS / (1 + ODDS.symbol)),
    ),
    conditions=(
        Condition("response_chance", 1 - p_unchanged, "the probability of response at unchanged CK exceeds 1"),
    ),
)

CLINICAL_RESPONSE = Hypothesis(
    name="response", title="Response is likelier the more creatine kinase falls", add=(RESPONSE,)
)
