"""Each trajectory by the method that suits it, from the scenario to the result."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr

import simulate
from simulate.biology.reference import reference_model
from simulate.cohort.arms import Arm
from simulate.cohort.draws import draw
from simulate.cohort.ensemble import simulate_cohort
from simulate.cohort.reading import shipped_population
from simulate.errors import InputError
from simulate.regimen.words import parse_regimen
from simulate.solver import Automatic


def run(method: str, patients: int = 3, **settings: Any) -> xr.Dataset:
    chosen = {"time.end": "14 d", "model.fit": "typical", "solver.method": method, **settings}
    return simulate.run("anakinra-100mg-daily", patients=patients, settings=chosen)


def names(dataset: xr.Dataset) -> list[str]:
    known = str(dataset["method"].attrs["flag_meanings"]).split()
    return [known[index] for index in dataset["method"].values.ravel()]


def test_a_smooth_model_is_solved_by_series_and_says_so() -> None:
    chosen, series = run("automatic"), run("taylor")
    assert set(names(chosen)) == set(names(series)) == {"Taylor_8"}
    assert np.array_equal(chosen["il17a"].values, series["il17a"].values)
    assert np.array_equal(chosen["work"].values, series["work"].values)
    assert (chosen["work"].sel(count="accepted steps") > 100).all()


def test_binding_over_time_is_stiff_in_patients_whose_numbers_then_are_those_of_the_stiff_method() -> None:
    settings = {"model.hypothesis": "binding", "time.end": "2 d"}
    found = run("automatic", 6, **settings)
    by_method = {"Rodas5P": run("rodas5p", 6, **settings), "Taylor_8": run("taylor", 6, **settings)}
    assert set(names(found)) == set(by_method)
    for member, name in enumerate(names(found)):
        assert np.array_equal(found["il17a"].values[0, member], by_method[name]["il17a"].values[0, member])


def test_whatever_ships_is_solved_by_default_and_whoever_was_solved_before_keeps_the_bits() -> None:
    settings = {"model.hypothesis": "binding", "model.fit": "typical", "time.end": "28 d", "solver.max_steps": 20000}
    found, explicit = simulate.run("anakinra-100mg-daily", patients=7, settings=settings), run("taylor", 6, **settings)
    assert (found["status"] == 0).all()
    finished = (explicit["status"] == 0).values[0]
    assert 0 < finished.sum() < 6
    assert [name == "Rodas5P" for name in names(found)[:6]] == (~finished).tolist()
    assert np.array_equal(found["il17a"].values[0, :6][finished], explicit["il17a"].values[0][finished])


def test_a_misspelt_method_is_named() -> None:
    with pytest.raises(InputError) as caught:
        run("automatik")
    assert str(caught.value) == (
        "error[scenario.unknown]: there is no method `automatik`\n"
        "  --> solver.method = 'automatik', key `solver.method`\n"
        "  expected: `taylor+rodas5p`, `dopri5+rodas5p`, `dopri5`, `dop853`, `taylor`, `rodas5p`, `automatic`\n"
        "  try:      did you mean `automatic`?"
    )


def test_sensitivities_ask_for_one_method() -> None:
    model = reference_model()
    cohort = draw(shipped_population(model.parameters), 1, seed=1)
    arm = Arm("daily", parse_regimen("100 mg sc daily"))
    with pytest.raises(InputError) as caught:
        simulate_cohort(model, [arm], cohort, np.array([0.0, 1.0]), method=Automatic(), sensitivities=["CL"])
    assert str(caught.value) == (
        "error[sensitivities.method]: sensitivities are asked for with an automatic choice of the method\n"
        "  expected: one method for all members\n"
        "  try:      such as Rodas5P if the model is stiff, else leave `method` out"
    )
