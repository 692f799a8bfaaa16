"""Scenarios: who is treated how, for how long, with which model; and the files in which they are written.

A scenario file in full::

    schema = 1
    title = "anakinra 100 mg once a day for 6 months"
    question = "what changes in blood and serum, and how fast?"

    [model]
    name = "reference"  # or file = "my-model.toml", relative to this file
    hypothesis = "H1+H6"  # or a hypothesis file, relative to this file; "none" for no effect of IL-1 on CD4 cells
    fit = "shipped"  # populations of the hypothesis' fit: "shipped", "prior", or a fit.json; "typical" for no draws
    draws = 16  # how many of them
    beyond_bounds = false  # whether parameters may be set beyond the bounds that are known for them

    [time]
    end = "182 d"
    every = "1 d"
    unit = "d"  # in which times are shown in tables and figures; results are in days
    visits = ["28 d", "56 d"]  # when rules with `at_visits` look, see simulate.studies.arm_rules

    [cohort]
    patients = 100  # if not given, as many as there are in a table of doses, or else 100
    seed = 1
    first = 0  # number of the first patient; patient 137 is the same person in every cohort that has this seed
    spread = { cv = 0.3 }  # an assumption: of all parameters of which the population says none; or { sd_log = 0.3 }
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
    method = "taylor+rodas5p"  # or "dopri5+rodas5p", or one of the three, or "dop853"; "automatic" goes by trajectory

Required are ``schema``, ``title``, ``[time]`` with ``end``, and one ``[[arm]]`` with ``name`` and either ``regimen`` or
``doses``; of ``doses``, the file and the units of time and amount. A scenario of the reference model that names no
hypothesis is of `DEFAULT_HYPOTHESIS`, and one that names no fit stands on the shipped one, where its patients are those
of the trial; `Scenario.understood` says so to a reader.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from simulate import shipped
from simulate.cohort.reading import MYOSITIS
from simulate.errors import InputError, Where, did_you_mean, listed
from simulate.exchange.foreign import is_foreign
from simulate.filekinds import refuse_other
from simulate.files import Document, read_toml
from simulate.inputs import is_folder, is_there
from simulate.manifest import kind_at
from simulate.regimen.occasions import Occasions
from simulate.shipped import DEFAULT_HYPOTHESIS
from simulate.solver.problem import MAX_STEPS, RTOL, SMALLEST, Tolerance
from simulate.studies.model_time import said_of_time, time_unit_of
from simulate.studies.models import hypothesis_parts
from simulate.studies.settings import Setting, lay_over
from simulate.studies.treatments import Override, Tabled, Treatment, days_of, overrides_of, times_of, treatments_of
from simulate.symbolic.parameterfile import spread_of
from simulate.symbolic.parts import Spread
from simulate.symbolic.units import TIME_DIMENSION, unit
from simulate.toml import TomlTable

MAX_PATIENTS = 10_000_000
MAX_OUTPUT_TIMES = 100_000
DEFAULT_PATIENTS = 100
DEFAULT_METHOD = "taylor+rodas5p"

REFERENCE = "reference"
"""Name of the shipped model."""

TYPICAL, SHIPPED, PRIOR = "typical", "shipped", "prior"
"""Populations: the one of the tables; draws of the shipped fit; draws of what was believed before it."""

FITS_BY_WORD = (TYPICAL, SHIPPED, PRIOR)

RESULT = "fit.json"
"""Name of the result of a fit in its folder."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A scenario: treatments, patients, model, times and tolerances of a simulation."""

    #: Name of the file without its ending, what a reader is told, and what is asked.
    name: str
    title: str
    question: str | None
    model: Path | None  #: File of a user's model; None for the shipped one
    model_time: str | None  #: Unit of time of a model of another program, in place of what its file says
    hypothesis: tuple[str | Path, ...]  #: Names and hypothesis files that are combined
    #: Whose populations are simulated: `TYPICAL`, the one of the tables, or as `draws_named` has it; and how many of
    #: them.
    fit: str | Path
    draws: int
    beyond_bounds: bool  #: Whether parameters may be set beyond their bounds
    times: tuple[float, ...]  #: When to record, days, ascending from 0
    time_unit: str  #: In which times are shown to a reader
    visits: tuple[float, ...]  #: Days on which rules look that look at visits only
    #: Size of the cohort, the number of its first member, the seed from which it is drawn, and the name or file of its
    #: population; None for patients of the trial or, where the model is a user's, for parameters that vary
    #: independently.
    patients: int
    first: int
    seed: int
    population: str | Path | None
    #: What is assumed of how patients differ in the parameters of which the population says nothing; None for nothing.
    spread: Spread | None
    #: Coefficient of variation of how much of a dose arrives, from dose to dose of a patient; None for that of the
    #: population.
    between_doses: float | None
    occasions: Occasions | None  #: How kinetics differ between occasions of a patient; None where they do not
    dropout: bool  #: Whether results are of those who are still in the study
    arms: tuple[Treatment, ...]  #: At least one
    overrides: tuple[Override, ...]  #: Typical values of parameters in all arms
    quantities: tuple[str, ...]  #: States and observables to keep; empty for all observables
    #: Settings of the solver.
    rtol: float
    atol: float | None
    max_steps: int
    method: str
    #: The longest step, days, None without a bound; and when steps end, days.
    max_step: float | None
    breaks: tuple[float, ...]
    document: Document  #: The file and settings from which all this was read

    @property
    def understood(self) -> tuple[str, ...]:
        """What the file does not say and a reader must know, in sentences: which hypothesis, and whose populations."""
        if self.model is not None:
            return ()
        said = self.document.data.get("model")
        keys = set(said) if isinstance(said, dict) else set()
        found = []
        if "hypothesis" not in keys:
            found.append(
                f'the scenario names no hypothesis: {DEFAULT_HYPOTHESIS} is meant (`hypothesis = "none"` for none)'
            )
        if "fit" not in keys and self.fit == SHIPPED:
            found.append(
                "the scenario names no fit: the shipped one is meant, or that in fits/, or else the prior "
                '(`fit = "typical"` for neither)'
            )
        if "draws" in keys and self.fit == TYPICAL:
            found.append('`draws` are of a fit, and the scenario stands on none (`fit = "typical"`)')
        if "fit" not in keys and self.fit == TYPICAL:
            found.append("the scenario stands on no fit: its patients are not those to whom hypotheses are fitted")
        return tuple(found)

    @property
    def time_taken(self) -> tuple[str, ...]:
        """What is taken for the unit of time of a model of another program that has none."""
        if self.model is None or self.model_time is not None or not is_foreign(self.model):
            return ()
        return said_of_time(self.model)

    @property
    def says_unit_of_time(self) -> bool:
        """Whether the unit in which times are shown is said, so that bare numbers are in it too."""
        return "unit" in self.document.data["time"]

    @property
    def tolerance(self) -> Tolerance:
        return Tolerance(self.rtol, self.atol)


