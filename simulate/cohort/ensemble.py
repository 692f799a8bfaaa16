"""A cohort under each of several treatments, simulated as one batch.

Every arm treats the same patients: patient 7 has the same parameters in all arms, and misses the same doses.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from simulate.cohort.arms import Arm, rules_of_arms, with_visits_of_arms
from simulate.cohort.draws import Cohort, redrawn, typical
from simulate.cohort.population import Population
from simulate.cohort.transform import Distribution, Overrides
from simulate.errors import InputError, did_you_mean
from simulate.kernels.of_model import kernel_of, system_of, term_sizes_of, unless_stiff
from simulate.regimen.occasions import with_occasions
from simulate.regimen.steady import Kinetics, needs_kinetics
from simulate.regimen.stops import compile_schedule
from simulate.solver.kernel import FloatArray, IntArray
from simulate.solver.problem import MAX_STEPS, Schedule, Tolerance
from simulate.solver.rules import Adaptive
from simulate.solver.trajectories import Failure, Trajectories
from simulate.symbolic.model import Model

if TYPE_CHECKING:
    from simulate.solver.automatic import Automatic
    from simulate.solver.methods import Method


_INITIAL = "(0)"
"""What follows the name of a state in that of its initial value."""


@dataclass(frozen=True, slots=True)
class PatientFailure:
    """A patient of an arm whose trajectory did not reach the end: who, at which place in the cohort, when and why."""

    arm: str
    patient: int
    place: int
    failure: Failure


@dataclass(frozen=True, slots=True)
class PatientOccurrence:
    """A rule that applied: in which arm, to which patient at which place, which one of the rules, and on which day."""

    arm: str
    patient: int
    place: int
    rule: int
    day: float


@dataclass(frozen=True, slots=True, eq=False)
class Ensemble:
    """A simulated cohort.

    Attributes
    ----------
    model_key
        Content hash of the model.
    arms, cohort
        What was simulated for whom.
    parameters
        Names of the parameters of the kernel.
    parameter_values
        Values used, shape [arm, member, parameter], in the units of the parameters.
    trajectories
        All arms as one batch: member ``m`` of arm ``a`` is row ``a * len(cohort.ids) + m``.
    directions, derivatives
        Names of what was varied, and the derivatives of every quantity, shape [row, time, quantity, direction], rows as
        those of the trajectories; none if none were asked for.
    model
        What was simulated.
    """

    model_key: str
    arms: tuple[Arm, ...]
    cohort: Cohort
    parameters: tuple[str, ...]
    parameter_values: FloatArray
    trajectories: Trajectories
    directions: tuple[str, ...] = ()
    derivatives: FloatArray | None = None
    model: Model | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of arms and members."""
        return len(self.arms), len(self.cohort.ids)

    @property
    def status(self) -> IntArray:
        """Values of `Status`, shape [arm, member]."""
        return self.trajectories.status.reshape(self.shape)

    @property
    def failures(self) -> tuple[PatientFailure, ...]:
        """Those who did not reach the end, arm by arm."""
        return tuple(PatientFailure(*self._of_row(row.member), row) for row in self.trajectories.failures)

    @property
    def occurrences(self) -> tuple[PatientOccurrence, ...]:
        """When rules applied, arm by arm, patient by patient, in the order of time."""
        return tuple(
            PatientOccurrence(*self._of_row(row.member), row.rule, row.time) for row in self.trajectories.occurrences
        )

    def _of_row(self, row: int) -> tuple[str, int, int]:
        """Arm, number of the patient and place in the cohort of a row of the trajectories."""
        arm, place = divmod(row, self.cohort.members)
        return self.arms[arm].name, int(self.cohort.ids[place]), place

    def quantity(self, name: str) -> FloatArray:
        """Values of a state or observable, shape [arm, member, time]."""
        values = self.trajectories.quantity(name)
        return values.reshape(*self.shape, values.shape[1])

    def largest_terms(self, name: str) -> FloatArray | None:
        """Largest sum of the sizes of the terms of an observable over a course, shape [arm, member], in its unit.

        None for a state, and for an observable that is not added up from terms of both signs.
        """
        sizes = None if self.model is None else term_sizes_of(self.model).get(name)
        if self.model is None or sizes is None:
            return None
        parameters = self.parameter_values.reshape(-1, self.parameter_values.shape[2])
        states = self.trajectories.values[:, :, : len(self.model.species)]
        sums = sizes.sums(states, parameters, self.trajectories.times)
        found: FloatArray = np.nan_to_num(sums, posinf=0.0).max(axis=1)
        return found.reshape(self.shape)

    def keeping(self, quantities: Sequence[str]) -> Ensemble:
        """The same with the courses of some quantities alone."""
        model = self.trajectories
        places = [model.quantities.index(name) for name in quantities]
        units = tuple(model.units[place] for place in places)
        kept = replace(model, quantities=tuple(quantities), units=units, values=model.values[:, :, places])
        return replace(self, trajectories=kept, model=None)

    def derivative(self, quantity: str, direction: str) -> FloatArray:
        """Derivative of a state or observable in a direction that was asked for, shape [arm, member, time].

        In the unit of the quantity over that of the direction.

        Raises
        ------
        InputError
            ``sensitivities.unknown``: the direction was not asked for.
        """
        if self.derivatives is None or direction not in self.directions:
            raise InputError(
                f"no derivatives to `{direction}` were asked for",
                code="sensitivities.unknown",
                found=", ".join(self.directions) or "none",
                advice="name it among the sensitivities of simulate_cohort",
            )
        column = self.trajectories.place(quantity)
        values = self.derivatives[:, :, column, self.directions.index(direction)]
        return values.reshape(*self.shape, values.shape[1])


