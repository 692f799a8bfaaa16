"""Dependence of results: sweeps, dose-response studies, and sensitivity analyses.

Arguments that several functions have are those of `simulate.api.arguments`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from simulate.api.arguments import Settings, laid_over, refuse_same_names, refuse_twice
from simulate.api.verb import verb, worded
from simulate.errors import not_among
from simulate.watching import Progress, Report, quiet

__all__ = ["dose_response", "sensitivity", "sweep"]

if TYPE_CHECKING:
    import xarray as xr

    from simulate.results.result import Result
    from simulate.studies.dose_response.responses import ResponseRequest
    from simulate.studies.sensitivity.analysis import Sensitivity
    from simulate.studies.sensitivity.question import SensitivityQuestion
    from simulate.studies.settings import Setting
    from simulate.studies.sweeps.plans import SweepPlan


@worded
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
    quantities: Sequence[str] | None = None,
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
    patients, seed, hypothesis, dropout, fit, draws, quantities, rtol, vary, settings, end, every
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
            quantities=None if quantities is None else list(quantities),
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


@worded
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
        several hypotheses, along ``hypothesis``, with the coordinate ``draws_of``: ``fit``, ``prior`` or ``typical``.

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
    from simulate.results.openings import of_doses
    from simulate.results.provenance import asked
    from simulate.results.result import Result
    from simulate.studies.dose_response.responses import plan_response, respond, total_counts
    from simulate.studies.dose_response.tables import response_tables
    from simulate.studies.settings import option_set

    refuse_twice(hypotheses)
    chosen = [[*settings, *option_set("hypothesis", name)] for name in hypotheses] or [list(settings)]
    plans = [plan_response(scenario, own, request) for own in chosen]
    refuse_same_names(hypotheses, [planned.sweep.study.hypothesis for planned in plans])
    arguments = {
        "scenario": scenario, "request": request, "hypotheses": list(hypotheses), "settings": list(settings)
    }  # fmt: skip
    origin = asked("dose-response", arguments, out=out, force=force)
    with progress(sum(planned.sweep.rows for planned in plans), "simulating") as advance:
        datasets = tuple(respond(planned, workers=workers, threads=threads, progress=advance) for planned in plans)
    studies = [planned.sweep.study for planned in plans]
    first = datasets[0]
    tables = response_tables(datasets)
    counters = total_counts(datasets)
    several = len(datasets) > 1
    pictures: dict[str, Callable[[], Any]] = {}
    if figures:
        from simulate.figures.responses import response_figures

        pictures |= response_figures(datasets)
    names = [str(one.attrs["hypothesis"]) for one in datasets]
    return Result(
        origin,
        str(first.attrs["title"]) + (f": {', '.join(names)}" if several else ""),
        datasets,
        document={
            "title": first.attrs["title"],
            "hypotheses": names,
            "draws_of": [str(one.attrs["draws_of"]) for one in datasets],
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
        figures=pictures,
        datasets={f"response-{one.attrs['hypothesis']}" if several else "response": one for one in datasets},
        models={study.hypothesis: study.model for study in studies},
        facts={
            "scenario": studies[0].settings,
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
    ).written(out, force=force, figures=figures)


def _values(places: xr.DataArray) -> str:
    unit = str(places.attrs.get("units", ""))
    return ", ".join(f"{value:.4g}" for value in places.values) + (f" {unit}" if unit not in ("", "1") else "")


@verb
def sensitivity(
    scenario: str | Path,
    endpoint: str | Sequence[str],
    *,
    hypothesis: str | None = None,
    by: Literal["numbers", "patients", "all", "groups"] | None = None,
    arm: str | None = None,
    hold: Sequence[str] | None = None,
    fit: str | Path | None = None,
    vary: Mapping[str, float] | None = None,
    settings: Mapping[str, object] | Sequence[Setting] | None = None,
    end: str | None = None,
    n: int = 512,
    trajectories: int = 32,
    local: bool | None = None,
    seed: int = 1,
    threads: int | None = None,
    out: str | Path | None = None,
    force: bool = False,
    figures: bool = True,
    progress: Progress = quiet,
    report: Report | None = None,
) -> Result[tuple[SensitivityQuestion, tuple[Sensitivity, ...]]]:
    """Show what endpoints depend on: derivatives, elementary effects (Morris) and shares of variance (Sobol).

    Parameters
    ----------
    scenario
        Name of a shipped scenario, or the path of a scenario file or of a model.
    endpoint
        What is looked at, such as ``"il17a:change@182"``; one or several.
    hypothesis, vary, settings, end
        In place of the scenario's; as for `simulate.run`.
    by
        Inputs: ``numbers`` (uncertain ones, for the typical patient), ``patients`` (what differs), ``all``, ``groups``;
        numbers if not given, and of a model patients.
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
    threads, out, force, figures, progress, report
        As in `simulate.api.arguments`.

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
    from simulate.results.provenance import asked
    from simulate.results.result import Result, drawing
    from simulate.results.study_openings import of_sensitivity
    from simulate.studies.bare_models import scenario_for
    from simulate.studies.models import file_name
    from simulate.studies.sensitivity.analysis import sensitivity as analyzed
    from simulate.studies.sensitivity.analysis import workload
    from simulate.studies.sensitivity.question import By, question_of
    from simulate.studies.sensitivity.tables import document, tables

    words = [way.value for way in By]
    if by is not None and by not in words:
        raise not_among(f"inputs cannot be `{by}`", by, words, code="sensitivity.by")
    endpoints = [endpoint] if isinstance(endpoint, str) else list(endpoint)
    read = scenario_for(scenario, end, None, laid_over(settings, vary, hypothesis=hypothesis))
    question = question_of(read, endpoints, by=None if by is None else By(by), arm=arm, hold=hold or [], fit=fit)
    by = by or ("patients" if read.model is not None else "numbers")
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

    return Result(
        origin,
        f"sensitivity of {read.title}",
        (question, tuple(found)),
        document=document(question, found, told),
        tables=tables(question, found),
        figures={f"tornado-{file_name(part.endpoint.text)}": drawing("tornado.tornado", part, names) for part in found},
        models={question.problem.label: question.study.model},
        facts={"scenario": question.study.settings},
        answer=of_sensitivity(question, tuple(found)),
    ).written(out, force=force, figures=figures)
