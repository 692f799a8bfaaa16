from __future__ import annotations

from itertools import groupby

import numpy as np
import pytest

from simulate.errors import InputError
from simulate.kernels.build import build
from simulate.kernels.continuation import Branch, End, Turn, branches
from simulate.kernels.equilibria import Stability, equilibria, starts_in_box
from simulate.kernels.system import System, equations, lower
from simulate.kernels.vectorfield import initial_states
from simulate.solver import Schedule, StopKind, Tolerance, solve
from simulate.solver.kernel import FloatArray
from tests.helpers.models import reference_model
from tests.helpers.systems import ABSORPTION, in_units

SADDLE_NODE = equations({"x": "r + x**2"}, [0], parameters=["r"])
PITCHFORK = equations({"x": "r*x - x**3"}, [0], parameters=["r"])
IMPERFECT = equations({"x": "h + r*x - x**3"}, [0], parameters=["h", "r"])
# Schlögl's second model (1972): A + 2X ⇌ 3X, X ⇌ B, with all constants but the feed fixed.
SCHLOEGL = equations({"x": "a - k*x + 3*x**2 - x**3"}, [0], parameters=["a", "k"])
CIRCLE = equations({"x": "1 - x**2 - r**2"}, [0], parameters=["r"])
TOGGLE = equations({"u": "a/(1 + v**2) - u", "v": "a/(1 + u**2) - v"}, [0, 0], parameters=["a"])
ONE = np.ones(1)


def followed(system: System, parameters: list[float], start: list[float], axis: str, low: float, high: float) -> Branch:
    (branch,) = branches(
        system, np.array(parameters), np.array([start]), axis, (low, high), scale=np.ones(len(system.states))
    )
    return branch


def runs(branch: Branch) -> list[Stability]:
    """Stability along the branch, each stretch once; what is undecided on the way is left out."""
    return [kind for kind, _ in groupby(kind for kind in branch.stability if kind is not Stability.UNDECIDED)]


def test_the_fold_of_a_saddle_node_is_where_both_states_meet() -> None:
    branch = followed(SADDLE_NODE, [-1.0], [-1.0], "r", -4, 4)
    (fold,) = branch.turns
    assert fold.kind is Turn.FOLD
    assert (fold.value, fold.state[0]) == pytest.approx((0, 0), abs=1e-12)
    assert branch.values == pytest.approx(-(branch.states[:, 0] ** 2), abs=1e-12)
    assert sorted(branch.states[[0, -1], 0]) == pytest.approx([-2, 2], rel=1e-12)
    assert branch.ends == (End.BOUND, End.BOUND)
    assert set(runs(branch)) == {Stability.STABLE, Stability.UNSTABLE}
    assert len(runs(branch)) == 2


def test_a_branch_may_begin_right_at_its_fold() -> None:
    branch = followed(SADDLE_NODE, [0.0], [0.0], "r", -4, 4)
    (fold,) = branch.turns
    assert (fold.value, fold.state[0]) == pytest.approx((0, 0), abs=1e-12)
    assert branch.values[[0, -1]] == pytest.approx([-4, -4])


@pytest.mark.parametrize("k", [2.0, 2.5, 2.9])
def test_schloegls_hysteresis_has_the_folds_of_its_cubic(k: float) -> None:
    branch = followed(SCHLOEGL, [0.0, k], [0.0], "a", -2, 4)
    # a = k x - 3 x² + x³ turns where its derivative is zero.
    states = 1 - np.array([1, -1]) * np.sqrt(1 - k / 3)
    assert [fold.kind for fold in branch.turns] == [Turn.FOLD, Turn.FOLD]
    assert [fold.state[0] for fold in branch.folds] == pytest.approx(states, abs=1e-10)
    assert [fold.value for fold in branch.folds] == pytest.approx(k * states - 3 * states**2 + states**3, abs=1e-13)
    assert runs(branch) == [Stability.STABLE, Stability.UNSTABLE, Stability.STABLE]


def test_without_hysteresis_there_is_no_fold() -> None:
    branch = followed(SCHLOEGL, [0.0, 3.1], [0.0], "a", -2, 4)
    assert branch.turns == ()
    assert runs(branch) == [Stability.STABLE]
    assert np.all(np.diff(branch.values) > 0)


