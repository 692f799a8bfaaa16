"""Readings of patients of a dose table, beside what is simulated of the same patients at the same times."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from simulate.api.simulating import simulated
from simulate.arrays import as_dataset
from simulate.figures.few_patients import FEW
from simulate.figures.time_course import time_course
from simulate.results.tidy import tidy_frame
from simulate.studies.datasets import by_draw, pooled, read_dataset, write_dataset
from simulate.studies.intervals import run_study
from simulate.studies.observed import FAR, ObservedValue, far_apart, observed_values, readings_of
from simulate.studies.runs import Study
from simulate.studies.settings import parse_setting
from simulate.symbolic.units import convert, unit
from tests.studies.tabled import fault_of, study_of

MODEL = Path(__file__).resolve().parent.parent / "data" / "one-compartment.toml"
FILE = """\
schema = 1
title = "our patients"
model = { file = "one-compartment.toml" }
time = { end = "1 d", every = "6 h" }

[[arm]]
name = "as recorded"
doses = { file = "doses.csv", time = "h", amount = "mg" }
"""
DOSES = """\
ID,TIME,AMT,DV,DVID
a7,0,320,.,.
a7,1.1,.,8.5,concentration
a7,12,320,.,.
a7,12,.,3.25,concentration
a7,19.7,.,7,concentration
12,0,100,.,.
12,7.3,.,2,concentration
12,30,.,1,concentration
b,0,.,.,.
b,3,.,0.1,concentration
"""
NUMBERED = DOSES.replace("concentration", "1").replace("7.3,.,2,1", "7.3,.,2,2")


@pytest.fixture(autouse=True)
def _model(tmp_path: Path) -> None:
    shutil.copy(MODEL, tmp_path)


def study(folder: Path, text: str = FILE, doses: str = DOSES, *settings: str) -> Study:
    return study_of(folder, text, doses, *settings)


def rows_of(found: Study) -> tuple[ObservedValue, ...]:
    ensemble, _ = run_study(found)
    return observed_values(found.readings.compared, found.scenario.arms, found.model, ensemble)


def closed(hours: float, doses: dict[float, float], values: dict[str, float]) -> float:
    """Concentration under first-order absorption: a sum of Bateman functions of the doses before a time."""
    ka, k = values["ka"], values["CL"] / values["V"]
    return sum(
        amount * ka / (values["V"] * (ka - k)) * (np.exp(-k * (hours - at)) - np.exp(-ka * (hours - at)))
        for at, amount in doses.items()
        if at < hours
    )


def test_what_is_simulated_is_the_solution_of_that_patient_at_that_very_time(tmp_path: Path) -> None:
    found = study(tmp_path, FILE, DOSES, "solver.rtol=1e-9")
    ensemble, dataset = run_study(found)
    rows = observed_values(found.readings.compared, found.scenario.arms, found.model, ensemble)
    names = [str(name) for name in dataset["parameter"].values]
    given = {"a7": {0.0: 320.0, 12.0: 320.0}, "12": {0.0: 100.0}, "b": {}}
    assert [(row.patient_id, 24.0 * row.day, row.observed) for row in rows] == [
        *[("a7", pytest.approx(1.1), 8.5), ("a7", pytest.approx(12.0), 3.25), ("a7", pytest.approx(19.7), 7.0)],
        *[("12", pytest.approx(7.3), 2.0), ("b", pytest.approx(3.0), 0.1)],
    ]
    for row in rows:
        member = ["a7", "12", "b"].index(row.patient_id)
        values = dict(zip(names, dataset["parameters"].values[0, member].tolist(), strict=True))
        expected = closed(24.0 * row.day, given[row.patient_id], values)
        # At 12 h a dose is given, and the reading is of the state before it.
        assert row.simulated == pytest.approx(expected, rel=1e-7, abs=1e-12)
        assert (row.p5, row.p95, row.unit, row.arm) == (None, None, "mg/L", "as recorded")
        assert row.difference == pytest.approx(row.observed - expected, rel=1e-6)
        assert row.ratio == (None if expected == 0.0 else pytest.approx(row.observed / expected, rel=1e-6))


def test_readings_move_no_number_of_the_run_and_leave_its_times_as_they_were(tmp_path: Path) -> None:
    (tmp_path / "without").mkdir()
    shutil.copy(MODEL, tmp_path / "without")
    bare = "".join(f"{line.rsplit(',', 2)[0]}\n" for line in DOSES.splitlines())
    alone, beside = study(tmp_path / "without", FILE, bare), study(tmp_path)
    first, second = (run_study(found)[1] for found in (alone, beside))
    np.testing.assert_array_equal(first["time"].values, np.array([0.0, 0.25, 0.5, 0.75, 1.0]))
    np.testing.assert_array_equal(second["time"].values, first["time"].values)
    assert first["concentration"].values.tobytes() == second["concentration"].values.tobytes()
    assert alone.key != beside.key
    assert study(tmp_path, FILE, DOSES.replace("8.5", "8.6")).key != beside.key


def test_ids_stay_in_results(tmp_path: Path) -> None:
    _, dataset = run_study(study(tmp_path, FILE, DOSES, "cohort.patients=4"))
    assert dataset["patient_id"].values.tolist() == ["a7", "12", "b", "a7"]
    write_dataset(dataset, tmp_path / "r.nc")
    dataset = as_dataset(dataset)
    assert read_dataset(tmp_path / "r.nc").identical(dataset)
    draws = dataset.isel(member=[0, 1, 0, 1]).assign_coords(draw=("member", [0, 0, 1, 1]))
    divided = by_draw(draws)
    assert divided["patient_id"].values.tolist() == ["a7", "12"]
    assert pooled(divided)["patient_id"].values.tolist() == ["a7", "12", "a7", "12"]
    table = tidy_frame(dataset, ["concentration"], [0.0])
    assert table["patient_id"].tolist() == ["a7", "12", "b", "a7"]
    assert table["id"].tolist() == [0, 1, 2, 3]


def test_members_who_stand_for_one_patient_are_summed_up(tmp_path: Path) -> None:
    found = study(tmp_path, FILE, DOSES, "cohort.patients=300")
    ensemble, _ = run_study(found)
    row = next(row for row in rows_of(found) if row.patient_id == "12")
    at = int(np.searchsorted(ensemble.trajectories.times, row.day))
    own = ensemble.quantity("concentration")[0, 1::3, at]
    assert len(own) == 100
    assert (row.p5, row.simulated, row.p95) == tuple(np.quantile(own, (0.05, 0.5, 0.95)).tolist())


def test_what_is_left_out_is_counted_with_its_reason(tmp_path: Path) -> None:
    assert study(tmp_path).readings.sentences == (
        "5 observed values of 3 patients (concentration, taken to be in mg/L) beside what is simulated of them",
        "1 observed value left out: after day 1, the end of the simulation",
    )
    assert study(tmp_path, FILE, DOSES, "cohort.patients=1").readings.sentences == (
        "3 observed values of 1 patient (concentration, taken to be in mg/L) beside what is simulated of them",
        "3 observed values left out: of patients who are not simulated",
    )
    of_one = FILE.replace('amount = "mg"', 'amount = "mg", patient = "b"')
    assert study(tmp_path, of_one).readings.sentences == (
        "1 observed value of 1 patient (concentration, taken to be in mg/L) beside what is simulated of them",
        "5 observed values left out: of other patients than `b`",
    )
    assert study(tmp_path, FILE, NUMBERED).readings.sentences == (
        "5 observed values left out: nothing says what DVID `1` is",
        "1 observed value left out: nothing says what DVID `2` is",
    )
    untold = "".join(f"{line.rsplit(',', 1)[0]}\n" for line in DOSES.splitlines())
    assert study(tmp_path, FILE, untold).readings.sentences == (
        "6 observed values left out: nothing says of what quantity",
    )


def test_a_scenario_says_what_dvids_are_and_in_which_unit(tmp_path: Path) -> None:
    told = FILE.replace(
        'amount = "mg" }', 'amount = "mg", observed = { concentration = { dvid = "1", unit = "ng/mL" } } }'
    )
    found = study(tmp_path, told, NUMBERED)
    assert [reading.value for reading in found.readings.compared] == pytest.approx([8.5e-3, 3.25e-3, 7e-3, 1e-4])
    assert "1 observed value left out: nothing says what DVID `2` is" in found.readings.sentences
    everything = FILE.replace('amount = "mg" }', 'amount = "mg", observed = { central = {} } }')
    found = study(tmp_path, everything, NUMBERED)
    assert found.readings.quantities == ("central",)
    # What was observed is kept, though it is no observable.
    assert found.quantities == ("concentration", "central")


@pytest.mark.parametrize(
    ("text", "doses", "message"),
    [
        (
            FILE,
            DOSES.replace("concentration\n12", "concentratoin\n12"),
            "error[table.quantity]: the model has no quantity `concentratoin`\n"
            "  --> doses.csv:6:13, key `DVID`, term `concentratoin`\n  found:    hypothesis none\n"
            "  expected: a state or an observable\n  try:      did you mean `concentration` or `central`?",
        ),
        (
            FILE,
            DOSES.replace("concentration\n12", "weight\n12"),
            "error[table.quantity]: the model has no quantity `weight`\n"
            "  --> doses.csv:6:13, key `DVID`, term `weight`\n  found:    hypothesis none\n"
            "  expected: a state or an observable\n"
            "  try:      say in the scenario which DVIDs are quantities, and the others are left out: "
            '`observed = { ck = { dvid = "CK" } }`',
        ),
        (
            FILE.replace('amount = "mg" }', 'amount = "mg", observed = { centrl = { dvid = "1" } } }'),
            NUMBERED,
            "error[table.quantity]: the model has no quantity `centrl`\n"
            "  --> test.toml:8, key `arm[0].doses.observed.centrl`\n  found:    hypothesis none\n"
            "  expected: a state or an observable\n  try:      did you mean `central`?",
        ),
        (
            FILE.replace('amount = "mg" }', 'amount = "mg", observed = { central = { dvid = "3" } } }'),
            NUMBERED,
            "error[scenario.value]: no row of the table has a reading of `central`\n"
            "  --> test.toml:8, key `arm[0].doses.observed.central`\n  found:    none with DV and DVID `3`\n"
            "  expected: a row that is no dose, with DV, DVID `1`, DVID `2`\n"
            "  try:      leave the quantity out of `observed`",
        ),
        (
            FILE.replace('amount = "mg" }', 'amount = "mg", observed = { central = {}, depot = { dvid = "1" } } }'),
            NUMBERED,
            "error[scenario.value]: it is not told which readings are of `depot`\n"
            "  --> test.toml:8, key `arm[0].doses.observed.depot`\n"
            "  expected: a `dvid` of its own for each quantity, as the column DVID has it",
        ),
    ],
)
def test_a_reading_that_cannot_be_compared_is_refused(tmp_path: Path, text: str, doses: str, message: str) -> None:
    assert fault_of(tmp_path, text, doses) == message


def test_a_reading_of_another_dimension_is_refused(tmp_path: Path) -> None:
    text = FILE.replace('amount = "mg" }', 'amount = "mg", observed = { central = { dvid = "1", unit = "L" } } }')
    assert fault_of(tmp_path, text, NUMBERED) == (
        "error[units.mismatch]: readings of `central` cannot be in `L`\n"
        "  --> test.toml:8, key `arm[0].doses.observed.central`\n"
        "  expected: mg, the unit of `central`, or another of the same kind"
    )
    doses = IN_UNITS.replace("ng/mL", "mol/L")
    assert fault_of(tmp_path, FILE, doses) == (
        "error[units.mismatch]: readings of `concentration` cannot be in `mol/L`\n"
        "  --> doses.csv:3:27, key `UNIT`, term `mol/L`\n"
        "  expected: mg/L, the unit of `concentration`, or another of the same kind"
    )
    assert fault_of(tmp_path, FILE, IN_UNITS.replace("ng/mL", "ng/")).splitlines()[1] == (
        "  --> doses.csv:3:27, key `UNIT`, term `ng/`"
    )


IN_UNITS = """\
ID,TIME,AMT,DV,DVID,UNIT
a7,0,320,.,.,
a7,1,.,8500,concentration,ng/mL
a7,12,.,3.25,concentration,.
a7,13,.,4,concentration,mg/L
"""


def test_a_column_says_in_which_unit_each_reading_is(tmp_path: Path) -> None:
    found = study(tmp_path, FILE, IN_UNITS)
    assert [reading.value for reading in found.readings.compared] == pytest.approx([8.5, 3.25, 4.0])
    # One reading has no unit of its own.
    assert found.readings.units == (("concentration", "mg/L", False),)
    told = FILE.replace('amount = "mg" }', 'amount = "mg", observed = { concentration = { unit = "g/L" } } }')
    found = study(tmp_path, told, IN_UNITS)
    assert [reading.value for reading in found.readings.compared] == pytest.approx([8.5, 3250.0, 4.0])
    assert found.readings.sentences == (
        "3 observed values of 1 patient (concentration in mg/L) beside what is simulated of them",
    )
    assert [row.unit for row in rows_of(found)] == ["mg/L"] * 3


def test_readings_of_an_enzyme_may_be_in_the_unit_of_the_clinic() -> None:
    """1 U turns over 1 µmol a minute, 1 kat 1 mol a second: 1 µkat/L is 60 U/L."""
    assert convert(300.0, unit("U/L"), unit("µkat/L")) == pytest.approx(5.0)


def test_readings_far_from_what_is_simulated_are_asked_for_their_unit(tmp_path: Path) -> None:
    assert far_apart(rows_of(study(tmp_path))) == ()
    in_clinic = DOSES.replace("8.5", "8500").replace("3.25", "3250").replace(",7,c", ",7000,c")
    rows = rows_of(study(tmp_path, FILE, in_clinic, "cohort.patients=1"))
    ratios = sorted(row.ratio for row in rows if row.ratio is not None)
    assert len(ratios) == 3
    assert ratios[1] > FAR
    assert far_apart(rows) == (
        f"observed values of concentration are {ratios[1]:.2g} times what is simulated (median of 3): are they in "
        'mg/L? A column UNIT says in which unit readings are, or `observed = { concentration = { unit = "..." } }` in '
        "the scenario",
    )
    # A single outlier is no other unit, and what is below a limit says nothing of it.
    assert far_apart([*rows[:1], *(replace(row, ratio=1.0) for row in rows[1:])]) == ()
    assert far_apart([replace(row, below=True) for row in rows]) == ()
    assert len(far_apart([replace(row, ratio=0.9 / FAR) for row in rows])) == 1


def test_a_run_leaves_a_table_and_draws_the_points_over_the_line_of_their_patient(tmp_path: Path) -> None:
    study(tmp_path)
    result = simulated(str(tmp_path / "test.toml"), [parse_setting("model.hypothesis=none")])
    table = result.tables["observed"]
    assert table.columns[:6] == ("patient_id", "arm", "day", "quantity", "unit", "observed")
    assert [row[0] for row in table.rows] == ["a7", "a7", "a7", "12", "b"]
    figure = time_course(result.value.dataset, observed=result.value.observed)
    drawn = figure.axes[0].get_lines()
    lines = [line for line in drawn if len(np.asarray(line.get_xdata())) > 1]
    points = [line for line in drawn if len(np.asarray(line.get_xdata())) == 1]
    values = result.value.dataset["concentration"].values[0]
    assert [np.asarray(line.get_ydata()).tolist() for line in lines] == values.tolist()
    assert [(float(np.asarray(point.get_ydata())[0]), point.get_color()) for point in points] == [
        (row.observed, lines[["a7", "12", "b"].index(row.patient_id)].get_color()) for row in result.value.observed
    ]
    assert len({str(point.get_marker()) for point in points}) == 3
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["patient a7", "patient 12", "patient b", "observed, in mg/L", "doses"]
    assert figure.legends[0].get_title().get_text() == "as recorded"
    names = {text.get_text() for text in figure.axes[0].texts}
    assert names & {"a7", "12", "b"}


def test_a_dozen_patients_have_bands_and_fewer_have_lines(tmp_path: Path) -> None:
    found = study(tmp_path, FILE, DOSES, f"cohort.patients={FEW}")
    ensemble, dataset = run_study(found)
    rows = observed_values(found.readings.compared, found.scenario.arms, found.model, ensemble)
    bands = time_course(dataset, observed=rows).axes[0]
    lines = time_course(dataset.isel(member=slice(0, FEW - 1)), observed=rows).axes[0]
    assert (len(bands.patches) >= 2, len(lines.patches) >= 2) == (True, False)
    assert sum(len(np.asarray(line.get_xdata())) > 1 for line in lines.get_lines()) == FEW - 1
    assert sum(line.get_linestyle() == "None" for line in bands.get_lines()) == len(rows)


def test_readings_below_a_limit_are_hollow(tmp_path: Path) -> None:
    doses = DOSES.replace("DVID", "DVID,CENS").replace("concentration", "concentration,1").replace(",.\n", ",.,.\n")
    found = study(tmp_path, FILE, doses)
    ensemble, dataset = run_study(found)
    rows = observed_values(found.readings.compared, found.scenario.arms, found.model, ensemble)
    assert all(row.below for row in rows)
    figure = time_course(dataset, observed=rows)
    points = [line for line in figure.axes[0].get_lines() if len(np.asarray(line.get_xdata())) == 1]
    assert {str(point.get_markerfacecolor()) for point in points} == {"white"}
    assert "observed to be below, in mg/L" in [text.get_text() for text in figure.legends[0].get_texts()]


def test_arms_without_a_table_have_no_readings(tmp_path: Path) -> None:
    found = study(tmp_path, FILE + '\n[[arm]]\nname = "untreated"\nregimen = "none"\n')
    assert {reading.arm for reading in found.readings.compared} == {0}
    assert readings_of(found.scenario.arms[1:], found.model, end=1.0, members=range(3)).sentences == ()
    assert found.scenario.arms[1].regimen == "none"
