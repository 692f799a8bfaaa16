"""What is said of dose tables that mean nothing: each fault with its row, its column and what to do."""

from __future__ import annotations

from dataclasses import replace

import pytest

from simulate.errors import InputError
from tests.helpers.tabled import IV, SC, fault, plan, table


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "TIME,AMT,WT\n0,100,70\n",
            "error[table.column]: there is no column `WT`\n  --> t.csv:1:10, term `WT`\n"
            "  expected: ID, TIME, EVID, AMT, RATE, DUR, TINF, ALAG, CMT, II, ADDL, TOTAL, UNTIL, SS, "
            "DV, MDV, DVID, UNIT, LLOQ, CENS, LIMIT\n"
            "  try:      declare it as a covariate or as ignored: `covariates = [...]`, `ignore = [...]`",
        ),
        (
            "TIME,AMT,ADL\n",
            "error[table.column]: there is no column `ADL`\n  --> t.csv:1:10, term `ADL`\n"
            "  expected: ID, TIME, EVID, AMT, RATE, DUR, TINF, ALAG, CMT, II, ADDL, TOTAL, UNTIL, SS, "
            "DV, MDV, DVID, UNIT, LLOQ, CENS, LIMIT\n"
            "  try:      did you mean `ADDL`?",
        ),
        (
            "TIME,DVIDD\n",
            "error[table.column]: there is no column `DVIDD`\n  --> t.csv:1:6, term `DVIDD`\n"
            "  expected: ID, TIME, EVID, AMT, RATE, DUR, TINF, ALAG, CMT, II, ADDL, TOTAL, UNTIL, SS, "
            "DV, MDV, DVID, UNIT, LLOQ, CENS, LIMIT\n"
            "  try:      did you mean `DVID` or `EVID`?",
        ),
        (
            "TIME;AMT\n0;100\n",
            "error[table.column]: there is no column `TIME;AMT`\n  --> t.csv:1:1, term `TIME;AMT`\n"
            "  expected: ID, TIME, EVID, AMT, RATE, DUR, TINF, ALAG, CMT, II, ADDL, TOTAL, UNTIL, SS, "
            "DV, MDV, DVID, UNIT, LLOQ, CENS, LIMIT\n"
            "  try:      separate columns by commas",
        ),
        ("TIME,AMT,time\n", "error[table.column]: the column `TIME` occurs twice\n  --> t.csv:1:10, term `time`"),
        (
            "TIME,II\n0,24\n",
            "error[table.column]: the column AMT is missing\n  --> t.csv:1:1, term `TIME`\n"
            "  found:    TIME, II\n"
            "  expected: at least TIME and AMT",
        ),
        (
            "ID,AMT,II,ADDL\n1,100,24,10\n",
            "error[table.column]: the column TIME is missing\n  --> t.csv:1:1, term `ID`\n"
            "  found:    ID, AMT, II, ADDL\n"
            "  expected: at least TIME and AMT",
        ),
        (
            "TIME,AMT,UNIT\n0,100,ug\n",
            "error[table.value]: a dose has a UNIT, which is that of readings\n"
            "  --> t.csv:2:7, key `UNIT`, term `ug`\n"
            "  expected: `.`: all amounts are in one unit, which is said beside the table\n"
            '  try:      `amount = "mg"` says it in a scenario or a data file',
        ),
        (
            "TIME,AMT,II,ADDL,UNTIL\n",
            "error[table.column]: the columns ADDL and UNTIL say the same thing\n  --> t.csv:1:18, term `UNTIL`\n"
            "  try:      keep one of them",
        ),
        (
            "TIME,AMT\n0,1\r00\r\n",
            "error[table.syntax]: the line holds a control character\n  --> t.csv:2:4\n  found:    '\\r'\n"
            "  try:      save the file with the line ends of Unix (LF) or Windows (CR LF)",
        ),
        (
            "TIME;AMT\n0;100,5\n",
            "error[table.syntax]: the columns are not separated by commas\n  --> t.csv:1:1, term `TIME;AMT`\n"
            "  expected: commas between columns, and numbers with a decimal point\n"
            "  try:      write the file anew so: a spreadsheet set to a decimal comma writes semicolons",
        ),
        (
            "TIME,AMT\n0,1,5\n",
            "error[table.syntax]: the row has more cells than the header\n  --> t.csv:2:5\n  found:    3\n"
            "  expected: 2\n"
            "  try:      a comma begins the next column: numbers have a decimal point and no separator of thousands",
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
                ('"1,5"', 4, "1,5", "\n  try:      write a decimal point: 1.5"),
                ('"0,125"', 4, "0,125", "\n  try:      write a decimal point: 0.125"),
                ('"1,000"', 4, "1,000", "\n  try:      this is ambiguous: write 1000 or 1.0, whichever is meant"),
                ('"12,500"', 4, "12,500", "\n  try:      this is ambiguous: write 12500 or 12.5, whichever is meant"),
                ('"1,000,000"', 4, "1,000,000", "\n  try:      write the digits without separators: 1000000"),
                ("1.000.000", 3, "1.000.000", "\n  try:      write the digits without separators: 1000000"),
                (
                    '"1.000,5"',
                    4,
                    "1.000,5",
                    "\n  try:      write no separator of thousands, and a decimal point: 1000.5",
                ),
                (
                    '"1,000.5"',
                    4,
                    "1,000.5",
                    "\n  try:      write no separator of thousands, and a decimal point: 1000.5",
                ),
                (
                    '"1 000,5"',
                    4,
                    "1 000,5",
                    "\n  try:      write no separator of thousands, and a decimal point: 1000.5",
                ),
                ("1 000", 3, "1 000", "\n  try:      write the digits without separators: 1000"),
                ("1'000", 3, "1'000", "\n  try:      write the digits without separators: 1000"),
                ("1_000", 3, "1_000", "\n  try:      write the digits without separators: 1000"),
                ("1 2 34", 3, "1 2 34", "\n  try:      write the digits without separators, and a decimal point"),
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
            "TIME,AMT,EVID\n0,100,3\n",
            "error[table.value]: a record that is no dose has AMT\n  --> t.csv:2:3, key `AMT`, term `100`\n"
            "  expected: 0 or `.`\n  try:      EVID 4 resets and doses",
        ),
        (
            "TIME,AMT,EVID\n0,0,4\n",
            "error[table.value]: a dose has no amount\n  --> t.csv:2:3, key `AMT`, term `0`\n"
            "  expected: a number above 0",
        ),
        (
            "TIME,AMT,EVID\n48,100,1\n24,.,3\n",
            "error[table.order]: TIME falls across the reset in line 3\n  --> t.csv:2:1, key `TIME`, term `48`\n"
            "  expected: rows before a reset at its TIME or earlier, rows after it at its TIME or later\n"
            "  try:      let TIME go on across the reset; an occasion that begins at 0 again has an ID of its own",
        ),
        (
            "TIME,AMT,EVID\n24,.,3\n0,.,0\n",
            "error[table.order]: TIME falls across the reset in line 2\n  --> t.csv:3:1, key `TIME`, term `0`\n"
            "  expected: rows before a reset at its TIME or earlier, rows after it at its TIME or later\n"
            "  try:      let TIME go on across the reset; an occasion that begins at 0 again has an ID of its own",
        ),
        (
            "TIME,AMT,EVID\n24,100,1\n24,50,4\n",
            "error[table.order]: a dose stands before the reset in line 3, at the same TIME\n"
            "  --> t.csv:2:1, key `TIME`, term `24`\n"
            "  try:      place it after the reset, where it is given, or leave it out, as the reset would undo it",
        ),
        (
            "TIME,AMT,ALAG\n0,100,-1\n",
            "error[table.value]: ALAG is negative\n  --> t.csv:2:7, key `ALAG`, term `-1`\n"
            "  expected: a number that is not negative",
        ),
        (
            "TIME,AMT,EVID\n0,100,101\n",
            "error[table.unsupported]: EVID 101 is not supported\n  --> t.csv:2:7, key `EVID`, term `101`\n"
            "  expected: 0 observation, 1 dose, 2 other event, 3 reset or 4 reset and dose",
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
            "TIME,AMT,SS\n240,0,1\n",
            "error[table.unsupported]: the steady state without drug is where a simulation begins, not what a patient "
            "can be set to\n  --> t.csv:2:7, key `SS`, term `1`\n  expected: TIME 0\n"
            "  try:      a reset (EVID 3) sets the patient to it at a later time",
        ),
        (
            "TIME,AMT,SS,II\n240,50,2,24\n240,100,1,24\n",
            "error[table.order]: a dose stands before the steady state in line 3 that replaces it, at the same TIME\n"
            "  --> t.csv:2:1, key `TIME`, term `240`\n"
            "  try:      SS 2 adds to it; else place it after, where it is given, or leave it out",
        ),
        (
            "TIME,AMT,SS,RATE,ALAG\n240,0,1,5,2\n",
            "error[table.value]: an infusion that was always given has no lag\n"
            "  --> t.csv:2:11, key `ALAG`, term `2`\n  expected: 0 or `.`",
        ),
        (
            "TIME,AMT,SS,II\n240,0,1,24\n",
            "error[table.value]: a dose has no amount\n  --> t.csv:2:5, key `AMT`, term `0`\n"
            "  expected: a number above 0",
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
    assert fault("TIME,AMT,CMT\n0,100,.\n", routes=(SC, IV)) == (
        "error[table.route]: the record does not say by which route\n  --> t.csv:2:7, key `CMT`, term `.`\n"
        "  expected: 1 or `sc`, 2 or `iv`"
    )
    other = replace(IV, drug="another drug")
    assert fault("TIME,AMT\n0,100\n", routes=(SC, other)) == (
        "error[table.route]: the record does not say by which route\n  --> t.csv:2:1, key `TIME`, term `0`\n"
        "  expected: 1 or `sc`, 2 or `iv`"
    )


def test_without_a_column_of_routes_a_dose_of_the_only_drug_takes_the_first() -> None:
    assert [course.route for course in plan("TIME,AMT\n0,100\n", routes=(SC, IV)).courses] == ["sc"]
    assert [course.route for course in plan("TIME,AMT\n0,100\n", routes=(IV, SC)).courses] == ["iv"]


def test_units_of_a_table_are_checked() -> None:
    with pytest.raises(InputError) as caught:
        table("TIME,AMT\n", time="mg")
    assert str(caught.value) == "error[units.mismatch]: `mg` is not a unit of time\n  expected: such as h or d"


def test_a_covariate_has_one_value_for_each_patient() -> None:
    with pytest.raises(InputError) as caught:
        table("ID,TIME,AMT,WT\n7,0,100,70\n7,24,100,.\n7,48,100,72\n", covariates=("WT",))
    assert str(caught.value) == (
        "error[table.covariate]: WT of patient `7` changes\n  --> t.csv:4:10, key `WT`, term `72`\n"
        "  found:    70 in line 2, 72 in line 4\n"
        "  expected: one value for each patient: covariates that change with time are not supported\n"
        "  try:      leave the value that holds for the whole course, and `.` elsewhere"
    )
