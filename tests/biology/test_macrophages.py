"""Muscle with macrophages and local cytokines: what drives damage, and what does not."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest

from simulate.biology.clinical import CLINICAL_RESPONSE
from simulate.biology.creatine_kinase_drift import CK_DRIFT
from simulate.biology.hypotheses import H1, H3A, H4
from simulate.biology.macrophages import INFILTRATE
from simulate.symbolic.balance import residual, violated
from tests.biology.variants import change, course, values
from tests.helpers.models import reference_model

SELECTIVE = H1 + H3A + INFILTRATE + CLINICAL_RESPONSE
DRIFTING = CK_DRIFT + CLINICAL_RESPONSE
IBM = {"degeneration": 0.8}


@pytest.mark.parametrize("hypothesis", [INFILTRATE, SELECTIVE + H4, CK_DRIFT], ids=lambda value: value.name)
def test_the_infiltrated_muscle_is_exactly_at_rest_before_treatment(hypothesis: object) -> None:
    assert set(residual(reference_model(hypothesis)).values()) == {0}  # type: ignore[arg-type]


def test_macrophages_and_their_cytokines_fall_and_return_after_treatment() -> None:
    whole = course(SELECTIVE, [0.0, 182.0, 3000.0])
    for quantity in ("macrophages", "ifng_muscle", "il17a_muscle", "ck"):
        before, treated, after = values(whole, quantity)
        assert treated < 0.75 * before
        assert after == pytest.approx(before, rel=1e-3)


def test_local_il17a_falls_further_than_the_cells_in_blood_because_fewer_are_called() -> None:
    assert change(SELECTIVE, "il17a_muscle") == pytest.approx(
        change(SELECTIVE, "il17a") * change(SELECTIVE, "macrophages"), rel=0.35
    )
    assert change(SELECTIVE, "il17a_muscle") < change(SELECTIVE, "il17a")


def test_cells_called_by_inflammation_are_those_that_the_exchange_with_blood_would_bring() -> None:
    """Redistribution counts Th1 cells in muscle one by one; the shortcut here multiplies blood by inflammation."""
    exchange = course(SELECTIVE + H4, [0.0, 182.0])
    in_muscle, in_blood, inflammation = (values(exchange, name) for name in ("T1", "M1", "macrophages"))
    assert in_muscle[1] / in_muscle[0] == pytest.approx(inflammation[1] * in_blood[1] / in_blood[0], rel=0.02)


def test_ifng_in_muscle_follows_its_source_within_hours() -> None:
    """A half-life of half an hour beside macrophages that take days."""
    treated = course(SELECTIVE, list(np.linspace(1.0, 14.0, 14)))
    called = values(treated, "macrophages")
    np.testing.assert_allclose(values(treated, "ifng_muscle") / 100.0, called, rtol=0.02)


@pytest.mark.parametrize(("name", "value"), [("f_28null", 0.3), ("f_RO", 0.85)])
def test_more_cd28null_or_more_cd45ro_cells_mean_less_fall_of_creatine_kinase(name: str, value: float) -> None:
    """The correlation of the abstract as a consequence of cells that IL-1 does not drive."""
    typical = change(SELECTIVE, "ck")
    assert change(SELECTIVE, "ck", **{name: value}) > typical + 0.02
    assert typical == pytest.approx(0.59, abs=0.01)


def test_the_independent_share_is_chi_at_the_typical_number_of_cd28null_cells_and_never_exceeds_1() -> None:
    def share(**overrides: float) -> float:
        return float(values(course(SELECTIVE, [0.0], degeneration=0.0, **overrides), "il1_independent_damage")[0])

    assert share() == pytest.approx(50.0)
    rising = [share(f_28null=null) for null in (0.005, 0.05, 0.2, 1.0)]
    assert rising == sorted(rising)
    assert rising[-1] < 100.0


def test_inclusion_body_myositis_hardly_responds() -> None:
    """None of 9 patients improved on anakinra or canakinumab; natural drift is 3 to 18 %."""
    assert change(SELECTIVE, "ck", **IBM) > 0.9
    assert change(SELECTIVE, "ck", **IBM, chi=0.1) > 0.8


def test_response_is_likelier_the_more_creatine_kinase_falls_but_is_not_decided_by_it() -> None:
    probabilities = [
        float(values(course(SELECTIVE, [182.0], chi=chi, **other), "response")[0])
        for chi, other in ((0.1, {}), (0.5, {}), (0.95, {}), (0.95, IBM))
    ]
    assert probabilities == sorted(probabilities, reverse=True)
    assert 20.0 < probabilities[-1] < 25.0
    assert probabilities[0] < 100.0


def test_the_logit_of_response_is_linear_in_the_logarithm_of_creatine_kinase() -> None:
    points = []
    for factor in (0.5, 1.0, 2.0):
        read = course(DRIFTING, [0.0, 150.0], doses=0, ck_drift=factor)
        ck, response = values(read, "ck"), values(read, "response")[1] / 100.0
        points.append((math.log(ck[1] / ck[0]), math.log(response / (1 - response))))
    slopes = [(b[1] - a[1]) / (b[0] - a[0]) for a, b in pairwise(points)]
    assert slopes == pytest.approx([-3.5, -3.5], rel=1e-3)


def test_a_fall_by_30_percent_goes_with_the_share_of_responders_in_the_trial() -> None:
    read = course(DRIFTING, [0.0, 150.0], doses=0, ck_drift=0.7)
    assert values(read, "response")[0] == pytest.approx(20.0)
    assert values(read, "response")[1] / 100.0 == pytest.approx(7 / 15, abs=0.01)


@pytest.mark.parametrize(
    ("overrides", "reason"),
    [
        (
            {"w_G": 0.3},
            "the weights of IL-17A, IFNγ and IL-1 in the recruitment of macrophages exceed 1 together",
        ),
        ({"chi": 1.1}, "the share of damage that no IL-1 drives exceeds 1"),
        ({"degeneration": 1.1}, "degeneration does more than all of the damage"),
    ],
)
def test_an_impossible_muscle_is_refused_with_the_reason(overrides: dict[str, float], reason: str) -> None:
    assert reason in {condition.reason for condition in violated(reference_model(INFILTRATE), overrides)}
