"""Patients at fixed places: the distribution of a population, the same patients in all of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import ndtr, ndtri
from scipy.stats import ks_2samp

from simulate.biology.reference import reference_model
from simulate.cohort.draws import draw
from simulate.cohort.placed import Populations, kinds, placed, places
from simulate.cohort.population import Population
from simulate.cohort.reading import shipped_population
from simulate.errors import InputError

POPULATION = shipped_population(reference_model().parameters)
VARYING = {part.name for part in (*POPULATION.parameters, *POPULATION.covariates) if part.spread is not None}
NAMES = ["kind", *sorted(VARYING | {row.name for stratum in POPULATION.strata for row in stratum.parameters})]


def populations(base: Population = POPULATION, **typical: list[float]) -> Populations:
    return Populations(base, {name: np.array(values) for name, values in typical.items()}, {}, {})


def test_a_parameter_alone_is_distributed_as_in_drawn_patients() -> None:
    at = places(NAMES, 2048, seed=3)
    mine = placed(populations(), at)[0]
    drawn = draw(POPULATION, 2000, seed=5)
    for name in ("det1", "V", "CL", "f_RO", "R_0", "CK_0", "f_m"):
        column = POPULATION.names.index(name)
        assert ks_2samp(mine[:, column], drawn.of(name)).pvalue > 1e-3, name


def test_chi_and_cd45ro_are_correlated_as_in_drawn_patients() -> None:
    at = places(NAMES, 2048, seed=3)
    plain = replace(POPULATION, strata=())
    mine = np.log(placed(populations(plain), at)[0])
    drawn = draw(plain, 4000, seed=5)
    columns = [plain.names.index(name) for name in ("chi", "f_RO")]
    found = np.corrcoef(mine[:, columns[0]], mine[:, columns[1]])[0, 1]
    expected = np.corrcoef(np.log(drawn.of("chi")), np.log(drawn.of("f_RO")))[0, 1]
    # Cut one after the other or both together: the correlations differ by little.
    assert found == pytest.approx(expected, abs=0.05)
    assert found > 0.5


def test_all_patients_are_within_their_bounds() -> None:
    values = placed(populations(det1=[0.02, 0.15], chi=[0.1, 0.95]), places(NAMES, 256, seed=1))
    of_kind = kinds(POPULATION, places(NAMES, 256, seed=1))
    for kind, stratum in enumerate(POPULATION.strata):
        own = {row.name: row for row in stratum.parameters}
        for column, part in enumerate(POPULATION.parameters):
            bounds = own.get(part.name, part).bounds
            if bounds is not None and part.spread is not None:
                mine = values[:, of_kind == kind, column]
                assert bounds[0] <= mine.min() <= mine.max() <= bounds[1], part.name


def test_a_population_has_the_same_patients_alone_and_among_others() -> None:
    at = places(NAMES, 64, seed=1)
    several = placed(populations(det1=[0.03, 0.05, 0.1], chi=[0.2, 0.5, 0.8]), at)
    alone = placed(populations(det1=[0.05], chi=[0.5]), at)
    assert np.array_equal(several[1], alone[0])


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_no_two_leading_columns_are_correlated_by_chance(seed: int) -> None:
    scores = ndtri(places(NAMES, 32, seed=seed).uniforms[:, :16])
    np.testing.assert_allclose(np.cov(scores.T, bias=True), np.eye(16), atol=1e-10)
    np.testing.assert_allclose(scores.mean(axis=0), 0.0, atol=1e-12)


def test_a_parameter_that_does_not_differ_keeps_its_patients() -> None:
    at = places(NAMES, 32, seed=1)
    values = placed(populations(det1=[0.03, 0.1]), at)
    same = [index for index, part in enumerate(POPULATION.parameters) if part.name != "det1"]
    assert np.array_equal(values[0][:, same], values[1][:, same])


@pytest.mark.parametrize("patients", [16, 32, 64, 100])
def test_every_kind_has_nearly_its_share_at_any_number_of_patients(patients: int) -> None:
    found = np.bincount(kinds(POPULATION, places(NAMES, patients, seed=1)), minlength=3) / patients
    np.testing.assert_allclose(found, [6 / 15, 4 / 15, 5 / 15], atol=1.5 / patients)


def test_a_kind_with_a_typical_value_of_its_own_keeps_it() -> None:
    at = places(NAMES, 512, seed=1)
    column = POPULATION.names.index("chi")
    values = placed(populations(chi=[0.15]), at)[0][:, column]
    of_kind = kinds(POPULATION, at)
    own = next(row for row in POPULATION.strata[2].parameters if row.name == "chi")
    assert own.spread is not None
    assert own.bounds is not None
    low, high = ndtr(np.log(np.array(own.bounds) / own.value) / own.spread.sd_log)
    expected = own.value * np.exp(own.spread.sd_log * ndtri(0.5 * (low + high)))
    assert np.median(values[of_kind == 2]) == pytest.approx(expected, rel=0.02)
    assert np.median(values[of_kind == 0]) < 0.35


def test_an_unknown_parameter_cannot_differ() -> None:
    with pytest.raises(InputError) as caught:
        populations(nothing=[1.0])
    assert caught.value.code == "cohort.parameter"
    assert "`nothing`" in str(caught.value)


def test_a_parameter_that_varies_needs_a_place() -> None:
    with pytest.raises(InputError) as caught:
        placed(populations(), places(["det1"], 8, seed=1))
    assert caught.value.code == "cohort.place"


def test_a_population_whose_typical_value_is_zero_has_only_zeros() -> None:
    values = placed(populations(det1=[0.0, 0.05]), places(NAMES, 16, seed=1))[..., POPULATION.names.index("det1")]
    bounds = POPULATION.parameters[POPULATION.names.index("det1")].bounds
    assert bounds is not None
    assert np.isfinite(values).all()
    assert (values[0] == 0.0).all()
    assert (values[1] >= bounds[0]).all()