def simulate_cohort(
    model: Model,
    arms: Sequence[Arm],
    cohort: Cohort,
    times: FloatArray,
    *,
    tolerance: Tolerance | None = None,
    method: Method | Automatic | None = None,
    max_steps: int = MAX_STEPS,
    max_step: float | None = None,
    breaks: Sequence[float] = (),
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
    sensitivities: Sequence[str] = (),
    adaptive: Adaptive | None = None,
) -> Ensemble:
    """Simulate every member of a cohort in every arm.

    Parameters
    ----------
    model
        The composed model.
    arms
        Treatments, at least one.
    cohort
        Members with their parameters; a parameter of the model that the cohort does not have is the same in all.
    times
        Shape [time], days, ascending: when to record. What is recorded at a time is the state after all that happens
        then: after doses, resets and actions of rules, at the last time as at any other; only at time 0 it is the
        baseline, before the doses. A later time given twice is recorded before and after.
    tolerance, method, max_steps, max_step, breaks, threads, progress
        As for `simulate.solver.solve`; members of all arms are counted. With `simulate.solver.Automatic` each
        trajectory is solved by the method that suits it. If no method is given, it is `unless_stiff`; sensitivities
        have Dormand-Prince 5(4) alone.
    sensitivities
        What to differentiate every quantity by, at each member's own values: parameters, and ``x(0)`` for the initial
        value of the state ``x``. The trajectories then agree with those of a plain simulation by the same method to
        rounding, not to the bit; see `simulate.kernels.sensitivities`.
    adaptive
        Rules that change what a patient is given when a quantity passes a threshold, in place of those of the arms. The
        schedule is that of the arms, all of it in group 0; a threshold may have a number for each row of the
        trajectories.

    Returns
    -------
    Ensemble
        A member without a steady baseline, or with a numerical failure, keeps its status and its reason.

    Raises
    ------
    InputError
        ``cohort.arm``: no arm, or an override of a parameter that the model does not have. ``regimen.*``: a dose that
        cannot be given by a route of the model. ``sensitivities.*``: a name that the model does not have, and
        sensitivities of a simulation with rules. ``solver.rule``: a rule that does not fit the model.
    """
    from simulate.solver.automatic import Automatic, solve_automatically
    from simulate.solver.batch import solve

    if not arms:
        raise InputError("there is no arm to simulate", code="cohort.arm")
    of_arms = adaptive is None
    adaptive = rules_of_arms(arms, cohort.members) if adaptive is None else adaptive
    if sensitivities and adaptive is not None and adaptive.rules:
        raise InputError(
            "sensitivities of a simulation with rules are asked for",
            code="sensitivities.rules",
            expected="one of the two: when a rule applies changes with the parameters, and is not differentiated",
        )
    choice, single = (method, None) if isinstance(method, Automatic) else (None, method)
    watched = adaptive is not None and not all(rule.visits for rule in adaptive.rules)
    if sensitivities and isinstance(method, Automatic):
        raise InputError(
            "sensitivities are asked for with an automatic choice of the method",
            code="sensitivities.method",
            expected="one method for all members",
            advice=f"such as {method.stiff.name} if the model is stiff, else leave `method` out",
        )
    values = np.stack([member_parameters(model, arm, cohort) for arm in arms])
    flat = values.reshape(-1, values.shape[2])
    schedule = schedule_of(model, arms, cohort, float(times[-1]))
    if sensitivities and any(needs_kinetics(plan, model.routes) for arm in arms for plan in arm.all_plans):
        raise InputError(
            "sensitivities are asked for with doses that follow the kinetics of each patient",
            code="sensitivities.doses",
            expected="no steady state of doses, and no infusions at a set rate: when they end is not differentiated",
            advice="write out the doses that came before, and give infusions by their duration",
        )
    if of_arms:
        schedule = with_visits_of_arms(schedule, arms, cohort.members, float(times[-1]))
    directions: tuple[str, ...] = ()
    derivatives: FloatArray | None = None
    if sensitivities:
        from simulate.kernels.sensitivities import solve_sensitivities

        initial = [name.removesuffix(_INITIAL) for name in sensitivities if name.endswith(_INITIAL)]
        found = solve_sensitivities(
            system_of(model),
            flat,
            schedule,
            outputs_of(times),
            of=[name for name in sensitivities if not name.endswith(_INITIAL)],
            initial=initial,
            tolerance=tolerance,
            method=single,
            max_steps=max_steps,
            max_step=max_step,
            breaks=breaks,
            threads=threads,
            progress=progress,
        )
        trajectories, directions = found.trajectories, found.directions
        derivatives = _before(found.values, trajectories.times)
    else:
        solver = (
            functools.partial(solve, method=single)
            if single is not None
            else functools.partial(solve_automatically, choice=choice or unless_stiff(model, watched=watched))
        )
        trajectories = solver(
            kernel_of(model),
            flat,
            schedule,
            outputs_of(times),
            tolerance=tolerance,
            max_steps=max_steps,
            max_step=max_step,
            breaks=breaks,
            threads=threads,
            progress=progress,
            adaptive=adaptive,
        )
    names = tuple(parameter.name for parameter in model.parameters)
    return Ensemble(
        model.key, tuple(arms), cohort, names, values, from_before(trajectories), directions, derivatives, model
    )


