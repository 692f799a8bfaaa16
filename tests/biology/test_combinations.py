"""Hypotheses and optional mechanisms combine with one another, and every baseline is exactly steady."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations

import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from simulate.biology.conversion import H2_IL12
from simulate.biology.hypotheses import H1, H2, HYPOTHESES
from simulate.biology.priming_by_cytokines import H1_IL6_IL12
from simulate.errors import InputError
from simulate.symbolic.balance import residual, violated
from simulate.symbolic.parts import Parameter
from tests.biology.courses import MECHANISMS, model_of

NAMES = [value.name for value in (*HYPOTHESES, *MECHANISMS)]
FINER = ["H1-il6-il12", "H1-cytokines", "H2-il12", "H2-cytokines", "H1-cytokines+H2-cytokines", "H1-il6-il12+H2-il12"]
ALL_BUT_RENEWAL = "+".join(name for name in NAMES if name != "renewal")


@pytest.mark.parametrize("names", [*map("+".join, combinations(NAMES[1:], 2)), *FINER, "+".join(NAMES)])
def test_every_pair_composes_with_an_exactly_steady_baseline(names: str) -> None:
    rates = residual(model_of(names))
    assert set(rates.values()) == {sympy.Integer(0)}


def within_bounds(parameter: Parameter) -> st.SearchStrategy[Fraction]:
    assert parameter.bounds is not None
    low, high = (Fraction(str(bound)) for bound in parameter.bounds)
    return st.fractions(min_value=low, max_value=high, max_denominator=max(1000, low.denominator, high.denominator))


@settings(max_examples=10)
@given(data=st.data())
def test_all_of_them_together_are_steady_for_any_patient(data: st.DataObject) -> None:
    model = model_of("+".join(NAMES))
    fixed = ("molar_mass",)
    values = {
        parameter.name: data.draw(within_bounds(parameter), label=parameter.name)
        for parameter in model.parameters
        if parameter.name not in fixed
    }
    assert set(residual(model, values).values()) == {sympy.Integer(0)}


def test_the_typical_patient_has_a_baseline_under_all_but_fast_conversion_with_slow_inflow() -> None:
    assert violated(model_of(ALL_BUT_RENEWAL)) == ()
    assert [condition.reason for condition in violated(model_of("H2+renewal"))][:2] == [
        "more Th17 cells turn into double positives than double positives are lost: they are too few for this rate",
        "more double positives turn into ex-Th17 cells than ex-Th17 cells are lost: they are too few for this rate",
    ]
    assert violated(model_of("H2+renewal"), {"k_c": 0.001, "r_DP": 1.0}) == ()


def test_two_forms_of_one_mechanism_are_refused() -> None:
    with pytest.raises(InputError) as caught:
        H1 + H1_IL6_IL12
    assert caught.value.code == "hypothesis.conflict"
    with pytest.raises(InputError) as caught:
        H2 + H2_IL12
    assert caught.value.code == "hypothesis.conflict"


@pytest.mark.parametrize(
    ("names", "overrides", "reason"),
    [
        ("renewal", {"renewed": 1.1}, "memory makes good more than all of its loss and would grow"),
        (
            "renewal",
            {"p_TEM": 0.002, "p_TCM": 0.002},
            "Th1 memory divides too slowly to make good this share of its loss",
        ),
        ("treg-leak", {"k_leak": 0.01}, "Th17 memory would need a negative inflow to stay as it is"),
        ("treg-leak", {"f_reg": 0.6}, "regulatory memory would need more than all that becomes memory"),
        ("cd28null", {"f_28null": 1.2}, "CD28null cells exceed Th1 memory"),
        ("expansion", {"g_clone": 1.2}, "IL-1 cannot account for more than the whole of a clone"),
        ("H3b", {"lic": 1.2}, "IL-1 cannot license more than all of a readout"),
        ("H5", {"taper_start": -1.0}, "the steroid taper starts before the baseline"),
        ("H5", {"taper_rest": 1.5}, "the dose of steroids at the end of a taper exceeds that before"),
        ("H5", {"gc1": 1.5}, "steroids cannot account for more than the whole of a loss or of priming"),
    ],
)
def test_a_patient_without_a_baseline_is_refused_with_the_reason(
    names: str, overrides: dict[str, float], reason: str
) -> None:
    assert reason in [condition.reason for condition in violated(model_of(names), overrides)]
