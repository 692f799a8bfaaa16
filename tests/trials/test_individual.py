"""Individual data that cannot be used are refused with file, line and advice."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulate.errors import InputError
from simulate.studies.fitting.individual import individual_problem
from simulate.studies.fitting.individual_fit import check_readings
from simulate.trials.individual import read_individual

MODEL = (Path(__file__).parents[1] / "data" / "one-compartment.toml").read_text(encoding="utf-8")

TABLE = """ID,TIME,AMT,DV
1,0,320,.
1,1,.,8
"""

DATA = """schema = 1
table = "t.csv"

[model]
file = "m.toml"

[readings.concentration]
additive = 0.7

[free.ka]
typical = [0.2, 10]
"""

FAULTS: dict[str, tuple[str, str, str]] = {
    "a reading has no time": (
        "ID,TIME,AMT,DV\n1,0,320,.\n1,.,.,8\n",
        DATA,
        """error[table.value]: the record has no TIME
  --> t.csv:3:3, key `TIME`, term `.`""",
    ),
    "a time is before the first one": (
        "ID,TIME,AMT,DV\n1,0,320,.\n1,-1,.,8\n",
        DATA,
        """error[table.value]: TIME is negative
  --> t.csv:3:3, key `TIME`, term `-1`
  expected: a number that is not negative""",
    ),
    "an observation has no value": (
        "ID,TIME,AMT,DV\n1,0,320,.\n1,1,.,.\n",
        DATA,
        """error[table.value]: the observation has no DV
  --> t.csv:3:7, key `DV`, term `.`
  try:      MDV 1 marks a row without a reading""",
    ),
    "a dose has a reading": (
        "ID,TIME,AMT,DV\n1,0,320,5\n1,1,.,8\n",
        DATA,
        """error[table.value]: a row that is no observation has a reading
  --> t.csv:2:9, key `DV`, term `5`
  expected: 0 or `.` in the row of a dose or another event
  try:      give the reading a row of its own, without an amount""",
    ),
    "a patient has doses and no reading": (
        "ID,TIME,AMT,DV\n1,0,320,.\n1,1,.,8\n2,0,320,.\n",
        DATA,
        """error[table.observations]: the patient `2` has no observation
  --> t.csv:4:1, key `ID`, term `2`
  expected: at least one reading of each patient
  try:      leave out the rows of the patient""",
    ),
    "nothing says who the patients are": (
        "TIME,AMT,DV\n0,320,.\n1,.,8\n",
        DATA,
        """error[table.column]: the column ID is missing
  --> t.csv:1:1, term `TIME`
  found:    TIME, AMT, DV
  expected: at least ID and TIME and DV""",
    ),
    "a limit stands in a column of its own": (
        "ID,TIME,AMT,DV,LLOQ\n1,0,320,.,.\n1,1,.,8,0.5\n",
        DATA,
        """error[table.unsupported]: LLOQ is not supported
  --> t.csv:3:9, key `LLOQ`, term `0.5`
  expected: a reading below the limit of the assay as CENS 1, with the limit in DV
  try:      leave the column unread: `ignore = ["LLOQ"]`""",
    ),
    "a reading is above what can be read": (
        "ID,TIME,AMT,DV,CENS\n1,0,320,.,.\n1,1,.,8,-1\n",
        DATA,
        """error[table.unsupported]: CENS -1 is not supported
  --> t.csv:3:9, key `CENS`, term `-1`
  expected: 0, or 1 for a reading below DV""",
    ),
    "a reading does not say of what": (
        "ID,TIME,AMT,DV,DVID\n1,0,320,.,.\n1,1,.,8,.\n",
        DATA,
        """error[table.value]: the observation does not say what was read
  --> t.csv:3:9, key `DVID`, term `.`
  expected: a DVID in each observation""",
    ),
    "the model does not have what was read": (
        TABLE,
        """schema = 1
table = "t.csv"

[model]
file = "m.toml"

[readings.concentratoin]
additive = 0.7

