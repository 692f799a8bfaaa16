"""IL-6, IL-12 and G-CSF as markers of what is blocked, and the half-lives of cytokines."""

from __future__ import annotations

import math

import pytest

from simulate.biology.conversion import H2_IL12
from simulate.biology.cytokines import CYTOKINES, SERUM_CYTOKINES
from simulate.biology.cytokines_constant import CONSTANT_CYTOKINES
from simulate.biology.hypotheses import H1, H2, H3A, H4
from simulate.biology.priming_by_cytokines import H1_CYTOKINES, H1_IL6_IL12
from simulate.biology.reference import parameter_table
from simulate.symbolic.balance import residual, violated
from tests.biology.variants import change, course, values
from tests.helpers.models import reference_model

TABLE = parameter_table()
SELECTIVE = H1 + H3A + SERUM_CYTOKINES
H = 1 / 24


@pytest.mark.parametrize(
    ("rate", "shortest", "longest"),
    [
        ("k_d1", 19 / 60 * H, 20.5 / 60 * H),
        ("k_IFN", 25 / 60 * H, 35 / 60 * H),
        ("k_6", 1 * H, 2 * H),
        ("k_17", 1 * H, 3 * H),
        ("k_G", 3.4 * H, 3.6 * H),
        ("k_12", 5 * H, 10 * H),
        ("k_CK", 35.9 * H, 36.3 * H),
    ],
)
def test_half_lives_are_the_printed_ones(rate: str, shortest: float, longest: float) -> None:
    assert shortest <= math.log(2) / TABLE[rate].value <= longest


def test_every_cytokine_is_exactly_at_rest_before_treatment() -> None:
    assert set(residual(reference_model(H1 + H2 + H3A + H4 + SERUM_CYTOKINES)).values()) == {0}


def test_il6_il12_and_gcsf_fall_under_treatment() -> None:
    assert change(SELECTIVE, "IL6") == pytest.approx(0.52, abs=0.01)
    assert change(SELECTIVE, "IL12") == pytest.approx(0.72, abs=0.01)
    assert change(SELECTIVE, "gcsf") == pytest.approx(0.46, abs=0.01)


def test_gcsf_falls_within_days_by_il1_and_goes_on_falling_by_il17() -> None:
    """A marker of both: without a share for IL-17, nothing happens after the first days."""
    both, only_il1 = (
        values(course(SELECTIVE, [0.0, 7.0, 182.0], **shares), "gcsf")
        for shares in ({"a_G1": 0.4, "a_G17": 0.2}, {"a_G1": 0.4, "a_G17": 0.0})
    )
    assert both[1] == pytest.approx(only_il1[1], abs=3.0)
    assert both[1] < 70.0
    assert both[2] < both[1] - 10.0
    assert only_il1[2] == pytest.approx(only_il1[1], abs=0.5)


def test_il1_and_il17_act_on_il6_together() -> None:
    """Where IL-17 is needed for all that IL-1 does, losing Th17 cells takes IL-6 down further."""
    needed, not_needed = (change(SELECTIVE, "IL6", y_6=share, f_m=0.1) for share in (1.0, 0.0))
    assert needed < not_needed - 0.03


def test_the_mechanism_takes_the_place_of_constant_cytokines() -> None:
    constant = {part.name for part in CONSTANT_CYTOKINES.definitions}
    assert constant <= {part.name for part in CYTOKINES.definitions}
    for finer in (H1_IL6_IL12, H2_IL12):
        model = reference_model(finer + SERUM_CYTOKINES)
        assert {"IL6", "IL12", "GCSF"} <= {species.name for species in model.species}
    assert reference_model(H1_IL6_IL12 + SERUM_CYTOKINES).definitions == reference_model(H1_CYTOKINES).definitions


@pytest.mark.parametrize(
    ("overrides", "reason"),
    [
        ({"a_6": 1.2}, "IL-1 drives more than all synthesis of IL-6"),
        ({"a_G1": 0.7, "a_G17": 0.4}, "IL-1 and IL-17 together drive more than all synthesis of G-CSF"),
        ({"IL12_0": -1.0}, "IL-12 in serum would need a negative synthesis"),
    ],
)
def test_an_impossible_cytokine_is_refused_with_the_reason(overrides: dict[str, float], reason: str) -> None:
    assert reason in {condition.reason for condition in violated(reference_model(SERUM_CYTOKINES), overrides)}
