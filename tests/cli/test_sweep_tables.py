"""What is printed of a sweep is what its axes move, and rows that are alike are one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from simulate.cli.console import in_lines
from simulate.cli.sweep_tables import print_changes, shown_quantities
from simulate.studies.paired import Paired, summed_up
from simulate.studies.sweeps.changes import SweepChange

DOSES, SHARES = (10.0, 31.0723, 300.0), (0.1, 0.5, 0.9)


def _paired(value: float) -> Paired:
    return summed_up(np.array([value]), np.ones(1))


def rows(effects: dict[str, Any], *, inner: str = "f_m") -> list[SweepChange]:
    """Of each point of a grid what a function of dose and share says of each quantity."""
    points = [(dose, share) for dose in DOSES for share in SHARES]
    if inner == "dose":
        points = [(dose, share) for share in SHARES for dose in DOSES]
    return [
        SweepChange(
            f"dose {dose:.6g} mg, f_m {share:.6g}", {"dose": dose, "f_m": share}, name, "%", 0.0, 28.0,
            _paired(effect(dose, share)),
        )
        for dose, share in points
        for name, effect in effects.items()
    ]  # fmt: skip


EFFECTS = {
    "naive": lambda dose, share: 0.0,
    "ck": lambda dose, share: -10.0 * share - dose / 100.0,
    "il17a": lambda dose, share: -dose / 10.0 - 0.001 * share,
    "ifng": lambda dose, share: dose / 10.0,
}


def test_each_axis_has_a_quantity_that_it_moves() -> None:
    assert shown_quantities(rows(EFFECTS)) == ("il17a", "ifng", "ck")


def test_what_no_axis_moves_is_shown_only_where_nothing_else_is() -> None:
    still = {name: lambda dose, share: 0.0 for name in ("il17a", "ifng", "ck")}
    assert shown_quantities(rows(still)) == ("il17a", "ifng")
    assert shown_quantities(rows(still | {"th1": lambda dose, share: share})) == ("th1",)


@pytest.mark.parametrize("inner", ["dose", "f_m"])
def test_rows_that_are_alike_along_an_axis_are_one_and_values_have_three_digits(
    inner: str, capsys: pytest.CaptureFixture[str]
) -> None:
    print_changes(rows({"ifng": EFFECTS["ifng"]}, inner=inner))
    points = [line.split("  ")[0].strip() for line in capsys.readouterr().out.splitlines() if "dose" in line]
    assert points == [f"dose {dose} mg, f_m 0.1 to 0.9" for dose in ("10", "31.1", "300")]


def test_values_that_three_digits_do_not_tell_apart_keep_theirs(capsys: pytest.CaptureFixture[str]) -> None:
    close = [
        SweepChange(f"k {k:.6g}", {"k": k}, "x", "%", 0.0, 1.0, _paired(1e5 * (k - 1.0))) for k in (1.0001, 1.0002)
    ]
    print_changes(close)
    out = capsys.readouterr().out
    assert "k 1.0001 " in out
    assert "k 1.0002 " in out


@pytest.mark.parametrize(("width", "longest"), [("60", 60), ("80", 80), ("200", 80)])
def test_captions_are_as_wide_as_the_console_and_no_wider_than_80(
    width: str, longest: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", width)
    lines = in_lines("patients " * 40)
    assert len(lines) > 3
    assert longest - len("patients ") < len(lines[0]) <= longest
