"""What a run assumes of its doses is said by every verb to which they can be given."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from simulate.cli.app import outcome
from simulate.regimen.words import parse_regimen
from simulate.results.study_openings import of_comparison, of_fit, of_reproduction
from simulate.shipped import trial_files
from simulate.studies.comparison.comparison import compare
from tests.studies.comparison.short import fit

SENTENCE = "route: anakinra into a muscle (`im`) is absorbed like anakinra under the skin; no source tells"
CAVEAT = f"R{SENTENCE[1:]}."
SCENARIO = """
schema = 1
title = "doses"
[model]
fit = "typical"
[time]
end = "14 d"
every = "7 d"
[cohort]
patients = 2
[[arm]]
name = "treated"
regimen = "100 mg {route} every day"
"""
TRIAL = ["-H", "H0", "--fit", "typical", "--studies", "100", "--draws", "8", "--patients", "16"]
LEAST = ["-e", "ck:change@14", "-n", "0", "--trajectories", "2", "--no-local"]
DOSES = ["-H", "H0", "-e", "ck:change@14", "--dose", "1:100:4"]


@pytest.mark.parametrize("route", ["im", "sc"])
@pytest.mark.parametrize("verb", ["run", "side by side", "dose-response", "trial"])
def test_a_route_of_which_no_source_tells_is_said_and_stands_among_the_caveats(
    verb: str, route: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("doses.toml").write_text(SCENARIO.format(route=route), encoding="utf-8")
    words = {
        "run": ["run", "doses.toml", "-H", "H0"],
        "side by side": ["run", "doses.toml", "-H", "H0", "-H", "H1"],
        "dose-response": ["dose-response", "doses.toml", *DOSES],
        "trial": ["trial", "--regimen", f"100 mg {route} daily", *TRIAL],
    }[verb]
    assert outcome([*words, "--no-figures", "--out", "here"]) == 0
    told = capsys.readouterr()
    answer = json.loads(Path("here/manifest.json").read_text(encoding="utf-8"))["answer"]
    assert (SENTENCE in (told.out + told.err).splitlines()) == (route == "im")
    assert (CAVEAT in answer["caveats"]) == (route == "im")


@pytest.mark.parametrize("route", ["im", "sc"])
def test_a_page_notes_a_route_of_which_no_source_tells(
    route: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("doses.toml").write_text(SCENARIO.format(route=route), encoding="utf-8")
    assert outcome(["explore", "doses.toml", "-H", "H0", "--out", "page.html"]) == 0
    page = Path("page.html").read_text(encoding="utf-8")
    data = json.loads(page.split('id="data">')[1].split("</script>")[0])
    assert (CAVEAT in data["notes"]) == (route == "im")


@pytest.mark.parametrize("route", ["im", "sc"])
@pytest.mark.parametrize("verb", ["sensitivity", "equilibria", "predict", "contrast", "design"])
def test_studies_of_a_scenario_or_a_trial_say_it_as_well(
    verb: str, route: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("doses.toml").write_text(SCENARIO.format(route=route), encoding="utf-8")
    trial = trial_files()["zong-2011"].read_text(encoding="utf-8").replace("100 mg sc", f"100 mg {route}")
    Path("zong-2011.toml").write_text(trial, encoding="utf-8")
    few = ["--trial", "zong-2011.toml", "--fit", "prior", "--draws", "16", "--patients", "16"]
    words = {
        "sensitivity": ["sensitivity", "doses.toml", "-H", "H0", *LEAST],
        "equilibria": ["equilibria", "doses.toml", "-H", "H0", "--starts", "2", "--fed", f"{route}=10"],
        "predict": ["predict", "H0", "--trial", "zong-2011.toml", "--fit", "prior", "--draws", "8", "--patients", "8"],
        "contrast": ["contrast", "H0", "H1", *few],
        "design": ["design", "H0", "H1", *few, "--repeats", "100"],
    }[verb]
    assert outcome([*words, "--no-figures", "--out", "here"]) == 0
    told = capsys.readouterr()
    answer = json.loads(Path("here/manifest.json").read_text(encoding="utf-8"))["answer"]
    shown = CAVEAT if verb == "contrast" else SENTENCE
    assert (shown in " ".join(told.out.split())) == (route == "im")
    assert (CAVEAT in answer["caveats"]) == (route == "im")


@pytest.mark.parametrize("route", ["im", "sc"])
def test_fits_and_what_stands_on_them_say_it_as_well(route: str) -> None:
    told = (SENTENCE,) if route == "im" else ()
    known = fit("H1")
    arms = tuple(replace(arm, plan=parse_regimen(f"100 mg {route} daily")) for arm in known.problem.trial.arms)
    problem = replace(known.problem, trial=replace(known.problem.trial, arms=arms))
    assert problem.assumptions == told
    caveats = [
        of_comparison(compare([fit("H0"), replace(known, problem=problem)])).caveats,
        of_fit(known.posterior, problem.assumptions).caveats,
        of_reproduction((), known.posterior, fit("H0").posterior, problem.assumptions).caveats,
    ]
    assert [CAVEAT in own for own in caveats] == [route == "im"] * 3
