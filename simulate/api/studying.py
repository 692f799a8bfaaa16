"""Studies and endpoints: repeated, planned, and asked what they depend on.

Arguments that several functions have are those of `simulate.api.fitting`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from simulate.api.asking import verb
from simulate.api.fitting import FitNames, TrialNames, fits_of, models_of, trials_of
from simulate.shipped import DEFAULT_HYPOTHESIS as DEFAULT
from simulate.watching import Progress, Report, quiet

__all__ = ["contrast", "design", "sensitivity", "trial"]

if TYPE_CHECKING:
    from simulate.results.result import Result
    from simulate.studies.contrast import Contrast
    from simulate.studies.fitting.draws import Draws
    from simulate.studies.fitting.known import Fit
    from simulate.studies.measuring.catalogue import Measurement
    from simulate.studies.measuring.ranking import Ranking
    from simulate.studies.sensitivity.analysis import Sensitivity
    from simulate.studies.sensitivity.question import SensitivityQuestion
    from simulate.studies.settings import Setting
    from simulate.studies.trials.power import SimulatedTrials
    from simulate.trials.design import TrialDesign

RANKED = ("H0", "H1", "H2", "H3a", "H3b", "H4", "H5")
"""Hypotheses between which measurements are ranked where none is named."""


@verb
def trial(
    hypothesis: str | None = None,
    *,
    trial: TrialNames = None,
    fit: str | Path | None = None,
    fits: str | Path = "fits",
    n: int | None = None,
    regimen: str | None = None,
    placebo: int | None = None,
    control: str | None = None,
    arms: Sequence[str] | None = None,
    end: str | None = None,
    complete: bool = False,
    endpoints: Sequence[str] | None = None,
    correction: str | None = None,
    alpha: float | None = None,
    sizes: str | Sequence[int] | None = None,
    studies: int = 8192,
    draws: int = 128,
    patients: int = 64,
    seed: int = 1,
    threads: int | None = None,
    out: str | Path | None = None,
    force: bool = False,
    progress: Progress = quiet,
) -> Result[SimulatedTrials]:
    """Repeat a study thousands of times: power, errors of sign and size, and reported values among the others.

    Parameters
    ----------
    fit
        ``shipped``, ``prior``, ``typical`` for the parameters as the tables have them, or the result of `simulate.fit`;
        the shipped one, or that in the folder of fits, if not given.
    n, regimen
        Patients who are treated, and what they are given; as in the trial if not given.
    placebo, control
        Patients of a second arm, and what they are given; as in the trial if not given. 0 for no such arm.
    arms
        In place of all of these, arms such as ``"40: 100 mg sc every 24 h"``; that of ``"40: none"``, or else the last,
        are the controls of all others.
    end
        Time of the last visit since the first dose, such as ``"12 weeks"``; as in the trial if not given.
    complete
        Whether all stay, and all give cells at both visits.
    endpoints
        Outcomes that are judged together, such as ``["ifng", "il17a"]``; ``"ifng, t"`` names the test as well. As the
        trial's file says if not given.
    correction
        How their p-values are adjusted: ``"holm"``, ``"hochberg"``, ``"bonferroni"`` or ``"none"``.
    alpha
        Level of the tests, and of all endpoints together; 0.05 if neither this nor the trial's file says.
    sizes
        Patients of the first arm of further studies, for a curve of power: ``[20, 40, 80]``, or ``"20:80:4"``.
    studies, draws, patients
        Studies, at least; draws of the fit; and virtual patients of each draw, a power of two.
    seed
        Seed of the studies.
    hypothesis, trial, fits, threads, out, force, progress
        As for all functions of `simulate.api.fitting`.

    Returns
    -------
    Result
        Its value has powers and ranks; tables ``effects`` and ``printed``, figure ``trial``. With endpoints also what
        is found of them together, table ``endpoints``; with sizes also curves, table and figure ``curves``.

    Raises
    ------
    InputError
        ``trial.endpoint``, ``trial.correction``, ``trial.alpha``, ``trial.sizes``.
    """
    arguments = dict(locals())
    from simulate.errors import InputError
    from simulate.results.provenance import asked
    from simulate.results.result import Result
    from simulate.results.study_openings import of_trials
    from simulate.studies.comparison.fits import draws_behind
    from simulate.studies.fitting.draws import draws_elsewhere
    from simulate.studies.fitting.known import named_result
    from simulate.studies.fitting.posterior import named
    from simulate.studies.fitting.trial import only_trial, problem_for
    from simulate.studies.treatments import days_of
    from simulate.studies.trials.designs import arm_from, design_of, sizes_from
    from simulate.studies.trials.families import endpoints_among
    from simulate.studies.trials.power import trials, workload
    from simulate.studies.trials.repeats import effects_of
    from simulate.studies.trials.tables import document, tables
    from simulate.trials.design import Analysis, lasting

    designs = trials_of(trial)
    name = named(hypothesis, named_result(fit), DEFAULT)
    problem = problem_for(name, None, designs, needs_evidence=False)
    trial_done = only_trial(problem, "a repeated study")
    ended = None if end is None else lasting(trial_done, float(days_of(end)), end)
    planned = design_of(
        trial_done if ended is None else ended,
        n=n,
        regimen=regimen,
        controls=placebo,
        control=control,
        complete=complete,
        arms=[arm_from(text) for text in arms or ()],
    )
    said = trial_done.analysis
    analysis = Analysis(
        said.endpoints if endpoints is None else tuple(endpoints),
        said.correction if correction is None else correction,
        said.alpha if alpha is None else alpha,
    )
    if correction is not None and not analysis.endpoints:
        raise InputError(
            f"the correction `{correction}` is of endpoints that are judged together, and none is named",
            code="trial.correction",
            expected="two endpoints or more",
            advice="name them, such as `--endpoint ifng --endpoint il17a`; or leave the correction out",
        )
    steps = sizes_from(sizes) if isinstance(sizes, str) else tuple(sizes or ())
    try:
        endpoints_among(effects_of(planned), analysis.endpoints)
    except InputError as error:
        error.where = error.where or (said.where if endpoints is None else None)
        raise
    populations, _ = draws_behind(problem, fit, Path(fits), draws, seed=seed, threads=threads)
    if ended is not None:
        populations = draws_elsewhere(populations, problem_for(name, None, (ended,), needs_evidence=False), seed=seed)
    origin = asked("trial", arguments, out=out, force=force)
    with progress(workload(planned, populations, patients), "virtual patients") as advance:
        found = trials(
            planned,
            populations,
            patients=patients,
            studies=studies,
            analysis=analysis,
            sizes=steps,
            seed=seed,
            threads=threads,
            progress=advance,
        )

    def draw() -> Any:
        from simulate.figures.trials import trials_figure

        return trials_figure(found)

    def draw_curves() -> Any:
        from simulate.figures.trials import power_curves

        return power_curves(found)

    return Result(
        origin,
        f"{name}, {planned.title}",
        found,
        document=document(found),
        tables=tables(found),
        figures={"trial": draw, **({"curves": draw_curves} if found.curves else {})},
        models=models_of([problem]),
        answer=of_trials(found),
    ).written(out, force=force)


@verb
def design(
    hypotheses: Sequence[str] | None = None,
    *,
    measurement: Sequence[str | Path] | None = None,
    trial: TrialNames = None,
    fit: FitNames = None,
    fits: str | Path = "fits",
    draws: int = 128,
    patients: int = 32,
    repeats: int = 256,
    seed: int = 1,
    threads: int | None = None,
    out: str | Path | None = None,
    force: bool = False,
    progress: Progress = quiet,
) -> Result[Ranking]:
    """Rank measurements by what they are expected to tell between hypotheses, alone and together.

    Parameters
    ----------
    hypotheses
        Two or more; H0 to H5 if not given.
    measurement
        Names of the catalogue, or files; all of the catalogue if not given.
    fit
        As for `predict`.
    draws, patients
        Draws of each hypothesis, and virtual patients of each, a power of two.
    repeats
        Simulated measurements under each hypothesis.
    seed
        Seed of draws and simulated measurements.
    trial, fits, threads, out, force, progress
        As for all functions of `simulate.api.fitting`.

    Returns
    -------
    Result
        Its value is the ranking; table and figure ``design``.
    """
    arguments = dict(locals())
    from simulate.results.provenance import asked
    from simulate.results.result import Result
    from simulate.results.study_openings import of_ranking
    from simulate.studies.measuring.pool import needed, pool_of
    from simulate.studies.measuring.ranking import rank_measurements
    from simulate.studies.measuring.tables import document, tables

    designs = trials_of(trial)
    catalogue = _catalogue(measurement or (), designs[0] if designs else None)
    known = [
        part
        for part, _ in _draws(
            hypotheses or RANKED, designs, fits_of(fit), Path(fits), draws, seed, threads, "a ranking of measurements"
        )
    ]
    origin = asked("design", arguments, out=out, force=force)
    total = sum(len(part.points) for part in known) * patients * len(needed(catalogue, known[0].problem.trial))
    with progress(total, "virtual patients") as advance:
        pools = [pool_of(part, catalogue, patients=patients, threads=threads, progress=advance) for part in known]
    with progress(len(catalogue), "measurements") as advance:
        ranking = rank_measurements(
            pools, catalogue, patients=patients, measurements=repeats, seed=seed, progress=advance
        )

    def draw() -> Any:
        from simulate.figures.gains import gains_figure

        return gains_figure(ranking)

    return Result(
        origin,
        "measurements that tell hypotheses apart",
        ranking,
        document=document(ranking),
        tables=tables(ranking),
        figures={"design": draw},
        models=models_of([part.problem for part in known]),
        answer=of_ranking(ranking),
    ).written(out, force=force)


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
    trial, fits, threads, out, force, progress
        As for all functions of `simulate.api.fitting`.

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
    from simulate.errors import InputError, listed
    from simulate.results.contrast import answer_of, document, page, tables
    from simulate.results.provenance import asked
    from simulate.results.result import Result
    from simulate.studies.contrast import contrasted, readouts_of
    from simulate.studies.measuring.pool import needed, pool_of

    names = [hypotheses] if isinstance(hypotheses, str) else list(hypotheses)
    if len(names) != 2:
        raise InputError(
            "a contrast is of two hypotheses",
            code="contrast.two",
            found=listed(names) or "none",
            advice="`simulate contrast H1 H3a`; `simulate run -H ... -H ...` and `simulate design` take more",
        )
    known = _draws(names, trials_of(trial), fits_of(fit), Path(fits), draws, seed, threads, "a contrast")
    origin = asked("contrast", arguments, out=out, force=force)
    design = known[0][0].problem.trial
    readouts = readouts_of(design, [part for part, _ in known])
    total = sum(len(part.points) for part, _ in known) * patients * len(needed(readouts, design))
    with progress(total, "virtual patients") as advance:
        pools = [pool_of(part, readouts, patients=patients, threads=threads, progress=advance) for part, _ in known]
    fitted = [fit for _, fit in known]
    with progress(len(readouts), "readouts") as advance:
        found = contrasted(pools, readouts, fitted, patients=patients, studies=studies, seed=seed, progress=advance)

    def draw() -> Any:
        from simulate.figures.contrast import contrast_figure

        return contrast_figure(found)

    return Result(
        origin,
        f"{found.names[0]} against {found.names[1]}: {design.title}",
        found,
        document=document(found),
        tables=tables(found),
        figures={"contrast": draw} if found.readouts else {},
        models=models_of([part.problem for part, _ in known]),
        texts={"contrast.txt": page(found)},
        answer=answer_of(found),
    ).written(out, force=force)


def _draws(
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
    import dataclasses

    from simulate.errors import InputError
    from simulate.studies.comparison.fits import draws_behind, fits_for, problems_for
    from simulate.studies.fitting.trial import only_trial
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
                advice=f"leave `--fit {TYPICAL}` out; `simulate predict --fit {TYPICAL}` has one population of each",
            )
        found.append(draws_behind(problem, asked_for, folder, wanted, seed=seed, threads=threads))
    fewest = min(len(part.points) for part, _ in found)
    return [(dataclasses.replace(part, points=part.points[:fewest]), fit) for part, fit in found]


def _catalogue(asked: Sequence[str | Path], design: TrialDesign | None) -> tuple[Measurement, ...]:
    from simulate import shipped
    from simulate.errors import InputError, did_you_mean, listed
    from simulate.studies.measuring.catalogue import read_measurement, shipped_measurements

    if not asked:
        return shipped_measurements(design)
    files = shipped.measurement_files()
    found = []
    for name in map(str, asked):
        if not name.endswith(".toml") and name not in files:
            raise InputError(
                f"there is no measurement `{name}`",
                code="measurement.unknown",
                expected=listed(files) + ", or a TOML file",
                advice=did_you_mean(name, files),
            )
        found.append(read_measurement(files.get(name, Path(name)), design))
    return tuple(found)


@verb
def sensitivity(
    scenario: str | Path,
    endpoint: str | Sequence[str],
    *,
    hypothesis: str | None = None,
    by: Literal["numbers", "patients", "all", "groups"] = "numbers",
    arm: str | None = None,
    hold: Sequence[str] | None = None,
    fit: str | Path | None = None,
    settings: Mapping[str, object] | Sequence[Setting] | None = None,
    n: int = 512,
    trajectories: int = 32,
    local: bool | None = None,
    seed: int = 1,
    threads: int | None = None,
    out: str | Path | None = None,
    force: bool = False,
    progress: Progress = quiet,
    report: Report | None = None,
) -> Result[tuple[SensitivityQuestion, tuple[Sensitivity, ...]]]:
    """Show what endpoints depend on: derivatives, elementary effects (Morris) and shares of variance (Sobol).

    Parameters
    ----------
    scenario
        Name of a shipped scenario, or the path of a scenario file.
    endpoint
        What is looked at, such as ``"il17a:change@182"``; one or several.
    hypothesis, settings
        In place of the scenario's; as for `simulate.run`.
    by
        Inputs: ``numbers`` (uncertain ones, for the typical patient), ``patients`` (what differs), ``all``, ``groups``.
    arm
        Arm; the first if not given.
    hold
        Inputs that stay in the middle.
    fit
        Within what free numbers vary, one by one: ``"shipped"`` or the result of a fit; ``"prior"`` if not given.
    n, trajectories
        Rows of the Sobol design, a power of two, and trajectories of the Morris design; 0 for none.
    local
        Whether derivatives are asked for; if not given, where inputs are numbers.
    seed
        Seed of the designs.
    threads, out, force, progress, report
        As for all functions of `simulate.api.fitting`.

    Returns
    -------
    Result
        Its value has the question and an answer for each endpoint; table ``sensitivity``, a figure for each endpoint.

    Raises
    ------
    InputError
        ``sensitivity.by``: there is no such kind of inputs.
    """
    arguments = dict(locals())
    from simulate.api.simulating import laid_over
    from simulate.errors import InputError, did_you_mean, listed
    from simulate.results.provenance import asked
    from simulate.results.result import Result
    from simulate.results.study_openings import of_sensitivity
    from simulate.studies.models import file_name
    from simulate.studies.scenario import read_scenario
    from simulate.studies.sensitivity.analysis import sensitivity as analyzed
    from simulate.studies.sensitivity.analysis import workload
    from simulate.studies.sensitivity.question import By, question_of
    from simulate.studies.sensitivity.tables import document, tables

    words = [way.value for way in By]
    if by not in words:
        raise InputError(
            f"inputs cannot be `{by}`",
            code="sensitivity.by",
            expected=listed(words),
            advice=did_you_mean(by, words),
        )
    endpoints = [endpoint] if isinstance(endpoint, str) else list(endpoint)
    read = read_scenario(scenario, laid_over(settings, hypothesis=hypothesis))
    question = question_of(read, endpoints, by=By(by), arm=arm, hold=hold or [], fit=fit)
    origin = asked("sensitivity", arguments, out=out, force=force)
    is_local = By(by) is By.NUMBERS if local is None else local
    if is_local and report is not None:
        report(f"derivatives by {len(question.inputs)} inputs: the first time a kernel is compiled for them")
    with progress(workload(question, n, trajectories), "patients") as advance:
        found = analyzed(
            question, n=n, trajectories=trajectories, local=is_local, seed=seed, threads=threads, progress=advance
        )
    told = {"by": by, "n": n, "trajectories": trajectories, "local": is_local, "seed": seed, "hold": list(hold or [])}
    names = [part.name for part in question.inputs]

    def drawing(part: Sensitivity) -> Any:
        def draw() -> Any:
            from simulate.figures.tornado import tornado

            return tornado(part, names)

        return draw

    return Result(
        origin,
        f"sensitivity of {read.title}",
        (question, tuple(found)),
        document=document(question, found, told),
        tables=tables(question, found),
        figures={f"tornado-{file_name(part.endpoint.text)}": drawing(part) for part in found},
        models={question.problem.hypothesis: question.study.model},
        facts={"scenario": question.study.settings},
        answer=of_sensitivity(question, tuple(found)),
    ).written(out, force=force)
