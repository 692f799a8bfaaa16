"""What is said before a fit."""

from __future__ import annotations

from simulate.studies.fitting.before import before_fit
from tests.studies.fitting.tiny import problem


def test_the_numbers_of_free_values_and_of_printed_figures_are_told() -> None:
    assert before_fit(problem("H1"))[0] == (
        "16 numbers are free (4 of them spreads and correlations between patients, 1 the noise of readings), and 17 "
        "figures were printed: most of what is not known will stay so"
    )


def test_a_rate_without_effect_on_anything_watched_leaves_no_trace() -> None:
    # Without an effect of IL-1 on CD4 cells, all pools stay as they are whatever their turnover.
    text = "\n".join(before_fit(problem("H0")))
    assert "d_M17" in text
    assert "no trace" in text


def test_under_h1_turnover_of_memory_can_be_learned_in_principle() -> None:
    assert "11 of 11" in "\n".join(before_fit(problem("H1")))
