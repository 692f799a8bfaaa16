"""Gradient and curvature of what fits of estimation problems minimize."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("libsbml")
pytest.importorskip("yaml")

from simulate.exchange.petab.reading import read_petab
from simulate.studies.petab.objective import objective_of
from simulate.studies.petab.slopes import slopes_of
from tests.exchange.models import TIME, apply, cn, event, parameter
from tests.exchange.models import ci as name
from tests.exchange.problems import FIRST, MODEL, write_problem

K, A0, SIGMA = 0.5, 2.0, 0.25
FIXED = FIRST["parameters"].replace("0.5 1", "0.5 0").replace("10 2 1", "10 2 0")


def test_where_a_derivative_does_not_exist_there_is_a_central_difference_and_its_number_is_told(
    tmp_path: Path,
) -> None:
    # A gets 1 more at time 1, and turns twice as fast from tau on: at tau = 1 nobody knows which comes first.
    events = event("more", apply("geq", TIME, cn(1.0)), {"A": apply("plus", name("A"), cn(1.0))})
    events += event("faster", apply("geq", TIME, name("tau")), {"fast": cn(2.0)})
    model = MODEL.replace("</model>", f"<listOfEvents>{events}</listOfEvents></model>")
    model = model.replace(
        "</listOfParameters>", f"{parameter('fast', 1.0, 'false')}{parameter('tau', 1.0)}</listOfParameters>"
    )
    model = model.replace(
        apply("times", name("c"), name("k"), name("A")), apply("times", name("c"), name("k"), name("fast"), name("A"))
    )
    assert "fast</ci>" in model
    path = write_problem(
        tmp_path,
        model=model,
        parameters=FIXED + "\ntau lin 0.5 2 1 1",
        measurements="observableId simulationConditionId time measurement\no c0 3 0.8",
    )
    problem = objective_of(read_petab(path), rtol=1e-10, threads=1)
    score = problem(problem.nominal(), gradient=True)
    assert score.gradient is not None
    assert np.isnan(score.gradient).all()
    told: list[int] = []
    (slope,) = slopes_of(problem, told=told.append)(problem.nominal()[np.newaxis])
    assert told == [1]
    kept = math.exp(-4.0 * K)
    end = (A0 * math.exp(-K) + 1.0) * kept
    sides = np.array([K * A0 * math.exp(-K) * kept, K * end])
    residual = (0.8 - end) / SIGMA
    assert slope.gradient[0] == pytest.approx(-residual * sides.mean() / SIGMA, rel=1e-4)
    assert slope.curvature[0, 0] == pytest.approx((sides.mean() / SIGMA) ** 2, rel=1e-4)
    assert slopes_of(problem)(np.array([[1.1]]))[0].gradient[0] != slope.gradient[0]
    assert told == [1]
