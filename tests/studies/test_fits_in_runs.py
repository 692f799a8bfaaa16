"""Scenarios that stand on a fit: the same patients in each of several populations that the fit believes possible."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from scipy.stats import truncnorm

import simulate
from simulate import shipped
from simulate.errors import InputError
from simulate.inference.thinning import thinned
from simulate.manifest import manifest_text
from simulate.streams import uniforms
from simulate.studies.datasets import by_draw, pooled, read_dataset, write_dataset
from simulate.studies.fitting.draws import draws_named
from simulate.studies.fitting.posterior import shipped_posterior
from simulate.studies.runs import Study, cohort_of, prepare
from simulate.studies.scenario import read_scenario
from simulate.studies.settings import settings_from

SCENARIO, HYPOTHESIS = "dose-arms", "H1"
SHORT: dict[str, Any] = {"time.end": "3 d"}


def run(**named: Any) -> xr.Dataset:
    settings = SHORT | named.pop("settings", {})
    return simulate.run(SCENARIO, hypothesis=HYPOTHESIS, settings=settings, **named)


def study(**named: Any) -> Study:
    return prepare(read_scenario(SCENARIO, settings_from({"model.hypothesis": HYPOTHESIS, **SHORT, **named}, None)))


@pytest.fixture(scope="module")
def fitted() -> xr.Dataset:
    return run(patients=6, fit="shipped", draws=3)


def test_a_run_has_a_dimension_of_draws_and_says_of_what(fitted: xr.Dataset) -> None:
    assert fitted["il17a"].dims == ("arm", "draw", "member", "time")
    assert fitted["status"].dims == ("arm", "draw", "member")
    assert fitted["stratum"].dims == fitted["dropout_day"].dims == ("member",)
    assert (fitted.sizes["draw"], fitted.sizes["member"]) == (3, 6)
    assert (fitted.attrs["fit"], fitted.attrs["hypothesis"]) == ("3 draws of the fit", HYPOTHESIS)
    assert "response" in fitted


def test_patients_of_a_draw_are_those_of_its_typical_values_and_spreads() -> None:
    asked = study(**{"cohort.patients": 5, "cohort.seed": 3, "model.fit": "shipped", "model.draws": 4})
    cohort = cohort_of(asked)
    assert asked.draws is not None
    posterior = shipped_posterior(HYPOTHESIS)
    rows = {part.name: part for part in asked.population.parameters}
    columns = {part.name: (column, part) for column, part in enumerate(asked.draws.problem.free)}
    place, part = columns["det17"]
    column, spread = columns["spread_det17"]
    row = rows["det17"]
    assert row.spread is not None
    assert row.bounds is not None
    uniform = uniforms(3, "patient: det17", np.arange(5), 1)[:, 0]
    for draw, number in enumerate(thinned(posterior.points, 4)):
        point = posterior.points[number]
        middle = np.log(part.values(point[[place]])[0])
        sd = row.spread.sd_log * spread.values(point[[column]])[0]
        low, high = (np.log(row.bounds) - middle) / sd
        expected = np.exp(truncnorm.ppf(uniform, low, high, loc=middle, scale=sd))
        np.testing.assert_allclose(cohort.of("det17")[cohort.draws == draw], expected, rtol=1e-9)


def test_a_patient_of_a_draw_has_the_same_bits_in_any_company(fitted: xr.Dataset) -> None:
    other = run(patients=2, fit="shipped", draws=3, settings={"cohort.first": 3})
    assert np.array_equal(other["il17a"].values, fitted["il17a"].values[:, :, 3:5])
    swept = simulate.sweep(
        SCENARIO,
        {"f_m": [0.3]},
        hypothesis=HYPOTHESIS,
        patients=6,
        fit="shipped",
        draws=3,
        settings=SHORT,
        parameters=True,
    )
    plain = run(patients=6, fit="shipped", draws=3, settings={"f_m": 0.3})
    assert swept["draw"].values.tolist() == [0] * 6 + [1] * 6 + [2] * 6
    assert np.array_equal(by_draw(swept.load())["il17a"].values, plain["il17a"].values)
    assert not np.array_equal(plain["parameters"].values, fitted["parameters"].values)


def test_draws_are_kept_and_read_again(tmp_path: Path, fitted: xr.Dataset) -> None:
    write_dataset(pooled(fitted), tmp_path / "a.nc")
    write_dataset(fitted, tmp_path / "b.nc")
    assert (tmp_path / "a.nc").read_bytes() == (tmp_path / "b.nc").read_bytes()
    again = read_dataset(tmp_path / "a.nc")
    assert again["il17a"].dims == ("arm", "member", "time")
    assert again["member"].values.tolist() == 3 * [0, 1, 2, 3, 4, 5]
    xr.testing.assert_identical(by_draw(again), by_draw(pooled(fitted)))


def test_a_run_on_no_fit_has_no_draws() -> None:
    typical = run(patients=3, fit="typical")
    assert "draw" not in typical.dims
    assert "fit" not in typical.attrs


@pytest.mark.parametrize("name", ["dose-arms", "missed-doses", "trial", "untreated", "wash-out"])
def test_scenarios_of_the_patients_of_the_trial_stand_on_the_fit(name: str) -> None:
    found = prepare(read_scenario(name))
    assert found.draws is not None
    assert (found.draws.is_fitted, found.hypothesis) == (True, "H1+H6")


def test_a_hypothesis_without_a_fit_has_draws_of_the_prior() -> None:
    found = prepare(read_scenario(SCENARIO, settings_from({"model.hypothesis": "H1+H2", "model.fit": "shipped"}, None)))
    assert found.draws is not None
    assert found.draws.origin == "16 draws of the prior"


def test_a_fit_in_the_folder_of_fits_stands_behind_every_verb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it is, and named by its folder: runs, sweeps and sensitivities as predictions and repeated studies."""
    content = shipped.fit_files()[HYPOTHESIS].read_text(encoding="utf-8")
    of = "fits/H1/fit.json"
    kept = study(**{"model.fit": "shipped"}).settings["draws_key"]
    monkeypatch.setattr("simulate.shipped.fit_files", lambda *_: {})
    monkeypatch.chdir(tmp_path)
    none = study(**{"model.fit": "shipped"})
    assert none.draws is not None
    assert none.draws.origin == "16 draws of the prior"
    (tmp_path / of).parent.mkdir(parents=True)
    (tmp_path / of).write_text(content, encoding="utf-8")
    found = study(**{"model.fit": "shipped"})
    assert found.draws is not None
    assert found.draws.origin == f"16 draws of the fit {of}"
    assert found.settings["draws_key"] == kept == study(**{"model.fit": "fits/H1"}).settings["draws_key"]
    assert run(patients=1, fit="shipped", draws=2).attrs["fit"] == f"2 draws of the fit {of}"
    assert run(patients=1, fit="fits/H1", draws=2).attrs["fit"] == f"2 draws of the fit {of}"
    asked = draws_named(HYPOTHESIS, "shipped", 4)
    assert (asked.is_fitted, asked.found) == (True, of)
    (predicted,) = simulate.predict([HYPOTHESIS], fit="fits/H1", draws=8, patients=8).value[:1]
    (unnamed,) = simulate.predict([HYPOTHESIS], draws=8, patients=8).value[:1]
    assert predicted.source == unnamed.source == "fit"
    assert [answer.band for answer in predicted.answers] == [answer.band for answer in unnamed.answers]


