"""What each hypothesis predicts, beside what the evidence base says that it predicts.

One test for each cell of the table of rival hypotheses that the model can answer, grouped by row. Where the two
disagree the test holds what the model says, and ``docs/hypotheses.md`` says who is right.
"""

from __future__ import annotations

import numpy as np
import pytest

from tests.biology.courses import END, QUARTER, change, course, reading

RESPONDER = {"f_m": 1.0, "chi": 0.2}
NON_RESPONDER = {"f_m": 0.1, "chi": 0.8, "il1_muscle": 1.0}
LITERATURE, OPPOSITE = {"x_c": 1.0}, {"x_c": -0.9}
"""Signs of the effect of IL-1 on conversion."""

YEARS = 4 * 365


def half_time(names: str, quantity: str) -> int:
    """Days until half of what four years of the drug do is done."""
    values = course(names, last_dose=YEARS, end=YEARS).quantity(quantity)[0]
    return int(np.argmax((values - values[0]) / (values[-1] - values[0]) >= 0.5))


def recovered(names: str, quantity: str, days: int, **who: float) -> float:
    """Share of the effect of six months that is gone some days after the last dose."""
    values = course(names, end=END + 364, **who).quantity(quantity)[0]
    return float((values[END + days] - values[END]) / (values[0] - values[END]))


# IL-17 over time

BLOCKED = {"x_17": 0.0, "dose": 1e6}
"""Nothing is left of priming: a dose without a trough, and no Th17 without IL-1."""


@pytest.mark.parametrize(
    ("half_life", "day", "bound"), [(30, END, 0.985), (60, END, 0.88), (146, END, 0.58), (146, QUARTER, 0.35)]
)
def test_h1_memory_falls_no_further_than_its_half_life_allows_and_nearly_as_far(
    half_life: int, day: int, bound: float
) -> None:
    fall = -change("H1", "th17_memory", day, d_M17=np.log(2) / half_life, **BLOCKED)
    assert 1 - 2 ** (-day / half_life) == pytest.approx(bound, abs=0.005)
    assert 0.96 * bound < fall <= 1 - 2 ** (-day / half_life)


@pytest.mark.parametrize(("half_life", "day", "readout"), [(60, END, 0.92), (146, END, 0.66), (146, QUARTER, 0.47)])
def test_h1_readout_falls_below_the_bound_because_it_counts_effectors(half_life: int, day: int, readout: float) -> None:
    """The bound holds for memory; a fifth to a third of the IL-17 makers are effectors, which go in days."""
    fall = -change("H1", "il17a", day, d_M17=np.log(2) / half_life, **BLOCKED)
    assert fall > 1 - 2 ** (-day / half_life)
    assert fall == pytest.approx(readout, abs=0.01)


def test_h1_is_slow_and_monotone() -> None:
    values = course("H1").quantity("il17a")[0]
    assert np.all(np.diff(values[5:]) < 0)
    assert half_time("H1", "th17_memory") > QUARTER


def test_h2_is_slow_and_its_direction_follows_the_sign_of_the_effect_of_il1() -> None:
    assert change("H2", "il17a", **LITERATURE) > 0.1
    assert change("H2", "il17a", **OPPOSITE) < -0.1
    assert half_time("H2", "il17a") > 60


def test_h3a_takes_eight_weeks_and_reaches_a_new_balance() -> None:
    assert 50 < half_time("H3a", "th17_memory") < 70
    year, years = (change("H3a", "th17_memory", day, last_dose=YEARS, end=YEARS) for day in (365, YEARS))
    assert year == pytest.approx(years, abs=0.01)
    assert -0.6 < years < -0.4


def test_h3a_is_faster_than_h1_in_memory_and_yet_the_smaller_fall() -> None:
    assert half_time("H3a", "th17_memory") < 0.6 * half_time("H1", "th17_memory")
    for day in (QUARTER, END):
        assert change("H1", "il17a", day) < change("H3a", "il17a", day) < 0


def test_h3b_acts_within_a_day_where_the_drug_is_in_the_tube() -> None:
    assert change("H3b", "il17a_unwashed", 1) == pytest.approx(change("H3b", "il17a_unwashed", END), abs=0.001)
    assert change("H3b", "il17a_unwashed", 1) < -0.05


def test_h4_lowers_il17a_only_by_the_cells_that_come_back() -> None:
    assert change("H4", "th17_memory") == pytest.approx(0.0, abs=1e-9)
    assert -0.02 < change("H4", "il17a") < 0.0


