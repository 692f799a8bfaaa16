"""Licensing in the assay, the steroid taper and regression to the mean."""

from __future__ import annotations

import numpy as np
import pytest

from tests.biology.courses import change, course, model_of, reading


def test_licensing_adds_readouts_and_no_process() -> None:
    with_it, without = model_of("H3b"), model_of("H0")
    assert with_it.reactions == without.reactions
    assert {part.name for part in with_it.observables} - {part.name for part in without.observables} == {
        "ifng_with_il1ra",
        "il17a_with_il1ra",
        "ifng_unwashed",
        "il17a_unwashed",
        "il17_release_muscle",
    }


def test_il1ra_in_the_assay_reveals_the_licensed_share() -> None:
    for share in (0.0, 0.3, 0.6):
        revealed = reading("H3b", "ifng_with_il1ra", 0, lic=share) / reading("H3b", "ifng", 0)
        assert revealed == pytest.approx(1 - share, abs=0.01)


def test_too_little_il1ra_in_the_assay_reveals_less() -> None:
    enough, little = (reading("H3b", "ifng_with_il1ra", 0, il1ra_culture=dose) for dose in (29.0, 0.1))
    assert little > enough


def test_the_dose_of_steroid_is_halved_as_prescribed() -> None:
    for day, dose in ((0, 100.0), (14, 100.0), (14 + 45, 62.5), (14 + 90, 43.75)):
        assert reading("H5", "steroid", day) == pytest.approx(dose)


def test_the_taper_has_no_link_to_the_drug() -> None:
    treated, untreated = (course("H5", dose=dose) for dose in (100.0, 0.0))
    for quantity in ("E1", "M1", "E17", "M17", "Mo", "ifng", "il17a"):
        assert treated.quantity(quantity)[0] == pytest.approx(untreated.quantity(quantity)[0], rel=1e-5)


def test_th1_cells_are_spared_and_th17_cells_are_not() -> None:
    """With priming left alone, what steroids kill is Th1."""
    assert change("H5", "th1_memory", gc_priming=0.0) > 0.1
    assert abs(change("H5", "th17_memory", gc_priming=0.0)) < 0.01


def test_priming_turns_from_th17_to_th1_as_steroids_fall() -> None:
    only_priming = {"gc1": 0.0, "gc17": 0.0, "gc_other": 0.0}
    assert change("H5", "th17_memory", **only_priming) < -0.03
    assert change("H5", "th1_memory", **only_priming) > 0.0
    gained = sum(
        reading("H5", name, **only_priming) - reading("H5", name, 0, **only_priming) for name in ("E1", "E17", "E117")
    )
    assert gained == pytest.approx(0.0, abs=1e-3)


def test_a_patient_at_the_typical_level_does_not_regress() -> None:
    assert change("H5", "ck_regressed") == pytest.approx(change("H5", "ck"), abs=1e-6)


@pytest.mark.parametrize(("level", "direction"), [(20.0, -1), (1.5, 1)])
def test_extreme_readings_of_creatine_kinase_regress_without_a_drug(level: float, direction: int) -> None:
    """To first times (first over typical) to the power of 0.885 less 1."""
    untouched = {"dose": 0.0, "taper_rest": 1.0, "CK_0": level}
    moved = 1 + change("H5", "ck_regressed", **untouched)
    assert moved == pytest.approx((level / 5.4) ** (0.885 - 1), rel=0.001)
    assert np.sign(moved - 1) == direction


def test_the_correlation_of_two_readings_reproduces_the_spread_of_their_difference() -> None:
    """Infliximab pilot: 0.58 between two readings, 1.21 between patients."""
    repeat = {parameter.name: parameter.value for parameter in model_of("H5").parameters}["r_ck"]
    assert 1.21 * np.sqrt(2 * (1 - repeat)) == pytest.approx(0.58, abs=0.005)


def test_a_low_ifng_and_a_high_il17a_regress_to_both_signs_of_the_trial() -> None:
    """Readings alone can give them: low IFNγ rises and high IL-17A falls in the second look."""
    extreme = {"dose": 0.0, "taper_rest": 1.0, "det1": 0.02, "det17": 0.25}
    assert change("H5", "ifng_regressed", **extreme) > 0.1
    assert change("H5", "il17a_regressed", **extreme) < -0.1
    assert change("H5", "ifng", **extreme) == pytest.approx(0.0, abs=1e-6)
    assert reading("H5", "ifng_regressed", 0, **extreme) == pytest.approx(reading("H5", "ifng", 0, **extreme))
