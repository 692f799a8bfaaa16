"""Priming by cytokines, clones, self-renewal, regulatory cells and CD28null memory."""

from __future__ import annotations

import pytest

from simulate.biology.reference import parameter_table
from tests.biology.courses import END, QUARTER, change, course, reading

LINEAGES = ("1", "17", "117", "x", "o")
TABLE = parameter_table()
K_IN_OVER_OUT = TABLE["k_in"].value / TABLE["k_out"].value


def inflow_of_memory(names: str) -> float:
    """Memory cells formed from effectors per naive cell that is activated, at baseline."""
    per_effector = 0.07 * 0.25 / 0.93
    return sum(reading(names, f"E{key}", 0) for key in LINEAGES) * per_effector / (2e-4 * reading(names, "naive", 0))


# Priming


def test_priming_with_constant_cytokines_is_priming_by_il1() -> None:
    for day in (QUARTER, END):
        assert change("H1-il6-il12", "il17a", day) == pytest.approx(change("H1", "il17a", day), rel=1e-6)


def test_il6_that_falls_adds_to_the_blockade_and_il12_that_falls_works_against_it() -> None:
    constant = change("H1-il6-il12", "il17a")
    assert change("H1-cytokines", "il17a", a_12=0.0) < constant
    assert change("H1-cytokines", "il17a", a_6=0.0) > constant


def test_il12_and_strong_cd28_suppress_the_priming_of_naive_cells() -> None:
    dish = "H1-il6-il12+dish-strength"
    assert reading(dish, "primed_th17_with_il12", 0) < 50.0
    assert reading(dish, "primed_th17_strong_cd28", 0) == pytest.approx(100.0 / 3.0)
    assert reading(dish, "primed_th17_strong_cd28", 0, h_28=0.0) == pytest.approx(100.0)


# Clones


def test_expansion_is_not_selective() -> None:
    """Th1 and Th17 with the same loss fall alike; naive cells do not."""
    alike = {"d_M17": 0.0047}
    assert change("expansion", "th17_memory", **alike) == pytest.approx(change("expansion", "th1_memory", **alike))
    assert change("expansion", "E17") == pytest.approx(change("expansion", "E1"))
    assert change("expansion", "naive") == pytest.approx(0.0, abs=1e-9)


def test_expansion_takes_from_a_clone_what_il1ra_took_in_mice() -> None:
    assert change("expansion", "A", 60) == pytest.approx(-0.55, abs=0.02)


def test_expansion_lowers_both_cytokines() -> None:
    assert change("expansion", "ifng") < -0.1
    assert change("expansion", "il17a") < -0.1
    assert change("expansion", "cd45ro") < -0.1


# Self-renewal


def test_division_that_replaces_no_loss_changes_nothing() -> None:
    """Labeling sees the division; nothing else differs from large clones."""
    assert reading("H1+renewal", "memory_division", renewed=0.0) == pytest.approx(2.78)
    for readout in ("il17a", "ifng", "th17_memory", "ck"):
        assert change("H1+renewal", readout, renewed=0.0) == pytest.approx(change("H1", readout), abs=1e-6)


def test_memory_that_renews_itself_needs_few_cells_from_each_naive_cell() -> None:
    assert inflow_of_memory("H0") > 15.0
    assert inflow_of_memory(
        "renewal",
    ) < 0.25 * inflow_of_memory("H0")


def test_memory_that_renews_itself_answers_slowly_to_a_block_of_priming() -> None:
    clones, renewing = (change(names, "il17a") for names in ("H1", "H1+renewal"))
    assert clones < -0.55
    assert -0.25 < renewing < 0.0
    assert change("H1+renewal", "il17a", renewed=0.95) > 0.5 * renewing


def test_memory_that_renews_itself_answers_strongly_to_a_loss_of_survival() -> None:
    """Small net loss at baseline: the same extra death weighs more."""
    assert change("H3a+renewal", "il17a") < 1.5 * change("H3a", "il17a")
    assert change("H3a+renewal", "il17a") < change("H1+renewal", "il17a")


