"""SBML out: another program solves it to the same numbers, and it is read back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("libsbml")

from simulate.exchange.sbml import read_sbml
from simulate.exchange.sbml.writing import sbml_text
from simulate.kernels.build import build
from simulate.kernels.system import lower
from simulate.solver import Schedule, Tolerance, solve
from simulate.symbolic.model import Model
from simulate.symbolic.modelfile import read_model
from tests.helpers.models import reference_model
from tests.symbolic.test_switching import PULSE

EXTRA = """
[parameters.per_h]
value = 0.25
unit = "1/h"

[species.M]
unit = "pM"
initial = "low/2"

[definitions.factor]
expression = "1/3 + min(C/low, 2)*exp(-t*k)"

[reactions.making]
rate = "per_h*factor*C"
change = { M = 2 }

[observables.both]
unit = "nM"
expression = "C + M"
"""
TIMES = np.linspace(0.0, 6.0, 13)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    path = tmp_path_factory.mktemp("out") / "pulse.toml"
    path.write_text(PULSE + EXTRA, encoding="utf-8")
    return read_model(path).compose()


def course(model: Model) -> dict[str, np.ndarray]:
    kernel = build(lower(model))
    values = {part.name: part.value for part in model.parameters}
    parameters = np.array([[values[name] for name in kernel.parameters]])
    found = solve(kernel, parameters, Schedule.empty(1), TIMES, tolerance=Tolerance(1e-11))
    return dict(zip(found.quantities, found.values[0].T, strict=True))


def test_libroadrunner_solves_a_written_model_to_the_same_numbers(model: Model) -> None:
    roadrunner = pytest.importorskip("roadrunner")
    runner = roadrunner.RoadRunner(sbml_text(model))
    runner.integrator.relative_tolerance, runner.integrator.absolute_tolerance = 1e-12, 1e-14
    names = ["C", "M", "both"]
    result = np.array(runner.simulate(0.0, 6.0, 13, ["time", *names]))
    own = course(model)
    for column, name in enumerate(names, start=1):
        np.testing.assert_allclose(own[name], result[:, column], rtol=1e-8, atol=1e-12, err_msg=name)


def test_a_written_model_is_read_back_with_its_events(model: Model, tmp_path: Path) -> None:
    path = tmp_path / "model.xml"
    path.write_text(sbml_text(model), encoding="utf-8")
    again = read_sbml(path).model.compose()
    assert {event.name for event in again.events} == {"dose", "empty"}
    assert {species.name for species in again.species} == {"C", "N", "M"}


def test_the_reference_model_is_sound_sbml(tmp_path: Path) -> None:
    import libsbml

    document = libsbml.readSBMLFromString(sbml_text(reference_model()))
    document.setConsistencyChecks(libsbml.LIBSBML_CAT_UNITS_CONSISTENCY, False)
    document.setConsistencyChecks(libsbml.LIBSBML_CAT_MODELING_PRACTICE, False)
    document.checkConsistency()
    serious = [
        document.getError(index).getMessage()
        for index in range(document.getNumErrors())
        if document.getError(index).getSeverity() >= libsbml.LIBSBML_SEV_ERROR
    ]
    assert serious == []
