"""Receptor numbers and the decoy: what a cell makes of the same IL-1."""

from __future__ import annotations

from functools import cache

import pytest
from sympy import Symbol

from simulate.biology.cell_receptors import (
    H1_ON_ACTIVATED,
    NUMBER,
    RECEPTOR_DECOY,
    RECEPTOR_NUMBER,
    RECEPTOR_NUMBER_AND_DECOY,
)
from simulate.biology.hypotheses import H1, H3A
from simulate.biology.reference import parameter_table
from simulate.errors import InputError
from simulate.symbolic.balance import residual
from simulate.symbolic.hypothesis import NONE, Hypothesis
from simulate.symbolic.model import Model
from tests.biology.variants import change
from tests.helpers.models import reference_model

TROUGH = 25.0
"""IL-1Ra over its dissociation constant just before a dose, of the typical patient."""

models = cache(reference_model)


def written_out(model: Model, name: str, given: dict[str, float]) -> float:
    """A definition at given parameters, species and IL-1Ra at the receptor."""
    expression = Symbol(name)
    written = {part.symbol: part.expression for part in model.definitions if part.name not in given}
    while rest := expression.free_symbols & written.keys():
        expression = expression.xreplace({symbol: written[symbol] for symbol in rest})
    return float(expression.xreplace({Symbol(name): value for name, value in given.items()}))


def signal(receptors: Hypothesis, key: str, *, il1ra: float = 1.07, **overrides: float) -> float:
    """Signal at equilibrium for IL-1Ra over its dissociation constant; 1.07 is the patient's own."""
    given = {name: parameter.value for name, parameter in parameter_table().items()} | overrides
    return written_out(models(receptors), f"S_{key}", given | {"rho_lymph": il1ra})


def left(receptors: Hypothesis, key: str, **overrides: float) -> float:
    return signal(receptors, key, il1ra=TROUGH, **overrides) / signal(receptors, key, **overrides)


def test_an_activated_cell_hears_the_same_il1_louder_than_a_resting_one_and_is_harder_to_block() -> None:
    assert signal(RECEPTOR_NUMBER, "activated") > 5 * signal(RECEPTOR_NUMBER, "lymph")
    assert left(RECEPTOR_NUMBER, "activated", il1_lymph=0.02) > left(RECEPTOR_NUMBER, "lymph", il1_lymph=0.02)


def test_the_signal_grows_with_the_number_of_receptors_and_is_that_of_the_reference_at_its_own_number() -> None:
    heard = [signal(RECEPTOR_NUMBER, "lymph", n_resting=number) for number in (10, 40, 100, 350)]
    assert heard == sorted(heard)
    assert signal(RECEPTOR_NUMBER, "lymph", n_resting=10 / 0.03) == pytest.approx(signal(NONE, "lymph"))


@pytest.mark.parametrize("fold", [2.0, 5.0])
def test_a_decoy_is_a_higher_dissociation_constant_of_il1_and_leaves_that_of_il1ra(fold: float) -> None:
    decoyed = signal(RECEPTOR_DECOY, "activated", decoy_fold=fold)
    assert decoyed == pytest.approx(signal(NONE, "lymph", il1_lymph=0.0019 / fold))
    assert decoyed < signal(NONE, "lymph")


def test_a_decoy_makes_the_drug_more_effective_near_saturation_and_cancels_in_the_linear_range() -> None:
    assert left(RECEPTOR_DECOY, "activated", il1_lymph=1.0) < 0.85 * left(NONE, "lymph", il1_lymph=1.0)
    assert left(RECEPTOR_DECOY, "activated", il1_lymph=1e-5) == pytest.approx(
        left(NONE, "lymph", il1_lymph=1e-5), rel=1e-3
    )


def test_number_and_decoy_together_are_both() -> None:
    assert signal(RECEPTOR_NUMBER_AND_DECOY, "lymph") == signal(RECEPTOR_NUMBER, "lymph")
    assert signal(RECEPTOR_NUMBER_AND_DECOY, "activated") == pytest.approx(
        signal(RECEPTOR_NUMBER, "activated", il1_lymph=0.0019 / 2)
    )


def test_cells_without_receptors_dilute_the_signal_of_a_population() -> None:
    """Few naive cells have receptors, more memory cells do, and activated cells most."""
    means = {part.name: part.expression for part in NUMBER.observables}
    shares = {name: means[f"mean_signal_{name}"].free_symbols for name in ("naive", "memory", "activated")}
    table = parameter_table()
    found = [
        table[symbol.name].value
        for name in ("naive", "memory", "activated")
        for symbol in shares[name]
        if symbol.name == f"share_{name}"
    ]
    assert found == [0.02, 0.15, 0.30]


@pytest.mark.parametrize(
    "receptors", [RECEPTOR_DECOY, RECEPTOR_NUMBER, RECEPTOR_NUMBER_AND_DECOY], ids=lambda hypothesis: hypothesis.name
)
def test_priming_may_see_activated_cells_while_memory_sees_resting_ones(receptors: object) -> None:
    model = reference_model(H1_ON_ACTIVATED + H3A + receptors)  # type: ignore[operator]
    written = {part.name: part.expression for part in model.definitions}
    assert Symbol("relative_signal_activated") in written["r_17"].free_symbols
    assert Symbol("relative_signal_lymph") in written["loss_17"].free_symbols
    assert set(residual(model).values()) == {0}


def test_priming_through_activated_cells_is_h1_until_they_have_receptors_of_their_own_kind() -> None:
    assert change(H1_ON_ACTIVATED, "il17a") == change(H1, "il17a")
    spared = change(H1_ON_ACTIVATED + RECEPTOR_NUMBER, "il17a", il1_lymph=0.02)
    assert spared > change(H1 + RECEPTOR_NUMBER, "il17a", il1_lymph=0.02) + 0.01


def test_priming_through_activated_cells_is_no_addition_to_h1() -> None:
    with pytest.raises(InputError, match="replaces `priming` in two ways"):
        _ = H1 + H1_ON_ACTIVATED


def test_number_and_decoy_are_two_options() -> None:
    assert (RECEPTOR_NUMBER + RECEPTOR_DECOY).replace == RECEPTOR_NUMBER_AND_DECOY.replace
