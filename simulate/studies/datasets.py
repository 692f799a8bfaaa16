"""The labeled arrays of a simulated cohort: their layout, how they are made, and their file.

What is read of them, of whom, and how exact it is, is in `simulate.studies.values`.

The dataset of a run has, for each quantity, a variable with dimensions (arm, member, time) and the attributes ``units``
and ``long_name``. Beside them:

``status`` (arm, member)
    Values of `simulate.solver.Status`; the values of a member that failed are NaN from its failure on;
    those of a member that failed by an observable alone are NaN or infinite where it is undefined. A member that a rule
    has stopped has not failed: its values are NaN after that day, and it counts wherever it has one.
``parameters`` (arm, member, parameter)
    Values used, in the units of the coordinate ``parameter_unit``.
``covariates`` (member, covariate)
    Properties of the members from which parameters follow.
``dropout_day`` (member)
    Day on which a member leaves the study, infinite for those who stay. Values go on after it: they are what would have
    been seen.
``terms_of_`` and the name of a quantity (arm, member)
    Where a quantity is added up from terms of both signs: the largest sum of the sizes of its terms over what was
    recorded. The quantity is as wrong as they are, however small it is itself.
``method`` (arm, member), ``work`` (arm, member, count)
    Which method gave a member's numbers (names in ``flag_meanings``), and the steps and evaluations that it took.
``rule_day`` (arm, member, rule)
    Day on which a rule of the arm first applied to a member, NaN if it never did; only where an arm has rules.
``dose_time``, ``dose_amount``, ``dose_route`` (arm, dose)
    The doses of each arm if none is missed, padded with NaN; days, and the unit of the route. Doses by a route whose
    gain a parameter makes 0 are none. Where the patients of an arm are treated each in their own way, the doses that
    any of them is given.

``dosing_interval`` (arm, member, followed, interval, part), ``interval_day`` (arm, interval), ``interval_chance`` (arm)
    Average, lowest and highest of each quantity over some intervals between doses, and the day on which each ends:
    before visits, and over the course for an envelope. NaN for an arm without regular dosing; absent if all are. And
    whether chance has a part in each dose of an arm (some are missed, say), so that intervals tell nothing of others.

A value at the time of a dose is that just after it, at the end as at any other time; at time 0 that before it, the
baseline.

The attribute ``dropout`` is 1 where the results of the run are of those who are still in the study, and 0 or absent
where they are of everybody; `simulate.studies.values.seen_members` goes by it.

Coordinates are ``arm`` with its ``regimen`` in words, ``member`` with its ``stratum`` and, where tables of doses have
the same patients in all arms, ``patient_id``, and ``time`` in days.

Where a run stands on a fit, every variable of a trajectory has the dimension ``draw`` before ``member``: the same
patients in each of several populations, all of which the fit believes possible. Within the package they stand beside
each other along ``member``, with the coordinate ``draw`` (`pooled`, `by_draw`).
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from simulate.arrays import Arrays, Labeled, LabeledArrays, SameArrays
from simulate.cohort.arms import Arm
from simulate.cohort.ensemble import Ensemble
from simulate.errors import InputError, Where
from simulate.kernels.of_model import cancelling
from simulate.recall import content_of, recalled
from simulate.regimen.timetable import Doses, timetable_of
from simulate.regimen.writing import print_regimen
from simulate.solver.kernel import FloatArray
from simulate.solver.trajectories import Status
from simulate.symbolic.model import Model
from simulate.symbolic.parts import Observable, Species

if TYPE_CHECKING:
    import xarray as xr

UNITS_OF_FILE = "units_of_file"
"""Attribute of a dataset whose quantities are numbers in the units of a file of another program."""

RESERVED = frozenset(
    {
        *("arm", "regimen", "draw", "member", "patient_id", "stratum", "time", "status"),
        *("parameters", "parameter", "parameter_unit"),
        *("method", "work", "count", "rule_day", "rule"),
        *("covariates", "covariate", "dropout_day", "dose", "dose_time", "dose_amount", "dose_route"),
        *("base_arm", "quantile", "n_ok"),
        *("dosing_interval", "interval_day", "interval_chance", "followed", "interval", "part"),
    }
)
"""Names that no quantity of a dataset can have: those of all that runs and sweeps leave behind."""

TERMS = "terms_of_"
"""What begins the names of variables that say how large the terms of a quantity are."""

_OVER = "over_"
"""What begins the names of axes of sweeps."""

LABELS: Mapping[str, Mapping[str, Any]] = {
    "status": {
        "long_name": "how the integration of a member ended",
        "flag_values": np.array([status.value for status in Status], dtype=np.int8),
        "flag_meanings": " ".join(status.name.lower() for status in Status),
    },
    "parameters": {"long_name": "values of the parameters, in the units of parameter_unit"},
    "covariates": {"long_name": "properties of the members"},
    "dropout_day": {"units": "d", "long_name": "day on which a member leaves the study; infinite for those who stay"},
    "work": {"long_name": "what a member took"},
    "rule_day": {"units": "d", "long_name": "day on which a rule of the arm first applied"},
    "member": {"long_name": "number of the patient"},
    "patient_id": {"long_name": "ID of the patient in the table of doses"},
    "draw": {"long_name": "number of the draw of the fit, or of the prior: one population that is believed possible"},
    "time": {"units": "d", "long_name": "time since the start of treatment"},
}
"""Attributes of the variables that every dataset has."""

_SAMPLE = 2048
"""Numbers by which it is decided whether a variable is compressed."""

COUNTS = ("accepted steps", "rejected steps", "evaluations")
"""What is counted of a member's work."""


