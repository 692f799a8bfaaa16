"""Where cells come from and where they go."""

from __future__ import annotations

import pytest
import sympy
from sympy import Symbol

from simulate.biology.cd4 import LINEAGES
from simulate.symbolic.model import Model
from tests.biology.typical import END, model_of, patient, reading


def cells(model: Model) -> list[str]:
    pools = {"N", "A", "T1"}
    pools |= {species.name for lineage in LINEAGES for species in (lineage.effector, lineage.memory)}
    return [species.name for species in model.species if species.name in pools]


def reactions_of(model: Model) -> dict[str, dict[str, sympy.Expr]]:
    """For each reaction that touches cells, the change of each pool of cells."""
    pools = set(cells(model))
    changes = {
        reaction.name: {species.name: sympy.sympify(change) for species, change in reaction.change.items()}
        for reaction in model.reactions
    }
    return {name: change for name, change in changes.items() if change.keys() & pools}


@pytest.mark.parametrize("hypothesis", ["H0", "H1", "H2", "H3a", "H4", "H1+H3a+H4"])
def test_cells_appear_only_from_the_thymus_and_by_division_and_vanish_only_by_death(hypothesis: str) -> None:
    model = model_of(hypothesis)
    net = {name: sympy.Add(*change.values()) for name, change in reactions_of(model).items()}
    assert net.pop("thymic_output") == 1
    assert net.pop("activation") == Symbol("burst") - 1
    shares = sympy.Add(*(lineage.share for lineage in LINEAGES))
    assert sympy.expand(net.pop("priming") - (shares - 1)) == 0
    deaths = {"naive_death"}
    deaths |= {f"{kind}_{lineage.key}" for lineage in LINEAGES for kind in ("effector_death", "memory_loss")}
    assert {name for name, change in net.items() if change == -1} == deaths
    assert {change for name, change in net.items() if name not in deaths} == {sympy.Integer(0)}


def test_conversion_and_redistribution_only_move_cells() -> None:
    plasticity, exchange = reactions_of(model_of("H2")), reactions_of(model_of("H4"))
    assert plasticity["th17_to_double_positive"] == {"M17": -1, "M117": 1}
    assert plasticity["double_positive_to_ex_th17"] == {"M117": -1, "Mx": 1}
    assert exchange["entry_into_muscle"] == {"M1": -1, "T1": 1}
    assert exchange["return_from_muscle"] == {"T1": -1, "M1": 1}


def test_th1_cells_that_leave_muscle_arrive_in_blood() -> None:
    """In 5 days nothing but the exchange changes Th1 memory noticeably."""
    course = patient("H4", d_M=0.002)
    left = reading(course, "T1", 0) - reading(course, "T1", 5)
    arrived = reading(course, "M1", 5) - reading(course, "M1", 0)
    assert left > 0.5
    assert arrived == pytest.approx(left, rel=0.02)


def test_naive_and_activated_cells_do_not_feel_the_drug() -> None:
    course = patient("H1+H3a+H4")
    for pool in ("N", "A"):
        assert reading(course, pool, END) == pytest.approx(reading(course, pool, 0), rel=1e-9)


def test_a_clone_and_its_memory_have_plausible_sizes() -> None:
    """Eight to nine divisions of a naive cell, and 5 to 50 memory cells from it."""
    course = patient("H0")
    primed = reading(course, "A", 0) / 6.0
    clone = primed / (2e-4 * reading(course, "N", 0))
    assert 2**8 < clone < 2**9
    assert 5 < 0.07 * clone < 50
