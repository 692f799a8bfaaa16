"""Redistribution in the kinds of patients in which it was seen: `H4-dm`."""

from __future__ import annotations

import numpy as np
import pytest

import simulate
from simulate.biology.redistribution import H4_IN_DERMATOMYOSITIS
from simulate.studies.fitting.problem import problem_for
from simulate.studies.fitting.simulated_trial import cohort_at
from tests.biology.typical import END, patient, reading

PATIENTS = 60


def change(names: str, quantity: str, **who: float) -> float:
    course = patient(names, **who)
    return reading(course, quantity, END) / reading(course, quantity, 0) - 1.0


def test_where_all_of_the_entry_follows_inflammation_it_is_h4() -> None:
    for quantity in ("ifng", "T1", "cd45ro"):
        assert change("H4-dm", quantity, inflamed_entry=1.0) == pytest.approx(change("H4", quantity), abs=1e-6)


def test_where_none_follows_nothing_moves() -> None:
    for quantity in ("ifng", "T1"):
        assert change("H4-dm", quantity, inflamed_entry=0.0) == pytest.approx(0.0, abs=1e-6)
    assert change("H4-dm", "inflammation", inflamed_entry=0.0) < -0.1


def test_resident_cells_leave_h4_less_to_move() -> None:
    """Without resident cells it is H4; those that exchange are the fewer, the more are resident."""
    for quantity in ("ifng", "T1"):
        assert change("H4-resident", quantity, f_resident=0.0) == pytest.approx(change("H4", quantity), abs=1e-6)
    assert change("H4-resident", "ifng", f_resident=1.0 - 1e-9) == pytest.approx(0.0, abs=1e-6)
    assert 0.0 < change("H4-resident", "ifng") < 0.6 * change("H4", "ifng")


def test_more_than_all_of_the_entry_is_refused() -> None:
    (failure,) = patient("H4-dm", inflamed_entry=1.5).failures
    assert failure.reason.endswith(": more than all of the entry follows inflammation")


def test_in_dermatomyositis_alone_ifng_rises_as_under_h4() -> None:
    readings = simulate.run(
        "anakinra-100mg-daily", hypothesis=H4_IN_DERMATOMYOSITIS.name, patients=PATIENTS, fit="typical"
    )
    ifng = readings["ifng"].squeeze().transpose("member", "time").values
    moved = ifng[:, -1] / ifng[:, 0] - 1.0
    dermatomyositis = readings["stratum"].values == "DM"
    assert 5 < dermatomyositis.sum() < PATIENTS / 2
    assert np.median(moved[dermatomyositis]) > 0.02
    assert np.abs(moved[~dermatomyositis]).max() < 1e-4


def test_a_fit_knows_the_kinds_of_patients() -> None:
    """Wherever a point lies, entry follows inflammation in dermatomyositis and in no other kind."""
    problem = problem_for("H4-dm")
    assert "inflamed_entry" not in {part.name for part in problem.free}
    cohort, kinds = cohort_at(problem, np.full((1, problem.dimension), 0.5), patients=64, seed=1)
    follows = cohort.values[:, cohort.names.index("inflamed_entry")]
    names = np.array([stratum.name for stratum in problem.population.strata])[kinds]
    assert set(follows[names == "DM"]) == {0.95}
    assert set(follows[names != "DM"]) == {0.0}