SCENARIO_KEYS: Mapping[str, tuple[str, ...]] = {
    "": ("schema", "title", "question", "model", "time", "cohort", "arm", "parameters", "outputs", "solver"),
    "model": ("name", "file", "time_unit", "hypothesis", "fit", "draws", "beyond_bounds"),
    "time": ("end", "every", "unit", "visits"),
    "cohort": (
        *("patients", "first", "seed", "population", "spread"),
        *("between_doses", "between_occasions", "occasion", "dropout"),
    ),
    "outputs": ("quantities",),
    "solver": ("rtol", "atol", "max_steps", "method", "max_step", "breaks"),
}  # fmt: skip
"""Keys of the tables of a scenario file; those of arms are in `simulate.studies.treatments`."""


_OF_MODELS = {"species", "reactions", "definitions", "balances"}
"""Tables that model files have, and scenarios never."""


def find_scenario(name: str) -> Path:
    """File of a scenario: a path, or the name of a shipped one."""
    known = shipped.scenario_files()
    if name in known:
        return known[name]
    path = Path(name)
    if path.suffix or "/" in name or is_there(path):
        return path
    advice = did_you_mean(name, known)
    if advice is None:
        from simulate.biology.hypotheses import is_hypothesis

        advice = f"a scenario is simulated under a hypothesis by `--hypothesis {name}`" if is_hypothesis(name) else None
    raise InputError(
        f"there is no scenario `{name}`",
        code="scenario.unknown",
        expected="a file, or one of " + listed(known),
        advice=advice,
    )


def read_scenario(name: str | Path, settings: Sequence[Setting] = ()) -> Scenario:
    """Read a scenario file, with settings laid over it."""
    path = find_scenario(str(name))
    document = None if is_foreign(path) else read_toml(path)
    if document is None or is_model(document):
        raise InputError(
            "the file is a model, and no scenario",
            code="scenario.model",
            where=Where(str(name)),
            expected="a scenario, shipped or a file, which says how long and with which doses",
            advice=f'name the model in a scenario file: a table `[model]` with `file = "{path.name}"`; `simulate new '
            f'scenario mine` writes one to begin with, and `simulate run {name} --end "10 h"` needs none',
        )
    refuse_other(document.data, "scenario", str(name))
    return scenario_from(document, settings, name=path.stem)


