"""Which method suits a model."""

from __future__ import annotations

from simulate.solver.methods import DOPRI5, TAYLOR
from simulate.studies.methods import quickest_method
from simulate.studies.models import find_model
from simulate.symbolic.composition import compose
from simulate.symbolic.parts import Mechanism, Observable, Parameter, Reaction, Species
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
