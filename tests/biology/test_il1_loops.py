"""What keeps IL-1 up, and what brings it down."""

from __future__ import annotations

import numpy as np
import pytest

from simulate.biology.hypotheses import H1, H3A
from simulate.biology.il1_loops import CAPS, LOOP_IL17
from simulate.biology.local_antagonist import LOCAL_IL1RA
from simulate.biology.macrophages import INFILTRATE
from simulate.biology.receptors import SPARE_A
from simulate.biology.reference import parameter_table
from simulate.biology.sites import TWO_SITES
from simulate.symbolic.balance import residual, violated
from tests.biology.variants import STEADY_DAY, course, values
from tests.helpers.models import reference_model

TABLE = {name: parameter.value for name, parameter in parameter_table().items()}


@pytest.mark.parametrize("hypothesis", [CAPS, LOOP_IL17, TWO_SITES, LOCAL_IL1RA], ids=lambda value: value.name)
def test_every_loop_has_an_exactly_steady_baseline(hypothesis: object) -> None:
    assert set(residual(reference_model(hypothesis)).values()) == {0}  # type: ignore[arg-type]


def test_blockade_lowers_il1_synthesis_in_cryopyrin_syndromes_from_31_to_6_ng_a_day() -> None:
    """Lachmann et al. 2009: healthy rates within eight weeks."""
    complete = values(course(CAPS, [0.0, 56.0], dose=3000.0, doses=56), "il1_production")
    assert complete[0] == pytest.approx(31.0)
    assert complete[1] == pytest.approx(6.0, abs=0.5)


def test_at_a_common_dose_the_rest_of_the_signal_keeps_some_synthesis_up_at_the_trough() -> None:
    assert values(course(CAPS, [56.0], doses=56), "il1_production")[0] == pytest.approx(6.97, abs=0.02)


def test_free_il1_in_plasma_follows_from_its_synthesis_and_half_life() -> None:
    """0.04 to 0.2 pg/mL in 3 L, 0.002 to 0.012 pM, from 6 to 31 ng/d."""
    healthy, caps = (TABLE[f"il1_production_{who}"] / TABLE["k_d1"] / 3.0 for who in ("healthy", "caps"))
    assert (healthy, caps) == pytest.approx((0.04, 0.2), rel=0.05)
    picomolar = [level / TABLE["mass_il1"] for level in (healthy, caps)]
    assert picomolar == pytest.approx([0.002, 0.012], rel=0.2)


def test_own_il1ra_needs_the_printed_synthesis() -> None:
    """0.07 mg a day in healthy people, 0.50 in these patients, and the drug is about 190 times that."""
    clearance = 8.2 * 24.0
    assert clearance * 0.354 / 1000 == pytest.approx(0.07, abs=0.005)
    assert clearance * 2.56 / 1000 == pytest.approx(0.50, abs=0.005)
    assert 0.95 * 100.0 / 0.50 == pytest.approx(190.0, abs=1.0)
    assert TABLE["CL"] == pytest.approx(clearance, rel=0.02)


def test_a_drug_that_lowers_il17_lowers_il1_more_where_il17_drives_il1() -> None:
    with_loop, without = (
        values(course(H1 + H3A + LOOP_IL17, [0.0, 28.0, 182.0], a_17=share), "L_m") for share in (0.1, 0.0)
    )
    assert with_loop[2] < 0.85 * without[2]
    # Slowly, with the cells: within a month little of it has come.
    assert with_loop[1] / without[1] > with_loop[2] / without[2] + 0.05


def test_more_than_all_il1_synthesis_cannot_be_driven() -> None:
    model = reference_model(LOOP_IL17)
    reasons = [condition.reason for condition in violated(model, {"a_fb": 0.85, "a_17": 0.3})]
    assert "IL-1 and IL-17 together drive more than all IL-1 synthesis" in reasons