def ensemble_dataset(
    ensemble: Ensemble, model: Model, quantities: Sequence[str], *, attributes: Mapping[str, Any] | None = None
) -> LabeledArrays:
    """Dataset of a simulated cohort; its layout is at the top of this module."""
    trajectories, cohort = ensemble.trajectories, ensemble.cohort
    labels = quantity_labels(model)
    variables: dict[str, Any] = {}
    check_names(quantities)
    for name in quantities:
        variables[name] = (("arm", "member", "time"), ensemble.quantity(name), labels[name])
    terms = largest_terms(ensemble, quantities)
    for name, label in terms_labels(ensemble.model or model, quantities).items():
        variables[name] = (("arm", "member"), terms[name], label)
    variables["status"] = (("arm", "member"), ensemble.status.astype(np.int8), LABELS["status"])
    names = trajectories.methods or (trajectories.method,)
    chosen = np.zeros(ensemble.shape, dtype=np.int8) if trajectories.chosen is None else trajectories.chosen
    variables["method"] = (("arm", "member"), chosen.reshape(ensemble.shape).astype(np.int8), method_labels(names))
    counters = trajectories.counters.reshape(*ensemble.shape, len(COUNTS)).astype(np.int32)
    variables["work"] = (("arm", "member", "count"), counters, LABELS["work"])
    variables["parameters"] = (("arm", "member", "parameter"), ensemble.parameter_values, LABELS["parameters"])
    variables["covariates"] = (("member", "covariate"), cohort.covariate_values, LABELS["covariates"])
    variables["dropout_day"] = ("member", cohort.dropout, LABELS["dropout_day"])
    if any(arm.rules for arm in ensemble.arms):
        variables["rule_day"] = (("arm", "member", "rule"), first_days(ensemble), LABELS["rule_day"])
    idle = [idle_routes(model, _nothing_in(ensemble.parameters, values)) for values in ensemble.parameter_values]
    variables |= dose_variables(ensemble.arms, model, float(trajectories.times[-1]), idle)
    unit_of = {parameter.name: parameter.unit.text for parameter in model.parameters}
    return Arrays(
        variables,
        {
            "arm": ("arm", _texts(arm.name for arm in ensemble.arms)),
            "regimen": ("arm", _texts(regimen_words(arm) for arm in ensemble.arms)),
            "member": ("member", np.asarray(cohort.ids), LABELS["member"]),
            "stratum": ("member", _texts(cohort.strata)),
            **({} if cohort.draws is None else {"draw": ("member", np.asarray(cohort.draws), LABELS["draw"])}),
            "time": ("time", trajectories.times, LABELS["time"]),
            "parameter": ("parameter", _texts(ensemble.parameters)),
            "parameter_unit": ("parameter", _texts(unit_of[name] for name in ensemble.parameters)),
            "covariate": ("covariate", _texts(cohort.covariates)),
            "count": ("count", _texts(COUNTS)),
        },
        attributes or {},
    )


