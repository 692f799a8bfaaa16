"""IL-10 of Th17 memory as a readout: `il10-th17`."""

from __future__ import annotations

import pytest

from tests.biology.typical import END, model_of, patient, reading


def test_il10_changes_no_process() -> None:
    assert model_of("H1+il10-th17").reactions == model_of("H1").reactions


def test_the_share_that_makes_il10_rises_as_the_signal_of_il1_falls() -> None:
    course = patient("il10-th17")
    for day in (0, 7, END):
        signal = reading(course, "signal_lymph", day) / 100.0
        assert reading(course, "il10_share_th17", day) == pytest.approx(5.0 * 2.0 / (1.0 + signal))


def test_under_h1_there_are_fewer_of_them_although_their_share_rises() -> None:
    course = patient("H1+il10-th17")
    assert reading(course, "il10_share_th17", END) > 1.5 * reading(course, "il10_share_th17", 0)
    assert reading(course, "il10_th17", END) < reading(course, "il10_th17", 0)
    alone = patient("il10-th17")
    assert reading(alone, "il10_th17", END) > 1.5 * reading(alone, "il10_th17", 0)


def test_more_than_all_of_th17_memory_cannot_make_il10() -> None:
    (failure,) = patient("il10-th17", f_10=0.6).failures
    assert failure.reason.endswith(": more than all of Th17 memory would make IL-10")
