"""The test problems: their reference values against closed forms, invariants and what others have published."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from scipy.linalg import expm
from scipy.special import ellipj, gammainc, lambertw

from benchmarks.problems import (
    BATEMAN,
    ENZYME,
    EPIDEMIC,
    ERLANG,
    HIRES,
    LOGISTIC,
    LOTKA,
    OREGO,
    POLLU,
    PROBLEMS,
    PROTHERO_ROBINSON,
    RIGID_BODY,
    ROBER,
    SATURABLE,
    TWO_COMPARTMENTS,
    VALUES_FILE,
    VDPOL,
    Problem,
    judgment,
    provenance,
    reference_values,
)
from benchmarks.problems import __main__ as command
from simulate.solver import METHODS
from tests.helpers.systems import superposed_bateman

every_problem = pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem.name)


def test_there_are_twenty_problems_of_every_kind() -> None:
    assert len({problem.name for problem in PROBLEMS}) == len(PROBLEMS) >= 20
    kinds = {(problem.stiff, bool(problem.stops)) for problem in PROBLEMS}
    assert kinds == {(False, False), (False, True), (True, False), (True, True)}


@every_problem
def test_two_different_methods_agree_on_ten_digits(problem: Problem) -> None:
    origin = provenance(problem)
    assert len(set(origin["methods"])) == 2
    assert origin["agreement"] <= 1e-10
    values = reference_values(problem)
    assert values.shape == (len(problem.times), len(problem.system.states))
    assert np.isfinite(values).all()


def test_no_value_is_kept_for_a_problem_that_does_not_exist() -> None:
    document = json.loads(VALUES_FILE.read_text(encoding="utf-8"))
    assert list(document["problems"]) == [problem.name for problem in PROBLEMS]


def test_only_problems_that_magnify_errors_have_a_wider_gate() -> None:
    assert {problem.name: problem.gate for problem in PROBLEMS if problem.gate > 100.0} == {
        "ARENSTORF": 1e4,
        "PLEIADES": 3000.0,
    }


def logistic() -> np.ndarray:
    return (1 / (1 + 9 * np.exp(-LOGISTIC.times)))[:, None]


def prothero_robinson() -> np.ndarray:
    times = PROTHERO_ROBINSON.times
    return (np.exp(-times) - np.exp(-1000 * times))[:, None]


def bateman() -> np.ndarray:
    doses = [(time, amount) for time, _, _, amount in BATEMAN.stops]
    depot = sum(
        amount * np.where(BATEMAN.times >= time, np.exp(-4.1 * np.maximum(BATEMAN.times - time, 0.0)), 0.0)
        for time, amount in doses
    )
    return np.column_stack([depot, superposed_bateman(BATEMAN.times, doses, 4.1, 16.9)])


def two_compartments() -> np.ndarray:
    # Matrix exponentials: of the matrix itself after a bolus, and with the inflow as a third state in an infusion.
    matrix = np.array([[-3.2, 0.4], [2.3, -0.4]])

    def after(duration: float, state: np.ndarray, inflow: float) -> np.ndarray:
        wide = np.zeros((3, 3))
        wide[:2, :2] = matrix
        wide[0, 2] = inflow
        return (expm(wide * duration) @ [*state, 1.0])[:2]

    rows, state, now, inflow = [], np.zeros(2), 0.0, 0.0
    for point in sorted({*TWO_COMPARTMENTS.times, *(stop[0] for stop in TWO_COMPARTMENTS.stops)}):
        state, now = after(point - now, state, inflow), point
        for time, kind, _, amount in TWO_COMPARTMENTS.stops:
            if time == point and kind == 0:
                state = state + np.array([amount, 0.0])
            elif time == point:
                inflow += amount
        if point in TWO_COMPARTMENTS.times:
            rows.append(state)
    return np.array(rows)


def erlang() -> np.ndarray:
    total = np.zeros((len(ERLANG.times), 6))
    for time, _, _, amount in ERLANG.stops:
        since = np.maximum(ERLANG.times - time, 0.0)
        is_given = ERLANG.times >= time
        passed = [np.ones_like(since), *(gammainc(stage, 3.0 * since) for stage in range(1, 6))]
        for stage in range(6):
            gone = passed[stage + 1] if stage < 5 else 0.0
            total[:, stage] += amount * is_given * (passed[stage] - gone)
    return total


def saturable() -> np.ndarray:
    def after(duration: float, amount: float) -> float:
        return float(np.real(3.0 * lambertw(amount / 3.0 * np.exp((amount - 20.0 * duration) / 3.0))))

    trough = after(4.0, 60.0) + 60.0
    return np.array([[after(time, 60.0) if time < 4.0 else after(time - 4.0, trough)] for time in SATURABLE.times])


def rigid_body() -> np.ndarray:
    sn, cn, dn, _ = ellipj(RIGID_BODY.times, 0.51)
    return np.column_stack([sn, cn, dn])


CLOSED = {
    LOGISTIC: logistic,
    PROTHERO_ROBINSON: prothero_robinson,
    BATEMAN: bateman,
    TWO_COMPARTMENTS: two_compartments,
    ERLANG: erlang,
    SATURABLE: saturable,
    RIGID_BODY: rigid_body,
}


@pytest.mark.parametrize("problem", CLOSED, ids=lambda problem: problem.name)
def test_reference_values_are_those_of_the_closed_form(problem: Problem) -> None:
    exact = CLOSED[problem]()
    size = np.abs(exact).max(axis=0)
    np.testing.assert_allclose(reference_values(problem) / size, exact / size, rtol=1e-10, atol=1e-13)


# Mazzia and Magherini, release 2.4: the end values, with as many digits as are certain.
PUBLISHED = {
    HIRES: (
        321.8122,
        (
            0.7371312573325668e-3,
            0.1442485726316185e-3,
            0.5888729740967575e-4,
            0.1175651343283149e-2,
            0.2386356198831331e-2,
            0.6238968252742796e-2,
            0.2849998395185769e-2,
            0.2850001604814231e-2,
        ),
    ),
    OREGO: (360.0, (0.1000814870318523e1, 0.1228178521549917e4, 0.1320554942846706e3)),
    VDPOL: (2.0, (0.1706167732170483e1, -0.8928097010247975)),
    ROBER: (1e11, (0.2083340149701255e-7, 0.8333360770334713e-13, 0.9999999791665050)),
}


@pytest.mark.parametrize("problem", PUBLISHED, ids=lambda problem: problem.name)
def test_reference_values_are_the_published_ones(problem: Problem) -> None:
    time, values = PUBLISHED[problem]
    ours = reference_values(problem)[problem.times.tolist().index(time)]
    np.testing.assert_allclose(ours, values, rtol=1e-11)


def test_the_first_pollutant_ends_at_the_published_value() -> None:
    assert reference_values(POLLU)[-1, 0] == pytest.approx(0.5646255480022769e-1, rel=1e-11)


def test_what_is_conserved_is_conserved_by_the_reference_values() -> None:
    np.testing.assert_allclose(reference_values(ROBER).sum(axis=1), 1.0, rtol=1e-14)
    np.testing.assert_allclose(reference_values(EPIDEMIC).sum(axis=1), 1.0, rtol=1e-14)
    np.testing.assert_allclose(reference_values(HIRES)[:, 6:].sum(axis=1), 0.0057, rtol=1e-14)
    e, s, c, p = reference_values(ENZYME).T
    np.testing.assert_allclose(e + c, 0.01, rtol=1e-13)
    np.testing.assert_allclose(s + c + p, 1.0, rtol=1e-13)
    given = np.where(ERLANG.times >= 2.0, 100.0, 50.0)
    np.testing.assert_allclose(reference_values(ERLANG).sum(axis=1), given, rtol=1e-14)
    prey, hunter = reference_values(LOTKA).T
    curve = prey - 3 * np.log(prey) + hunter - 1.5 * np.log(hunter)
    np.testing.assert_allclose(curve, 10 - 3 * np.log(10) + 5 - 1.5 * np.log(5), rtol=1e-12)


ROWS = len(METHODS) + sum(method.stiff for method in METHODS)
"""All methods are asked for a problem that is not stiff, and those that are made for it for one that is."""


def quickly(monkeypatch: pytest.MonkeyPatch, gate: float) -> None:
    few = tuple(dataclasses.replace(problem, gate=gate) for problem in (ERLANG, ENZYME))
    monkeypatch.setattr(judgment, "PROBLEMS", few)


def test_methods_are_judged_on_problems_with_known_answers(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    quickly(monkeypatch, 100.0)
    assert command.main([]) == 0
    lines = capsys.readouterr().out.splitlines()
    row = next(line.strip("| ").split(" | ") for line in lines if line.startswith("| ERLANG"))
    assert row[1] == "Dormand-Prince 5(4)"
    assert all(0.0 < float(cell) < 100.0 for cell in row[2:6])
    assert row[6] == "100"
    assert len(lines) == 2 + ROWS


def test_a_method_that_misses_its_constant_is_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    quickly(monkeypatch, 0.2)
    assert command.main(["--json"]) == 5
    captured = capsys.readouterr()
    assert len(json.loads(captured.out)) == 4 * ROWS
    assert "Dormand-Prince 5(4) on ERLANG at " in captured.err
