"""Plausible patients, and populations made of them, asked the same."""

from __future__ import annotations

import dataclasses
import json
from functools import cache

import numpy as np
import pytest

from simulate.errors import NotConverged
from simulate.evidence.items import Evidence
from simulate.evidence.kinds import MeanRange
from simulate.inference.populations.chain import HONEST, PUBLISHED
from simulate.studies.fitting.problem import problem_for
from simulate.studies.fitting.simulated_trial import protocol, simulated_trial, without_noise
from simulate.studies.virtual.methods import PopulationSettings
from simulate.studies.virtual.patients import PlausiblePatients, evenly
from simulate.studies.virtual.populations import VirtualPopulations, virtual_populations
from simulate.studies.virtual.reported import printed
from simulate.studies.virtual.tables import document, patients_tables
from tests.studies.virtual.fits import fitted

SMALL = PopulationSettings(patients=256, fewest=30, selections=10, chains=8, steps=24, burn_in=8)


@cache
def people(threads: int | None = None) -> PlausiblePatients:
    problem = without_noise(problem_for("H1"))
    units = {part.name: part.unit for part in problem.model.observables}
    return PlausiblePatients(problem, printed(problem.evidence, protocol(problem), units).statistics, threads)


@cache
def result() -> VirtualPopulations:
    return virtual_populations(people().problem, SMALL, as_published=True)


@cache
def beside() -> VirtualPopulations:
    """The same on one thread, with a posterior."""
    return virtual_populations(people().problem, SMALL, as_published=True, posterior=fitted("H1"), threads=1)


def test_a_person_is_the_same_in_any_company() -> None:
    cube = evenly(people().names, 40, 5)
    all_of_them = people()(cube)
    assert np.array_equal(people(1)(cube[10:13]), all_of_them[10:13], equal_nan=True)
    assert (evenly(people().names, 20, 5) == cube[:20]).all()


def test_people_spread_evenly_are_those_of_the_prior() -> None:
    cube = evenly(people().names, 3000, 1)
    values = people().parameters(cube)
    names = people().problem.population.names
    det1 = values[:, names.index("det1")]
    part = next(part for part in people().problem.free if part.name == "det1" and part.role.value == "typical value")
    row = next(row for row in people().problem.population.parameters if row.name == "det1")
    assert row.spread is not None
    # A patient's logarithm varies by what is not known of the population and by the patient.
    typical = np.log(part.values(np.linspace(-3.0, 3.0, 2001)))
    weights = np.exp(-0.5 * np.linspace(-3.0, 3.0, 2001) ** 2)
    variance = np.average((typical - np.average(typical, weights=weights)) ** 2, weights=weights)
    assert np.log(det1).std() > variance**0.5
    kinds = people().kinds(cube)
    counts = [stratum.count for stratum in people().problem.population.strata]
    assert np.bincount(kinds) / 3000 == pytest.approx(np.array(counts) / sum(counts), abs=0.03)


def test_a_reading_is_the_level_with_the_luck_of_its_coordinate() -> None:
    cube = evenly(people().names, 6, 2)
    plain = cube.copy()
    plain[:, -len(people().statistics) :] = 0.5
    luck = people()(cube) - people()(plain)
    assert (np.abs(luck[:, : len(people().statistics)]) > 0.0).all()
    assert (luck[:, len(people().statistics) :] == 0.0).all()


def test_three_ways_answer_the_same_questions() -> None:
    found = result()
    assert found.ways == ("acceptance", "chains", "reweighting")
    assert [row.question for row in found.conclusions] == [
        "IFNγ+ cells rise",
        "IL-17A+ cells fall",
        "change of creatine kinase in responders",
    ]
    for row in found.conclusions:
        values = [row.answers[name].value for name in found.ways]
        assert row.spread == pytest.approx(max(values) - min(values))
        assert all(answer.low <= answer.value <= answer.high for answer in row.answers.values())
    assert found.absent == {}
    assert set(found.others) == {
        "pool",
        "reweighting, hit exactly",
        "reweighting, counts as well",
        "chains as published",
    }
    assert found.posterior is None


def test_each_way_is_nearer_to_the_target_than_the_pool() -> None:
    found = result()
    target = found.target
    far = np.abs(found.made["pool"].mean - target.mean) / target.sd
    worst = int(far.argmax())
    for name in found.ways:
        assert abs(found.made[name].mean[worst] - target.mean[worst]) / target.sd[worst] < far[worst]
        assert found.made[name].correlations[0] > found.made["pool"].correlations[0] + 0.3
    exact = found.made["reweighting, hit exactly"]
    assert exact.mean == pytest.approx(target.mean, abs=1e-6)
    assert exact.sd == pytest.approx(target.sd, rel=1e-6)
    assert exact.correlations == pytest.approx([0.9])


