from __future__ import annotations

import math

import numpy as np
import pytest

from simulate.biology.pharmacokinetics_twins import TWIN, plasma_model
from simulate.biology.reference import reference_model
from simulate.kernels.build import build
from simulate.kernels.system import lower
from simulate.regimen.steady import drug_half_life
from simulate.regimen.stops import compile_schedule
from simulate.regimen.tables import RUN_IN, parse_dose_table
from simulate.solver import Tolerance, solve


def test_the_half_life_of_anakinra_is_that_of_its_absorption() -> None:
    assert drug_half_life(reference_model(), "sc") == pytest.approx(math.log(2) / 4.1)


def test_twins_have_one_slowest_half_life() -> None:
    assert drug_half_life(plasma_model(None, TWIN), "sc") == pytest.approx(math.log(2) / 4.1)


def test_children_forget_more_slowly() -> None:
    assert drug_half_life(plasma_model("urien-2013"), "sc") == pytest.approx(math.log(2) * 65.2 / 6.24 / 24)


def test_doses_that_stand_for_a_steady_state_reach_it_within_a_thousandth() -> None:
    model = plasma_model("urien-2013")
    half_life = drug_half_life(model, "sc")
    assert half_life is not None
    # An interval as short as the rule allows: a half-life.
    hours = math.ceil(half_life * 24 * 100) / 100
    begin = RUN_IN * hours + 1
    text = f"TIME,AMT,SS,II,ADDL\n{begin},100,1,{hours},60\n"
    plan = parse_dose_table(text, time="h", amount="mg").plan(model.routes, half_lives={"sc": half_life})
    times = (begin + hours * np.array([0.0, 60.0])) / 24
    values = np.array([[parameter.value for parameter in model.parameters]])
    course = solve(
        build(lower(model)), values, compile_schedule([plan], model.routes), times, tolerance=Tolerance(1e-10)
    )
    first, last = course.quantity("anakinra")[0]
    assert first == pytest.approx(last, rel=1e-3)