def test_h5_follows_the_taper() -> None:
    before, after = change("H5", "il17a", 14), change("H5", "il17a")
    assert before == pytest.approx(0.0, abs=1e-6)
    assert after < -0.05
    assert change("H5", "il17a", taper_start=150.0) > 0.3 * after


# IFNγ


def test_h1_moves_ifng_up_only_where_few_double_positives_are_lost() -> None:
    """Th1 takes over what is freed; what double positives made is lost at the same time."""
    assert change("H1", "th1_memory") > 0.0
    assert change("H1", "ifng", r_DP=0.1) > 0.005
    assert change("H1", "ifng") == pytest.approx(-0.001, abs=0.001)


def test_h1_gain_of_th1_is_limited_by_the_flux_of_naive_cells() -> None:
    gained = reading("H1", "th1_memory") - reading("H1", "th1_memory", 0)
    assert 0.0 < gained < 0.16 * END


def test_h2_moves_ifng_by_a_tenth_of_a_percent_at_most_and_against_il17a() -> None:
    for sign in (LITERATURE, OPPOSITE):
        moved = [reading("H2", name, **sign) - reading("H2", name, 0, **sign) for name in ("ifng", "il17a")]
        assert moved[0] * moved[1] < 0.0
        assert abs(moved[0]) < 0.1


def test_h3a_lowers_ifng_and_not_at_all_if_il1_keeps_no_th1() -> None:
    assert change("H3a", "ifng") < -0.05
    assert abs(change("H3a", "ifng", g1=0.0)) < 0.02


def test_h3b_lowers_ifng_where_the_drug_is_in_the_tube() -> None:
    assert change("H3b", "ifng_unwashed") == pytest.approx(change("H3b", "il17a_unwashed"))
    assert change("H3b", "ifng_unwashed") < -0.05


def test_h4_raises_ifng() -> None:
    assert change("H4", "ifng") > 0.05


def test_h5_raises_ifng_on_taper() -> None:
    assert change("H5", "ifng") > 0.05


@pytest.mark.parametrize("names", ["H6", "H1+H6"])
def test_h6_raises_ifng_within_two_weeks(names: str) -> None:
    fortnight, end = change(names, "ifng", 14), change(names, "ifng")
    assert fortnight == pytest.approx(0.1, abs=0.005)
    assert end == pytest.approx(0.28, abs=0.01)


def test_h7_raises_ifng_late_and_only_where_something_lowers_il17() -> None:
    fortnight, quarter, end = (change("H1+H7", "ifng", day) for day in (14, QUARTER, END))
    assert abs(fortnight) < 0.005
    assert end == pytest.approx(0.09, abs=0.005)
    assert end > 2.0 * quarter
    assert change("H7", "ifng") == pytest.approx(0.0, abs=1e-6)


def test_the_hypothesis_of_the_authors_moves_both_signs() -> None:
    assert change("H1+H6", "ifng") > 0.25
    assert change("H1+H6", "il17a") == pytest.approx(change("H1", "il17a"), abs=1e-5)


def test_h0_moves_nothing_in_blood() -> None:
    for readout in ("ifng", "il17a", "cd45ro", "naive", "double_positive"):
        assert change("H0", readout) == pytest.approx(0.0, abs=1e-6)


def test_no_hypothesis_alone_about_the_drug_gives_more_ifng_and_clearly_less_il17a() -> None:
    for names in ("H0", "H1", "H2", "H3a", "H3b", "H4", "H6", "H7", "expansion", "treg-leak"):
        assert not (change(names, "ifng") > 0.01 and change(names, "il17a") < -0.05), names


def test_h5_alone_gives_both_signs_without_the_drug() -> None:
    assert change("H5", "ifng", dose=0.0) > 0.05
    assert change("H5", "il17a", dose=0.0) < -0.05


# Double positives, ex-Th17


def test_h1_double_positives_fall_with_th17() -> None:
    assert change("H1", "double_positive") == pytest.approx(change("H1", "il17a"), abs=0.001)


def test_h2_double_positives_rise_first_if_il1_holds_conversion_back() -> None:
    values = [
        change("H2", "double_positive", day, last_dose=YEARS, end=YEARS, **OPPOSITE) for day in (28, QUARTER, YEARS)
    ]
    assert values[0] > 0.05
    assert values[1] > values[0]
    assert values[2] < values[1]
    assert change("H2", "ex_th17", **OPPOSITE) > 0.05


