"""All arms are one batch, and treat the same patients."""

from __future__ import annotations

import numpy as np
import pytest

from simulate.cohort.arms import Arm
from simulate.cohort.draws import draw
from simulate.cohort.ensemble import member_parameters, simulate_cohort
from simulate.cohort.population import Occasion, Population
from simulate.errors import InputError
from simulate.regimen.words import parse_regimen
from simulate.solver.trajectories import Status
from simulate.streams import normals
from tests.studies.tiny import arm, cohort, ensemble, model


def test_a_dose_is_lost_as_the_closed_form_says() -> None:
    result = ensemble(arm("once", "10 mg iv"))
    loss = result.cohort.of("k")[:, None]
    expected = 10.0 / 2.0 * np.exp(-loss * result.trajectories.times)
    np.testing.assert_allclose(result.quantity("concentration")[0, :, 1:], expected[:, 1:], rtol=1e-5)


def test_the_baseline_is_what_was_before_the_first_dose() -> None:
    result = ensemble(arm("now", "10 mg iv every 1 d"), members=2)
    assert result.quantity("A")[0, :, 0].tolist() == [0.0, 0.0]
    assert result.quantity("concentration")[0, :, 0].tolist() == [0.0, 0.0]
    # Every other value at the time of a dose is that after it.
    assert result.quantity("A")[0, :, 2].min() > 10.0
    assert result.quantity("A").shape == (1, 2, len(result.trajectories.times))


def test_patients_may_be_treated_each_in_their_own_way() -> None:
    plans = tuple(parse_regimen(words) for words in ("10 mg iv", "20 mg iv at 1 d", "none"))
    own = ensemble(Arm("own", plans[0], plans=plans), members=5).quantity("A")[0]
    for member in range(5):
        alone = ensemble(Arm("alone", plans[member % 3]), members=5).quantity("A")[0, member]
        np.testing.assert_array_equal(own[member], alone)


def test_doses_that_vary_are_those_of_the_patient_in_any_cohort() -> None:
    population = Population(model().parameters, occasions=(Occasion("iv", 0.4),))
    treated, times = arm("a", "10 mg iv every 1 d"), np.array([0.0, 1.5, 3.5])
    whole = simulate_cohort(model(), (treated,), draw(population, 12, seed=3), times).quantity("A")[0]
    part = simulate_cohort(model(), (treated,), draw(population, 4, seed=3, first=5), times).quantity("A")[0]
    np.testing.assert_array_equal(part, whole[5:9])
    plain = simulate_cohort(model(), (treated,), cohort(12), times).quantity("A")[0]
    assert (whole[:, 1:] != plain[:, 1:]).all()
    # One dose and no other: what is there is in proportion to what arrived.
    once = arm("once", "10 mg iv at 1 d")
    varied = simulate_cohort(model(), (once,), draw(population, 12, seed=3), times).quantity("A")[0]
    usual = simulate_cohort(model(), (once,), cohort(12), times).quantity("A")[0]
    factor = np.exp(0.4 * normals(3, "between doses", range(12), 1)[:, 0])
    np.testing.assert_allclose(varied[:, 1] / usual[:, 1], factor, rtol=1e-5)


def test_a_second_arm_changes_no_bit_of_the_first() -> None:
    alone = ensemble(arm("a", "10 mg iv every 1 d"))
    together = ensemble(arm("b", "5 mg iv every 12 h"), arm("a", "10 mg iv every 1 d"))
    np.testing.assert_array_equal(together.quantity("A")[1], alone.quantity("A")[0])


def test_a_patient_misses_the_same_doses_in_every_arm() -> None:
    missing = "10 mg iv every 1 d missing 50 %"
    first, second = ensemble(arm("a", missing), arm("b", missing), members=9).quantity("A")
    np.testing.assert_array_equal(first, second)
    assert len({tuple(row) for row in first > first.max() / 2}) > 1


def test_an_override_moves_the_typical_value_and_keeps_the_spread() -> None:
    people = cohort(7)
    plain = member_parameters(model(), arm("a", "none"), people)
    moved = member_parameters(model(), arm("a", "none", k=1.0, V=3.0), people)
    names = [parameter.name for parameter in model().parameters]
    np.testing.assert_allclose(moved[:, names.index("k")], 2.0 * plain[:, names.index("k")], rtol=1e-15)
    assert (moved[:, names.index("V")] == 3.0).all()
    np.testing.assert_array_equal(moved[:, names.index("room")], plain[:, names.index("room")])


def test_an_override_with_the_typical_value_changes_no_bit() -> None:
    people = cohort(7)
    plain = member_parameters(model(), arm("a", "none"), people)
    np.testing.assert_array_equal(member_parameters(model(), arm("a", "none", k=0.5), people), plain)


def test_who_has_no_baseline_is_named_with_arm_patient_and_reason() -> None:
    result = ensemble(arm("fine", "none"), arm("no room", "none", room=-1.0), members=2)
    assert result.status.tolist() == [[Status.OK] * 2, [Status.INFEASIBLE] * 2]
    assert [(row.arm, row.patient) for row in result.failures] == [("no room", 0), ("no room", 1)]
    assert "there is no room" in result.failures[0].failure.reason


def test_an_unknown_override_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(InputError) as caught:
        ensemble(arm("a", "none", rom=1.0))
    assert str(caught.value) == (
        "error[cohort.arm]: the model has no parameter `rom`\n  try:      did you mean `room`?"
    )


def test_a_cohort_without_arms_is_refused() -> None:
    with pytest.raises(InputError, match="there is no arm to simulate"):
        simulate_cohort(model(), (), cohort(1), np.array([0.0, 1.0]))


def test_progress_counts_the_members_of_all_arms() -> None:
    done: list[int] = []
    times = np.array([0.0, 1.0])
    simulate_cohort(model(), [arm("a", "none"), arm("b", "none")], cohort(70), times, progress=done.append)
    assert sum(done) == 140
