"""Conserved sums, and the steady states that have those of one state, against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from simulate.kernels.conservation import conserved_sums, equilibria_with_sums, never_negative
from simulate.kernels.equilibria import Stability, starts_in_box
from simulate.kernels.system import System, equations
from simulate.kernels.vectorfield import vector_field

# A <-> B beside 2 M <-> D: A + B and M + 2 D never change.
CLOSED = equations(
    {"A": "r*B - f*A", "B": "f*A - r*B", "M": "2*b*D - 2*d*M**2", "D": "d*M**2 - b*D"},
    [8, 0, 9, 3],
    parameters=["f", "r", "d", "b"],
)
RATES = np.array([3.0, 1.0, 2.0, 6.0])
BEGIN = np.array([8.0, 0.0, 9.0, 3.0])
BOX = starts_in_box([0] * 4, [80, 10, 90, 30], 64)


def test_sums_of_a_closed_system_are_those_of_its_stoichiometry() -> None:
    sums, own = conserved_sums(vector_field(CLOSED), RATES, BEGIN)
    assert len(sums) == len(own) == 2
    # The left null space of the stoichiometry is spanned by (1, 1, 0, 0) and (0, 0, 1, 2).
    known = np.array([[1, 1, 0, 0], [0, 0, 1, 2]]) / np.sqrt([[2], [5]])
    assert sums @ known.T @ known == pytest.approx(sums, abs=1e-9)
    assert sums[[0, 1], own].tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    "system",
    [
        # A loss of one part in a million a day is one.
        equations({"A": "B - A", "B": "A - B - B/1000000"}, [1, 1]),
        # At the initial state alone nothing moves.
        equations({"A": "-A*A", "B": "A*A - B"}, [0, 0]),
    ],
)
def test_what_is_lost_is_not_conserved(system: System) -> None:
    sums, own = conserved_sums(vector_field(system), np.empty(0), np.array(system.initial, dtype=float))
    assert (sums.shape, own) == ((0, 2), ())


def test_the_steady_state_has_the_sums_of_the_initial_state() -> None:
    (found,), _ = equilibria_with_sums(CLOSED, RATES, BOX, BEGIN)
    # A = 8 r/(f + r); d M² = b D with M + 2 D = 15: M² + 1.5 M = 22.5.
    monomer = (-1.5 + np.sqrt(1.5**2 + 4 * 22.5)) / 2
    assert found.state == pytest.approx(np.array([2.0, 6.0, monomer, (15 - monomer) / 2]), rel=1e-9)
    # Each reaction relaxes by itself: at f + r, and at 4 d M + b.
    assert found.eigenvalues == pytest.approx(np.array([-4.0, -(8 * monomer + 6.0)]), rel=1e-9)
    assert found.stability is Stability.STABLE


def test_a_state_that_never_changes_is_held() -> None:
    clamped = equations({"x": "s - x", "s": "0"}, [1, 3])
    (found,), sums = equilibria_with_sums(clamped, np.empty(0), starts_in_box([0, 0], [9, 9], 16), np.array([1.0, 3.0]))
    assert (found.state.tolist(), sums.tolist()) == ([3.0, 3.0], [[0.0, 1.0]])
    assert found.eigenvalues == pytest.approx(np.array([-1.0]))


def test_amounts_never_fall_below_zero_and_potentials_may() -> None:
    starts = starts_in_box([0] * 4, [80, 10, 90, 30], 32)
    assert never_negative(vector_field(CLOSED), RATES, starts).tolist() == [True] * 4
    nerve = equations({"v": "v - v**3/3 - w", "w": "(v + 7/10 - 8*w/10)/12"}, [0, 0])
    assert not never_negative(vector_field(nerve), np.empty(0), starts_in_box([0, 0], [3, 3], 32))[0]