[free.ka]
typical = [0.2, 10]
""",
        """error[data.quantity]: the model has no quantity `concentratoin`
  --> d.toml:7, key `readings.concentratoin`
  found:    hypothesis none
  expected: a state or an observable
  try:      did you mean `concentration` or `central`?""",
    ),
    "a number of a quantity is not told": (
        "ID,TIME,AMT,DV,DVID\n1,0,320,.,.\n1,1,.,8,2\n",
        """schema = 1
table = "t.csv"

[model]
file = "m.toml"

[readings.concentration]
dvid = "1"
additive = 0.7

[free.ka]
typical = [0.2, 10]
""",
        """error[data.quantity]: nothing says what DVID `2` is
  --> t.csv:3:9, key `DVID`, term `2`
  expected: `1`
  try:      a table `[readings.QUANTITY]` of the data file with this `dvid`""",
    ),
    "a quantity is told and not read": (
        "ID,TIME,AMT,DV,DVID\n1,0,320,.,.\n1,1,.,8,1\n",
        """schema = 1
table = "t.csv"

[model]
file = "m.toml"

[readings.concentration]
dvid = "1"
additive = 0.7

[readings.central]
dvid = "2"
log = 0.1

[free.ka]
typical = [0.2, 10]
""",
        """error[data.quantity]: no observation has the DVID `2` of `central`
  --> d.toml:11, key `readings.central`
  expected: `1`
  try:      leave the quantity out""",
    ),
    "two quantities are not told apart": (
        TABLE,
        """schema = 1
table = "t.csv"

[model]
file = "m.toml"

[readings.concentration]
additive = 0.7

[readings.central]
log = 0.1

[free.ka]
typical = [0.2, 10]
""",
        """error[data.quantity]: it is not told which readings are of `concentration`
  --> d.toml:7, key `readings.concentration`
  expected: a `dvid` of its own for each quantity, as the column DVID has it""",
    ),
    "noise is told in two ways": (
        TABLE,
        """schema = 1
table = "t.csv"

[model]
file = "m.toml"

[readings.concentration]
log = 0.3
additive = 0.7

[free.ka]
typical = [0.2, 10]
""",
        """error[data.noise]: the noise of `concentration` is not told in one way
  --> d.toml:7, key `readings.concentration`
  found:    `additive`, `log`
  expected: `log`, or `additive`, `proportional` or both
  try:      such as `log = { value = 0.3, bounds = [0.1, 1] }`, free within bounds; or `log = 0.3`, known""",
    ),
    "a noise is out of its bounds": (
        TABLE,
        """schema = 1
table = "t.csv"

[model]
file = "m.toml"

[readings.concentration]
additive = { value = 0.7, bounds = [1, 2] }

[free.ka]
typical = [0.2, 10]
""",
        """error[key.value]: the value of `bounds` cannot be used
  --> d.toml:8, key `readings.concentration.additive.bounds`
  found:    [1, 2]
  expected: two numbers above 0, the lower first, and 0.7, the value, between them""",
    ),
    "a reading below zero has log-normal noise": (
        "ID,TIME,AMT,DV\n1,0,320,.\n1,1,.,-8\n",
        """schema = 1
table = "t.csv"

[model]
file = "m.toml"

[readings.concentration]
log = 0.7

[free.ka]
typical = [0.2, 10]
""",
        """error[data.value]: a reading of `concentration` with log-normal noise is not above 0
  --> t.csv:3:7, key `DV`, term `-8`
  expected: a number above 0
  try:      CENS 1 with the limit of the assay in DV says that it is below that; or another kind of noise""",
    ),
    "a reading comes before the first dose, and its noise is in proportion": (
        "ID,TIME,AMT,DV\n1,0,.,0.5\n1,1,320,.\n1,2,.,8\n",
        """schema = 1
table = "t.csv"

[model]
file = "m.toml"

[readings.concentration]
proportional = 0.7

