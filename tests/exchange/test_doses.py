"""Doses that a file has as events are routes and a regimen that can be changed, to the same numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("libsbml")

import simulate
from simulate.cli.app import outcome
from simulate.exchange.foreign import read_foreign
from tests.exchange.models import TIME, apply, ci, cn, compartment, event, math, parameter, reaction, sbml, species

Capture = pytest.CaptureFixture[str]

ONCE = event("once", apply("geq", TIME, cn(2.0)), {"S": apply("plus", ci("S"), apply("times", ci("f"), cn(3.0)))})
COUNTED = event(
    "counted",
    apply("and", apply("eq", TIME, ci("next")), apply("lt", ci("next"), cn(4.5))),
    {"S": apply("plus", ci("S"), cn(1.0)), "next": apply("plus", ci("next"), cn(1.0))},
)
MINUTES = (
    '<unitDefinition id="minutes"><listOfUnits><unit kind="second" exponent="1" scale="0" multiplier="60"/>'
    "</listOfUnits></unitDefinition>"
)


def model(events: str) -> str:
    return sbml(
        UnitDefinitions=MINUTES,
        Compartments=compartment(),
        Species=species("S", 8.0),
        Parameters=parameter("k", 0.5) + parameter("f", 2.0) + parameter("next", 0.5, constant="false"),
        Reactions=reaction("decay", apply("times", ci("k"), ci("S")), "S"),
        Events=events,
    ).replace("<model ", '<model timeUnits="minutes" ')


@pytest.fixture(scope="module")
def dosed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("doses") / "dosed.xml"
    path.write_text(model(ONCE + COUNTED), encoding="utf-8")
    return path


def course(path: Path, **settings: object) -> np.ndarray:
    found = simulate.run(path, end="5.3", every="0.1", rtol=1e-9, settings=settings)
    return np.asarray(found["S"].values[0, 0])


def sum_of(doses: dict[float, float], times: np.ndarray) -> np.ndarray:
    """What is there of doses that are lost at a rate of a half."""
    return sum(
        (size * np.where(times >= at, np.exp(-0.5 * (times - at)), 0.0) for at, size in doses.items()),
        np.zeros_like(times),
    )


TIMES = np.minimum(0.1 * np.arange(54), 5.3)
COUNTS = {0.5: 1.0, 1.5: 1.0, 2.5: 1.0, 3.5: 1.0}


def test_doses_of_the_file_are_a_regimen_with_the_same_course(dosed: Path) -> None:
    imported = read_foreign(dosed)
    assert imported.regimen == (
        "3 dimensionless into_S at 2 min and 1 dimensionless into_S_2 every 1 min from 0.5 min x 4"
    )
    assert imported.dropped[-1] == (
        "the events `once`, `counted`, which are doses: given by the routes `into_S`, `into_S_2`, as the regimen says"
    )
    assert [part.name for part in imported.model.compose().species] == ["S"]
    # A time in minutes is no binary fraction of a day: at a dose itself either side of it may be seen.
    off = ~np.isin(np.round(TIMES, 6), [*COUNTS, 2.0])
    expected = sum_of({0.0: 8.0, 2.0: 6.0, **COUNTS}, TIMES)
    np.testing.assert_allclose(course(dosed)[off], expected[off], rtol=1e-7)


def test_the_regimen_and_what_is_left_of_a_dose_can_be_changed(dosed: Path) -> None:
    found = course(dosed, f=0.5, **{"arm.model.regimen": "10 dimensionless into_S at 3.05 min"})
    np.testing.assert_allclose(found, sum_of({0.0: 8.0, 3.05: 5.0}, TIMES), rtol=1e-7)


FALSE_FIRST = 'initialValue="false" persistent="true"'
SETS = event("sets", apply("geq", TIME, cn(2.0)), {"S": cn(3.0)})
OF_STATES = event("doubles", apply("geq", TIME, cn(2.0)), {"S": apply("plus", ci("S"), ci("S"))})
TAKES = event("takes", apply("geq", TIME, cn(2.0)), {"S": apply("minus", ci("S"), cn(1.0))})
BY_STATE = event("by_state", apply("lt", ci("S"), cn(1.0)), {"S": apply("plus", ci("S"), cn(1.0))})
WITH_COUNT = event(
    "counts",
    apply("geq", TIME, cn(2.0)),
    {"S": apply("plus", ci("S"), cn(1.0)), "next": apply("times", ci("next"), cn(2.0))},
)


AT_0 = event(
    "at_0", apply("geq", TIME, cn(0.0)), {"S": apply("plus", ci("S"), cn(1.0))}, trigger_attributes=FALSE_FIRST
)
LATER = event(
    "later", apply("geq", TIME, cn(2.0)), {"S": apply("plus", ci("S"), cn(1.0))}, f"<delay>{math(cn(1.0))}</delay>"
)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (SETS, "`sets` is no dose: it sets `S`"),
        (OF_STATES, "`doubles` is no dose: what it does to `S` depends on states"),
        (TAKES, "`takes` is no dose: what it adds to `S` is no number above 0"),
        (BY_STATE, "`by_state` is no dose: it is not at a time that is a number"),
        (WITH_COUNT, "`counts` is no dose: what it does to `next` depends on states"),
        (AT_0, "`at_0` is no dose: it is not after time 0"),
        (LATER, "`later` is no dose: it has a delay"),
    ],
)
def test_what_is_no_dose_stays_an_event_and_why_is_said(text: str, why: str, tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "event.xml"
    path.write_text(model(text), encoding="utf-8")
    found = read_foreign(path)
    assert (found.regimen, len(found.model.compose().events), found.model.compose().routes) == ("none", 1, ())
    assert outcome(["check", str(path)]) == 0
    assert f"; the event {why}" in " ".join(capsys.readouterr().out.split())


def test_a_dose_at_a_time_that_is_counted_in_another_unit_is_one(tmp_path: Path) -> None:
    path = tmp_path / "other.xml"
    when = apply("geq", apply("times", cn(60.0), TIME), cn(90.0))
    path.write_text(model(event("seconds", when, {"S": apply("plus", ci("S"), cn(3.0))})), encoding="utf-8")
    assert read_foreign(path).regimen == "3 dimensionless into_S at 1.5 min"
    expected = sum_of({0.0: 8.0, 1.5: 3.0}, TIMES)
    away = np.abs(TIMES - 1.5) > 1e-6
    np.testing.assert_allclose(course(path)[away], expected[away], rtol=1e-7)
    backward = apply("geq", apply("times", cn(-60.0), TIME), cn(-90.0))
    path.write_text(model(event("before", backward, {"S": apply("plus", ci("S"), cn(3.0))})), encoding="utf-8")
    assert read_foreign(path).regimen == "none"


def test_a_dose_may_be_what_a_rule_computes_of_parameters_alone(tmp_path: Path) -> None:
    def text(amount: str) -> str:
        added = event("added", apply("geq", TIME, cn(1.5)), {"S": apply("plus", ci("S"), ci("amount"))})
        rules = f'<assignmentRule variable="amount">{math(amount)}</assignmentRule>'
        return sbml(
            Compartments=compartment(),
            Species=species("S", 8.0),
            Parameters=parameter("k", 0.5) + parameter("f", 2.0) + parameter("amount", constant="false"),
            Rules=rules,
            Reactions=reaction("decay", apply("times", ci("k"), ci("S")), "S"),
            Events=added,
        ).replace("<model ", '<model timeUnits="second" ')

    path = tmp_path / "ruled.xml"
    path.write_text(text(apply("times", ci("f"), cn(3.0))), encoding="utf-8")
    assert read_foreign(path).regimen == "1 dimensionless into_S at 1.5 s"
    expected = sum_of({0.0: 8.0, 1.5: 6.0}, TIMES)
    away = np.abs(TIMES - 1.5) > 1e-6
    np.testing.assert_allclose(course(path)[away], expected[away], rtol=1e-7)
    path.write_text(text(apply("times", ci("S"), cn(3.0))), encoding="utf-8")
    imported = read_foreign(path)
    assert imported.regimen == "none"
    assert imported.events == {"added": "what it does to `S` depends on states"}


@pytest.mark.parametrize("first", ["true", "false"])
def test_a_dose_after_time_0_is_one_whatever_its_trigger_was_before(first: str, tmp_path: Path) -> None:
    path = tmp_path / "dosed.xml"
    given = f'initialValue="{first}" persistent="true"'
    path.write_text(model((ONCE + COUNTED).replace('initialValue="true" persistent="true"', given)), encoding="utf-8")
    found = read_foreign(path)
    assert found.events == {}
    assert found.regimen == (
        "3 dimensionless into_S at 2 min and 1 dimensionless into_S_2 every 1 min from 0.5 min x 4"
    )
    off = ~np.isin(np.round(TIMES, 6), [*COUNTS, 2.0])
    np.testing.assert_allclose(course(path)[off], sum_of({0.0: 8.0, 2.0: 6.0, **COUNTS}, TIMES)[off], rtol=1e-7)


def test_a_counter_that_something_else_needs_keeps_its_event(tmp_path: Path) -> None:
    path = tmp_path / "event.xml"
    path.write_text(model(COUNTED).replace(ci("k"), ci("next")), encoding="utf-8")
    found = read_foreign(path)
    assert (found.regimen, len(found.model.compose().events)) == ("none", 1)


def test_a_converted_model_has_the_routes_and_convert_prints_the_regimen(
    dosed: Path, tmp_path: Path, capsys: Capture
) -> None:
    assert outcome(["convert", str(dosed), "-o", str(tmp_path / "dosed.toml")]) == 0
    assert "[routes.into_S_2]" in (tmp_path / "dosed.toml").read_text(encoding="utf-8")
    assert 'regimen = "3 dimensionless into_S at 2 min and' in capsys.readouterr().err
    assert outcome(["convert", str(dosed), "-o", str(tmp_path / "again.xml")]) == 0
    assert len(read_foreign(tmp_path / "again.xml", doses=False).model.compose().events) == 2
