"""Virtual trials: the study repeated as it was or could be, and what to measure next.

Arguments that several functions have are those of `simulate.api.arguments`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from simulate.api.arguments import FitNames, TrialNames, fits_of, models_of, trials_of
from simulate.api.comparing import draws_for
from simulate.api.verb import verb
from simulate.errors import InputError, did_you_mean, listed
from simulate.shipped import DEFAULT_HYPOTHESIS as DEFAULT
from simulate.watching import Progress, quiet

__all__ = ["design", "trial"]

if TYPE_CHECKING:
    from simulate.results.result import Result
    from simulate.studies.measuring.catalogue import Measurement
    from simulate.studies.measuring.ranking import Ranking
    from simulate.studies.power.power import SimulatedTrials
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
    figures: bool = True,
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
    hypothesis, trial, fits, threads, out, force, figures, progress
        As in `simulate.api.arguments`.

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
    from simulate.results.provenance import asked
    from simulate.results.result import Result, drawing
    from simulate.results.study_openings import of_trials
    from simulate.studies.comparison.fits import draws_behind
    from simulate.studies.fitting.draws import draws_elsewhere
    from simulate.studies.fitting.known_fits import named_result
    from simulate.studies.fitting.posterior import named
    from simulate.studies.fitting.problem import only_trial, problem_for
    from simulate.studies.power.designs import arm_from, design_of, sizes_from
    from simulate.studies.power.families import endpoints_among
    from simulate.studies.power.power import trials, workload
    from simulate.studies.power.repeats import effects_of
    from simulate.studies.power.tables import document, tables
    from simulate.studies.treatments import days_of
    from simulate.trials.design import Analysis
    from simulate.trials.lasting import lasting

    designs = trials_of(trial)
    name = named(hypothesis, named_result(fit), DEFAULT)
    problem = problem_for(name, None, designs, needs_evidence=False)
    trial_done = only_trial(problem, "a repeated study")
    ended = None if end is None else lasting(trial_done, float(days_of(end)), end, problem.population.retention)
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

    return Result(
        origin,
        f"{name}, {planned.title}",
        found,
        document=document(found),
        tables=tables(found),
        figures={
            "trial": drawing("trials.trials_figure", found),
            **({"curves": drawing("trials.power_curves", found)} if found.curves else {}),
        },
        models=models_of([problem]),
        answer=of_trials(found),
    ).written(out, force=force, figures=figures)


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
    figures: bool = True,
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
    trial, fits, threads, out, force, figures, progress
        As in `simulate.api.arguments`.

    Returns
    -------
    Result
        Its value is the ranking; table and figure ``design``.
    """
    arguments = dict(locals())
    from simulate.results.provenance import asked
    from simulate.results.result import Result, drawing
    from simulate.results.study_openings import of_ranking
    from simulate.studies.measuring.pool import needed, pool_of
    from simulate.studies.measuring.ranking import rank_measurements
    from simulate.studies.measuring.tables import document, tables

    designs = trials_of(trial)
    catalogue = _catalogue(measurement or (), designs[0] if designs else None)
    known = [
        part
        for part, _ in draws_for(
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

    return Result(
        origin,
        "measurements that tell hypotheses apart",
        ranking,
        document=document(ranking),
        tables=tables(ranking),
        figures={"design": drawing("gains.gains_figure", ranking)},
        models=models_of([part.problem for part in known]),
        answer=of_ranking(ranking),
    ).written(out, force=force, figures=figures)


def _catalogue(asked: Sequence[str | Path], design: TrialDesign | None) -> tuple[Measurement, ...]:
    from simulate import shipped
    from simulate.inputs import is_there
    from simulate.studies.measuring.catalogue import read_measurement, shipped_measurements

    if not asked:
        return shipped_measurements(design)
    files = shipped.measurement_files()
    found = []
    for name in map(str, asked):
        if not name.endswith(".toml") and name not in files and not is_there(name):
            raise InputError(
                f"there is no measurement `{name}`",
                code="measurement.unknown",
                expected=listed(files) + ", or a TOML file",
                advice=did_you_mean(name, files),
            )
        found.append(read_measurement(files.get(name, Path(name)), design))
    return tuple(found)
