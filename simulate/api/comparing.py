"""Comparison of hypotheses: by evidence, two against each other, and by their predictions.

Arguments that several functions have are those of `simulate.api.arguments`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from simulate.api.arguments import FitNames, TrialNames, fits_of, models_of, trials_of
from simulate.api.verb import verb
from simulate.errors import InputError, listed
from simulate.inputs import note
from simulate.watching import Progress, Report, quiet

__all__ = ["calibrate_choice", "compare", "contrast", "predict"]

if TYPE_CHECKING:
    from simulate.results.result import Result
    from simulate.studies.comparison.choice import Choice
    from simulate.studies.comparison.comparison import Comparison
    from simulate.studies.contrast import Contrast
    from simulate.studies.fitting.draws import Draws
    from simulate.studies.fitting.known_fits import Fit
    from simulate.studies.fitting.problem import Problem
    from simulate.studies.prediction.prediction import Prediction
    from simulate.trials.design import TrialDesign


@verb
def compare(
    hypotheses: Sequence[str] | None = None,
    *,
    evidence: str | Path | None = None,
    trial: TrialNames = None,
    prior: Mapping[str, float] | None = None,
    against: str | None = None,
    fits: str | Path = "fits",
    particles: int = 200,
    runs: int = 2,
    patients: int = 32,
    draws: int = 2048,
    final_patients: int = 128,
    out: str | Path | None = None,
    force: bool = False,
    figures: bool = True,
    report: Report | None = None,
) -> Result[Comparison]:
    """Compare hypotheses by what was reported: evidence and its error, odds, and what each datum says.

    Parameters
    ----------
    hypotheses
        All whose fits ship if not given.
    evidence
        As for `fit`.
    prior
        Weight of each hypothesis before the data; 1 if not given.
    against
        What the matrix is relative to; H0, or the likeliest, if not given.
    fits
        Folder of fits; one that is not of today's numbers is made there first.
    particles, runs, patients, draws, final_patients
        Of fits that are made, as for `fit`.
    trial, out, force, figures, report
        As in `simulate.api.arguments`.

    Returns
    -------
    Result
        Its value is the comparison; tables ``hypotheses``, ``matrix`` and ``variants``, figure ``comparison``.
    """
    arguments = dict(locals())
    from simulate.results.provenance import asked
    from simulate.results.result import Result, drawing
    from simulate.results.study_openings import of_comparison
    from simulate.studies.comparison.comparison import compare as compared
    from simulate.studies.comparison.fits import find_fit
    from simulate.studies.comparison.tables import document, tables
    from simulate.studies.fitting.known_fits import known_fit
    from simulate.studies.fitting.named_evidence import evidence_name
    from simulate.studies.fitting.posterior import Settings

    problems = _problems(hypotheses, evidence, trial)
    found = [known_fit(problem, Path(fits)) for problem in problems]
    origin = asked("compare", arguments, out=out, force=force)
    settings = Settings(particles=particles, runs=runs, patients=patients, draws=draws, final_patients=final_patients)
    used: list[Fit] = []
    for problem, known in zip(problems, found, strict=True):
        used.append(known or find_fit(problem, settings, Path(fits), report=report))
        if known is None:
            _note_made(problem, used[-1], Path(fits))
    comparison = compared(used, prior=prior or {}, against=against)
    standing = evidence_name(problems[0])

    return Result(
        origin,
        "comparison of " + ", ".join(problem.label for problem in problems) + f" on the evidence {standing}",
        comparison,
        document=document(comparison),
        tables=tables(comparison),
        figures={"comparison": drawing("comparison.comparison_figure", comparison)},
        models=models_of(problems),
        answer=of_comparison(comparison),
    ).written(out, force=force, figures=figures)


def _problems(hypotheses: Sequence[str] | None, evidence: str | Path | None, trial: TrialNames) -> tuple[Problem, ...]:
    from simulate import shipped
    from simulate.studies.comparison.fits import problems_for

    # Of evidence of a user's own no fit ships: then all are meant whose fits to the abstract do.
    own = list(shipped.fit_files(str(evidence))) if evidence is not None else []
    return problems_for(hypotheses or own or list(shipped.fit_files()), evidence, trials_of(trial))


def _note_made(problem: Problem, made: Fit, folder: Path) -> None:
    """Keep a fit that was made for a comparison with it: to repeat the comparison is not to fit again."""
    from simulate.studies.fitting.known_fits import fit_folder
    from simulate.studies.fitting.posterior import posterior_text
    from simulate.studies.scenario import RESULT

    note(fit_folder(problem, folder) / RESULT, posterior_text(made.posterior).encode())


@verb
def calibrate_choice(
    hypotheses: Sequence[str] | None = None,
    *,
    evidence: str | Path | None = None,
    trial: TrialNames = None,
    repeats: int = 40,
    larger: int = 1,
    out: str | Path | None = None,
    force: bool = False,
    progress: Progress = quiet,
) -> Result[Choice]:
    """Choose between hypotheses in made-up abstracts of each, and count how often the right one is chosen.

    Parameters
    ----------
    hypotheses, evidence
        As for `compare`.
    repeats
        Made-up abstracts of each hypothesis.
    larger
        How many times as many patients as were reported stand behind each value.
    trial, out, force, progress
        As in `simulate.api.arguments`.
    """
    arguments = dict(locals())
    from simulate.results.provenance import asked
    from simulate.results.result import Result
    from simulate.studies.comparison.choice import calibrate_choice as calibrated
    from simulate.studies.comparison.choice import document

    problems = _problems(hypotheses, evidence, trial)
    origin = asked("calibrate-choice", arguments, out=out, force=force)
    with progress(len(problems) * (repeats + 1), "made-up abstracts") as advance:
        found = calibrated(problems, repeats=repeats, larger=larger, report=advance)
    title = "choice between " + ", ".join(problem.label for problem in problems)
    return Result(origin, title, found, document=document(found), models=models_of(problems)).written(out, force=force)


@verb
def predict(
    hypotheses: Sequence[str] | None = None,
    *,
    evidence: str | Path | None = None,
    trial: TrialNames = None,
    draws: int = 48,
    patients: int = 16,
    fit: FitNames = None,
    fits: str | Path = "fits",
    seed: int = 1,
    out: str | Path | None = None,
    force: bool = False,
    figures: bool = True,
    progress: Progress = quiet,
) -> Result[tuple[Prediction, ...]]:
    """Predict what was not measured: courses, double positives, doses, wash-out, responders, muscle.

    Parameters
    ----------
    hypotheses
        All single ones that ship, and that on which runs stand, if not given.
    evidence
        As for `fit`: on which evidence fits stand. Of a set with several trials the patients are those of the first.
    draws, patients
        Populations of each hypothesis, and patients of each.
    fit
        Whose draws the populations are: results of `fit`, each for its own hypothesis, and for all others ``shipped``,
        ``prior`` or ``typical``, one population with the parameters as the tables have them. What ships or lies in the
        folder of fits if not given.
    seed
        Seed of patients and of draws of a prior.
    trial, fits, out, force, figures, progress
        As in `simulate.api.arguments`.

    Returns
    -------
    Result
        Its value has a prediction of each hypothesis; table and figure ``prediction``.
    """
    arguments = dict(locals())
    from simulate.biology.hypotheses import HYPOTHESES
    from simulate.results.provenance import asked
    from simulate.results.result import Result, drawing
    from simulate.results.study_openings import of_predictions
    from simulate.shipped import DEFAULT_HYPOTHESIS
    from simulate.studies.comparison.fits import draws_behind, fits_for, problems_for
    from simulate.studies.fitting.named_evidence import evidence_name, problem_on
    from simulate.studies.prediction.prediction import predict as predicted
    from simulate.studies.prediction.prediction import rows, workload
    from simulate.studies.prediction.questions import ABSENT
    from simulate.tabular import table_of

    designs = trials_of(trial)
    names = hypotheses or [*(hypothesis.name for hypothesis in HYPOTHESES), DEFAULT_HYPOTHESIS]
    problems = (
        problems_for(names, evidence, designs, needs_evidence=False)
        if len(names) > 1
        else (problem_on(names[0], evidence, designs, needs_evidence=False),)
    )
    standing = evidence_name(problems[0])
    populations = []
    for problem, asked_for in zip(problems, fits_for(names, fits_of(fit)), strict=True):
        known, behind = draws_behind(problem, asked_for, Path(fits), draws, seed=seed)
        standing = standing if behind is None else evidence_name(behind.problem)
        own = known.problem if designs else dataclasses.replace(known.problem, others=())
        populations.append(dataclasses.replace(known, problem=own))
    origin = asked("predict", arguments, out=out, force=force)
    total = sum(workload(part, patients=patients) for part in populations)
    with progress(total, "predicting") as advance:
        found = tuple(predicted(part, patients=patients, seed=seed, progress=advance) for part in populations)
    table = rows(found)

    sources = [
        {"hypothesis": part.hypothesis, "draws_of": part.source, "refused": part.refused}
        | ({"weakness": part.weakness} if part.weakness else {})
        for part in found
    ]
    return Result(
        origin,
        "predictions of " + ", ".join(part.hypothesis for part in found) + f" on the evidence {standing}",
        found,
        document={"evidence": standing, "hypotheses": sources, "rows": table, "not_in_the_model": list(ABSENT)},
        tables={"prediction": table_of(table)},
        figures={"prediction": drawing("prediction.prediction_figure", found)},
        models=models_of(problems),
        answer=of_predictions(found),
    ).written(out, force=force, figures=figures)


@verb
def contrast(
    hypotheses: Sequence[str],
    *,
    trial: TrialNames = None,
    fit: FitNames = None,
    fits: str | Path = "fits",
    draws: int = 128,
    patients: int = 32,
    studies: int = 256,
    seed: int = 1,
    threads: int | None = None,
    out: str | Path | None = None,
    force: bool = False,
    figures: bool = True,
    progress: Progress = quiet,
) -> Result[Contrast]:
    """Hold two hypotheses against each other: which fits, which signs, and what would tell them apart.

    Parameters
    ----------
    hypotheses
        Two.
    fit
        As for `predict`.
    draws, patients
        Draws of each hypothesis, of its fit or else of its prior, and virtual patients of each draw, a power of two.
    studies
        Simulated studies under each hypothesis, from which the number of patients is taken.
    seed
        Seed of draws of a prior, and of simulated studies.
    trial, fits, threads, out, force, figures, progress
        As in `simulate.api.arguments`.

    Returns
    -------
    Result
        Its value has fits, signs and readouts; table and figure ``contrast``, and the page as ``contrast.txt``.

    Raises
    ------
    InputError
        ``contrast.two``: not two hypotheses.
    """
    arguments = dict(locals())
    from simulate.results.contrast import answer_of, document, page, tables
    from simulate.results.provenance import asked
    from simulate.results.result import Result, drawing
    from simulate.studies.contrast import TOLERANCE, contrasted, readouts_of
    from simulate.studies.measuring.pool import needed, pool_of

    names = list(hypotheses)
    if len(names) != 2:
        raise InputError(
            "a contrast is of two hypotheses",
            code="contrast.two",
            found=listed(names) or "none",
            advice=f"`simulate design {' '.join(names)}` takes more"
            if len(set(names)) > 2
            else "such as `simulate contrast H1 H3a`",
        )
    known = draws_for(names, trials_of(trial), fits_of(fit), Path(fits), draws, seed, threads, "a contrast")
    origin = asked("contrast", arguments, out=out, force=force)
    design = known[0][0].problem.trial
    readouts = readouts_of(design, [part for part, _ in known])
    total = sum(len(part.points) for part, _ in known) * patients * len(needed(readouts, design))
    with progress(total, "virtual patients") as advance:
        pools = [
            pool_of(part, readouts, patients=patients, tolerance=TOLERANCE, threads=threads, progress=advance)
            for part, _ in known
        ]
    fitted = [fit for _, fit in known]
    with progress(len(readouts), "readouts") as advance:
        found = contrasted(pools, readouts, fitted, patients=patients, studies=studies, seed=seed, progress=advance)

    return Result(
        origin,
        f"{found.names[0]} against {found.names[1]}: {design.title}",
        found,
        document=document(found),
        tables=tables(found),
        figures={"contrast": drawing("contrast.contrast_figure", found)} if found.readouts else {},
        models=models_of([part.problem for part, _ in known]),
        texts={"contrast.txt": page(found)},
        answer=answer_of(found),
    ).written(out, force=force, figures=figures)


def draws_for(
    names: Sequence[str],
    trials: Sequence[TrialDesign],
    chosen: Sequence[str | Path],
    folder: Path,
    wanted: int,
    seed: int,
    threads: int | None,
    what: str,
) -> list[tuple[Draws, Fit | None]]:
    """Draws of hypotheses, equally many of each, and their fits; of the prior where there is none."""
    from simulate.studies.comparison.fits import draws_behind, fits_for, problems_for
    from simulate.studies.fitting.problem import only_trial
    from simulate.studies.scenario import TYPICAL

    found = []
    problems = problems_for(names, None, trials, needs_evidence=False)
    for problem, asked_for in zip(problems, fits_for(names, chosen), strict=True):
        only_trial(problem, what)
        if asked_for == TYPICAL:
            raise InputError(
                f"{what} of one population of each hypothesis says nothing",
                code="fit.typical",
                found=f"`{TYPICAL}`",
                expected="`shipped`, `prior` or results of fits: draws, by whose spread hypotheses are told apart",
                advice=f"leave `--fit {TYPICAL}` out; `simulate predict {' '.join(names)} --fit {TYPICAL}` has one "
                "population of each",
            )
        found.append(draws_behind(problem, asked_for, folder, wanted, seed=seed, threads=threads))
    fewest = min(len(part.points) for part, _ in found)
    return [(dataclasses.replace(part, points=part.points[:fewest]), fit) for part, fit in found]
