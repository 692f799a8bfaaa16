from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulate.errors import InputError
from simulate.streams import normals, stream

members = st.lists(st.integers(0, 2000), min_size=1, max_size=20)


def test_a_stream_depends_on_each_of_its_three_keys() -> None:
    keys = [(1, "a", 0), (2, "a", 0), (1, "b", 0), (1, "a", 1), (11, "a", 0), (1, "a1", 0), (-1, "a", 0)]
    assert len({stream(*key).random() for key in keys}) == len(keys)


def test_a_stream_begins_anew_each_time() -> None:
    assert stream(7, "missed doses", 3).random(5).tolist() == stream(7, "missed doses", 3).random(5).tolist()


@given(members, st.integers(1, 9))
def test_a_row_depends_on_its_member_alone(numbers: list[int], count: int) -> None:
    together = normals(5, "weight", numbers, count)
    alone = np.concatenate([normals(5, "weight", [number], count) for number in numbers])
    assert together.tobytes() == alone.tobytes()


def test_a_longer_row_begins_with_the_shorter() -> None:
    assert normals(5, "weight", range(3), 9)[:, :4].tolist() == normals(5, "weight", range(3), 4).tolist()


def test_a_range_and_its_numbers_give_the_same_bits() -> None:
    assert normals(5, "weight", range(1000), 2).tobytes() == normals(5, "weight", list(range(1000)), 2).tobytes()


def test_normal_numbers_are_standard_normal_and_independent() -> None:
    values = normals(1, "test", range(20_000), 6)
    correlations = np.corrcoef(values.T) - np.eye(6)
    neighbors = [np.corrcoef(column[:-1], column[1:])[0, 1] for column in values.T]
    # Four standard errors, 1/sqrt(n) each.
    limit = 4 / np.sqrt(20_000)
    assert np.abs(values.mean(axis=0)).max() < limit
    assert np.abs(values.var(axis=0) - 1).max() < limit * np.sqrt(2)
    assert np.abs(correlations).max() < limit
    assert np.abs(neighbors).max() < limit
    assert 0.0026 < np.mean(np.abs(values) > 2.9677) < 0.0034


def test_numbers_stay_the_same_between_versions() -> None:
    # Shipped fits and replayed failures rest on these.
    assert normals(7, "patient", [7], 2).tolist() == [[-0.9870000403088096, -0.2026847872135836]]
    assert stream(7, "missed doses", 7).random() == 0.5299333212837568


def test_no_members_give_no_rows() -> None:
    assert normals(1, "x", [], 3).shape == (0, 3)


@pytest.mark.parametrize("ask", [lambda: stream(1, "x", -1), lambda: normals(1, "x", [-1], 1)])
def test_a_negative_member_is_refused(ask) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError) as caught:
        ask()
    assert str(caught.value) == (
        "error[streams.member]: the number of a member is -1\n  expected: a whole number, not negative"
    )