def test_chains_say_which_version_was_walked() -> None:
    assert result().made["chains"].facts["version"] == HONEST
    assert result().made["chains as published"].facts["version"] == PUBLISHED
    assert "R-hat" in result().made["chains"].facts
    assert "R-hat" not in result().made["chains as published"].facts


def test_a_population_that_is_worth_little_carries_a_warning() -> None:
    made = result().made["chains"]
    assert made.effective < 100
    assert f"worth only {made.effective:.0f} independent patients" in made.warnings


def test_the_same_settings_give_the_same_bits_on_any_number_of_threads_and_beside_a_posterior() -> None:
    again = dataclasses.replace(beside(), posterior=None, weakness="")
    assert json.dumps(document(again)) == json.dumps(document(result()))
    assert patients_tables(again) == patients_tables(result())


def test_tables_hold_patients_with_weights_and_parameters() -> None:
    tables = patients_tables(result())
    assert set(tables) == {"pool", "chains", "chains-as-published"}
    rows = tables["pool"].records()
    assert len(rows) == SMALL.patients
    for name in ("acceptance", "reweighting"):
        assert sum(float(row[f"weight: {name}"]) for row in rows) == pytest.approx(1.0)
    mean = sum(float(row["weight: reweighting"]) * float(row["log ifng"]) for row in rows)
    assert mean == pytest.approx(result().made["reweighting"].mean[1], abs=1e-6)
    assert {row["kind"] for row in rows} == {part.name for part in people().problem.population.strata}
    values = people().parameters(result().made["pool"].points)
    column = people().problem.population.names.index("chi")
    assert float(rows[7]["chi"]) == pytest.approx(values[7, column], rel=1e-8)
    walked = tables["chains"].records()
    assert [int(row["chain"]) for row in walked[:8]] == list(range(8))


def test_a_way_that_cannot_be_made_is_named_with_the_reason() -> None:
    evidence = people().problem.evidence
    items = []
    for item in evidence.items:
        if item.name == "il1ra-baseline":
            statement = MeanRange(2.5e8, 0.5e8, 7e8, 14)
            reading = dataclasses.replace(item.readings[0], statement=statement)
            item = dataclasses.replace(item, readings=(reading,))
        items.append(item)
    far = problem_for("H1", Evidence(evidence.source, tuple(items)))
    found = virtual_populations(far, dataclasses.replace(SMALL, steps=12, burn_in=4))
    assert found.absent["acceptance"].endswith("of 256 plausible patients are like the target")
    assert "acceptance" not in found.ways
    assert found.absent["reweighting, hit exactly"] == (
        "no patient of the pool reaches the mean that `mean of serum_il1ra` is to have"
    )
    assert "not met: mean of serum_il1ra" in found.made["reweighting"].warnings
    assert [tuple(row.answers) for row in found.conclusions] == [found.ways] * 3
    json.dumps(document(found), allow_nan=False)


def test_the_posterior_beside_them_is_that_of_its_draws() -> None:
    posterior, found = fitted("H1"), beside()
    assert found.posterior is not None
    trial = simulated_trial(people().problem, posterior.points, patients=8, seed=posterior.settings.places)
    means = []
    for draw in range(len(posterior.points)):
        weights = trial.seen.weights[draw] * trial.seen.groups["responders"][draw]
        changes = np.log(trial.seen.levels["ck", 182.0][draw] / trial.seen.levels["ck", 0.0][draw])
        means.append(sum(w * c for w, c in zip(weights, changes, strict=True)) / sum(weights))
    answer = found.posterior[2]
    assert [answer.low, answer.value, answer.high] == pytest.approx(np.quantile(means, (0.05, 0.5, 0.95)))
    assert 0.0 <= found.posterior[0].low <= found.posterior[0].high <= 1.0


def test_too_small_a_pool_is_refused() -> None:
    with pytest.raises(NotConverged) as fault:
        virtual_populations(people().problem, PopulationSettings(patients=64, fewest=40, chains=4, steps=3, burn_in=1))
    assert str(fault.value) == (
        "error[vpop.pool]: only 64 of 64 plausible patients have a steady baseline and levels above 0\n"
        "  expected: at least 80\n"
        "  try:      draw more patients, or ask for fewer of them"
    )
