"""Differences between directories without trajectories, told cell by cell."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulate.cli.app import outcome
from simulate.results.diff import diff_runs
from simulate.results.provenance import asked
from simulate.results.result import Result
from simulate.tabular import ResultTable


def written(folder: Path, n: int, *rows: tuple[str, float | None, float]) -> Path:
    table = ResultTable(("effect", "power", "n"), rows)
    provenance = asked("trial", {"n": n}, out=None, force=False)
    Result(provenance, "t", None, tables={"effects": table}).write(folder)
    return folder


def test_tables_are_compared_by_their_labels_and_not_by_their_order(tmp_path: Path) -> None:
    one = written(tmp_path / "a", 1, ("ifng", 0.5, 8.0), ("ck", None, 8.0), ("il17a", 0.1, 8.0))
    other = written(tmp_path / "b", 2, ("il17a", 0.1, 8.0), ("ifng", 0.4, 8.0), ("ck", None, 8.0), ("mmt", 1.0, 8.0))
    found = diff_runs(one, other)
    assert [(change.name, change.before, change.after) for change in found.changes] == [("n", 1, 2)]
    power, size = found.effects
    assert (power.quantity, power.values, power.different, power.arms) == ("effects: power", 3, 1, ("ifng",))
    assert (power.before, power.after, power.largest) == (0.5, 0.4, pytest.approx(0.2))
    assert (size.quantity, size.different) == ("effects: n", 0)
    assert found.only == ("the second alone has 1 row of `effects.csv`",)


def test_the_command_says_which_argument_changed_which_column(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, other = (written(tmp_path / f"{n}", n, ("ifng", 0.1 * n, 8.0)) for n in (1, 2))
    assert outcome(["runs", "diff", str(one), str(other)]) == 0
    shown = capsys.readouterr().out
    assert "`n` changed effects: power; the same to the bit: effects: n\n" in shown
    assert outcome(["runs", "diff", str(one), str(one)]) == 0
    assert capsys.readouterr().out == "what was asked is the same, and so is every number\n"


def test_runs_without_a_table_in_common_are_not_said_to_have_the_same_numbers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = written(tmp_path / "a", 1, ("ifng", 0.5, 8.0))
    curves = ResultTable(("endpoint", "n"), (("ifng", 8.0),))
    provenance = asked("trial", {"n": 2}, out=None, force=False)
    Result(provenance, "t", None, tables={"curves": curves}).write(tmp_path / "b")
    assert outcome(["runs", "diff", str(one), str(tmp_path / "b")]) == 0
    assert capsys.readouterr().out.endswith(
        "no number can be compared: the two have no quantity, and no row of a table, in common\n"
        "the first alone has the table `effects.csv`\n"
        "the second alone has the table `curves.csv`\n"
    )


def test_rows_of_one_table_that_are_not_in_the_other_are_not_said_to_have_the_same_numbers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = written(tmp_path / "a", 1, ("ifng", 0.5, 8.0), ("il17a", 0.4, 8.0))
    other = written(tmp_path / "b", 2, ("ck", 0.5, 8.0))
    assert outcome(["runs", "diff", str(one), str(other)]) == 0
    assert capsys.readouterr().out.endswith(
        "no number can be compared: the two have no quantity, and no row of a table, in common\n"
        "the first alone has 2 rows of `effects.csv`\n"
        "the second alone has 1 row of `effects.csv`\n"
    )


def test_rows_with_the_same_labels_are_compared_where_there_are_as_many(tmp_path: Path) -> None:
    """Else it is not known which is which: the second dose of the one may be the third of the other."""
    one = written(tmp_path / "a", 1, ("ifng", 0.0, 8.0), ("ifng", 0.5, 8.0), ("ck", 0.1, 8.0), ("ck", 0.2, 8.0))
    other = written(tmp_path / "b", 2, *3 * [("ifng", 0.7, 8.0)], ("ck", 0.1, 8.0), ("ck", 0.3, 8.0))
    found = diff_runs(one, other)
    power, size = found.effects
    assert (power.values, power.different, power.arms) == (2, 1, ("ck, row 2 of 2",))
    assert (power.before, power.after) == (0.2, 0.3)
    assert (size.values, size.different) == (2, 0)
    assert found.only == ("the first alone has 2 rows of `effects.csv`", "the second alone has 3 rows of `effects.csv`")
    assert all(effect.different == 0 for effect in diff_runs(other, other).effects)