def with_patient_ids(dataset: LabeledArrays, named: Sequence[str]) -> LabeledArrays:
    """A dataset with the IDs that members have in a table of doses."""
    found: LabeledArrays = dataset.assign_coords(patient_id=("member", _texts(named), LABELS["patient_id"]))
    return found


def check_names(quantities: Sequence[str], where: Where | None = None) -> None:
    """Refuse quantities with names that the layout needs for itself; ``results.name``."""
    for name in quantities:
        if name in RESERVED or name.startswith((_OVER, TERMS)):
            raise InputError(
                f"results cannot hold a quantity with the name `{name}`",
                code="results.name",
                where=where,
                found="a name that results have for something else",
                advice="rename it in the model, or leave it out of `outputs.quantities`",
            )


def quantity_labels(model: Model) -> dict[str, dict[str, str]]:
    """Attributes of each state and observable: its unit and what it is."""
    parts: tuple[Species | Observable, ...] = (*model.species, *model.observables)
    return {part.name: {"units": part.unit.text, "long_name": part.meaning} for part in parts}


def method_labels(names: Sequence[str]) -> dict[str, Any]:
    """Attributes of the methods of members, by their places among the names."""
    # An array of one number comes back from a file as a number.
    values = {"flag_values": np.arange(len(names), dtype=np.int8)} if len(names) > 1 else {}
    meanings = " ".join(name.replace(" ", "_") for name in names)
    return {"long_name": "method that gave a member's numbers", **values, "flag_meanings": meanings}


def first_days(ensemble: Ensemble) -> FloatArray:
    """Shape [arm, member, rule]; NaN where a rule never applied, or the arm has not so many rules."""
    before = np.cumsum([0, *(len(arm.rules) for arm in ensemble.arms)])
    days = np.full((*ensemble.shape, max(len(arm.rules) for arm in ensemble.arms)), np.nan)
    for one in reversed(ensemble.trajectories.occurrences):
        arm, member = divmod(one.member, ensemble.shape[1])
        days[arm, member, one.rule - before[arm]] = one.time
    return days


def _texts(values: Any) -> np.ndarray[Any, np.dtype[Any]]:
    return np.array(list(values), dtype=object)


def regimen_words(arm: Arm) -> str:
    """The regimen of an arm in words."""
    several = len(set(arm.all_plans))
    return print_regimen(arm.plan) if several == 1 else f"{several} regimens of {len(arm.plans)} patients"


def dose_variables(
    arms: Sequence[Arm], model: Model, horizon: float, idle: Sequence[Sequence[int]] = ()
) -> dict[str, Any]:
    """Variables of a dataset that hold the doses of arms up to a horizon, days.

    ``idle`` has for each arm the places of the routes by which nothing arrives: such doses are left out.
    """
    rows = [_scheduled(arm, model, horizon) for arm in arms]
    kept = [
        np.ones(len(row), dtype=np.bool_) if not idle else ~np.isin(row.route, idle[arm])
        for arm, row in enumerate(rows)
    ]
    counts = [int(own.sum()) for own in kept]
    shape = (len(rows), max(counts))
    times, amounts = np.full(shape, np.nan), np.full(shape, np.nan)
    routes = np.full(shape, "", dtype=object)
    for arm, (row, own, count) in enumerate(zip(rows, kept, counts, strict=True)):
        times[arm, :count], amounts[arm, :count] = row.time[own], row.amount[own]
        routes[arm, :count] = np.array([route.name for route in model.routes], dtype=object)[row.route[own]]
    return {
        "dose_time": (("arm", "dose"), times, {"units": "d", "long_name": "time of a dose, if it is not missed"}),
        "dose_amount": (("arm", "dose"), amounts, {"long_name": "amount of a dose, in the unit of its route"}),
        "dose_route": (("arm", "dose"), routes, {"long_name": "route of a dose"}),
    }


def _nothing_in(names: Sequence[str], values: FloatArray) -> set[str]:
    """Parameters that are 0 in every member of an arm."""
    return {name for name, own in zip(names, values.T, strict=True) if len(own) and not own.any()}


