"""Every row of the abstract, with its prediction or the reason why there is none."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from simulate.errors import InputError
from simulate.evidence.reading import external_file, read_evidence
from simulate.evidence.sets import check_trials
from simulate.studies.fitting.keys import check_current, fit_key
from simulate.studies.fitting.reproduction import Row, repeated_study, reproduce
from tests.studies.fitting.tiny import problem
from tests.studies.virtual.fits import fitted


@cache
def rows() -> tuple[Row, ...]:
    return reproduce(problem(), fitted("H1"), problem("H0"), fitted("H0"))


def test_no_row_of_the_abstract_is_dropped_and_external_findings_follow() -> None:
    files = (None, external_file(), *check_trials())
    expected = [item.name for file in files for item in read_evidence(file).items]
    assert list(dict.fromkeys(row.item for row in rows())) == expected


def test_every_figure_has_a_prediction_or_a_reason() -> None:
    for row in rows():
        assert (row.fitted is None) == bool(row.reason), row


def test_every_external_check_runs() -> None:
    abstract = {item.name for item in read_evidence().items}
    external = [row for row in rows() if row.item not in abstract]
    assert {row.item for row in external if row.fitted is not None} == {
        "ibm-under-anakinra", "ibm-under-canakinumab", "ck-before-infliximab", "ck-after-infliximab", "th17-in-caps"
    }  # fmt: skip
    # The others have no figure that could be predicted.
    assert {(row.item, row.reason) for row in external if row.fitted is None} == {
        ("comedication-stable", "nothing is counted or measured in it"),
        ("ck-upper-limits", "nothing is counted or measured in it"),
    }
    assert not any(row.is_used for row in external)


def test_the_disputed_range_is_shown_and_unused() -> None:
    disputed = {row.figure: row for row in rows() if row.item == "il1ra-on-drug"}
    assert (disputed["low"].reported, disputed["high"].reported) == (19572.0, 18844.0)
    assert [disputed[figure].is_used for figure in ("mean", "low", "high")] == [True, False, False]
    assert {row.standing for row in disputed.values()} == {"disputed"}


def test_printed_numbers_are_those_of_the_abstract() -> None:
    printed = {(row.item, row.figure): row.reported for row in rows()}
    assert printed["response", "count"] == 7
    assert printed["ifng-level", "high"] == 4.96
    assert printed["cd45ro-ck-correlation", "r"] == -0.9
    assert printed["il17a-direction", "count"] == 2
    assert printed["ifng-direction", "mean change"] is None


def test_intervals_are_in_order_and_tails_are_probabilities() -> None:
    for row in rows():
        for part in (row.fitted, row.before, row.null):
            if part is not None:
                assert part.low <= part.median <= part.high
                assert part.tail_probability is None or 0.0 <= part.tail_probability <= 1.0


def test_what_was_not_fitted_says_so() -> None:
    assert not any(row.is_used for row in rows() if row.use != "datum")


def test_a_fit_of_patients_who_were_made_in_another_way_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as before:
        before.setattr("simulate.studies.fitting.problem.SCHEME", "as it was")
        old = fit_key(problem(), fitted("H1").settings)
    with pytest.raises(InputError) as caught:
        check_current(problem(), replace(fitted("H1"), key=old))
    assert str(caught.value) == (
        "error[fit.stale]: the fit of `H1` was made with other numbers, patients, evidence or priors than today's\n"
        f"  found:    key {old}\n  expected: key {fitted('H1').key}\n"
        "  try:      fit again: `simulate reproduce --hypothesis H1 --refit`"
    )


def test_a_fit_of_another_hypothesis_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        check_current(problem("H0"), fitted("H1"))
    assert str(caught.value) == (
        "error[fit.hypothesis]: the fit is of `H1`, not of `H0`\n"
        "  expected: a fit of `H0`\n"
        "  try:      `--hypothesis H1`, or another fit"
    )


def test_a_result_of_other_numbers_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        reproduce(problem(), replace(fitted("H1"), key="0"), problem("H0"), fitted("H0"))
    assert caught.value.code == "fit.stale"
    assert "--refit" in str(caught.value)


def test_a_repeated_study_has_readings_of_eight_patients_and_is_the_same_twice() -> None:
    first, second = (repeated_study(problem(), fitted("H1"), number=3) for _ in range(2))
    for quantity in ("serum_il1ra", "ifng", "il17a", "ck", "cd45ro"):
        assert first.before[quantity].shape == first.after[quantity].shape == (8,)
        assert np.array_equal(first.after[quantity], second.after[quantity])
        assert (first.before[quantity] > 0.0).all()