def test_a_fit_that_is_not_of_todays_numbers_is_named_where_the_prior_stands_in_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the folder, and of those that ship; not where the prior was asked for."""
    kept = json.loads(shipped.fit_files()[HYPOTHESIS].read_text(encoding="utf-8")) | {"key": 32 * "0"}
    file = tmp_path / "fits" / HYPOTHESIS / "fit.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps(kept), encoding="utf-8")
    monkeypatch.setattr("simulate.shipped.fit_files", lambda *_: {HYPOTHESIS: file})
    monkeypatch.chdir(tmp_path)
    other = "was made with other numbers, patients, evidence or priors than today's"
    why = f"the fit fits/{HYPOTHESIS}/fit.json {other}"
    assert run(patients=1, fit="shipped", draws=2).attrs["fit"] == f"2 draws of the prior ({why})"
    assert run(patients=1, fit="prior", draws=2).attrs["fit"] == "2 draws of the prior"
    (predicted,) = simulate.predict([HYPOTHESIS], draws=8, patients=8).value[:1]
    assert (predicted.source, predicted.weakness) == ("prior", why)
    (asked,) = simulate.predict([HYPOTHESIS], fit="prior", draws=8, patients=8).value[:1]
    assert (asked.source, asked.weakness) == ("prior", "")
    monkeypatch.setattr("simulate.studies.fitting.known_fits.is_there", lambda _: False)
    found = study(**{"model.fit": "shipped"})
    assert found.draws is not None
    assert found.draws.origin == f"16 draws of the prior (the fit that ships {other})"


def test_what_is_no_fit_is_refused_alike_by_verbs_that_take_one(tmp_path: Path) -> None:
    message = (
        "error[scenario.fit]: there is no fit `shiped`\n"
        "  expected: `typical`, `shipped`, `prior`, or the result of `simulate fit`: a fit.json\n"
        "  try:      did you mean `shipped`?"
    )
    for ask in (
        lambda: simulate.predict([HYPOTHESIS], fit="shiped"),
        lambda: simulate.trial(HYPOTHESIS, fit="shiped"),
        lambda: draws_named(HYPOTHESIS, "shiped"),
        lambda: simulate.vpop(HYPOTHESIS, fit="shiped"),
    ):
        with pytest.raises(InputError) as caught:
            ask()
        assert str(caught.value) == message
    with pytest.raises(InputError) as caught:
        simulate.trial(HYPOTHESIS, fit=tmp_path)
    assert str(caught.value) == (
        f"error[scenario.fit]: there is no fit.json in the folder\n  --> {tmp_path}\n  found:    a folder\n"
        "  expected: the folder of a fit, as `simulate fit` leaves it, or its fit.json\n"
        "  try:      name the file that was meant"
    )
    (tmp_path / "manifest.json").write_text(manifest_text({"kind": "run"}), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        run(patients=1, fit=tmp_path)
    assert caught.value.found == "a run directory of `run`"
    assert caught.value.advice == f"`simulate runs show {tmp_path}` says what is in it"
    (tmp_path / "results.nc").write_bytes(b"\x89HDF")
    with pytest.raises(InputError) as caught:
        run(patients=1, fit=tmp_path / "results.nc")
    assert str(caught.value).startswith("error[file.kind]: the file is a file of results (netCDF or HDF5), and no JSON")
    with pytest.raises(InputError) as caught:
        run(patients=1, fit=tmp_path / "manifest.json")
    assert (caught.value.code, caught.value.found) == ("fit.file", "no key 'format'")


def test_the_prior_is_wider_than_the_fit() -> None:
    prior, fitted = (study(**{"model.fit": fit, "model.draws": 64}) for fit in ("prior", "shipped"))

    def spread(asked: Study) -> float:
        assert asked.draws is not None
        names = [part.name for part in asked.draws.problem.free]
        return float(asked.draws.points[:, names.index("det1")].std())

    assert spread(fitted) < 0.85 * spread(prior)


def test_a_fit_is_given_by_its_file_or_folder_and_must_be_of_this_hypothesis(tmp_path: Path) -> None:
    file = shipped.fit_files()[HYPOTHESIS]
    (tmp_path / "fit.json").write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
    named, in_folder = study(**{"model.fit": "shipped"}), study(**{"model.fit": str(tmp_path)})
    assert named.settings["draws_key"] == in_folder.settings["draws_key"]
    content = json.loads(file.read_text(encoding="utf-8"))
    (tmp_path / "fit.json").write_text(json.dumps(content | {"key": "0" * 32}), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        study(**{"model.fit": str(tmp_path)})
    assert caught.value.code == "fit.stale"
    assert str(caught.value.where).startswith(f"model.fit = '{tmp_path}'")


def test_a_fit_that_cannot_be_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        study(**{"model.fit": "shiped"})
    assert str(caught.value) == (
        "error[scenario.fit]: there is no fit `shiped`\n"
        "  --> model.fit = 'shiped', key `model.fit`\n"
        "  expected: `typical`, `shipped`, `prior`, or the result of `simulate fit`: a fit.json\n"
        "  try:      did you mean `shipped`?"
    )
    (tmp_path / "m.toml").write_text(
        '[species.A]\nunit = "mg"\ninitial = "1 mg"\n[reactions.r]\nrate = "k*A"\nchange = { A = -1 }\n'
        '[parameters]\nk = "1 1/d"\n'
    )
    (tmp_path / "s.toml").write_text(
        'schema = 1\ntitle = "t"\n[model]\nfile = "m.toml"\nfit = "prior"\n[time]\nend = "1 d"\n'
        '[[arm]]\nname = "a"\nregimen = "none"\n'
    )
    with pytest.raises(InputError) as caught:
        read_scenario(tmp_path / "s.toml")
    assert str(caught.value) == (
        "error[scenario.fit]: a fit is of the reference model, and the scenario has a model of its own\n"
        f"  --> {tmp_path}/s.toml:5, key `model.fit`\n"
        "  found:    prior\n"
        "  expected: `typical`\n"
        "  try:      leave `fit` out"
    )