def test_h2_double_positives_fall_first_if_il1_promotes_conversion() -> None:
    assert change("H2", "double_positive", 28) < -0.02
    assert change("H2", "double_positive") > 0.0
    assert change("H2", "ex_th17") < -0.05


def test_h5a_moves_readings_and_no_cells() -> None:
    """A first reading of IFNγ that is low for the center rises in the second."""
    low = {"det1": 0.02}
    for readout in ("ifng", "il17a", "double_positive", "cd45ro"):
        assert change("H5a", readout, **low) == pytest.approx(0.0, abs=1e-6)
    assert change("H5a", "ifng_regressed", **low) > 0.1


def test_h5b_alone_has_the_signature_of_h5_in_cells() -> None:
    for readout in ("ifng", "il17a", "double_positive", "cd45ro"):
        assert change("H5b", readout) == pytest.approx(change("H5", readout), abs=1e-6)


def test_a_dose_that_is_stable_within_a_fifth_leaves_h5b_next_to_nothing() -> None:
    assert 0.0 < change("H5b", "ifng", taper_rest=0.8) < 0.035
    assert -0.035 < change("H5b", "il17a", taper_rest=0.8) < 0.0


def test_h6_leaves_double_positives_alone_and_h1_with_it_halves_them() -> None:
    assert change("H6", "double_positive") == pytest.approx(0.0, abs=1e-6)
    assert change("H1+H6", "double_positive") == pytest.approx(change("H1", "double_positive"), abs=1e-5)
    assert change("H1+H6", "ex_th17") == pytest.approx(0.02, abs=0.005)


def test_h8_lowers_il17a_and_double_positives_less_than_h1_and_leaves_ifng() -> None:
    assert change("H8", "il17a") == pytest.approx(-0.395, abs=0.005)
    assert change("H8", "double_positive") == pytest.approx(-0.4, abs=0.005)
    assert change("H6+H8", "ifng") == pytest.approx(0.27, abs=0.005)
    assert change("H6+H8", "il17a") == pytest.approx(change("H8", "il17a"), abs=1e-3)


def test_plasticity_keeps_double_positives_and_priming_halves_them() -> None:
    """Both signs under either: cells that change bring ex-Th17, cells primed otherwise bring IFNγ early."""
    days = (14, QUARTER, END)
    cells = {name: [change("H2", name, day, **OPPOSITE) for day in days] for name in ("double_positive", "ex_th17")}
    assert cells["double_positive"] == pytest.approx([0.05, 0.14, 0.13], abs=0.006)
    assert cells["ex_th17"] == pytest.approx([0.01, 0.07, 0.10], abs=0.006)
    assert [change("H2", "ifng", day, **OPPOSITE) for day in days] == pytest.approx([0.0, 0.01, 0.01], abs=0.006)
    primed = [change("H1+H6", "double_positive", day) for day in days]
    assert primed == pytest.approx([-0.23, -0.46, -0.61], abs=0.006)


def test_h3a_double_positives_fall() -> None:
    assert change("H3a", "double_positive") < -0.2


def test_h4_leaves_double_positives_alone() -> None:
    assert change("H4", "double_positive") == pytest.approx(0.0, abs=1e-9)


def test_h5_leaves_double_positives_nearly_alone() -> None:
    assert -0.1 < change("H5", "double_positive") < 0.0
    assert abs(change("H5", "double_positive", gc_priming=0.0)) < 0.01


def test_h3b_leaves_double_positives_alone() -> None:
    """The table has them fall; cells that stain less are the same cells."""
    assert change("H3b", "double_positive") == pytest.approx(0.0, abs=1e-9)


# Naive and CD45RO


@pytest.mark.parametrize("names", ["H1", "H2", "H3a", "H3b", "H4", "H5", "H6", "H1+H7"])
def test_naive_cells_do_not_move(names: str) -> None:
    assert change(names, "naive") == pytest.approx(0.0, abs=1e-9)


def test_all_th17_priming_is_too_little_to_be_seen_in_naive_cells() -> None:
    """If cells no longer primed as Th17 stayed naive, six months would add a thousandth of the naive pool."""
    effectors = {key: reading("H0", f"E{key}", 0) for key in ("1", "17", "117", "x", "o")}
    th17_share = (effectors["17"] + effectors["117"]) / sum(effectors.values())
    assert 2e-4 * END * th17_share < 0.002


