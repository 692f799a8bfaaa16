"""A fit that is there is used, another is made, and a stale one is neither."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from simulate import shipped
from simulate.errors import InputError
from simulate.inputs import given
from simulate.locks import is_locked
from simulate.studies.comparison.fits import (
    draws_behind,
    find_fit,
    fits_for,
    make_fit,
    problems_for,
)
from simulate.studies.fitting.known_fits import fit_folder, known_fit
from simulate.studies.fitting.posterior import Posterior, Settings, write_posterior
from simulate.studies.fitting.problem import Problem
from simulate.studies.scenario import RESULT
from tests.studies.comparison.short import posterior
from tests.studies.fitting.tiny import problem
from tests.studies.virtual.fits import SETTINGS


def test_a_shipped_fit_is_used_first(tmp_path: Path) -> None:
    found = known_fit(problem("H0"), tmp_path)
    assert found is not None
    assert found.source == "shipped"


def test_a_fit_in_its_folder_is_used_and_a_stale_one_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipped, "fit_files", lambda *_: {})
    file = fit_folder(problem(), tmp_path) / RESULT
    file.parent.mkdir()
    assert known_fit(problem(), tmp_path) is None
    write_posterior(file, replace(posterior("H1"), key="another"))
    assert known_fit(problem(), tmp_path) is None
    write_posterior(file, posterior("H1"))
    found = known_fit(problem(), tmp_path)
    assert found is not None
    assert found.source == str(file)


def test_a_fit_that_is_missing_is_made_and_found_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipped, "fit_files", lambda *_: {})
    folders: list[Path] = []

    def short(asked: Problem, settings: Settings, *, folder: Path, **_: object) -> Posterior:
        folders.append(folder)
        return posterior(asked.hypothesis)

    monkeypatch.setattr("simulate.studies.comparison.fits.fit", short)
    said: list[str] = []
    made = find_fit(problem(), SETTINGS, tmp_path, report=said.append)
    assert made.source == "made now"
    assert said[0] == "no fit of `H1` is of today's numbers: it is fitted now"
    again = find_fit(problem(), SETTINGS, tmp_path, report=said.append)
    assert again.source == str(tmp_path / "H1" / RESULT)
    assert again.posterior.log_evidence == made.posterior.log_evidence
    assert folders == [tmp_path / "H1"]


def test_a_run_that_is_repeated_makes_no_fit_in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipped, "fit_files", lambda *_: {})
    with given({}), pytest.raises(InputError) as caught:
        find_fit(problem(), SETTINGS, tmp_path)
    assert str(caught.value) == (
        "error[fit.missing]: the fit of `H1` that the run stands on is not of today's numbers, or not in its folder\n"
        "  expected: fit.json of such a fit among the files that the run read\n"
        "  try:      compare anew: `simulate compare` fits what is missing"
    )
    assert list(tmp_path.iterdir()) == []


def test_two_fits_do_not_work_in_one_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def second(*_: object, folder: Path, **__: object) -> Posterior:
        assert is_locked(folder)
        make_fit(problem(), SETTINGS, folder)
        raise AssertionError

    monkeypatch.setattr("simulate.studies.comparison.fits.fit", second)
    with pytest.raises(InputError) as caught:
        make_fit(problem(), SETTINGS, tmp_path)
    assert str(caught.value).splitlines()[:2] == [
        "error[store.locked]: another process works in the folder",
        f"  --> {tmp_path}",
    ]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["other", "foreign", "link"])
def test_a_result_of_another_fit_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.setattr("simulate.studies.comparison.fits.fit", None)
    if kind == "other":
        write_posterior(tmp_path / RESULT, replace(posterior("H1"), key="another"))
    elif kind == "foreign":
        (tmp_path / RESULT).write_text("{}", encoding="utf-8")
    else:
        (tmp_path / RESULT).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InputError) as caught:
        make_fit(problem(), SETTINGS, tmp_path)
    assert str(caught.value) == (
        f"error[fit.occupied]: the folder has the result of another fit\n  --> {tmp_path / RESULT}\n"
        "  try:      choose another folder with --out, or remove the file"
    )
    own = fit_folder(problem("H1"), tmp_path / "fits")
    own.mkdir(parents=True)
    monkeypatch.setattr("simulate.studies.comparison.fits.known_fit", lambda *_: None)
    (own / RESULT).write_text("{}", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        find_fit(problem("H1"), SETTINGS, tmp_path / "fits")
    assert caught.value.advice == "choose another folder of fits with --fits, or remove the file"


@pytest.mark.parametrize(
    ("name", "folder"), [("H1+H3a", "H1+H3a"), ("H1+mine.toml", "H1+mine"), ("theory/mine.toml", "theory-mine")]
)
def test_a_fit_has_a_folder_of_its_own(name: str, folder: str) -> None:
    assert fit_folder(replace(problem(), hypothesis=name)) == Path("fits") / folder


def test_a_hypothesis_is_not_compared_with_itself() -> None:
    with pytest.raises(InputError) as caught:
        problems_for(["H1", "H3a+H4", "h4+H3a"])
    assert str(caught.value) == (
        "error[compare.same]: `H3a+H4` and `h4+H3a` are the same hypothesis\n  try:      name each hypothesis once"
    )


def test_one_hypothesis_is_no_comparison() -> None:
    with pytest.raises(InputError) as caught:
        problems_for(["H1"])
    assert caught.value.code == "compare.few"
    assert "`simulate list` has those that ship" in str(caught.value)


def test_a_hypothesis_stands_on_the_fit_that_is_named(tmp_path: Path) -> None:
    file = tmp_path / "fit.json"
    write_posterior(file, posterior("H1"))
    known, fit = draws_behind(problem("H1"), file, tmp_path, 8)
    assert fit is not None
    assert (known.name, fit.source) == ("fit", str(file))
    assert {tuple(point) for point in known.points} <= {tuple(point) for point in posterior("H1").points}
    prior, none = draws_behind(problem("H1"), "prior", tmp_path, 8)
    assert (prior.name, len(prior.points), none) == ("prior", 8, None)


def test_a_typical_population_has_the_parameters_of_the_tables(tmp_path: Path) -> None:
    typical, none = draws_behind(problem("H1"), "typical", tmp_path, 8)
    assert (typical.name, typical.points.shape, none) == ("typical", (1, 0), None)
    population = typical.problem.population
    changes = typical.changes(population, np.zeros(3, dtype=np.int64))
    assert (changes.typical, changes.sd_log, changes.rho) == ({}, {}, {})


def test_a_result_is_for_its_own_hypothesis_and_a_word_for_all_others(tmp_path: Path) -> None:
    file = tmp_path / "fit.json"
    write_posterior(file, posterior("H1"))
    assert fits_for(["h1", "H0"], [file, "prior"]) == [file, "prior"]
    assert fits_for(["H0", "H1"], [file]) == [None, file]
    with pytest.raises(InputError) as strange:
        fits_for(["H0", "H4"], [file])
    assert str(strange.value) == (
        f"error[fit.hypothesis]: the fit `{file}` is of `H1`, which is not asked for\n"
        "  expected: a fit of `H0` or `H4`\n"
        "  try:      name its hypothesis as well, or leave the fit out"
    )
    with pytest.raises(InputError) as caught:
        fits_for(["H0"], ["prior", "shipped"])
    assert str(caught.value) == (
        "error[fit.twice]: two fits are named for `H0`\n"
        "  found:    `prior`, `shipped`\n"
        "  expected: at most one result for each hypothesis, and one word for all others\n"
        "  try:      leave all but one out; `simulate run anakinra-100mg-daily --hypothesis H0 --fit prior --fit "
        "shipped` shows several beside each other"
    )


def test_hypotheses_that_differ_in_what_no_trial_reads_are_two(tmp_path: Path) -> None:
    file = tmp_path / "seen.toml"
    file.write_text(
        '[hypothesis]\nname = "seen"\ntitle = "t"\n[observables.th17_seen]\nunit = "cell/µL"\nexpression = "2*M17"\n',
        encoding="utf-8",
    )
    one, other = problems_for(["H1", f"H1+{file}"], needs_evidence=False)
    assert one.key == other.key
    assert {part.name for part in other.model.observables} - {part.name for part in one.model.observables} == {
        "th17_seen"
    }
