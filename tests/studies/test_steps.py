"""Steps that a scenario bounds, and when it ends them."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

import simulate
from simulate.errors import InputError

MODEL = """
[parameters]
w = "0.01 d"
t0 = "5.37 d"
k = "0.1 1/d"
r0 = "100 mg/d"
[species.A]
unit = "mg"
[species.c]
unit = "d"
initial = "t0"
[reactions.i]
rate = "r0*exp(-((t - {center})/w)**2)"
change = {{ A = 1 }}
[reactions.o]
rate = "k*A"
change = {{ A = -1 }}
[reactions.rest]
rate = "k*(t0 - c)"
change = {{ c = 1 }}
"""
SCENARIO = """
schema = 1
title = "t"
[model]
file = "model.toml"
[time]
end = "10 d"
every = "1 d"
[cohort]
patients = 1
[[arm]]
name = "a"
regimen = "none"
"""
RIGHT = 100 * 0.01 * math.sqrt(math.pi) * math.exp(-0.1 * (10 - 5.37) + (0.1 * 0.01) ** 2 / 4)
"""A narrow pulse at t0, washed out."""


def last(folder: Path, center: str, **settings: object) -> float:
    (folder / "model.toml").write_text(MODEL.format(center=center))
    (folder / "s.toml").write_text(SCENARIO)
    chosen = {f"solver.{key}": value for key, value in settings.items()}
    found = simulate.run(folder / "s.toml", settings={"outputs.quantities": ["A"], **chosen})
    return float(found["A"].values[0, 0, -1])


@pytest.mark.parametrize("method", ["taylor+rodas5p", "dopri5+rodas5p", "dopri5", "dop853", "rodas5p", "automatic"])
def test_a_pulse_between_two_steps_is_seen_by_itself(tmp_path: Path, method: str) -> None:
    assert last(tmp_path, "t0", method=method) == pytest.approx(RIGHT, rel=1e-5)


def test_a_pulse_around_a_state_is_seen_by_itself_with_bounded_steps_and_at_named_times(tmp_path: Path) -> None:
    assert last(tmp_path, "c") == pytest.approx(RIGHT, rel=1e-4)
    assert last(tmp_path, "c", max_step="10 min") == pytest.approx(RIGHT, rel=1e-4)
    assert last(tmp_path, "c", breaks=["5.37 d"]) == pytest.approx(RIGHT, rel=1e-4)
    assert last(tmp_path, "c", breaks=["7 d"]) == pytest.approx(RIGHT, rel=1e-4)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"max_step": "0 h"},
            "error[key.value]: the time `0 h` is out of range\n"
            "  --> solver.max_step = '0 h', key `solver.max_step`\n"
            "  expected: more than 0 d, at most 100000 d",
        ),
        (
            {"max_step": "1 mg"},
            "error[units.mismatch]: `1 mg` is not a time\n"
            "  --> solver.max_step = '1 mg', key `solver.max_step`\n"
            '  expected: a number with a unit of time, such as "182 d" or "12 h"',
        ),
        (
            {"breaks": ["5.37"]},
            "error[units.mismatch]: `5.37` is not a time\n"
            "  --> solver.breaks = ['5.37'], key `solver.breaks[0]`\n"
            '  expected: a number with a unit of time, such as "182 d" or "12 h"',
        ),
    ],
)
def test_a_step_or_a_break_that_is_no_time_is_refused(
    tmp_path: Path, settings: dict[str, object], message: str
) -> None:
    with pytest.raises(InputError) as caught:
        last(tmp_path, "t0", **settings)
    assert str(caught.value) == message
