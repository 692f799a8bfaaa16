"""Scenarios simulated: a cohort, under several hypotheses, over a design, over doses.

Arguments that several functions have:

scenario
    Name of a shipped scenario, or the path of a scenario file.
hypothesis, patients, seed, dropout, fit, draws, rtol
    In place of the scenario's.
vary
    How patients differ, as an assumption: ``{"cv": 0.3}`` for all parameters of which nothing is known,
    ``{"k_a.cv": 0.2}`` for one; ``sd_log`` in place of ``cv``.
settings
    What else is laid over the file: ``{"f_m": 0.3, "time.end": "364 d"}``.
threads, out, force, progress, report
    As for all functions of `simulate.api.fitting`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from simulate.api.asking import verb
from simulate.watching import Advance, Progress, Report, quiet

__all__ = ["dose_response", "equilibria", "run", "side_by_side", "sweep"]

if TYPE_CHECKING:
    import xarray as xr

    from simulate.cohort.ensemble import Ensemble
    from simulate.evidence.observations import Observation
    from simulate.results.changes import ChangeRow
    from simulate.results.provenance import Provenance
    from simulate.results.result import Result
    from simulate.results.tables import SummaryRow
    from simulate.studies.dose_response.responses import ResponseRequest
    from simulate.studies.failures import Entry
    from simulate.studies.observed import ObservedValue
    from simulate.studies.runs import Study
    from simulate.studies.settings import Setting
    from simulate.studies.side_by_side import SideBySide
    from simulate.studies.steady_states import SteadyStates
    from simulate.studies.sweeps.plans import SweepPlan
    from simulate.symbolic.model import Model

Settings = Mapping[str, object] | Sequence["Setting"] | None


def laid_over(
    settings: Settings,
    vary: Mapping[str, float] | None = None,
    regimen: str | Sequence[str] | None = None,
    **named: object,
) -> list[Setting]:
    """What a call lays over a scenario file: arguments that stand for a key, and further settings.

    Raises
    ------
    InputError
        ``scenario.setting``: a key that both set.
    """
    from simulate.studies.settings import parse_variation, regimen_settings, settings_from

    variations = [parse_variation(f"{key}={value!r}") for key, value in (vary or {}).items()]
    if regimen:
        variations += regimen_settings([regimen] if isinstance(regimen, str) else regimen)
    keys = {"hypothesis": "model", "fit": "model", "draws": "model", "quantities": "outputs", "rtol": "solver"}
    given = {
        f"{keys.get(name, 'cohort')}.{name}": str(value) if isinstance(value, Path) else value
        for name, value in named.items()
    }
    if isinstance(settings, Mapping) or settings is None:
        return [*settings_from(given, settings), *variations]
    return [*settings, *settings_from(given, None), *variations]


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """A scenario that was simulated: what was asked, what came of it, who failed, what was reported and observed."""

    study: Study
    ensemble: Ensemble
    dataset: xr.Dataset
    summary: tuple[SummaryRow, ...]
    changes: tuple[ChangeRow, ...]
    failures: tuple[Entry, ...]
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
    from simulate.exchange.foreign import judge_units
    from simulate.studies.datasets import by_draw
    from simulate.studies.exchanged import scenario_for
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
            return by_draw(run_study(study, threads=threads, progress=advance)[1])
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
    return by_draw(found.value.dataset)


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
    from simulate.results.result import Result
    from simulate.results.tables import SummaryRow, summary
    from simulate.solver.trajectories import Status
    from simulate.studies.datasets import ensemble_counts
    from simulate.studies.exchanged import scenario_for
    from simulate.studies.failures import ledger
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
        tuple(ledger(study, ensemble)),
        of_all(observations),
        observed_values(study.readings.compared, study.scenario.arms, study.model, ensemble),
    )

    def draw() -> Any:
        from simulate.figures.time_course import time_course

        return time_course(dataset, observations, observed=found.observed)

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
        figures={"time-course": draw} if (ensemble.status == Status.OK).any() else {},
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


def failure_rows(failures: Sequence[Entry]) -> list[dict[str, Any]]:
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
    from simulate.results.result import Result
    from simulate.results.side_by_side import side_by_side_rows
    from simulate.studies.runs import prepare
    from simulate.studies.scenario import read_scenario
    from simulate.tabular import table_of

    refuse_twice(hypotheses)
    fits = [] if fit is None else [str(fit)] if isinstance(fit, str | Path) else [str(one) for one in fit]
    refuse_twice(fits, "fit")
    chosen = laid_over(settings, patients=patients, seed=seed, dropout=dropout, draws=draws, rtol=rtol)
    asked_of = [[*_hypothesis(name), *_fit(one)] for name in hypotheses or (None,) for one in fits or (None,)]
    studies = [prepare(read_scenario(scenario, [*chosen, *own])) for own in asked_of]
    if len(fits) < 2:
        refuse_twice([study.hypothesis for study in studies])
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

    def draw() -> Any:
        from simulate.figures.side_by_side import side_by_side_figure

        return side_by_side_figure(found)

    return Result(
        origin,
        f"{studies[0].scenario.title}: {'; '.join(names)}",
        tuple(found),
        document={"counters": counters, "hypotheses": rows},
        tables={"side-by-side": table_of(rows)} if rows else {},
        figures={"side-by-side": draw} if found else {},
        models={name: study.model for name, study in zip(names, studies, strict=True)},
        facts={"scenario": studies[0].settings, "hypotheses": list(dict.fromkeys(one.hypothesis for one in studies))},
        answer=of_side_by_side(studies, found),
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


def _fit(name: str | None) -> list[Setting]:
    from simulate.studies.settings import Setting

    return [] if name is None else [Setting("model.fit", name, f"--fit {name}")]


def _hypothesis(name: str | None) -> list[Setting]:
    from simulate.studies.settings import Setting

    return [] if name is None else [Setting("model.hypothesis", name, f"--hypothesis {name}")]


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
        for item in reversed(comparable(printed, population=study.scenario.population, treated=True))
        if item.direction and item.quantity in names
    }
    own = set_side_by_side(dataset, study.hypothesis, main.index, asked, told.get(main, {}))
    return own, ensemble_counts(ensemble)


def sweep(
    scenario: str | Path,
    over: Mapping[str, object] | Sequence[str] | None = None,
    *,
    patients: int | None = None,
    seed: int | None = None,
    hypothesis: str | None = None,
    dropout: bool | None = None,
    fit: str | Path | None = None,
    draws: int | None = None,
    rtol: float | None = None,
    vary: Mapping[str, float] | None = None,
    settings: Settings = None,
    end: str | None = None,
    every: str | None = None,
    arms: Sequence[str] | None = None,
    zipped: bool | None = None,
    design: str | None = None,
    design_seed: int | None = None,
    at: Sequence[str] | None = None,
    parameters: bool | None = None,
    out: str | Path | None = None,
    workers: int = 1,
    threads: int | None = None,
    scheduler: str | None = None,
    force: bool = False,
    progress: Progress = quiet,
    report: Report | None = None,
) -> xr.Dataset:
    """Simulate a scenario at every point of a design, the same patients at each.

    ``simulate.sweep("anakinra-100mg-daily", {"dose": "10:300:40log"}, patients=250)``

    Parameters
    ----------
    scenario
        Name of a shipped scenario, or the path of a scenario file, a sweep file or a model.
    over
        What varies: from names to values or to texts such as ``"10:300:40log"``, or such texts with their names.
    patients, seed, hypothesis, dropout, fit, draws, rtol, vary, settings, end, every
        In place of the scenario's; as for `simulate.run`.
    arms
        Names of the scenario's arms that are varied; all if not given.
    zipped
        Whether axes with values are taken in step, and not each value with each.
    design, design_seed
        How to draw for axes that have a range, such as ``"sobol:64"`` or ``"lhs:100"``, and from which seed.
    at
        When values are kept, such as ``["0 d", "182 d"]``; at all times of the scenario if not given.
    parameters
        Whether the parameters of every patient in every arm are kept.
    out
        Directory in which the sweep is made, or gone on with. Without it nothing is left on disk.
    workers, threads, scheduler, force
        As for `run_sweep`. A script that gives ``workers`` needs ``if __name__ == "__main__":``.
    progress, report
        What shows how far the work is, and what is told about it.

    Returns
    -------
    Dataset
        As described in `docs/sweeps.md`; in memory or, with ``out``, opened and read as it is used.

    Raises
    ------
    InputError
        When something that was asked cannot be done; see `run_sweep`.
    """
    from simulate.studies.sweeps.sweeping import swept

    plan = planned_sweep(
        scenario,
        over,
        settings=laid_over(
            settings,
            vary,
            hypothesis=hypothesis,
            patients=patients,
            seed=seed,
            dropout=dropout,
            fit=fit,
            draws=draws,
            rtol=rtol,
        ),
        end=end,
        every=every,
        arms=arms,
        zipped=zipped,
        design=design,
        design_seed=design_seed,
        at=at,
        parameters=parameters,
    )
    with progress(plan.rows, "simulating") as advance:
        return swept(
            plan, out, workers=workers, threads=threads, scheduler=scheduler, force=force, progress=advance,
            report=report,
        )  # fmt: skip


def planned_sweep(
    scenario: str | Path,
    over: Mapping[str, object] | Sequence[str] | None = None,
    *,
    settings: Sequence[Setting] = (),
    end: str | None = None,
    every: str | None = None,
    arms: Sequence[str] | None = None,
    zipped: bool | None = None,
    design: str | None = None,
    design_seed: int | None = None,
    at: Sequence[str] | None = None,
    parameters: bool | None = None,
    part_size: int | None = None,
) -> SweepPlan:
    """Plan of a sweep; arguments as for `sweep`, and the most trajectories that an interruption can cost."""
    from simulate.studies.sweeps.axes import axes_from
    from simulate.studies.sweeps.plans import plan_sweep
    from simulate.studies.sweeps.requests import Options, read_request

    options = Options(
        over=axes_from(over or ()),
        settings=tuple(settings),
        end=end,
        every=every,
        arms=tuple(arms or ()),
        zipped=zipped,
        design=design,
        design_seed=design_seed,
        at=tuple(at or ()),
        parameters=parameters,
    )
    return plan_sweep(read_request(scenario, options), part_size=part_size)


def dose_response(
    scenario: str | Path,
    *,
    dose: str = "1 mg:300 mg",
    endpoint: str | Sequence[str] | None = None,
    second: str | None = None,
    isobole: bool = False,
    effect: float | Sequence[float] = (),
    arm: str | None = None,
    patients: int | None = None,
    seed: int | None = None,
    hypothesis: str | Sequence[str] | None = None,
    dropout: bool | None = None,
    fit: str | Path | None = None,
    draws: int | None = None,
    rtol: float | None = None,
    settings: Settings = None,
    exposure: str | None = None,
    bound: float = 10.0,
    replicates: int = 200,
    out: str | Path | None = None,
    workers: int = 1,
    threads: int | None = None,
    force: bool = False,
    figures: bool = True,
    progress: Progress = quiet,
) -> xr.Dataset:
    """Simulate a scenario at many doses, the same patients at each, and fit the curves.

    ``simulate.dose_response("anakinra-100mg-daily", dose="1 mg:300 mg:12log", endpoint="il17a:change@182")``

    Parameters
    ----------
    scenario
        Name of a shipped scenario, or the path of a scenario file.
    dose
        Values as an axis of a sweep has them, such as ``"1 mg:300 mg"``, ``"1:300:20log"`` or ``"10,30,100 mg"``. A
        dose of nothing is added.
    endpoint
        Endpoints such as ``"ifng@180"`` or ``"il17a:change@182"``: the value on a day, or its change in percent. IFNγ+
        and IL-17A+ cells at the end if not given.
    second
        What else is varied, such as ``"interval=12 h:48 h:4"`` or ``"f_m=0.1:0.9:5"``.
    isobole
        Whether doses that have the same effect are sought along the second axis; see `isoboles`.
    effect
        Percent of the span whose doses are sought, such as 90 for the ED90.
    arm
        Arm whose doses are varied; the first with doses if not given.
    patients, seed, hypothesis, dropout, fit, draws, rtol, settings
        In place of the scenario's; as for `simulate.run`. Several hypotheses are shown beside each other.
    exposure
        Quantity that exposure is measured by; that of IL-1Ra in serum if not given, or none in a model without it.
    bound
        Signal of IL-1, % of its baseline, below which it counts as blocked.
    replicates
        Resampled cohorts from which intervals are taken.
    out, force, figures
        Run directory to be written, whether another run in it may be replaced, and whether to draw; nothing is written
        if not given.
    workers, threads, progress
        As for `simulate.sweep`.

    Returns
    -------
    Dataset
        As described in `simulate.studies.dose_response.reduction`, and ``isobole`` (endpoint, level, second); of
        several hypotheses, along ``hypothesis``.

    Raises
    ------
    InputError
        As for `plan_response` and `sweep`.
    """
    from simulate.studies.dose_response.responses import ENDPOINTS, ResponseRequest, together

    request = ResponseRequest(
        dose=dose,
        endpoint=(endpoint,) if isinstance(endpoint, str) else tuple(endpoint or ENDPOINTS),
        second=second,
        isobole=isobole,
        effect=(effect,) if isinstance(effect, int | float) else tuple(effect),
        arm=arm,
        exposure=exposure,
        bound=bound,
        replicates=replicates,
    )
    found = responded(
        str(scenario),
        request,
        hypotheses=[hypothesis] if isinstance(hypothesis, str) else list(hypothesis or ()),
        settings=laid_over(settings, patients=patients, seed=seed, dropout=dropout, fit=fit, draws=draws, rtol=rtol),
        out=out,
        workers=workers,
        threads=threads,
        force=force,
        figures=figures,
        progress=progress,
    )
    return together(found.value)


@verb
def responded(
    scenario: str,
    request: ResponseRequest,
    *,
    hypotheses: Sequence[str] = (),
    settings: Sequence[Setting] = (),
    out: str | Path | None = None,
    workers: int = 1,
    threads: int | None = None,
    force: bool = False,
    figures: bool = True,
    progress: Progress = quiet,
) -> Result[tuple[xr.Dataset, ...]]:
    """A dose-response study under each of some hypotheses, with its tables and figures.

    Parameters
    ----------
    scenario, settings, out, workers, threads, force, figures, progress
        As for `dose_response`.
    request
        What is asked of doses.
    hypotheses
        In place of the scenario's, if there are any.

    Returns
    -------
    Result
        Its value has a dataset for each hypothesis. Tables ``curves``, ``effects``, ``effect-doses``, ``influences``
        and ``isoboles``, with the hypothesis in the first column; arrays ``response``, or for each hypothesis its own.

    Raises
    ------
    InputError
        ``hypothesis.twice``: a hypothesis is given twice. Else as for `plan_response` and `sweep`.
    """
    from simulate.results.provenance import asked
    from simulate.studies.dose_response.responses import plan_response, respond

    refuse_twice(hypotheses)
    chosen = [[*settings, *_hypothesis(name)] for name in hypotheses] or [list(settings)]
    plans = [plan_response(scenario, own, request) for own in chosen]
    refuse_twice([planned.sweep.study.hypothesis for planned in plans])
    arguments = {
        "scenario": scenario, "request": request, "hypotheses": list(hypotheses), "settings": list(settings)
    }  # fmt: skip
    origin = asked("dose-response", arguments, out=out, force=force)
    with progress(sum(planned.sweep.rows for planned in plans), "simulating") as advance:
        datasets = tuple(respond(planned, workers=workers, threads=threads, progress=advance) for planned in plans)
    studies = [planned.sweep.study for planned in plans]
    models = {study.hypothesis: study.model for study in studies}
    return response_result(origin, datasets, models=models, scenario=studies[0].settings, figures=figures).written(
        out, force=force, figures=figures
    )


def refuse_twice(names: Sequence[str], what: str = "hypothesis") -> None:
    """Refuse a name that is given twice: ``hypothesis.twice``, ``fit.twice``."""
    from simulate.errors import InputError

    twice = next((name for index, name in enumerate(names) if name in names[:index]), None)
    if twice is not None:
        raise InputError(f"the {what} `{twice}` is given twice", code=f"{what}.twice", advice="give it once")


def response_result(
    provenance: Provenance,
    datasets: Sequence[xr.Dataset],
    *,
    models: Mapping[str, Model],
    scenario: Mapping[str, Any],
    figures: bool = True,
) -> Result[tuple[xr.Dataset, ...]]:
    """Result of a dose-response study from its labeled arrays, one for each hypothesis."""
    from simulate.results.openings import of_doses
    from simulate.results.result import Result
    from simulate.studies.dose_response.responses import total_counts
    from simulate.studies.dose_response.tables import response_tables

    first = datasets[0]
    tables = response_tables(datasets)
    counters = total_counts(datasets)
    several = len(datasets) > 1
    names = [str(one.attrs["hypothesis"]) for one in datasets]
    return Result(
        provenance,
        str(first.attrs["title"]) + (f": {', '.join(names)}" if several else ""),
        tuple(datasets),
        document={
            "title": first.attrs["title"],
            "hypotheses": names,
            "arm": first.attrs["arm"],
            "second": first.attrs["second"] or None,
            "second_unit": str(first["second"].attrs.get("units", "")),
            "bound": first.attrs["bound"],
            **{
                name.replace("-", "_"): tables[name].records() if name in tables else []
                for name in ("curves", "effects", "effect-doses", "influences", "isoboles")
            },
        },
        tables=tables,
        figures=_response_figures(datasets) if figures else {},
        datasets={f"response-{one.attrs['hypothesis']}" if several else "response": one for one in datasets},
        models=models,
        facts={
            **({"scenario": dict(scenario)} if scenario else {}),
            **({"hypotheses": names} if several else {}),
            **({"counters": counters} if counters else {}),
            "study": {
                "arm": first.attrs["arm"],
                "doses": _values(first["dose"]),
                **({first.attrs["second"]: _values(first["second"])} if first.attrs["second"] else {}),
                "endpoints": ", ".join(str(text) for text in first["endpoint"].values),
                "last day of exposures": first.attrs["window_end"],
                "signal that counts as blocked, % of baseline": first.attrs["bound"],
            },
        },
        answer=of_doses(datasets),
    )


def _response_figures(datasets: Sequence[xr.Dataset]) -> dict[str, Callable[[], Any]]:
    from simulate.figures.responses import response_figures

    return dict(response_figures(datasets))


def _values(places: xr.DataArray) -> str:
    unit = str(places.attrs.get("units", ""))
    return ", ".join(f"{value:.4g}" for value in places.values) + (f" {unit}" if unit not in ("", "1") else "")


@verb
def equilibria(
    source: str | Path = "untreated",
    *,
    hypothesis: str | None = None,
    fit: str | Path | None = None,
    draws: int | None = None,
    settings: Settings = None,
    arm: str | None = None,
    over: str | None = None,
    fed: Mapping[str, float] | None = None,
    starts: int = 64,
    reach: float = 10.0,
    quantity: Sequence[str] | None = None,
    plane: str | None = None,
    out: str | Path | None = None,
    force: bool = False,
    progress: Progress = quiet,
) -> Result[tuple[SteadyStates, ...]]:
    """Seek the steady states of a model, with their stability, and follow them over one parameter.

    Newton's method from many starts (P. Deuflhard, Newton Methods for Nonlinear Problems, 2004), and pseudo-arclength
    continuation (H. Keller, 1977). A state that no start leads to is not found.

    Parameters
    ----------
    source
        A scenario, shipped or a file, or a model file; the typical patient is meant, and doses are not given.
    hypothesis, settings
        In place of the scenario's; as for `simulate.run`.
    fit, draws
        Whose typical patients are meant: that of the tables if not given, else that of each of so many draws, as for
        `simulate.run`.
    arm
        Whose parameters are taken; the first if not given.
    over
        Parameter and range, such as ``"f_m=0.1:0.9"``; or a route and its rate in units a day, such as ``"sc=0:300"``.
    fed
        Rates at which routes are fed, in units a day; what is not named is not given.
    starts, reach
        Starts in a box from 0 to so many times the baseline, beside the baseline.
    quantity
        Observables that are drawn over the parameter; the first three if not given.
    plane
        Two states whose plane is drawn with directions, nullclines and steady states, such as ``"tbet,rorgt"``; each
        may have a range in its unit, as in ``"tbet=0:3,rorgt=0:3"``. At each point all other states are at rest.
    out, force
        Run directory to be written, and whether another run in it may be replaced.
    progress
        What shows how far the work is; see `simulate.watching`.

    Returns
    -------
    Result
        Its value has the states, branches and plane of each patient; tables ``states`` and, with ``over``, ``branches``
        and ``turns``, with ``plane``, ``plane``; figures ``branches`` and ``plane``.

    Raises
    ------
    InputError
        ``equilibria.*``: a model that depends on time, no such arm, parameter or observable; ``plane.state``: no such
        state.
    """
    arguments = dict(locals())
    from simulate.errors import InputError, did_you_mean
    from simulate.results.provenance import asked
    from simulate.results.result import Result
    from simulate.results.study_openings import of_steady_states
    from simulate.studies.scenario import TYPICAL
    from simulate.studies.steady_states import document, read_source, steady_states, tables

    scenario = read_source(source, laid_over(settings, hypothesis=hypothesis, fit=fit, draws=draws))
    with progress(1 if scenario.fit == TYPICAL else scenario.draws, "typical patients") as advance:
        found = steady_states(
            scenario, over=over, fed=fed, starts=starts, reach=reach, arm=arm, plane=plane, progress=advance
        )
    study = found[0].study
    model = study.model
    branches = [branch for one in found for branch in one.branches]
    names = [part.name for part in model.observables]
    shown = list(quantity or names[:3])
    for name in shown:
        if name not in names:
            raise InputError(
                f"the model has no observable `{name}`", code="equilibria.quantity", advice=did_you_mean(name, names)
            )
    origin = asked("equilibria", arguments, out=out, force=force)

    def draw() -> Any:
        from simulate.figures.branches import branch_diagram

        units = {part.name: part.unit.text for part in (*model.parameters, *model.observables)}
        units |= {route.name: f"{route.unit.text}/d" for route in model.routes}
        return branch_diagram(branches, shown, units, draws=0 if study.draws is None else len(found))

    figures: dict[str, Callable[[], Any]] = {"branches": draw} if branches and shown else {}
    if (drawn := found[0].plane) is not None:

        def draw_plane() -> Any:
            from simulate.figures.phase_plane import phase_plane

            return phase_plane(drawn)

        figures["plane"] = draw_plane
    return Result(
        origin,
        f"steady states of {scenario.title}",
        found,
        document=document(found),
        tables=tables(found),
        figures=figures,
        models={study.hypothesis: model},
        answer=of_steady_states(found),
    ).written(out, force=force)
