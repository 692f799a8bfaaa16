"""Dose tables in the columns of NONMEM: what they mean."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulate.errors import InputError
from simulate.regimen.csvtable import read_sheet
from simulate.regimen.stops import realize
from simulate.regimen.tables import dose_table_of
from simulate.regimen.words import parse_regimen
from simulate.regimen.writing import print_regimen
from tests.helpers.tabled import IV, SC, doses, plan, schedule, table


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
        by_duration = plan(f"TIME,AMT,{column}\n0,100,2\n")
        assert print_regimen(by_duration) == "100 mg sc over 2 h"
        # Where all of a dose arrives; else one keeps its rate, and the other its duration.
        assert schedule(by_duration) == schedule(by_rate)
    assert print_regimen(by_rate) == "100 mg sc rate 50 mg/h"
    assert table("TIME,AMT,RATE\n0,100,50\n", rate_stays=False).plan((SC,)) == plan("TIME,AMT,DUR\n0,100,2\n")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("TIME,AMT,SS,II\n480,100,1,24\n", "100 mg sc every 1 d from 20 d until 21 d steady"),
        ("TIME,AMT,SS,II,ADDL\n48,100,2,24,2\n", "100 mg sc every 1 d from 2 d until 5 d steady added"),
        ("TIME,AMT,SS,II,EVID\n48,100,1,24,4\n", "100 mg sc every 1 d from 2 d until 3 d steady and reset at 2 d"),
        (
            "TIME,AMT,SS,RATE\n24,0,1,5\n",
            "120 mg sc every 1 d from 1 d until 1 d rate 5 mg/h steady",
        ),
        (
            "TIME,AMT,SS,II,ADDL\n0,7,0,24,9\n48,100,1,12,0\n",
            "7 mg sc every 1 d until 2 d and 100 mg sc every 0.5 d from 2 d until 2.5 d steady",
        ),
    ],
)
def test_a_steady_state_in_a_table_is_one_in_words(text: str, words: str) -> None:
    assert print_regimen(plan(text)) == words
    assert parse_regimen(words) == plan(text)


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


def test_values_of_covariates_belong_to_patients() -> None:
    read = table(
        "ID,TIME,AMT,WT,CRCL,SITE\n7,0,100,70,.,x\n7,24,100,.,.,y\nb,0,50,80.5,95,z\nc,0,50,.,.,\n",
        covariates=("wt", "CrCl"),
        ignored=("site",),
    )
    assert read.covariates == {"WT": {"7": 70.0, "b": 80.5}, "CRCL": {"b": 95.0}}


def test_a_reset_in_a_table_is_one_in_words() -> None:
    tabled = plan("TIME,AMT,EVID,II,ADDL\n0,100,1,24,27\n240,.,3,.,.\n288,50,4,24,6\n")
    words = "100 mg sc daily until 10 d and 50 mg sc daily from 12 d for 1 wk and reset at 10 d and reset at 12 d"
    assert schedule(tabled) == schedule(parse_regimen(words))
    assert parse_regimen(print_regimen(tabled)) == tabled
    # What EVID 4 says in one row can be said in two.
    assert plan("TIME,AMT,EVID\n0,100,1\n48,100,4\n") == plan("TIME,AMT,EVID\n0,100,1\n48,.,3\n48,100,1\n")


def test_a_reset_cancels_additional_doses_of_its_patient_alone() -> None:
    read = table("ID,TIME,AMT,EVID,II,ADDL\n1,0,100,1,24,9\n1,36,.,3,.,.\n1,60,20,1,24,1\n2,0,100,1,24,9\n")
    plans = read.plans((SC,))
    assert [(dose.time, dose.amount) for dose in realize(plans["1"], (SC,)).doses] == [
        (0, 100),
        (1, 100),
        (2.5, 20),
        (3.5, 20),
    ]
    assert realize(plans["1"], (SC,)).resets == (1.5,)
    assert len(realize(plans["2"], (SC,)).doses) == 10


def test_rows_between_resets_need_no_order() -> None:
    head = "TIME,AMT,EVID\n"
    one = plan(head + "0,100,1\n24,50,1\n48,.,3\n72,30,1\n96,20,1\n")
    assert one == plan(head + "24,50,1\n0,100,1\n48,.,3\n96,20,1\n72,30,1\n")


def test_a_lag_in_a_table_is_one_in_words() -> None:
    tabled = plan("TIME,AMT,ALAG,RATE,II,ADDL\n0,100,0.5,.,24,6\n12,60,2,20,.,.\n")
    words = "100 mg sc daily for 7 d lag 30 min and 60 mg sc from 12 h over 3 h lag 2 h"
    assert schedule(tabled) == schedule(parse_regimen(words))


@given(LINES)
def test_a_table_saved_on_windows_is_the_same_table(lines: list[Line]) -> None:
    text = "\n".join([HEADER, *(line.row for line in lines), ""])
    assert plan("\ufeff" + text.replace("\n", "\r\n"), routes=(SC, IV)) == plan(text, routes=(SC, IV))


def test_units_are_those_that_the_reader_is_told() -> None:
    by_day = table("TIME,AMT,II,ADDL\n1,0.1,2,3\n", time="d", amount="g").plan((SC,))
    assert schedule(by_day) == schedule(plan("TIME,AMT,II,ADDL\n24,100,48,3\n"))


def test_a_file_is_read_as_its_text(tmp_path: Path) -> None:
    path = tmp_path / "doses.csv"
    for content in (b"\xef\xbb\xbfTIME,AMT\r\n0,100\r\n", "TIME,AMT\r\n0,100\r\n".encode("utf-16")):
        path.write_bytes(content)
        assert dose_table_of(read_sheet(path), time="h", amount="mg").plan((SC,)) == plan("TIME,AMT\n0,100\n")


@pytest.mark.parametrize(
    ("content", "code"),
    [(None, "file.missing"), (b"TIME,AMT\n0,\xff\n", "file.encoding"), (b" " * 10_000_001, "file.size")],
)
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, content: bytes | None, code: str) -> None:
    path = tmp_path / "doses.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_sheet(path)
    assert caught.value.code == code
    if code == "file.encoding":
        assert str(caught.value.where) == f"{path}:2:3"
