"""A tableau refuses to exist with a wrong digit."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import cache
from math import prod

import pytest

from simulate.solver.methods.dop853_table import DENSE, EMBEDDED_3, ERROR_5, A, C
from simulate.solver.methods.dopri5 import TABLEAU

Tree = tuple["Tree", ...]
Weights = Sequence[Fraction]


def test_dormand_prince_evaluates_its_last_stage_at_the_end_of_the_step() -> None:
    assert TABLEAU.stages == 7
    assert TABLEAU.first_same_as_last


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


def elementary(tree: Tree, a: Sequence[Weights]) -> list[Fraction]:
    """Derivative weight of a tree at every stage."""
    values = [Fraction(1)] * len(a)
    for branch in tree:
        inner = elementary(branch, a)
        values = [
            value * sum((weight * x for weight, x in zip(row, inner, strict=False)), Fraction(0))
            for value, row in zip(values, a, strict=True)
        ]
    return values


def defect(weights: Weights, a: Sequence[Weights], order: int, theta: Fraction = Fraction(1)) -> Fraction:
    """Largest violation of the conditions of an order, over its trees, for the solution at a share of the step."""
    sums = (
        (tree, sum(weight * value for weight, value in zip(weights, elementary(tree, a), strict=True)))
        for tree in trees(order)
    )
    return max(abs(total - theta**order / density(tree)) for tree, total in sums)


def row(weights: Mapping[int, float], stages: int = 16) -> list[Fraction]:
    return [Fraction(weights.get(stage, 0.0)) for stage in range(1, stages + 1)]


HIGH = [row(weights) for weights in A]
B = HIGH[12]
ROUNDING = Fraction(1, 10**13)
"""What rounding the coefficients, up to 400 in size, to doubles may leave of a condition."""


def test_there_are_as_many_conditions_as_butcher_counted() -> None:
    assert [len(trees(order)) for order in range(1, 9)] == [1, 1, 2, 4, 9, 20, 48, 115]


def test_dormand_prince_has_the_orders_five_and_four_exactly() -> None:
    a = [[*weights, *[Fraction(0)] * (7 - len(weights))] for weights in TABLEAU.a]
    embedded = [weight - error for weight, error in zip(TABLEAU.b, TABLEAU.b_error, strict=True)]
    assert all(defect(TABLEAU.b, a, order) == 0 for order in range(1, 6))
    assert all(defect(embedded, a, order) == 0 for order in range(1, 5))
    assert defect(TABLEAU.b, a, 6) > Fraction(1, 10**4)
    assert defect(embedded, a, 5) > Fraction(1, 10**4)


def test_every_stage_of_the_high_order_pair_is_at_its_node() -> None:
    for weights, node in zip(HIGH, C, strict=True):
        assert abs(sum(weights) - Fraction(node)) < ROUNDING


@pytest.mark.parametrize("order", range(1, 9))
def test_the_high_order_pair_has_order_eight(order: int) -> None:
    assert defect(B, HIGH, order) < ROUNDING


def test_the_high_order_pair_has_no_higher_order() -> None:
    assert defect(B, HIGH, 9) > Fraction(1, 10**8)


@pytest.mark.parametrize(
    ("weights", "order"),
    [
        ([b - error for b, error in zip(B, row(ERROR_5), strict=True)], 5),
        (row(EMBEDDED_3), 3),
    ],
    ids=["fifth", "third"],
)
def test_the_embedded_solutions_have_their_orders_and_no_higher(weights: Weights, order: int) -> None:
    assert all(defect(weights, HIGH, lower) < ROUNDING for lower in range(1, order + 1))
    assert defect(weights, HIGH, order + 1) > Fraction(1, 10**6)


def interpolant(theta: Fraction) -> list[Fraction]:
    """Weights of the stages in the dense output at a share of the step, from the nested form that is computed."""
    rest = 1 - theta
    first, last = row({1: 1.0}), row({13: 1.0})
    r4, r5, r6, r7 = (row(weights) for weights in DENSE)
    result = []
    for stage in range(16):
        r2 = first[stage] - B[stage]
        r3 = 2 * B[stage] - last[stage] - first[stage]
        highest = r4[stage] + theta * (r5[stage] + rest * (r6[stage] + theta * r7[stage]))
        result.append(theta * (B[stage] + rest * (r2 + theta * (r3 + rest * highest))))
    return result


@pytest.mark.parametrize("theta", [Fraction(1, 5), Fraction(1, 2), Fraction(6, 7)])
def test_the_dense_output_has_order_seven(theta: Fraction) -> None:
    assert all(defect(interpolant(theta), HIGH, order, theta) < ROUNDING for order in range(1, 8))
    assert defect(interpolant(theta), HIGH, 8, theta) > Fraction(1, 10**9)


def test_a_wrong_digit_in_the_high_order_pair_is_found() -> None:
    wrong = [list(weights) for weights in HIGH]
    wrong[8][7] += Fraction(1, 10**9)
    assert max(defect(B, wrong, order) for order in range(1, 9)) > 100 * ROUNDING
