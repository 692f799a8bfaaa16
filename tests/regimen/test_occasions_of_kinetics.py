"""Kinetics that differ between occasions: the stops that change them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
import pytest
from sympy import Integer

from simulate.errors import InputError
from simulate.regimen.occasions import Occasions, factors_on_occasions, parameters_on_occasions, with_occasions
from simulate.solver.problem import Schedule, StopKind
from simulate.symbolic.parts import Route, Species
from simulate.symbolic.units import DIMENSIONLESS, unit

X = Species("x", "amount", unit("mg"))
K = Species("k", "factor", DIMENSIONLESS, initial=1)
ROUTES = (
    Route("sc", "drug", X, unit("mg"), Integer(1)),
    Route("occasion_CL", "change", K, DIMENSIONLESS, Integer(1)),
    Route("occasion_k_a", "change", K, DIMENSIONLESS, Integer(1)),
)
Stop = tuple[float, StopKind, int, float]
BOTH = Occasions((("CL", 0.3), ("k_a", 0.2)))


def stops(
    rows: Sequence[Sequence[Stop]], occasions: Occasions, members: Sequence[int], horizon: float = 5.0, seed: int = 3
) -> list[list[Stop]]:
    found = with_occasions(Schedule.from_rows(rows), ROUTES, occasions, members=members, seed=seed, horizon=horizon)
    table = list(
        zip(
            found.times.tolist(), map(StopKind, found.kinds), found.routes.tolist(), found.amounts.tolist(), strict=True
        )
    )
    return [table[first:last] for first, last in itertools.pairwise(found.offsets.tolist())]


def course(row: Sequence[Stop], route: int, times: Sequence[float]) -> list[float]:
    """The factor just after each time, by adding up what the stops add."""
    values = []
    for time in times:
        value = 1.0
        for at, kind, target, amount in row:
            if at <= time and kind == StopKind.RESET:
                value = 1.0
            elif at <= time and target == route:
                value += amount
        values.append(value)
    return values


def test_a_factor_goes_from_one_occasions_value_to_the_next() -> None:
    (row,) = stops([[(0.0, StopKind.BOLUS, 0, 100.0), (2.5, StopKind.BOLUS, 0, 50.0)]], BOTH, [7])
    for route, name in ((1, "CL"), (2, "k_a")):
        wanted = factors_on_occasions(BOTH, name, 3, np.array([7]), 5)[0]
        assert course(row, route, [0.0, 1.0, 2.0, 2.9, 3.0, 4.5]) == pytest.approx(
            wanted[[0, 1, 2, 2, 3, 4]].tolist(), rel=1e-14
        )
    assert [stop for stop in row if stop[2] == 0] == [(0.0, StopKind.BOLUS, 0, 100.0), (2.5, StopKind.BOLUS, 0, 50.0)]


def test_stops_stay_in_order_of_time_with_resets_first() -> None:
    (row,) = stops([[(2.0, StopKind.RESET, 0, 0.0), (2.0, StopKind.BOLUS, 0, 9.0)]], BOTH, [1])
    assert [(time, kind) for time, kind, *_ in row] == sorted((time, kind) for time, kind, *_ in row)
    assert next(stop for stop in row if stop[0] == 2.0)[1] == StopKind.RESET


@pytest.mark.parametrize("reset", [2.0, 2.5])
def test_a_reset_returns_to_the_factor_of_the_occasion_it_falls_into(reset: float) -> None:
    plain, begun = stops([[], [(reset, StopKind.RESET, 0, 0.0)]], BOTH, [4, 4])
    times = [0.0, 1.5, 2.5, 3.0, 4.2]
    assert course(begun, 1, times) == pytest.approx(course(plain, 1, times), rel=1e-14)


def test_a_member_has_the_same_occasions_in_any_cohort_and_under_any_horizon() -> None:
    together = stops([[]] * 20, BOTH, list(range(20)))
    assert stops([[], []], BOTH, [13, 2]) == [together[13], together[2]]
    longer = stops([[]], BOTH, [13], horizon=9.0)
    assert longer[0][: len(together[13])] == together[13]
    assert stops([[]], BOTH, [13], seed=4) != [together[13]]


def test_factors_are_log_normal_with_the_spread_between_occasions() -> None:
    logs = np.log(factors_on_occasions(BOTH, "CL", 1, np.arange(400), 25))
    assert abs(logs.mean()) < 4 * 0.3 / math.sqrt(logs.size)
    assert logs.std() == pytest.approx(0.3, abs=4 * 0.3 / math.sqrt(2 * logs.size))
    other = np.log(factors_on_occasions(BOTH, "k_a", 1, np.arange(400), 25))
    assert abs(np.corrcoef(logs.ravel(), other.ravel())[0, 1]) < 4 / math.sqrt(logs.size)


def test_occasions_are_as_long_as_asked() -> None:
    (row,) = stops([[]], Occasions((("CL", 0.3),), length=2.5), [0], horizon=10.0)
    assert [time for time, *_ in row] == [0.0, 2.5, 5.0, 7.5, 10.0]


def test_no_spread_adds_no_stop() -> None:
    assert stops([[]], Occasions((("CL", 0.0),)), [0]) == [[]]


def test_a_model_tells_what_may_change() -> None:
    assert parameters_on_occasions(ROUTES) == ("CL", "k_a")


@pytest.mark.parametrize(
    ("occasions", "message"),
    [
        (
            Occasions((("Cl", 0.3),)),
            "error[regimen.occasions]: the model does not let `Cl` change between occasions\n"
            "  expected: `CL`, `k_a`\n"
            "  try:      did you mean `CL`?",
        ),
        (
            Occasions((("CL", 0.3),), length=1e-4),
            "error[regimen.occasions]: there would be 50001 occasions\n"
            "  found:    occasions of 0.0001 d up to day 5\n"
            "  expected: at most 10000\n"
            "  try:      longer occasions",
        ),
    ],
)
def test_what_cannot_be_is_refused(occasions: Occasions, message: str) -> None:
    with pytest.raises(InputError) as caught:
        stops([[]], occasions, [0])
    assert str(caught.value) == message


def test_impossible_occasions_are_refused() -> None:
    with pytest.raises(InputError, match="the spread of `CL` between occasions is -1") as caught:
        Occasions((("CL", -1.0),))
    assert caught.value.expected == "a finite number, not negative"
    with pytest.raises(InputError, match=r"an occasion of 0\.0 days has no length"):
        Occasions((("CL", 0.1),), length=0.0)
    with pytest.raises(InputError, match="`V` does not differ between occasions"):
        factors_on_occasions(BOTH, "V", 1, np.array([0]), 1)