[free.ka]
typical = [0.2, 10]
""",
        """error[data.noise]: the model has no `concentration` then, and noise in proportion to it is nothing
  --> t.csv:2:7, key `DV`, term `0.5`
  expected: readings after something was given, or a noise that is not in proportion
  try:      leave the reading out, or give the noise an `additive` part""",
    ),
    "a unit is of another kind": (
        TABLE,
        """schema = 1
table = "t.csv"

[model]
file = "m.toml"

[readings.concentration]
unit = "h"
additive = 0.7

[free.ka]
typical = [0.2, 10]
""",
        """error[units.mismatch]: h cannot be converted to mg/L
  --> d.toml:7, key `readings.concentration`
  found:    d
  expected: µg/L""",
    ),
    "what is free is no parameter": (
        TABLE,
        """schema = 1
table = "t.csv"

[model]
file = "m.toml"

[readings.concentration]
additive = 0.7

[free.kaa]
typical = [0.2, 10]
""",
        """error[data.free]: the model has no parameter `kaa`
  --> d.toml:10, key `free.kaa`
  try:      did you mean `ka`?""",
    ),
    "nothing of a parameter is free": (
        TABLE,
        """schema = 1
table = "t.csv"

[model]
file = "m.toml"

[readings.concentration]
additive = 0.7

[free.ka]
""",
        """error[data.free]: nothing of `ka` is free
  --> d.toml:10, key `free.ka`
  expected: `typical = [low, high]`, limits of its typical value, `spread = [low, high]`, or both""",
    ),
    "the value of the model is not believed": (
        TABLE,
        """schema = 1
table = "t.csv"

[model]
file = "m.toml"

[readings.concentration]
additive = 0.7

[free.ka]
typical = [2, 10]
""",
        """error[data.free]: the value of `ka` in the model is not within what is believed of it
  --> d.toml:10, key `free.ka`
  found:    1.5
  expected: a number between 2 and 10: it is the median of the prior""",
    ),
    "nothing is free": (
        TABLE,
        """schema = 1
table = "t.csv"

[model]
file = "m.toml"

[readings.concentration]
additive = 0.7
""",
        """error[data.free]: nothing is free in the fit
  --> d.toml
  expected: `[free.PARAMETER]` in the data file, or a noise with bounds
  try:      such as `[free.CL]` with `typical = [0.5, 10]` and `spread = [0.1, 1]`""",
    ),
    "limits are not in order": (
        TABLE,
        """schema = 1
table = "t.csv"

[model]
file = "m.toml"

[readings.concentration]
additive = 0.7

[free.ka]
typical = [10, 2]
""",
        """error[key.value]: the value of `typical` cannot be used
  --> d.toml:11, key `free.ka.typical`
  found:    [10, 2]
  expected: two numbers above 0, the lower first""",
    ),
    "a column is no covariate": (
        "ID,TIME,AMT,DV,WT\n1,0,320,.,70\n1,1,.,8,70\n",
        """schema = 1
table = "t.csv"
covariates = ["WT"]

[model]
file = "m.toml"

[readings.concentration]
additive = 0.7

[free.ka]
typical = [0.2, 10]
""",
        """error[data.covariate]: the population has no covariate for the column `WT`
  --> t.csv:1
  expected: none: the population has no covariates
  try:      a `population` with covariates under `[model]`, or `ignore = ["WT"]`""",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_data_that_cannot_be_used_are_refused(fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table, data, message = FAULTS[fault]
    monkeypatch.chdir(tmp_path)
    for name, text in {"m.toml": MODEL, "t.csv": table, "d.toml": data}.items():
        Path(name).write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        check_readings(individual_problem(read_individual("d.toml")))
    assert str(caught.value) == message


def test_what_can_be_used_is_not_refused(tmp_path: Path) -> None:
    for name, text in {"m.toml": MODEL, "t.csv": TABLE, "d.toml": DATA}.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    problem = individual_problem(read_individual(tmp_path / "d.toml"))
    assert [(part.name, part.unit) for part in problem.free] == [("ka", "1/h")]
    (patient,) = problem.patients
    assert (patient.name, patient.values.tolist(), (24 * patient.times).tolist()) == ("1", [8.0], [1.0])