def schedule_of(model: Model, arms: Sequence[Arm], cohort: Cohort, horizon: float) -> Schedule:
    """Stops of every member in every arm up to a horizon, days, at which there may be some; arm by arm."""
    members = [int(patient) for patient in cohort.ids]
    kinetics: Kinetics | None = None
    if any(needs_kinetics(plan, model.routes) for arm in arms for plan in arm.all_plans):
        kinetics = Kinetics(model, np.concatenate([member_parameters(model, arm, cohort) for arm in arms]))
    schedule = compile_schedule(
        [arm.plan_of(member) for arm in arms for member in members],
        model.routes,
        members=members * len(arms),
        seed=cohort.seed,
        horizon=horizon,
        between_doses={route: spread for route, spread in cohort.between_doses if spread},
        kinetics=kinetics,
    )
    if cohort.occasions is None:
        return schedule
    return with_occasions(
        schedule, model.routes, cohort.occasions, members=members * len(arms), seed=cohort.seed, horizon=horizon
    )


def outputs_of(times: FloatArray) -> FloatArray:
    """Times at which a solver records what `from_before` needs: time 0 twice, before and after its doses."""
    return np.concatenate([times[:1], times]) if times[0] == 0.0 else times


def from_before(trajectories: Trajectories) -> Trajectories:
    """Trajectories at the times that `outputs_of` was given: at time 0 with the values before its doses."""
    if trajectories.times[0] != 0.0:
        return trajectories
    return replace(trajectories, times=trajectories.times[1:], values=_before(trajectories.values, trajectories.times))


def _before(values: FloatArray, times: FloatArray) -> FloatArray:
    """Values [member, time, ...] at the times of `outputs_of`: of those at time 0 the first."""
    if times[0] != 0.0:
        return values
    values[:, 1] = values[:, 0]
    return values[:, 1:]


def overrides_of(arm: Arm) -> Overrides:
    """What an arm overrides, by parameter."""
    return {name: row if isinstance(row, Distribution) else Distribution(row) for name, row in arm.overrides}


def typical_parameters(model: Model, arm: Arm, population: Population) -> FloatArray:
    """Parameters of the typical patient of a population in an arm, shape [parameter]; as `member_parameters`."""
    overrides = tuple((name, replace(row, sd_log=0.0)) for name, row in overrides_of(arm).items())
    (patient,) = member_parameters(model, replace(arm, overrides=overrides), typical(population))
    found: FloatArray = patient
    return found


def member_parameters(model: Model, arm: Arm, cohort: Cohort) -> FloatArray:
    """Parameters of a cohort's members in an arm, shape [member, parameter], in the order and units of the model.

    Members are drawn about the typical value of an override, within the bounds of the parameter, at the coordinates
    that they have in all arms. A parameter that is the same in all patients has the value of the override.

    Raises
    ------
    InputError
        ``cohort.arm``: an override of a parameter that the model does not have. ``cohort.bounds``: nobody is within the
        bounds of an overridden parameter; ``cohort.population``: the cohort was not drawn.
    """
    names = [parameter.name for parameter in model.parameters]
    column = {name: index for index, name in enumerate(cohort.names)}
    values = np.empty((len(cohort.ids), len(names)))
    for index, parameter in enumerate(model.parameters):
        values[:, index] = cohort.values[:, column[parameter.name]] if parameter.name in column else parameter.value
    overrides = overrides_of(arm)
    unknown = [name for name in overrides if name not in names]
    if unknown:
        raise InputError(
            f"the model has no parameter `{unknown[0]}`", code="cohort.arm", advice=did_you_mean(unknown[0], names)
        )
    for name, own in redrawn(cohort, model.parameters, overrides).items():
        values[:, names.index(name)] = own
    return values