def test_priming_conversion_and_licensing_leave_cd45ro_alone() -> None:
    for names in ("H1", "H2", "H3b", "H6", "H1+H7"):
        assert abs(change(names, "cd45ro")) < 0.001


def test_h3a_lowers_cd45ro_slightly() -> None:
    assert -0.05 < change("H3a", "cd45ro") < -0.005


def test_h4_moves_cells_from_muscle_to_blood() -> None:
    assert change("H4", "cd45ro") > 0.005
    assert change("H4", "T1") < -0.2


def test_h5_raises_the_cd4_count() -> None:
    assert change("H5", "cd4_count") > 0.02


# Dose


def test_h1_is_nearly_saturated_at_100_mg() -> None:
    assert change("H1", "il17a", dose=200.0) > 1.1 * change("H1", "il17a")
    assert change("H1", "il17a", dose=10.0) > 0.7 * change("H1", "il17a")


def test_h6_is_nearly_saturated_at_100_mg() -> None:
    assert 0.6 < change("H6", "ifng", dose=10.0) / change("H6", "ifng") < 0.9
    assert change("H6", "ifng", dose=200.0) < 1.1 * change("H6", "ifng")


@pytest.mark.parametrize("sign", [LITERATURE, OPPOSITE])
def test_h2_is_nearly_saturated_at_100_mg(sign: dict[str, float]) -> None:
    full = change("H2", "il17a", **sign)
    assert change("H2", "il17a", dose=200.0, **sign) / full == pytest.approx(1.01, abs=0.005)
    assert 0.8 < change("H2", "il17a", dose=10.0, **sign) / full < 0.9


def test_h3a_is_saturated_at_100_mg_because_memory_adds_up_days() -> None:
    assert change("H3a", "il17a", dose=200.0) > 1.02 * change("H3a", "il17a")


def test_h3b_tracks_the_trough() -> None:
    """Just before a dose the drug shows least."""
    hours = [change("H3b", "il17a_unwashed", END - 1 + quarter / 8, per_day=8) for quarter in range(1, 9)]
    assert np.argmax(hours) == len(hours) - 1
    assert hours[0] < hours[-1] - 0.005


def test_h4_depends_on_dose_only_through_muscle() -> None:
    assert change("H4", "ifng", dose=50.0) == pytest.approx(change("H4", "ifng"), rel=0.05)
    assert change("H4", "ifng", w_I=0.0) == pytest.approx(0.0, abs=1e-6)


def test_h5_does_not_depend_on_dose() -> None:
    for readout in ("ifng", "il17a"):
        assert change("H5", readout, dose=0.0) == pytest.approx(change("H5", readout), rel=1e-4)


# Wash-out


def test_h1_recovers_over_months() -> None:
    assert recovered("H1", "th17_memory", 28) < 0.25
    assert recovered("H1", "th17_memory", 364) > 0.8


def test_h2_recovers_over_months() -> None:
    assert recovered("H2", "il17a", 28) < 0.5 < recovered("H2", "il17a", END)


def test_h2_ex_th17_stay_only_if_they_live_long() -> None:
    """A half-life of 69 days, as assumed, and they go faster than IL-17 comes back; of a year, and they stay."""
    short, long = OPPOSITE | {"d_Mx": 0.01}, OPPOSITE | {"d_Mx": 0.002}
    assert recovered("H2", "ex_th17", QUARTER, **short) > recovered("H2", "il17a", QUARTER, **short)
    assert recovered("H2", "ex_th17", QUARTER, **long) < 0.5 * recovered("H2", "il17a", QUARTER, **long)


def test_h3a_recovers_more_slowly_than_it_falls() -> None:
    """Back at baseline loss, memory refills at the slower of the two rates: months, not weeks."""
    assert half_time("H3a", "th17_memory") < 70
    assert recovered("H3a", "th17_memory", 70) < 0.45
    assert recovered("H3a", "th17_memory", 150) > 0.5


def test_h3b_is_gone_in_a_week() -> None:
    assert recovered("H3b", "il17a_unwashed", 7) > 0.99


def test_h4_returns_with_relapse() -> None:
    assert recovered("H4", "ifng", 28) > 1.0


# In vitro


def test_h1_in_vitro_il1ra_prevents_priming() -> None:
    assert reading("H1+dish-priming", "primed_th17_with_il1ra", 0) < 30.0