def idle_routes(model: Model, zero: Set[str]) -> list[int]:
    """Places of the routes by which nothing arrives where some parameters are 0."""
    if not zero:
        return []

    def found() -> list[int]:
        places = []
        for place, route in enumerate(model.routes):
            nothing = {symbol: 0 for symbol in route.gain.free_symbols if symbol.name in zero}
            if nothing and route.gain.subs(nothing) == 0:
                places.append(place)
        return places

    return recalled("idle-routes", content_of((model.routes, sorted(zero))), found)


def _scheduled(arm: Arm, model: Model, horizon: float) -> Doses:
    """Doses of an arm up to a horizon, none of them missed; each once, however many patients are given it."""
    parts = [timetable_of(plan, model.routes, horizon).doses for plan in dict.fromkeys(arm.all_plans)]
    given = [part for part in parts if len(part)]
    doses = Doses.joined(given)
    if len(given) < 2:
        return doses
    columns = (doses.time, doses.route, doses.amount, doses.duration, doses.lag)
    differ = np.logical_or.reduce([column[1:] != column[:-1] for column in columns])
    return doses.of(np.append(True, differ))


_OF_PATIENTS = ("member", "patient_id", "stratum", "dropout_day")
"""What is the same of a patient in every draw."""


def by_draw(dataset: SameArrays) -> SameArrays:
    """The dataset of a run that stands on a fit with a dimension ``draw`` before ``member``; another as it is.

    What is the same of a patient in every draw loses its repetitions.
    """
    if "draw" not in dataset.coords or "draw" in dataset.sizes:
        return dataset
    draws = len(np.unique(dataset["draw"].values))
    patients = dataset.sizes["member"] // draws

    def divided(name: str, variable: Labeled) -> Labeled:
        if name == "draw":
            return Labeled(("draw",), variable.values[::patients], variable.attrs)
        if name in _OF_PATIENTS:
            return Labeled(variable.dims, variable.values[:patients], variable.attrs)
        if "member" not in variable.dims:
            return variable
        at = variable.dims.index("member")
        shape = (*variable.shape[:at], draws, patients, *variable.shape[at + 1 :])
        dims = (*variable.dims[:at], "draw", *variable.dims[at:])
        return Labeled(dims, variable.values.reshape(shape), variable.attrs)

    return _rebuilt(dataset, divided)


def draws_in(dataset: LabeledArrays) -> int:
    """Number of draws that a dataset has each of its patients in; 1 where there is one population."""
    return len(np.unique(dataset["draw"].values)) if "draw" in dataset.coords else 1


def pooled(dataset: SameArrays) -> SameArrays:
    """The inverse of `by_draw`: patients of all draws beside each other along ``member``, those of the first first."""
    if "draw" not in dataset.sizes:
        return dataset
    draws, patients = dataset.sizes["draw"], dataset.sizes["member"]

    def joined(name: str, variable: Labeled) -> Labeled:
        if name == "draw":
            return Labeled(("member",), np.repeat(variable.values, patients), variable.attrs)
        if name in _OF_PATIENTS:
            return Labeled(variable.dims, np.tile(variable.values, draws), variable.attrs)
        if "draw" not in variable.dims:
            return variable
        at = variable.dims.index("draw")
        shape = (*variable.shape[:at], draws * patients, *variable.shape[at + 2 :])
        dims = (*variable.dims[:at], *variable.dims[at + 1 :])
        return Labeled(dims, variable.values.reshape(shape), variable.attrs)

    return _rebuilt(dataset, joined)


def _rebuilt(dataset: SameArrays, of: Callable[[str, Labeled], Labeled]) -> SameArrays:
    """A dataset of other variables, of the same kind."""
    found: Any = {str(name): of(str(name), variable) for name, variable in dataset.variables.items()}
    coords = {name: found.pop(name) for name in map(str, dataset.coords)}
    if isinstance(dataset, Arrays):
        return cast("SameArrays", Arrays(found, coords, dataset.attrs))
    import xarray as xr

    # What is as it was is not read from its file.
    parts, kept = (
        {name: part.parts if isinstance(part, Labeled) else part for name, part in own.items()}
        for own in (found, coords)
    )
    return cast("SameArrays", xr.Dataset(parts, coords=kept, attrs=dataset.attrs))


