"""Odds, what they depend on, and what each datum says."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from simulate.errors import InputError
from simulate.studies.comparison.comparison import FAVORED, SAME, STRONG, compare, influential, judge
from simulate.studies.comparison.tables import document
from simulate.studies.fitting.known_fits import Fit
from tests.studies.comparison.short import fit


def with_evidence(hypothesis: str, value: float, *, patients: float = 0.0) -> Fit:
    found = fit(hypothesis)
    sound = replace(found.posterior.diagnostics, effective=500.0, tail=0.4)
    own = replace(found.posterior, log_evidence=value, errors=(0.01, patients, 0.0), diagnostics=sound)
    return replace(found, posterior=own)


@pytest.mark.parametrize(
    ("difference", "error", "moved", "verdict", "reason"),
    [
        (0.5, 0.3, {}, SAME, "the difference is within its noise"),
        (2.0, 1.1, {}, SAME, "the difference is within its noise"),
        (1.0, 0.1, {}, SAME, "the odds are below 3"),
        (1.5, 0.1, {"a": 1.2, "b": 0.9}, SAME, "depends on: b"),
        (1.5, 0.1, {"a": -1.2}, SAME, "depends on: a"),
        (1.5, 0.1, {"a": 1.2}, FAVORED, "the odds are below 10"),
        (3.0, 0.1, {"a": 2.0, "b": 2.5}, FAVORED, "odds above 10 depend on: a"),
        (3.0, 0.1, {"a": 2.4}, STRONG, ""),
    ],
)
def test_a_verdict_is_as_strong_as_noise_and_other_beliefs_allow(
    difference: float, error: float, moved: dict[str, float], verdict: str, reason: str
) -> None:
    assert judge(difference, error, moved) == (verdict, reason)


def test_the_odds_after_are_those_before_times_the_ratio_of_evidences() -> None:
    result = compare([with_evidence("H0", -40.0), with_evidence("H1", -41.0)], prior={"H1": 3.0})
    assert result.names == ("H0", "H1")
    assert result.prior.tolist() == [0.25, 0.75]
    assert result.probabilities[0] / result.probabilities[1] == pytest.approx(math.e / 3.0)


def test_the_likeliest_stands_first_and_a_small_difference_decides_nothing() -> None:
    result = compare([with_evidence("H0", -41.0), with_evidence("H1", -40.5)])
    assert result.names == ("H1", "H0")
    assert result.verdict == SAME
    assert result.sentence == "the data cannot tell H1 from H0"
    assert result.pairs[0].reason in ("the odds are below 3", "the difference is within its noise")


@pytest.mark.parametrize(("effective", "tail"), [(3.0, 0.4), (500.0, 1.97)])
def test_nothing_is_concluded_from_a_fit_in_which_few_draws_have_most_of_the_weight(
    effective: float, tail: float
) -> None:
    own = with_evidence("H1", -45.0)
    weak = replace(own.posterior, diagnostics=replace(own.posterior.diagnostics, effective=effective, tail=tail))
    result = compare([with_evidence("H0", -40.0), replace(own, posterior=weak)])
    assert result.verdict == SAME
    assert result.sentence == "fits are too small to tell H0 from H1"
    told = f"too small is the fit of H1 ({effective:.0f} effective draws); more particles and draws"
    assert result.pairs[0].reason == told
    assert compare([with_evidence("H0", -40.0), own]).verdict == STRONG


def test_the_error_by_the_choice_of_patients_is_that_of_the_difference_on_the_same_patients() -> None:
    a, b = with_evidence("H0", -40.0, patients=3.0), with_evidence("H1", -42.0, patients=4.0)
    assert a.posterior.support is not None
    assert b.posterior.support is not None
    alike = replace(
        b, posterior=replace(b.posterior, support=replace(b.posterior.support, sets=a.posterior.support.sets))
    )
    pair = compare([a, alike]).pairs[0]
    assert (pair.is_paired, pair.patients) == (True, 0.0)
    apart = compare([a, replace(alike, posterior=replace(alike.posterior, support=None))]).pairs[0]
    assert (apart.is_paired, apart.patients) == (False, 5.0)


def test_entries_of_the_matrix_and_what_they_leave_over_add_up_to_the_difference() -> None:
    result = compare([fit("H0"), fit("H1")])
    matrix = result.matrix
    place = {name: index for index, name in enumerate(result.names)}
    evidence = [part.posterior.log_evidence for part in result.fits]
    difference = evidence[place["H1"]] - evidence[place["H0"]]
    rest = matrix.remainders[place["H1"]] - matrix.remainders[place["H0"]]
    assert matrix.reference == "H0"
    assert matrix.entries[:, place["H1"]].sum() + rest == pytest.approx(difference)
    assert (matrix.entries[:, place["H0"]] == 0.0).all()
    assert (matrix.errors[:, place["H1"]] >= 0.0).all()


def test_what_is_left_out_is_the_harmonic_mean_over_the_posterior() -> None:
    result = compare([fit("H0"), fit("H1")])
    for column, part in enumerate(result.fits):
        expected = -np.log(np.mean(np.exp(-part.posterior.log_likelihoods), axis=0))
        np.testing.assert_allclose(result.matrix.left_out[:, column], expected)


def test_the_belief_that_moves_the_odds_most_is_named_for_each_sort() -> None:
    result = compare([fit("H0"), fit("H1")])
    pair = result.pairs[0]
    for _, name, value in influential(result, pair):
        row = next(row for variant, row in zip(result.variants, result.changes, strict=True) if variant.name == name)
        assert value == pytest.approx(pair.difference + row[0].value - row[1].value)
        assert pair.least - 1e-9 <= value <= pair.most + 1e-9


def test_the_worst_tail_is_the_least_of_a_hypothesis() -> None:
    result = compare([fit("H0"), fit("H1")])
    for part in result.fits:
        assert part.posterior.support is not None
        worst = result.worst_tail(part.name)
        assert worst is not None
        assert worst[2] == min(tail for _, _, tail in part.posterior.support.tails)


def test_the_document_is_plain_and_complete() -> None:
    result = compare([fit("H0"), fit("H1")])
    found = document(result)
    assert {"hypotheses", "verdict", "matrix"} <= found.keys()
    assert sum(row["probability"] for row in found["hypotheses"]) == pytest.approx(1.0)
    assert len(found["variants"]) == len(result.variants)
    assert len(found["matrix"]["items"]) == len(result.matrix.items)


def test_a_prior_of_what_is_not_compared_is_refused() -> None:
    order = ", ".join(f"`{name}`" for name in compare([fit("H0"), fit("H1")]).names)
    with pytest.raises(InputError) as caught:
        compare([fit("H0"), fit("H1")], prior={"H2": 2.0})
    assert str(caught.value) == (
        "error[compare.prior]: `H2` is not among the hypotheses that are compared\n"
        "  found:    H2=2\n"
        f"  expected: weights above 0 of {order}"
    )
    with pytest.raises(InputError) as caught:
        compare([fit("H0"), fit("H1")], prior={"H1": 0.0})
    assert "the prior weight of `H1` is not above 0" in str(caught.value)


def test_a_weight_by_a_file_and_by_its_name_is_refused() -> None:
    own = fit("H1")
    of_file = replace(own, problem=replace(own.problem, hypothesis="mine.toml"))
    with pytest.raises(InputError) as caught:
        compare([fit("H0"), of_file], prior={"mine.toml": 2.0, "H1": 3.0})
    assert str(caught.value) == (
        "error[compare.prior]: the prior weight of `H1` is given twice\n"
        "  found:    mine.toml=2 and H1=3\n"
        "  expected: one weight of each hypothesis\n"
        "  try:      leave one out"
    )
    assert compare([fit("H0"), of_file], prior={"mine.toml": 3.0}).prior.tolist().count(0.75) == 1


def test_a_reference_that_is_not_compared_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        compare([fit("H0"), fit("H1")], against="H4")
    assert caught.value.code == "compare.against"
