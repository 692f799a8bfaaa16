"""Effects, exposures, curves and isoboles from results whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from simulate.solver.kernel import FloatArray
from simulate.studies.dose_response.emax import CurveVerdict
from simulate.studies.dose_response.reduction import (
    IntArray,
    blocked_of,
    effects_of,
    exposures_of,
    influences,
    isoboles,
    placed,
    reduced,
)
from simulate.studies.dose_response.tables import curve_rows, effect_rows, isobole_rows
from simulate.studies.endpoints import Endpoint, Summary
from simulate.studies.windows import Window
from tests.studies.dose_response.made import DOSES, response, swept

ORDER = list(CurveVerdict)
DAYS = np.array([0.0, 9.0, 9.25, 9.5, 9.75, 10.0])


def test_arms_are_found_by_their_dose_and_place_whatever_their_order() -> None:
    doses, others = np.array([3.0, 0.0, 3.0, 0.0]), np.array([0.5, 0.1, 0.1, 0.5])
    ladder, steps, arms = placed(swept(np.zeros((4, 2, 6)), DAYS, doses, others), "f_m")
    assert (ladder.tolist(), steps.tolist()) == ([0.0, 3.0], [0.1, 0.5])
    assert arms.tolist() == [[1, 2], [3, 0]]
    assert placed(swept(np.zeros((2, 2, 6)), DAYS, doses[:2]), None)[2].tolist() == [[1, 0]]


def test_an_endpoint_is_the_value_on_its_day_or_its_change_and_nothing_for_who_failed() -> None:
    values = np.arange(12.0).reshape(1, 2, 6) + 1.0
    sweep = swept(values, DAYS, np.array([1.0]))
    arms = np.array([[0]])
    points = [Endpoint("", "level", summary, 10.0, "", "%") for summary in (Summary.VALUE, Summary.CHANGE)]
    value, change = effects_of(sweep, points, arms)[0]
    assert value[0, 0].tolist() == [6.0, 12.0]
    assert change[0, 0] == pytest.approx([500.0, 100.0 * (12.0 / 7.0 - 1.0)])
    sweep["status"].values[0, 1] = 2
    assert np.isnan(effects_of(sweep, points, arms)[0][:, 0, 0, 1]).all()


def test_exposures_are_of_the_last_interval_alone() -> None:
    values = np.array([[[99.0, 4.0, 8.0, 4.0, 2.0, 4.0]]])
    sweep = swept(values, DAYS, np.array([1.0]))
    day = Window(DAYS[1:], np.array([0.125, 0.25, 0.25, 0.25, 0.125]))
    found = exposures_of(sweep, "level", np.array([[0]]), [day])[:, 0, 0, 0]
    assert found == pytest.approx([(4 + 8) / 8 + (8 + 4) / 8 + (4 + 2) / 8 + (2 + 4) / 8, 2.0, 8.0])
    half = Window(DAYS[3:], np.array([0.25, 0.5, 0.25]))
    assert exposures_of(sweep, "level", np.array([[0]]), [half])[:, 0, 0, 0] == pytest.approx([3.0, 2.0, 4.0])


def test_the_blocked_share_of_a_line_that_crosses_the_bound_is_that_of_the_line() -> None:
    # A signal that falls from 20 to 0 evenly is below 5 in the last quarter; one of 3 always; one of 30 never.
    falling = np.concatenate([[20.0], np.linspace(20.0, 0.0, 5)])
    values = np.stack([falling, np.full(6, 3.0), np.full(6, 30.0), np.r_[1.0, np.linspace(0.0, 20.0, 5)]])[np.newaxis]
    day = Window(DAYS[1:], np.zeros(5))
    found = blocked_of(swept(values, DAYS, np.array([1.0])), ["signal_lymph"], np.array([[0]]), [day], 5.0)
    assert found[0, 0, 0] == pytest.approx([25.0, 100.0, 0.0, 25.0])


def test_the_curve_of_the_mean_and_those_of_patients_are_found_with_intervals() -> None:
    dataset = response()
    first = dataset.isel(endpoint=0, second=0)
    assert first["curve"].values == pytest.approx([11.95, -4.0, 8.0, 1.0], rel=1e-4)
    assert (first["curve_low"].values <= first["curve"].values + 1e-6).all()
    assert ORDER[int(first["verdict"])] is CurveVerdict.IDENTIFIED
    assert float(first["certainty"]) == 1.0
    # Patients differ in the base alone and are the same at each dose, so resampling moves the base and nothing else.
    assert float(first["curve_high"][0] - first["curve_low"][0]) > 0.5
    assert float(first["curve_high"][2] - first["curve_low"][2]) < 1e-3
    assert first["patient_curve"].values[7] == pytest.approx([10.7, -4.0, 8.0, 1.0], rel=1e-4)


def test_who_lacks_a_dose_is_in_no_mean_and_counted() -> None:
    effect = response()["effect"].values[:1].copy()
    effect[0, 0, 3, 5] = np.nan
    found = reduced(DOSES, effect, seed=1, replicates=5)
    assert found["n"][1].tolist() == [[39]]
    assert ORDER[found["patient_verdict"][1][0, 0, 5]] is CurveVerdict.FAILED
    assert found["mean"][1][0, 0, 0] == pytest.approx(np.delete(effect[0, 0, 0], 5).mean())


def test_without_anybody_there_is_no_curve() -> None:
    found = reduced(DOSES, np.full((1, 1, len(DOSES), 3), np.nan), seed=1, replicates=5)
    assert ORDER[found["verdict"][1][0, 0]] is CurveVerdict.FAILED
    assert np.isnan(found["curve"][1]).all()


def test_another_seed_resamples_others_and_the_same_seed_the_same() -> None:
    effect = response()["effect"].values[:1]
    lows = [reduced(DOSES, effect, seed=seed, replicates=30)["mean_low"][1].tobytes() for seed in (1, 1, 2)]
    assert lows[0] == lows[1] != lows[2]


def test_an_isobole_is_the_dose_with_the_same_effect_and_ends_where_the_range_does() -> None:
    dataset = response(seconds=3)
    all_of_them = isoboles(dataset, levels=(0.5, 0.97))
    found = all_of_them["isobole"]
    # With ED50 of 8 the highest dose reaches 300/308 of the span, the most of all places.
    share = 0.5 * 300.0 / 308.0
    assert found.values[0, 0] == pytest.approx([ed50 * share / (1.0 - share) for ed50 in (8.0, 16.0, 24.0)], rel=1e-3)
    share = 0.97 * 300.0 / 308.0
    assert found.values[0, 1, 0] == pytest.approx(8.0 * share / (1.0 - share), rel=1e-2)
    assert np.isnan(found.values[0, 1, 2])
    # Patients differ in the base alone, so that all cohorts have the same isoboles.
    for end in ("isobole_low", "isobole_high"):
        assert all_of_them[end].values[0, 0] == pytest.approx(found.values[0, 0], rel=1e-3)


def test_tables_have_every_endpoint_place_and_dose_and_say_what_a_curve_is_worth() -> None:
    dataset = response(seconds=2)
    curves = curve_rows(dataset)
    assert [row.parameter for row in curves[:4]] == ["base", "span", "ed50", "hill"]
    assert len(curves) == 2 * 2 * 4
    ed50 = curves[2]
    assert (ed50.unit, ed50.verdict, ed50.n, ed50.n_all, ed50.patients) == ("mg", "identified", 40, 40, 40)
    assert ed50.patients_median == pytest.approx(8.0, rel=1e-4)
    rows = effect_rows(dataset)
    assert len(rows) == 2 * 2 * len(DOSES)
    assert (rows[0].dose, rows[0].second, rows[0].unit, rows[0].exposure_unit) == (0.0, 0.1, "%", "pg/mL")
    assert rows[0].average == pytest.approx(1.0)
    assert len(isobole_rows(dataset)) == 2 * 3 * 2
    assert isobole_rows(response()) == ()


def of_draws(ed50s: list[float], spans: list[float] | None = None, patients: int = 6) -> tuple[FloatArray, IntArray]:
    """Effects [1, 1, dose, member] of patients of several draws, who differ in their base, and their draws."""
    spans = [-4.0] * len(ed50s) if spans is None else spans
    parts = [
        10.0 + 0.1 * np.arange(patients) + span * (DOSES / (DOSES + ed50))[:, None]
        for ed50, span in zip(ed50s, spans, strict=True)
    ]
    return np.concatenate(parts, axis=1)[None, None], np.repeat(np.arange(len(ed50s)), patients)


def test_doses_with_shares_of_the_effect_follow_the_curve_and_end_with_the_doses() -> None:
    effect = response()["effect"].values[:1]
    found = reduced(DOSES, effect, seed=1, replicates=20, shares=(0.5, 0.9, 0.99))
    # ED50 is 8 and the exponent 1: nine and 99 times as much, of which the last is beyond 300.
    for name in ("effect_dose", "effect_dose_low", "effect_dose_high"):
        assert found[name][1][0, 0, :2] == pytest.approx([8.0, 72.0], rel=1e-3)
        assert np.isnan(found[name][1][0, 0, 2])


def test_an_ed50_that_draws_move_tenfold_is_an_interval_and_no_number() -> None:
    ed50s = np.geomspace(2.0, 60.0, 12).tolist()
    effect, draws = of_draws(ed50s)
    wide = reduced(DOSES, effect, seed=1, draws=draws, shares=(0.9,))
    assert ORDER[wide["verdict"][1][0, 0]] is CurveVerdict.WIDE
    assert np.isnan(wide["curve"][1][0, 0, 2])
    assert np.isnan(wide["effect_dose"][1][0, 0, 0])
    assert wide["curve_low"][1][0, 0, 2] == pytest.approx(2.0, rel=0.02)
    assert wide["curve_high"][1][0, 0, 2] == pytest.approx(60.0, rel=0.02)
    # The same patients as of one population differ in their ED50 as much, and their mean does not.
    alone = reduced(DOSES, effect, seed=1)
    assert ORDER[alone["verdict"][1][0, 0]] is CurveVerdict.IDENTIFIED
    narrow = reduced(DOSES, *(part := of_draws([6.0, 8.0, 10.0]))[:1], seed=1, draws=part[1])
    assert ORDER[narrow["verdict"][1][0, 0]] is CurveVerdict.IDENTIFIED


def test_a_curve_that_many_draws_do_not_have_is_not_identified() -> None:
    effect, draws = of_draws([8.0] * 10, [-4.0] * 8 + [0.0] * 2)
    found = reduced(DOSES, effect, seed=1, draws=draws)
    assert ORDER[found["verdict"][1][0, 0]] is CurveVerdict.UNSURE
    assert 0.7 < found["certainty"][1][0, 0] < 0.9


def test_what_the_ed50_goes_with_is_named_and_chance_is_not() -> None:
    random = np.random.default_rng(5)
    ed50 = np.exp(random.standard_normal(400))
    of_draw = np.repeat(random.standard_normal(10), 40)
    causes = {
        "affinity": 3.0 * ed50,
        "clearance": 1.0 / (ed50 * np.exp(0.5 * random.standard_normal(400))),
        "luck": random.standard_normal(400),
        "luck of a draw": of_draw,
        "constant": np.ones(400),
    }
    found = influences(ed50, causes)
    assert list(found) == ["affinity", "clearance"]
    assert found["affinity"] == pytest.approx(1.0)
    assert -1.0 < found["clearance"] < -0.7
    ed50[:] = np.nan
    assert influences(ed50, causes) == {}
