"""The race of stiff models: how errors are told and tolerances found, and that peers are given the same equations."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.peers.sundae import Sundae, source
from benchmarks.reduced import equations as reduced_equations
from benchmarks.reduced import module_of
from benchmarks.stiff import ACCURACY, LADDER, errors, loosest
from simulate.kernels.system import equations

SYSTEM = equations({"x": "k*(y*y - x) - t*x", "y": "-x*y + exp(-y)"}, ["0.5", "k"], parameters=["k"])
ROWS = np.array([[2.0], [300.0]])


def test_the_loosest_tolerance_that_is_accurate_enough_is_found() -> None:
    assert loosest(lambda rtol: 20.0 * rtol) == (LADDER[14], 20.0 * LADDER[14])
    assert 20.0 * LADDER[13] > ACCURACY
    assert loosest(lambda rtol: 1e-9) == (LADDER[0], 1e-9)


def test_where_no_tolerance_is_accurate_enough_the_tightest_is_told_with_its_error() -> None:
    assert loosest(lambda rtol: 1.0) == (LADDER[-1], 1.0)


def test_an_error_is_a_share_of_the_largest_value_of_its_output() -> None:
    reference = np.array([[[1.0, 100.0], [4.0, 50.0]], [[1.0, 0.0], [1.0, 0.0]]])
    found = reference + np.array([[[0.0, 2.0], [0.4, 0.0]], [[0.0, 1e-9], [0.0, 0.0]]])
    np.testing.assert_allclose(errors(found, reference), [0.1, 1e-3])


def test_a_course_that_is_not_there_is_infinitely_wrong() -> None:
    reference = np.ones((2, 3, 1))
    found = reference.copy()
    found[1, 2, 0] = np.nan
    np.testing.assert_array_equal(errors(found, reference), [0.0, np.inf])


def test_the_right_hand_side_and_jacobian_of_a_peer_are_those_of_the_model() -> None:
    given, _ = reduced_equations(SYSTEM, ROWS)
    module, rates, matrix = module_of(source(given)), np.empty(2), np.empty((2, 2))
    t, k, (x, y) = 0.3, 300.0, (0.7, 1.2)
    module.rhs(t, np.array([x, y]), rates, given.values[1])
    module.jacobian(t, np.array([x, y]), matrix, given.values[1])
    np.testing.assert_allclose(rates, [k * (y * y - x) - t * x, -x * y + np.exp(-y)], rtol=1e-14)
    np.testing.assert_allclose(matrix, [[-k - t, 2.0 * k * y], [-y, -x - np.exp(-y)]], rtol=1e-14)


def test_a_peer_solves_each_patient_with_its_own_parameters() -> None:
    pytest.importorskip("sksundae")
    system = equations({"x": "-k*x"}, ["1"], parameters=["k"])
    times = np.linspace(0.0, 1.0, 5)
    found = Sundae(system, ROWS, np.ones(1)).solve(times, 1e-9, 1e-12)
    np.testing.assert_allclose(found[:, :, 0], np.exp(-ROWS * times), atol=1e-7)
