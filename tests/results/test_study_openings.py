"""With what reports of studies of hypotheses open."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import simulate
from simulate.manifest import read_manifest
from simulate.results.opening import Opening
from simulate.results.openings import opening_of
from simulate.results.study_openings import (
    of_fit,
    of_predictions,
    of_ranking,
    of_reproduction,
    of_sensitivity,
    of_steady_states,
    of_trials,
)
from simulate.studies.fitting.posterior import shipped_posterior
from simulate.studies.fitting.predictive import Predicted
from simulate.studies.fitting.reproduction import Row
from tests.results.test_openings import APART


def opening_in(folder: Path) -> Opening:
    entries = read_manifest(folder)
    assert entries is not None
    found = opening_of(entries)
    assert found is not None
    return found


def test_a_fit_answers_with_what_was_learned_and_what_was_not() -> None:
    fit = shipped_posterior("H0")
    verdicts = ["informed", "prior", *["weakly informed"] * (len(fit.estimates) - 2)]
    estimates = tuple(replace(row, verdict=verdict) for row, verdict in zip(fit.estimates, verdicts, strict=True))
    told = replace(fit, estimates=estimates, diagnostics=replace(fit.diagnostics, warnings=("few draws",)))
    found = of_fit(told)
    assert found.question == "What do the reported values say of H0?"
    assert found.sentences[0] == f"Of {len(estimates)} numbers the reported values say much of 1: {estimates[0].name}."
    assert found.sentences[1] == f"They say nothing of 1: {estimates[1].name}."
    assert found.caveats[-1] == "Warning: few draws."


def test_a_trial_answers_with_its_power_and_says_what_a_single_arm_cannot(tmp_path: Path) -> None:
    found = simulate.trial("H0", studies=100, draws=8, patients=16, out=tmp_path / "here").value
    opening = opening_in(tmp_path / "here")
    assert opening.question == f"What would {found.design.title} show, if H0 is true?"
    assert len(opening.sentences) == len(found.powers)
    first = found.powers[0]
    assert opening.sentences[0].startswith(f"{first.title}, n {first.n}, by {first.test}: significant in ")
    assert len(set(opening.sentences)) == len(opening.sentences)
    assert opening.caveats[1:3] == ("treated: 15 enrolled, 11 to 6 months.", APART)
    assert opening.caveats[-1].startswith("Without a second arm")


@pytest.mark.parametrize(("share", "text"), [(0.0, "none"), (0.0002, "<1 %"), (0.04, "4 %")])
def test_a_trial_says_how_often_the_sign_is_wrong_as_it_is(share: float, text: str) -> None:
    found = simulate.trial("H0", n=40, placebo=40, studies=100, draws=8, patients=16).value
    first = replace(found.powers[0], power=0.5, wrong_sign=share, exaggeration=None)
    opening = of_trials(replace(found, powers=(first,)))
    assert opening.sentences == (
        f"{first.title}, n {first.n}, by {first.test}: significant in 50 % of the studies, of these {text} with the "
        "wrong sign.",
    )
    assert opening.caveats[1] == "treated: 40 enrolled, 29 to 6 months; controls: 40 enrolled, 29 to 6 months."


def row(item: str, tail: float) -> Row:
    predicted = Predicted(np.zeros(1), 0.0, -1.0, 1.0, tail)
    return Row(
        "trial", item, "", None, "", "", "mean", "", 1.0, "1", 6, "", True, predicted, predicted, predicted, ""
    )  # fmt: skip


def test_a_reproduction_names_what_is_beyond_the_model() -> None:
    fit, null = shipped_posterior("H1"), shipped_posterior("H0")
    found = of_reproduction([row("ck", 0.5), row("r", 0.01), row("il1ra", 0.05)], fit, null)
    assert found.question == "Does H1 say what was reported?"
    assert found.sentences[0] == (
        "Of 3 reported values 2 are no surprise to H1; beyond it (two-sided tail below 0.05): r mean."
    )
    difference = fit.log_evidence - null.log_evidence
    assert found.sentences[1].startswith(f"Log-evidence of H1 less that of H0: {difference:.2f} ± ")
    assert of_reproduction([row("ck", 0.5)], fit, null).sentences[0].endswith("none is beyond it.")


def test_predictions_answer_for_each_hypothesis_and_say_on_what_it_stands() -> None:
    found = of_predictions(simulate.predict(["H0"], fit="prior", draws=8, patients=8).value)
    # No drug acts on cells under the null hypothesis.
    assert found.sentences[0] == "H0: IL-17A+, week 24 0 %; IFNγ+, week 24 0 %."
    assert found.caveats[0].startswith("H0: draws of the prior")


def test_a_ranking_answers_with_the_first_and_what_cannot_be_told_from_it() -> None:
    ranking = simulate.design(
        ["H0", "H4"], measurement=["th1-in-muscle", "memory-share"], fit="prior", draws=10, patients=8, repeats=20
    ).value
    first, second = ranking.rows
    found = of_ranking(ranking)
    assert found.question == "What should be measured next to tell H0 and H4 apart?"
    assert found.sentences[0].startswith(f"{first.measurement.title}: it tells ")
    assert ("It cannot be told apart from" in found.sentences[1]) == (first.rank == second.rank)
    assert found.caveats[:2] == ("H0: 10 draws of the prior.", "H4: 10 draws of the prior.")


def test_a_sensitivity_analysis_answers_with_the_widest_swings_first() -> None:
    question, results = simulate.sensitivity(
        "anakinra-100mg-daily", "il17a:change", hypothesis="H1", n=0, trajectories=0, local=False
    ).value
    (told,) = of_sensitivity(question, results).sentences
    swings = np.abs(results[0].high - results[0].low)
    assert told.split(": ")[1].startswith(f"{question.inputs[int(np.nanargmax(swings))].name} from ")
    assert told.count(" from ") == 4


def test_steady_states_are_counted() -> None:
    found = of_steady_states(simulate.equilibria("healthy").value)
    assert found.sentences == ("1 steady state found, 1 of them stable.",)
    assert "cannot prove" in found.caveats[0]
