"""IL-1 as a mitogen of Th17 clones: H8."""

from __future__ import annotations

import pytest

from tests.biology.courses import END, change, course, reading

STEADY = 120


def test_h8_takes_its_share_from_th17_and_double_positive_clones_alike() -> None:
    """Of a clone 1 − g (1 − s) is left, with s the signal over its baseline."""
    left = 1.0 - 0.55 * (1.0 - reading("H8", "signal_lymph", STEADY, dose=1e6) / 100.0)
    for name in ("E17", "E117"):
        assert change("H8", name, STEADY, dose=1e6) == pytest.approx(left - 1.0, rel=1e-4)


def test_h8_primes_nothing_in_their_place() -> None:
    """Th1 takes over what H1 frees; under H8 the cells are not there."""
    for name in ("E1", "Eo", "th1_memory", "ex_th17", "naive"):
        assert change("H8", name) == pytest.approx(0.0, abs=1e-6)
    assert change("H1", "th1_memory") > 0.01
    assert change("H8", "cd45ro") < 0.0


def test_h8_lowers_il17a_and_ifng_by_what_double_positives_made() -> None:
    assert change("H8", "il17a") < -0.3
    made = reading("H8", "double_positive", 0) - reading("H8", "double_positive", END)
    makers = sum(reading("H8", name, 0) for name in ("E1", "M1", "E117", "M117", "Ex", "Mx"))
    assert change("H8", "ifng") == pytest.approx(-made / makers, abs=0.01)
    assert change("H8", "ifng") < 0.0


def test_h8_needs_the_drug_and_a_share() -> None:
    assert change("H8", "il17a", dose=0.0) == pytest.approx(0.0, abs=1e-6)
    assert change("H8", "il17a", g_mit=0.0) == pytest.approx(0.0, abs=1e-6)


def test_h8_cannot_account_for_more_than_a_clone() -> None:
    (failure,) = course("H8", g_mit=1.5).failures
    assert failure.reason.endswith(": IL-1 cannot account for more than the whole of a Th17 clone")
