"""On which evidence a fit stands is chosen, said, and never mixed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from simulate.errors import InputError
from simulate.studies.comparison.comparison import compare
from simulate.studies.fitting.fit import Likelihood
from simulate.studies.fitting.keys import check_current
from simulate.studies.fitting.known_fits import Fit, fit_folder
from simulate.studies.fitting.named_evidence import checks_of, evidence_name, not_used, problem_on
from simulate.studies.fitting.posterior import posterior_text, read_posterior
from simulate.trials.reading import read_trial
from tests.studies.comparison.short import fit
from tests.studies.fitting.tiny import problem


def test_the_abstract_is_what_is_meant_where_nothing_is_named() -> None:
    assert problem_on("H1").key == problem_on("H1", "abstract").key == problem("H1").key
    assert evidence_name(problem("H1")) == "abstract"
    assert fit_folder(problem("H1")) == Path("fits/H1")


def test_the_synthesis_has_the_abstract_and_what_others_report() -> None:
    asked = problem_on("H1", "synthesis")
    own = [item.name.removeprefix("zong-2014: ") for item in asked.data]
    assert own == [*(item.name for item in problem("H1").data), "gcsf-direction", "lasiglie-2011: th17-in-caps"]
    assert evidence_name(asked) == "synthesis"
    assert asked.key != problem("H1").key
    assert fit_folder(asked) == Path("fits/H1@synthesis")
    # The same numbers are free, on the same priors: that of the noise is of the laboratory, and not of the set.
    assert [(part.name, part.low, part.high) for part in asked.free] == [
        (part.name, part.low, part.high) for part in problem("H1").free
    ]
    assert "7 of 7 responders" in not_used(asked)[0].statement
    found = Likelihood(asked, 8, 1)(np.zeros((1, asked.dimension)))
    assert np.isfinite(found.items).all()


def test_a_trial_that_the_evidence_uses_is_no_check() -> None:
    assert [part.trial.name for part in checks_of(problem("H0"))] == ["infliximab-pilot", "lasiglie-2011"]
    assert [part.trial.name for part in checks_of(problem_on("H0", "synthesis"))] == ["infliximab-pilot"]


def test_a_set_that_there_is_not_has_a_near_name() -> None:
    with pytest.raises(InputError) as caught:
        problem_on("H0", "synthesi")
    assert str(caught.value) == (
        "error[evidence.unknown]: there is no evidence `synthesi`\n"
        "  expected: a set, `abstract` or `synthesis`; or an evidence file\n"
        "  try:      did you mean `synthesis`?"
    )


def test_a_set_is_not_named_beside_trials() -> None:
    with pytest.raises(InputError) as caught:
        problem_on("H1", "synthesis", (read_trial("zong-2011"),))
    assert str(caught.value) == (
        "error[evidence.set]: the evidence `synthesis` is named beside trials\n"
        "  found:    `zong-2011`\n"
        "  expected: one of them: the set has trials of its own, `zong-2014` and `lasiglie-2011`\n"
        "  try:      leave out `--trial`, or name an evidence file"
    )


def test_a_fit_says_on_what_it_stands_in_its_file(tmp_path: Path) -> None:
    found = replace(fit("H0").posterior, evidence="synthesis")
    (tmp_path / "fit.json").write_text(posterior_text(found), encoding="utf-8")
    assert read_posterior(tmp_path / "fit.json").evidence == "synthesis"


def test_a_fit_to_other_evidence_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        check_current(problem("H0"), replace(fit("H0").posterior, evidence="synthesis"))
    assert str(caught.value) == (
        "error[fit.evidence]: the fit of `H0` stands on the evidence `synthesis`, not on `abstract`\n"
        "  expected: a fit to the evidence that is named\n"
        "  try:      name its evidence, `--evidence synthesis`, or another fit"
    )


def test_fits_to_different_evidence_are_not_compared() -> None:
    other = Fit(problem_on("H1", "synthesis"), fit("H1").posterior, "test")
    with pytest.raises(InputError) as caught:
        compare([fit("H0"), other])
    assert str(caught.value) == (
        "error[compare.evidence]: `H0` and `H1` stand on different evidence\n"
        "  found:    `abstract` and `synthesis`\n"
        "  expected: fits to the same statements\n"
        "  try:      fit all to one set: `simulate compare H0 H1 --evidence abstract`"
    )
