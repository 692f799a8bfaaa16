"""Binding over time: one competition, slower."""

from __future__ import annotations

import numpy as np
import pytest

from simulate.biology.binding import BINDING_OVER_TIME
from simulate.biology.receptors import SPARE_A
from simulate.solver import DOPRI5, RODAS5P
from simulate.symbolic.balance import residual
from tests.biology.variants import STEADY_DAY, course, values
from tests.helpers.models import reference_model

OFF = {"k_off_il1": 26.0, "k_off_Ra": 8.6}


def signal(factor: float) -> np.ndarray:
    fast = {name: factor * rate for name, rate in OFF.items()}
    return values(course(BINDING_OVER_TIME, STEADY_DAY, doses=10, method=RODAS5P, **fast), "signal_muscle")


def test_fast_binding_converges_to_equilibrium_in_proportion_to_its_time() -> None:
    equilibrium = values(course(SPARE_A, STEADY_DAY, doses=10, method=RODAS5P), "signal_muscle")
    apart = [float(np.abs(signal(factor) - equilibrium).max()) for factor in (100.0, 1000.0, 10000.0)]
    assert apart[0] < 0.5
    assert apart[0] / apart[1] == pytest.approx(10.0, rel=0.3)
    assert apart[1] / apart[2] == pytest.approx(10.0, rel=0.3)


def test_slow_release_of_il1ra_makes_the_leak_before_the_next_dose_smaller() -> None:
    equilibrium = values(course(SPARE_A, STEADY_DAY, doses=10, method=RODAS5P), "signal_muscle")
    over_time = signal(1.0)
    assert (equilibrium[-1], over_time[-1]) == pytest.approx((9.12, 7.69), abs=0.01)
    assert over_time[1:-1].mean() == pytest.approx(equilibrium[1:-1].mean(), rel=0.02)


def test_binding_is_stiff() -> None:
    steps = {
        method.name: int(course(BINDING_OVER_TIME, [0.0, 10.0], doses=10, method=method).counters[0, 0])
        for method in (DOPRI5, RODAS5P)
    }
    assert steps[DOPRI5.name] > 4 * steps[RODAS5P.name]


def test_il1ra_competes_at_the_receptor_and_does_not_touch_il1() -> None:
    model = reference_model(BINDING_OVER_TIME)
    antagonists, il1 = {"A_c", "R", "b_lymph", "b_muscle"}, {"L_m", "o_lymph", "o_muscle"}
    for reaction in model.reactions:
        changed = {species.name for species in reaction.change}
        assert not (changed & antagonists and changed & il1), reaction.name
    without_loops = course(BINDING_OVER_TIME, [0.0, 5.0, 10.0], doses=10, method=RODAS5P, a_fb=0.0)
    np.testing.assert_allclose(values(without_loops, "L_m"), 0.0097, rtol=1e-9)


def test_receptors_are_free_occupied_or_blocked() -> None:
    treated = course(BINDING_OVER_TIME, STEADY_DAY, doses=10, method=RODAS5P, il1_muscle=1.0)
    occupied, blocked = values(treated, "o_muscle"), values(treated, "b_muscle")
    assert np.all(occupied > 0.0)
    assert np.all(occupied + blocked < 1.0)
    assert blocked.max() > 0.95


def test_binding_is_at_rest_before_treatment() -> None:
    assert set(residual(reference_model(BINDING_OVER_TIME)).values()) == {0}
