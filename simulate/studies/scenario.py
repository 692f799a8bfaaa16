"""Scenarios: who is treated how, for how long, with which model; and the files in which they are written.

A scenario file in full::

    schema = 1
    title = "anakinra 100 mg once a day for 6 months"
    question = "what changes in blood and serum, and how fast?"

    [model]
    name = "reference"  # or file = "my-model.toml", relative to this file
    hypothesis = "H1+H6"  # or a hypothesis file, relative to this file
    fit = "shipped"  # populations of the hypothesis' fit: "shipped", "prior", or a fit.json; "typical" if not given
    draws = 16  # how many of them
    beyond_bounds = false  # whether parameters may be set beyond the bounds that are known for them

    [time]
    end = "182 d"
    every = "1 d"
    visits = ["28 d", "56 d"]  # when rules with `at_visits` look, see simulate.studies.arm_rules

    [cohort]
    patients = 100  # if not given, as many as there are in a table of doses, or else 100
    seed = 1
    first = 0  # number of the first patient; patient 137 is the same person in every cohort that has this seed
    population = "myositis"  # or "healthy", "caps", "obese", "renal", or a population file, relative to this file
    between_doses = 0.2  # how much of a dose arrives, from dose to dose: coefficient of variation
    between_occasions = { CL = 0.2, k_a = 0.3 }  # kinetics within a patient: coefficients of variation
    occasion = "1 d"  # how long kinetics stay as they are
    dropout = false  # or true: results are of those who are still in the study, as its retention has it

    [[arm]]
    name = "anakinra 100 mg/d"
    regimen = "100 mg sc every 24 h until 182 d"
    [arm.parameters]  # for this arm alone
    k_a = "0.17 1/h"

    [[arm]]
    name = "as recorded"
    # in place of a regimen, a table in the columns of NONMEM (simulate.regimen.tables), relative to this file; without
    # `patient`, each patient of the cohort is one of those of the table, in turn
    doses = { file = "doses.csv", time = "h", amount = "mg", patient = "7", covariates = ["WT"], ignore = ["SITE"] }

    [parameters]  # for all arms: typical values, about which patients are drawn within the bounds, in every stratum
    f_m = 0.3
    det1 = { value = 0.05, spread = { cv = 0.2 } }  # another spread between patients, or { sd_log = 0.2 }
    chi = { value = 0.9, spread = { cv = 0 } }  # the same in all patients

    [outputs]
    quantities = ["ifng", "il17a"]  # all observables, if not given

    [solver]
    rtol = 1e-6
    atol = 1e-12  # a share of each state's scale, at most rtol; if not given, it follows rtol
    max_steps = 100000
    max_step = "1 h"  # the longest step; no bound, if not given
    breaks = ["5.37 d"]  # when a step is to end, where something changes so briefly that a step might pass over it
    method = "dopri5+rodas5p"  # or "dopri5", "dop853", "taylor", "rodas5p"; "automatic" goes by each trajectory

Required are ``schema``, ``title``, ``[time]`` with ``end``, and one ``[[arm]]`` with ``name`` and either ``regimen`` or
``doses``; of ``doses``, the file and the units of time and amount.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from simulate import shipped
from simulate.errors import InputError, did_you_mean
from simulate.files import Document, read_toml
from simulate.inputs import is_folder, is_there
from simulate.regimen.occasions import Occasions
from simulate.solver.problem import SMALLEST, Tolerance
from simulate.studies.arm_rules import check_within
from simulate.studies.models import hypothesis_parts
from simulate.studies.sheets import Setting, Sheet, Table, in_range, lay_over, validated
from simulate.studies.treatments import (
    ArmTable,
    Override,
    Tabled,
    Treatment,
    days_of,
    folder_of,
    overrides_of,
    treatments_of,
)
from simulate.symbolic.parts import Spread

MAX_PATIENTS = 10_000_000
MAX_OUTPUT_TIMES = 100_000
DEFAULT_PATIENTS = 100

REFERENCE = "reference"
"""Name of the shipped model."""

TYPICAL, SHIPPED, PRIOR = "typical", "shipped", "prior"
"""Populations: the one of the tables; draws of the shipped fit; draws of what was believed before it."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is to be simulated.

    Attributes
    ----------
    name, title, question
        Name of the file without its ending, what a reader is told, and what is asked.
    model
        File of a user's model; None for the shipped one.
    hypothesis
        Names and hypothesis files that are combined.
    fit, draws
        Whose populations are simulated: `TYPICAL`, the one of the tables, or as `draws_named` has it; and how many of
        them.
    beyond_bounds
        Whether parameters may be set beyond their bounds.
    times
        When to record, days, ascending from 0.
    visits
        Days on which rules look that look at visits only.
    patients, first, seed, population
        Size of the cohort, the number of its first member, the seed from which it is drawn, and the name or file of its
        population; None for patients of the trial or, where the model is a user's, for parameters that vary
        independently.
    between_doses
        Coefficient of variation of how much of a dose arrives, from dose to dose of a patient; None for that of the
        population.
    occasions
        How kinetics differ between occasions of a patient; None where they do not.
    dropout
        Whether results are of those who are still in the study.
    arms
        At least one.
    overrides
        Typical values of parameters in all arms.
    quantities
        States and observables to keep; empty for all observables.
    rtol, atol, max_steps, method
        Settings of the solver.
    max_step, breaks
        The longest step, days, None without a bound; and when steps end, days.
    sheet
        The file and settings from which all this was read.
    """

    name: str
    title: str
    question: str | None
    model: Path | None
    hypothesis: tuple[str | Path, ...]
    fit: str | Path
    draws: int
    beyond_bounds: bool
    times: tuple[float, ...]
    visits: tuple[float, ...]
    patients: int
    first: int
    seed: int
    population: str | Path | None
    between_doses: float | None
    occasions: Occasions | None
    dropout: bool
    arms: tuple[Treatment, ...]
    overrides: tuple[Override, ...]
    quantities: tuple[str, ...]
    rtol: float
    atol: float | None
    max_steps: int
    method: str
    max_step: float | None
    breaks: tuple[float, ...]
    sheet: Sheet

    @property
    def tolerance(self) -> Tolerance:
        """Bound on the local error of a step."""
        return Tolerance(self.rtol, self.atol)


class _Model(Table):
    name: str | None = None
    file: str | None = None
    hypothesis: str = Field(default="none", min_length=1)
    fit: str = Field(default="typical", min_length=1, description='"shipped", "prior", "typical", or a file fit.json')
    draws: int = Field(default=16, ge=1, le=2048, description="a whole number")
    beyond_bounds: bool = False


class _Time(Table):
    end: str = Field(description='a time with its unit, such as "182 d"')
    every: str = "1 d"
    visits: list[str] = Field(default_factory=list)


class _Cohort(Table):
    patients: int | None = Field(default=None, ge=1, le=MAX_PATIENTS, description="a whole number")
    first: int = Field(default=0, ge=0, le=MAX_PATIENTS)
    seed: int = Field(default=1, ge=0, le=2**63 - 1)
    population: str | None = Field(default=None, min_length=1, description='a name such as "healthy", or a file')
    between_doses: float | None = Field(default=None, description="a coefficient of variation such as 0.2")
    between_occasions: dict[str, float] = Field(default_factory=dict)
    occasion: str | None = None
    dropout: bool = False


class _Outputs(Table):
    quantities: list[str] = Field(default_factory=list)


class _Solver(Table):
    rtol: float = 1e-6
    atol: float | None = None
    max_steps: int = Field(default=100_000, ge=1, le=10**9)
    method: str = "dopri5+rodas5p"
    max_step: str | None = Field(default=None, description='a time with its unit, such as "1 h"')
    breaks: list[str] = Field(default_factory=list)


class ScenarioFile(Table):
    """What a scenario file may hold."""

    version: Literal[1] = Field(alias="schema", description="1")
    title: str = Field(min_length=1, max_length=500, description="a text in quotation marks")
    question: str | None = None
    model: _Model = _Model()
    time: _Time = Field(description='a table with `end = "182 d"`')
    cohort: _Cohort = _Cohort()
    arm: list[ArmTable] = Field(min_length=1, description="one table `[[arm]]`, or several")
    parameters: dict[str, Any] = Field(default_factory=dict)
    outputs: _Outputs = _Outputs()
    solver: _Solver = _Solver()


def find_scenario(name: str) -> Path:
    """File of a scenario: a path, or the name of a shipped one.

    Raises
    ------
    InputError
        ``scenario.unknown``: neither a file nor a shipped scenario.
    """
    known = shipped.scenario_files()
    if name in known:
        return known[name]
    path = Path(name)
    if path.suffix or "/" in name or is_there(path):
        return path
    raise InputError(
        f"there is no scenario `{name}`",
        code="scenario.unknown",
        expected="a file, or one of " + ", ".join(f"`{key}`" for key in known),
        advice=did_you_mean(name, known),
    )


def read_scenario(name: str | Path, settings: Sequence[Setting] = ()) -> Scenario:
    """Read a scenario file, with settings laid over it.

    Parameters
    ----------
    name
        Name of a shipped scenario, or a path.
    settings
        What to change in it.

    Raises
    ------
    InputError
        ``file.*``, ``scenario.*``, ``regimen.*`` or ``units.*``, with the line of the file or the setting at fault.
    """
    path = find_scenario(str(name))
    return scenario_from(read_toml(path), settings, name=path.stem)


def scenario_from(document: Document, settings: Sequence[Setting] = (), *, name: str) -> Scenario:
    """Scenario of a document that was read; as `read_scenario`."""
    sheet = lay_over(document, settings, ScenarioFile)
    content = validated(sheet, ScenarioFile)
    visits = tuple(
        float(days_of(text, sheet, "time", "visits", place)) for place, text in enumerate(content.time.visits)
    )
    times = _times(content.time, sheet)
    check_within("visit", visits, times[-1], content.time.visits, sheet, "time", "visits")
    breaks = tuple(
        float(days_of(text, sheet, "solver", "breaks", place)) for place, text in enumerate(content.solver.breaks)
    )
    check_within("break", breaks, times[-1], content.solver.breaks, sheet, "solver", "breaks")
    arms = treatments_of(content.arm, sheet, visits)
    cohort = content.cohort
    return Scenario(
        name=name,
        title=content.title,
        question=content.question,
        model=_model_file(content.model, sheet),
        hypothesis=hypothesis_parts(content.model.hypothesis, folder_of(sheet, "model", "hypothesis")),
        fit=_fit(content.model, sheet),
        draws=content.model.draws,
        beyond_bounds=content.model.beyond_bounds,
        times=times,
        visits=visits,
        patients=_tabled_patients(arms) if cohort.patients is None else cohort.patients,
        first=cohort.first,
        seed=cohort.seed,
        population=_population(cohort.population, sheet),
        between_doses=None
        if cohort.between_doses is None
        else in_range(cohort.between_doses, 0.0, 10.0, sheet, "cohort", "between_doses"),
        occasions=_occasions(cohort, sheet),
        dropout=cohort.dropout,
        arms=arms,
        overrides=overrides_of(content.parameters, sheet, "parameters"),
        quantities=_distinct(content.outputs.quantities, sheet),
        rtol=in_range(content.solver.rtol, SMALLEST, 0.1, sheet, "solver", "rtol"),
        atol=None
        if content.solver.atol is None
        else in_range(content.solver.atol, 0.0, content.solver.rtol, sheet, "solver", "atol"),
        max_steps=content.solver.max_steps,
        method=content.solver.method,
        max_step=_longest_step(content.solver, times[-1], sheet),
        breaks=breaks,
        sheet=sheet,
    )


def _occasions(cohort: _Cohort, sheet: Sheet) -> Occasions | None:
    if not cohort.between_occasions:
        if cohort.occasion is not None:
            raise InputError(
                "nothing differs between occasions",
                code="scenario.value",
                where=sheet.where("cohort", "occasion"),
                expected="`between_occasions = { CL = 0.2 }` beside it",
            )
        return None
    spreads = {
        name: Spread.from_cv(in_range(value, 0.0, 10.0, sheet, "cohort", "between_occasions", name)).sd_log
        for name, value in cohort.between_occasions.items()
    }
    length = 1.0 if cohort.occasion is None else float(days_of(cohort.occasion, sheet, "cohort", "occasion"))
    return Occasions(tuple(sorted(spreads.items())), length)


def _model_file(model: _Model, sheet: Sheet) -> Path | None:
    if model.file is None:
        if model.name not in (None, REFERENCE):
            raise InputError(
                f"there is no model `{model.name}`",
                code="scenario.unknown",
                where=sheet.where("model", "name"),
                expected=f'`{REFERENCE}`, or a file: `file = "my-model.toml"`',
                advice=did_you_mean(str(model.name), [REFERENCE]),
            )
        return None
    if model.name is not None:
        raise InputError(
            "a model has a name or a file, not both",
            code="scenario.value",
            where=sheet.where("model", "file"),
            advice="leave one of the two out",
        )
    return folder_of(sheet, "model", "file") / model.file


def _fit(model: _Model, sheet: Sheet) -> str | Path:
    """Words, or the file of a result, which may be given by its folder."""
    words = (TYPICAL, SHIPPED, PRIOR)
    if model.fit in words:
        if model.fit != TYPICAL and model.file is not None:
            raise InputError(
                "a fit is of the reference model, and the scenario has a model of its own",
                code="scenario.fit",
                where=sheet.where("model", "fit"),
                found=model.fit,
                expected=f"`{TYPICAL}`",
                advice="leave `fit` out",
            )
        return model.fit
    path = folder_of(sheet, "model", "fit") / model.fit
    if not is_there(path) and path.suffix != ".json":
        raise InputError(
            f"there is no fit `{model.fit}`",
            code="scenario.fit",
            where=sheet.where("model", "fit"),
            expected=", ".join(f"`{word}`" for word in words) + ", or the result of `simulate fit`: a fit.json",
            advice=did_you_mean(model.fit, words),
        )
    return path / "fit.json" if is_folder(path) else path


def _times(time: _Time, sheet: Sheet) -> tuple[float, ...]:
    end = days_of(time.end, sheet, "time", "end")
    every = days_of(time.every, sheet, "time", "every")
    count = math.ceil(end / every)
    if count > MAX_OUTPUT_TIMES:
        raise InputError(
            f"there would be {count} times of output",
            code="scenario.value",
            where=sheet.where("time", "every"),
            expected=f"at most {MAX_OUTPUT_TIMES}",
            advice="a longer interval",
        )
    # Exact fractions: a third of a day, 546 times over, must end at 182 d and not a hair beyond.
    return (*(float(index * every) for index in range(count)), float(end))


def _longest_step(solver: _Solver, end: float, sheet: Sheet) -> float | None:
    if solver.max_step is None:
        return None
    longest = float(days_of(solver.max_step, sheet, "solver", "max_step"))
    if longest * solver.max_steps < end:
        raise InputError(
            "the end cannot be reached by such short steps",
            code="scenario.value",
            where=sheet.where("solver", "max_step"),
            found=f"{solver.max_step}, and at most {solver.max_steps} steps",
            expected=f"at least {end / solver.max_steps:.3g} d",
            advice="allow more steps, `solver.max_steps`, or longer ones",
        )
    return longest


def _tabled_patients(arms: Sequence[Treatment]) -> int:
    """Patients of the longest table of doses; a hundred where no table has several."""
    several = [len(arm.plan.patients) for arm in arms if isinstance(arm.plan, Tabled) and len(arm.plan.patients) > 1]
    return max(several, default=DEFAULT_PATIENTS)


def _population(name: str | None, sheet: Sheet) -> str | Path | None:
    if name is not None and name.endswith(".toml"):
        return folder_of(sheet, "cohort", "population") / name
    return name


def _distinct(names: Sequence[str], sheet: Sheet) -> tuple[str, ...]:
    seen: set[str] = set()
    for index, name in enumerate(names):
        if name in seen:
            raise InputError(
                f"the quantity `{name}` is asked for twice",
                code="scenario.value",
                where=sheet.where("outputs", "quantities", index),
            )
        seen.add(name)
    return tuple(names)
