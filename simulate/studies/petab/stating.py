"""A model, what is given to some cases, and what was read of them, as an estimation problem in PEtab of version 2.

A case is a patient, or an arm of whose patients means were read; all have the typical parameters. The model is written
once, without doses; each case is an experiment, whose periods begin with what is given then. PEtab compares a reading
with the state after what happens at its time: where a dose changes what is read at once, a reading that is before it
stands `EARLIER`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
import sympy
from sympy import Expr, Symbol

from simulate.cohort.arms import Arm
from simulate.cohort.draws import typical
from simulate.cohort.ensemble import overrides_of, simulate_cohort, typical_parameters
from simulate.cohort.population import Population
from simulate.errors import InputError, NumericalError, Where
from simulate.exchange.numbers import numbers_of, written
from simulate.exchange.petab.problem import (
    ConditionChange,
    EstimatedParameter,
    Experiment,
    Measured,
    MeasuredValue,
    Period,
    PetabProblem,
)
from simulate.exchange.petab.upgrading import shortened
from simulate.exchange.petab.writing import MODEL, problem_files
from simulate.exchange.prescribed import Given, changes_of, with_rates
from simulate.exchange.sbml.writing import sbml_text
from simulate.solver.problem import Tolerance
from simulate.studies.observed import times_before
from simulate.studies.petab.equations import unused_name
from simulate.studies.petab.restating import FINE, NEAR, StatedProblem, check_same, log_likelihood_of, objective_in
from simulate.studies.petab.sought import sought_noise
from simulate.studies.prescriptions import given_to
from simulate.symbolic.expressions import substitute
from simulate.symbolic.model import Model
from simulate.symbolic.parts import Observable, Parameter, Species

EARLIER = 1e-6
"""Days by which a reading comes before the dose of its time, where that changes at once what is read."""

_NEARBY = 1e-3
"""Share of the way to a bound at which another value lies."""
_NEAR_EARLIER = 1e-5
"""As `NEAR`, where readings stand earlier."""

Noises = Mapping[str, tuple[tuple[str, Parameter], ...]]
"""By quantity and kind (``additive``, ``proportional``, ``log``) the size of the noise; free where it has bounds. Of a
quantity without any each reading has its standard deviation."""


@dataclass(frozen=True, slots=True)
class CaseReading:
    """What was read: of which quantity, on which day, the value in its unit, and its standard deviation if known."""

    quantity: str
    day: float
    value: float
    deviation: float | None
    where: Where


@dataclass(frozen=True, slots=True)
class Case:
    """A patient or an arm: the treatment, and its readings."""

    arm: Arm
    readings: tuple[CaseReading, ...]

    @property
    def end(self) -> float:
        """Day of the last reading."""
        return max(one.day for one in self.readings)


def stated(
    model: Model,
    population: Population,
    cases: Sequence[Case],
    noises: Noises,
    sought: Sequence[EstimatedParameter],
    name: str,
    left_out: Iterable[str] = (),
) -> StatedProblem:
    """The problem as files, whose log-likelihood at the nominal values is that of this engine.

    Parameters
    ----------
    model, population
        The model, with its routes, and whose typical patient is simulated.
    cases
        At least one, each with readings.
    noises
        Of what was read.
    sought
        Parameters of the model, without nominal values: these are the typical ones.
    name
        Name of the YAML file that is to be.
    left_out
        What the files do not say, so far.

    Raises
    ------
    InputError
        ``exchange.*`` for doses that cannot be said; ``petab.arm``: an arm sets what is sought; ``petab.writing``.
    """
    maker = _Maker(model, population, cases, noises, sought)
    problem = maker.problem(name)
    files = {file: text.encode() for file, text in problem_files(problem, name).items()}
    files[MODEL] = sbml_text(maker.written).encode()
    after = log_likelihood_of(objective_in(files, name))
    before = sum(_log_likelihood(model, population, case, noises) for case in cases) if after is not None else None
    check_same(before, after, _NEAR_EARLIER if maker.earlier else NEAR)
    notes = [*left_out, *maker.notes()]
    return StatedProblem(problem, files, tuple(notes), after)


class _Maker:
    """One making of one problem."""

    def __init__(
        self,
        model: Model,
        population: Population,
        cases: Sequence[Case],
        noises: Noises,
        sought: Sequence[EstimatedParameter],
    ) -> None:
        self.model, self.population, self.cases, self.noises = model, population, cases, noises
        names = [part.name for part in model.parameters]
        values = [typical_parameters(model, case.arm, population) for case in cases]
        self.values = [dict(zip(names, own.tolist(), strict=True)) for own in values]
        self.given = [given_to(model, case.arm, population, case.end) for case in cases]
        self.differing = [name for name in names if len({own[name] for own in self.values}) > 1]
        self.sought = [replace(part, nominal=self.values[0][part.id]) for part in sought]
        for part in self.sought:
            if part.id in self.differing:
                raise InputError(
                    f"the arms differ in `{part.id}`, which is to be estimated",
                    code="petab.arm",
                    where=part.where,
                    expected="a parameter that is the same in all arms",
                    advice="one arm alone, or another parameter",
                )
        parameters = tuple(replace(part, value=self.values[0][part.name]) for part in model.parameters)
        # The model without routes, and the numbers in which its formulas are.
        self.written = with_rates(replace(model, parameters=parameters), [one for own in self.given for one in own])
        self.numbers = numbers_of(self.written)
        taken = {part.name for part in (*model.parameters, *model.definitions, *model.observables)}
        taken |= {part.name for part in self.written.species} | {part.name for part in model.balance}
        self.observables = {quantity: unused_name(f"obs_{quantity}", taken) for quantity in noises}
        self.noise_names = {
            (quantity, kind): unused_name(f"noise_{kind}_{quantity}", taken)
            for quantity, own in noises.items()
            for kind, _ in own
        }
        self.earlier: list[str] = []

    def problem(self, name: str) -> PetabProblem:
        experiments, measurements = [], []
        for number, case in enumerate(self.cases):
            experiment, own = self._case(number, case)
            experiments.append(experiment)
            measurements += own
        return PetabProblem(
            path=Path(name),
            version=2,
            model=Path(MODEL),
            parameters=(*self.sought, *self._noise_parameters()),
            observables=tuple(self._observable(quantity) for quantity in self.noises),
            experiments=tuple(experiments),
            measurements=tuple(measurements),
            aliases=MappingProxyType({}),
            dropped=(),
        )

    def notes(self) -> Iterator[str]:
        if self.earlier:
            yield (
                f"that readings of {shortened(self.earlier)} are before the dose of their time, which changes them at "
                f"once: they stand {EARLIER:g} d earlier"
            )
        if moved := [case.arm.name for number, case in enumerate(self.cases) if self._moves(number)]:
            yield (
                f"that what is given to {shortened(moved)} depends on what is sought, as an infusion at a rate ends "
                "when all of its amount has entered: it is as at the nominal values"
            )
        if self.model.conditions:
            yield "the conditions on a baseline"

    def _moves(self, number: int) -> bool:
        """Whether a case would be given something else at other values of what is sought."""
        arm = self.cases[number].arm
        own = dict(arm.overrides)
        rows = {part.name: part.bounds for part in self.model.parameters}
        for part in self.sought:
            limits = rows[part.id] or (part.lower, part.upper)
            low, high = max(limits[0], part.lower), min(limits[1], part.upper)
            end = high if high - part.nominal > part.nominal - low else low
            own[part.id] = part.nominal + _NEARBY * (end - part.nominal)
        other = given_to(
            self.model, replace(arm, overrides=tuple(own.items())), self.population, self.cases[number].end
        )
        return other != self.given[number]

    # Cases.
    def _case(self, number: int, case: Case) -> tuple[Experiment, list[MeasuredValue]]:
        given = self.given[number]
        targets = {one.time: {part.name for part in changes_of(self.model, one)} for one in given}
        days = {place: self._day(one, targets) for place, one in enumerate(case.readings)}
        if any(days[place] != one.day for place, one in enumerate(case.readings)):
            self.earlier.append(case.arm.name)
        start = min(0.0, *days.values())
        first = [ConditionChange(name, _rational(self.values[number][name]), Where()) for name in self.differing]
        periods: dict[float, list[ConditionChange]] = {start: first}
        for one in given:
            periods.setdefault(one.time, []).extend(self._changes(number, one, is_first=one.time == start))
        experiment = Experiment(case.arm.name, tuple(Period(time, tuple(own)) for time, own in sorted(periods.items())))
        measured = [
            MeasuredValue(
                observable=self.observables[one.quantity],
                experiment=number,
                time=days[place],
                value=one.value,
                parameters=(),
                noise_parameters=() if one.deviation is None else (_rational(one.deviation),),
                where=one.where,
            )
            for place, one in enumerate(case.readings)
        ]
        return experiment, measured

    def _day(self, reading: CaseReading, targets: Mapping[float, set[str]]) -> float:
        if targets.get(reading.day, set()) & self._asked(reading.quantity):
            return reading.day - EARLIER
        return reading.day

    def _asked(self, quantity: str) -> set[str]:
        """Symbols that a quantity is computed from, definitions written out."""
        known = {part.symbol: part.expression for part in self.model.definitions}
        observable = {part.name: part.expression for part in self.model.observables}
        waiting, found = [observable.get(quantity, Symbol(quantity))], set[Symbol]()
        while waiting:
            new = waiting.pop().free_symbols - found
            found |= new
            waiting += [known[symbol] for symbol in new if symbol in known]
        return {str(symbol) for symbol in found}

    def _changes(self, number: int, given: Given, *, is_first: bool) -> Iterator[ConditionChange]:
        for species, value in changes_of(self.model, given).items():
            if is_first:
                # Before a first period there is no state: the initial value takes its place.
                value = self._at_start(number, substitute(value, self._initial()))
            yield ConditionChange(species.name, _decimal(written(value, self.numbers, species.unit)), Where())

    def _initial(self) -> dict[Symbol, Expr]:
        return {
            species.symbol: sympy.sympify(initial, strict=True)
            for species, initial in zip(self.written.species, self.written.initial, strict=True)
        }

    def _at_start(self, number: int, value: Expr) -> Expr:
        """An expression in what is sought alone: balanced unknowns written out, other parameters as numbers."""
        for solved in reversed(self.model.balance):
            value = substitute(value, {solved.symbol: solved.expression})
        sought = {part.id for part in self.sought}
        numbers = {
            part.symbol: _rational(self.values[number][part.name]) * sympy.Rational(part.unit.factor)
            for part in self.model.parameters
            if part.name not in sought
        }
        return substitute(value, numbers)

    # Observables and noise.
    def _observable(self, quantity: str) -> Measured:
        kinds, identifier = dict(self.noises[quantity]), self.observables[quantity]
        sizes = {kind: self._size(quantity, kind, row) for kind, row in kinds.items()}
        known: dict[str, Observable | Species] = {one.name: one for one in self.model.species}
        part = (known | {one.name: one for one in self.model.observables})[quantity]
        placeholders: tuple[str, ...] = ()
        if not kinds:
            placeholders = (f"sd_{identifier}",)
            noise: Expr = Symbol(placeholders[0])
        elif "log" in kinds:
            noise = sizes["log"]
        else:
            additive, proportional = (sizes.get(kind, sympy.S.Zero) for kind in ("additive", "proportional"))
            level = proportional * Symbol(identifier)
            noise = additive if level == 0 else level if additive == 0 else sympy.sqrt(additive**2 + level**2)
        return Measured(
            id=identifier,
            formula=Symbol(quantity),
            noise=noise,
            scale="log" if "log" in kinds else "lin",
            distribution="normal",
            placeholders=(),
            noise_placeholders=placeholders,
            where=Where(),
            name=f"{part.meaning} [{part.unit.text}]",
        )

    def _size(self, quantity: str, kind: str, row: Parameter) -> Expr:
        if row.bounds is None:
            return _rational(row.value)
        return Symbol(self.noise_names[quantity, kind])

    def _noise_parameters(self) -> Iterator[EstimatedParameter]:
        for quantity, own in self.noises.items():
            for kind, row in own:
                if row.bounds is not None:
                    identifier, meaning = self.noise_names[quantity, kind], f"{kind} noise of {quantity}"
                    yield sought_noise(identifier, row, meaning)


def _decimal(expression: Expr) -> Expr:
    """An expression whose numbers have the digits of a double, so that they are read as they are written."""
    return expression.xreplace({number: _rational(float(number)) for number in expression.atoms(sympy.Rational)})


def _rational(value: float) -> Expr:
    return sympy.Rational(repr(float(value)))


def _log_likelihood(model: Model, population: Population, case: Case, noises: Noises) -> float:
    """Log-likelihood of the readings of a case at the typical parameters, of the model as it is solved here."""
    own = {name: replace(row, sd_log=0.0) for name, row in overrides_of(case.arm).items()}
    arm = replace(case.arm, overrides=tuple(own.items()))
    begins = {one.time for one in given_to(model, arm, population, case.end)}
    times, columns = times_before(np.array([one.day for one in case.readings]), begins)
    found = simulate_cohort(model, [arm], typical(population), times, tolerance=Tolerance(FINE))
    if found.failures:
        raise NumericalError(found.failures[0].failure.reason, code="petab.writing")
    total = 0.0
    for one, column in zip(case.readings, columns.tolist(), strict=True):
        level = float(found.quantity(one.quantity)[0, 0, column])
        total += _log_density(one, level, {kind: row.value for kind, row in noises[one.quantity]})
    return total


def _log_density(reading: CaseReading, level: float, noise: Mapping[str, float]) -> float:
    value, size, jacobian = reading.value, reading.deviation, 0.0
    if "log" in noise:
        value, size, jacobian = math.log(value), noise["log"], math.log(value)
        level = math.log(level)
    elif size is None:
        size = math.hypot(noise.get("additive", 0.0), noise.get("proportional", 0.0) * level)
    return -0.5 * ((value - level) / size) ** 2 - math.log(size) - 0.5 * math.log(2.0 * math.pi) - jacobian
