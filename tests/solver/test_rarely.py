"""What few models need is compiled when the first of them comes."""

from __future__ import annotations

import numpy as np
import pytest

from simulate.kernels.build import build
from simulate.kernels.sensitivities import solve_sensitivities
from simulate.kernels.system import System, equations
from simulate.solver import Action, Adaptive, Rule, Schedule, solve
from simulate.solver.events import act, look, share_of_passing
from simulate.solver.hybrid import look_for_switches, settle, share_of_switching
from simulate.solver.passing import arrive, depart

RARE = (act, arrive, depart, look, look_for_switches, settle, share_of_passing, share_of_switching)
OF_RULES, OF_SWITCHES = {act, look, share_of_passing}, {look_for_switches, settle, share_of_switching}
VALUES, TIMES = np.array([[0.7]]), np.array([1.0, 3.0])
PLAIN = equations({"x": "-k * x"}, [1.0], parameters=["k"])
SWITCHING = equations({"x": "piecewise(1, t > 2, -k * x)"}, [1.0], parameters=["k"])


@pytest.fixture(autouse=True)
def none_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    for function in RARE:
        monkeypatch.setattr(function, "_code", None)


def compiled() -> set[object]:
    return {function for function in RARE if function._code is not None}


def run(system: System, adaptive: Adaptive | None = None) -> set[object]:
    found = solve(build(system), VALUES, Schedule.empty(1), TIMES, adaptive=adaptive)
    assert not found.failures
    return compiled()


def test_a_model_in_which_nothing_switches_needs_none_of_it() -> None:
    assert run(PLAIN) == set()


def test_what_switches_needs_no_rules_and_no_derivatives() -> None:
    assert run(SWITCHING) == OF_SWITCHES


def test_rules_need_nothing_that_switches() -> None:
    rule = Rule("x", 0.2, rising=False, action=Action.LEVEL, amount=0.0)
    assert run(PLAIN, Adaptive((rule,))) == OF_RULES


@pytest.mark.parametrize(
    ("system", "needed"), [(PLAIN, set()), (SWITCHING, {*OF_SWITCHES, arrive, depart})], ids=["smooth", "switching"]
)
def test_derivatives_across_a_switch_are_compiled_where_there_are_both(system: System, needed: set[object]) -> None:
    solve_sensitivities(system, VALUES, Schedule.empty(1), TIMES)
    assert compiled() == needed
