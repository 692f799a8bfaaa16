"""One arm of a scenario as a model and its doses, for export to programs that know neither arms nor patients."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from simulate.cohort.arms import Arm
from simulate.cohort.draws import typical
from simulate.cohort.ensemble import schedule_of, typical_parameters
from simulate.cohort.population import Population
from simulate.errors import InputError, Where, did_you_mean
from simulate.exchange.prescribed import Given
from simulate.exchange.sbml.annotations import About
from simulate.regimen.writing import print_regimen
from simulate.solver.problem import Schedule, StopKind
from simulate.studies.models import about_reference
from simulate.studies.runs import Study, prepare
from simulate.studies.scenario import Scenario
from simulate.symbolic.model import Model


@dataclass(frozen=True, slots=True)
class Prescription:
    """A model, and the doses of one typical patient."""

    model: Model  #: Composed, with routes; parameters have the values of the arm
    given: tuple[Given, ...]  #: What is given by them
    #: Name of the arm, and what it prescribes, in words.
    arm: str
    regimen: str
    times: tuple[float, ...]  #: When the scenario records, days
    quantities: tuple[str, ...]  #: What it records
    rtol: float  #: Its relative tolerance
    left_out: tuple[str, ...]  #: What a scenario says and this does not
    about: About | None  #: What is known of the reference model beside its numbers; None of any other


def prescription_of(scenario: Scenario, arm: str | None = None) -> Prescription:
    """The typical patient of an arm, which must be named where there are several."""
    study = prepare(scenario)
    chosen = _chosen(study, arm)
    values = typical_parameters(study.model, chosen, study.population)
    parameters = tuple(
        replace(part, value=float(value)) for part, value in zip(study.model.parameters, values, strict=True)
    )
    model = replace(study.model, parameters=parameters)
    given = given_to(model, chosen, study.population, float(study.times[-1]))
    return Prescription(
        model=model,
        given=given,
        arm=chosen.name,
        regimen=print_regimen(chosen.plan),
        times=scenario.times,
        quantities=study.quantities,
        rtol=scenario.rtol,
        left_out=tuple(_left_out(study, chosen)),
        about=about_reference() if scenario.model is None else None,
    )


def given_to(model: Model, arm: Arm, population: Population, horizon: float) -> tuple[Given, ...]:
    """Doses of the typical patient of an arm up to a horizon, days."""
    if arm.rules:
        raise InputError(
            f"the doses of the arm `{arm.name}` depend on how the patient does",
            code="exchange.rules",
            expected="doses at times that are known beforehand",
            advice="leave the rules out",
        )
    return tuple(_given(schedule_of(model, [arm], typical(population), horizon), model))


def _chosen(study: Study, arm: str | None) -> Arm:
    names = [one.name for one in study.arms]
    if arm is None and len(names) == 1:
        return study.arms[0]
    if arm not in names:
        raise InputError(
            "the scenario has several arms" if arm is None else f"the scenario has no arm `{arm}`",
            code="exchange.arm",
            where=Where(study.scenario.document.path),
            found=", ".join(names),
            expected="--arm and one of them",
            advice=did_you_mean(arm, names) if arm else None,
        )
    return study.arms[names.index(arm)]


def _given(schedule: Schedule, model: Model) -> Iterator[Given]:
    """What the first member is given, time by time."""
    stops = slice(int(schedule.offsets[0]), int(schedule.offsets[1]))
    times, kinds = schedule.times[stops], schedule.kinds[stops]
    routes, amounts = schedule.routes[stops], schedule.amounts[stops]
    numbers = np.full(len(times), -1) if schedule.infusions is None else schedule.infusions[stops]
    running: dict[str, dict[int, float]] = {}
    for time in np.unique(times):
        doses: dict[str, float] = {}
        rates: dict[str, float] = {}
        for place in np.flatnonzero(times == time).tolist():
            kind = StopKind(int(kinds[place]))
            if kind == StopKind.VISIT:
                continue
            if kind not in (StopKind.BOLUS, StopKind.RATE):
                raise InputError(
                    "the states of the patient are reset or set", code="exchange.rules", expected="doses and infusions"
                )
            name, amount = model.routes[int(routes[place])].name, float(amounts[place])
            if kind == StopKind.BOLUS:
                doses[name] = doses.get(name, 0.0) + amount
                continue
            own = running.setdefault(name, {})
            number = int(numbers[place])
            # An infusion ends by the number that it has, or by its rate where it has none.
            ended = number if number >= 0 else next((key for key, rate in own.items() if rate == -amount), None)
            if amount < 0.0 and ended in own:
                del own[ended]
            else:
                own[number if number >= 0 else -1 - place] = amount
            rates[name] = float(sum(own.values()))
        if doses or rates:
            yield Given(float(time), doses, rates)


def _left_out(study: Study, arm: Arm) -> Iterator[str]:
    scenario = study.scenario
    if study.draws is not None:
        yield "the draws of the fit: parameters have the values of the tables"
    if scenario.patients > 1:
        yield "how patients differ: the typical patient alone is left"
    if len(study.arms) > 1:
        yield f"the other arms: {', '.join(one.name for one in study.arms if one is not arm)}"
    if len(arm.all_plans) > 1:
        yield "the prescriptions of other patients of the arm"
    if study.model.conditions:
        yield "the conditions on a baseline"
    if not np.allclose(np.diff(study.times), study.times[-1] / (len(study.times) - 1), rtol=1e-6):
        yield "times that are not in equal steps: there are as many, in equal ones"
