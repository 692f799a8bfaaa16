"""Plans: every arm of a sweep worked out, and the parts in which it is simulated."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from simulate.cohort.draws import Cohort
from simulate.errors import InputError, counted, not_among
from simulate.files import content_hash
from simulate.inputs import noted, noting
from simulate.regimen.doses import Plan as Prescription
from simulate.regimen.writing import print_regimen
from simulate.solver.kernel import FloatArray
from simulate.studies.models import listing
from simulate.studies.runs import Study, arms_of, cohort_of, prepare
from simulate.studies.sweeps.axes import REGIMEN
from simulate.studies.sweeps.designs import MAX_POINTS, Value, points_of
from simulate.studies.sweeps.requests import Request
from simulate.studies.sweeps.variations import covariate_value, kind_of, labels_of, varied
from simulate.studies.treatments import Override, Treatment
from simulate.studies.visits import time_words
from simulate.versions import code_hash

PART_BYTES = 40_000_000
"""What the solver records for a part; parts are whole, so that memory does not grow with their number."""

PART_ROWS = 2048
"""Most patients, counted in each arm, of a part: what an interruption can cost."""


@dataclass(frozen=True, slots=True)
class Part:
    """A range of arms and a range of places in the cohort, ends exclusive: what is solved and kept as one."""

    arms: tuple[int, int]
    members: tuple[int, int]

    @property
    def rows(self) -> int:
        return (self.arms[1] - self.arms[0]) * (self.members[1] - self.members[0])

    @property
    def name(self) -> str:
        """Name by its place, which a part of another size cannot have."""
        return "-".join(f"{edge:07d}" for edge in (*self.arms, *self.members))


@dataclass(frozen=True, slots=True, eq=False)
class SweepPlan:
    """A sweep whose every name has been found."""

    request: Request  #: What was asked
    study: Study  #: The scenario with an arm for each point of the design and each of its own arms
    base_arms: tuple[str, ...]  #: Name of the scenario's arm for each arm
    values: tuple[tuple[Value, ...], ...]  #: Values of the axes, [arm][axis]
    #: What is given of the patients in each arm, as (covariate, value in its unit).
    covariates: tuple[tuple[tuple[str, float], ...], ...]
    times: FloatArray  #: When values are kept, shape [time], days
    key: str  #: Content hash of everything that decides the result
    parts: tuple[Part, ...]  #: What is solved and kept as one, in order
    files: Mapping[str, bytes] = field(default_factory=dict)  #: What was read, as `simulate.inputs.noted` has it

    @property
    def rows(self) -> int:
        return len(self.study.arms) * self.study.members

    @property
    def varies_covariates(self) -> bool:
        """Whether patients have other covariates in other arms."""
        return len(set(self.covariates)) > 1

    @property
    def recorded_bytes(self) -> int:
        """Bytes that the solver records of a trajectory."""
        model = self.study.model
        return 8 * (len(model.species) + len(model.observables)) * (len(self.times) + 2)

    @property
    def row_bytes(self) -> int:
        """Bytes that are kept of a trajectory, at most."""
        parameters = len(self.study.model.parameters) if self.request.parameters else 0
        return 8 * ((len(self.times) + 1) * len(self.study.quantities) + parameters) + 1

    def cohort(self, arm: int, first: int, n: int) -> Cohort:
        """Members of an arm from a place on: the same patients in every arm, but for covariates that are an axis."""
        return _drawn(self, self.covariates[arm], first, n)

    @property
    def resolved(self) -> dict[str, object]:
        """Everything that decides the result, by name; what two runs are compared by."""
        study = self.study
        settings = {name: value for name, value in study.settings.items() if name not in ("arms", "title", "question")}
        regimens = {
            arm.name: print_regimen(arm.plan)
            for arm in self.request.scenario.arms
            if isinstance(arm.plan, Prescription)
        }
        return {
            **{name: value for name, value in settings.items() if name not in ("end", "every")},
            "end": study.scenario.times[-1],
            "times": [float(time) for time in self.times],
            "keeps_parameters": self.request.parameters,
            "regimens": {name: regimens.get(name, "a table of doses") for name in dict.fromkeys(self.base_arms)},
            "parameters": {row.parameter: _text(row) for row in self.request.scenario.overrides},
            "axes": {
                axis.name: [point[index] for point in dict.fromkeys(self.values)]
                for index, axis in enumerate(self.request.axes)
            },
            "model_key": study.model.key,
            "population_key": content_hash(repr(study.population)),
            "arms_key": content_hash(json.dumps(study.settings["arms"], sort_keys=True)),
            "code": code_hash(),
        }


@functools.lru_cache(maxsize=2)
def _drawn(plan: SweepPlan, covariates: tuple[tuple[str, float], ...], first: int, n: int) -> Cohort:
    """Members with some covariates; the last are kept, as the next part most often has the same in another arm."""
    known = dict(plan.study.known)
    for name, value in covariates:
        known[name] = np.broadcast_to(np.float64(value), (plan.study.scenario.patients,))
    return cohort_of(replace(plan.study, known=known), first, n)


def _text(row: Override) -> str:
    value = "" if row.value is None else f"{row.value!r}" + ("" if row.unit is None else f" {row.unit.text}")
    return value if row.sd_log is None else f"{value} spread {row.sd_log!r}".strip()


@noting()
def plan_sweep(request: Request, *, part_size: int | None = None) -> SweepPlan:
    """Work out the arms of a sweep and check everything that can be checked without solving.

    ``part_size``: most trajectories of a part; as many as memory admits if not given. Results do not depend on it.
    """
    base = prepare(request.scenario, in_parts=True)
    treatments = _chosen(request)
    points = points_of(request.axes, request.design)
    if len(points) * len(treatments) > MAX_POINTS:
        raise InputError(
            f"the sweep has {counted(len(points) * len(treatments), 'arm')}",
            code="sweep.design",
            where=request.design.where,
            found=f"{counted(len(points), 'point')}, {counted(len(treatments), 'arm')} of the scenario",
            expected=f"at most {MAX_POINTS}",
        )
    _check_unset(request)
    with listing(request.scenario.model, request.scenario.hypothesis):
        kinds = {axis.name: kind_of(axis, base) for axis in request.axes}
    units = {axis.name: labels_of(axis, base).get("units", "") for axis in request.axes}
    expanded, covariates, names, values = [], [], [], []
    for treatment in treatments:
        for point in points:
            named = list(zip(request.axes, point, strict=True))
            given = [(axis, value) for axis, value in named if kinds[axis.name] == "covariate"]
            expanded.append(varied(treatment, named, kinds, units, several=len(treatments) > 1))
            covariates.append(tuple((axis.name, covariate_value(axis, value, base)) for axis, value in given))
            names.append(treatment.name)
            values.append(point)
    scenario = replace(request.scenario, arms=_distinct(expanded))
    study = replace(base, scenario=scenario, arms=arms_of(scenario, base.model, base.population))
    times = _kept(request, study)
    plan = SweepPlan(request, study, tuple(names), tuple(values), tuple(covariates), times, "", ())
    key = content_hash(
        study.key, json.dumps([times.tolist(), covariates, request.parameters, names, values]), code_hash()
    )
    largest = max(16, min(PART_ROWS, PART_BYTES // plan.recorded_bytes)) if part_size is None else part_size
    parts = parts_of(plan, largest)
    return replace(plan, key=key, parts=parts, files={**request.files, **noted()})


def _check_unset(request: Request) -> None:
    """Refuse an axis of what a setting says as well: one of the two would be read past."""
    for axis in request.axes:
        for keys in request.scenario.document.origins:
            is_regimen = axis.name == REGIMEN and keys[0] == "arm" and keys[-1] in ("regimen", "doses")
            row = request.scenario.document.data.get("parameters", {}).get(axis.name)
            is_value = keys == ("parameters", axis.name) and not (isinstance(row, dict) and "value" not in row)
            if is_regimen or is_value:
                raise InputError(
                    f"`{axis.name}` is set, and varied as well",
                    code="sweep.axis",
                    where=request.scenario.document.where(*keys),
                    found=f"an axis of `{axis.name}`",
                    advice="leave out the one or the other",
                )


def parts_of(plan: SweepPlan, largest: int) -> tuple[Part, ...]:
    """Parts of a sweep of at most so many trajectories: whole arms if they are small, else parts of one arm."""
    arms, patients = len(plan.study.arms), plan.study.members
    if patients <= largest:
        together = largest // patients
        return tuple(Part((first, min(first + together, arms)), (0, patients)) for first in range(0, arms, together))
    count = -(-patients // largest)
    edges = [index * patients // count for index in range(count + 1)]
    # Some patients in all arms before the next: they are drawn once.
    return tuple(
        Part((arm, arm + 1), (edges[index], edges[index + 1])) for index in range(count) for arm in range(arms)
    )


def _chosen(request: Request) -> tuple[Treatment, ...]:
    arms = {arm.name: arm for arm in request.scenario.arms}
    for name in request.arms:
        if name not in arms:
            raise not_among(
                f"the scenario has no arm `{name}`", name, arms, code="sweep.unknown", where=request.where_arms
            )
    return tuple(arms[name] for name in dict.fromkeys(request.arms)) or request.scenario.arms


def _distinct(treatments: Sequence[Treatment]) -> tuple[Treatment, ...]:
    """Arms with names of their own: numbers of the points where six digits do not tell them apart."""
    if len({treatment.name for treatment in treatments}) == len(treatments):
        return tuple(treatments)
    return tuple(replace(row, name=f"{row.name} #{index}") for index, row in enumerate(treatments))


def _kept(request: Request, study: Study) -> FloatArray:
    """Times at which values are kept."""
    if not request.at:
        return study.times
    if request.at[-1] > study.times[-1]:
        shown = request.scenario.time_unit
        raise InputError(
            f"values are to be kept at {time_words(request.at[-1], shown)}",
            code="sweep.time",
            where=request.where_at,
            expected=f"times up to {time_words(float(study.times[-1]), shown)}, the end of the scenario",
        )
    return np.array(request.at, dtype=np.float64)
