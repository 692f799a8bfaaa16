"""A problem of version 1 as an equivalent one of version 2.

Version 2 has no scales of parameters, no common logarithm of observables, and conditions that say only what changes.
A logarithm to base 10 becomes a natural one with a noise that is log(10) times as large: the likelihood is the same.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import sympy
from sympy import Expr

from simulate.errors import InputError, Where, listed
from simulate.exchange.petab.problem import (
    ConditionChange,
    EstimatedParameter,
    Experiment,
    Measured,
    Period,
    PetabProblem,
    Prior,
)

_LOG_10 = math.log(10.0)


@dataclass(frozen=True, slots=True)
class Upgraded:
    """A problem of version 2, and in words what version 2 does not say, or says in another way, of the first."""

    problem: PetabProblem
    notes: tuple[str, ...]


def upgraded(problem: PetabProblem, constants: Mapping[str, float]) -> Upgraded:
    """A problem of version 2 with the same likelihood; one of version 2 is given back as it is.

    Parameters
    ----------
    problem
        Of either version.
    constants
        Values of identifiers of the model that do not change.

    Raises
    ------
    InputError
        ``petab.writing``: a condition that version 2 cannot say.
    """
    if problem.version > 1:
        return Upgraded(problem, ())
    experiments = _Experiments(problem, constants)
    return Upgraded(
        replace(
            problem,
            version=2,
            experiments=tuple(experiments.upgraded(experiment) for experiment in problem.experiments),
            parameters=(*(_parameter(part) for part in problem.parameters), *experiments.added.values()),
            observables=tuple(_observable(part) for part in problem.observables),
        ),
        tuple(_notes(problem)),
    )


class _Experiments:
    """Experiments of one problem; ``added`` are parameters of the model that their conditions need in the table."""

    def __init__(self, problem: PetabProblem, constants: Mapping[str, float]) -> None:
        self.constants = constants
        self.parameters = {part.id for part in problem.parameters}
        self.added: dict[str, EstimatedParameter] = {}
        self.targets = {
            change.target
            for experiment in problem.experiments
            for period in experiment.periods
            for change in period.changes
            if change.value is not None
        }
        for name in sorted(self.targets & self.parameters):
            where = next(part.where for part in problem.parameters if part.id == name)
            raise InputError(
                f"conditions set `{name}`, which is in the table of parameters too",
                code="petab.writing",
                where=where,
                expected="one of the two, as version 2 has it",
                advice="leave it out of the table of parameters, or give what conditions set another name",
            )

    def upgraded(self, experiment: Experiment) -> Experiment:
        """The experiment, whose later periods say what goes back to the model."""
        periods: list[Period] = []
        changed: set[str] = set()
        for period in experiment.periods:
            own = [self._change(change) for change in period.changes if change.value is not None]
            own += [
                ConditionChange(change.target, self._of_model(change), change.where)
                for change in period.changes
                if change.value is None and change.target in changed & set(self.constants)
            ]
            changed |= {change.target for change in own}
            periods.append(Period(period.time, tuple(own)))
        return Experiment(experiment.id, tuple(periods))

    def _change(self, change: ConditionChange) -> ConditionChange:
        """A change, the names in which are in the table of parameters."""
        assert change.value is not None
        for symbol in change.value.free_symbols:
            name = str(symbol)
            if name in self.parameters or name in self.added:
                continue
            if name not in self.constants or name in self.targets:
                raise InputError(
                    f"a condition sets `{change.target}` to `{name}`, which is no parameter that stays as it is",
                    code="petab.writing",
                    where=change.where,
                    expected="a number, or a name in the table of parameters",
                )
            self.added[name] = _fixed(name, self.constants[name], change.where)
        return change

    def _of_model(self, change: ConditionChange) -> Expr:
        return sympy.Rational(repr(float(self.constants[change.target])))


def _fixed(name: str, value: float, where: Where) -> EstimatedParameter:
    return EstimatedParameter(name, "lin", -math.inf, math.inf, value, False, None, None, where)


def _parameter(parameter: EstimatedParameter) -> EstimatedParameter:
    return replace(parameter, scale="lin", prior=_prior(parameter.prior), start=None)


def _prior(prior: Prior | None) -> Prior | None:
    """The same distribution, of the value and between the bounds."""
    if prior is None:
        return None
    factor = _LOG_10 if prior.scale == "log10" else 1.0
    scale = "log" if prior.scale == "log10" else prior.scale
    return Prior(prior.kind, scale, prior.first * factor, prior.second * factor, truncated=True)


def _observable(observable: Measured) -> Measured:
    if observable.scale != "log10":
        return observable
    return replace(observable, scale="log", noise=observable.noise * sympy.log(sympy.Integer(10)))


def _notes(problem: PetabProblem) -> Iterator[str]:
    scaled = [part.id for part in problem.estimated if part.scale != "lin"]
    if scaled:
        yield f"the scales of the parameters {shortened(scaled)}: version 2 has none, and bounds stay as they are"
    if started := [part.id for part in problem.parameters if part.start is not None]:
        yield f"the priors of {shortened(started)} from which starting points are drawn"
    priors = {part.id: part.prior for part in problem.parameters if part.prior is not None}
    if moved := [name for name, prior in priors.items() if not prior.is_density_of_value and prior.scale != "lin"]:
        yield (
            f"that the priors of {shortened(moved)} are densities on the scale of the parameter: version 2 has the "
            "same distributions as densities of the value, so that the most probable point lies elsewhere"
        )
    if priors:
        yield "constants of priors: version 2 normalizes them between the bounds"


def shortened(names: Sequence[str], most: int = 6) -> str:
    """Names as a message shows them; of many the first, and how many more there are."""
    shown = listed(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