def is_model(document: Document) -> bool:
    """Whether a TOML file is a model, and no scenario or hypothesis."""
    keys = set(document.data)
    return bool(keys & _OF_MODELS) and not keys & {"hypothesis", "arm", "time"}


def scenario_from(document: Document, settings: Sequence[Setting] = (), *, name: str) -> Scenario:
    """Scenario of a document that was read; as `read_scenario`."""
    own_end = _end_of(document)
    document = lay_over(document, settings, SCENARIO_KEYS)
    top = TomlTable(document, allowed=SCENARIO_KEYS[""])
    model, time, cohort, outputs, solver = (
        top.table(name, allowed=SCENARIO_KEYS[name]) for name in ("model", "time", "cohort", "outputs", "solver")
    )
    top.schema()
    title = top.text("title", most=500)
    if "time" not in top:
        raise top.missing("time", 'a table with `end = "182 d"`')
    if "arm" not in top:
        raise top.missing("arm", "one table `[[arm]]`, or several")
    times = _times(time)
    if ("title",) not in document.origins and own_end not in (None, times[-1]):
        # What a title says of time is said of the file's own end.
        title += f", {'the first' if times[-1] < own_end else 'followed for'} {time['end']}"
    visits = times_of(time, "visits", "visit", times[-1])
    arms = treatments_of(top, visits)
    # As many as the longest table of doses has, where one has several.
    tabled = [len(arm.plan.patients) for arm in arms if isinstance(arm.plan, Tabled) and len(arm.plan.patients) > 1]
    people = cohort.text("population", None, expected='a name such as "healthy", or a file')
    rtol = solver.number("rtol", RTOL, least=SMALLEST, most=0.1)
    return Scenario(
        name=name,
        title=title,
        question=top.parsed("question", str, None),
        model=_model_file(model),
        model_time=time_unit_of(model),
        hypothesis=hypothesis_parts(
            model.text("hypothesis", "none" if "file" in model else DEFAULT_HYPOTHESIS),
            document.folder("model", "hypothesis"),
            document.where("model", "hypothesis"),
        ),
        fit=_fit(model, cohort),
        draws=model.integer("draws", 16, least=1, most=2048),
        beyond_bounds=model.boolean("beyond_bounds", False),
        times=times,
        time_unit=_time_unit(time),
        visits=visits,
        patients=cohort.integer("patients", max(tabled, default=DEFAULT_PATIENTS), least=1, most=MAX_PATIENTS),
        first=cohort.integer("first", 0, least=0, most=MAX_PATIENTS),
        seed=cohort.integer("seed", 1, least=0, most=2**63 - 1),
        population=document.folder("cohort", "population") / people if people and people.endswith(".toml") else people,
        spread=spread_of(cohort),
        between_doses=cohort.number("between_doses", None, least=0, most=10),
        occasions=_occasions(cohort),
        dropout=cohort.boolean("dropout", False),
        arms=arms,
        overrides=overrides_of(top.table("parameters")),
        quantities=_distinct(outputs),
        rtol=rtol,
        atol=solver.number("atol", None, least=0, most=rtol),
        max_steps=solver.integer("max_steps", MAX_STEPS, least=1, most=10**9),
        method=solver.text("method", DEFAULT_METHOD),
        max_step=_longest_step(solver, times[-1]),
        breaks=times_of(solver, "breaks", "break", times[-1]),
        document=document,
    )


def _end_of(document: Document) -> float | None:
    """The end that a file names, before anything is laid over it; None where it names none that can be read."""
    time = document.data.get("time")
    try:
        return float(days_of(time["end"])) if isinstance(time, dict) else None
    except (InputError, KeyError, TypeError):
        return None


def _occasions(cohort: TomlTable) -> Occasions | None:
    table = cohort.table("between_occasions")
    length = float(cohort.parsed("occasion", days_of, 1, expected='a time with its unit, such as "1 d"'))
    if table:
        spreads = {name: Spread.from_cv(table.number(name, least=0, most=10)).sd_log for name in table}
        return Occasions(tuple(sorted(spreads.items())), length)
    if "occasion" in cohort:
        raise InputError(
            "nothing differs between occasions",
            code="scenario.value",
            where=cohort.where("occasion"),
            expected="`between_occasions = { CL = 0.2 }` beside it",
        )
    return None


