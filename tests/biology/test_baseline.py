from __future__ import annotations

from fractions import Fraction
from functools import reduce
from itertools import combinations
from operator import add

import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from simulate.biology.cd4 import LINEAGES
from simulate.biology.hypotheses import H1, H2, H3A, H4
from simulate.solver.trajectories import Status
from simulate.symbolic.balance import residual
from simulate.symbolic.hypothesis import NONE, Hypothesis
from simulate.symbolic.model import Model
from simulate.symbolic.parts import Parameter
from tests.biology.typical import model_of, patient, reading
from tests.helpers.models import reference_model

COMBINATIONS = [reduce(add, chosen, NONE) for size in range(5) for chosen in combinations((H1, H2, H3A, H4), size)]


def typical(model: Model) -> dict[str, sympy.Rational]:
    return {parameter.name: sympy.Rational(str(parameter.value)) for parameter in model.parameters}


@pytest.mark.parametrize("hypothesis", COMBINATIONS, ids=lambda hypothesis: hypothesis.name)
def test_the_baseline_is_exactly_steady_under_every_combination_of_hypotheses(hypothesis: Hypothesis) -> None:
    model = reference_model(hypothesis)
    rates = residual(model, typical(model))
    assert set(rates.values()) == {sympy.Integer(0)}
    assert len(rates) == len(model.species)


def within_bounds(parameter: Parameter) -> st.SearchStrategy[Fraction]:
    assert parameter.bounds is not None
    low, high = (Fraction(str(bound)) for bound in parameter.bounds)
    return st.fractions(min_value=low, max_value=high, max_denominator=max(1000, low.denominator, high.denominator))


@settings(max_examples=10)
@given(data=st.data())
def test_the_baseline_is_exactly_steady_for_any_patient(data: st.DataObject) -> None:
    model = reference_model(H1 + H2 + H3A + H4)
    values = typical(model)
    for parameter in model.parameters:
        if parameter.bounds is not None:
            drawn = data.draw(within_bounds(parameter), label=parameter.name)
            values[parameter.name] = sympy.Rational(drawn.numerator, drawn.denominator)
    assert set(residual(model, values).values()) == {sympy.Integer(0)}


def test_a_patient_is_at_baseline_what_was_measured() -> None:
    course = patient("H1+H3a+H4")
    before = {name: reading(course, name, 0) for name in course.quantities}
    assert before["cd45ro"] == pytest.approx(60.0)
    assert before["serum_il1ra"] == pytest.approx(1850.0)
    assert before["ck"] == pytest.approx(5.4)
    assert before["naive"] == pytest.approx(280.0)
    assert before["E1"] + before["M1"] == pytest.approx(0.25 * 420.0)
    assert before["E17"] + before["M17"] == pytest.approx(0.015 * 420.0)
    in_blood = ["N", *(species.name for lineage in LINEAGES for species in (lineage.effector, lineage.memory))]
    assert sum(before[name] for name in in_blood) == pytest.approx(700.0)
    for relative in ("signal_lymph", "signal_muscle", "inflammation", "damage"):
        assert before[relative] == pytest.approx(100.0)


def test_the_baseline_readouts_do_not_depend_on_the_hypothesis() -> None:
    for hypothesis in ("H1", "H2", "H3a", "H4", "H1+H3a+H4"):
        for readout in ("ifng", "il17a", "cd45ro", "ck", "serum_il1ra"):
            assert reading(patient(hypothesis), readout, 0) == pytest.approx(reading(patient("H0"), readout, 0))


def test_primed_cells_are_shared_out_completely() -> None:
    for hypothesis in ("H0", "H1"):
        written = {definition.symbol: definition.expression for definition in model_of(hypothesis).definitions}
        factor = {symbol: written[symbol] for symbol in written if symbol.name in ("r_17", "q_freed")}
        total = sympy.Add(*(written[lineage.share] for lineage in LINEAGES)).xreplace(factor).xreplace(factor)
        before = sympy.Add(*(lineage.share_before for lineage in LINEAGES))
        assert sympy.simplify(total - before) == 0


@pytest.mark.parametrize(
    ("overrides", "reason"),
    [
        (
            {"r_DP": 0.1},
            "more Th17 cells turn into double positives than double positives are lost: they are too few for this rate",
        ),
        (
            {"r_ex": 0.3},
            "more double positives turn into ex-Th17 cells than ex-Th17 cells are lost: they are too few for this rate",
        ),
        (
            {"f_Th1": 0.99},
            "Th1, Th17, double-positive and ex-Th17 cells together exceed all CD45RO cells",
        ),
        ({"f_RO": 1.2}, "the share of CD45RO among CD4 cells exceeds 1"),
        ({"w_I": 0.7}, "the weights of IL-17 and of IL-1 in muscle inflammation exceed 1 together"),
        ({"chi": 1.1}, "the share of damage that no IL-1 drives exceeds 1"),
        ({"x_c": -2.0}, "IL-1 cannot lower the rate of conversion below zero"),
    ],
)
def test_a_patient_without_a_steady_baseline_is_refused_with_the_reason(
    overrides: dict[str, float], reason: str
) -> None:
    course = patient("H2", **overrides)
    assert course.status.tolist() == [Status.INFEASIBLE]
    assert [failure.reason for failure in course.failures] == [f"the parameters admit no steady baseline: {reason}"]