def quantity_names(dataset: LabeledArrays) -> tuple[str, ...]:
    """Names of the quantities of a dataset, in order."""
    return tuple(
        str(name) for name, variable in dataset.data_vars.items() if variable.dims == ("arm", "member", "time")
    )


def largest_terms(ensemble: Ensemble, quantities: Sequence[str]) -> dict[str, FloatArray]:
    """Sizes of the terms [arm, member] of those quantities whose terms cancel, by the names of their variables."""
    found = {TERMS + name: ensemble.largest_terms(name) for name in quantities}
    return {name: terms for name, terms in found.items() if terms is not None}


def terms_labels(model: Model, quantities: Sequence[str]) -> dict[str, dict[str, str]]:
    """Attributes of the variables of `largest_terms`."""
    units, what = quantity_labels(model), "largest sum of the sizes of the terms of"
    return {
        TERMS + name: {"units": units[name]["units"], "long_name": f"{what} {name}"}
        for name in cancelling(model, quantities)
    }


def write_dataset(dataset: LabeledArrays, path: Path) -> None:
    """Write a dataset as netCDF-4; the same dataset gives the same bytes."""
    path.write_bytes(dataset_bytes(dataset))


def dataset_bytes(dataset: LabeledArrays) -> memoryview:
    """Content of a netCDF-4 file with a dataset; the same dataset gives the same bytes. Draws have a dimension."""
    from simulate.studies.netcdf import netcdf_bytes

    dataset = by_draw(dataset)
    floats = {str(name): part.values for name, part in dataset.data_vars.items() if part.dtype.kind == "f"}
    return netcdf_bytes(dataset, [name for name, values in floats.items() if _shrinks(values)])


def _shrinks(values: npt.NDArray[np.floating[Any]]) -> bool:
    """Whether compression makes less than half of numbers, by the first of them.

    What differs between patients is noise to a compressor: a third would be saved, for more time than all else takes
    that writes the file.
    """
    # By `flat` the others are not copied, whatever their order in memory.
    some = np.array(values.flat[:_SAMPLE], dtype=np.float64)
    bytes_by_place = some.view(np.uint8).reshape(-1, 8).T.tobytes()
    return 2 * len(zlib.compress(bytes_by_place, 1)) < len(bytes_by_place)


def read_dataset(path: Path) -> xr.Dataset:
    """Read what `write_dataset` wrote, all of it, with the patients of all draws pooled; and close the file."""
    from simulate.studies.netcdf import read_netcdf

    return pooled(read_netcdf(path))


STOPPED = "stopped"
"""Counter of the trajectories that a rule has ended."""


def outcome_counts(statuses: Iterable[int], stopped: int = 0) -> dict[str, int]:
    """Numbers of trajectories, of those that reached the end (``n_ok``), and of each kind of those that did not.

    ``stopped`` is how many of those whose status is OK were ended by a rule.
    """
    counts = Counter(statuses)
    failed = {Status(value).name.lower(): n for value, n in sorted(counts.items()) if value != Status.OK}
    ended = {STOPPED: stopped} if stopped else {}
    return {"n": counts.total(), "n_ok": counts[Status.OK] - stopped, **ended, **failed}


def stopped_by_rules(ensemble: Ensemble) -> npt.NDArray[np.bool_]:
    """Members whom a rule has ended before the end of a simulation, shape [arm, member]."""
    last = ensemble.trajectories.values[:, -1, 0].reshape(ensemble.shape)
    found: npt.NDArray[np.bool_] = np.isnan(last) & (ensemble.status == Status.OK)
    return found


def ensemble_counts(ensemble: Ensemble) -> dict[str, int]:
    """`outcome_counts` of a simulated cohort."""
    return outcome_counts(ensemble.status.ravel().tolist(), int(stopped_by_rules(ensemble).sum()))


def failed_numerically(counts: Mapping[str, int]) -> int:
    """The number of trajectories of `outcome_counts` that the solver could not finish."""
    return counts["n"] - counts["n_ok"] - counts.get(STOPPED, 0) - counts.get(Status.INFEASIBLE.name.lower(), 0)
