"""The tables of docs/hypotheses.md have what the typical patient does under each hypothesis, digit by digit."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from simulate.biology.hypotheses import hypothesis_named
from simulate.solver.batch import solve
from simulate.solver.problem import Schedule, StopKind, Tolerance
from simulate.solver.trajectories import Trajectories
from simulate.symbolic.balance import violated
from tests.biology.courses import END, change, reading
from tests.biology.courses import course as course_of
from tests.helpers.models import kernel_of, reference_model

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "hypotheses.md").read_text(encoding="utf-8")
DAYS = (14, 91, 182)
QUANTITIES = {
    "IL-17A+": "il17a",
    "IFNγ+": "ifng",
    "Th17 memory": "th17_memory",
    "Th1 memory": "th1_memory",
    "double positives": "double_positive",
    "ex-Th17": "ex_th17",
    "CD45RO share": "cd45ro",
    "CK": "ck",
}
IN_DERMATOMYOSITIS = {"H4-dm": {"inflamed_entry": 1.0}}


@cache
def course(name: str, plasticity: bool) -> Trajectories:
    """The typical patient on 100 mg a day; of the table on plasticity, where IL-1 prevents conversion."""
    model = reference_model(hypothesis_named(name))
    kernel = kernel_of(model)
    values = {part.name: part.value for part in model.parameters} | IN_DERMATOMYOSITIS.get(name, {})
    if plasticity and "x_c" in values:
        values["x_c"] = -0.9
    doses = [(float(day), StopKind.BOLUS, 0, 100.0) for day in range(182)]
    row = np.array([[values[part] for part in kernel.parameters]])
    times = np.array([0.0, *DAYS])
    return solve(kernel, row, Schedule.from_rows([doses]), times, tolerance=Tolerance(1e-7))


def changes(name: str, quantity: str, plasticity: bool) -> dict[int, float]:
    """Change since baseline in percent, by day."""
    found = course(name, plasticity)
    assert not found.failures, found.failures[0].reason
    first, *rest = found.quantity(quantity)[0].tolist()
    return {day: 100 * (value / first - 1) for day, value in zip(DAYS, rest, strict=True)}


def tables() -> Iterator[list[list[str]]]:
    """Cells of each table of the page, the head first."""
    for text in re.findall(r"(?:^\|.*\|\n)+", PAGE, re.MULTILINE):
        rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()]
        yield [rows[0], *rows[2:]]


def cells() -> Iterator[tuple[str, str, tuple[int, ...], str, bool]]:
    """Hypothesis, quantity, days and what is printed; whether that is of the table on plasticity."""
    for head, *rows in tables():
        for row in rows:
            told, *_ = row[0].split(", %")
            when = (14,) if told.endswith("at two weeks") else (91, 182)
            quantity = QUANTITIES.get(told.removesuffix(" at two weeks"))
            if quantity is not None and head[0] == "" and row[0].endswith("%"):
                for column, cell in zip(head[1:], row[1:], strict=True):
                    name = column.split()[0].strip(",")
                    if not cell.startswith("as "):
                        plasticity = "released" in column
                        yield name, quantity, DAYS if plasticity else when, cell, plasticity
            if head[:2] == ["name", "what it adds"] and not row[2].startswith("as "):
                name = "H1+H6+" * row[2].startswith("with H1+H6") + row[0].strip("`")
                yield name, "il17a", (91, 182), row[2], False
                yield name, "ifng", (91, 182), row[3], False


CELLS = [*cells()]


def test_all_tables_are_read() -> None:
    assert len(CELLS) > 90
    assert {name for name, *_ in CELLS} > {"H0", "H5b", "H6+H8", "renewal", "H4-resident"}
    assert sum(plasticity for *_, plasticity in CELLS) == 8


@pytest.mark.parametrize("name", sorted({name for name, *_ in CELLS}))
def test_the_page_prints_what_the_typical_patient_does(name: str) -> None:
    for under, quantity, days, printed, plasticity in CELLS:
        if under == name:
            found = changes(name, quantity, plasticity)
            numbers = re.findall(r"[−+]?\d+(?:\.\d+)?", printed.removeprefix("with H1+H6 "))
            assert len(numbers) in (1, len(days)), (quantity, printed)
            for day, number in zip(days, numbers * (len(days) // len(numbers)), strict=True):
                value = float(number.replace("−", "-"))
                half = 0.5 * 10.0 ** -len(number.partition(".")[2])
                assert abs(found[day] - value) <= half * 1.0001, (quantity, day, printed, found[day])


def percent(value: float) -> str:
    return f"{100 * value:.0f}"


def responses_to_doses(name: str, quantity: str, **given: float) -> list[str]:
    """What 10 and 200 mg do, in percent of what 100 mg does."""
    full = change(name, quantity, **given)
    return [percent(change(name, quantity, dose=dose, **given) / full) for dose in (10.0, 200.0)]


def regained(name: str, quantity: str, day: int) -> str:
    """How much of the effect of half a year is gone some days later, in percent."""
    values = course_of(name, end=END + 364).quantity(quantity)[0]
    return percent(float((values[END + day] - values[END]) / (values[0] - values[END])))


PREVENTS, PROMOTES = {"x_c": -0.9}, {"x_c": 1.0}


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("10 mg gives {} %, 200 mg {} % of the effect of 100 mg", lambda: responses_to_doses("H1", "il17a")),
        ("10 mg gives {} %, 200 mg {} % of the effect of 100 mg, for either sign", lambda: either_sign()),
        ("{} % back at 28 d, {} % at 182 d", lambda: [regained("H1", "th17_memory", day) for day in (28, 182)]),
        ("{} % back at 28 d, {} % at 150 d", lambda: [regained("H3a", "th17_memory", day) for day in (28, 150)]),
        ("{} % back in a day, all in two", lambda: [regained("H3b", "il17a_unwashed", 1)]),
        ("{} % of the control are left", lambda: [f"{reading('H1+dish-priming', 'primed_th17_with_il1ra', 0):.0f}"]),
        ("{:+.3f} against {:.3f} points (IL-1 prevents)", lambda: points(PREVENTS)),
        ("{:.3f} against {:+.3f} (promotes)", lambda: points(PROMOTES)),
        ("Th1 memory {:+.1f} %", lambda: [100 * change("H1", "th1_memory")]),
        (
            "{} %; {:.1f} % if IL-1 keeps no Th1",
            lambda: [percent(change("H3a", "ifng")), 100 * change("H3a", "ifng", g1=0)],
        ),
        ("+{} % typical; {:+.1f} % in the responder, {:+.1f} % in the non-responder", lambda: who_has_h4()),
        (
            "Th1 in muscle {} %, {} % without the taper",
            lambda: [percent(change(name, "T1")) for name in ("H4+H5", "H4")],
        ),
        ("IFNγ+ {:.2f} → {:.2f}", lambda: [reading("H5", name, 0) for name in ("ifng", "ifng_with_prednisolone")]),
        ("with four fifths left IFNγ+ rises by {} % and", lambda: [percent(change("H5b", "ifng", taper_rest=0.8))]),
        ("at 40 % of the typical rises by {} %", lambda: [percent(change("H5a", "ifng_regressed", det1=0.4 * 0.05))]),
        (
            "IL-17A falls by {} and {} % instead of 46 and 61",
            lambda: [percent(-change("H1+renewal", "il17a", day)) for day in (91, 182)],
        ),
        ("more, not less ({}, {} %)", lambda: [percent(change("H3a+renewal", "il17a", day)) for day in (91, 182)]),
    ],
)
def test_sentences_have_the_numbers_of_the_typical_patient(said: str, found: Callable[[], list[object]]) -> None:
    assert said.format(*found()) in " ".join(PAGE.replace("−", "-").split())


def either_sign() -> list[str]:
    one, other = (responses_to_doses("H2", "il17a", **sign) for sign in (PREVENTS, PROMOTES))
    assert [abs(int(a) - int(b)) <= 1 for a, b in zip(one, other, strict=True)] == [True, True]
    return one


def points(sign: dict[str, float]) -> list[float]:
    return [reading("H2", name, **sign) - reading("H2", name, 0, **sign) for name in ("ifng", "il17a")]


def who_has_h4() -> list[object]:
    responder = change("H4", "ifng", f_m=1.0, chi=0.2)
    other = change("H4", "ifng", f_m=0.1, chi=0.8, il1_muscle=1.0)
    return [percent(change("H4", "ifng")), 100 * responder, 100 * other]


def test_much_cd28null_memory_that_renews_itself_has_no_baseline() -> None:
    model = reference_model(hypothesis_named("cd28null+renewal"))
    assert violated(model, {}) == ()
    assert violated(model, {"f_28null": 0.5}) != ()
