"""A tableau refuses to exist with a wrong digit."""

from dataclasses import replace
from fractions import Fraction

import pytest

from simulate.solver.methods.dopri5 import TABLEAU


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
