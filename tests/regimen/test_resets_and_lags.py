"""Resets, lags and absorption of order zero: from words to stops to concentrations."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulate.errors import InputError
from simulate.kernels.build import build
from simulate.kernels.kernel import CompiledKernel
from simulate.kernels.system import equations
from simulate.regimen.doses import Dose, Plan, Regimen
from simulate.regimen.stops import compile_schedule, realize
from simulate.regimen.words import parse_regimen
from simulate.solver import Schedule, StopKind, Tolerance, solve
from simulate.symbolic.parts import Route, Species
from simulate.symbolic.units import unit
from tests.helpers.systems import superposed_infusion, with_route

X = Species("x", "amount", unit("mg"))
ROUTES = (Route("sc", "drug", X, unit("mg"), X.symbol**0),)
RESET, BOLUS, RATE = StopKind.RESET, StopKind.BOLUS, StopKind.RATE


def stops(words: str, **options: float) -> list[tuple[float, StopKind, float]]:
    schedule = compile_schedule([parse_regimen(words)], ROUTES, **options)  # type: ignore[arg-type]
    kinds = [StopKind(kind) for kind in schedule.kinds]
    return list(zip(schedule.times.tolist(), kinds, schedule.amounts.tolist(), strict=True))


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("1 mg sc lag 6 h", [(0.25, BOLUS, 1)]),
        ("1 mg sc over 12 h lag 6 h", [(0.25, RATE, 2), (0.75, RATE, -2)]),
        # The timetable is that of giving: a dose given before the end enters after it.
        ("1 mg sc daily until 2 d lag 36 h", [(1.5, BOLUS, 1), (2.5, BOLUS, 1)]),
        ("reset at 2 d", [(2, RESET, 0)]),
        ("1 mg sc at 2 d and reset at 2 d", [(2, RESET, 0), (2, BOLUS, 1)]),
        # What has not entered by the reset never will.
        ("1 mg sc at 1 d lag 1 d and reset at 2 d", [(2, RESET, 0)]),
        ("1 mg sc at 1 d lag 1 d and reset at 1 d", [(1, RESET, 0), (2, BOLUS, 1)]),
        ("1 mg sc at 1 d lag 12 h and reset at 2 d", [(1.5, BOLUS, 1), (2, RESET, 0)]),
        ("4 mg sc over 2 d and reset at 1 d", [(0, RATE, 2), (1, RESET, 0)]),
        ("4 mg sc over 2 d and reset at 2 d", [(0, RATE, 2), (2, RESET, 0)]),
        ("4 mg sc over 2 d and reset at 3 d", [(0, RATE, 2), (2, RATE, -2), (3, RESET, 0)]),
        ("4 mg sc over 2 d from 1 d and reset at 1 d", [(1, RESET, 0), (1, RATE, 2), (3, RATE, -2)]),
        ("4 mg sc over 2 d and reset at 1 d and reset at 3 d", [(0, RATE, 2), (1, RESET, 0), (3, RESET, 0)]),
        ("1 mg sc missing 100 % and reset at 1 d", [(1, RESET, 0)]),
    ],
)
def test_words_come_to_stops(words: str, expected: list[tuple[float, StopKind, float]]) -> None:
    assert stops(words) == expected


def test_a_reset_after_the_horizon_is_left_out() -> None:
    assert stops("1 mg sc daily until 2 d and reset at 2 d", horizon=1.5) == [(0, BOLUS, 1), (1, BOLUS, 1)]


def test_explicit_doses_have_lags_and_resets_too() -> None:
    plan = parse_regimen("1 mg sc daily for 3 d lag 6 h and 4 mg sc over 2 d and reset at 1 d")
    explicit = realize(plan, ROUTES)
    assert explicit == Regimen(
        (
            *(Dose(float(day), "sc", 1.0, lag=0.25) for day in range(3)),
            Dose(0.0, "sc", 4.0, duration=2.0),
        ),
        (1.0,),
    )
    one, other = (compile_schedule([doses], ROUTES) for doses in (plan, explicit))
    assert all(
        getattr(one, name).tobytes() == getattr(other, name).tobytes()
        for name in ("offsets", "times", "kinds", "routes", "amounts")
    )
    assert (explicit + Regimen(resets=(0.5, 1.0))).resets == (0.5, 1.0)


def test_resets_are_a_set_in_order() -> None:
    one, other = parse_regimen("reset at 2 d and reset at 1 d and reset at 2 d"), parse_regimen("reset at 1 d")
    assert one == other + parse_regimen("reset at 2 d")
    assert hash(one) == hash(Plan(resets=one.resets))


@pytest.mark.parametrize("time", [-1.0, np.inf, np.nan])
def test_a_reset_has_a_possible_time(time: float) -> None:
    with pytest.raises(InputError, match="the time of a reset is"):
        Regimen(resets=(time,))


def test_a_lag_has_a_possible_length() -> None:
    with pytest.raises(InputError, match="the lag of a dose is"):
        Dose(0.0, "sc", 1.0, lag=-0.5)


@functools.cache
def one_compartment() -> CompiledKernel:
    return build(with_route(equations({"x": "-k * x"}, [0.0], parameters=["k"])))


doses = st.lists(
    st.tuples(st.floats(0.0, 5.0), st.floats(0.1, 50.0), st.floats(0.1, 3.0), st.floats(0.0, 2.0)),
    min_size=1,
    max_size=4,
)


@settings(max_examples=20, deadline=None)
@given(doses=doses, last_reset=st.floats(0.0, 6.0), k=st.floats(0.2, 3.0))
def test_absorption_of_order_zero_after_a_lag_follows_its_closed_form(
    doses: list[tuple[float, float, float, float]], last_reset: float, k: float
) -> None:
    # The last reset decides: what was given before it is gone after it.
    regimen = Regimen(
        tuple(Dose(time, "sc", amount, duration, lag) for time, amount, duration, lag in doses),
        (last_reset / 2, last_reset),
    )
    schedule: Schedule = compile_schedule([regimen], ROUTES)
    times = last_reset + np.linspace(0.0, 9.0, 19)
    result = solve(one_compartment(), np.array([[k]]), schedule, times, tolerance=Tolerance(1e-11))
    kept = [(time + lag, amount, duration) for time, amount, duration, lag in doses if time >= last_reset]
    np.testing.assert_allclose(result.quantity("x")[0], superposed_infusion(times, kept, k), rtol=1e-8, atol=1e-9)
