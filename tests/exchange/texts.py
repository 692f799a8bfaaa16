"""Models for the texts of programs of R, and points at which what is written is compared with the twin in NumPy."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from simulate import shipped
from simulate.biology.hypotheses import HYPOTHESES
from simulate.biology.options import OPTIONS
from simulate.exchange.prescribed import Given, with_given, with_rates
from simulate.kernels.build import build
from simulate.kernels.reference import _Functions
from simulate.kernels.system import lower
from simulate.solver import Schedule, Tolerance, solve
from simulate.symbolic.model import Model
from simulate.symbolic.modelfile import read_model
from tests.helpers.models import reference_model

SWITCHING = """
[parameters]
k = "0.3 1/d"
rate = "0.5 1/d"
low = "0.5 nM"
per_L = "0.4 1/L"
power = 0.25

[species.C]
unit = "nM"
initial = "4*low"
[species.R_C]
unit = "pM"
initial = 250
[species._in]
unit = "1"
initial = 1

[definitions]
C_0 = { unit = "1", expression = "1/3 + C/low" }

[definitions._0]
unit = "1"
expression = "piecewise(1, C > low and t*k <= 2 or not C == low, sin(t*k), C >= 2*low, -floor(C/low))"

[reactions.loss]
rate = "k*C*min(C_0, 2, max(_in, 1/2))**power"
change = { C = -1, R_C = 2 }
[reactions.other]
rate = "rate*(abs(_0) + exp(-_in) + log(1 + _in) + sqrt(_in) + tanh(_in)**3 + atan(_in) + acos(_in/9) + asin(_in/9))"
change = { _in = "cos(t*k)*tan(_in/20)" }

[routes.pill]
drug = "C"
target = "C"
unit = "mol"
gain = "2*per_L"

[observables.double]
unit = "%"
expression = "_0 + _in"
"""

EVENT = """
[events.empty]
when = "C <= low"
set = { C = 0 }
"""

SECOND_ROUTE = """
[routes.drop]
drug = "C"
target = "C"
unit = "mol"
gain = "per_L"
"""


SAMPLE = ("H2", "H3b", "H5", "H2-switch", "binding", "cytokines", "ck-drift", "response", "hong2011", "schulz2009")
"""Models that differ in what their formulas are made of."""


@functools.cache
def shipped_models() -> dict[str, Model]:
    """Every model and hypothesis that ships, by name."""
    found = {"reference": reference_model()}
    found |= {one.name: reference_model(one) for one in (*HYPOTHESES, *OPTIONS)}
    folder = shipped.root() / "models"
    return found | {path.stem: read_model(path).compose() for path in sorted(folder.glob("*.toml"))}


def given_to(model: Model) -> list[Given]:
    """A dose by each route, and an infusion by the first."""
    doses = {route.name: 3.0 for route in model.routes}
    return (
        [Given(0.5, doses, {model.routes[0].name: 2.0}), Given(1.25, {}, {model.routes[0].name: 0.0})] if doses else []
    )


class Twin:
    """Right-hand side, start and observables of a model in NumPy, for an infusion as a state of its own."""

    def __init__(self, model: Model) -> None:
        self.written, self.model = model, with_rates(model, given_to(model))
        self.functions = _Functions(lower(self.model))
        values = {part.name: part.value for part in model.parameters}
        parameters = np.array([values[name] for name in self.functions.system.parameters])
        self.constants = self.functions.constants(parameters)
        self.start = self.functions.initial(self.constants)
        self.states = [part.name for part in self.model.species]
        self.observables = [part.name for part in self.model.observables]

    def points(self) -> np.ndarray:
        """Times and states, one point a row: the start, and four about it."""
        rng = np.random.default_rng(7)
        size = np.where(self.start == 0.0, 1.0, self.start)
        states = np.vstack([self.start, size * rng.uniform(0.3, 3.0, (4, len(size)))])
        return np.column_stack([np.r_[0.0, rng.uniform(0.0, 40.0, 4)], states])

    def values(self, points: np.ndarray) -> np.ndarray:
        """Rates and observables at points, one a row."""
        fed = np.zeros(len(self.functions.system.routes))
        return np.array(
            [
                np.r_[
                    self.functions.rhs(point[0], point[1:], self.constants, fed),
                    self.functions.observed(point[0], point[1:], self.constants),
                ]
                for point in points
            ]
        )

    def gains(self) -> Mapping[str, float]:
        """What a dose of 1 by each route adds to its state."""
        names = [route.name for route in self.model.routes]
        return dict(zip(names, self.functions.gains(self.constants), strict=True))


@functools.cache
def twins_of_sample() -> dict[str, Twin]:
    """Models of `SAMPLE` with their twins, by name."""
    return {name: Twin(shipped_models()[name]) for name in SAMPLE}


def switching_model(folder: Path, more: str = "") -> Model:
    """A model with every function, and names that R or C++ have for themselves."""
    path = folder / "switching.toml"
    path.write_text(SWITCHING + more, encoding="utf-8")
    return read_model(path).compose()


def course(model: Model, times: np.ndarray) -> np.ndarray:
    """States of the engine at times, one a row, under what is `given_to` a model."""
    eventful = with_given(model, given_to(model))
    kernel = build(lower(eventful))
    values = {part.name: part.value for part in eventful.parameters}
    parameters = np.array([[values[name] for name in kernel.parameters]])
    found = solve(kernel, parameters, Schedule.empty(1), times, tolerance=Tolerance(1e-11))
    return found.values[0, :, : len(model.species)]


def assert_agree(twins: Mapping[str, Twin], found: Mapping[str, np.ndarray]) -> None:
    """Hold start, gains, and rates and observables at the points of models against the twin."""
    for name, twin in twins.items():
        expected = twin.values(twin.points())
        gains = {route.target.name: twin.gains()[route.name] for route in twin.model.routes}
        head = np.r_[twin.start, list(gains.values())]
        np.testing.assert_allclose(found[name][: len(head)], head, rtol=1e-12, err_msg=name)
        rest = found[name][len(head) :].reshape(expected.shape)
        # At the steady baseline rates are differences of equal terms.
        allowed = 1e-11 * (np.abs(expected) + np.max(np.abs(expected), axis=0))
        assert np.all(np.abs(rest - expected) <= allowed), name