def test_a_pitchfork_is_a_crossing_and_not_a_fold() -> None:
    for start in (-1.0, 0.0, 1.0):
        branch = followed(PITCHFORK, [1.0], [start], "r", -2, 2)
        (turn,) = branch.turns
        assert turn.kind is Turn.CROSSING
        assert (turn.value, turn.state[0]) == pytest.approx((0, 0), abs=1e-8)
        assert branch.folds == ()
    assert runs(followed(PITCHFORK, [1.0], [0.0], "r", -2, 2)) == [Stability.STABLE, Stability.UNSTABLE]
    assert runs(followed(PITCHFORK, [1.0], [1.0], "r", -2, 2)) == [Stability.STABLE]


def test_a_disturbed_pitchfork_has_a_fold_where_its_discriminant_vanishes() -> None:
    h = 0.1
    (branch,) = (
        followed(IMPERFECT, [h, 2.0], [float(state.state[0])], "r", -2, 2)
        for state in equilibria(IMPERFECT, np.array([h, 2.0]), starts_in_box([-2], [2], 32))
        if state.stability is Stability.STABLE and state.state[0] < 0
    )
    (fold,) = branch.turns
    assert fold.kind is Turn.FOLD
    assert fold.value == pytest.approx(3 * (h / 2) ** (2 / 3), rel=1e-12)


def test_a_closed_branch_is_followed_once_around() -> None:
    branch = followed(CIRCLE, [0.0], [1.0], "r", -2, 2)
    assert branch.ends == (End.CLOSED, End.CLOSED)
    assert branch.values**2 + branch.states[:, 0] ** 2 == pytest.approx(np.ones(len(branch.values)))
    assert sorted(fold.value for fold in branch.folds) == pytest.approx([-1, 1], abs=1e-12)
    assert (branch.values[0], branch.states[0, 0]) == (branch.values[-1], branch.states[-1, 0])


def test_the_toggle_switch_forks_where_its_feed_is_two() -> None:
    branch = followed(TOGGLE, [1.0], [0.7, 0.7], "a", 0.5, 5)
    (turn,) = branch.turns
    assert turn.kind is Turn.CROSSING
    assert (turn.value, *turn.state) == pytest.approx((2, 1, 1), abs=1e-8)
    states = branch.states[:, 0]
    assert states == pytest.approx(branch.states[:, 1], abs=1e-10)
    assert branch.values == pytest.approx(states + states**3, abs=1e-10)


def test_points_do_not_depend_on_other_branches_of_the_call() -> None:
    starts, feeds = np.array([[0.0], [2.0], [1.2]]), np.array([[0.0, 2.5], [2.0, 2.9], [0.5, 2.5]])
    together = branches(SCHLOEGL, feeds, starts, "a", (-2, 4), scale=ONE)
    for branch, start, feed in zip(together, starts, feeds, strict=True):
        (alone,) = branches(SCHLOEGL, feed, start[None], "a", (-2, 4), scale=ONE)
        assert np.array_equal(branch.values, alone.values)
        assert np.array_equal(branch.states, alone.states)
        assert [turn.value for turn in branch.turns] == [turn.value for turn in alone.turns]


def test_the_unit_of_a_state_does_not_move_a_fold() -> None:
    # The same kinetics with x counted in units of 1e-9.
    tiny = equations({"x": "(a - k*(1e9*x) + 3*(1e9*x)**2 - (1e9*x)**3)/1e9"}, [0], parameters=["a", "k"])
    (small,) = branches(tiny, np.array([0.0, 2.5]), np.array([[0.0]]), "a", (-2, 4), scale=np.array([1e-9]))
    plain = followed(SCHLOEGL, [0.0, 2.5], [0.0], "a", -2, 4)
    assert [fold.value for fold in small.folds] == pytest.approx([fold.value for fold in plain.folds], rel=1e-12)


def test_a_dose_can_be_varied_as_the_rate_at_which_a_route_is_fed() -> None:
    # Depot and blood of the Bateman function in balance: rate = ka * depot = ke * blood.
    parameters = np.array([2.0, 0.5])
    (branch,) = branches(ABSORPTION, parameters, np.zeros((1, 2)), ABSORPTION.routes[0], (0, 10))
    assert branch.values[[0, -1]] == pytest.approx([0, 10])
    assert branch.states[:, 0] == pytest.approx(branch.values / 2.0, abs=1e-12)
    assert branch.states[:, 1] == pytest.approx(branch.values / 0.5, abs=1e-12)
    assert branch.turns == ()


def test_a_branch_ends_where_its_rates_do() -> None:
    # x = r² exists as a root for r ≥ 0 only.
    branch = followed(equations({"x": "r - sqrt(x)"}, [1], parameters=["r"]), [1.0], [1.0], "r", -1, 2)
    assert set(branch.ends) == {End.BOUND, End.LOST}
    assert branch.values.min() >= 0
    assert branch.states[:, 0] == pytest.approx(branch.values**2)


