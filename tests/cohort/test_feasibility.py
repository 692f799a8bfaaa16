from __future__ import annotations

import numpy as np
import pytest

from simulate.biology.hypotheses import hypothesis_named
from simulate.biology.reference import reference_model
from simulate.cohort.draws import draw
from simulate.cohort.feasibility import Feasibility, feasibility
from simulate.cohort.population import Population
from simulate.cohort.reading import shipped_population


def tried(hypothesis: str, population: str | None, n: int = 300) -> Feasibility:
    model = reference_model(hypothesis_named(hypothesis))
    drawn = Population(model.parameters) if population is None else shipped_population(model.parameters, population)
    return feasibility(model, draw(drawn, n, seed=6))


@pytest.mark.parametrize("hypothesis", ["H1", "H3a", "H4", "H1+H3a+H4"])
def test_every_random_patient_has_a_baseline_where_cells_do_not_convert(hypothesis: str) -> None:
    assert tried(hypothesis, "myositis") == Feasibility(hypothesis, 300, ())


def test_a_seventh_of_random_patients_have_too_few_converted_cells_for_plasticity() -> None:
    # 15.2 % of 10 000 patients: rates differ between patients, the sizes of the pools that they feed do not.
    assert tried("H2", "myositis", 1000).share == pytest.approx(0.152, abs=0.035)


def test_conversion_is_the_only_reason_under_plasticity() -> None:
    found = tried("H2", None, 2000)
    assert sum(count for _, count in found.reasons) == round(found.share * 2000)
    assert {reason.split(": ")[1] for reason, _ in found.reasons} <= {
        "more Th17 cells turn into double positives than double positives are lost",
        "more double positives turn into ex-Th17 cells than ex-Th17 cells are lost",
    }


def test_reasons_are_counted_from_the_most_frequent() -> None:
    model = reference_model(hypothesis_named("H2"))
    cohort = draw(Population(model.parameters), 3, seed=1)
    values = np.array(cohort.values)
    share, ratio = cohort.names.index("f_RO"), cohort.names.index("w_I")
    values[:, share] = [1.2, 1.2, 0.5]
    values[2, ratio] = 5.0
    spoiled = type(cohort)(
        cohort.seed, cohort.ids, cohort.names, values, cohort.covariates, cohort.covariate_values, cohort.strata,
        cohort.dropout,
    )  # fmt: skip
    found = feasibility(model, spoiled)
    assert (found.share, [count for _, count in found.reasons]) == (1.0, [2, 1])
    assert found.reasons[0][0] == (
        "the parameters admit no steady baseline: the share of CD45RO among CD4 cells exceeds 1"
    )
