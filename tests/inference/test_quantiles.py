"""Quantiles are those of NumPy."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simulate.inference.quantiles import quantiles_along


@given(
    members=st.integers(1, 130),
    levels=st.lists(st.floats(0.0, 1.0), min_size=1, max_size=4),
    decimals=st.integers(0, 3),
    seed=st.integers(0, 99),
)
def test_quantiles_of_what_is_put_into_order_are_those_of_numpy_to_the_last_bit(
    members: int, levels: list[float], decimals: int, seed: int
) -> None:
    # Rounded, so that many are equal.
    values = np.random.default_rng(seed).lognormal(size=(2, members, 3)).round(decimals)
    for shown in (values.swapaxes(1, 2), np.ascontiguousarray(values.swapaxes(1, 2))):
        before = shown.copy()
        assert np.array_equal(quantiles_along(shown, levels), np.quantile(values, levels, axis=1))
        assert np.array_equal(shown, before)
    assert np.array_equal(quantiles_along(values[0, :, 0], levels), np.quantile(values[0, :, 0], levels))
