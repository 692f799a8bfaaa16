"""The numerical error of results, found by solving them again more exactly, beside the error that is promised.

What is promised is told in tolerances: ``rtol`` of a state's value and ``atol`` of its scale, the largest that it is in
the trajectory. A state that takes both signs has no value to be a share of wherever it is zero, and is judged by its
scale alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from simulate.cohort.ensemble import Ensemble
from simulate.solver.kernel import FloatArray
from simulate.solver.problem import SMALLEST, Tolerance
from simulate.solver.trajectories import Status
from simulate.studies.runs import Study

LIMIT = 5e-4
"""Largest accepted error, as `Error.relative`: half a unit of the third digit, as results are printed to three."""
PROMISED = 1000.0
"""Largest accepted error of a state in tolerances, as `Error.ratio`.

Ten times what holds for problems with known answers, as a model may let small differences grow.
"""

_TIGHTER = 1e-3
_LEAST_TIGHTER = 0.101
_FLOOR = 1e-3
_BOTH_SIGNS = 1e-3


@dataclass(frozen=True, slots=True)
class Judge:
    """A method that solved trajectories again: its name and tolerance, how many, and those it gave up."""

    method: str
    rtol: float
    trajectories: int
    given_up: int


@dataclass(frozen=True, slots=True)
class Error:
    """The largest error found in a quantity."""

    #: What was compared.
    quantity: str
    unit: str
    #: Largest error as a share of the value. What counts for the value at least: of a state, the share of its scale
    #: that the tolerances say; of an observable, a thousandth of its largest value.
    relative: float
    ratio: float | None  #: Largest error in tolerances; None for observables, which have no tolerance of their own
    #: Where ``relative`` was found, or what is undefined.
    arm: str
    patient: int
    day: float
    undefined: bool = False  #: Whether one of two methods has no number there and the other has one


def too_large(errors: Iterable[Error]) -> list[str]:
    """One sentence for each error that is larger than promised."""
    found = []
    for row in errors:
        place = f"patient {row.patient}, arm `{row.arm}`, day {row.day:g}"
        if row.undefined:
            found.append(f"`{row.quantity}` is a number by one method and undefined by another ({place})")
        elif not row.relative <= LIMIT:
            found.append(f"`{row.quantity}` is off by {row.relative:.1e} of its value ({place})")
        elif row.ratio is not None and not row.ratio <= PROMISED:
            found.append(
                f"`{row.quantity}` is off by {row.ratio:.0f} tolerances, more than the {PROMISED:g} that are promised: "
                f"by {row.relative:.1e} of its value ({place})"
            )
    return found


def judging(rtol: float) -> Tolerance | None:
    """Tolerance at which others solve what was solved at ``rtol``; None where double precision allows none."""
    tight = max(rtol * _TIGHTER, SMALLEST)
    return Tolerance(tight) if tight <= rtol * _LEAST_TIGHTER else None


def unjudged(rtol: float) -> str:
    """Why nothing can be said of the error made at such a tolerance."""
    return f"the error cannot be judged: no solution is tighter than {rtol:g}, as rounding decides below {SMALLEST:g}"


def values_of(ensemble: Ensemble) -> FloatArray:
    """All values, shape [arm, member, time, quantity]."""
    values = ensemble.trajectories.values
    return values.reshape(len(ensemble.arms), -1, *values.shape[1:])


class Errors:
    """The largest error of each quantity so far."""

    def __init__(self, study: Study, base: Ensemble) -> None:
        self.study, self.base = study, base
        states = len(study.model.species)
        values = np.abs(values_of(base)[base.status == Status.OK])
        # After a rule has ended a trajectory there are no numbers.
        self.sizes = np.where(np.isfinite(values), values, 0.0).max(axis=(0, 1), initial=0.0)
        self.states = states
        self.relative = np.zeros(len(self.sizes))
        self.ratios = np.zeros(states)
        self.places = [(0, 0, 0)] * len(self.sizes)
        self.undefined = np.zeros(len(self.sizes), dtype=bool)

    def add(self, arm: int, place: int, ours: FloatArray, theirs: FloatArray) -> None:
        """Compare one trajectory, each array [time, quantity], where both are finite."""
        both = np.isfinite(ours) & np.isfinite(theirs)
        differing = np.isfinite(ours) != np.isfinite(theirs)
        ours, theirs = np.where(both, ours, 0.0), np.where(both, theirs, 0.0)
        error = np.abs(ours - theirs)
        states, tolerance = slice(self.states), self.study.scenario.tolerance
        scales = np.abs(theirs[:, states]).max(axis=0)
        swings = np.minimum(theirs[:, states].max(axis=0), -theirs[:, states].min(axis=0)) > _BOTH_SIGNS * scales
        allowed = tolerance.allowed(np.where(swings, scales, theirs[:, states]), scales)
        # A quantity that is zero throughout has no error; one that ought to be has an infinite one.
        with np.errstate(divide="ignore", invalid="ignore"):
            relative = np.where(error == 0.0, 0.0, error / np.maximum(np.abs(theirs), _FLOOR * self.sizes))
            ratios = np.where(error[:, states] == 0.0, 0.0, error[:, states] / allowed)
        relative[:, states] = tolerance.rtol * ratios
        self.ratios = np.maximum(self.ratios, ratios.max(axis=0))
        for quantity, time in enumerate(relative.argmax(axis=0).tolist()):
            if not relative[time, quantity] <= self.relative[quantity]:
                self.relative[quantity] = relative[time, quantity]
                if not self.undefined[quantity]:
                    self.places[quantity] = (arm, place, time)
        for quantity in np.flatnonzero(differing.any(axis=0) & ~self.undefined).tolist():
            self.undefined[quantity] = True
            self.places[quantity] = (arm, place, int(differing[:, quantity].argmax()))

    @property
    def errors(self) -> tuple[Error, ...]:
        trajectories = self.base.trajectories
        return tuple(
            Error(
                quantity=name,
                unit=trajectories.units[index],
                relative=float(self.relative[index]),
                ratio=float(self.ratios[index]) if index < self.states else None,
                arm=self.base.arms[self.places[index][0]].name,
                patient=int(self.base.cohort.ids[self.places[index][1]]),
                day=float(trajectories.times[self.places[index][2]]),
                undefined=bool(self.undefined[index]),
            )
            for index, name in enumerate(trajectories.quantities)
        )
