"""What a run assumes of its doses is said by every verb to which they can be given."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from simulate.cli.app import outcome

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
DOSES = ["-H", "H0", "-e", "ck:change@14", "--dose", "1:100:4"]


@pytest.mark.parametrize("route", ["im", "sc"])
@pytest.mark.parametrize("verb", ["run", "side by side", "dose-response", "trial"])
def test_a_route_of_which_no_source_tells_is_said_and_stands_among_the_caveats(
    verb: str, route: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("doses.toml").write_text(SCENARIO.format(route=route), encoding="utf-8")
    words = {
        "run": ["run", "doses.toml", "-H", "H0", "--no-figures"],
        "side by side": ["run", "doses.toml", "-H", "H0", "-H", "H1", "--no-figures"],
        "dose-response": ["dose-response", "doses.toml", *DOSES, "--no-figures"],
        "trial": ["trial", "--regimen", f"100 mg {route} daily", *TRIAL],
    }[verb]
    assert outcome([*words, "--out", "here"]) == 0
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
