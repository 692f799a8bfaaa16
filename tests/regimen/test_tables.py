"""Dose tables in the columns of NONMEM: what they mean, and what is said of those that mean nothing."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulate.errors import InputError
from simulate.regimen.doses import Plan
from simulate.regimen.stops import compile_schedule, realize
from simulate.regimen.tables import RUN_IN, DoseTable, parse_dose_table, read_dose_table
from simulate.regimen.words import parse_regimen, print_regimen
from simulate.solver.problem import Schedule
from simulate.symbolic.parts import Route, Species
from simulate.symbolic.units import unit

DEPOT = Species("A_d", "amount in the depot", unit("mg"))
SC = Route("sc", "anakinra", DEPOT, unit("mg"), DEPOT.symbol**0)
IV = Route("iv", "anakinra", DEPOT, unit("mg"), DEPOT.symbol**0)


def table(text: str, **options: str) -> DoseTable:
    return parse_dose_table(text, **{"time": "h", "amount": "mg", "file": "t.csv", **options})  # type: ignore[arg-type]


def plan(text: str, *, routes: tuple[Route, ...] = (SC,), half_life: float | None = 0.2) -> Plan:
    return table(text).plan(routes, half_lives={route.name: half_life for route in routes})


def schedule(prescription: Plan, routes: tuple[Route, ...] = (SC, IV)) -> tuple[bytes, ...]:
    stops: Schedule = compile_schedule([prescription], routes)
    return tuple(getattr(stops, name).tobytes() for name in ("offsets", "times", "kinds", "routes", "amounts"))


def doses(text: str, *, half_life: float | None = 0.2) -> list[tuple[float, float]]:
    found = realize(plan(text, half_life=half_life), (SC,)).doses
    return [(dose.time, dose.amount) for dose in found]


def fault(text: str, *, routes: tuple[Route, ...] = (SC,), half_life: float | None = 0.2) -> str:
    with pytest.raises(InputError) as caught:
        schedule(plan(text, routes=routes, half_life=half_life), routes)
    return str(caught.value)


@dataclass(frozen=True)
class Line:
    """A course, to be written in either language; times in hours."""

    route: str
    start: Decimal
    rate: Decimal
    duration: Decimal
    every: Decimal
    count: int

    @property
    def amount(self) -> Decimal:
        return self.rate * self.duration if self.duration else self.rate

    @property
    def words(self) -> str:
        infusion = f" over {self.duration} h" if self.duration else ""
        rhythm = f" every {self.every} h x {self.count}" if self.count > 1 else ""
        return f"{self.amount} mg {self.route} from {self.start} h{rhythm}{infusion}"

    @property
    def row(self) -> str:
        rate, every = (self.rate if self.duration else 0), (self.every if self.count > 1 else 0)
        return f"{self.start},{self.amount},{rate},{every},{self.count - 1},{self.route.upper()},1"

    @property
    def explicit(self) -> list[str]:
        return [
            f"{self.start + index * self.every},{self.amount},{self.duration},{self.route}"
            for index in range(self.count)
        ]


HEADER = "TIME,AMT,RATE,II,ADDL,CMT,EVID"


def decimals(low: str, high: str) -> st.SearchStrategy[Decimal]:
    return st.decimals(Decimal(low), Decimal(high), places=2)


LINES = st.lists(
    st.builds(
        Line,
        st.sampled_from(["sc", "iv"]),
        decimals("0", "500"),
        decimals("0.01", "300"),
        st.one_of(st.just(Decimal(0)), decimals("0.25", "12")),
        decimals("0.5", "72"),
        st.integers(1, 30),
    ),
    min_size=1,
    max_size=5,
)


@given(LINES)
def test_words_and_a_table_come_to_the_identical_schedule(lines: list[Line]) -> None:
    tabled = plan("\n".join([HEADER, *(line.row for line in lines)]), routes=(SC, IV))
    assert schedule(tabled) == schedule(parse_regimen(" and ".join(line.words for line in lines)))


@given(LINES)
def test_additional_doses_are_the_doses_written_out(lines: list[Line]) -> None:
    short = plan("\n".join([HEADER, *(line.row for line in lines)]), routes=(SC, IV))
    long = plan("\n".join(["TIME,AMT,DUR,CMT", *(row for line in lines for row in line.explicit)]), routes=(SC, IV))
    assert schedule(short) == schedule(long)


@given(LINES, st.randoms(use_true_random=False))
def test_the_order_of_records_does_not_matter(lines: list[Line], random: object) -> None:
    rows = [line.row for line in lines] + ["7,0,0,0,0,1,0"]
    shuffled = list(rows)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = (plan("\n".join([HEADER, *order]), routes=(SC, IV)) for order in (rows, shuffled))
    assert one == other
    assert schedule(one) == schedule(other)


@given(LINES)
def test_a_table_read_is_a_plan_that_words_can_say(lines: list[Line]) -> None:
    tabled = plan("\n".join([HEADER, *(line.row for line in lines)]), routes=(SC, IV))
    assert parse_regimen(print_regimen(tabled)) == tabled


def test_the_regimen_of_the_trial_is_the_same_in_both_languages() -> None:
    tabled = plan("id,time,amt,ii,addl\n1,0,100,24,181\n")
    assert print_regimen(tabled) == "100 mg sc every 1 d until 182 d"
    assert schedule(tabled) == schedule(parse_regimen("100 mg sc every 24 h until 182 d"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("TIME,AMT\n0,100\n", [(0, 100)]),
        ("Time, Amt\n 0 , 1e2 \n\n\n", [(0, 100)]),
        ('TIME,AMT\n0,"100"\n', [(0, 100)]),
        ("TIME,AMT,EVID\n0,100,1\n6,.,0\n7,0,2\n24,50,1\n", [(0, 100), (1, 50)]),
        ("TIME,AMT,DV,MDV\n0,100,.,1\n6,.,512.5,0\n", [(0, 100)]),
        ("TIME,AMT,II,ADDL\n0,100,24,2\n", [(0, 100), (1, 100), (2, 100)]),
        ("TIME,AMT,II,TOTAL\n0,100,24,3\n", [(0, 100), (1, 100), (2, 100)]),
        ("TIME,AMT,II,TOTAL\n0,100,24,1\n", [(0, 100)]),
        ("TIME,AMT,II,UNTIL\n0,100,24,72\n", [(0, 100), (1, 100), (2, 100)]),
        ("TIME,AMT,CMT\n0,100,1\n", [(0, 100)]),
        ("TIME,AMT,CMT\n0,100,SC\n", [(0, 100)]),
        ("TIME,AMT,SS,RATE,II\n0,.,1,.,.\n24,100,.,.,.\n", [(1, 100)]),
        ("TIME,AMT\n", []),
    ],
)
def test_a_table_comes_to_doses(text: str, expected: list[tuple[float, float]]) -> None:
    assert doses(text) == expected


def test_rate_and_duration_are_two_ways_to_say_one_infusion() -> None:
    by_rate = plan("TIME,AMT,RATE\n0,100,50\n")
    for column in ("DUR", "TINF"):
        assert plan(f"TIME,AMT,{column}\n0,100,2\n") == by_rate
    assert print_regimen(by_rate) == "100 mg sc over 2 h"


def test_a_steady_state_is_written_out_as_the_doses_before_it() -> None:
    before = [(float(day), 100.0) for day in range(20 - RUN_IN, 20)]
    assert doses("TIME,AMT,SS,II\n480,100,1,24\n") == [*before, (20, 100)]
    assert doses("TIME,AMT,SS,II,ADDL\n480,100,1,24,2\n") == [*before, (20, 100), (21, 100), (22, 100)]
    assert doses("TIME,AMT,SS,II\n0,7,0,0\n480,100,2,24\n") == [(0, 7), *before, (20, 100)]


def test_each_patient_has_a_plan() -> None:
    read = table("ID,TIME,AMT,WT\n7,0,100,70\n7,24,100,70\nb,0,50,80\n9.0,5,.,80\n", covariates=("wt",))
    assert read.patients == ("7", "b", "9")
    assert {name: print_regimen(found) for name, found in read.plans((SC,)).items()} == {
        "7": "100 mg sc and 100 mg sc from 1 d",
        "b": "50 mg sc",
        "9": "none",
    }
    with pytest.raises(InputError) as caught:
        read.plan((SC,))
    assert str(caught.value) == (
        "error[table.patient]: the table has the doses of 3 patients\n  --> t.csv\n"
        "  expected: the ID of one, such as `7`"
    )
    with pytest.raises(InputError) as caught:
        read.plan((SC,), patient="10")
    assert str(caught.value) == (
        "error[table.patient]: the table has no patient `10`\n  --> t.csv\n  expected: `7`, `b`, `9`"
    )


def test_units_are_those_that_the_reader_is_told() -> None:
    by_day = parse_dose_table("TIME,AMT,II,ADDL\n1,0.1,2,3\n", time="d", amount="g").plan((SC,))
    assert schedule(by_day) == schedule(plan("TIME,AMT,II,ADDL\n24,100,48,3\n"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "TIME,AMT,WT\n0,100,70\n",
            "error[table.column]: there is no column `WT`\n  --> t.csv:1:10, term `WT`\n"
            "  expected: ID, TIME, EVID, AMT, RATE, DUR, TINF, CMT, II, ADDL, TOTAL, UNTIL, SS\n"
            "  try:      declare it, if it is a covariate",
        ),
        (
            "TIME,AMT,ADL\n",
            "error[table.column]: there is no column `ADL`\n  --> t.csv:1:10, term `ADL`\n"
            "  expected: ID, TIME, EVID, AMT, RATE, DUR, TINF, CMT, II, ADDL, TOTAL, UNTIL, SS\n"
            "  try:      did you mean `ADDL`?",
        ),
        (
            "TIME;AMT\n0;100\n",
            "error[table.column]: there is no column `TIME;AMT`\n  --> t.csv:1:1, term `TIME;AMT`\n"
            "  expected: ID, TIME, EVID, AMT, RATE, DUR, TINF, CMT, II, ADDL, TOTAL, UNTIL, SS\n"
            "  try:      separate columns by commas",
        ),
        ("TIME,AMT,time\n", "error[table.column]: the column `TIME` occurs twice\n  --> t.csv:1:10, term `time`"),
        (
            "TIME,II\n0,24\n",
            "error[table.column]: the column AMT is missing\n  --> t.csv:1:1, term `TIME`\n"
            "  expected: at least TIME and AMT",
        ),
        (
            "TIME,AMT,II,ADDL,UNTIL\n",
            "error[table.column]: the columns ADDL and UNTIL say the same thing\n  --> t.csv:1:18, term `UNTIL`\n"
            "  try:      keep one of them",
        ),
        (
            "\ufeffTIME,AMT\n",
            "error[table.syntax]: the file begins with a byte order mark\n  --> t.csv:1:1\n"
            "  try:      save it as UTF-8 without byte order mark (BOM)",
        ),
        (
            "TIME,AMT\n0,100\r\n",
            "error[table.syntax]: the line ends in a carriage return\n  --> t.csv:2:6\n  found:    '\\r'\n"
            "  try:      save the file with the line ends of Unix (LF)",
        ),
        (
            "TIME,AMT\n0,1,5\n",
            "error[table.syntax]: the row has more cells than the header\n  --> t.csv:2:5\n  found:    3\n"
            "  expected: 2\n  try:      numbers have a decimal point, as in 1.5; a comma begins the next column",
        ),
        (
            "TIME,AMT\n0\n",
            "error[table.syntax]: the row has fewer cells than the header\n  --> t.csv:2:2\n  found:    1\n"
            "  expected: 2\n  try:      put `.` where there is no value",
        ),
        (
            "TIME,AMT\n\n0,100\n",
            "error[table.syntax]: the row is empty\n  --> t.csv:2:1\n  try:      delete the line",
        ),
        (
            'TIME,AMT\n0,"100\n',
            "error[table.syntax]: a quotation mark has no partner, or text follows it\n  --> t.csv:2:3, key `AMT`",
        ),
        ("", "error[table.empty]: the table is empty\n  --> t.csv:1\n  expected: a header such as TIME,AMT,II,ADDL"),
        *(
            (
                f"TIME,AMT\n0,{cell}\n",
                f"error[table.number]: `AMT` is not a number\n  --> t.csv:2:{column}, key `AMT`, term `{term}`\n"
                "  expected: digits 0 to 9 with a decimal point and no separator of thousands, or `.` for no value"
                + advice,
            )
            for cell, column, term, advice in (
                ('"1,5"', 4, "1,5", "\n  try:      write a decimal point, as in 1.5"),
                ("1_000", 3, "1_000", "\n  try:      write the digits without separators, as in 1000"),
                ("١٠٠", 3, "١٠٠", "\n  try:      write the digits as 0 to 9"),
                ("NA", 3, "NA", "\n  try:      write `.` where there is no value"),
                ("inf", 3, "inf", ""),
                ("0x10", 3, "0x10", ""),
            )
        ),
        (
            "TIME,AMT\n-1,100\n",
            "error[table.value]: TIME is negative\n  --> t.csv:2:1, key `TIME`, term `-1`\n"
            "  expected: a number that is not negative",
        ),
        ("TIME,AMT\n.,100\n", "error[table.value]: the record has no TIME\n  --> t.csv:2:1, key `TIME`, term `.`"),
        (
            "TIME,AMT,EVID\n0,0,1\n",
            "error[table.value]: a dose has no amount\n  --> t.csv:2:3, key `AMT`, term `0`\n"
            "  expected: a number above 0",
        ),
        (
            "TIME,AMT,EVID\n0,100,0\n",
            "error[table.value]: a record that is no dose has AMT\n  --> t.csv:2:3, key `AMT`, term `100`\n"
            "  expected: 0 or `.`\n  try:      EVID 1 makes it a dose",
        ),
        (
            "TIME,AMT,EVID\n0,100,4\n",
            "error[table.unsupported]: EVID 4 resets the patient, which is not supported\n"
            "  --> t.csv:2:7, key `EVID`, term `4`\n  expected: 0 observation, 1 dose or 2 other event\n"
            "  try:      give what follows the reset an ID of its own, beginning at TIME 0",
        ),
        (
            "TIME,AMT,EVID\n0,100,101\n",
            "error[table.unsupported]: EVID 101 is not supported\n  --> t.csv:2:7, key `EVID`, term `101`\n"
            "  expected: 0 observation, 1 dose or 2 other event",
        ),
        (
            "TIME,AMT,RATE\n0,100,-2\n",
            "error[table.unsupported]: RATE -2 asks for a modeled duration, which is not supported\n"
            "  --> t.csv:2:7, key `RATE`, term `-2`\n"
            "  expected: 0 for a dose given at once, or the rate of the infusion\n"
            "  try:      give the duration in a column DUR",
        ),
        (
            "TIME,AMT,RATE\n0,100,-3\n",
            "error[table.value]: RATE is negative\n  --> t.csv:2:7, key `RATE`, term `-3`\n"
            "  expected: 0 for a dose given at once, or the rate of the infusion",
        ),
        (
            "TIME,AMT,RATE,DUR\n0,100,50,2\n",
            "error[table.value]: the infusion has both RATE and DUR\n  --> t.csv:2:10, key `DUR`, term `2`\n"
            "  try:      keep one of them",
        ),
        (
            "TIME,AMT,II,ADDL\n0,100,24,0\n",
            "error[table.value]: II has no effect without additional doses\n  --> t.csv:2:7, key `II`, term `24`\n"
            "  expected: ADDL above 0, or II 0\n"
            "  try:      100 mg once a day for 28 days is II 24 h and ADDL 27",
        ),
        (
            "TIME,AMT,II,ADDL\n0,100,.,27\n",
            "error[table.value]: ADDL has no interval\n  --> t.csv:2:9, key `ADDL`, term `27`\n  expected: II above 0",
        ),
        (
            "TIME,AMT,II,ADDL\n0,100,24,1.5\n",
            "error[table.number]: `ADDL` is not a whole number\n  --> t.csv:2:10, key `ADDL`, term `1.5`",
        ),
        (
            "TIME,AMT,II,ADDL\n0,100,24,-3\n",
            "error[table.value]: ADDL is too small\n  --> t.csv:2:10, key `ADDL`, term `-3`\n  expected: at least 0",
        ),
        (
            "TIME,AMT,II,UNTIL\n48,100,24,48\n",
            "error[table.value]: UNTIL is not after TIME\n  --> t.csv:2:11, key `UNTIL`, term `48`\n"
            "  try:      the end is exclusive and counts from time 0",
        ),
        (
            "TIME,AMT,CMT\n0,100,-1\n",
            "error[table.unsupported]: a negative CMT switches a compartment off, which is not supported\n"
            "  --> t.csv:2:7, key `CMT`, term `-1`\n  expected: a route of the model, or its number from 1",
        ),
        (
            "TIME,AMT,CMT\n0,100,2\n",
            "error[table.route]: the model has no route number 2\n  --> t.csv:2:7, key `CMT`, term `2`\n"
            "  expected: 1 or `sc`",
        ),
        (
            "TIME,AMT,SS,II\n240,100,3,24\n",
            "error[table.value]: SS 3 has no meaning\n  --> t.csv:2:9, key `SS`, term `3`\n"
            "  expected: 0, 1 (replaces) or 2 (adds), as in NONMEM",
        ),
        (
            "TIME,AMT,SS\n240,100,1\n",
            "error[table.value]: a steady state of doses has no interval\n  --> t.csv:2:9, key `SS`, term `1`\n"
            "  expected: II above 0",
        ),
        (
            "TIME,AMT,SS,RATE\n240,0,1,5\n",
            "error[table.unsupported]: the steady state of an infusion without end is not supported\n"
            "  --> t.csv:2:7, key `SS`, term `1`\n"
            "  try:      give the infusion as a dose with AMT and RATE that begins long enough before",
        ),
        (
            "TIME,AMT,SS\n240,0,1\n",
            "error[table.unsupported]: the steady state without drug is where a simulation begins, not what a patient "
            "can be set to\n  --> t.csv:2:7, key `SS`, term `1`\n  expected: TIME 0",
        ),
        (
            "TIME,AMT,SS,II\n335,100,1,24\n",
            "error[table.steady]: there is no room for the 14 doses that stand for the steady state\n"
            "  --> t.csv:2:9, key `SS`, term `1`\n  found:    TIME 13.9583 d\n"
            "  expected: TIME of at least 14 II, 14 d\n"
            "  try:      begin the simulation earlier, or write out the doses that came before",
        ),
        (
            "TIME,AMT,SS,II\n480,100,1,4\n",
            "error[table.steady]: 14 doses do not bring the drug to its steady state\n"
            "  --> t.csv:2:9, key `SS`, term `1`\n  found:    a half-life of 0.2 d\n"
            "  expected: a half-life of at most II, 0.167 d\n  try:      write out the doses that came before",
        ),
        (
            "TIME,AMT,SS,II\n300,50,.,.\n480,100,1,24\n",
            "error[table.steady]: SS 1 replaces what was given before, but other doses fall among those that stand for "
            "it\n  --> t.csv:3:9, key `SS`, term `1`\n  found:    the record of line 2\n"
            "  try:      SS 2 adds to what was given before (some programs number the two the other way round)",
        ),
        (
            "ID,TIME,AMT\n1,0,100\n2,0,100\n1,24,100\n",
            "error[table.value]: the records of ID `1` do not stand together\n  --> t.csv:4:1, key `ID`, term `1`\n"
            "  expected: one block of rows for each ID\n"
            "  try:      NONMEM would take the second block for another patient; sort the table by ID",
        ),
        ("ID,TIME,AMT\n.,0,100\n", "error[table.value]: the record has no ID\n  --> t.csv:2:1, key `ID`, term `.`"),
        (
            "TIME,AMT\n1e9,100\n",
            "error[regimen.value]: the start of a course is out of range: 4.16667e+07 d\n"
            "  --> t.csv:2:1, key `TIME`, term `1e9`\n  expected: a time from 0 to 100000 d",
        ),
    ],
)
def test_each_fault_is_explained_with_its_row_and_column(text: str, message: str) -> None:
    assert fault(text) == message


def test_a_record_must_say_by_which_of_several_routes() -> None:
    assert fault("TIME,AMT\n0,100\n", routes=(SC, IV)) == (
        "error[table.route]: the record does not say by which route\n  --> t.csv:2:1, key `TIME`, term `0`\n"
        "  expected: 1 or `sc`, 2 or `iv`"
    )


def test_a_drug_that_never_forgets_has_no_steady_state() -> None:
    assert fault("TIME,AMT,SS,II\n480,100,1,24\n", half_life=None).startswith(
        "error[table.steady]: 14 doses do not bring the drug to its steady state\n"
        "  --> t.csv:2:9, key `SS`, term `1`\n  found:    no half-life\n"
    )


def test_units_of_a_table_are_checked() -> None:
    with pytest.raises(InputError) as caught:
        table("TIME,AMT\n", time="mg")
    assert str(caught.value) == "error[units.mismatch]: `mg` is not a unit of time\n  expected: such as h or d"


def test_a_file_is_read_as_its_text(tmp_path: Path) -> None:
    path = tmp_path / "doses.csv"
    path.write_bytes(b"TIME,AMT\n0,100\n")
    assert read_dose_table(path, time="h", amount="mg").plan((SC,)) == plan("TIME,AMT\n0,100\n")


@pytest.mark.parametrize(
    ("content", "code"),
    [(None, "file.missing"), (b"TIME,AMT\n0,\xff\n", "file.encoding"), (b" " * 10_000_001, "file.size")],
)
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, content: bytes | None, code: str) -> None:
    path = tmp_path / "doses.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_dose_table(path, time="h", amount="mg")
    assert caught.value.code == code
    if code == "file.encoding":
        assert str(caught.value.where) == f"{path}:2:3"