def test_slow_passage_into_muscle_flattens_the_day_and_keeps_its_mean() -> None:
    quick, slow = (values(course(TWO_SITES, STEADY_DAY, doses=10, k_tissue=k), "anakinra_muscle") for k in (1e3, 3.0))
    assert slow.max() < 0.7 * quick.max()
    assert slow[-1] > 3 * quick[-1]
    assert slow[1:-1].mean() == pytest.approx(quick[1:-1].mean(), rel=0.02)


def test_a_muscle_that_fills_at_once_is_that_of_the_reference_model() -> None:
    at_once = course(TWO_SITES, STEADY_DAY, doses=10, k_tissue=1e4, a_fb_lymph=0.0, spill=0.0)
    reference = course(SPARE_A, STEADY_DAY, doses=10)
    for quantity in ("signal_lymph", "signal_muscle"):
        np.testing.assert_allclose(values(at_once, quantity), values(reference, quantity), rtol=2e-3, atol=0.05)


def test_il1_of_lymphoid_tissue_falls_under_treatment_where_it_drives_itself() -> None:
    left = values(course(TWO_SITES, [0.0, 28.0]), "L_l")
    assert 0.5 < left[1] / left[0] < 0.75


def test_macrophages_that_turn_to_repair_can_make_more_il1ra_although_fewer_are_left() -> None:
    stained = values(course(LOCAL_IL1RA, [0.0, 182.0]), "R_m")
    left = values(course(LOCAL_IL1RA, [0.0, 182.0]), "inflammation")
    assert left[1] < left[0]
    assert stained[1] > stained[0]
    without_repair = values(course(LOCAL_IL1RA, [0.0, 182.0], repair_fold=0.01), "R_m")
    assert without_repair[1] < without_repair[0]


def test_without_local_il1ra_muscle_is_that_of_the_reference_model() -> None:
    none, reference = (
        course(hypothesis, [0.0, 182.0], **local)
        for hypothesis, local in (
            (LOCAL_IL1RA, {"local_share": 1e-9}),
            (SPARE_A, {}),
        )
    )
    np.testing.assert_allclose(values(none, "ck"), values(reference, "ck"), rtol=1e-6)


def test_a_baseline_from_which_the_loops_run_away_is_refused() -> None:
    for hypothesis, strong in (
        (LOCAL_IL1RA, {"local_share": 10.0, "repair_fold": 10.0, "a_fb": 0.8}),
        (INFILTRATE, {"a_fb": 0.85, "il1_muscle": 0.001, "eps": 0.2}),
    ):
        reasons = {condition.reason for condition in violated(reference_model(hypothesis), strong)}
        assert reasons == {"the loops of IL-1 would run away from this baseline at the slightest change"}
        assert violated(reference_model(hypothesis)) == ()


def test_return_to_baseline_slows_down_to_nothing_where_the_condition_begins_to_refuse() -> None:
    """The condition of first order, against the rate that trajectories show after one dose."""

    def pace(a_fb: float) -> float:
        times = [0.0, 60.0, 70.0]
        level = values(course(INFILTRATE, times, doses=1, a_fb=a_fb, il1_muscle=0.001), "L_m")
        return float(np.log((level[1] / level[0] - 1) / (level[2] / level[0] - 1)) / 10)

    def returned(a_fb: float) -> float:
        occupied = 0.001 / (1 + 0.001 + 1.069)
        inflammation = 0.43 / (1 - 0.35 - 0.1)
        through = a_fb * (1 + inflammation) - 0.6 * 1.069 / (1 + 1.069)
        return 0.03 / (0.03 + occupied) * (1 - occupied) * through

    model = reference_model(INFILTRATE)
    edge = (1.0 - returned(0.0)) / (returned(1.0) - returned(0.0))
    assert violated(model, {"a_fb": edge - 0.005, "il1_muscle": 0.001}) == ()
    assert violated(model, {"a_fb": edge + 0.005, "il1_muscle": 0.001}) != ()
    far, near, nearer = pace(0.3), pace(edge - 0.1), pace(edge - 0.01)
    assert far > near > nearer > 0.0
    assert nearer < 0.1 * far
