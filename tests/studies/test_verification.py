"""What verification promises to find, it finds; and it finds nothing in what is shipped."""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import simulate.studies.verification as verification
from simulate.cohort.draws import Cohort, draw, members_at
from simulate.cohort.ensemble import Ensemble, simulate_cohort
from simulate.studies.errors_made import LIMIT, Error, judging, too_large
from simulate.studies.runs import Study, prepare
from simulate.studies.scenario import read_scenario
from simulate.studies.settings import Setting
from simulate.studies.verification import (
    Verification,
    sample_sizes,
    sampled_errors,
    sampled_workload,
    verify,
    workload,
)


@functools.cache
def study(patients: int = 9, end: str = "5 d", scenario: str = "anakinra-100mg-daily") -> Study:
    settings = {"cohort.patients": patients, "time.end": end, "model.fit": "typical"}
    return prepare(read_scenario(scenario, [Setting(key, value, key) for key, value in settings.items()]))


@functools.cache
def sound() -> Verification:
    return verify(study())


def spoiled(monkeypatch: pytest.MonkeyPatch, spoil: Any) -> Verification:
    """Verification of an engine whose every ensemble passes through ``spoil``."""

    def solve(model: Any, arms: Any, cohort: Cohort, *rest: Any, **options: Any) -> Ensemble:
        ensemble = simulate_cohort(model, arms, cohort, *rest, **options)
        return dataclasses.replace(ensemble, trajectories=spoil(ensemble, options))

    monkeypatch.setattr(verification, "simulate_cohort", solve)
    return verify(study())


def test_the_shipped_scenario_gives_the_same_bits_in_every_way() -> None:
    found = sound()
    assert found.passed
    assert [row.differing for row in found.repetitions] == [0] * len(found.repetitions)
    ways = " ".join(row.way for row in found.repetitions)
    for what in ("1 thread", "2 threads", "another order", "one at a time", "batches of 7", "three times", "pieces"):
        assert what in ways


def test_the_error_of_every_quantity_is_found_and_is_not_nothing() -> None:
    found = sound()
    trajectories = {row.quantity: row for row in found.errors}
    model = study().model
    assert set(trajectories) == {part.name for part in (*model.species, *model.observables)}
    assert 0.0 < trajectories["A_c"].relative < LIMIT
    assert trajectories["A_c"].ratio is not None
    assert trajectories["ifng"].ratio is None
    assert [judge.method for judge in found.judges] == ["Rodas5P", "SciPy DOP853"]
    assert [judge.rtol for judge in found.judges] == [1e-9, 1e-9]


def test_one_bit_that_depends_on_the_neighbors_is_found_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def spoil(ensemble: Ensemble, options: Any) -> Any:
        values = ensemble.trajectories.values.copy()
        if ensemble.cohort.members > 7 and ensemble.cohort.ids[0] != 0:
            values[3, 2, 1] = np.nextafter(values[3, 2, 1], np.inf)
        return dataclasses.replace(ensemble.trajectories, values=values)

    found = spoiled(monkeypatch, spoil)
    differing = {row.way: row.differing for row in found.repetitions if row.differing}
    assert differing.pop("in reverse order on 1 thread") == 1
    assert set(differing) <= {"in another order"}
    assert "1 of 9 trajectories differ in reverse order on 1 thread, first patient 5" in " ".join(found.faults)


