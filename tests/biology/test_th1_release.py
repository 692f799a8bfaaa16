"""IL-1 holds Th1 priming back: H6, alone and with H1."""

from __future__ import annotations

import pytest

from tests.biology.courses import END, change, reading

BLOCKED = {"dose": 1e6}
"""A dose without a trough."""
STEADY = 120
"""Days after which effectors have followed the shares at priming."""


def primed_before(names: str) -> tuple[float, float]:
    """Shares of Th1 and of other lineages at priming at baseline, up to the same factor."""
    return reading(names, "E1", 0), reading(names, "Eo", 0)


def test_h6_raises_th1_priming_by_the_weight_of_its_fate_against_other_lineages() -> None:
    """Shares are w a / (w a + b) and b / (w a + b) of what both had."""
    signal = reading("H6", "signal_lymph", STEADY, **BLOCKED) / 100.0
    weight = 1.8 / (1.0 + 0.8 * signal)
    th1, other = primed_before("H6")
    factor = (th1 + other) / (weight * th1 + other)
    assert change("H6", "E1", STEADY, **BLOCKED) == pytest.approx(weight * factor - 1.0, rel=1e-4)
    assert change("H6", "Eo", STEADY, **BLOCKED) == pytest.approx(factor - 1.0, rel=1e-4)


def test_h6_primes_half_as_many_th1_cells_again_when_il1_is_wholly_blocked() -> None:
    assert change("H6", "E1", STEADY, **BLOCKED) == pytest.approx(0.5, abs=0.02)


def test_h6_takes_from_other_lineages_what_it_gives_to_th1() -> None:
    """Both are lost at the same rates, so that their sum stands."""
    for name in ("E17", "E117", "Ex", "naive", "th17_memory", "double_positive", "cd45ro"):
        assert change("H6", name) == pytest.approx(0.0, abs=1e-6)
    before, after = (sum(reading("H6", name, day) for name in ("E1", "M1", "Eo", "Mo")) for day in (0, END))
    assert after == pytest.approx(before, rel=1e-6)


def test_h6_leaves_il17a_to_h1_and_both_together_move_both_signs() -> None:
    assert change("H1+H6", "il17a") == pytest.approx(change("H1", "il17a"), abs=1e-5)
    assert change("H1+H6", "ifng") > 0.2
    assert change("H1+H6", "il17a") < -0.5


def test_h6_needs_the_drug_and_a_gain() -> None:
    assert change("H6", "ifng", dose=0.0) == pytest.approx(0.0, abs=1e-6)
    assert change("H6", "ifng", y_1=0.0) == pytest.approx(0.0, abs=1e-6)


def test_h6_never_uses_up_the_other_lineages() -> None:
    """At the ends of all bounds, and with IL-17 as a second brake that gives way."""
    extreme = {"y_1": 2.0, "y_b": 2.0, "f_Th1": 0.45, "x_17": 0.0} | BLOCKED
    assert reading("H1+H6+H7", "Eo", **extreme) > 0.0
