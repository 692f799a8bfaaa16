"""Ways in which responders could differ in their T cells: `penetration` and `muscle-by-th17`."""

from __future__ import annotations

import pytest

from tests.biology.typical import END, patient, reading


def change(names: str, quantity: str, **who: float) -> float:
    course = patient(names, **who)
    return reading(course, quantity, END) / reading(course, quantity, 0) - 1.0


def test_behind_one_barrier_t_cells_follow_the_drug_that_gets_in() -> None:
    for readout in ("ifng", "il17a"):
        much, little = (change("H1+H6+penetration", readout, f_m=share) for share in (1.0, 0.02))
        assert abs(little) < 0.7 * abs(much)
    much, little = (change("H1", "il17a", f_m=share) for share in (1.0, 0.02))
    assert little == pytest.approx(much, rel=0.01)


def test_without_a_barrier_it_is_the_reference() -> None:
    assert change("H1+H6+penetration", "ifng", f_m=1.0) == pytest.approx(change("H1+H6", "ifng", f_m=1.0), abs=1e-6)


def test_behind_one_barrier_lymphoid_tissue_has_the_share_of_the_drug_that_muscle_has() -> None:
    """With the same IL-1 in both tissues, which nothing feeds back on, the same receptors are occupied."""
    course = patient("H1+H6+penetration", f_m=0.3, il1_muscle=0.02, il1_lymph=0.02, a_fb=0.0)
    for day in (0, 91, END):
        assert reading(course, "occupancy_lymph", day) == pytest.approx(reading(course, "occupancy_muscle", day))


def test_muscle_that_follows_il17_alone_does_not_recover_where_il17_does_not_fall() -> None:
    assert change("muscle-by-th17", "ck") == pytest.approx(0.0, abs=1e-6)
    assert change("H1+muscle-by-th17", "ck") < -0.15


def test_muscle_that_follows_il17_alone_is_where_its_memory_has_it() -> None:
    """Inflammation settles in days at 1 less the weight of what has gone."""
    course = patient("H1+muscle-by-th17")
    makers = [reading(course, "M17", day) + reading(course, "M117", day) for day in (0, END)]
    expected = 1.0 - (0.35 + 0.43) * (1.0 - makers[1] / makers[0])
    assert reading(course, "inflammation", END) / 100.0 == pytest.approx(expected, abs=0.02)
