from __future__ import annotations

import math

import numpy as np
import pytest

from simulate.elementwise import exp, log
from simulate.streams import stream

NUMBERS = stream(1, "numbers of a test", 0).uniform(-40.0, 40.0, 500)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 8, 9, 16, 17, 31, 64, 129])
@pytest.mark.parametrize("first", [0, 1, 3])
def test_a_number_has_the_same_bits_alone_in_the_middle_and_at_the_end(size: int, first: int) -> None:
    part = NUMBERS[first : first + size]
    assert exp(part).tolist() == [math.exp(number) for number in part.tolist()]
    assert log(np.abs(part)).tolist() == [math.log(abs(number)) for number in part.tolist()]
    assert exp(NUMBERS[::3]).tolist() == exp(NUMBERS)[::3].tolist()


def test_the_ends_of_the_range_are_quiet() -> None:
    assert exp([800.0, -800.0]).tolist() == [math.inf, 0.0]
    assert log([0.0, math.inf]).tolist() == [-math.inf, math.inf]
    assert np.isnan(log([-1.0])).all()
