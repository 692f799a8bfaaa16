"""A tableau refuses to exist with a wrong digit."""

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from functools import cache
from math import prod
from typing import Any

import numpy as np
import pytest

from simulate.solver.methods.dop853_table import DENSE, EMBEDDED_3, ERROR_5, A, C
from simulate.solver.methods.dopri5 import TABLEAU

Tree = tuple["Tree", ...]


def test_dormand_prince_evaluates_its_last_stage_at_the_end_of_the_step() -> None:
    assert TABLEAU.stages == 7
    assert (TABLEAU.c[-1], TABLEAU.a[-1], TABLEAU.b[-1]) == (1, TABLEAU.b[:-1], 0)


def test_a_wrong_digit_in_a_stage_is_found() -> None:
    rows = [list(row) for row in TABLEAU.a]
    rows[4][1] += Fraction(1, 10**6)
    with pytest.raises(ValueError, match=r"stage 4: 4 weights with sum 8000009/9000000, node 8/9"):
        replace(TABLEAU, a=tuple(tuple(row) for row in rows))


def test_weights_that_do_not_sum_to_one_are_found() -> None:
    with pytest.raises(ValueError, match="weights sum to 2, error weights to 0"):
        replace(TABLEAU, b=(*TABLEAU.b[:-1], Fraction(1)))


@cache
def trees(order: int) -> tuple[Tree, ...]:
    """Rooted trees with so many nodes, each a sorted tuple of the trees at its root (Butcher 1963)."""
    if order == 1:
        return ((),)
    found = {
        tuple(sorted((*tree, branch)))
        for size in range(1, order)
        for tree in trees(order - size)
        for branch in trees(size)
    }
    return tuple(sorted(found))


def nodes(tree: Tree) -> int:
    return 1 + sum(nodes(branch) for branch in tree)


def density(tree: Tree) -> int:
    return nodes(tree) * prod(density(branch) for branch in tree)


def elementary(tree: Tree, a: Any) -> Any:
    """Derivative weight of a tree at every stage, in the numbers of the table: fractions or long doubles."""
    result = a[0] * 0 + 1
    for branch in tree:
        result = result * (a @ elementary(branch, a))
    return result


def defect(weights: Any, a: Any, order: int, theta: Any = Fraction(1)) -> Any:
    """Largest violation of the conditions of an order, over its trees, for the solution at a share of the step."""
    return max(abs(weights @ elementary(tree, a) - theta**order / density(tree)) for tree in trees(order))


def row(weights: Mapping[int, float]) -> Any:
    return np.array([weights.get(stage, 0.0) for stage in range(1, 17)], dtype=np.longdouble)


HIGH = np.array([row(weights) for weights in A])
B = HIGH[12]
ONE = np.longdouble(1)
ROUNDING = 1e-13
"""What rounding the coefficients, up to 400 in size, to doubles may leave of a condition."""


def test_there_are_as_many_conditions_as_butcher_counted() -> None:
    assert [len(trees(order)) for order in range(1, 9)] == [1, 1, 2, 4, 9, 20, 48, 115]


def test_dormand_prince_has_the_orders_five_and_four_exactly() -> None:
    a = np.array([[*weights, *[Fraction(0)] * (7 - len(weights))] for weights in TABLEAU.a], dtype=object)
    b = np.array(TABLEAU.b, dtype=object)
    embedded = b - np.array(TABLEAU.b_error, dtype=object)
    assert all(defect(b, a, order) == 0 for order in range(1, 6))
    assert all(defect(embedded, a, order) == 0 for order in range(1, 5))
    assert defect(b, a, 6) > 1e-4
    assert defect(embedded, a, 5) > 1e-4


def test_every_stage_of_the_high_order_pair_is_at_its_node() -> None:
    assert HIGH.sum(axis=1).astype(float) == pytest.approx(np.array(C), abs=ROUNDING)


@pytest.mark.parametrize("order", range(1, 9))
def test_the_high_order_pair_has_order_eight(order: int) -> None:
    assert defect(B, HIGH, order, ONE) < ROUNDING


def test_the_high_order_pair_has_no_higher_order() -> None:
    assert defect(B, HIGH, 9, ONE) > 1e-7


@pytest.mark.parametrize(("weights", "order"), [(B - row(ERROR_5), 5), (row(EMBEDDED_3), 3)], ids=["fifth", "third"])
def test_the_embedded_solutions_have_their_orders_and_no_higher(weights: Any, order: int) -> None:
    assert all(defect(weights, HIGH, lower, ONE) < ROUNDING for lower in range(1, order + 1))
    assert defect(weights, HIGH, order + 1, ONE) > 1e-6


def interpolant(theta: Any) -> Any:
    """Weights of the stages in the dense output at a share of the step, from the nested form that is computed."""
    rest = 1 - theta
    first, last = row({1: 1.0}), row({13: 1.0})
    r4, r5, r6, r7 = (row(weights) for weights in DENSE)
    highest = r4 + theta * (r5 + rest * (r6 + theta * r7))
    return theta * (B + rest * (first - B + theta * (2 * B - last - first + rest * highest)))


@pytest.mark.parametrize("theta", np.array([1, 3, 7], dtype=np.longdouble) / 8)
def test_the_dense_output_has_order_seven(theta: Any) -> None:
    assert all(defect(interpolant(theta), HIGH, order, theta) < ROUNDING for order in range(1, 8))
    assert defect(interpolant(theta), HIGH, 8, theta) > 1e-9


def test_a_wrong_digit_in_the_high_order_pair_is_found() -> None:
    wrong = HIGH.copy()
    wrong[8, 7] += 1e-9
    assert max(defect(B, wrong, order, ONE) for order in range(1, 9)) > 100 * ROUNDING