def test_memory_that_renews_itself_keeps_the_readout_at_the_bound_for_memory() -> None:
    """Few effectors: readout and memory fall nearly alike, as the timing bound supposes."""
    apart = [change(names, "th17_memory") - change(names, "il17a") for names in ("H1", "H1+renewal")]
    assert 0.0 < apart[1] < 0.05 < apart[0]


# Regulatory cells


def test_blockade_shuts_the_leak_of_regulatory_cells_into_th17() -> None:
    assert change("treg-leak", "il17a") < -0.05
    assert change("treg-leak", "regulatory") > 0.01
    assert abs(change("treg-leak", "ifng")) < 0.001


def test_regulatory_cells_are_at_baseline_what_was_measured() -> None:
    assert reading("treg-leak", "regulatory", 0) == pytest.approx(5.2)


def test_without_a_leak_regulatory_cells_do_not_move() -> None:
    assert change("treg-leak", "regulatory", k_leak=0.0) == pytest.approx(0.0, abs=1e-6)


def test_blockade_brings_suppression_of_th1_back() -> None:
    """Against what was seen in patients: IFNγ falls."""
    assert change("treg-suppression", "suppression") > 0.3
    assert change("treg-suppression", "E1") < -0.1
    assert -0.15 < change("treg-suppression", "ifng") < -0.03
    assert change("treg-suppression", "th17_memory") == pytest.approx(change("treg-leak", "th17_memory"), abs=1e-3)


def test_suppression_is_that_of_il1_on_regulatory_cells_and_not_of_their_number() -> None:
    assert abs(change("treg-suppression", "ifng", y_reg=0.0)) < 0.01
    assert change("treg-suppression", "ifng", K_reg=4.0) < change("treg-suppression", "ifng") - 0.01


def test_th1_clones_are_as_much_smaller_as_suppression_says() -> None:
    """After months effectors follow restraint: (1 + K) / (1 + K ρ)."""
    restraint = reading("treg-suppression", "suppression", per_day=1, dose=1000.0) / 100
    fallen = 1 + change("treg-suppression", "E1", dose=1000.0)
    assert fallen == pytest.approx(2 / (1 + restraint), abs=0.02)


# CD28null memory


def test_cd28null_cells_do_not_feel_the_loss_of_il1() -> None:
    assert change("H3a+cd28null", "M1null", f_28null=0.3) > 0.3 * change("H3a+cd28null", "th1_memory", f_28null=0.3)
    assert change("H3a+cd28null", "ifng", f_28null=0.5) > 0.8 * change("H3a", "ifng")


def test_steroids_do_not_touch_cd28null_cells() -> None:
    """Their share falls as the others recover; the more of them, the less a taper shows."""
    assert change("H5", "M1null") < 0.5 * change("H5", "th1_memory")
    assert change("H5", "ifng", f_28null=0.5) < 0.7 * change("H5", "ifng", f_28null=0.005)


def test_cd28null_cells_go_to_muscle_and_back_with_the_rest_of_th1_memory() -> None:
    def share(day: float) -> float:
        """Of Th1 memory in blood."""
        memory, muscle = (reading("H4+cd28null", name, day) for name in ("M1", "T1"))
        in_blood = memory / (memory + muscle) * (1 + K_IN_OVER_OUT)
        return in_blood * reading("H4+cd28null", "M1null", day) / memory

    assert change("H4+cd28null", "th1_memory", 28) > 0.1
    assert share(0) == pytest.approx(0.10)
    assert share(28) == pytest.approx(0.10, rel=0.01)
    counted = reading("H4+cd28null", "cd28null", 28) / reading("H4+cd28null", "cd28null", 0)
    assert counted > 1.05


def test_cd28null_cells_stay_a_part_of_th1_memory() -> None:
    for names, share in (("H5", 0.5), ("H3a+H4+cd28null+renewal", 0.1)):
        found = course(names, last_dose=730, end=730, f_28null=share)
        assert not found.failures
        assert found.quantity("M1null")[0].min() >= 0.0
        assert (found.quantity("M1")[0] - found.quantity("M1null")[0]).min() > 0.0
