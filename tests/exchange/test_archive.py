"""COMBINE archives, by the rules of their formats, and doses as events, by a closed form and another program."""

from __future__ import annotations

import importlib.util
import io
import subprocess
import sys
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from simulate.cli.app import outcome
from simulate.exchange.archive import archive
from simulate.exchange.prescribed import with_given
from simulate.kernels.build import build
from simulate.kernels.system import lower
from simulate.solver import Schedule, Tolerance, solve
from simulate.studies.bare_models import scenario_for
from simulate.studies.prescriptions import Prescription, prescription_of

Capture = pytest.CaptureFixture[str]

MODEL = """
[parameters.k]
value = 0.5
unit = "1/d"

[parameters.v]
value = 2
unit = "L"

[species.A]
unit = "ug/L"
initial = 0

[reactions.loss]
rate = "k*A"
change = { A = -1 }

[routes.iv]
drug = "drug"
target = "A"
unit = "mg"
gain = "1/v"

[observables.twice]
unit = "ug/L"
expression = "2*A"
"""
SCENARIO = """
schema = 1
title = "two doses and an infusion"
[model]
file = "model.toml"
[time]
end = "4 d"
every = "0.5 d"
[cohort]
patients = 5
[[arm]]
name = "none"
regimen = "none"
[[arm]]
name = "drug"
regimen = "6 mg iv every 2 d x 2 and 4 mg iv at 1 d over 12 h"
parameters = { k = "0.25 1/d" }
"""
MAP = "{http://sed-ml.org/sed-ml/level1/version4}"
K, END = 0.25, 4.0


