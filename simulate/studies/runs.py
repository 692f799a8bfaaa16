"""Running a scenario: its names resolved to a model, arms and a population; then a cohort drawn and simulated."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from simulate.arrays import LabeledArrays
from simulate.cohort.arms import Arm
from simulate.cohort.assumed import AssumedSpread, with_assumed_spread
from simulate.cohort.draws import Cohort, draw_members
from simulate.cohort.ensemble import Ensemble, simulate_cohort
from simulate.cohort.population import Occasion, Population
from simulate.cohort.transform import SCHEME, UNCHANGED, Distribution
from simulate.errors import InputError, not_among, relocated
from simulate.files import content_hash
from simulate.memory import check_room
from simulate.regimen.doses import Plan
from simulate.regimen.occasions import parameters_on_occasions
from simulate.regimen.steady import check_steady
from simulate.regimen.timetable import timetable_of
from simulate.regimen.writing import print_regimen
from simulate.solver.kernel import FloatArray, IntArray
from simulate.studies.arm_rules import solver_rules
from simulate.studies.datasets import UNITS_OF_FILE, check_names, ensemble_dataset, with_patient_ids
from simulate.studies.methods import method_named
from simulate.studies.models import assumed_of_routes, find_model, listing, no_quantity, population_for, quantity_units
from simulate.studies.observed import PatientReadings, patient_ids, readings_of
from simulate.studies.scenario import TYPICAL, Scenario
from simulate.studies.table_patients import known_values
from simulate.studies.treatments import Tabled, Treatment, overridden
from simulate.symbolic.model import Model
from simulate.symbolic.parts import Spread

if TYPE_CHECKING:
    from simulate.studies.fitting.draws import Draws
    from simulate.studies.fitting.individual_draws import IndividualDraws

_TOGETHER = 1024
"""Patients, those of all arms counted, who are simulated together: the memory of some is that of the next."""
_COPIES = 4
"""How often a course that is kept stands in memory at most, with what is made of it: as found, joined, and written."""
_TABLES = 8
"""Numbers held of a patient for each parameter, in tables of patients and beside them."""


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """A scenario whose every name has been found: ready to run."""

    scenario: Scenario  #: What was asked
    #: What is simulated.
    model: Model
    arms: tuple[Arm, ...]
    population: Population
    times: FloatArray  #: Shape [time], days
    quantities: tuple[str, ...]  #: What is kept, in order
    #: Covariates that tables of doses give, shape [patient] each; NaN for patients whose value is drawn.
    known: Mapping[str, FloatArray] = field(default_factory=dict)
    #: Populations that are simulated, each with all patients; None for the one of ``population``.
    draws: Draws | IndividualDraws | None = None
    #: Which parameters vary because the scenario assumes it; None where it assumes nothing of all of them.
    assumed: AssumedSpread | None = None
    #: What was observed in the patients of tables of doses.
    readings: PatientReadings = field(default_factory=PatientReadings)

    @property
    def assumptions(self) -> tuple[str, ...]:
        """What is assumed without evidence: a unit of time, routes, how patients differ; in sentences."""
        rows = (*self.scenario.overrides, *(row for arm in self.scenario.arms for row in arm.overrides))
        own = {row.parameter: row.sd_log for row in rows if row.sd_log}
        single = tuple(
            f"spread: `{name}` is log-normal between patients, with a coefficient of variation of "
            f"{math.sqrt(math.expm1(size**2)):.3g}, as the scenario assumes: no evidence is behind it"
            for name, size in own.items()
        )
        plans = [plan for arm in self.arms for plan in arm.all_plans]
        return (
            *self.scenario.time_taken,
            *assumed_of_routes(plans, self.model),
            *(() if self.assumed is None else self.assumed.sentences),
            *single,
        )

    @property
    def members(self) -> int:
        """Number of patients in an arm, those of all draws counted."""
        return self.scenario.patients * (1 if self.draws is None else len(self.draws.points))

    def places(self, first: int, n: int) -> tuple[IntArray, IntArray]:
        """Draw, counted from 0, and number of the patient of the members from place ``first`` on, shape [member]."""
        draws, places = np.divmod(np.arange(first, first + n, dtype=np.int64), self.scenario.patients)
        return draws, self.scenario.first + places

    @property
    def hypothesis(self) -> str:
        """Hypothesis without the options that every fitted model has."""
        if self.draws is None:
            return self.model.hypothesis
        asked = [part for part in self.model.hypothesis.split("+") if part not in self.draws.options]
        return "+".join(asked) or "none"

    @property
    def settings(self) -> dict[str, object]:
        """What the scenario asks for, as plain values; a manifest keeps it."""
        scenario, of_draws = self.scenario, dict[str, object]()
        if self.draws is not None:
            of_draws = {"fit": str(scenario.fit), "draws": len(self.draws.points), "draws_of": self.draws.name}
            of_draws["draws_key"] = content_hash(self.draws.points.tobytes())
        return {
            "title": scenario.title,
            "question": scenario.question,
            "model": self.model.name,
            "hypothesis": self.hypothesis,
            **of_draws,
            "end": scenario.times[-1],
            "every": scenario.times[1],
            **({} if scenario.time_unit == "d" else {"time_unit": scenario.time_unit}),
            "patients": scenario.patients,
            "seed": scenario.seed,
            **({"first": scenario.first} if scenario.first else {}),
            **({} if scenario.population is None else {"population": str(scenario.population)}),
            **({} if self.assumed is None else {"assumed_spread": asdict(self.assumed)}),
            **({"visits": list(scenario.visits)} if scenario.visits else {}),
            **({} if scenario.between_doses is None else {"between_doses": scenario.between_doses}),
            **({} if scenario.occasions is None else {"occasions": asdict(scenario.occasions)}),
            **({"dropout": True} if scenario.dropout else {}),
            "arms": [
                {"name": arm.name, "regimen": print_regimen(arm.plan), "parameters": _plain(arm.overrides)}
                | _of_table(arm, treatment)
                | ({"rules": [rule.text for rule in treatment.rules]} if treatment.rules else {})
                for arm, treatment in zip(self.arms, scenario.arms, strict=True)
            ],
            "quantities": list(self.quantities),
            "rtol": scenario.rtol,
            **({} if scenario.atol is None else {"atol": scenario.atol}),
            "max_steps": scenario.max_steps,
            "method": scenario.method,
            **({} if scenario.max_step is None else {"max_step": scenario.max_step}),
            **({"breaks": list(scenario.breaks)} if scenario.breaks else {}),
            **({"observed_key": content_hash(repr(self.readings))} if self.readings.compared else {}),
        }

    @property
    def solving(self) -> dict[str, Any]:
        """How the scenario says that cohorts are solved: arguments of `simulate_cohort`."""
        asked = self.scenario
        bounds = {"max_steps": asked.max_steps, "max_step": asked.max_step, "breaks": asked.breaks}
        return {"tolerance": asked.tolerance, "method": method_named(asked, self.model), **bounds}

    @property
    def key(self) -> str:
        """Content hash of everything that decides the result, the engine and its compilers included."""
        from simulate.native import fingerprint

        settings = json.dumps(self.settings, sort_keys=True)
        return content_hash(settings, self.model.key, repr(self.population), SCHEME, fingerprint())


def prepare(scenario: Scenario, *, in_parts: bool = False) -> Study:
    """Resolve the names of a scenario and check everything that can be checked without solving.

    ``in_parts``: whether it will be simulated part by part, so that the whole need not fit into memory.
    """
    with listing(scenario.model, scenario.hypothesis):
        return _prepared(scenario, in_parts)


def _prepared(scenario: Scenario, in_parts: bool) -> Study:
    parts = scenario.hypothesis
    if scenario.occasions is not None and scenario.model is None:
        from simulate.biology.pharmacokinetics_occasions import ON_OCCASIONS

        parts = (*parts, *(name for name in (ON_OCCASIONS.name,) if name not in parts))
    draws = None if scenario.fit == TYPICAL else draws_of_scenario(scenario)
    if draws is not None:
        from simulate.studies.fitting.problem import study_patients

        parts = (*parts, *(option for option in draws.options if option not in parts))
    model = find_model(
        scenario.model, parts, scenario.document.where("model", "hypothesis"), time_unit=scenario.model_time
    )
    _check_occasions(scenario, model)
    method_named(scenario, model)
    where = scenario.document.where("cohort", "population")
    population = population_for(model, scenario.population, is_shipped=scenario.model is None, where=where)
    if draws is not None and scenario.model is None:
        population = study_patients(population)
    assumed = None
    if scenario.spread is not None:
        population, assumed = with_assumed_spread(population, scenario.spread)
    if scenario.between_doses is not None:
        spread = Spread.from_cv(scenario.between_doses).sd_log
        population = replace(population, occasions=tuple(Occasion(route.name, spread) for route in model.routes))
    if scenario.dropout and not population.retention:
        raise InputError(
            "nobody leaves a study in this population",
            code="scenario.dropout",
            where=scenario.document.where("cohort", "dropout"),
            expected="a population with a table `[[retention]]`, such as `myositis`",
            advice="leave `dropout` out",
        )
    numbers = range(scenario.first, scenario.first + scenario.patients)
    readings = readings_of(scenario.arms, model, end=scenario.times[-1], members=numbers)
    quantities = _quantities(scenario, model, readings.quantities)
    if not in_parts:
        check_memory(scenario, model, quantities, len(scenario.times))
    return Study(
        scenario=scenario,
        model=model,
        arms=arms_of(scenario, model, population),
        population=population,
        times=np.array(scenario.times, dtype=np.float64),
        quantities=quantities,
        known=known_values(scenario.arms, population, scenario.patients, first=scenario.first),
        draws=draws,
        assumed=assumed,
        readings=readings,
    )


def draws_of_scenario(scenario: Scenario) -> Draws | IndividualDraws:
    """Populations of a scenario that stands on a fit, or on what is believed before one."""
    from simulate.studies.fitting.draws import draws_named
    from simulate.studies.fitting.individual_draws import individual_draws
    from simulate.studies.fitting.posterior import read_posterior

    try:
        hypothesis = "+".join(map(str, scenario.hypothesis))
        if isinstance(scenario.fit, Path):
            posterior = read_posterior(scenario.fit)
            if posterior.individuals is not None or scenario.model is not None:
                return individual_draws(hypothesis, scenario.fit, posterior, scenario.draws, model=scenario.model)
        return draws_named(hypothesis, scenario.fit, scenario.draws)
    except InputError as error:
        key = "hypothesis" if error.code.startswith("hypothesis.") else "fit"
        error.where = error.where or scenario.document.where("model", key)
        if error.code == "fit.bounds":
            error.advice = f"{error.advice}; or simulate typical values alone: `--fit typical`"
        raise


def arms_of(scenario: Scenario, model: Model, population: Population) -> tuple[Arm, ...]:
    """Arms of a scenario: overrides that patients can have, in the units of the parameters; plans that routes admit."""
    arms = []
    admitted: set[Plan] = set()
    for treatment in scenario.arms:
        rows = (*scenario.overrides, *treatment.overrides)
        overrides = overridden(rows, model, population, scenario.beyond_bounds)
        plans = (treatment.plan,) if isinstance(treatment.plan, Plan) else treatment.plan.plans(model)
        try:
            for plan in dict.fromkeys(plans):
                if plan not in admitted:
                    timetable_of(plan, model.routes, scenario.times[-1])
                    check_steady(plan, model)
                    admitted.add(plan)
        except InputError as error:
            raise relocated(error, treatment.where, treatment.regimen) from None
        own = plans if len(plans) > 1 else ()
        rules = solver_rules(treatment.rules, model)
        arms.append(Arm(treatment.name, plans[0], tuple(overrides.items()), own, rules, scenario.visits))
    return tuple(arms)


def arm_number(study: Study, name: str | None, code: str) -> int:
    """Which arm of a study has a name; the first if none is given."""
    names = [arm.name for arm in study.arms]
    if name is not None and name not in names:
        raise not_among(f"the scenario has no arm `{name}`", name, names, code=code)
    return 0 if name is None else names.index(name)


def _plain(overrides: Sequence[tuple[str, float | Distribution]]) -> dict[str, object]:
    """Overrides as a scenario file has them."""
    found: dict[str, object] = {}
    for name, row in overrides:
        if isinstance(row, Distribution) and row.sd_log is not None:
            value = {} if row.value is None else {"value": row.value}
            found[name] = {**value, "spread": {"sd_log": row.sd_log}}
        else:
            found[name] = row.value if isinstance(row, Distribution) else row
    return found


def _of_table(arm: Arm, treatment: Treatment) -> dict[str, object]:
    """What a table of doses says of its patients one by one."""
    if not isinstance(treatment.plan, Tabled):
        return {}
    named = zip(treatment.plan.patients, arm.plans, strict=False)
    known = {name: dict(values) for name, values in treatment.plan.table.covariates.items()}
    regimens = {patient: print_regimen(plan) for patient, plan in named}
    return ({"regimens": regimens} if regimens else {}) | ({"covariates": known} if known else {})


def _check_occasions(scenario: Scenario, model: Model) -> None:
    known = parameters_on_occasions(model.routes)
    for name, _ in () if scenario.occasions is None else scenario.occasions.spreads:
        if name not in known:
            raise not_among(
                f"the model does not let `{name}` change between occasions",
                name,
                known,
                code="scenario.unknown",
                where=scenario.document.where("cohort", "between_occasions", name),
                none="a model with a route `occasion_<parameter>`",
            )


def members_together(arms: int) -> int:
    """How many members are simulated in all arms before the next are: of those the whole state is held."""
    return max(1, _TOGETHER // arms)


def check_memory(scenario: Scenario, model: Model, quantities: Sequence[str], recorded: int) -> None:
    """Refuse what would be ended by the operating system, halfway and without a word, recorded at so many times."""
    draws = 1 if scenario.fit == TYPICAL else scenario.draws
    members, arms, times = scenario.patients * draws, len(scenario.arms), len(scenario.times)
    at_a_time = min(members, members_together(arms)) * recorded * numbers_of_a_state(model)
    kept = members * (_COPIES * times * len(quantities) + recorded + _TABLES * len(model.parameters))
    of_draws = f"{scenario.patients} in each of {draws} draws" if draws > 1 else f"{scenario.patients}"
    fewer = ["fewer patients, or fewer times of output"]
    fewer += [f"fewer quantities, such as `--quantity {quantities[0]}` alone"] if len(quantities) > 1 else []
    fewer += ["`--fit typical` in place of draws of a fit"] if draws > 1 else []
    check_room(
        8 * arms * (at_a_time + kept),
        "the run",
        where=scenario.document.where("cohort", "patients"),
        found=f"patients: {of_draws}, arms: {arms}, times: {times}, quantities: {len(quantities)}",
        advice="; or ".join(fewer),
    )


def numbers_of_a_state(model: Model) -> int:
    """How many numbers are held of a patient at a time of output, while patients are simulated."""
    return 3 * len(model.species) + 2 * len(model.observables)


def _quantities(scenario: Scenario, model: Model, observed: Sequence[str]) -> tuple[str, ...]:
    """What is kept: what was asked for, else all observables, and what was observed in patients."""
    known = quantity_units(model)
    for index, name in enumerate(scenario.quantities):
        if name not in known:
            where = scenario.document.where("outputs", "quantities", index)
            raise no_quantity(f"the model has no quantity `{name}`", name, known, code="scenario.unknown", where=where)
    observables = tuple(part.name for part in model.observables)
    kept = scenario.quantities or observables or tuple(part.name for part in model.species)
    kept = (*kept, *(name for name in observed if name not in kept))
    check_names(kept, scenario.document.where("outputs", "quantities"))
    return kept


def cohort_of(study: Study, first: int = 0, n: int | None = None) -> Cohort:
    """Draw ``n`` of a study's patients, or all from place ``first`` on; each has the same bits in every part.

    The patients of the first draw come first, then the same of the next.
    """
    scenario = study.scenario
    count = study.members - first if n is None else n
    draws, numbers = study.places(first, count)
    given = {name: values[numbers - scenario.first] for name, values in study.known.items()}
    changes = UNCHANGED if study.draws is None else study.draws.changes(study.population, draws)
    own = None if study.draws is None else draws
    cohort = draw_members(study.population, numbers, seed=scenario.seed, given=given, draws=own, changes=changes)
    return replace(cohort, occasions=scenario.occasions)


def simulate_study(
    study: Study,
    *,
    people: Cohort | None = None,
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Ensemble:
    """Simulate patients of a study in all arms; if none are given, all of them are drawn."""
    people = cohort_of(study) if people is None else people
    return simulate_cohort(
        study.model, study.arms, people, study.times, **study.solving, threads=threads, progress=progress
    )


def study_dataset(study: Study, ensemble: Ensemble) -> LabeledArrays:
    """Labeled result of a study, with the IDs of the patients of a table of doses."""
    dataset = ensemble_dataset(ensemble, study.model, study.quantities, attributes=dataset_attributes(study))
    named = patient_ids(study.scenario.arms, [int(number) for number in ensemble.cohort.ids])
    return with_patient_ids(dataset, named) if named else dataset


def dataset_attributes(study: Study) -> dict[str, object]:
    """Attributes of the dataset of a study."""
    from simulate import __version__
    from simulate.exchange.foreign import is_foreign

    model = study.scenario.model
    return {
        "title": study.scenario.title,
        "question": study.scenario.question or "",
        "model": study.model.name,
        **({UNITS_OF_FILE: 1} if model is not None and is_foreign(model) else {}),
        "hypothesis": study.hypothesis,
        "seed": study.scenario.seed,
        "dropout": int(study.scenario.dropout),
        **({"time_unit": study.scenario.time_unit} if study.scenario.says_unit_of_time else {}),
        **({} if study.draws is None else {"fit": study.draws.origin}),
        **({} if study.draws is None or not study.draws.weakness else {"weakness": study.draws.weakness}),
        **({} if not study.assumptions else {"assumed": "; ".join(study.assumptions)}),
        "method": method_named(study.scenario, study.model).name,
        "rtol": study.scenario.rtol,
        "atol": study.scenario.tolerance.share,
        "key": study.key,
        "source": f"il1sim {__version__}",
    }
