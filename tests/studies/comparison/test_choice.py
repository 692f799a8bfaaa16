"""Choosing in made-up abstracts: odds are honest, and hypotheses that say the same stay even."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from simulate.evidence.reading import read_evidence
from simulate.studies.comparison.choice import Choice, calibrate_choice, document, enlarged
from tests.studies.fitting.tiny import problem


@cache
def chosen() -> Choice:
    return calibrate_choice([problem("H0"), problem("H3b"), problem("H1")], repeats=12, draws=4, patients=8)


def test_hypotheses_that_say_the_same_of_what_was_printed_stay_even() -> None:
    """Cells were washed before the assay, so that what is licensed by IL-1 is not seen."""
    odds = chosen().log_odds()
    np.testing.assert_allclose(odds[0, :, 1], 0.0, atol=1e-3)
    np.testing.assert_allclose(odds[1, :, 0], 0.0, atol=1e-3)
    assert (np.abs(odds[0, :, 2]) > 0.01).any()


def test_the_mean_odds_of_a_wrong_hypothesis_are_about_one() -> None:
    """If the bank is the prior, the mean over abstracts of the odds against the truth is exactly 1."""
    odds = np.exp(chosen().log_odds()[2, :, 0])
    assert 0.2 < odds.mean() < 2.5
    assert chosen().wrong(3.0)[2, 0] <= odds.mean() / 3.0


def test_leaving_out_the_true_numbers_can_only_change_the_true_hypothesis() -> None:
    found = chosen()
    for true in range(3):
        others = [index for index in range(3) if index != true]
        np.testing.assert_array_equal(found.known[true][:, others], found.unknown[true][:, others])
    # The null hypothesis has no numbers of its own to leave out.
    np.testing.assert_array_equal(found.known[0], found.unknown[0])
    assert (found.known[2, :, 2] != found.unknown[2, :, 2]).any()


def test_no_repeat_is_dropped_however_few_populations_matter() -> None:
    assert np.isfinite(chosen().known).all()
    assert (chosen().effective >= 1.0 - 1e-9).all()
    assert chosen().known.shape == (3, 12, 3)


def test_the_document_has_every_rate() -> None:
    found = document(chosen())
    assert found["hypotheses"] == ["H0", "H3b", "H1"]
    assert np.shape(found["true_numbers_known"]["wrong_above_3"]) == (3, 3)
    assert found["true_numbers_known"]["right_is_likeliest"][0] >= 0.0


@pytest.mark.parametrize("factor", [1, 10])
def test_a_larger_study_has_the_same_items_with_more_people(factor: int) -> None:
    before, after = read_evidence(), enlarged(read_evidence(), factor)
    assert [item.name for item in after.items] == [item.name for item in before.items]
    assert after["response"].statement.n == 15 * factor
    assert after["ifng-level"].readings[1].statement.n == 6 * factor
    assert after["il1ra-rise-p"].statement.n == 10
    if factor == 1:
        assert after.items == before.items


def test_a_file_has_the_same_made_up_abstracts_however_it_is_named() -> None:
    found = [
        calibrate_choice([problem("H0"), replace(problem("H1"), hypothesis=name)], repeats=2, draws=2, patients=8)
        for name in ("H1", "mine.toml", "./mine.toml")
    ]
    for other in found[1:]:
        np.testing.assert_array_equal(other.known, found[0].known)
