"""The mechanisms of receptor, IL-1 and muscle with all hypotheses, with each other, and for random patients."""

from __future__ import annotations

from collections import Counter
from functools import reduce
from itertools import combinations
from operator import add

import numpy as np
import pytest

from simulate.biology.binding import BINDING_OVER_TIME
from simulate.biology.cell_receptors import RECEPTOR_DECOY, RECEPTOR_NUMBER, RECEPTOR_NUMBER_AND_DECOY
from simulate.biology.clinical import CLINICAL_RESPONSE
from simulate.biology.creatine_kinase_drift import CK_DRIFT
from simulate.biology.cytokines import SERUM_CYTOKINES
from simulate.biology.hypotheses import H0, H1, H2, H3A, H4
from simulate.biology.il1_loops import CAPS, LOOP_IL17
from simulate.biology.local_antagonist import LOCAL_IL1RA
from simulate.biology.macrophages import INFILTRATE
from simulate.biology.receptors import SPARE_A, SPARE_B
from simulate.biology.sites import TWO_SITES
from simulate.cohort.draws import draw
from simulate.cohort.reading import shipped_population
from simulate.solver import RODAS5P, Schedule, Status, Tolerance, solve
from simulate.symbolic.balance import residual
from simulate.symbolic.hypothesis import Hypothesis
from tests.biology.variants import course, kernel
from tests.helpers.models import reference_model

RECEPTORS = (
    SPARE_A,
    SPARE_B,
    BINDING_OVER_TIME,
    RECEPTOR_DECOY,
    RECEPTOR_NUMBER,
    RECEPTOR_NUMBER_AND_DECOY,
    TWO_SITES,
    LOCAL_IL1RA,
)
REST = LOOP_IL17 + SERUM_CYTOKINES + INFILTRATE + CLINICAL_RESPONSE
OTHERS = (LOOP_IL17, CAPS, SERUM_CYTOKINES, INFILTRATE, CK_DRIFT, CLINICAL_RESPONSE, REST)
EFFECTS = (H1, H2, H3A, H4)
HALVES = [
    [reduce(add, chosen, H0) for size in sizes for chosen in combinations(EFFECTS, size)]
    for sizes in ((0, 2, 4), (1, 3))
]
"""Effects of an even number, and of an odd one: in either half any three of the four are on and off in every way."""
MECHANISMS = (*(receptors + REST for receptors in RECEPTORS), *OTHERS)


@pytest.mark.parametrize("place", range(len(MECHANISMS)), ids=lambda place: MECHANISMS[place].name)
def test_the_baseline_is_exactly_steady_with_every_combination_of_three_hypotheses(place: int) -> None:
    """All sixteen of the four are by themselves in `test_baseline`."""
    for effects in HALVES[place % 2]:
        rates = residual(reference_model(effects + MECHANISMS[place]))
        assert set(rates.values()) == {0}, effects.name


def test_the_order_of_combination_gives_one_model() -> None:
    assert reference_model(REST + SPARE_B + H1).key == reference_model(H1 + SPARE_B + REST).key


@pytest.mark.parametrize(
    ("hypothesis", "refused"),
    [(H1 + H3A + H4 + REST, 0.06), (H1 + H3A + H4 + REST + LOCAL_IL1RA, 0.22)],
    ids=["infiltrate", "local-il1ra"],
)
def test_random_patients_stay_at_baseline_untreated_or_are_refused_with_the_reason(
    hypothesis: Hypothesis, refused: float
) -> None:
    count = 200
    model, built = reference_model(hypothesis), kernel(hypothesis)
    cohort = draw(shipped_population(model.parameters), count, seed=5)
    rows = np.ascontiguousarray(cohort.values[:, [cohort.names.index(parameter) for parameter in built.parameters]])
    result = solve(
        built, rows, Schedule.empty(count), np.array([0.0, 400.0]), tolerance=Tolerance(1e-8), method=RODAS5P
    )
    statuses = Counter(Status(status) for status in result.status)
    assert set(statuses) <= {Status.OK, Status.INFEASIBLE}
    assert statuses[Status.INFEASIBLE] <= refused * count
    assert {failure.reason for failure in result.failures} <= {
        "the parameters admit no steady baseline: "
        "the loops of IL-1 would run away from this baseline at the slightest change"
    }
    held = result.values[result.status == Status.OK]
    drifting = {"CK", "ck", "response"}
    still = [index for index, quantity in enumerate(result.quantities) if quantity not in drifting]
    np.testing.assert_allclose(held[:, 1, still], held[:, 0, still], rtol=1e-4, atol=1e-9)
    assert held.min() >= 0.0


def test_nothing_becomes_negative_under_a_high_dose() -> None:
    treated = course(H1 + H3A + H4 + REST, list(np.linspace(0.0, 60.0, 241)), dose=1000.0, doses=30)
    assert not treated.failures
    assert treated.values.min() > -1e-9