def amounts(times: np.ndarray) -> np.ndarray:
    """µg/L: two doses of 6 mg and an infusion of 8 mg a day for half a day into 2 L, less what is lost."""
    found = np.where(times >= 0.0, 3e3 * np.exp(-K * times), 0.0)
    found = found + np.where(times >= 2.0, 3e3 * np.exp(-K * (times - 2.0)), 0.0)
    given = np.clip(times - 1.0, 0.0, 0.5)
    return found + 4e3 / K * (np.exp(K * given) - 1.0) * np.exp(-K * np.maximum(times - 1.0, 0.0))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("archive")
    (folder / "model.toml").write_text(MODEL, encoding="utf-8")
    (folder / "scenario.toml").write_text(SCENARIO, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def prescribed(folder: Path) -> Prescription:
    return prescription_of(scenario_for(str(folder / "scenario.toml")), "drug")


@pytest.fixture(scope="module")
def content(prescribed: Prescription) -> dict[str, bytes]:
    found = archive(with_given(prescribed.model, prescribed.given), END, 8, prescribed.quantities, 1e-6)
    with zipfile.ZipFile(io.BytesIO(found)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def test_doses_and_infusions_are_events_of_the_model(prescribed: Prescription) -> None:
    model = with_given(prescribed.model, prescribed.given)
    assert model.routes == ()
    assert len(model.events) == 4
    times = np.linspace(0.0, END, 17)
    kernel = build(lower(model))
    values = {part.name: part.value for part in model.parameters}
    parameters = np.array([[values[name] for name in kernel.parameters]])
    found = solve(kernel, parameters, Schedule.empty(1), times, tolerance=Tolerance(1e-11)).values[0, 1:, 0]
    np.testing.assert_allclose(found, amounts(times[1:]), rtol=1e-9)


def test_what_a_scenario_says_and_a_model_does_not_is_listed(prescribed: Prescription) -> None:
    assert prescribed.left_out == (
        "how patients differ: the typical patient alone is left",
        "the other arms: none",
    )
    assert prescribed.quantities == ("twice",)


def test_another_program_replays_an_archive(content: dict[str, bytes]) -> None:
    roadrunner = pytest.importorskip("roadrunner")
    course = ElementTree.fromstring(content["simulation.sedml"]).find(f".//{MAP}uniformTimeCourse")
    assert course is not None
    steps, end = int(course.attrib["numberOfSteps"]), float(course.attrib["outputEndTime"])
    runner = roadrunner.RoadRunner(content["model.xml"].decode())
    runner.integrator.relative_tolerance, runner.integrator.absolute_tolerance = 1e-12, 1e-14
    result = np.array(runner.simulate(0.0, end, steps + 1, ["time", "twice"]))
    np.testing.assert_allclose(result[1:, 1], 2.0 * amounts(result[1:, 0]), rtol=1e-8)


def test_a_manifest_says_what_each_file_is(content: dict[str, bytes]) -> None:
    root = ElementTree.fromstring(content["manifest.xml"])
    assert root.tag == "{http://identifiers.org/combine.specifications/omex-manifest}omexManifest"
    formats = {row.attrib["location"]: row.attrib["format"].rpartition("/")[2] for row in root}
    assert formats == {
        ".": "omex",
        "./manifest.xml": "omex-manifest",
        "./model.xml": "sbml.level-3.version-2",
        "./simulation.sedml": "sed-ml.level-1.version-4",
    }
    assert [row.attrib["location"] for row in root if row.attrib.get("master") == "true"] == ["./simulation.sedml"]
    assert set(content) == {name.removeprefix("./") for name in formats} - {"."}


def test_whatever_sed_ml_refers_to_is_there(content: dict[str, bytes]) -> None:
    root = ElementTree.fromstring(content["simulation.sedml"])
    model = ElementTree.fromstring(content["model.xml"])
    known = {part.attrib["id"] for part in root.iter() if "id" in part.attrib}
    ids = [part.attrib["id"] for part in root.iter() if "id" in part.attrib]
    assert len(ids) == len(known)
    for part in root.iter():
        for key, value in part.attrib.items():
            if key.lower().endswith("reference"):
                assert value in known, (part.tag, key)
    places = [part.attrib["target"] for part in root.iter(f"{MAP}variable") if "target" in part.attrib]
    assert places == ["/sbml:sbml/sbml:model/sbml:listOfParameters/sbml:parameter[@id='twice']"]
    space = {"sbml": "http://www.sbml.org/sbml/level3/version2/core"}
    assert len(model.findall(places[0].replace("/sbml:sbml", ".", 1), space)) == 1
    order = [part.tag.removeprefix(MAP) for part in root]
    assert order == [f"listOf{name}" for name in ("Models", "Simulations", "Tasks", "DataGenerators", "Outputs")]
    assert {part.tag.removeprefix(MAP) for part in root.find(f"{MAP}listOfOutputs") or ()} == {"report", "plot2D"}


def test_libsedml_finds_no_fault(content: dict[str, bytes]) -> None:
    if importlib.util.find_spec("libsedml") is None:
        pytest.skip("python-libsedml is not installed")
    # By itself: libsbml has types of the same names, and does not work any more behind it.
    program = (
        "import sys, libsedml; found = libsedml.readSedMLFromString(sys.stdin.read()); "
        "print(found.getLevel(), found.getVersion(), found.getNumOutputs(), found.getErrorLog().toString())"
    )
    said = subprocess.run(
        [sys.executable, "-c", program], input=content["simulation.sedml"].decode(), capture_output=True, text=True,
        check=True, timeout=60,
    )  # fmt: skip
    assert said.stdout.split() == ["1", "4", "2"]


def test_an_archive_has_the_same_bytes_each_time(prescribed: Prescription) -> None:
    model = with_given(prescribed.model, prescribed.given)
    once, again = (archive(model, END, 8, prescribed.quantities, 1e-6) for _ in range(2))
    assert once == again


def test_an_arm_is_written_from_the_command_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(folder)
    assert outcome(["convert", "scenario.toml", "--arm", "drug", "-o", "drug.omex"]) == 0
    assert (
        capsys.readouterr().out.split()
        == (
            "wrote drug.omex: arm drug, 6 mg iv every 2 d x 2 and 4 mg iv from 1 d over 0.5 d; 2 states, 3 parameters, "
            "4 events, time in d"
        ).split()
    )
    assert zipfile.is_zipfile("drug.omex")
    assert outcome(["convert", "model.toml", "--end", "10 h", "-o", "model.omex"]) == 0
    assert zipfile.is_zipfile("model.omex")


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (
            ["scenario.toml", "-o", "x.omex"],
            3,
            "error[exchange.arm]: the scenario has several arms\n"
            "  --> scenario.toml\n"
            "  found:    none, drug\n"
            "  expected: --arm and one of them\n",
        ),
        (
            ["scenario.toml", "--arm", "drugs", "-o", "x.omex"],
            3,
            "error[exchange.arm]: the scenario has no arm `drugs`\n"
            "  --> scenario.toml\n"
            "  found:    none, drug\n"
            "  expected: --arm and one of them\n"
            "  try:      did you mean `drug`?\n",
        ),
        (
            ["model.toml", "--end", "3 d", "-o", "x.xml"],
            2,
            "error[usage.argument]: --end is for scenarios, and for an archive: a model is converted as it is\n",
        ),
        (
            ["scenario.toml", "--arm", "drug", "-o", "x.toml"],
            2,
            "error[usage.argument]: an arm of a scenario is written for other programs: a model file has routes, and "
            "no doses\n  expected: a name that ends in .xml, .sbml, .ant, .omex, .R, .cpp or .mod\n",
        ),
    ],
)
def test_what_cannot_be_written_is_refused(
    arguments: list[str], status: int, message: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(folder)
    assert outcome(["convert", *arguments]) == status
    assert capsys.readouterr().err == message
