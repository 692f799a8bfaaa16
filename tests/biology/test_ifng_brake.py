"""IFNγ brakes Th17 priming: `ifng-th17`."""

from __future__ import annotations

import pytest

from tests.biology.typical import END, patient, reading


def change(names: str, quantity: str, **who: float) -> float:
    course = patient(names, **who)
    return reading(course, quantity, END) / reading(course, quantity, 0) - 1.0


def test_the_brake_does_nothing_where_ifng_stands() -> None:
    assert change("ifng-th17", "il17a") == pytest.approx(0.0, abs=1e-6)


def test_the_brake_lowers_th17_effectors_by_its_weight_as_ifng_makers_rise() -> None:
    course = patient("H6+ifng-th17")
    makers = [sum(reading(course, name, day) for name in ("E1", "M1", "E117", "M117", "Ex", "Mx")) for day in (0, END)]
    weight = 1.5 / (1.0 + 0.5 * makers[1] / makers[0])
    assert makers[1] > 1.2 * makers[0]
    # Effectors of Th17 alone: those of double positives are among the makers.
    assert change("H6+ifng-th17", "E17") == pytest.approx(weight - 1.0, abs=0.005)
    assert change("H6+ifng-th17", "E117") == pytest.approx(weight - 1.0, abs=0.005)


def test_what_is_braked_becomes_another_lineage() -> None:
    course = patient("H6+ifng-th17")
    before, after = (sum(reading(course, f"E{key}", day) for key in ("1", "17", "117", "x", "o")) for day in (0, END))
    assert after == pytest.approx(before, rel=1e-6)


def test_it_adds_to_the_authors_hypothesis() -> None:
    assert change("H1+H6+ifng-th17", "il17a") < change("H1+H6", "il17a") - 0.005
