"""Who has a steady baseline: a patient whose baseline asks for a negative flow of cells is refused with the reason."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from simulate.biology.hypotheses import hypothesis_named
from simulate.cohort.arms import Arm
from simulate.cohort.draws import draw
from simulate.cohort.ensemble import simulate_cohort
from simulate.cohort.reading import shipped_population
from simulate.regimen.doses import Plan
from tests.helpers.models import reference_model


def refused(hypothesis: str, n: int = 300) -> Counter[str]:
    """Reasons, and how many patients each holds for."""
    model = reference_model(hypothesis_named(hypothesis))
    cohort = draw(shipped_population(model.parameters, "myositis"), n, seed=6)
    ensemble = simulate_cohort(model, (Arm("baseline", Plan()),), cohort, np.zeros(1))
    return Counter(failure.failure.reason.split(": ", 1)[1] for failure in ensemble.failures)


@pytest.mark.parametrize("hypothesis", ["H1", "H3a", "H4", "H1+H3a+H4"])
def test_every_random_patient_has_a_baseline_where_cells_do_not_convert(hypothesis: str) -> None:
    assert refused(hypothesis) == {}


def test_a_seventh_of_random_patients_have_too_few_converted_cells_for_plasticity() -> None:
    # 15.2 % of 10 000 patients: rates differ between patients, the sizes of the pools that they feed do not.
    assert refused("H2", 1000).total() / 1000 == pytest.approx(0.152, abs=0.035)


def test_conversion_is_the_only_reason_under_plasticity() -> None:
    assert set(refused("H2", 2000)) == {
        "more Th17 cells turn into double positives than double positives are lost: they are too few for this rate",
        "more double positives turn into ex-Th17 cells than ex-Th17 cells are lost: they are too few for this rate",
    }
