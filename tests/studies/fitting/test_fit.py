"""A fit goes on where it was interrupted, tells what it does not know, and keeps its result in a file."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from simulate.errors import InputError
from simulate.studies.fitting.fit import Likelihood, fit
from simulate.studies.fitting.keys import fit_key
from simulate.studies.fitting.posterior import read_posterior, shipped_posterior, write_posterior
from tests.studies.fitting.tiny import SETTINGS, few, posterior, problem


class Killed(Exception):
    """The machine went down."""


def test_an_interrupted_fit_resumes_to_the_same_bits_with_any_number_of_threads(tmp_path: Path) -> None:
    seen: list[str] = []

    def dying(line: str) -> None:
        seen.append(line)
        if len(seen) == 2:
            raise Killed

    with pytest.raises(Killed):
        fit(few(), SETTINGS, folder=tmp_path, threads=3, report=dying)
    kept = sorted(path.name for path in tmp_path.iterdir())
    assert kept == ["run-1-stage-0.npz", "run-1-stage-1.npz"]
    resumed = fit(few(), SETTINGS, folder=tmp_path, threads=1)
    assert json.dumps(resumed.as_dict()) == json.dumps(posterior().as_dict())


def test_generations_of_another_fit_are_refused(tmp_path: Path) -> None:
    def dying(line: str) -> None:
        raise Killed

    with pytest.raises(Killed):
        fit(few(), SETTINGS, folder=tmp_path, report=dying)
    with pytest.raises(InputError) as caught:
        fit(few(), replace(SETTINGS, particles=17), folder=tmp_path)
    assert caught.value.code == "inference.checkpoint"


def test_generations_of_patients_who_were_made_in_another_way_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dying(line: str) -> None:
        raise Killed

    monkeypatch.setattr("simulate.studies.fitting.problem.POINTS", "as they were")
    with pytest.raises(Killed):
        fit(few(), SETTINGS, folder=tmp_path, report=dying)
    monkeypatch.undo()
    with pytest.raises(InputError) as caught:
        fit(few(), SETTINGS, folder=tmp_path)
    assert (caught.value.code, caught.value.what) == ("inference.checkpoint", "the checkpoint belongs to another fit")
    assert caught.value.advice == (
        "something that decides the result has changed since; remove the file, or choose another folder with --out"
    )


def test_generations_that_were_made_in_another_way_are_refused_and_results_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dying(line: str) -> None:
        raise Killed

    key = fit_key(few(), SETTINGS)
    monkeypatch.setattr("simulate.studies.fitting.fit._ALGORITHM", "as they were")
    with pytest.raises(Killed):
        fit(few(), SETTINGS, folder=tmp_path, report=dying)
    assert fit_key(few(), SETTINGS) == key
    monkeypatch.undo()
    with pytest.raises(InputError, match="the checkpoint belongs to another fit"):
        fit(few(), SETTINGS, folder=tmp_path)


def test_a_short_fit_warns_that_it_is_short() -> None:
    warnings = posterior().diagnostics.warnings
    assert any("effective draws, fewer than 400" in text for text in warnings)


def test_contributions_of_the_items_add_up_to_the_evidence() -> None:
    found = posterior()
    assert found.shares.sum() == pytest.approx(found.log_evidence, abs=0.3)


def test_estimates_stay_within_the_bounds_of_the_prior() -> None:
    for row, part in zip(posterior().estimates, few().free, strict=True):
        for value in (*row.prior, *row.posterior):
            assert part.low <= value <= part.high


def test_a_result_survives_its_file(tmp_path: Path) -> None:
    path = tmp_path / "fit.json"
    write_posterior(path, posterior())
    again = read_posterior(path)
    assert np.array_equal(again.points, posterior().points)
    assert again.estimates == posterior().estimates
    assert again.diagnostics == posterior().diagnostics
    assert again.settings == posterior().settings
    np.testing.assert_allclose(again.log_likelihoods, posterior().log_likelihoods, atol=1e-4)
    assert again.support is not None
    assert posterior().support is not None
    assert again.support.tails == posterior().support.tails
    assert np.array_equal(again.support.set_items, posterior().support.set_items)


def test_the_kept_readings_give_the_likelihoods_again() -> None:
    found = posterior()
    assert found.support is not None
    for column, item in enumerate(few().evidence.data):
        shares = np.array([reading.share for reading in item.readings])
        floors = np.exp([reading.statement.log_floor() for reading in item.readings])
        alone = np.exp(found.support.readings[column])
        together = (1.0 - item.doubt) * alone @ shares + item.doubt * float(shares @ floors)
        np.testing.assert_allclose(np.log(together), found.log_likelihoods[:, column], atol=1e-6)


def test_the_tails_are_probabilities_of_every_fitted_figure() -> None:
    found = posterior().support
    assert found is not None
    assert {item for item, _, _ in found.tails} == {item.name for item in few().evidence.data}
    assert all(0.0 <= tail <= 1.0 for _, _, tail in found.tails)


def test_results_without_what_a_comparison_needs_are_still_read(tmp_path: Path) -> None:
    path = tmp_path / "fit.json"
    write_posterior(path, replace(posterior(), support=None))
    assert read_posterior(path).support is None


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"program": "il1sim", "format": 9}', "{" * 9])
def test_a_file_that_is_no_result_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "fit.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_posterior(path)
    assert caught.value.code == ("fit.file" if text else "file.empty")


def test_a_hypothesis_without_a_shipped_fit_is_named() -> None:
    with pytest.raises(InputError) as caught:
        shipped_posterior("H9")
    assert caught.value.code == "fit.missing"
    assert "`H9`" in str(caught.value)


def test_the_key_changes_with_settings_and_with_the_problem() -> None:
    keys = {
        fit_key(few(), SETTINGS),
        fit_key(few(), replace(SETTINGS, seed=2)),
        fit_key(few("H4"), SETTINGS),
    }
    assert len(keys) == 3


def test_points_of_whose_patients_hardly_any_exist_have_no_likelihood_and_disturb_no_other() -> None:
    points = np.random.default_rng(0).standard_normal((64, problem("H2").dimension))
    target = Likelihood(problem("H2"), 16, 1)
    found = target(points)
    assert 0 < found.feasible.sum() < len(points)
    assert np.isfinite(found.items[found.feasible]).all()
    assert (found.total[~found.feasible] == -np.inf).all()
    alone = target(points[~found.feasible][:2])
    assert not alone.feasible.any()
    np.testing.assert_array_equal(target(points[found.feasible][:4]).items, found.items[found.feasible][:4])
