from __future__ import annotations

import pytest
from sympy import simplify, symbols

from simulate.biology.occupancy import bound
from tests.biology.typical import END, patient, reading


def test_ligand_competitor_and_free_receptors_add_up() -> None:
    ligand, competitor = symbols("ligand competitor")
    free = bound(ligand, competitor) / ligand
    assert simplify(bound(ligand, competitor) + bound(competitor, ligand) + free) == 1


def test_half_of_the_receptors_hold_il1ra_before_treatment_and_nearly_all_on_drug() -> None:
    """The patients' own IL-1Ra equals its dissociation constant; 43 ng/mL are 25 times that."""
    course = patient("H0")
    assert reading(course, "occupancy_lymph", 0) == pytest.approx(51.6, abs=0.1)
    assert reading(course, "occupancy_lymph", END) == pytest.approx(96.1, abs=0.1)


def test_muscle_is_blocked_less_than_lymphoid_tissue() -> None:
    course = patient("H0")
    assert reading(course, "occupancy_muscle", END) < reading(course, "occupancy_lymph", END)


def test_the_signal_at_trough_is_about_a_tenth() -> None:
    course = patient("H0")
    assert 5.0 < reading(course, "signal_lymph", END) < 10.0
    assert 5.0 < reading(course, "signal_muscle", END) < 12.0


def test_own_il1ra_falls_under_treatment_because_il1_drives_part_of_it() -> None:
    course = patient("H0")
    assert 0.4 < reading(course, "R", END) / reading(course, "R", 0) < 0.6


def test_a_larger_dose_leaves_less_signal() -> None:
    left = [reading(patient("H0", dose=dose), "signal_muscle", END) for dose in (10.0, 30.0, 100.0, 300.0)]
    assert left == sorted(left, reverse=True)


def test_much_il1_in_muscle_escapes_the_drug() -> None:
    assert reading(patient("H0", il1_muscle=1.0, f_m=0.1), "signal_muscle", END) > 80.0
