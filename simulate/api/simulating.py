"""Simulation of scenarios: of a cohort, and of the same patients under several hypotheses.

Arguments that several functions have are those of `simulate.api.arguments`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from simulate.api.arguments import Settings, laid_over, refuse_same_names, refuse_twice
from simulate.api.verb import verb
from simulate.watching import Advance, Progress, quiet

__all__ = ["run", "side_by_side"]

if TYPE_CHECKING:
    import xarray as xr

    from simulate.arrays import LabeledArrays
    from simulate.cohort.ensemble import Ensemble
    from simulate.evidence.observations import Observation
    from simulate.results.changes import ChangeRow
    from simulate.results.result import Result
    from simulate.results.tables import SummaryRow
    from simulate.studies.failures import FailureEntry
    from simulate.studies.observed import ObservedValue
    from simulate.studies.runs import Study
    from simulate.studies.settings import Setting
    from simulate.studies.side_by_side import SideBySide


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """A scenario that was simulated: what was asked, what came of it, who failed, what was reported and observed."""

    study: Study
    ensemble: Ensemble
    dataset: LabeledArrays
    summary: tuple[SummaryRow, ...]
    changes: tuple[ChangeRow, ...]
    failures: tuple[FailureEntry, ...]
    observations: tuple[Observation, ...]
    observed: tuple[ObservedValue, ...] = ()


@verb
def run(
    scenario: str | Path,
    *,
    regimen: str | Sequence[str] | None = None,
    hypothesis: str | None = None,
    patients: int | None = None,
    seed: int | None = None,
    dropout: bool | None = None,
    fit: str | Path | None = None,
    draws: int | None = None,
    quantities: Sequence[str] | None = None,
    rtol: float | None = None,
    vary: Mapping[str, float] | None = None,
    settings: Settings = None,
    end: str | None = None,
    every: str | None = None,
    units: Literal["numbers", "strict"] = "numbers",
    threads: int | None = None,
    out: str | Path | None = None,
    force: bool = False,
    figures: bool = True,
    progress: Progress = quiet,
) -> xr.Dataset:
    """Simulate a cohort of patients.

    Parameters
    ----------
    scenario
        Name of a shipped scenario, or the path of a scenario file or of a model: a model file or one in SBML.
    regimen
        Treatment in words in place of the scenario's arms, or several, each an arm of the same patients
        (docs/regimens.md).
    hypothesis, patients, seed, dropout, fit, draws, rtol
        In place of the scenario's: the hypothesis, size and seed of the cohort, whether results are of those who are
        still in the study, whose populations are simulated (``"shipped"``, ``"prior"``, ``"typical"``, or the result of
        a fit) and how many draws of them, and the relative tolerance.
    quantities
        States and observables that are kept and drawn, in place of the scenario's; all observables if neither says.
    vary
        How patients differ, as an assumption: ``{"cv": 0.3}`` for all parameters of which nothing is known,
        ``{"k_a.cv": 0.2}`` for one; ``sd_log`` in place of ``cv``.
    settings
        What else is laid over the file: ``{"f_m": 0.3, "time.end": "364 d"}``.
    end, every
        How long it is simulated and how often it is recorded, such as ``"12 weeks"``, in place of the scenario's; a
        model must be told how long, and is recorded a hundred times if nothing is said.
    units
        Of a model in SBML or Antimony: ``"strict"`` refuses one in which a unit is missing or does not suit.
    threads
        Threads to use; all cores if not given. The result does not depend on it.
    out, force
        Run directory to be written, and whether another run in it may be replaced; nothing is written if not given.
    figures
        Whether figures are drawn in the directory.
    progress
        What shows how far the work is; see `simulate.watching`.

    Returns
    -------
    Dataset
        As described in `simulate.studies.datasets`.

    Raises
    ------
    InputError
        When the scenario, or what was laid over it, cannot be used.
    """
    from simulate.arrays import as_dataset
    from simulate.exchange.foreign import judge_units
    from simulate.studies.bare_models import scenario_for
    from simulate.studies.datasets import by_draw
    from simulate.studies.intervals import run_study
    from simulate.studies.runs import prepare

    judge_units(scenario, units)
    chosen = laid_over(
        settings,
        vary,
        regimen,
        hypothesis=hypothesis,
        patients=patients,
        seed=seed,
        dropout=dropout,
        fit=fit,
        draws=draws,
        quantities=None if quantities is None else list(quantities),
        rtol=rtol,
    )
    if out is None:
        study = prepare(scenario_for(scenario, end, every, chosen))
        with progress(study.members * len(study.arms), "simulating") as advance:
            return as_dataset(by_draw(run_study(study, threads=threads, progress=advance)[1]))
    found = simulated(
        scenario,
        chosen,
        lambda study: Path(out),
        end=end,
        every=every,
        threads=threads,
        force=force,
        progress=progress,
    )
    found.write(out, force=force, figures=figures)
    return as_dataset(by_draw(found.value.dataset))


@verb
def simulated(
    scenario: str | Path,
    settings: Sequence[Setting] = (),
    target: Callable[[Study], Path] | None = None,
    *,
    end: str | None = None,
    every: str | None = None,
    threads: int | None = None,
    force: bool = False,
    progress: Progress = quiet,
) -> Result[Run]:
    """Simulate a scenario, with its tables and figures; nothing is written yet.

    Parameters
    ----------
    scenario, settings, end, every, threads, force, progress
        As for `run`.
    target
        The directory in which it will be written, by the study; it is looked at before any work.

    Returns
    -------
    Result
        Tables ``changes`` and ``summary``, and ``observed`` where a table of doses has readings; arrays ``results``,
        figure ``time-course``.
    """
    from simulate.evidence.observations import of_all
    from simulate.results.changes import ChangeRow, change_rows
    from simulate.results.openings import of_run
    from simulate.results.provenance import asked
    from simulate.results.result import Result, drawing
    from simulate.results.tables import SummaryRow, summary
    from simulate.solver.trajectories import Status
    from simulate.studies.bare_models import scenario_for
    from simulate.studies.datasets import ensemble_counts
    from simulate.studies.failures import failure_entries
    from simulate.studies.intervals import run_study
    from simulate.studies.observed import ObservedValue, observed_values
    from simulate.studies.reported import observations_for
    from simulate.studies.runs import prepare
    from simulate.tabular import table_of

    study = prepare(scenario_for(scenario, end, every, settings))
    times = {name: value for name, value in (("end", end), ("every", every)) if value is not None}
    origin = asked(
        "run",
        {"scenario": scenario, "settings": list(settings), **times},
        key=study.key,
        out=None if target is None else target(study),
        force=force,
    )
    observations = observations_for(study)
    with progress(study.members * len(study.arms), "simulating") as advance:
        ensemble, dataset = run_study(study, threads=threads, progress=advance)
    found = Run(
        study,
        ensemble,
        dataset,
        summary(dataset, observations),
        change_rows(dataset, observations),
        tuple(failure_entries(study, ensemble)),
        of_all(observations),
        observed_values(study.readings.compared, study.scenario.arms, study.model, ensemble),
    )

    drawn = drawing("time_course.time_course", dataset, observations, observed=found.observed)
    accepted, rejected, evaluations = (int(count) for count in ensemble.trajectories.counters.sum(axis=0))
    work = {"accepted_steps": accepted, "rejected_steps": rejected, "evaluations": evaluations}
    return Result(
        origin,
        study.scenario.title,
        found,
        tables={
            "changes": table_of(found.changes, ChangeRow),
            "summary": table_of(found.summary, SummaryRow),
            **({"observed": table_of(found.observed, ObservedValue)} if found.observed else {}),
        },
        figures={"time-course": drawn} if (ensemble.status == Status.OK).any() else {},
        datasets={"results": dataset},
        models={study.hypothesis: study.model},
        facts={
            "scenario": study.settings,
            "changes": sorted(study.scenario.document.origins.values()),
            "counters": {**ensemble_counts(ensemble), **work},
            "failures": failure_rows(found.failures),
        },
        answer=of_run(study, found.changes, len(found.failures)),
    )


def failure_rows(failures: Sequence[FailureEntry]) -> list[dict[str, Any]]:
    """A record for each trajectory that did not reach the end; what is not known is left out."""
    return [{name: value for name, value in asdict(entry).items() if value is not None} for entry in failures]


@verb
def side_by_side(
    scenario: str | Path,
    hypotheses: Sequence[str] = (),
    *,
    patients: int | None = None,
    seed: int | None = None,
    dropout: bool | None = None,
    fit: str | Path | Sequence[str | Path] | None = None,
    draws: int | None = None,
    rtol: float | None = None,
    settings: Settings = None,
    threads: int | None = None,
    out: str | Path | Callable[[Sequence[Study]], Path] | None = None,
    force: bool = False,
    figures: bool = True,
    progress: Progress = quiet,
) -> Result[tuple[SideBySide, ...]]:
    """Simulate the same patients under several hypotheses, or before and after a fit, and tell them apart.

    Parameters
    ----------
    hypotheses
        Those that are set side by side; the scenario's if none is given.
    fit
        As for `run`; or several, such as ``["prior", "shipped"]``, and each hypothesis stands on each.
    scenario, patients, seed, dropout, draws, rtol, settings, threads, force, figures, progress
        As for `run`.
    out
        Run directory to be written, or what names it by the studies; nothing is written if not given.

    Returns
    -------
    Result
        Its value says what each hypothesis says; table and figure ``side-by-side``.

    Raises
    ------
    InputError
        ``hypothesis.twice``, ``fit.twice``: a hypothesis or a fit is given twice. Else as for `run`.
    """
    from simulate.results.openings import of_side_by_side
    from simulate.results.provenance import asked
    from simulate.results.result import Result, drawing
    from simulate.results.side_by_side import side_by_side_rows
    from simulate.studies.runs import prepare
    from simulate.studies.scenario import read_scenario
    from simulate.studies.settings import option_set
    from simulate.tabular import table_of

    refuse_twice(hypotheses)
    fits = [] if fit is None else [str(fit)] if isinstance(fit, str | Path) else [str(one) for one in fit]
    refuse_twice(fits, "fit")
    chosen = laid_over(settings, patients=patients, seed=seed, dropout=dropout, draws=draws, rtol=rtol)
    asked_of = [
        [*option_set("hypothesis", name), *option_set("fit", one)]
        for name in hypotheses or (None,)
        for one in fits or (None,)
    ]
    studies = [prepare(read_scenario(scenario, [*chosen, *own])) for own in asked_of]
    if len(fits) < 2:
        refuse_same_names(hypotheses, [study.hypothesis for study in studies])
    names = _names(studies, several=len(fits) > 1 or len({_draws_of(study) for study in studies}) > 1)
    target = out(studies) if callable(out) else out
    arguments = {"scenario": scenario, "hypotheses": list(hypotheses), "fit": fits or None, "settings": chosen}
    origin = asked("side-by-side", arguments, out=target, force=force)
    found: list[SideBySide] = []
    counters: dict[str, dict[str, int]] = {}
    with progress(sum(study.members * len(study.arms) for study in studies), "simulating") as advance:
        for name, study in zip(names, studies, strict=True):
            own, counters[name] = _side_by_side(study, threads, advance)
            found += [replace(one, name=name, draws_of=_draws_of(study)) for one in own]
    rows = side_by_side_rows(found)

    return Result(
        origin,
        f"{studies[0].scenario.title}: {'; '.join(names)}",
        tuple(found),
        document={"counters": counters, "hypotheses": rows},
        tables={"side-by-side": table_of(rows)} if rows else {},
        figures={"side-by-side": drawing("side_by_side.side_by_side_figure", found)} if found else {},
        models={name: study.model for name, study in zip(names, studies, strict=True)},
        facts={
            "scenario": studies[0].settings,
            "hypotheses": list(dict.fromkeys(one.hypothesis for one in studies)),
            "counters": counters,
        },
        answer=of_side_by_side(studies, found, counters),
    ).written(target, force=force, figures=figures)


def _names(studies: Sequence[Study], *, several: bool) -> list[str]:
    """What tells studies apart: hypotheses, and what they stand on where that is not the same for all."""
    if not several:
        return [study.hypothesis for study in studies]
    names = [f"{study.hypothesis}, {_draws_of(study)}" for study in studies]
    files = [f"{study.hypothesis}, {study.scenario.fit}" for study in studies]
    # Two files of fits are told apart by their paths.
    return [name if names.count(name) == 1 else file for name, file in zip(names, files, strict=True)]


def _draws_of(study: Study) -> str:
    return "typical" if study.draws is None else study.draws.name


def _side_by_side(study: Study, threads: int | None, advance: Advance) -> tuple[tuple[SideBySide, ...], dict[str, int]]:
    """What a study says at the visit of which something was reported, else at its end; and how many reached the end.

    Directions that are asked for are those that were reported, of whatever day and treatment.
    """
    from simulate.evidence.observations import comparable, read_observations
    from simulate.results.changes import reported_direction
    from simulate.results.tables import visits
    from simulate.studies.datasets import ensemble_counts, quantity_names
    from simulate.studies.intervals import run_study
    from simulate.studies.reported import observations_for
    from simulate.studies.side_by_side import set_side_by_side

    ensemble, dataset = run_study(study, threads=threads, progress=advance)
    observations, names, shown = observations_for(study), quantity_names(dataset), visits(dataset)
    told = {
        visit: {
            arm: [name for name in names if reported_direction(own, name, visit)] for arm, own in observations.items()
        }
        for visit in shown[1:]
    }
    main = next((visit for visit in reversed(shown[1:]) if any(told[visit].values())), shown[-1])
    printed = read_observations() if study.scenario.model is None else ()
    asked = {
        item.quantity: item.direction
        for item in reversed(comparable(printed, population=study.scenario.population))
        if item.direction and item.quantity in names
    }
    own = set_side_by_side(dataset, study.hypothesis, main.index, asked, told.get(main, {}))
    return own, ensemble_counts(ensemble)
