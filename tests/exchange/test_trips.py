"""SBML that is read and written again and again: nothing is gained on the way, and the numbers stay."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("libsbml")

from simulate.cli.app import outcome
from simulate.exchange.foreign import read_foreign, said
from simulate.kernels.build import build
from simulate.kernels.system import lower
from simulate.solver import Schedule, Tolerance, solve
from tests.exchange.models import TIME, apply, ci, cn, compartment, event, parameter, reaction, sbml, species
from tests.helpers.models import reference_model

HOURS = """<unitDefinition id="hour"><listOfUnits>
<unit kind="second" exponent="1" scale="0" multiplier="3600"/></listOfUnits></unitDefinition>"""
FALLING = reaction("fall", apply("times", ci("k"), ci("S"), ci("c")), "S", "P")


def rule(kind: str, name: str, content: str) -> str:
    """A rule of a parameter."""
    return (
        f'<{kind}Rule variable="{name}"><math xmlns="http://www.w3.org/1998/Math/MathML">{content}</math></{kind}Rule>'
    )


MODELS = {
    "hours": sbml(
        "hour",
        UnitDefinitions=HOURS,
        Compartments=compartment(),
        Species=species("S", concentration=2.0) + species("P", concentration=0.0),
        Parameters=parameter("k", 0.1) + parameter("sum", constant="false") + parameter("clock", constant="false"),
        Rules=rule("assignment", "sum", apply("plus", ci("S"), ci("P"))) + rule("assignment", "clock", TIME),
        Reactions=FALLING,
    ),
    "seconds": sbml(
        "second",
        Parameters=parameter("x", 3.0, "false") + parameter("k", 0.25),
        Rules=rule("rate", "x", apply("times", apply("minus", ci("k")), ci("x"))),
    ),
    "growing": sbml(
        "hour",
        UnitDefinitions=HOURS,
        Compartments=compartment(2.0, "false"),
        Species=species("S", amount=6.0),
        Parameters=parameter("k", 0.1),
        Rules=rule("rate", "c", cn(0.5)),
    ),
    "initial": sbml(
        "hour",
        UnitDefinitions=HOURS,
        Parameters=parameter("x", 3.0, "false") + parameter("k") + parameter("half", 0.5),
        InitialAssignments='<initialAssignment symbol="k"><math xmlns="http://www.w3.org/1998/Math/MathML">'
        + apply("times", ci("half"), ci("x"))
        + "</math></initialAssignment>",
        Rules=rule("rate", "x", ci("k")),
    ),
    "rules alone": sbml(
        "hour",
        UnitDefinitions=HOURS,
        Parameters=parameter("x", constant="false") + parameter("k", 2.0),
        Rules=rule("assignment", "x", apply("times", ci("k"), TIME)),
    ),
    "event": sbml(
        "hour",
        UnitDefinitions=HOURS,
        Parameters=parameter("x", 3.0, "false") + parameter("k", 0.25),
        Rules=rule("rate", "x", apply("times", apply("minus", ci("k")), ci("x"))),
        Events=event("refill", apply("lt", ci("x"), cn(1.0)), {"x": cn(3.0)}),
    ),
}


def names_in(path: Path) -> dict[str, list[str]]:
    """Names of all that a file has, as libSBML reads them."""
    import libsbml

    model = libsbml.readSBML(str(path)).getModel()
    lists = ("Compartments", "Species", "Parameters", "Events", "UnitDefinitions")
    found = {name: sorted(part.getId() for part in getattr(model, f"getListOf{name}")()) for name in lists}
    rules = [f"{part.getElementName()} {part.getVariable()}" for part in model.getListOfRules()]
    return {
        **found,
        "Rules": sorted(rules),
        "Initial": sorted(one.getSymbol() for one in model.getListOfInitialAssignments()),
    }


def trip(path: Path, ending: str = "xml") -> Path:
    """The file that a model becomes, which is then read."""
    out = path.with_name(f"{path.stem}_.{ending}")
    assert outcome(["convert", str(path), "-o", str(out)]) == 0
    return out


def course(path: Path, hours: np.ndarray) -> dict[str, np.ndarray]:
    kernel = build(lower(model := read_foreign(path).model.compose()))
    values = {part.name: part.value for part in model.parameters}
    parameters = np.array([[values[name] for name in kernel.parameters]])
    found = solve(kernel, parameters, Schedule.empty(1), hours / 24.0, tolerance=Tolerance(1e-10))
    return dict(zip(found.quantities, found.values[0].T, strict=True))


@pytest.mark.parametrize("name", MODELS)
def test_a_second_trip_through_sbml_gives_the_file_of_the_first(name: str, tmp_path: Path) -> None:
    (path := tmp_path / "a.xml").write_text(MODELS[name], encoding="utf-8")
    once = trip(path)
    twice = trip(once)
    thrice = trip(twice)
    assert names_in(once) == names_in(twice)
    assert not [part for part in names_in(once)["Parameters"] if part.startswith("per_time") or "_now" in part]
    assert twice.read_text(encoding="utf-8") == thrice.read_text(encoding="utf-8")


def test_numbers_stay_what_the_first_file_means(tmp_path: Path) -> None:
    (path := tmp_path / "a.xml").write_text(MODELS["hours"], encoding="utf-8")
    hours = np.linspace(0.0, 20.0, 5)
    found = course(trip(trip(trip(path))), hours)
    np.testing.assert_allclose(found["S"], 2.0 * np.exp(-0.1 * hours), rtol=1e-8)
    np.testing.assert_allclose(found["sum"], 2.0, rtol=1e-8)
    np.testing.assert_allclose(found["clock"], hours, rtol=1e-12, atol=1e-300)


def test_antimony_between_gains_nothing_either(tmp_path: Path) -> None:
    pytest.importorskip("antimony")
    (path := tmp_path / "a.xml").write_text(MODELS["hours"], encoding="utf-8")
    once = trip(path)
    assert names_in(trip(trip(once, "ant")))["Parameters"] == names_in(once)["Parameters"]


def test_the_reference_model_gains_nothing_either(tmp_path: Path) -> None:
    path = tmp_path / "reference.xml"
    path.write_text(said(reference_model(), path).text, encoding="utf-8")
    once = trip(path)
    assert set(names_in(once)["Parameters"]) < set(names_in(path)["Parameters"])
    assert names_in(trip(once)) == names_in(once)
