"""Openings of all reports but those in `openings`: of fits, comparisons, trials, sensitivities, steady states."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from simulate.errors import counted
from simulate.kernels.equilibria import Stability
from simulate.results.opening import Opening
from simulate.results.openings import as_sentences, if_true
from simulate.results.tables import rounded
from simulate.studies.comparison.comparison import Comparison
from simulate.studies.fitting.posterior import Posterior, error_by_patients
from simulate.studies.fitting.reproduction import Row
from simulate.studies.measuring.ranking import ENOUGH, ODDS, SIZES, Ranking
from simulate.studies.models import assumed_together
from simulate.studies.paired import percent_of
from simulate.studies.power.power import SimulatedTrials
from simulate.studies.prediction.prediction import Band, Prediction
from simulate.studies.prediction.questions import PredictedReading
from simulate.studies.sensitivity.analysis import Sensitivity
from simulate.studies.sensitivity.question import SensitivityQuestion
from simulate.studies.sensitivity.tables import rows as sensitivity_rows
from simulate.studies.sensitivity.tables import stands_on
from simulate.studies.steady_states import SteadyStates, notes_of
from simulate.studies.virtual.populations import VirtualPopulations, question_of

_MOST = 4
"""Inputs of which the answer of a sensitivity analysis tells."""

_UNLIKELY = 0.05
"""Two-sided tail below which a reported value is beyond a model."""

_POPULATIONS = {
    "fit": "draws of a fit, with 90 % of them in brackets",
    "prior": "draws of the prior, with 90 % of them in brackets: before anything reported was seen",
    "typical": "one population, with the parameters of the tables: what is not known is in no number",
}


def of_fit(found: Posterior, assumptions: Sequence[str] = ()) -> Opening:
    """Of a fit: what was learned, and whether the draws can be trusted."""
    informed = [row.name for row in found.estimates if row.verdict == "informed"]
    unlearned = [row.name for row in found.estimates if row.verdict == "prior"]
    told = found.diagnostics
    said = "reported values" if found.individuals is None else "readings"
    learned = [
        f"Of {len(found.estimates)} numbers the {said} say much of {len(informed)}"
        + (f": {', '.join(informed)}." if informed else "."),
        f"They say nothing of {len(unlearned)}" + (f": {', '.join(unlearned)}." if unlearned else "."),
    ]
    if told.weakness:
        learned = [
            f"What the {said} say of each number is not known: {counted(round(told.effective), 'effective draw')}."
        ]
    sentences = [
        *learned,
        f"Log-evidence {found.log_evidence:.2f} ± {found.errors[0]:.2f} (sampler) ± {found.errors[1]:.2f} (patients).",
    ]
    caveats = [
        counted(round(told.effective), "effective draw")
        + ("" if told.r_hat is None else f", R-hat {told.r_hat:.3f}")
        + f"; {100.0 * told.refused:.1f} % of the patients have no steady baseline.",
        *(f"Warning: {text}." for text in ((told.weakness,) if told.weakness else ()) + told.warnings),
        *as_sentences(assumptions),
    ]
    question = f"What do the {said} say of {found.hypothesis}?"
    return Opening(question, tuple(sentences), tuple(caveats))


def of_comparison(found: Comparison) -> Opening:
    """Of a comparison: the verdict, probabilities, and what the verdict hangs on."""
    chances = ", ".join(
        f"{name} {percent_of(float(chance))} %" for name, chance in zip(found.names, found.probabilities, strict=True)
    )
    reasons = dict.fromkeys(
        f"{pair.a} against {pair.b}: {pair.reason}." for pair in found.pairs if pair.reason and pair.a == found.names[0]
    )
    equal = "equal" if np.ptp(found.prior) < 1e-12 else "the given"
    sentence = f"{found.sentence[:1].upper()}{found.sentence[1:]}."
    return Opening(
        "Which hypothesis do the reported values favor?",
        (sentence, f"Probabilities, from {equal} ones before: {chances}."),
        (*reasons, *as_sentences(found.assumptions)),
    )


def of_trials(found: SimulatedTrials) -> Opening:
    """Of repeated studies: power, and errors of sign and size."""
    sentences = []
    for row in found.powers:
        share = f"{row.title}, n {row.n}, by {row.test}: significant in {percent_of(row.power)} % of the studies"
        many = f"{percent_of(row.wrong_sign)} %" if row.wrong_sign else "none"
        wrong = "" if row.wrong_sign is None else f", of these {many} with the wrong sign"
        size = "" if row.exaggeration is None else f", the effect {row.exaggeration:.1f} times as large as it is"
        sentences.append(f"{share}{wrong}{size}.")
    if len(found.together) > 1:
        told = [
            f"{row.title if row.n == 0 else f'{row.endpoint} by {row.test}'} {percent_of(row.corrected)} %"
            f" ({percent_of(row.raw)} % without)"
            for row in found.together
        ]
        sentences.append(
            f"Together, p < {found.analysis.alpha:g}, corrected by {found.analysis.correction}: {', '.join(told)}."
        )
    last = found.design.trial.visits[-1].name
    caveats = [
        f"{counted(found.studies, 'study')} of {found.draws.origin}, "
        f"{counted(found.patients, 'virtual patient')} of each."
    ]
    stays = [f"{arm}: {part.enrolled} enrolled, {part.stayed} to {last}" for arm, part in found.design.arms.items()]
    problem = found.draws.problem
    caveats += [f"{'; '.join(stays)}.", *if_true((problem.model.name, problem.label)), *as_sentences(found.assumptions)]
    if not found.design.controls:
        caveats.append(
            "Without a second arm a change is no effect of the drug: it holds whatever else changes as well."
        )
    question = f"What would {found.design.title} show, if {found.draws.problem.label} is true?"
    return Opening(question, tuple(sentences), tuple(caveats))


def of_predictions(found: Sequence[Prediction]) -> Opening:
    """Of predictions: what each hypothesis says of what is mainly read, at the last visit, and how that is expected."""
    sentences = []
    for part in found:
        seen = part.trial.foreseen
        told = [
            f"{answer.question.text} {_band(answer.band)} %"
            for answer in part.answers
            if answer.question.less is None
            and answer.question.reading == PredictedReading(answer.question.reading.quantity, seen.days[-1])
            and answer.question.reading.quantity in seen.main
            and answer.band is not None
        ]
        sentences.append(f"{part.hypothesis}: {'; '.join(told) or 'the model has nothing of what is mainly read'}.")
    agree = [answer.agrees for part in found for answer in part.answers if answer.agrees is not None]
    if agree:
        sentences.append(
            f"Of {len(agree)} signs of which the literature expects something {sum(agree)} are as it says."
        )
    sources: dict[str, list[str]] = {}
    for part in found:
        sources.setdefault(_POPULATIONS[part.source], []).append(part.hypothesis)
    caveats = [f"{', '.join(names)}: {source}." for source, names in sources.items()]
    caveats += [f"{part.hypothesis}: {part.weakness}." for part in found if part.weakness]
    caveats += as_sentences(assumed_together(part.assumptions for part in found))
    caveats.append("Nothing here was measured; expectations are those of the evidence base, not of this trial.")
    return Opening(
        f"What do hypotheses say of what {found[0].trial.name} did not measure?", tuple(sentences), tuple(caveats)
    )


def of_ranking(found: Ranking) -> Opening:
    """Of measurements: which tells most between hypotheses alone, which to take together, and in how many patients."""
    first = found.rows[0]
    tied = [row.measurement.title for row in found.rows[1:] if row.rank == first.rank]
    enough = (
        f"no number up to {SIZES[-1]} is enough" if first.n_needed is None else f"{first.n_needed} patients are enough"
    )
    sentences = [
        f"{first.measurement.title}: it tells {percent_of(first.gain.between / found.entropy)} % of all there is to "
        f"know between them with {counted(first.measurement.n, 'patient')}, and decides in "
        f"{percent_of(first.decided)} % of the "
        f"studies; for odds of {ODDS:g} to 1 in {percent_of(ENOUGH)} % of them {enough}.",
        *([f"It cannot be told apart from: {'; '.join(tied)}."] if tied else []),
        f"Misled with odds above 3 to 1 in {percent_of(first.misled_3)} % of the studies.",
    ]
    if len(found.steps) > 1:
        sentences.append(
            f"Best together, one after the other: {', then '.join(row.measurement.title for row in found.steps)}."
        )
    caveats = [f"{pool.draws.problem.label}: {pool.draws.origin}." for pool in found.pools]
    caveats.append(
        f"{counted(found.patients, 'virtual patient')} of each draw, "
        f"{counted(found.measurements, 'simulated study')} under each hypothesis."
    )
    caveats += as_sentences(found.assumptions)
    names = (
        " and ".join(pool.draws.problem.label for pool in found.pools) if len(found.pools) == 2 else "the hypotheses"
    )
    return Opening(f"What should be measured next to tell {names} apart?", tuple(sentences), tuple(caveats))


def of_reproduction(
    rows: Sequence[Row], posterior: Posterior, null: Posterior, assumptions: Sequence[str] = ()
) -> Opening:
    """Of reported values beside predictions: how many are within, which are beyond the model, and against the null."""
    tails = [(row, None if row.fitted is None else row.fitted.tail_probability) for row in rows]
    told = [(row, tail) for row, tail in tails if tail is not None]
    beyond = [row for row, tail in told if tail < _UNLIKELY]
    names = ", ".join(" ".join(part for part in (row.item, row.figure) if part) for row in beyond)
    error = math.hypot(posterior.errors[0], null.errors[0], error_by_patients(posterior, null)[0])
    difference = posterior.log_evidence - null.log_evidence
    sentences = [
        f"Of {len(told)} reported values {len(told) - len(beyond)} are no surprise to {posterior.hypothesis}; "
        + (f"beyond it (two-sided tail below {_UNLIKELY:g}): {names}." if beyond else "none is beyond it."),
        f"Log-evidence of {posterior.hypothesis} less that of {null.hypothesis}: {difference:.2f} ± {error:.2f}.",
    ]
    caveats = [
        "A value that the null hypothesis, or the prior, predicts as well says nothing for the hypothesis.",
        *(f"{one.hypothesis}: {one.diagnostics.weakness}." for one in (posterior, null) if one.diagnostics.weakness),
        *(f"Warning: {text}." for text in posterior.diagnostics.warnings),
        *as_sentences(assumptions),
    ]
    return Opening(f"Does {posterior.hypothesis} say what was reported?", tuple(sentences), tuple(caveats))


def of_sensitivity(question: SensitivityQuestion, found: Sequence[Sensitivity]) -> Opening:
    """Of a sensitivity analysis: on what each endpoint depends most."""
    sentences = []
    for part in found:
        rows = sensitivity_rows(question, part)[:_MOST]
        at_all = [row for row in rows if row["low"] is None or row["low"] != row["high"]]
        texts = [_dependence(row) for row in (at_all if part.shares is None else rows)]
        sentences.append(
            f"{part.endpoint.title}: {'; '.join(texts)}."
            if texts
            else f"{part.endpoint.title}: on nothing that varies."
        )
    what = "free numbers" if question.problem.free else "parameters"
    caveats = [f"{question.problem.label}; {what} vary within {stands_on(question)}, each by itself."]
    caveats += if_true((question.study.model.name, question.problem.label))
    if question.unvaried:
        caveats.append(f"Not varied, as they act between patients only: {', '.join(question.unvaried)}.")
    caveats += as_sentences(question.assumptions)
    return Opening(f"What do results of {question.study.scenario.title} depend on?", tuple(sentences), tuple(caveats))


def _dependence(row: Mapping[str, Any]) -> str:
    if row["total"] is not None:
        return f"{row['input']} {percent_of(row['total'])} % of the variance with interactions"
    if row["low"] is not None:
        return f"{row['input']} from {rounded(row['low'])} to {rounded(row['high'])} {row['unit']}".rstrip()
    return str(row["input"])


def of_steady_states(found: Sequence[SteadyStates]) -> Opening:
    """Of steady states: how many there are, and whether they are stable."""
    study = found[0].study
    sentences = []
    for count in sorted({len(one.states) for one in found}):
        own = [one for one in found if len(one.states) == count]
        stable = sorted({sum(state.stability is Stability.STABLE for state in one.states) for one in own})
        whose = "" if study.draws is None else f" in {len(own)} of {len(found)} draws"
        number = f"{stable[0]}" if len(stable) == 1 else f"{stable[0]} to {stable[-1]}"
        sentences.append(f"{counted(count, 'steady state')} found{whose}, {number} of them stable.")
    sentences += as_sentences(notes_of(found))
    turns = sum(len(branch.turns) for one in found for branch in one.branches)
    if any(one.branches for one in found):
        sentences.append(f"Along the branches stability or direction changes {counted(turns, 'time')}.")
    caveats = ["A search from many starts finds steady states and cannot prove that there are no others."]
    if study.draws is not None:
        caveats.append(f"Typical patients of {study.draws.origin}.")
    caveats += if_true((study.model.name, study.hypothesis))
    caveats += as_sentences(found[0].assumptions)
    title = study.model.title or study.model.name
    return Opening(f"Where does {title} come to rest, under {study.hypothesis}?", tuple(sentences), tuple(caveats))


def of_virtual_populations(found: VirtualPopulations) -> Opening:
    """Of virtual populations: what the ways of making them say, and what depends on the way."""
    sentences = []
    for change, row in zip(found.people.changes, found.conclusions, strict=True):
        values = [100.0 * (answer.value if change.way else math.expm1(answer.value)) for answer in row.answers.values()]
        ends = f"{min(values):.0f} to {max(values):.0f} %"
        depends = ": it depends on the way they are made" if row.is_method_dependent else ""
        sentences.append(
            f"{question_of(found.people.problem.trial, change)}: {ends} between the {len(values)} ways{depends}."
        )
    caveats = [
        f"{percent_of(found.refused)} % of the plausible patients have no steady baseline.",
        "Populations are made to match what was printed; that they do is no evidence for the hypothesis.",
    ]
    caveats += as_sentences(found.people.problem.assumptions)
    if found.weakness:
        caveats.append(f"Posterior of the fit: {found.weakness}.")
    question = f"Do conclusions from {found.people.problem.label} depend on how virtual patients are made?"
    return Opening(question, tuple(sentences), tuple(caveats))


def _band(band: Band) -> str:
    low, middle, high = ("0" if abs(value) < 0.5 else f"{value:+.0f}" for value in (band.low, band.median, band.high))
    return middle if low == high else f"{middle} [{low}, {high}]"
