"""A fit says how long it will still take."""

from __future__ import annotations

import pytest

from simulate.studies.fitting.posterior import Settings
from simulate.studies.fitting.remaining import Remaining

SETTINGS = Settings(particles=100, runs=2, patients=10, draws=50, final_patients=20)


def told(monkeypatch: pytest.MonkeyPatch, passed: float, run: int, betas: list[float], points: int) -> str:
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    remaining = Remaining(SETTINGS)
    now[0] = passed
    return remaining.told(run, betas, points)


def test_nothing_is_said_where_nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    assert told(monkeypatch, 5.0, 0, [0.0, 0.01, 0.1], 300) == ""
    assert told(monkeypatch, 20.0, 0, [0.0, 0.01], 300) == ""
    assert told(monkeypatch, 20.0, 0, [0.0, 0.01, 0.1], 0) == ""


def test_what_is_left_follows_from_how_fast_the_temperature_rises(monkeypatch: pytest.MonkeyPatch) -> None:
    # 0, 0.01, 0.1 and then 1: four generations a run. Of eight, three are done, of 100 points and 1000 trajectories
    # each; 5000 are left, and 1000 of draws: twice as many as 20 s took.
    assert told(monkeypatch, 20.0, 0, [0.0, 0.01, 0.1], 300) == "; 20 s passed, about 40 s left"
    # The first run is done: of the second, one more generation and the draws.
    assert told(monkeypatch, 70.0, 1, [0.0, 0.01, 0.1], 700) == "; 70 s passed, about 20 s left"
    assert told(monkeypatch, 80.0, 1, [0.0, 0.01, 0.1, 1.0], 800) == "; 80 s passed, about 10 s left"