def _model_file(model: TomlTable) -> Path | None:
    name, file = model.text("name", None), model.text("file", None)
    if file is None:
        if name not in (None, REFERENCE):
            raise InputError(
                f"there is no model `{name}`",
                code="scenario.unknown",
                where=model.where("name"),
                expected=f'`{REFERENCE}`, or a file: `file = "my-model.toml"`',
                advice=did_you_mean(str(name), [REFERENCE]),
            )
        return None
    if name is not None:
        raise InputError(
            "a model has a name or a file, not both",
            code="scenario.value",
            where=model.where("file"),
            advice="leave one of the two out",
        )
    return model.document.folder("model", "file") / file


def _fit(model: TomlTable, cohort: TomlTable) -> str | Path:
    """Words, or the file of a result, which may be given by its folder."""
    is_of_trial = "file" not in model and cohort.text("population", MYOSITIS) == MYOSITIS
    fit = model.text(
        "fit", SHIPPED if is_of_trial else TYPICAL, expected='"shipped", "prior", "typical", or a file fit.json'
    )
    if fit in FITS_BY_WORD:
        if fit != TYPICAL and "file" in model:
            raise InputError(
                "a fit is of the reference model, and the scenario has a model of its own",
                code="scenario.fit",
                where=model.where("fit"),
                found=fit,
                expected=f"`{TYPICAL}`",
                advice="leave `fit` out",
            )
        return fit
    return named_fit(model.document.folder("model", "fit") / fit, where=model.where("fit"), said=fit)


def named_fit(fit: str | Path, *, where: Where | None = None, said: str | None = None) -> str | Path:
    """A fit as a user calls it: one of the words, or the file of a result, which may be given by its folder."""
    if fit in FITS_BY_WORD:
        return str(fit)
    path = Path(fit)
    if not is_there(path) and path.suffix != ".json":
        name = str(fit) if said is None else said
        raise InputError(
            f"there is no fit `{name}`",
            code="scenario.fit",
            where=where,
            expected=f"{listed(FITS_BY_WORD)}, or the result of `simulate fit`: a fit.json",
            advice=did_you_mean(name, FITS_BY_WORD),
        )
    if not is_folder(path):
        return path
    if not is_there(path / RESULT):
        kind, advice = kind_at(path)
        raise InputError(
            f"there is no {RESULT} in the folder",
            code="scenario.fit",
            where=Where(file=str(path)),
            found=kind,
            expected="the folder of a fit, as `simulate fit` leaves it, or its fit.json",
            advice=advice,
        )
    return path / RESULT


def _times(time: TomlTable) -> tuple[float, ...]:
    expected = 'a time with its unit, such as "182 d"'
    end = time.parsed("end", days_of, expected=expected)
    every = time.parsed("every", days_of, Fraction(1), expected=expected)
    count = math.ceil(end / every)
    if count > MAX_OUTPUT_TIMES:
        raise InputError(
            f"there would be {count} times of output",
            code="scenario.value",
            where=time.where("every"),
            expected=f"at most {MAX_OUTPUT_TIMES}",
            advice="a longer interval",
        )
    # Exact fractions: a third of a day, 546 times over, must end at 182 d and not a hair beyond.
    return (*(float(index * every) for index in range(count)), float(end))


def _time_unit(time: TomlTable) -> str:
    found = time.parsed("unit", unit, unit("d"), expected='a unit of time, such as "h"')
    if found.dimension != TIME_DIMENSION:
        raise time.wrong("unit", 'a unit of time, such as "h"')
    return found.text


def _longest_step(solver: TomlTable, end: float) -> float | None:
    longest = solver.parsed("max_step", days_of, None, expected='a time with its unit, such as "1 h"')
    if longest is None:
        return None
    steps = solver.integer("max_steps", MAX_STEPS, least=1)
    if float(longest) * steps < end:
        raise InputError(
            "the end cannot be reached by such short steps",
            code="scenario.value",
            where=solver.where("max_step"),
            found=f"{solver['max_step']}, and at most {steps} steps",
            expected=f"at least {end / steps:.3g} d",
            advice="allow more steps, `solver.max_steps`, or longer ones",
        )
    return float(longest)


def _distinct(outputs: TomlTable) -> tuple[str, ...]:
    names = outputs.texts("quantities")
    for index, name in enumerate(names):
        if name in names[:index]:
            raise InputError(
                f"the quantity `{name}` is asked for twice",
                code="scenario.value",
                where=outputs.where("quantities", index),
            )
    return names
