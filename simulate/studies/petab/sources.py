"""What can be written as a PEtab problem: individual data, and readings of the arms of a scenario.

What cannot is evidence: that something rose in most patients, or lay in a range in patients whom nobody can tell, is no
reading of a trajectory with noise, and PEtab has no patients who differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import sympy
from sympy import Expr

from simulate import shipped
from simulate.cohort.population import Population
from simulate.errors import InputError, Where
from simulate.evidence.sets import evidence_sets
from simulate.exchange.foreign import is_foreign
from simulate.exchange.petab.problem import EstimatedParameter
from simulate.exchange.petab.reading import is_petab
from simulate.exchange.petab.upgrading import shortened
from simulate.files import read_toml
from simulate.studies.bare_models import scenario_for
from simulate.studies.fitting.individual import IndividualProblem, individual_problem
from simulate.studies.fitting.priors import Free, Role, free_numbers
from simulate.studies.models import find_model
from simulate.studies.petab.armtable import last_time, read_arm_table
from simulate.studies.petab.restating import StatedProblem, restated
from simulate.studies.petab.sought import asked_parameters, beliefs_changed, sought_free
from simulate.studies.petab.stating import Case, CaseReading, stated
from simulate.studies.runs import Study, prepare
from simulate.studies.scenario import Scenario, is_model
from simulate.studies.settings import Setting, option_set
from simulate.symbolic.model import Model
from simulate.trials.individual import read_individual

_OF_EVIDENCE = {"item", "set", "visit", "assay", "sampling"}
"""Tables of files of evidence: observations, sets, trials."""


def stated_problem(
    source: Path,
    name: str,
    *,
    data: Path | None = None,
    hypothesis: str | None = None,
    settings: Sequence[Setting] = (),
    arm: str | None = None,
    end: str | None = None,
    time: str | None = None,
    estimate: Sequence[str] = (),
    fit: Path | None = None,
) -> StatedProblem:
    """The problem in PEtab of version 2 that a file of this program gives.

    Parameters
    ----------
    source
        A problem in PEtab; individual data, their file or a table alone; or a scenario, by name or file, or a model.
    name
        Name of the YAML file that is to be.
    data
        What was read of the arms of a scenario, or of a model (`read_arm_table`).
    hypothesis
        For individual data and scenarios.
    settings, arm, end, time
        For a scenario or model: settings, the only arm, how long a model is solved, and the unit of TIME in the table.
    estimate
        What is sought, in place of what fits leave free; not of a problem in PEtab.
    fit
        A fit of a problem in PEtab, whose estimates become nominal values.

    Raises
    ------
    InputError
        ``petab.evidence`` for what trials reported, ``petab.source`` for what does not go together; as `restated`,
        `stated_patients` and `stated_arms`.
    """
    _refuse_evidence(source)
    given = {
        "--data": data, "--hypothesis": hypothesis, "--set": settings, "--arm": arm, "--end": end, "--time": time,
        "--estimate": estimate, "--fit": fit,
    }  # fmt: skip
    if is_petab(source):
        _check_asked(given, ("--fit",), "a problem in PEtab, which says all else itself")
        return restated(source, name, fit)
    if _is_individual(source):
        _check_asked(given, ("--hypothesis", "--estimate"), "individual data, whose file says all else")
        return stated_patients(source, name, hypothesis=hypothesis, estimate=estimate)
    _check_asked(given, tuple(option for option in given if option != "--fit"), "a scenario or a model")
    if data is None:
        raise InputError(
            "a model or a scenario alone is no estimation problem",
            code="petab.source",
            where=Where(file=str(source)),
            expected="--data TABLE: what was read of it (TIME, DV, DVID; ARM and SD if there are)",
        )
    scenario = scenario_for(
        source, end or _end_of(source, data, time), None, [*settings, *option_set("hypothesis", hypothesis)]
    )
    return stated_arms(scenario, data, name, arm=arm, time=time, estimate=estimate)


def _check_asked(given: Mapping[str, object], allowed: Sequence[str], of: str) -> None:
    for option, value in given.items():
        if value and option not in allowed:
            raise InputError(
                f"{option} is not for {of}", code="petab.source", expected=" or ".join(allowed), advice="leave it out"
            )


def _refuse_evidence(source: Path) -> None:
    """Refuse what trials reported, by the name or the file of a set, a trial or a fit."""
    name = str(source)
    is_known = name in evidence_sets() or name in shipped.trial_files()
    if not is_known and source.suffix == ".toml":
        is_known = not _OF_EVIDENCE.isdisjoint(read_toml(source).data)
    if is_known or source.suffix == ".json":
        raise InputError(
            "what a trial reported is no estimation problem that PEtab can say",
            code="petab.evidence",
            where=Where(file=name),
            found="directions, counts, and ranges of patients whom nobody can tell, averaged over patients who differ",
            expected="readings at times: of single patients, or of the arms of a scenario (--data)",
            advice="`simulate fit --evidence` fits it here",
        )


def _is_individual(source: Path) -> bool:
    return source.suffix == ".csv" or (source.suffix == ".toml" and "readings" in read_toml(source).data)


def _end_of(source: Path, table: Path, time: str | None) -> str | None:
    """How long a model is solved: until the last reading; None for a scenario, which says it."""
    if not is_foreign(source) and (source.suffix != ".toml" or not is_model(read_toml(source))):
        return None
    return f"{float(last_time(table)) or 1.0!r} {time or 'd'}"


def stated_patients(
    data: Path | str, name: str, *, hypothesis: str | None = None, estimate: Sequence[str] = ()
) -> StatedProblem:
    """Individual data as a problem in which every patient is the typical one, with doses of their own.

    Parameters
    ----------
    data
        The data file, or a table alone (docs/individual-data.md).
    name
        Name of the YAML file that is to be.
    hypothesis
        As for `individual_problem`.
    estimate
        What is sought, in place of the typical values that the fit of the data leaves free (`asked_parameters`).

    Raises
    ------
    InputError
        As `read_individual`, `individual_problem`, `asked_parameters` and `stated`; ``petab.censored``: a reading below
        a limit, which PEtab cannot say.
    """
    read = read_individual(data)
    problem = individual_problem(read, hypothesis)
    noises = {part.quantity: part.noises for part in problem.readings}
    if estimate:
        sought, more = asked_parameters(estimate, problem.model.parameters, is_shipped=read.model is None)
    else:
        sought, more = _free_in_fits(problem.model, problem.free, noises, Where(file=read.file))
    left_out = [*_of_patients(problem), *more]
    return stated(problem.model, problem.population, _cases(problem), noises, sought, name, left_out)


def _free_in_fits(
    model: Model, free: Sequence[Free], quantities: Iterable[str], where: Where
) -> tuple[list[EstimatedParameter], list[str]]:
    """Typical values that a fit leaves free and on which something depends that was read; and what is left out."""
    behind = _behind(model, quantities)
    kept = [part for part in free if part.role is not Role.TYPICAL or part.targets[0] in behind]
    idle = [part.name for part in free if part not in kept]
    left_out = [f"{shortened(idle)}, which a fit leaves free: nothing that was read depends on it"] if idle else []
    sought = [sought_free(part, where) for part in kept if part.role is Role.TYPICAL]
    return sought, [*left_out, *beliefs_changed(kept)]


def _behind(model: Model, quantities: Iterable[str]) -> set[str]:
    """Names of all parts of a model on which quantities depend."""
    expressions: dict[str, list[Expr | float]] = {part.name: [part.expression] for part in model.definitions}
    expressions |= {part.name: [part.expression] for part in model.observables}
    expressions |= {part.name: [part.expression] for part in model.balance}
    for species, initial in zip(model.species, model.initial, strict=True):
        own: list[Expr | float] = [initial]
        for reaction in model.reactions:
            if species in reaction.change:
                own += [reaction.rate, reaction.change[species]]
        own += [route.gain for route in model.routes if route.target == species]
        for event in model.events:
            if species in event.changes:
                own += [event.when, event.delay, event.changes[species]]
        expressions[species.name] = own
    found: set[str] = set()
    waiting = list(quantities)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            used = (sympy.sympify(one, strict=True).free_symbols for one in expressions.get(name, ()))
            waiting += [str(symbol) for symbols in used for symbol in symbols]
    return found


def _cases(problem: IndividualProblem) -> list[Case]:
    found = []
    for patient in problem.patients:
        readings = []
        for place, row in enumerate(patient.rows):
            if patient.below[place]:
                raise row.cell.error(
                    "the reading is below a limit, which PEtab cannot say",
                    "petab.censored",
                    expected="readings that are numbers",
                    advice="leave it out, or fit it here: `simulate fit --data`",
                )
            quantity = problem.readings[int(patient.readings[place])].quantity
            readings.append(CaseReading(quantity, float(row.time), float(patient.values[place]), None, row.cell.where))
        found.append(Case(patient.arm, tuple(readings)))
    return found


def _of_patients(problem: IndividualProblem) -> list[str]:
    """What is left out of how patients differ."""
    found = []
    if spread := _spread(problem.population):
        found.append(
            f"how patients differ, in {shortened(spread)}: PEtab has no random effects; each patient is the typical one"
        )
    if covariates := list(dict.fromkeys(name for patient in problem.patients for name in patient.given)):
        found.append(f"the covariates of the patients, {shortened(covariates)}: the typical patient has typical ones")
    return found


def _spread(population: Population) -> list[str]:
    return [part.name for part in population.parameters if part.spread is not None and part.spread.sd_log > 0.0]


def stated_arms(
    scenario: Scenario,
    table: Path | str,
    name: str,
    *,
    arm: str | None = None,
    time: str | None = None,
    estimate: Sequence[str] = (),
) -> StatedProblem:
    """What was read of arms of a scenario as a problem: its typical patient, under each arm with its doses.

    Parameters
    ----------
    scenario
        Model, hypothesis and arms.
    table
        What was read (`read_arm_table`).
    name
        Name of the YAML file that is to be.
    arm
        The only arm, whose name the table then need not have.
    time
        Unit of TIME in the table; that of the scenario if not given.
    estimate
        What is sought (`asked_parameters`); of the reference model, if nothing is, the typical values that every fit of
        the hypothesis leaves free.

    Raises
    ------
    InputError
        As `prepare`, `read_arm_table`, `asked_parameters` and `stated`; ``petab.estimate``: nothing is sought.
    """
    study = prepare(scenario)
    read = read_arm_table(table, study, arm, time or scenario.time_unit)
    is_shipped = scenario.model is None
    if estimate or not is_shipped:
        sought, more = asked_parameters(estimate, study.model.parameters, is_shipped=is_shipped)
    else:
        free = [part for part in free_numbers(study.model, find_model(None, ())) if part.role is Role.TYPICAL]
        sought, more = _free_in_fits(study.model, free, read.noises, Where())
    if not sought:
        raise InputError(
            "nothing is to be estimated",
            code="petab.estimate",
            expected="`--estimate NAME=LOW:HIGH`, or `--estimate NAME` for a parameter with bounds; once for each",
        )
    left_out = [*_of_study(study, [case.arm.name for case in read.cases]), *more]
    return stated(study.model, study.population, read.cases, read.noises, sought, name, left_out)


def _of_study(study: Study, kept: Sequence[str]) -> list[str]:
    found = []
    if study.draws is not None:
        found.append("the draws of the fit: parameters have the values of the tables")
    if study.scenario.patients > 1:
        found.append("how patients differ: PEtab has no random effects, and the typical patient alone is left")
    if others := [one.name for one in study.arms if one.name not in kept]:
        found.append(f"the arms of which nothing was read: {shortened(others)}")
    return found