def test_an_engine_that_is_wrong_everywhere_alike_is_found_by_the_other_methods(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def spoil(ensemble: Ensemble, options: Any) -> Any:
        return dataclasses.replace(ensemble.trajectories, values=ensemble.trajectories.values * (1 + 10 * LIMIT))

    found = spoiled(monkeypatch, spoil)
    assert not any(row.differing for row in found.repetitions)
    assert not found.passed
    # The factor is in both solves of this program, so that only SciPy can tell.
    assert any(fault.startswith("`A_c` is off by 5.0e-03 of its value (patient ") for fault in found.faults)


def test_an_error_of_more_tolerances_than_promised_is_told_in_words() -> None:
    row = Error("A_c", "nmol", 3e-6, 3000.0, "anakinra", 4, 2.5)
    assert too_large([dataclasses.replace(row, ratio=900.0), dataclasses.replace(row, ratio=None)]) == []
    assert too_large([row]) == [
        "`A_c` is off by 3000 tolerances, more than the 1000 that are promised: by 3.0e-06 of its value "
        "(patient 4, arm `anakinra`, day 2.5)"
    ]


@pytest.mark.parametrize(("rtol", "tight"), [(1e-4, 1e-7), (1e-10, 1e-13), (1e-12, 1e-13), (9e-13, None)])
def test_whoever_judges_is_tighter_than_what_is_judged(rtol: float, tight: float | None) -> None:
    found = judging(rtol)
    assert (None if found is None else found.rtol) == (None if tight is None else pytest.approx(tight))


def test_an_undefined_number_cannot_pass_as_a_small_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def spoil(ensemble: Ensemble, options: Any) -> Any:
        values = ensemble.trajectories.values.copy()
        values[:, -1, 0] = np.nan
        return dataclasses.replace(ensemble.trajectories, values=values)

    found = spoiled(monkeypatch, spoil)
    assert not found.passed
    assert any(
        fault.startswith(
            f"`{study().model.species[0].name}` is a number by one method and undefined by another (patient"
        )
        for fault in found.faults
    )
    assert all(np.isfinite(row.relative) for row in found.errors)


def written(folder: Path, model: str, scenario: str) -> Study:
    (folder / "model.toml").write_text(model)
    (folder / "s.toml").write_text(f'schema = 1\ntitle = "t"\n[model]\nfile = "model.toml"\n{scenario}')
    return prepare(read_scenario(folder / "s.toml"))


def test_a_pulse_that_is_followed_is_no_error(tmp_path: Path) -> None:
    model = """
[parameters]
w = "0.0001 d"
t0 = "5.37 d"
k = "0.1 1/d"
r0 = "100 mg/d"
[species.A]
unit = "mg"
[reactions.i]
rate = "r0*exp(-((t - t0)/w)**2)"
change = { A = 1 }
[reactions.o]
rate = "k*A"
change = { A = -1 }
"""
    scenario = '[time]\nend = "10 d"\nevery = "1 d"\n[cohort]\npatients = 1\n[[arm]]\nname = "a"\nregimen = "none"\n'
    found = verify(written(tmp_path, model, scenario))
    assert found.faults == ()
    assert [judge.given_up for judge in found.judges] == [0, 0]


def test_what_a_rule_ends_is_judged_by_the_other_method_alone_and_said_to_be(tmp_path: Path) -> None:
    model = """
[species.A]
unit = "mg"
[reactions.out]
rate = "k*A"
change = { A = -1 }
[routes.iv]
target = "A"
unit = "mg"
gain = "1"
[parameters.k]
value = 0.1
unit = "1/h"
spread = { cv = 0.5 }
"""
    scenario = """
[time]
end = "10 d"
every = "1 d"
[cohort]
patients = 20
[[arm]]
name = "a"
regimen = "100 mg iv every 12 h"
[[arm.rule]]
quantity = "A"
above = "150 mg"
end = true
"""
    ruled = written(tmp_path, model, scenario)
    told: list[int] = []
    found = verify(ruled, progress=told.append)
    assert found.faults == ()
    assert found.errors[0].relative > 0.0
    assert [judge.method for judge in found.judges] == ["Rodas5P", "SciPy (no arm with rules)"]
    assert [judge.trajectories for judge in found.judges] == [3, 0]
    assert sum(told) == workload(ruled)


def test_a_model_with_events_is_judged_by_the_other_method_alone_and_said_to_be(tmp_path: Path) -> None:
    (tmp_path / "model.toml").write_text(
        '[parameters]\nk = "1 1/d"\n[species.x]\nmeaning = "what is lost"\nunit = "1"\ninitial = "1"\n'
        '[reactions.loss]\nrate = "k*x"\nchange = { x = -1 }\n'
        '[events.again]\nwhen = "x < 0.5"\nset = { x = "1" }\n',
        encoding="utf-8",
    )
    (tmp_path / "s.toml").write_text(
        'schema = 1\ntitle = "events"\nmodel = { file = "model.toml" }\ntime = { end = "3 d", every = "0.25 d" }\n'
        'cohort = { patients = 4 }\n[[arm]]\nname = "all"\nregimen = "none"\n',
        encoding="utf-8",
    )
    found = verify(prepare(read_scenario(str(tmp_path / "s.toml"))))
    assert found.passed
    assert [(judge.method, judge.trajectories) for judge in found.judges] == [
        ("Rodas5P", 3),
        ("SciPy (no model with events)", 0),
    ]


def test_the_sample_is_one_in_a_hundred_and_three_at_least() -> None:
    assert sample_sizes(study()) == (3, 3)
    large = dataclasses.replace(study(), scenario=dataclasses.replace(study().scenario, patients=1000))
    assert sample_sizes(large) == (10, 100)
    assert sample_sizes(large, 0.5) == (500, 1000)


def test_the_workload_is_what_is_done() -> None:
    told: list[int] = []
    verify(study(), progress=told.append)
    assert sum(told) == workload(study())


def test_members_are_taken_whole_in_any_order() -> None:
    cohort = draw(study().population, 9, seed=1)
    some = members_at(cohort, [4, 0, 4])
    assert some.ids.tolist() == [4, 0, 4]
    assert some.values.tolist() == [cohort.values[index].tolist() for index in (4, 0, 4)]
    assert some.strata == tuple(cohort.strata[index] for index in (4, 0, 4))


def test_a_small_sample_is_judged_without_solving_anybody_else() -> None:
    large = study(40)
    done: list[int] = []
    judges, errors = sampled_errors(large, progress=done.append)
    assert sum(done) == sampled_workload(large)
    assert [judge.trajectories for judge in judges] == [4 * len(large.arms), 3]
    again, others = sampled_errors(large)
    assert (again, others) == (judges, errors)
    huge = study(1000)
    assert sampled_workload(huge) == 3 + 2 * 24 * len(huge.arms)
    assert not too_large(errors)
