"""A trial of another length: its visits, what it asks, and who is still in it."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from simulate.cohort.draws import dropout_times
from simulate.cohort.population import Retained
from simulate.cohort.reading import shipped_population
from simulate.errors import InputError
from simulate.evidence.protocol import Judgment
from simulate.trials.lasting import lasting
from simulate.trials.reading import read_trial, shipped_trial


def test_a_trial_that_lasts_otherwise_keeps_visits_before_and_asks_the_last_what_the_last_was_asked() -> None:
    example = read_trial("example-two-arms")
    short = lasting(example, 42.0, "6 weeks")
    assert [(visit.name, visit.day, visit.last_dose) for visit in short.visits] == [
        ("baseline", 0.0, None),
        ("week 4", 28.0, 27.0),
        ("6 weeks", 42.0, 41.0),
    ]
    # Of 24 patients 23 are there after four weeks and 22 after eight: a constant hazard between.
    assert short.visits[-1].n == pytest.approx(math.sqrt(23 * 22))
    ((first, second, last),) = {part.samples for part in short.readouts if part.samples}
    assert (first, second, last) == (20, 18, pytest.approx(16 / 21 * math.sqrt(23 * 22)))
    assert [(part.quantity, part.first, part.last) for part in short.outcomes] == [
        ("double_positive", 0.0, 42.0),
        ("gcsf", 0.0, 28.0),
        ("naive", 0.0, 42.0),
    ]
    assert short.evidence is None
    long = lasting(shipped_trial(), 364.0, "52 weeks")
    assert [(visit.day, visit.last_dose) for visit in long.visits] == [(0.0, None), (364.0, 363.0)]
    assert long.response == Judgment("response", "clinical_response", 364.0)


@pytest.mark.parametrize("day", [1.0, 28.0, 84.0, 91.0, 182.0, 300.0, 365.0, 730.0])
def test_as_many_are_in_a_trial_of_another_length_as_in_a_run_that_counts_dropout(day: float) -> None:
    people = shipped_population([])
    there = dropout_times(people.retention, 1, np.arange(100_000)) > day
    found = lasting(shipped_trial(), day, "end", people.retention)
    last = found.visits[-1]
    assert last.n is not None
    # Five standard errors of a share of so many.
    assert last.n / 15 == pytest.approx(there.mean(), abs=0.008)
    assert found.readout("ifng").samples == (8, pytest.approx(6 / 11 * last.n))
    assert found.readout("ck").samples == ()
    assert last.last_known == (365.0 if day > 365.0 else None)


def test_a_trial_of_another_length_has_as_many_as_its_own_file_says_and_others_leave_as_its_population_does() -> None:
    retention = (Retained(28.0, 0.9), Retained(56.0, 0.9), Retained(84.0, 0.6), Retained(168.0, 0.3))
    example = read_trial("example-two-arms")
    numbers = {day: lasting(example, day, "end", retention).visits[-1].n for day in (28.0, 42.0, 70.0, 84.0, 168.0)}
    # From 28 to 56 days nobody of the population leaves: a constant hazard. From 56 to 84 all leave as they do.
    assert numbers == {
        28.0: 23.0,
        42.0: pytest.approx(math.sqrt(23 * 22)),
        70.0: pytest.approx(math.sqrt(22 * 21)),
        84.0: 21.0,
        168.0: pytest.approx(21 * 0.3 / 0.6),
    }
    silent = dataclasses.replace(example, visits=tuple(dataclasses.replace(visit, n=None) for visit in example.visits))
    assert lasting(silent, 168.0, "end", retention).visits[-1].n is None


def test_a_trial_does_not_end_before_it_begins() -> None:
    with pytest.raises(InputError) as caught:
        lasting(shipped_trial(), 0.0, "0 d")
    assert str(caught.value) == (
        "error[trial.end]: the trial would end on day 0\n  expected: a day after the first visit, that of day 0"
    )
