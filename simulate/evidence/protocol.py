"""The visits and assays of a trial, and what a trial with them would have observed of simulated patients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from simulate.cohort.draws import Cohort
from simulate.cohort.ensemble import Ensemble
from simulate.errors import InputError, did_you_mean, listed
from simulate.evidence.trial_observations import Key, TrialObservations
from simulate.solver.trajectories import Status
from simulate.streams import FloatArray
from simulate.symbolic.units import convert, unit

_NEAR = 0.5


@dataclass(frozen=True, slots=True)
class Judgment:
    """The rule by which patients are called responders."""

    quantity: str  #: Observable that is the probability of a response
    event: str  #: Name under which evidence counts responders
    day: float  #: Visit at which it is judged


@dataclass(frozen=True, slots=True)
class TrialProtocol:
    """When the trial looked, and how well."""

    days: tuple[float, ...]  #: Visits
    #: Standard deviation of the logarithm of a reading, by quantity, or by (quantity, day) where a visit has its own.
    #: Of shape [cohort, 1] where cohorts are read unlike. The quantities named here are those that are seen.
    noise: Mapping[str | Key, float | FloatArray]
    #: As in `TrialObservations`.
    limits: Mapping[str, float] = field(default_factory=dict)
    substitutes: Mapping[str, float] = field(default_factory=dict)
    response: Judgment | None = None  #: How responders are told; None where nobody is called one
    #: Number of patients of each stratum in the trial, by the name of the stratum; empty if they are of one kind.
    sizes: Mapping[str, int] = field(default_factory=dict)

    @property
    def quantities(self) -> tuple[str, ...]:
        """What is seen, in the order of the noise."""
        return tuple(dict.fromkeys(key if isinstance(key, str) else key[0] for key in self.noise))


def observe(
    ensemble: Ensemble,
    protocol: TrialProtocol,
    *,
    arm: int = 0,
    cohorts: int = 1,
    levels: Mapping[Key, FloatArray] | None = None,
) -> TrialObservations:
    """Observations that a trial with a protocol would have made of an ensemble.

    Parameters
    ----------
    ensemble
        Simulated patients, recorded at the visits (to within half a day).
    protocol
        When the trial looked, and how well.
    arm
        Which treatment was that of the trial.
    cohorts
        Number of cohorts in the ensemble, one after the other and of equal size: member ``c * patients + p`` is patient
        ``p`` of cohort ``c``.
    levels
        Levels that take the place of those of the ensemble, (quantity, day) → shape [member]: what is in a blood sample
        that was not drawn at the time of a dose, say.

    Returns
    -------
    TrialObservations
        Patients who failed have no level. Who left the study is not present from then on. Where response is judged,
        the groups are ``responders`` and ``non-responders``, and responders are an event.
    """
    members = ensemble.shape[1]
    if cohorts < 1 or members % cohorts:
        raise InputError(
            f"{members} members do not part into {cohorts} cohorts of equal size",
            code="evidence.cohorts",
            expected="a number that divides the number of members",
        )
    shape = (cohorts, members // cohorts)
    failed = ensemble.status[arm] != Status.OK
    own = dict(levels or {})
    seen_levels: dict[Key, FloatArray] = {}
    for quantity in protocol.quantities:
        for day in protocol.days:
            values = own.get((quantity, day))
            if values is None:
                values = _recorded(ensemble, quantity, day)[arm]
            seen_levels[quantity, day] = np.where(failed, np.nan, values).reshape(shape)
    groups, events = _responses(ensemble, protocol, arm, shape)
    cohort = ensemble.cohort
    later = [day for day in protocol.days if day > 0.0]
    weights, strata = shares(ensemble.cohort, protocol, shape)
    return TrialObservations(
        weights=weights,
        levels=seen_levels,
        units={name: unit(_unit_of(ensemble, name)) for name in protocol.quantities},
        noise=dict(protocol.noise),
        limits=dict(protocol.limits),
        substitutes=dict(protocol.substitutes),
        groups=groups,
        present={day: cohort.reached(day).astype(np.float64).reshape(shape) for day in later},
        events=events,
        strata=strata,
    )


def _recorded(ensemble: Ensemble, quantity: str, day: float) -> FloatArray:
    """Values of a quantity at a visit, shape [arm, member]."""
    _unit_of(ensemble, quantity)
    times = ensemble.trajectories.times
    nearest = int(np.abs(times - day).argmin())
    if abs(float(times[nearest]) - day) > _NEAR:
        raise InputError(
            f"nothing is recorded near day {day:g}",
            code="evidence.visit",
            found=f"times from {times[0]:g} to {times[-1]:g} d, the nearest {times[nearest]:g} d",
            advice="record the visits of the trial: `time.end` and `time.every` of the scenario",
        )
    return ensemble.quantity(quantity)[:, :, nearest]


def _unit_of(ensemble: Ensemble, quantity: str) -> str:
    known = ensemble.trajectories.quantities
    if quantity not in known:
        raise InputError(
            f"the ensemble has no quantity `{quantity}`",
            code="evidence.quantity",
            advice=did_you_mean(quantity, known),
        )
    return ensemble.trajectories.units[known.index(quantity)]


def _responses(
    ensemble: Ensemble, protocol: TrialProtocol, arm: int, shape: tuple[int, int]
) -> tuple[dict[str, FloatArray], dict[Key, FloatArray]]:
    judged = protocol.response
    if judged is None:
        return {}, {}
    factor = convert(1.0, unit(_unit_of(ensemble, judged.quantity)), unit("1"))
    chance = np.nan_to_num(_recorded(ensemble, judged.quantity, judged.day)[arm] * factor).reshape(shape)
    events = {(judged.event, judged.day): chance}
    return {"responders": chance, "non-responders": 1.0 - chance}, events


def shares(
    cohort: Cohort, protocol: TrialProtocol, shape: tuple[int, int]
) -> tuple[FloatArray, tuple[np.ndarray[tuple[int], np.dtype[np.int64]], tuple[int, ...]] | None]:
    """Shares of the patients, such that each stratum has the share that it had in the trial.

    Shares, of the shape [cohort, patient]; and the stratum of each patient of a cohort with the sizes of all, where
    there are any.
    """
    if not protocol.sizes:
        return np.full(shape, 1.0 / shape[1]), None
    names = tuple(protocol.sizes)
    strata = cohort.strata
    missing: Sequence[str] = sorted({*strata} - {*names} | {*names} - {*strata})
    kinds = np.array([names.index(name) if name in names else -1 for name in strata], dtype=np.int64).reshape(shape)
    if missing or not (kinds == kinds[0]).all():
        raise InputError(
            "strata of the patients and of the trial are not the same",
            code="evidence.strata",
            found=listed(missing) or "cohorts in which kinds stand in different places",
            expected=listed(names),
        )
    counts = np.bincount(kinds[0], minlength=len(names))
    sizes = np.array([protocol.sizes[name] for name in names], dtype=np.float64)
    row = (sizes / sizes.sum() / counts)[kinds[0]]
    return np.broadcast_to(row, shape).copy(), (kinds[0], tuple(protocol.sizes.values()))
