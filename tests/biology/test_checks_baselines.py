"""Ten thousand random patients under every hypothesis and option: exact baselines, no negative state, nothing lost."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import sympy

from simulate.biology.hypotheses import hypothesis_named
from simulate.cohort.arms import Arm
from simulate.cohort.draws import draw
from simulate.cohort.ensemble import Ensemble, simulate_cohort
from simulate.cohort.reading import shipped_population
from simulate.regimen.words import parse_regimen
from simulate.solver.trajectories import Status
from simulate.symbolic.balance import residual
from tests.biology.baselines import MANY, MODELS, baselines, model_of, of_many, patients
from tests.biology.ledger import DRUG, cell_pools, net_changes, sources, with_books
from tests.helpers.models import reference_model

ROUNDING = 16 * 2.0**-52
"""A rate is a sum of at most five terms, each a product of at most ten numbers that were rounded before: of the sum of
what cancels, a few units in the last place remain. A rate that did not vanish would show as a share of 1e-3 or more."""

TREATED = ("H1+H3a+H4+treg-leak", "H2+H5", "H4+infiltrate+renewal")
"""Between them these have every source and sink of cells."""


@pytest.mark.parametrize("name", MODELS)
def test_the_baseline_of_ten_thousand_patients_is_steady_to_rounding_and_nowhere_negative(name: str) -> None:
    found = of_many(name)
    feasible = found.infeasible < 0
    assert feasible.mean() > 0.4
    assert found.residual[feasible].max() < ROUNDING
    assert found.lowest[feasible].min() >= 0.0
    assert np.isnan(found.residual[~feasible]).all()


def test_naive_cells_that_are_off_by_a_millionth_are_seen() -> None:
    model = model_of("H0")
    factor = sympy.Rational(1_000_001, 1_000_000)
    off = [
        initial * (factor if part.name == "N" else 1)
        for part, initial in zip(model.species, model.initial, strict=True)
    ]
    found = baselines(replace(model, initial=tuple(off)), patients(100))
    assert found.residual.min() > 1e-7


@pytest.mark.parametrize("name", MODELS)
def test_the_baseline_of_a_random_patient_is_steady_in_exact_arithmetic(name: str) -> None:
    model, cohort = model_of(name), patients(MANY)
    member = int(np.flatnonzero(of_many(name).infeasible < 0)[MODELS.index(name)])
    drawn = dict(zip(cohort.names, cohort.values[member].tolist(), strict=True))
    values = {part.name: drawn[part.name] for part in model.parameters if part.spread is not None}
    assert set(residual(model, values).values()) == {sympy.Integer(0)}


def test_the_solver_refuses_the_same_patients_for_the_same_reasons() -> None:
    model = model_of("H2")
    cohort = draw(shipped_population(model.parameters), 500, seed=1)
    ensemble = simulate_cohort(model, (Arm("baseline", parse_regimen("none")),), cohort, np.zeros(1))
    refused = Counter(failure.failure.reason.split(": ", 1)[1] for failure in ensemble.failures)
    assert refused == baselines(model, patients(500)).counts
    assert sum(refused.values()) > 50


def test_a_patient_is_the_same_whatever_other_parameters_are_drawn() -> None:
    everything = patients(MANY)
    for name in ("H2", "infiltrate", "CAPS"):
        model = model_of(name)
        few = draw(shipped_population(model.parameters), 50, seed=1)
        for part in model.parameters:
            # All parameters together have those of CD28null cells, and then this pair is drawn without its correlation.
            if part.spread is not None and part.name not in ("chi", "f_RO"):
                np.testing.assert_array_equal(few.of(part.name), everything.of(part.name)[:50])


@pytest.mark.parametrize("name", [*MODELS, *TREATED])
def test_in_every_model_cells_come_from_thymus_and_division_alone_and_priming_hands_them_on(name: str) -> None:
    model = reference_model(hypothesis_named(name))
    nets = net_changes(model, cell_pools(model))
    spared = ("effectors_spared_", "memory_spared_", "memory_division_", "survival_of_cd28null")
    made = {source for source in sources(nets) if not source.startswith(spared)}
    assert made == {"thymic_output", "activation"}, f"reactions that spare cells have names in {spared}"
    assert {nets[source] for source in sources(nets) if source != "activation"} == {sympy.Integer(1)}
    assert net_changes(model, DRUG) == {"absorption": 0, "elimination": -1}


@cache
def treated(name: str) -> Ensemble:
    """The first patients under 100 mg a day for half a year, with books."""
    arm = Arm("daily", parse_regimen("100 mg sc every 24 h until 182 d"))
    model = with_books(reference_model(hypothesis_named(name)))
    return simulate_cohort(model, (arm,), patients(160), np.arange(0.0, 183.0, 7.0))


@pytest.mark.parametrize("name", TREATED)
def test_no_state_of_a_treated_patient_is_negative(name: str) -> None:
    ensemble = treated(name)
    reached = ensemble.status[0] == Status.OK
    assert set(ensemble.status[0][~reached]) <= {Status.INFEASIBLE}
    assert reached.sum() > 100
    lowest = {part: ensemble.quantity(part)[0][reached].min() for part in ensemble.trajectories.quantities}
    assert min(lowest.values()) >= 0.0, min(lowest, key=lambda part: lowest[part])


@pytest.mark.parametrize("name", TREATED)
def test_blood_tissue_and_muscle_hold_the_cells_that_came_and_did_not_die(name: str) -> None:
    ensemble = treated(name)
    total = sum(ensemble.quantity(pool)[0] for pool in cell_pools(reference_model(hypothesis_named(name))))
    expected = total[:, :1] + ensemble.quantity("cells_entered")[0] - ensemble.quantity("cells_left")[0]
    reached = ensemble.status[0] == Status.OK
    np.testing.assert_allclose(total[reached], expected[reached], rtol=1e-11)
    # Not because nothing happened: the turnover of half a year is a good part of all cells.
    assert (ensemble.quantity("cells_left")[0][reached, -1] / total[reached, 0]).min() > 0.05


@pytest.mark.parametrize("name", TREATED)
def test_drug_that_was_injected_is_in_the_depot_in_plasma_or_eliminated(name: str) -> None:
    ensemble = treated(name)
    share, mass = (ensemble.parameter_values[0][:, ensemble.parameters.index(part)] for part in ("F", "molar_mass"))
    days = ensemble.trajectories.times
    doses = np.where(days == 0.0, 0.0, np.minimum(days + 1.0, 182.0))  # day 0 is recorded before its dose
    given = doses * (100.0 * 1e3 * share / mass)[:, np.newaxis]  # mg over kg/mol is µmol; 1e3 makes it nmol
    found = sum(ensemble.quantity(part)[0] for part in ("A_d", "A_c", "drug_left"))
    reached = ensemble.status[0] == Status.OK
    np.testing.assert_allclose(found[reached], given[reached], rtol=1e-11)
