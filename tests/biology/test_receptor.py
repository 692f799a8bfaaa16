from __future__ import annotations

import numpy as np
import pytest
from sympy import simplify, symbols

from simulate.biology.binding import BINDING_OVER_TIME
from simulate.biology.occupancy import bound
from simulate.biology.receptors import SPARE_B
from simulate.biology.reference import parameter_table
from simulate.biology.sites import TWO_SITES
from simulate.solver import RODAS5P
from simulate.symbolic.hypothesis import NONE, Hypothesis
from tests.biology.typical import END, patient, reading
from tests.biology.variants import STEADY_DAY, course, values

SECONDS = 1e4
"""Factor on the off-rates by which binding takes seconds instead of hours."""


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


def held(il1ra: np.ndarray, il1: np.ndarray | float) -> np.ndarray:
    """Percentage of receptors that hold IL-1Ra; both ligands over their dissociation constants."""
    return 100 * il1ra / (1 + il1ra + il1)


@pytest.mark.parametrize(
    ("hypothesis", "tightness"),
    [(NONE, 1.0), (SPARE_B, 60.0), (SPARE_B + TWO_SITES, 60.0)],
    ids=lambda value: value.name if isinstance(value, Hypothesis) else "",
)
def test_readouts_of_occupancy_follow_the_receptor_of_the_model(hypothesis: Hypothesis, tightness: float) -> None:
    """Under B the same IL-1 holds sixty times as much against IL-1Ra, which shows where IL-1 is high."""
    table = {name: row.value for name, row in parameter_table().items()}
    treated = course(hypothesis, STEADY_DAY, doses=10, il1_muscle=1.0)
    plasma, own = values(treated, "A_c") / table["V"], values(treated, "R")
    in_muscle = values(treated, "C_m") if "C_m" in treated.quantities else table["f_m"] * plasma
    il1_lymph = values(treated, "L_l") if "L_l" in treated.quantities else table["il1_lymph"]
    np.testing.assert_allclose(
        values(treated, "occupancy_lymph"), held((plasma + own) / table["K_Ra"], tightness * il1_lymph), rtol=1e-9
    )
    np.testing.assert_allclose(
        values(treated, "occupancy_muscle"),
        held((in_muscle + own) / table["K_Ra"], tightness * values(treated, "L_m")),
        rtol=1e-9,
    )


def test_readouts_of_occupancy_are_the_states_where_binding_takes_time() -> None:
    over_time = course(BINDING_OVER_TIME, STEADY_DAY, doses=10, method=RODAS5P)
    for place in ("lymph", "muscle"):
        np.testing.assert_array_equal(values(over_time, f"occupancy_{place}"), 100 * values(over_time, f"b_{place}"))
    at_once = course(NONE, STEADY_DAY, doses=10, method=RODAS5P)
    assert values(over_time, "occupancy_lymph")[-1] > values(at_once, "occupancy_lymph")[-1] + 0.05


def test_options_of_the_receptor_act_together_as_each_does_alone() -> None:
    """Tight receptors with fast binding are tight receptors at equilibrium."""
    fast = course(
        SPARE_B + BINDING_OVER_TIME,
        STEADY_DAY,
        doses=10,
        method=RODAS5P,
        k_off_il1=26 * SECONDS,
        k_off_Ra=8.6 * SECONDS,
    )
    at_once = course(SPARE_B, STEADY_DAY, doses=10, method=RODAS5P)
    for quantity in ("signal_muscle", "occupancy_muscle", "occupancy_lymph"):
        np.testing.assert_allclose(values(fast, quantity), values(at_once, quantity), rtol=2e-3)
