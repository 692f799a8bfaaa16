"""A virtual population of any model: an assumed spread, from the command line to the numbers and the manifest."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

import simulate
from simulate.cli.app import outcome
from simulate.errors import InputError
from simulate.studies.datasets import read_dataset

Capture = pytest.CaptureFixture[str]

DECAY = """
[model]
name = "decay"
[species.S]
unit = "1"
initial = "S_0"
[reactions.decay]
rate = "k*S"
change = { S = -1 }
[parameters]
k = { value = 0.5, unit = "1/h" }
S_0 = { value = 8, unit = "1" }
nothing = { value = 0, unit = "1" }
[observables.sum]
unit = "1"
expression = "S + nothing"
"""
SAID = (
    "spread: 2 parameters are log-normal between patients, with a coefficient of variation of 0.3, as the scenario "
    "assumes: no evidence is behind it\nwithout that spread: `nothing`: the value is 0\n"
)


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A model file in the working folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "decay.toml").write_text(DECAY, encoding="utf-8")
    return "decay.toml"


def test_patients_of_a_model_differ_as_is_assumed_and_the_run_says_so(model: str, capsys: Capture) -> None:
    words = ["run", model, "--end", "2 h", "--every", "1 h", "--vary", "cv=0.3", "--no-figures", "-o", "run"]
    assert outcome(words) == 0
    assert SAID in capsys.readouterr().err
    with read_dataset(Path("run/results.nc")) as dataset:
        starts, ends = dataset["S"].values[0, :, 0], dataset["S"].values[0, :, -1]
        names = [str(name) for name in dataset["parameter"].values]
        values = dataset["parameters"].values[0]
        assert dataset.attrs["assumed"].startswith("spread: 2 parameters")
    assert len(starts) == 100
    assert len(set(starts)) == len(set(ends)) == 100
    # What is solved is the decay of each patient's own constant, which is in 1/h.
    np.testing.assert_allclose(ends / starts, np.exp(-2.0 * values[:, names.index("k")]), rtol=1e-5)
    manifest = json.loads(Path("run/manifest.json").read_text(encoding="utf-8"))
    assumed = manifest["scenario"]["assumed_spread"]
    assert assumed["sd_log"] == pytest.approx(math.sqrt(math.log(1.09)), rel=1e-12)
    assert sorted(assumed["varied"]) == ["S_0", "k"]
    assert assumed["left_out"] == [["nothing", "the value is 0"]]
    assert any("no evidence" in text for text in manifest["answer"]["caveats"])


def test_one_parameter_can_vary_more_or_not_at_all_and_the_others_keep_their_bits(model: str) -> None:
    times = {"end": "2 h", "every": "1 h", "patients": 5}
    both = simulate.run(model, vary={"cv": 0.3}, **times)  # type: ignore[arg-type]
    alone = simulate.run(model, vary={"cv": 0.3, "S_0.cv": 0}, **times)  # type: ignore[arg-type]
    more = simulate.run(model, vary={"k.sd_log": 0.2}, settings={"k": 0.25}, **times)  # type: ignore[arg-type]
    of_both, of_alone, of_more = (found["parameters"].sel(parameter="k").values for found in (both, alone, more))
    assert set(alone["S"].values[0, :, 0]) == {8.0}
    np.testing.assert_array_equal(of_both, of_alone)
    # The same place in the distribution, about another value with another spread.
    score = np.log(of_both / 0.5) / math.sqrt(math.log(1.09))
    np.testing.assert_allclose(of_more, 0.25 * np.exp(0.2 * score), rtol=1e-12)


def test_a_sweep_varies_a_model_and_its_patients(model: str, capsys: Capture) -> None:
    words = ["sweep", model, "--end", "2 h", "--over", "S_0=1,2", "--vary", "k.cv=0.3", "-n", "3", "-o", "sweep"]
    assert outcome(words) == 0
    assert (
        "spread: `k` is log-normal between patients, with a coefficient of variation of 0.3" in capsys.readouterr().err
    )
    with read_dataset(Path("sweep/results.nc")) as dataset:
        ends = dataset["S"].values[:, :, -1]
    assert len(set(ends[0])) == 3
    np.testing.assert_allclose(ends[1], 2.0 * ends[0], rtol=1e-6)


def test_the_line_that_repeats_a_patient_has_the_spread_and_the_times(model: str) -> None:
    from simulate.studies.bare_models import scenario_for
    from simulate.studies.replay import replay_command
    from simulate.studies.runs import prepare
    from simulate.studies.settings import parse_setting, parse_variation

    settings = [parse_variation("cv=0.3"), parse_variation("k.cv=0.1")]
    line = replay_command(prepare(scenario_for(model, "2 h", "1 h", settings)), 4)
    assert line == (
        "simulate run decay.toml --end '2 h' --every '1 h' --set cohort.spread.cv=0.3 --set parameters.k.spread.cv=0.1 "
        "--patient 4 --seed 1"
    )
    again = [parse_setting(text) for text in ("cohort.spread.cv=0.3", "parameters.k.spread.cv=0.1")]
    first, second = (prepare(scenario_for(model, "2 h", "1 h", rows)) for rows in (settings, again))
    assert first.key == second.key


def test_a_measure_that_is_set_takes_the_place_of_another_in_the_file(tmp_path: Path) -> None:
    from simulate.studies.scenario import read_scenario
    from simulate.studies.settings import parse_variation
    from simulate.symbolic.parts import Spread

    path = tmp_path / "scenario.toml"
    path.write_text(
        'schema = 1\ntitle = "x"\n[time]\nend = "2 h"\n[cohort]\nspread = { sd_log = 1 }\n'
        '[[arm]]\nname = "a"\nregimen = "none"\n',
        encoding="utf-8",
    )
    assert read_scenario(path).spread == Spread(1.0)
    assert read_scenario(path, [parse_variation("cv=0.3")]).spread == Spread.from_cv(0.3)


@pytest.mark.parametrize(
    "text", ["0.3", "cv", "cv=", "cv=much", "k=0.3", "k.sd=0.3", ".cv=0.3", "a.b.cv=0.3", "cv=nan"]
)
def test_what_says_nothing_of_a_spread_is_refused(text: str, capsys: Capture) -> None:
    assert outcome(["run", "untreated", "--vary", text]) == 3
    assert capsys.readouterr().err == (
        "error[scenario.variation]: this does not say how patients differ\n"
        f"  --> --vary {text}\n"
        "  expected: `cv=0.3` for all parameters, or `k_a.cv=0.3` for one; `sd_log` in place of `cv`\n"
    )


def test_a_parameter_without_a_logarithm_is_refused_by_name(model: str) -> None:
    with pytest.raises(InputError) as caught:
        simulate.run(model, end="2 h", vary={"nothing.cv": 0.3})
    assert str(caught.value) == (
        "error[scenario.spread]: the parameter `nothing` cannot vary log-normally\n"
        '  --> vary={"nothing.cv": 0.3}, key `parameters.nothing`\n'
        "  found:    a typical value of 0\n"
        "  expected: a value above 0\n"
        "  try:      leave its spread out, or give it another value"
    )


def test_times_beside_a_sweep_file_are_those_of_its_scenario(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "sweep.toml"
    path.write_text('schema = 1\ntitle = "x"\nscenario = "untreated"\n', encoding="utf-8")
    wanted = ["sweep", str(path), "-n", "1", "--draws", "1", "--over", "f_m=0.1", "--end", "2 h", "--every", "1 h"]
    assert outcome([*wanted, "--out", str(tmp_path / "out")]) == 0
    days = read_dataset(tmp_path / "out" / "results.nc")["time"].values
    assert days.tolist() == [0.0, 1.0 / 24.0, 2.0 / 24.0]
    capsys.readouterr()
    assert outcome([*wanted, "--set", "time.end=3 h"]) == 3
    assert "error[scenario.setting]: `time.end` is set twice" in capsys.readouterr().err
