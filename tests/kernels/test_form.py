"""The form: each operation once, nothing that nobody needs, and products that are part of sums."""

from __future__ import annotations

import pytest

from simulate.kernels.form import Body, Draft, OfStage, fused, is_arithmetic, reads
from simulate.kernels.print_text import PYTHON, statements


def of_sum(*, shared: bool) -> Body:
    """x·y + z, and x·y where it is ``shared``."""
    draft = Draft()
    x, y, z = (draft.add("read", 8 * row) for row in range(3))
    product = draft.add("times", x, y)
    total = draft.add("plus", product, z)
    return draft.body([(24, total), (32, product)] if shared else [(24, total)])


def test_an_operation_is_there_once_and_only_where_it_is_needed() -> None:
    draft = Draft()
    x = draft.add("read", 0)
    assert draft.add("exp", x) == draft.add("exp", x)
    draft.add("log", x)
    body = draft.body([(8, draft.add("times", draft.add("exp", x), draft.number(2.0)))])
    assert body == Body((("read", 0), ("exp", 0), ("number", 2.0), ("times", 1, 2)), ((8, 3),))
    assert not is_arithmetic(body)


def test_rows_are_read_in_the_order_of_their_offsets_and_those_of_a_stage_last() -> None:
    draft = Draft()
    values = [draft.add("read", place) for place in (OfStage(8), 16, OfStage(0), 8)]
    body = draft.body([(0, value) for value in values])
    assert [place for place, _ in reads(body)] == [8, 16, OfStage(0), OfStage(8)]


@pytest.mark.parametrize(
    ("shared", "first_too", "kinds"),
    [(False, True, ["fused"]), (False, False, ["times", "plus"]), (True, True, ["times", "plus"])],
)
def test_a_product_is_part_of_the_only_sum_that_needs_it(shared: bool, first_too: bool, kinds: list[str]) -> None:
    body = fused(of_sum(shared=shared), first_too=first_too)
    assert [kind for kind, *_ in body.operations if kind != "read"] == kinds
    assert is_arithmetic(body)


def test_text_has_the_parentheses_that_it_needs() -> None:
    draft = Draft()
    x, y = draft.add("read", "x"), draft.add("read", "y")
    total, minus = draft.add("plus", x, y), draft.add("minus", draft.add("minus", y))
    over = draft.add("over", x, draft.add("times", draft.add("difference", x, y), minus))
    chosen = draft.add("choose", draft.add("both", draft.add("above", x, y), draft.add("same", x, y)), over, total)
    assert statements(draft.body([("z", chosen)]), PYTHON).results == [
        ("z", "(r0 / ((r0 - r1) * -(-r1)) if r0 > r1 and r0 == r1 else r0 + r1)", False)
    ]
