"""People of whom each has a population of its own."""

from __future__ import annotations

import numpy as np
import pytest

from simulate.biology.reference import reference_model
from simulate.cohort.placed import Places, Populations, placed, placed_singly
from simulate.cohort.reading import shipped_population
from simulate.errors import InputError
from simulate.streams import FloatArray, stream

POPULATION = shipped_population(reference_model().parameters)
NAMES = tuple(
    sorted(
        {part.name for part in (*POPULATION.parameters, *POPULATION.covariates) if part.spread is not None}
        | {row.name for stratum in POPULATION.strata for row in stratum.parameters}
    )
)
NUMBER = 12


def uniforms(people: int) -> FloatArray:
    return stream(3, "places of a test", 0).random((people, len(NAMES)))


def populations(people: int) -> Populations:
    det1 = np.linspace(0.03, 0.2, people)
    return Populations(POPULATION, {"det1": det1}, {"det17": np.linspace(0.2, 0.9, people)}, {})


def test_a_person_is_the_one_at_that_place_of_that_population() -> None:
    at, of_kind = Places(NAMES, uniforms(NUMBER)), np.arange(NUMBER) % 2
    found = placed_singly(populations(NUMBER), at, of_kind)
    for person in range(NUMBER):
        own = Populations(
            POPULATION,
            {"det1": populations(NUMBER).typical["det1"][[person]]},
            {"det17": populations(NUMBER).sd_log["det17"][[person]]},
            {},
        )
        # In a crowd of equal places both kinds occur; the person is there under its own.
        crowd = np.repeat(uniforms(NUMBER)[[person]], 64, axis=0)
        rows = placed(own, Places((*NAMES, "kind"), np.column_stack([crowd, (np.arange(64) + 0.5) / 64])))[0]
        assert (rows == found[person]).all(axis=1).sum() > 10


def test_a_person_has_the_same_bits_in_any_company() -> None:
    at, of_kind = Places(NAMES, uniforms(NUMBER)), np.arange(NUMBER) % 2
    found = placed_singly(populations(NUMBER), at, of_kind)
    few = Populations(
        POPULATION,
        {"det1": populations(NUMBER).typical["det1"][3:5]},
        {"det17": populations(NUMBER).sd_log["det17"][3:5]},
        {},
    )
    assert (placed_singly(few, Places(NAMES, uniforms(NUMBER)[3:5]), of_kind[3:5]) == found[3:5]).all()


def test_everyone_needs_a_place() -> None:
    with pytest.raises(InputError) as fault:
        placed_singly(populations(4), Places(NAMES, uniforms(3)), np.zeros(3, dtype=np.int64))
    assert str(fault.value) == (
        "error[cohort.place]: populations, places and kinds of people are not equally many\n  found:    4, 3 and 3"
    )
