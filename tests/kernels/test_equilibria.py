from __future__ import annotations

import numpy as np
import pytest

from simulate.errors import InputError
from simulate.kernels.equilibria import Equilibrium, Stability, equilibria, equilibria_of_members, starts_in_box
from simulate.kernels.system import System, equations
from simulate.solver.kernel import FloatArray
from simulate.symbolic.symbols import TIME
from tests.helpers.systems import ABSORPTION

# Two genes that repress each other (Gardner, Cantor, Collins 2000), Hill coefficient 2.
TOGGLE = equations({"u": "a/(1 + v**2) - u", "v": "a/(1 + u**2) - v"}, [0, 0], parameters=["a"])
BOX = starts_in_box([0, 0], [5, 5], 64)


def states(found: tuple[Equilibrium, ...]) -> FloatArray:
    return np.array([equilibrium.state for equilibrium in found])


def test_a_strong_toggle_switch_has_its_three_known_states() -> None:
    # u = a/(1 + v²), v = a/(1 + u²): off the diagonal u v = 1 and u + v = a; on it u³ + u = a.
    a = 2.5
    low, high = 0.5, 2.0
    diagonal = float(np.real(next(root for root in np.roots([1, 0, 1, -a]) if abs(root.imag) < 1e-12)))
    found = equilibria(TOGGLE, np.array([a]), BOX)
    assert states(found) == pytest.approx(np.array([[low, high], [diagonal, diagonal], [high, low]]), rel=1e-10)
    assert [equilibrium.stability for equilibrium in found] == [
        Stability.STABLE,
        Stability.UNSTABLE,
        Stability.STABLE,
    ]


def test_the_eigenvalues_are_those_of_the_toggle_switch() -> None:
    # The Jacobian is -1 on the diagonal and -2 a u/(1 + u²)² = -2 u v²/a beside it.
    found = equilibria(TOGGLE, np.array([2.5]), BOX)
    u, v = 0.5, 2.0
    coupling = 2 * np.sqrt(u * v**2 * v * u**2) / 2.5
    assert found[0].eigenvalues == pytest.approx(np.array([-1 + coupling, -1 - coupling]))


def test_a_weak_toggle_switch_has_one_stable_state() -> None:
    found = equilibria(TOGGLE, np.array([1.5]), BOX)
    assert len(found) == 1
    assert found[0].stability is Stability.STABLE
    assert found[0].state[0] == pytest.approx(found[0].state[1])


def test_at_the_pitchfork_stability_is_undecided() -> None:
    found = equilibria(TOGGLE, np.array([2.0]), np.array([[1.0, 1.0]]))
    assert states(found) == pytest.approx(np.array([[1.0, 1.0]]))
    assert found[0].stability is Stability.UNDECIDED


def test_a_focus_and_a_saddle_are_told_apart() -> None:
    pendulum = equations({"x": "y", "y": "x - x**3 - y/10"}, [0, 0])
    found = equilibria(pendulum, np.empty(0), starts_in_box([-2, -2], [2, 2], 32))
    assert states(found) == pytest.approx(np.array([[-1, 0], [0, 0], [1, 0]]), abs=1e-10)
    assert [equilibrium.stability for equilibrium in found] == [
        Stability.STABLE,
        Stability.UNSTABLE,
        Stability.STABLE,
    ]
    assert found[0].eigenvalues[0].imag != 0


def test_members_found_together_have_the_bits_of_members_found_alone() -> None:
    feeds = np.array([[2.5], [1.5], [2.0], [3.7]])
    together = equilibria_of_members(TOGGLE, feeds, BOX)
    assert [len(found) for found in together] == [3, 1, len(together[2]), 3]
    for found, feed in zip(together, feeds, strict=True):
        alone = equilibria(TOGGLE, feed, BOX)
        assert np.array_equal(states(found), states(alone))
        for one, other in zip(found, alone, strict=True):
            assert np.array_equal(one.eigenvalues, other.eigenvalues)


def test_a_route_that_is_fed_moves_the_steady_state() -> None:
    (found,) = equilibria(ABSORPTION, np.array([2.0, 0.5]), np.ones((1, 2)), fed={"in": 3.0})
    assert found.state == pytest.approx(np.array([3.0 / 2.0, 3.0 / 0.5]))
    assert found.stability is Stability.STABLE


def test_a_step_that_leaves_the_domain_is_shortened() -> None:
    # The full Newton step from x = 8 ends at -8.6, where there is no logarithm.
    (found,) = equilibria(equations({"x": "-log(x)"}, [1]), np.empty(0), np.array([[8.0]]))
    assert found.state == pytest.approx(np.ones(1))


def test_what_is_no_root_is_not_reported() -> None:
    # The root finder ends at the minimum of a parabola that has no root.
    assert equilibria(equations({"x": "x**2 + 1"}, [0]), np.empty(0), starts_in_box([-3], [3], 16)) == ()


def test_a_start_outside_the_domain_is_given_up() -> None:
    square_root = equations({"x": "1 - sqrt(x)"}, [1])
    found = equilibria(square_root, np.empty(0), np.array([[-1.0], [2.0]]))
    assert states(found) == pytest.approx(np.array([[1.0]]))


def test_rates_of_any_size_are_zero_only_at_roots() -> None:
    slow = equations({"x": "k*(1 - x)*(2 - x)"}, [0], parameters=["k"])
    for k in (1e-9, 1e9):
        found = equilibria(slow, np.array([k]), starts_in_box([0], [3], 16))
        assert states(found) == pytest.approx(np.array([[1.0], [2.0]]))


def test_starts_fill_the_box_and_are_always_the_same() -> None:
    points = starts_in_box([0, -1], [1, 3], 50)
    assert points.shape == (50, 2)
    assert np.array_equal(points, starts_in_box([0, -1], [1, 3], 50))
    assert points.min(axis=0) == pytest.approx([0, -1], abs=0.2)
    assert points.max(axis=0) == pytest.approx([1, 3], abs=0.2)


@pytest.mark.parametrize(
    ("system", "parameters", "starts", "message"),
    [
        (
            equations({"x": TIME}, [0]),
            np.empty(0),
            np.zeros((1, 1)),
            "a system that depends on time has no steady states",
        ),
        (TOGGLE, np.empty(0), np.zeros((1, 2)), "the values do not fit the parameters of the system"),
        (TOGGLE, np.ones(1), np.zeros((1, 3)), "the starts do not fit the states of the system"),
    ],
)
def test_what_does_not_fit_is_refused(system: System, parameters: FloatArray, starts: FloatArray, message: str) -> None:
    with pytest.raises(InputError) as caught:
        equilibria(system, parameters, starts)
    assert caught.value.what == message