def test_h3a_in_vitro_survival_alone_is_far_too_little_for_a_week_of_culture() -> None:
    """IL-1Ra more than halves such a culture (55 %); the loss of resting memory gives a twentieth."""
    lost = 1 - reading("H3a+dish-memory", "kept_th17_with_il1ra", 0) / 100
    assert 0.0 < lost < 0.1


def test_h3b_in_vitro_washed_cells_show_nothing_and_il1ra_reveals_it() -> None:
    for readout in ("ifng", "il17a"):
        for day in (0, END):
            revealed = reading("H3b", f"{readout}_with_il1ra", day) / reading("H3b", readout, day)
            assert revealed == pytest.approx(0.9, abs=0.005)
        assert change("H3b", readout) == pytest.approx(0.0, abs=1e-6)


def test_h5_in_vitro_prednisolone_lowers_ifng() -> None:
    assert reading("H5", "ifng_with_prednisolone", 0) < 0.7 * reading("H5", "ifng", 0)


# Who


@pytest.mark.parametrize("names", ["H1", "H2", "H3a", "H6"])
def test_effects_on_cells_are_alike_in_all_who_are_exposed(names: str) -> None:
    for readout in ("ifng", "il17a", "cd45ro"):
        assert change(names, readout, **RESPONDER) == pytest.approx(change(names, readout, **NON_RESPONDER), rel=0.01)


def test_h3b_acts_alike_in_all_who_are_exposed() -> None:
    for readout in ("ifng_unwashed", "il17a_unwashed"):
        alike = [change("H3b", readout, **who) for who in (RESPONDER, NON_RESPONDER)]
        assert alike[0] == pytest.approx(alike[1], rel=0.01)
        assert alike[0] < -0.05


def test_h2_acts_most_in_patients_with_much_il12() -> None:
    for sign in (LITERATURE, OPPOSITE):
        high, low = (abs(change("H2-il12", "il17a", IL12_0=level, **sign)) for level in (400.0, 60.0))
        assert high > 1.5 * low


def test_h4_acts_most_where_inflammation_falls() -> None:
    assert change("H4", "ifng", **RESPONDER) > 2.0 * change("H4", "ifng", **NON_RESPONDER)
    assert change("H4", "ifng", w_I=0.0) == pytest.approx(0.0, abs=1e-6)


def test_h4_acts_as_much_in_a_patient_whose_damage_no_il1_drives() -> None:
    """Without response of creatine kinase, but with less inflammation: not responders only."""
    assert change("H4", "ck", chi=0.95) > 0.1 * change("H4", "ck", chi=0.1)
    assert change("H4", "ifng", chi=0.95) == pytest.approx(change("H4", "ifng", chi=0.1), rel=1e-3)


def test_h5_acts_in_patients_who_are_tapered() -> None:
    for readout in ("ifng", "il17a"):
        assert change("H5", readout, taper_rest=1.0) == pytest.approx(0.0, abs=1e-6)


# Muscle


@pytest.mark.parametrize("names", ["H1", "H3a"])
def test_h1_and_h3a_leave_fewer_il17_makers_and_less_damage(names: str) -> None:
    assert change(names, "th17_memory") < -0.4
    assert change(names, "damage") < change("H0", "damage") - 0.05


def test_h2_brings_ifng_in_the_place_of_il17a_in_muscle_if_il1_holds_conversion_back() -> None:
    """Cells of Th17 origin that make IFNγ are more; both cytokines fall, as inflammation does."""

    def ratio(names: str, **sign: float) -> float:
        return (1 + change(names, "ifng_muscle", **sign)) / (1 + change(names, "il17a_muscle", **sign))

    assert ratio("H0+infiltrate") == pytest.approx(1.0, abs=0.01)
    assert ratio("H2+infiltrate", **OPPOSITE) > 1.2
    assert ratio("H2+infiltrate", **LITERATURE) < 0.85


def test_h5_leaves_more_th1_cells_in_muscle_than_there_would_be() -> None:
    """The table has fewer: they are, by the drug; the taper alone works against it."""
    assert change("H4", "T1") < change("H4+H5", "T1") - 0.05 < 0.0


def test_h3b_leaves_the_cells_and_takes_their_il17() -> None:
    assert change("H3b", "th17_memory") == pytest.approx(0.0, abs=1e-9)
    assert change("H3b", "il17_release_muscle") < -0.05


def test_h4_takes_t_cells_out_of_the_muscle_of_responders() -> None:
    assert change("H4", "T1", **RESPONDER) < 2.0 * change("H4", "T1", **NON_RESPONDER) < 0.0
