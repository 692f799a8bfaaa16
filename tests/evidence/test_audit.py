"""Arithmetic finds by itself what is wrong, or remarkable, in reported values."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulate.errors import InputError
from simulate.evidence.audit import audit, check_evidence, unmarked
from simulate.evidence.items import Verdict
from simulate.evidence.kinds import Correlation, Count, MeanRange, PValue
from simulate.evidence.reading import external_file, read_evidence

HEAD = 'schema = 1\nsource = "zong-2011"\n'


def texts(remarks: object, verdict: Verdict) -> list[str]:
    return [text for _, found, text in remarks if found is verdict]  # type: ignore[attr-defined]


def item(name: str, kind: str, **keys: object) -> str:
    rows = {"id": name, "account": "x", "quantity": "ifng", "visit_day": 0, "kind": kind, "standing": "reported"} | keys
    lines = [f"{key} = {value!r}".replace("'", '"') for key, value in rows.items()]
    return "\n[[item]]\n" + "\n".join(lines) + "\n"


def findings(folder: Path, *items: str) -> list[tuple[str, str, Verdict, str]]:
    path = folder / "printed.toml"
    path.write_text(HEAD + "".join(items), encoding="utf-8")
    return [(found.item, found.check, found.verdict, found.text) for found in audit(read_evidence(path))]


def test_the_abstract_holds_one_contradiction_and_it_is_marked() -> None:
    evidence = read_evidence()
    found = audit(evidence)
    assert {finding.item for finding in found if finding.verdict is Verdict.CONTRADICTS} == {"il1ra-on-drug"}
    assert unmarked(evidence, found) == ()
    assert check_evidence(evidence) == found


def test_the_inverted_range_is_found() -> None:
    contradictions = texts(MeanRange(19571.0, 19572.0, 18844.0, 10).remarks(), Verdict.CONTRADICTS)
    assert contradictions == [
        "the range 19572 to 18844 is upside down",
        "10 values from 18844 to 19572 can have a mean of 18916.8 to 19499.2, and not 19571",
    ]


def test_the_p_value_of_the_correlation_is_found_to_agree_by_rounding_alone() -> None:
    first, second = texts(Correlation(-0.9, 0.001, 8, "ck").remarks(), Verdict.NOTE)
    assert first == (
        "R = -0.9 at n = 8 gives p = 0.0023, 0.0012 one-sided, not 0.001: "
        "they agree by rounding alone, if |R| is 0.914 to 0.941"
    )
    assert "has an exact p of 0.0022 or 0.0046 or 0.0072 or 0.011" in second


@pytest.mark.parametrize("n", [6, 12])
def test_the_correlation_contradicts_its_p_value_at_six_patients_or_twelve(n: int) -> None:
    (text,) = texts(Correlation(-0.9, 0.001, n, "ck").remarks(), Verdict.CONTRADICTS)
    assert text.endswith("and not 0.001 whatever was rounded; n of 7, 8, 9, 10, 11 would do")


def test_numbers_of_patients_are_named_where_none_is_printed() -> None:
    (text,) = texts(Correlation(-0.9, 0.001, None, "ck").remarks(), Verdict.NOTE)
    assert text == "R = -0.9 and p = 0.001 go together at n of 7, 8, 9, 10, 11"


def test_a_p_value_of_0005_at_ten_patients_means_that_all_ten_rose() -> None:
    notes = texts(PValue(0.005, "up", 10).remarks(), Verdict.NOTE)
    assert notes[0] == "by the signed-rank test (asymptotic), p = 0.005 at n = 10 means that all 10 of 10 rose"
    assert "cannot give p = 0.005 at n = 10" in notes[1]
    assert notes[2] == "p = 0.005 at n = 10 in a t test of differences is a t of 3.63 to 3.76"


def test_what_is_taken_to_be_meant_where_a_file_does_not_say_it_is_a_note(tmp_path: Path) -> None:
    keys = {"p": 0.01, "direction": "up", "n": 10, "since_day": 0, "visit_day": 182}
    related = {"r": 0.5, "with": "ck", "n": 8, "visit_day": 182, "since_day": 0, "scale": "log"}
    found = findings(
        tmp_path,
        item("open", "p_value", **keys),
        item("said", "p_value", **keys, test="paired t"),
        item("related", "correlation", **related),
    )
    assert [row for row in found if row[1] == "taken"] == [
        ("open", "taken", Verdict.NOTE, "`test` is not given: the asymptotic signed-rank test is taken"),
        ("related", "taken", Verdict.NOTE, "`change` is not given: an increase is taken to be positive"),
    ]


def test_a_p_value_that_some_who_fell_can_give_says_how_many() -> None:
    (note,) = [text for text in texts(PValue(0.007, "up", 10).remarks(), Verdict.NOTE) if "(asymptotic)," in text]
    assert note.endswith("means that the ranks of those who fell add up to 1: at most 1 of them")


def test_a_p_value_that_no_signed_rank_test_gives_is_said_to_be_another_test() -> None:
    notes = texts(PValue(0.0001, "down", 6).remarks(), Verdict.NOTE)
    assert notes[0].endswith("it was another test, or another n")


@pytest.mark.parametrize(
    ("statement", "contradictions"),
    [
        (Count(16, 15), ["16 of 15 is more than all"]),
        (Count(6, 15, (3, 2)), ["3 + 2 is 5, not 6"]),
        (Count(7, 15, (), 47.0), []),
        (Count(7, 15, (), 48.0), ["7 of 15 is 46.67 %, not 48 %; no count of 15 is"]),
        (Count(7, 15, (), 53.0), ["7 of 15 is 46.67 %, not 53 %; 8 of 15 would be"]),
        (MeanRange(5.1, 1.1, 4.2, None), ["the mean 5.1 is outside 1.1 to 4.2"]),
        (
            MeanRange(1.11, 1.02, 4.03, 8),
            ["8 values from 1.02 to 4.03 can have a mean of 1.39625 to 3.65375, and not 1.11"],
        ),
        (MeanRange(1.4, 1.02, 4.03, 8), []),
        (MeanRange(1.0, 1.0, 4.0, 8), []),
        (MeanRange(2.51, 1.0, 4.0, 4, 1.0), ["4 values in steps of 1 have a mean of 2.5 or 2.75, never 2.51"]),
        (MeanRange(2.5, 1.0, 4.0, 4, 1.0), []),
        (MeanRange(2.3, 1.0, 4.0, 4, 1.0), []),
        (MeanRange(2.33, 1.0, 4.0, 3, 1.0), []),
    ],
)
def test_impossible_figures_are_found_and_possible_ones_are_not(
    statement: Count | MeanRange, contradictions: list[str]
) -> None:
    assert texts(statement.remarks(), Verdict.CONTRADICTS) == contradictions


def test_more_people_than_there_were_are_found(tmp_path: Path) -> None:
    samples = item("samples", "count", quantity="samples", count=8, n=15)
    level = item("level", "mean_range", mean=2, low=1, high=4, n=9, unit="%", among="samples")
    study = item("study", "protocol", quantity="dose", n=12, use="design")
    found = findings(tmp_path, samples, level, study)
    assert [row for row in found if row[2] is Verdict.CONTRADICTS] == [
        ("samples", "people", Verdict.CONTRADICTS, "15 people, and 12 were in the study"),
        ("level", "people", Verdict.CONTRADICTS, "9 people were measured, and 8 were there by `samples`"),
    ]


def test_two_items_that_say_different_things_of_the_same_are_found(tmp_path: Path) -> None:
    first = item("first", "count", quantity="samples", count=8, n=15)
    found = findings(tmp_path, first, item("second", "count", quantity="samples", count=9, n=15))
    assert ("second", "agreement", Verdict.CONTRADICTS, "says something other than `first` says of the same") in found
    found = findings(tmp_path, first, item("second", "count", quantity="samples", count=9, n=15, visit_day=182))
    assert not any(row[2] is Verdict.CONTRADICTS for row in found)


def test_a_contradiction_that_is_not_marked_cannot_be_used(tmp_path: Path) -> None:
    path = tmp_path / "printed.toml"
    path.write_text(HEAD + item("response", "count", count=16, n=15), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        check_evidence(read_evidence(path))
    assert str(caught.value) == (
        "error[evidence.contradiction]: the item `response` contradicts arithmetic: 16 of 15 is more than all\n"
        f"  --> {path}:4, key `item[0]`\n"
        "  found:    16 of 15 is more than all\n"
        "  expected: figures that can be, or the standing `disputed`\n"
        "  try:      compare the file with the source; mark what is misprinted there as disputed"
    )
    path.write_text(
        path.read_text(encoding="utf-8").replace('"reported"', '"disputed"\nnote = "misprint"'), encoding="utf-8"
    )
    assert len(check_evidence(read_evidence(path))) == 1


def test_external_findings_agree_with_arithmetic() -> None:
    evidence = read_evidence(external_file())
    assert unmarked(evidence, audit(evidence)) == ()
