"""Arithmetic on all lanes at once, and the approximations that steer steps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from simulate.compiled import WORKSPACE, compiled
from simulate.later import types
from simulate.solver import FloatArray, single
from simulate.solver.layout import LANES
from simulate.solver.vectors import (
    any_lane,
    choose,
    every,
    first_lane,
    lanes_where,
    load,
    near_power,
    near_quotient,
    root,
    size,
    store,
)


@compiled(types.void(WORKSPACE))
def _quotients(w: Any) -> None:
    for i in range(0, len(w), 3 * LANES):
        store(w, i + 2 * LANES, near_quotient(load(w, i), load(w, i + LANES)))


@compiled(types.void(WORKSPACE, types.float64))
def _powers(w: Any, exponent: float) -> None:
    for i in range(0, len(w), 2 * LANES):
        store(w, i + LANES, near_power(load(w, i), exponent))


@compiled(types.boolean(WORKSPACE))
def _mixed(w: Any) -> bool:
    a, b = load(w, 0), load(w, LANES)
    store(w, 2 * LANES, choose((a < b) | (a >= 6.0), 2.0 * a - b / 4.0, root(size(b))))
    store(w, 3 * LANES, every(7.0))
    return bool(any_lane((a > 100.0) & (b <= 3.0)))


@compiled(types.int64(WORKSPACE))
def _where_positive(w: Any) -> int:
    return int(lanes_where(load(w, 0) > 0.0))


@compiled(types.int64(types.int64))
def _first(lanes: int) -> int:
    return int(first_lane(lanes))


def quotients(a: FloatArray, b: FloatArray) -> FloatArray:
    w = np.zeros((len(a) // LANES, 3, LANES))
    w[:, 0], w[:, 1] = a.reshape(-1, LANES), b.reshape(-1, LANES)
    flat = w.ravel()
    _quotients(flat)
    return flat.reshape(w.shape)[:, 2].ravel()


def test_operators_act_on_every_lane() -> None:
    a, b = np.arange(float(LANES)), np.linspace(-3.0, 5.0, LANES)
    w = np.concatenate([a, b, np.zeros(2 * LANES)])
    assert not _mixed(w)
    expected = np.where((a < b) | (a >= 6.0), 2.0 * a - b / 4.0, np.sqrt(np.abs(b)))
    np.testing.assert_allclose(w[2 * LANES : 3 * LANES], expected, rtol=1e-15)
    assert (w[3 * LANES :] == 7.0).all()
    w[3] = 101.0
    assert _mixed(w)


def test_lanes_are_found_in_order() -> None:
    assert _where_positive(np.zeros(LANES)) == 0
    for chosen in ([0], [LANES - 1], [1, 3, LANES - 1], list(range(LANES))):
        w = np.full(LANES, -1.0)
        w[chosen] = 2.0
        lanes, found = _where_positive(w), []
        while lanes != 0:
            found.append(_first(lanes))
            lanes &= lanes - 1
        assert found == chosen


def test_a_near_quotient_is_good_to_a_thousandth_over_the_whole_range() -> None:
    generator = np.random.default_rng(1)
    b = np.concatenate([10.0 ** generator.uniform(-307, 300, 80_000), np.geomspace(1e-320, 1e-300, 800)])
    share = generator.uniform(0.01, 100.0, len(b))
    a = share * b
    usable = (a > 1e-300) | (b < 1e-300)
    found = quotients(a, b)[usable]
    exact = (a / b)[usable]
    assert np.max(np.abs(found / exact - 1.0)) < 1e-3


def test_a_near_quotient_keeps_what_is_undefined_and_zero() -> None:
    a = np.array([0.0, 0.0, np.nan, 1.0, np.inf, 0.0, 1.0, -2.0])
    b = np.array([5e-324, 1e300, 1.0, np.nan, 1.0, 1.0, 1.0, 4.0])
    found = quotients(a, b)
    assert found[[0, 1, 5]].tolist() == [0.0, 0.0, 0.0]
    assert np.isnan(found[[2, 3]]).all()
    assert found[4] == np.inf
    np.testing.assert_allclose(found[6:], [1.0, -0.5], rtol=1e-3)


@pytest.mark.parametrize("exponent", [-0.1, -1 / 16, -1 / 14, 0.5, -1.0, 1.0])
def test_a_near_power_is_good_to_a_hundredth_over_the_whole_range(exponent: float) -> None:
    x = np.geomspace(1e-300, 1e300, 80_000)
    w = np.zeros((len(x) // LANES, 2, LANES))
    w[:, 0] = x.reshape(-1, LANES)
    flat = w.ravel()
    _powers(flat, exponent)
    found = flat.reshape(w.shape)[:, 1].ravel()
    assert np.max(np.abs(found / x**exponent - 1.0)) < (0.01 if abs(exponent) > 0.5 else 0.005)


@compiled(types.void(WORKSPACE))
def _single_quotients(w: Any) -> None:
    for i in range(0, len(w), 3):
        w[i + 2] = single.near_quotient(w[i], w[i + 1])


@compiled(types.void(WORKSPACE, types.float64))
def _single_powers(w: Any, exponent: float) -> None:
    for i in range(0, len(w), 2):
        w[i + 1] = single.near_power(w[i], exponent)


def test_a_graphics_card_takes_the_same_quotients_and_powers() -> None:
    generator = np.random.default_rng(2)
    a, b = 10.0 ** generator.uniform(-300, 290, 8000), 10.0 ** generator.uniform(-320, 300, 8000)
    with np.errstate(over="ignore"):
        kept = (a / b < 1e300) & (a / b > 1e-300)
    a, b = a[kept][: kept.sum() // LANES * LANES], b[kept][: kept.sum() // LANES * LANES]
    alone = np.column_stack([a, b, np.zeros(len(a))]).ravel()
    _single_quotients(alone)
    np.testing.assert_allclose(alone[2::3], quotients(a, b), rtol=1e-15)
    x = np.array([0.0, 5e-324, 1e-310, 2.0**-1022, 1.0, np.inf, *np.geomspace(1e-300, 1e300, 8 * LANES - 6)])
    for exponent in (-0.1, -1 / 16, 0.5):
        wide, alone = np.zeros((8, 2, LANES)), np.column_stack([x, np.zeros(len(x))]).ravel()
        wide[:, 0] = x.reshape(8, LANES)
        flat = wide.ravel()
        _powers(flat, exponent)
        _single_powers(alone, exponent)
        np.testing.assert_allclose(alone[1::2], flat.reshape(wide.shape)[:, 1].ravel(), rtol=1e-15)


def test_a_near_power_of_nothing_is_large_and_of_infinity_small() -> None:
    w = np.zeros(2 * LANES)
    w[1] = np.inf
    _powers(w, -0.1)
    assert w[LANES] > 1e30
    assert 0.0 < w[LANES + 1] < 1e-30
