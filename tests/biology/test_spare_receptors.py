"""Spare receptors read in two ways, against the reported values."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from sympy import Symbol

from simulate.biology.cell_receptors import RECEPTOR_NUMBER
from simulate.biology.occupancy import bound
from simulate.biology.receptors import AFFINITY, AFFINITY_BINARY, SPARE_A, SPARE_B
from simulate.biology.reference import parameter_table
from simulate.errors import InputError
from simulate.solver import Trajectories
from simulate.symbolic.balance import residual
from tests.biology.variants import STEADY_DAY, course, values
from tests.helpers.models import reference_model

HYPOTHESES = {"A": SPARE_A, "B": SPARE_B}
K_1 = parameter_table()["K_1"].value

# IL-1 in nM, option: signal before the drug; % left as mean of 24 h, at the trough, as mean with a tenth of the drug.
PRINTED = {
    (0.0029, "A"): (0.13, 2, 9, 17),
    (0.0029, "B"): (0.42, 4, 16, 26),
    (0.029, "A"): (0.60, 5, 19, 29),
    (0.029, "B"): (0.71, 19, 54, 59),
    (0.29, "A"): (0.91, 22, 60, 64),
    (0.29, "B"): (0.76, 58, 92, 91),
}


@cache
def steady_day(option: str, il1: float, f_m: float) -> Trajectories:
    """The conditions of the printed table: IL-1 and the patient's own IL-1Ra constant, absorption half-life 4 h."""
    conditions = {"a_fb": 0.0, "eps": 0.0, "k_a": np.log(2) * 6, "CL": 0.9 * 216, "V": 0.9 * 12.75}
    return course(HYPOTHESES[option], STEADY_DAY, doses=10, il1_muscle=il1 / K_1, f_m=f_m, **conditions)


def signal_before(option: str, il1: float) -> float:
    """Signal in muscle before treatment, by the formula of the evidence base."""
    table = {name: parameter.value for name, parameter in parameter_table().items()}
    model = reference_model(HYPOTHESES[option])
    given = {Symbol(name): value for name, value in table.items()}
    given |= {Symbol("L_m"): il1 / K_1, Symbol("rho_muscle"): table["R_0"] / table["molar_mass"] / table["K_Ra"]}
    written = {part.symbol: part.expression for part in model.definitions if part.symbol not in given}
    expression = Symbol("S_muscle")
    while rest := expression.free_symbols & written.keys():
        expression = expression.xreplace({symbol: written[symbol] for symbol in rest})
    return float(expression.xreplace(given))


@pytest.mark.parametrize(("il1", "option"), PRINTED)
def test_the_table_of_signals_left_is_reproduced_within_its_rounding(il1: float, option: str) -> None:
    before, mean, trough, penetrated = PRINTED[il1, option]
    assert signal_before(option, il1) == pytest.approx(before, abs=0.0051)
    left = values(steady_day(option, il1, 1.0), "signal_muscle")
    assert left[1:-1].mean() == pytest.approx(mean, abs=0.51)
    assert left[-1] == pytest.approx(trough, abs=0.51)
    assert values(steady_day(option, il1, 0.1), "signal_muscle")[1:-1].mean() == pytest.approx(penetrated, abs=0.51)


@pytest.mark.parametrize("il1", [0.0029, 0.029, 0.29])
def test_both_readings_have_the_same_il1_and_the_tighter_one_leaves_more_signal(il1: float) -> None:
    a, b = steady_day("A", il1, 1.0), steady_day("B", il1, 1.0)
    np.testing.assert_allclose(values(a, "il1_in_muscle"), il1 * 17.4 * 1000, rtol=1e-7)
    np.testing.assert_array_max_ulp(values(a, "il1_in_muscle"), values(b, "il1_in_muscle"), 2)
    assert np.all(values(b, "signal_muscle")[1:] > values(a, "signal_muscle")[1:])


def test_option_a_is_the_mechanism_of_the_reference_model() -> None:
    assert AFFINITY_BINARY.definitions == AFFINITY.definitions


def test_at_low_il1_the_two_readings_differ_in_the_absolute_signal_by_the_product_of_their_constants() -> None:
    """In the linear range both are IL-1 over (K_1 times e50), so their ratio is 9 nM over 1.5 pM."""
    ratio = signal_before("B", 1e-9) / signal_before("A", 1e-9)
    assert ratio == pytest.approx((0.30 * 0.03) / (0.005 * 0.3), rel=1e-3)


@pytest.mark.parametrize("other", [SPARE_B, RECEPTOR_NUMBER], ids=lambda hypothesis: hypothesis.name)
def test_two_readings_of_the_receptor_are_refused_together(other: object) -> None:
    with pytest.raises(InputError, match=r"replaces `affinity` in two ways"):
        _ = SPARE_A + other  # type: ignore[operator]


def test_the_tighter_reading_has_an_exactly_steady_baseline() -> None:
    assert set(residual(reference_model(SPARE_B)).values()) == {0}


# Leverage of the dose; IL-1Ra in ng/mL at 17.3 kg/mol and K_Ra 0.15 nM.


def over_constant(il1ra: float) -> float:
    return il1ra / 17.3 / 0.15


@pytest.mark.parametrize(("il1ra", "printed"), [(0.354, 12), (2.56, 50), (19.6, 88)])
def test_il1ra_alone_occupies_the_printed_share_of_receptors(il1ra: float, printed: int) -> None:
    occupied = bound(Symbol("ligand"), Symbol("rival")).subs({"ligand": over_constant(il1ra), "rival": 0})
    assert 100 * float(occupied) == pytest.approx(printed, abs=0.5)


@pytest.mark.parametrize(("il1ra", "printed", "rounding"), [(19.6, 0.23, 0.005), (1295, 0.004, 0.0005)])
def test_il1_loses_the_printed_share_of_its_receptors(il1ra: float, printed: float, rounding: float) -> None:
    occupied = bound(Symbol("ligand"), Symbol("rival"))
    before = occupied.subs({"ligand": 1e-6, "rival": over_constant(2.56)})
    left = occupied.subs({"ligand": 1e-6, "rival": over_constant(il1ra)}) / before
    assert float(left) == pytest.approx(printed, abs=rounding)


def test_il1_has_one_to_three_hundredths_of_its_receptors_in_the_mean_of_a_day() -> None:
    conditions = {"a_fb": 0.0, "eps": 0.0, "il1_muscle": 1e-6, "f_m": 1.0, "K_Ra": 0.15, "R_0": 2.56}
    left = values(course(SPARE_A, STEADY_DAY, doses=10, **conditions), "signal_muscle")[1:-1]
    # With so little IL-1 the signal is proportional to occupancy.
    assert 1.0 < left.mean() < 3.0