def test_the_limit_of_steps_is_told() -> None:
    (branch,) = branches(SADDLE_NODE, np.array([-1.0]), np.array([[-1.0]]), "r", (-4, 4), max_steps=3)
    assert branch.ends == (End.STEPS, End.STEPS)
    assert len(branch.values) <= 7


@pytest.mark.parametrize(
    ("axis", "start", "bounds", "message"),
    [
        (
            "rr",
            -1.0,
            (-4, 4),
            "error[equilibria.axis]: the system has no parameter or route `rr`\n  try:      did you mean `r`?",
        ),
        (
            "r",
            -1.0,
            (0, 4),
            "error[continuation.bounds]: the bounds of `r` do not ascend around the value to begin at\n"
            "  found:    0 to 4, beginning at -1",
        ),
        (
            "r",
            float("nan"),
            (-4, 4),
            "error[continuation.start]: start 0 leads to no steady state\n"
            "  found:    x = nan\n"
            "  try:      begin at a state that `equilibria` returns",
        ),
    ],
)
def test_what_cannot_be_followed_is_refused(axis: str, start: float, bounds: tuple[float, float], message: str) -> None:
    with pytest.raises(InputError) as caught:
        branches(SADDLE_NODE, np.array([-1.0]), np.array([[start]]), axis, bounds, scale=ONE)
    assert str(caught.value) == message


def test_an_unknown_route_is_refused_by_name() -> None:
    values: FloatArray = np.array([2.0, 0.5])
    with pytest.raises(InputError) as caught:
        equilibria(ABSORPTION, values, np.zeros((1, 2)), fed={"vein": 1.0})
    assert str(caught.value) == "error[equilibria.axis]: the system has no route `vein`\n  try:      did you mean `in`?"


def test_what_is_observed_goes_along_the_branch_and_stands_at_its_fold() -> None:
    system = equations({"x": "r + x**2"}, [0.0], parameters=["r"], observables={"y": "3 * x + 2 * r", "late": "x * t"})
    (branch,) = branches(system, np.array([-1.0]), np.array([[-1.0]]), "r", (-2, 1), scale=ONE)
    assert branch.quantity("y") == pytest.approx(3.0 * branch.states[:, 0] + 2.0 * branch.values, abs=1e-14)
    assert branch.folds[0].observed[0] == pytest.approx(0.0, abs=1e-5)
    assert np.isnan(branch.quantity("late")).all()


def test_occupancy_stands_along_a_branch_of_doses() -> None:
    model = reference_model()
    values = np.array([[part.value for part in model.parameters]])
    system = lower(model)
    (branch,) = branches(system, values, initial_states(system, values), "sc", (0, 50))
    infused = Schedule.from_rows([[(0.0, StopKind.RATE, 0, 50.0)]])
    true = solve(build(system), values, infused, np.array([0.0, 4000.0]), tolerance=Tolerance(1e-10))
    for name in ("occupancy_lymph", "occupancy_muscle"):
        occupancy = branch.quantity(name)
        assert branch.values[[0, -1]].tolist() == [0.0, 50.0]
        assert occupancy[-1] == pytest.approx(true.quantity(name)[0, -1], rel=1e-7)
        assert np.all(np.diff(occupancy) >= 0.0)
        assert occupancy[-1] > 1.5 * occupancy[0]


@pytest.mark.parametrize("size", [1e-12, 1.0, 1e12])
def test_a_branch_that_begins_at_nothing_goes_as_far_in_any_unit(size: float) -> None:
    # Fed at a rate r, depot and central hold r/ka and r/ke; what rounding has left of nothing is no scale.
    system = in_units(ABSORPTION)
    parameters = np.array([4.0, 0.5, size, size])
    (route,) = ABSORPTION.routes
    for start in (0.0, -9e-32):
        (branch,) = branches(system, parameters, np.full((1, 2), start), route, (0.0, 100.0))
        assert branch.ends == (End.BOUND, End.BOUND)
        assert branch.values[[0, -1]] == pytest.approx([0.0, 100.0])
        assert branch.states[-1] * size == pytest.approx([100.0 / 4.0, 100.0 / 0.5])


def test_what_rounding_leaves_of_a_start_is_nothing() -> None:
    (found,) = equilibria(ABSORPTION, np.array([0.3, 0.7]), np.array([[17.3, 911.1]]))
    assert found.state.tolist() == [0.0, 0.0]
