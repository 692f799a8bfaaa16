"""The reference model and its hypotheses as they ship in SBML: what is written today, sound, and solved by others."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("libsbml")

import libsbml

from simulate import shipped
from simulate.biology.hypotheses import HYPOTHESES, hypothesis_named
from simulate.biology.options import OPTIONS
from simulate.cli.app import outcome
from simulate.errors import InputError
from simulate.exchange.prescribed import Given, with_given
from simulate.exchange.sbml.annotations import read_annotations
from simulate.exchange.sbml.declared import DeclaredUnits
from simulate.exchange.sbml.document import open_sbml
from simulate.exchange.sbml.unitcheck import check_units
from simulate.exchange.sbml.writing import sbml_text
from simulate.kernels.build import build
from simulate.kernels.system import lower
from simulate.solver import Schedule, Tolerance, solve
from simulate.studies.models import about_reference
from simulate.symbolic.units import unit
from tests.helpers.models import reference_model

FOLDER = shipped.root() / "sbml"
NAMES = {"reference": "none"} | {f"reference-{name}": name for name in (*(one.name for one in HYPOTHESES), "H1+H6")}


def text_of(name: str, folder: Path) -> str:
    """What the command writes."""
    path = folder / f"{name}.xml"
    assert outcome(["convert", "reference", "-H", NAMES[name], "-o", str(path)]) == 0
    return path.read_text(encoding="utf-8")


def test_what_ships_is_what_is_written_today(tmp_path: Path) -> None:
    """With IL1SIM_WRITE_DOCS=1 in the environment, the files are written anew first."""
    texts = {name: text_of(name, tmp_path) for name in NAMES}
    if "IL1SIM_WRITE_DOCS" in os.environ:
        for name, text in texts.items():
            (FOLDER / f"{name}.xml").write_text(text, encoding="utf-8")
    shipped_texts = {path.stem: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.xml")}
    other = sorted(name for name in texts.keys() | shipped_texts if texts.get(name) != shipped_texts.get(name))
    assert other == [], "IL1SIM_WRITE_DOCS=1 pytest -n 0 tests/exchange/test_sbmlshipped.py writes them anew"


@pytest.mark.parametrize("name", NAMES)
def test_libsbml_finds_nothing_wrong_and_every_unit_right(name: str) -> None:
    path = FOLDER / f"{name}.xml"
    document = libsbml.readSBMLFromFile(str(path))
    document.setConsistencyChecks(libsbml.LIBSBML_CAT_UNITS_CONSISTENCY, True)
    document.checkConsistency()
    assert [document.getError(index).getMessage() for index in range(document.getNumErrors())] == []
    # libSBML does not tell mmol from nmol.
    check_units(open_sbml(path))


def test_parts_are_annotated_and_numbers_have_their_references() -> None:
    model = libsbml.readSBMLFromFile(str(FOLDER / "reference.xml")).getModel()
    terms = {
        (libsbml.BiolQualifierType_toString(term.getBiologicalQualifierType()), term.getResourceURI(index))
        for part in (model.getSpecies("R"), model.getParameter("K_Ra"))
        for term in (part.getCVTerm(place) for place in range(part.getNumCVTerms()))
        for index in range(term.getNumResources())
    }
    assert terms == {
        ("is", "https://identifiers.org/uniprot:P18510"),
        ("occursIn", "https://identifiers.org/UBERON:0001969"),
        ("isPropertyOf", "https://identifiers.org/uniprot:P18510"),
        ("isPropertyOf", "https://identifiers.org/uniprot:P14778"),
        ("isDescribedBy", "https://identifiers.org/pubmed:1828071"),
    }
    notes = model.getParameter("K_Ra").getNotesString()
    assert "read in the cited publication" in notes
    # What is assumed claims no reference.
    assert model.getParameter("e50").getNumCVTerms() == 1
    assert "assumed; to be fitted or varied" in model.getParameter("e50").getNotesString()


def test_every_state_that_has_an_identifier_is_one_of_the_model() -> None:
    known = set()
    for one in (*HYPOTHESES, *OPTIONS):
        model = reference_model(one)
        known |= {part.name for part in (*model.species, *model.parameters)}
    about = about_reference()
    assert set(about.parts) <= known
    patterns = {
        "CL": r"\d{7}", "GO": r"\d{7}", "UBERON": r"\d{7}", "uniprot": "[OPQ][0-9][A-Z0-9]{3}[0-9]",
        "drugbank": r"DB\d{5}", "ec-code": r"\d+\.\d+\.\d+\.\d+", "taxonomy": r"\d+",
    }  # fmt: skip
    for annotation in (about.model, *about.parts.values()):
        for text in (text for texts in annotation.values() for text in texts):
            kind, _, rest = text.partition(":")
            assert re.fullmatch(patterns[kind], rest), text


def test_an_annotation_that_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "annotations.toml"
    path.write_text('[model]\nis = ["IL-1 receptor"]\n[parts]\n', encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_annotations(path, {})
    assert str(caught.value) == (
        "error[key.value]: the value of `is` cannot be used\n"
        f"  --> {path}:2, key `model.is`\n"
        "  found:    ['IL-1 receptor']\n"
        "  expected: compact identifiers, such as `uniprot:P18510`"
    )


@pytest.mark.parametrize("name", ["reference", "reference-H1", "reference-H5", "reference-H1+H6"])
def test_libroadrunner_solves_what_ships_to_the_same_numbers(name: str) -> None:
    roadrunner = pytest.importorskip("roadrunner")
    runner = roadrunner.RoadRunner(str(FOLDER / f"{name}.xml"))
    runner.integrator.relative_tolerance, runner.integrator.absolute_tolerance = 1e-12, 1e-14
    # 100 mg of 17.3 kg/mol, of which 0.9 is absorbed.
    runner["A_d"] = 0.9 * 100.0 / 17.3 * 1e3
    eventful = with_given(reference_model(hypothesis_named(NAMES[name])), [Given(0.0, {"sc": 100.0}, {})])
    names = [part.name for part in (*eventful.species, *eventful.observables)]
    found = np.array(runner.simulate(0.0, 28.0, 29, ["time", *names]))[1:, 1:]
    kernel = build(lower(eventful))
    values = {part.name: part.value for part in eventful.parameters}
    parameters = np.array([[values[parameter] for parameter in kernel.parameters]])
    own = solve(kernel, parameters, Schedule.empty(1), np.arange(29.0), tolerance=Tolerance(1e-11))
    places = [own.quantities.index(quantity) for quantity in names]
    scale = np.max(np.abs(own.values[0][:, places]), axis=0)
    assert np.all(np.abs(found - own.values[0][1:, places]) <= 1e-8 * scale)


def test_an_arm_in_which_infusions_are_events_has_every_unit_right(tmp_path: Path) -> None:
    model = reference_model(hypothesis_named("H1"))
    given = [Given(0.0, {"sc": 100.0}, {"iv": 3.0}), Given(2.5, {"sc": 50.0}, {"iv": 0.0})]
    eventful = with_given(model, given)
    amounts = {part.name: (part.value, part.unit.text) for part in eventful.parameters if "amount" in part.name}
    assert amounts == {"sc_amount": (100.0, "mg"), "sc_amount_2": (50.0, "mg")}
    path = tmp_path / "arm.xml"
    path.write_text(sbml_text(eventful), encoding="utf-8")
    document = libsbml.readSBMLFromFile(str(path))
    document.checkConsistency()
    assert [document.getError(index).getMessage() for index in range(document.getNumErrors())] == []
    check_units(open_sbml(path))


@pytest.mark.parametrize("name", ["hong2011", "hong2012", "schulz2009"])
def test_a_model_file_becomes_sbml_in_which_every_unit_is_right(name: str, tmp_path: Path) -> None:
    path = tmp_path / f"{name}.xml"
    assert outcome(["convert", str(shipped.root() / "models" / f"{name}.toml"), "-o", str(path)]) == 0
    document = libsbml.readSBMLFromFile(str(path))
    document.checkConsistency()
    assert [document.getError(index).getMessage() for index in range(document.getNumErrors())] == []
    check_units(open_sbml(path))


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("nM", [("mole", 1, -9, 1.0), ("litre", -1, 0, 1.0)]),
        ("cell/µL", [("item", 1, 6, 1.0), ("litre", -1, 0, 1.0)]),
        ("µkat/L", [("mole", 1, -6, 1.0), ("litre", -1, 0, 1.0), ("second", -1, 0, 1.0)]),
        ("1/h", [("second", -1, 0, 3600.0)]),
        ("%", [("dimensionless", 1, -2, 1.0)]),
        ("pg/mL/d", [("gram", 1, -9, 1.0), ("litre", -1, 0, 1.0), ("second", -1, 0, 86400.0)]),
        ("12 cm", [("metre", 1, -1, 1.0), ("dimensionless", 1, 0, 6.0), ("dimensionless", -1, 0, 5.0)]),
        ("1/(nM d)", [("mole", -1, -9, 1.0), ("litre", 1, 0, 1.0), ("second", -1, 0, 86400.0)]),
    ],
)
def test_a_unit_is_defined_in_what_si_has(text: str, parts: list[tuple[str, int, int, float]]) -> None:
    units = DeclaredUnits()
    identifier = units.of(unit(text))
    (line,) = (line for line in units.lines() if f'id="{identifier}"' in line)
    found = [dict(re.findall(r'(\w+)="([^"]*)"', part)) for part in re.findall("<unit [^>]*/>", line)]
    rows = [(row["kind"], int(row["exponent"]), int(row["scale"]), float(row["multiplier"])) for row in found]
    assert sorted(rows) == sorted(parts)


UNITS_OF_SBML = """
[parameters]
k = "0.05 1/second"
size = "2 litre"
[species.A]
unit = "mole"
initial = 2
[species.G]
unit = "gram"
initial = 1
[species.T]
unit = "kelvin"
initial = 300
[reactions.loss]
rate = "k*A"
change = { A = -1 }
[reactions.decay]
rate = "k*G"
change = { G = -1 }
[reactions.cooling]
rate = "k*T"
change = { T = -1 }
[observables.late]
unit = "second"
expression = "t"
[observables.level]
unit = "mole/litre"
expression = "A/size"
"""


def test_no_unit_has_a_name_that_sbml_has_for_its_own(tmp_path: Path) -> None:
    (tmp_path / "m.toml").write_text(UNITS_OF_SBML, encoding="utf-8")
    path = tmp_path / "m.xml"
    assert outcome(["convert", str(tmp_path / "m.toml"), "-o", str(path)]) == 0
    document = libsbml.readSBMLFromFile(str(path))
    document.checkConsistency()
    assert [document.getError(index).getMessage() for index in range(document.getNumErrors())] == []
    check_units(open_sbml(path))
