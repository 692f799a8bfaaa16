"""Made-up abstracts, and the statistics by which a fit to them is judged."""

from __future__ import annotations

import numpy as np
import pytest

from simulate.evidence.audit import check_evidence
from simulate.evidence.kinds import Correlation, Count, Direction, MeanRange
from simulate.evidence.likelihoods import log_likelihood
from simulate.evidence.trial_observations import TrialObservations
from simulate.studies.fitting.calibration import Calibration, made_up
from simulate.studies.fitting.simulated_trial import simulated_trial
from tests.studies.fitting.tiny import problem


@pytest.fixture(scope="module")
def seen() -> TrialObservations:
    return simulated_trial(problem(), np.zeros((1, problem().dimension)), patients=32, seed=1).seen


def test_a_made_up_abstract_has_one_reading_of_each_datum_and_no_doubt(seen: TrialObservations) -> None:
    evidence = made_up(problem().evidence, seen, 1, 0)
    assert [item.name for item in evidence.data] == [item.name for item in problem().evidence.data]
    assert all(len(item.readings) == 1 and item.doubt == 0.0 for item in evidence.data)
    assert [item for item in evidence.items if item not in evidence.data] == [
        item for item in problem().evidence.items if item not in problem().evidence.data
    ]


def test_its_figures_are_such_as_a_trial_prints(seen: TrialObservations) -> None:
    for repeat in range(20):
        for item in made_up(problem().evidence, seen, 1, repeat).data:
            match item.statement:
                case MeanRange() as said:
                    assert said.low <= said.mean <= said.high
                case Count() as said:
                    assert 0 <= said.count <= said.n
                case Correlation() as said:
                    assert -1.0 <= said.r <= 1.0
                case Direction() as said if said.count is not None:
                    assert 0 <= said.count <= said.n


def test_it_differs_from_one_repeat_to_the_next_and_is_the_same_twice(seen: TrialObservations) -> None:
    first, again, second = (made_up(problem().evidence, seen, 1, repeat) for repeat in (0, 0, 1))
    assert first == again
    assert first["ifng-level"].statement != second["ifng-level"].statement


def test_its_likelihood_is_finite_where_it_was_made(seen: TrialObservations) -> None:
    for repeat in range(20):
        assert np.isfinite(log_likelihood(made_up(problem().evidence, seen, 1, repeat), seen).total).all()


def test_the_shipped_evidence_is_sound_before_any_is_made_up() -> None:
    check_evidence(problem().evidence)


def ranks(values: list[int], names: int = 1) -> Calibration:
    return Calibration(tuple(f"n{index}" for index in range(names)), np.array([values] * names).T, 15)


def test_even_ranks_are_calibrated_and_cover_at_the_nominal_rate() -> None:
    found = ranks(list(range(16)) * 5)
    assert found.is_calibrated
    assert found.p_values[0] == 1.0
    assert found.coverage(0.5)[0] == 0.5


@pytest.mark.parametrize("values", [[0] * 40 + [15] * 40, [7, 8] * 40, [0, 1, 2, 3] * 20])
def test_ranks_at_the_ends_in_the_middle_or_on_one_side_are_not(values: list[int]) -> None:
    assert not ranks(values).is_calibrated
    (fault,) = ranks(values).faults
    assert fault.startswith("ranks of `n0` have p = ")


def test_intervals_that_are_too_narrow_show_in_the_coverage() -> None:
    assert ranks([0] * 40 + [15] * 40).coverage(0.9)[0] == 0.0
    assert ranks([7, 8] * 40).coverage(0.5)[0] == 1.0
