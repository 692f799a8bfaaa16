"""IL-17 brakes Th1 priming: H7, which acts through what else lowers IL-17."""

from __future__ import annotations

import pytest

from tests.biology.courses import END, QUARTER, change, reading


def test_h7_alone_moves_nothing_because_nothing_lowers_il17() -> None:
    for name in ("ifng", "il17a", "th1_memory"):
        assert change("H7", name) == pytest.approx(0.0, abs=1e-6)


def test_h7_raises_ifng_with_h1_and_leaves_il17a_to_it() -> None:
    assert change("H1+H7", "ifng") > 0.05
    assert change("H1+H7", "il17a") == pytest.approx(change("H1", "il17a"), abs=1e-5)


def test_h7_follows_the_cells_that_make_il17() -> None:
    """Th1 effectors are where the fall of these memory cells has them, some days later."""
    makers = [reading("H1+H7", "M17", day) + reading("H1+H7", "M117", day) for day in (0, END)]
    weight = 1.8 / (1.0 + 0.8 * makers[1] / makers[0])
    # Under H1 other lineages and Th1 share what is freed in proportion, so that their ratio is the weight alone.
    before, after = (reading("H1+H7", "E1", day) / reading("H1+H7", "Eo", day) for day in (0, END))
    assert after / before == pytest.approx(weight, rel=0.02)
    assert after / before < weight


def test_h7_is_slower_than_the_release_by_il1_itself() -> None:
    early = {names: change(names, "ifng", QUARTER) / change(names, "ifng") for names in ("H1+H6", "H1+H7")}
    assert early["H1+H7"] < 0.6 * early["H1+H6"]
