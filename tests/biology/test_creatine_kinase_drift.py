"""Creatine kinase that drifts without any treatment."""

from __future__ import annotations

import numpy as np
import pytest

from simulate.biology.clinical import CLINICAL_RESPONSE
from simulate.biology.creatine_kinase_drift import CK_DRIFT
from simulate.biology.reference import parameter_table
from simulate.cohort.draws import draw
from simulate.cohort.reading import shipped_population
from tests.biology.variants import course, values
from tests.helpers.models import reference_model

DRIFTING = CK_DRIFT + CLINICAL_RESPONSE


def test_creatine_kinase_halves_in_36_hours_when_release_stops() -> None:
    """Release is stopped by a drift to next to nothing."""
    stopped = course(DRIFTING, [0.0, 1.5, 3.0], doses=0, ck_drift=1e-12, t_drift=1e-3)
    ck = values(stopped, "ck")
    assert ck[1] / ck[0] == pytest.approx(0.5, abs=0.005)
    assert ck[2] / ck[1] == pytest.approx(0.5, abs=0.005)


def test_drift_starts_at_nothing_is_the_printed_factor_at_its_time_and_levels_off() -> None:
    drifting = values(course(DRIFTING, [0.0, 150.0, 1500.0], doses=0, ck_drift=1.8), "ck")
    assert drifting[0] == pytest.approx(5.4)
    assert drifting[1] / drifting[0] == pytest.approx(1.8, rel=0.02)
    assert 1.8**1.75 < drifting[2] / drifting[0] < 1.8**2


def test_patients_drift_by_the_printed_spread_and_the_typical_one_not_at_all() -> None:
    """0.58 in the natural logarithm, 9 patients under a drug without effect; 0.15 in inclusion body myositis."""
    assert parameter_table()["ck_drift"].value == 1.0
    population = shipped_population(reference_model(CK_DRIFT).parameters)
    cohort = draw(population, 2000, seed=11)
    logs, bodies = np.log(cohort.of("ck_drift")), np.array(cohort.strata) == "IBM"
    for kind, printed in ((~bodies, 0.58), (bodies, 0.15)):
        assert logs[kind].mean() == pytest.approx(0.0, abs=0.05)
        assert logs[kind].std() == pytest.approx(printed, rel=0.07)
