"""Which method suits a model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import sympy
from scipy.optimize import brentq

from simulate.cohort.arms import Arm
from simulate.cohort.draws import typical
from simulate.cohort.ensemble import simulate_cohort
from simulate.cohort.population import Population
from simulate.kernels.of_model import quickest_method
from simulate.regimen.words import parse_regimen
from simulate.solver import Action, Rule
from simulate.solver.methods import DOPRI5, TAYLOR
from simulate.studies.models import find_model
from simulate.symbolic.composition import compose
from simulate.symbolic.parts import Event, Mechanism, Observable, Parameter, Reaction, Species
from simulate.symbolic.switching import above
from simulate.symbolic.symbols import TIME
from simulate.symbolic.units import DIMENSIONLESS, unit

X = Species("x", "something", DIMENSIONLESS, initial=1)
K = Parameter("k", "rate", 1.0, unit("1/d"))


def test_a_model_that_has_series_everywhere_is_solved_by_them() -> None:
    assert quickest_method(find_model(None, ["H1", "ck-drift", "response"])) is TAYLOR


def test_a_model_with_a_root_of_a_state_is_solved_in_steps_of_stages() -> None:
    root = Mechanism(
        "root",
        "A root",
        species=(X,),
        reactions=(Reaction("loss", K * X**0.5, {X: -1}),),
        observables=(Observable("seen", "what is seen", DIMENSIONLESS, X.symbol),),
    )
    model = compose([root], name="root", title="a root", values={"k": K})
    assert quickest_method(model) is DOPRI5


def test_what_passes_and_returns_within_a_long_step_of_series_is_seen_by_default() -> None:
    """Nothing moves but what the event adds: sin(10 t) falls below zero at π/10, 3π/10, ... 9 times by t = 5.5."""
    below = Event("below", above(0, sympy.sin(10 * K * TIME)), {X: X + 1})
    counting = Mechanism(
        "counting",
        "Counting",
        species=(X,),
        events=(below,),
        observables=(Observable("seen", "x", DIMENSIONLESS, X.symbol),),
    )
    model = compose([counting], name="counting", title="counting", values={"k": K})
    assert quickest_method(model) is DOPRI5
    times = np.array([0.0, 0.3, 0.4, 5.5])
    found = simulate_cohort(model, [Arm("none", parse_regimen("none"))], typical(Population(())), times)
    assert found.quantity("x")[0, 0].tolist() == [1.0, 1.0, 2.0, 10.0]


def test_a_rule_sees_a_peak_that_a_long_step_of_series_would_pass() -> None:
    """x' = -0.7 x, y' = 0.7 x - 0.5 y from (10, 0): y = 35 (exp(-0.5 t) - exp(-0.7 t)), highest at log(1.4)/0.2."""
    y = Species("y", "what it becomes", DIMENSIONLESS, initial=0)
    chain = Mechanism(
        "chain",
        "A chain",
        species=(replace(X, initial=10), y),
        reactions=(
            Reaction("turn", 0.7 * K * X, {X: -1, y: 1}),
            Reaction("loss", 0.5 * K * y, {y: -1}),
        ),
        observables=(Observable("seen", "what is seen", DIMENSIONLESS, y.symbol),),
    )
    model = compose([chain], name="chain", title="a chain", values={"k": K})
    assert quickest_method(model) is TAYLOR
    assert quickest_method(model, watched=True) is DOPRI5

    def level(t: float) -> float:
        return 35.0 * (np.exp(-0.5 * t) - np.exp(-0.7 * t))

    enough = 0.99 * level(np.log(1.4) / 0.2)
    passing = brentq(lambda t: level(t) - enough, 0.0, np.log(1.4) / 0.2)
    arm = Arm("watched", parse_regimen("none"), rules=(Rule("y", enough, rising=True, action=Action.END),))
    found = simulate_cohort(model, [arm], typical(Population(())), np.array([0.0, 20.0]))
    assert [one.day for one in found.occurrences] == [pytest.approx(passing, abs=1e-5)]
