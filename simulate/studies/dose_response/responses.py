"""Dose-response studies: a scenario, its doses and endpoints; a sweep; its reduction."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from simulate.cohort.arms import Arm
from simulate.cohort.ensemble import member_parameters, typical_parameters
from simulate.errors import InputError, Where, did_you_mean
from simulate.solver.kernel import FloatArray
from simulate.studies.datasets import outcome_counts
from simulate.studies.dose_response.emax import PARAMETERS
from simulate.studies.dose_response.reduction import (
    MEASURES,
    REPLICATES,
    blocked_of,
    effects_of,
    exposures_of,
    influences,
    isoboles,
    placed,
    reduced,
)
from simulate.studies.endpoints import Endpoint, Summary, parse_endpoints
from simulate.studies.models import QUANTITIES, listing, quantity_units
from simulate.studies.runs import Study, arm_number, cohort_of, prepare
from simulate.studies.scenario import TYPICAL, read_scenario
from simulate.studies.settings import Setting
from simulate.studies.sweeps.axes import DOSE, REGIMEN, Axis, parse_axis
from simulate.studies.sweeps.designs import Value
from simulate.studies.sweeps.plans import SweepPlan, plan_sweep
from simulate.studies.sweeps.requests import Options, read_request
from simulate.studies.sweeps.sweeping import swept
from simulate.studies.unread import refuse_unread
from simulate.studies.values import stopped_members
from simulate.studies.windows import Window, window_before

if TYPE_CHECKING:
    import xarray as xr

DOSES = "1 mg:300 mg"
"""Doses if not told otherwise."""

COUNT = 12
"""Doses of a range that says no number, at equal ratios; a treatment with nothing comes first."""

BOUND = 10.0
"""Signal of IL-1 in percent of its baseline below which it counts as blocked."""

ENDPOINTS = ("ifng", "il17a")
"""Endpoints if not told otherwise."""

SITES = ("signal_lymph", "signal_muscle")
"""Observables of the reference model that are the signal of IL-1."""

EXPOSURE = "serum_il1ra"
"""What exposure is measured by."""

_FEWEST = 4
_KEPT = ("model", "hypothesis", "fit", "weakness", "seed", "source", "rtol", "atol")


@dataclass(frozen=True, slots=True)
class ResponseRequest:
    """A dose-response study as it is asked for; the attributes are arguments of `simulate.dose_response`."""

    dose: str = DOSES
    endpoint: tuple[str, ...] = ENDPOINTS
    second: str | None = None
    isobole: bool = False
    effect: tuple[float, ...] = ()
    arm: str | None = None
    exposure: str | None = None
    bound: float = BOUND
    replicates: int = REPLICATES


def request_of(entries: Mapping[str, Any]) -> ResponseRequest:
    """A request from its attributes as JSON has them."""
    for name in sorted(entries.keys() - {part.name for part in fields(ResponseRequest)}):
        raise KeyError(name)
    plain: dict[str, Any] = {name: tuple(one) if isinstance(one, list) else one for name, one in entries.items()}
    return ResponseRequest(**plain)


@dataclass(frozen=True, slots=True, eq=False)
class ResponsePlan:
    """A dose-response study whose every name has been found."""

    request: ResponseRequest  #: What was asked
    sweep: SweepPlan  #: The sweep over doses and the second axis
    #: The scenario, and the number of the arm whose doses are varied.
    study: Study
    treated: int
    #: What is looked at, and the second axis.
    endpoints: tuple[Endpoint, ...]
    other: Axis | None
    #: Quantity of the exposure, and signals of which the blocked share is taken.
    measured: str | None
    sites: tuple[str, ...]
    #: The last interval between doses before the last endpoint, at each place of the second axis.
    windows: tuple[Window, ...]

    @property
    def day(self) -> float:
        return max(part.day for part in self.endpoints)


def plan_response(scenario: str, laid_over: Sequence[Setting], request: ResponseRequest) -> ResponsePlan:
    """Resolve the names of a dose-response study."""
    _shares(request.effect)
    if request.isobole and request.second is None:
        raise InputError(
            "isoboles need a second axis",
            code="response.second",
            expected="something else that is varied, such as `--second f_m=0.1:0.9:5`",
        )
    second = request.second
    study = prepare(read_scenario(scenario, laid_over))
    treated = _arm(study, request.arm)
    refuse_unread(study.scenario, "dose-response", treated)
    doses = _doses(request.dose)
    other = None if second is None else _second(second)
    with listing(study.scenario.model, study.scenario.hypothesis):
        asked = parse_endpoints(request.endpoint, study.model, float(study.times[-1]), study.scenario.time_unit)
        measured = _exposure(study, request.exposure)
    endpoints = tuple(_of_a_day(one) for one in asked)
    names = {part.name for part in study.model.observables}
    sites = tuple(site for site in SITES if site in names)
    day = max(part.day for part in endpoints)
    quantities = dict.fromkeys((*(part.quantity for part in endpoints), *sites, *((measured,) if measured else ())))
    laid_over = [*laid_over, Setting("outputs.quantities", list(quantities), "endpoints")]
    own = "" if doses.unit is None else f" {doses.unit.text}"
    doses_given = f"{DOSE}={','.join(f'{value:.12g}' for value in doses.values)}{own}"
    options = Options(
        over=(doses_given, *(() if second is None else (second,))),
        settings=tuple(laid_over),
        arms=(study.arms[treated].name,),
    )
    windows = _windows(plan_sweep(read_request(scenario, options)), day)
    at = tuple(f"{time!r} d" for time in _times(endpoints, windows))
    sweep = plan_sweep(read_request(scenario, replace(options, at=at)))
    return ResponsePlan(request, sweep, study, treated, endpoints, other, measured, sites, windows)


def respond(
    planned: ResponsePlan,
    *,
    workers: int = 1,
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> xr.Dataset:
    """Simulate a planned study and fit the curves; the result is as for `simulate.dose_response`."""
    import xarray as xr

    request = planned.request
    shares = _shares(request.effect)
    study, endpoints, other, windows = planned.study, planned.endpoints, planned.other, planned.windows
    measured, sites = planned.measured, planned.sites
    results = swept(planned.sweep, workers=workers, threads=threads, progress=progress)
    ladder, steps, arms = placed(results, None if other is None else other.name)
    effects, errors = effects_of(results, endpoints, arms)
    variables = {"effect": (("endpoint", "second", "dose", "member"), effects)}
    of_draws = np.asarray(results["draw"].values) if "draw" in results.coords else None
    variables |= reduced(  # type: ignore[arg-type]
        ladder, effects, errors, seed=study.scenario.seed, replicates=request.replicates, draws=of_draws, shares=shares
    )
    causes = _causes(study, planned.treated)
    rank = np.full((*effects.shape[:2], len(causes)), np.nan)
    for place in np.ndindex(*effects.shape[:2]):
        for name, correlation in influences(variables["patient_curve"][1][place][:, 2], causes).items():
            rank[place][list(causes).index(name)] = correlation
    variables["rank_correlation"] = (("endpoint", "second", "cause"), rank)  # type: ignore[assignment]
    coordinates = {
        "endpoint": ("endpoint", np.array([part.text for part in endpoints], dtype=object)),
        "endpoint_unit": ("endpoint", np.array([part.unit for part in endpoints], dtype=object)),
        "endpoint_title": ("endpoint", np.array([part.title for part in endpoints], dtype=object)),
        "dose": ("dose", ladder, dict(results["over_dose"].attrs)),
        "second": ("second", steps, {} if other is None else dict(results[f"over_{other.name}"].attrs)),
        "member": results["member"],
        "stratum": results["stratum"],
        **({"draw": results["draw"]} if "draw" in results.coords else {}),
        "parameter": ("parameter", np.array(PARAMETERS, dtype=object)),
        "cause": ("cause", np.array(list(causes), dtype=object)),
        **({"share": ("share", np.array(shares))} if shares else {}),
    }
    if measured:
        label = dict(results[measured].attrs)
        shape = ("measure", "second", "dose", "member")
        variables["exposure"] = (shape, exposures_of(results, measured, arms, windows), label)  # type: ignore[assignment]
        coordinates["measure"] = ("measure", np.array(MEASURES, dtype=object))
    if sites:
        shape = ("site", "second", "dose", "member")
        label = {"units": "%", "long_name": "share of the interval between doses with the signal below the bound"}
        variables["blocked"] = (shape, blocked_of(results, sites, arms, windows, request.bound), label)  # type: ignore[assignment]
        coordinates["site"] = ("site", np.array(sites, dtype=object))
    unit, arm = str(results["over_dose"].attrs.get("units", "")), study.arms[planned.treated].name
    given = ladder[ladder > 0.0]
    span = f"{float(given.min()):g} to {float(given.max()):g}" if len(given) else "0"
    attributes = {
        **{name: value for name, value in results.attrs.items() if name in _KEPT},
        # What was varied: the doses of an arm of a scenario, which has a title of its own.
        "draws_of": TYPICAL if study.draws is None else study.draws.name,
        "title": f"dose-response, {span} {unit}, in place of the dose of `{arm}` ({study.scenario.title})",
        "question": study.scenario.question or "",
        "arm": arm,
        "second": "" if other is None else other.name,
        "window_end": planned.day,
        "bound": request.bound,
        **({"assumptions": json.dumps(study.assumptions)} if study.assumptions else {}),
        "counters": json.dumps(
            outcome_counts(results["status"].values.ravel().tolist(), int(stopped_members(results).sum()))
        ),
    }
    dataset = xr.Dataset(variables, coords=coordinates, attrs=attributes)
    if request.isobole:
        dataset.update(isoboles(dataset))
    return dataset


def together(datasets: Sequence[xr.Dataset]) -> xr.Dataset:
    """Results of several hypotheses in one, along ``hypothesis``; as they are where there is one.

    A parameter that differs between the patients under one hypothesis alone is a cause under this one alone.
    """
    if len(datasets) == 1:
        return datasets[0]
    import xarray as xr

    names = xr.DataArray(np.array([one.attrs["hypothesis"] for one in datasets], dtype=object), dims="hypothesis")
    found = xr.concat(
        list(datasets), dim=names.rename("hypothesis"), join="outer", coords="minimal", compat="override",
        combine_attrs="override",
    )  # fmt: skip
    counters = total_counts(datasets)
    stands = np.array([one.attrs.get("draws_of", TYPICAL) for one in datasets], dtype=object)
    found = found.assign_coords(draws_of=("hypothesis", stands))
    found.attrs |= {"hypothesis": ", ".join(names.values.tolist()), "counters": json.dumps(counters)}
    return found


def total_counts(datasets: Sequence[xr.Dataset]) -> dict[str, int]:
    """Trajectories and how they ended, over several studies."""
    found: dict[str, int] = {}
    for one in datasets:
        for name, count in json.loads(str(one.attrs.get("counters", "{}"))).items():
            found[name] = found.get(name, 0) + int(count)
    return found


def _shares(effect: Sequence[float]) -> tuple[float, ...]:
    """Shares of the span, of percents."""
    for percent in effect:
        if not 0.0 < percent < 100.0:
            raise InputError(
                "this is no share of the effect",
                code="response.effect",
                where=Where("--effect"),
                found=f"{percent:g} %",
                expected="more than 0 and less than 100, such as 90 for the dose with 90 % of the effect",
            )
    return tuple(dict.fromkeys(percent / 100.0 for percent in effect))


def _causes(study: Study, arm: int) -> dict[str, FloatArray]:
    """Parameters that differ between the patients of a study, shape [member] each."""
    cohort = cohort_of(study)
    values = member_parameters(study.model, study.arms[arm], cohort)
    names = [parameter.name for parameter in study.model.parameters]
    return {name: own for name, own in zip(names, values.T, strict=True) if own.min() < own.max()}


def _arm(study: Study, name: str | None) -> int:
    if name is not None:
        return arm_number(study, name, "response.arm")
    for index, arm in enumerate(study.arms):
        if arm.plan.courses:
            return index
    raise InputError("no arm of the scenario has doses", code="response.arm", advice="choose another scenario")


def _doses(text: str) -> Axis:
    """The axis of doses, as a list that begins with 0."""
    bare = re.fullmatch(r"[^:,|]*:[^:,|]*", text)
    axis = parse_axis(f"{DOSE}={text}" + (f":{COUNT}log" if bare else ""), f"--dose {text}")
    values = sorted({0.0, *(float(value) for value in axis.values)})
    if len(values) < _FEWEST + 1 or values[0] < 0.0:
        raise InputError(
            "these are no doses from which a curve could be fitted",
            code="response.dose",
            where=axis.where,
            found=", ".join(f"{value:g}" for value in values if value) or text,
            expected=f"at least {_FEWEST} positive doses, such as `{DOSES}`",
            advice="`simulate sweep` takes fewer: the changes at each, and no curve",
        )
    return replace(axis, values=tuple(values))


def _second(text: str) -> Axis:
    axis = parse_axis(text, f"--second {text}")
    if axis.name in (DOSE, REGIMEN) or axis.is_drawn:
        raise InputError(
            f"`{axis.name}` cannot be the second axis"
            if axis.values
            else f"the values of `{axis.name}` are not listed",
            code="response.second",
            where=axis.where,
            expected="the interval, a parameter or a covariate with a list or a number of values, "
            "such as `interval=12,24,48 h` or `f_m=0.1:0.9:5`",
        )
    return axis


def _of_a_day(endpoint: Endpoint) -> Endpoint:
    if endpoint.summary not in (Summary.VALUE, Summary.CHANGE):
        raise InputError(
            f"a dose-response study cannot have the {endpoint.summary.value} as its endpoint",
            code="response.endpoint",
            found=repr(endpoint.text),
            expected="the value on a day or its change, such as `il17a@182` or `il17a:change@182`",
        )
    return endpoint


def _exposure(study: Study, asked: str | None) -> str | None:
    names = quantity_units(study.model)
    if asked is None:
        return EXPOSURE if EXPOSURE in names else None
    if asked not in names:
        raise InputError(
            f"the model has no quantity `{asked}` for an exposure",
            code="response.exposure",
            advice=did_you_mean(asked, names) or QUANTITIES,
        )
    return asked


def _windows(plan: SweepPlan, day: float) -> tuple[Window, ...]:
    """The last interval between doses before a day, at each place of the second axis."""
    seconds: dict[tuple[Value, ...], list[Arm]] = {}
    for point, arm in zip(plan.values, plan.study.arms, strict=True):
        seconds.setdefault(point[1:], []).append(arm)
    model, horizon = plan.study.model, float(plan.study.times[-1])
    found = []
    for place in sorted(seconds):
        plans = [arm.plan for arm in seconds[place]]
        patient = typical_parameters(model, seconds[place][0], plan.study.population)
        found.append(window_before(plans, model, day, horizon, patient))
    return tuple(found)


def _times(endpoints: Sequence[Endpoint], windows: Sequence[Window]) -> list[float]:
    """When values are kept: at the start, on the days of the endpoints, and through the last interval."""
    return sorted({0.0, *(part.day for part in endpoints), *(time for part in windows for time in part.times.tolist())})
