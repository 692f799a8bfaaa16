"""Paired changes since baseline: each patient's own change, in all, in each stratum, in responders and in the others.

A median before and a median after tell little of who changed: half of the patients may rise while the medians fall. So
the change is taken in each patient first and summed up after. It is relative, in percent, where every baseline is
above 0, and a difference in the quantity's own unit elsewhere. A change that is no larger than what the solver resolves
is neither up nor down. What follows the dose is read as its average over the dosing interval before a visit.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from simulate.arrays import LabeledArrays
from simulate.inference.quantiles import quantiles_along, quantiles_of_rows
from simulate.solver.kernel import FloatArray, IntArray
from simulate.studies.datasets import draws_in, quantity_names
from simulate.studies.dose_following import averaged_course, each_read
from simulate.studies.resolution import signal
from simulate.studies.scenario import REFERENCE
from simulate.studies.values import nothing_in, peaks_of, resolution_of, terms_of, values_shown
from simulate.trials.reading import shipped_trial

AGREEING = 0.75
"""Share of the patients who must go a reported way for it to count as agreement, or not go it for disagreement."""

RESOLVED = "by any amount that the solver resolves"
"""By how much a patient must rise or fall to be counted, wherever patients are counted; for captions."""

FEWEST_DRAWN = 50
"""Patients from which on those who are drawn say between which values draws of a fit have their medians.

All draws have the same patients. Of 20, the medians of creatine kinase are within 4 points of each other under
H1+H6, and those of other 20 patients within 37.
"""

ENDPOINTS = ("il17a", "ifng", "ck", "signal_lymph")
"""Quantities of the reference model whose changes come first: what cells and muscle do, and what is left of IL-1."""

TITLES = {
    "il17a": "IL-17A+ cells",
    "ifng": "IFNγ+ cells",
    "ck": "Creatine kinase",
    "signal_lymph": "Lymphoid IL-1 signal",
}
"""Names of these that fit above a panel and into a sentence; of others the whole meaning is shown."""

ALL, RESPONDERS, OTHERS = "all patients", "responders", "others"
"""Names of groups; strata have their own."""

_CK = "ck"
_NEAR = 4.0


class SignVerdict(enum.Enum):
    """Whether simulated patients agree with a reported direction."""

    AGREES = "agrees"
    UNDECIDED = "undecided"
    DISAGREES = "disagrees"
    NO_PREDICTION = "no prediction"


@dataclass(frozen=True, slots=True, eq=False)
class PatientGroup:
    """Whom something is said of: for each patient of each arm the probability of belonging, shape [arm, member]."""

    name: str
    belonging: FloatArray


@dataclass(frozen=True, slots=True)
class Paired:
    """Changes of a group, summed up."""

    #: Over the patients, each counted with the probability that the patient belongs to the group; None for nobody.
    median: float | None
    p5: float | None
    p95: float | None
    #: Shares of them who rose and who fell, 0 to 1; the others did neither.
    up: float | None
    down: float | None
    #: How many they are, in each draw on average; where belonging is a probability, the number that is expected.
    n: float
    #: What is not known: between which values 90 % of the draws of a fit have their own ``median``, ``up`` and
    #: ``down``, by these names; empty where there is one population.
    of_draws: Mapping[str, tuple[float, float]] = field(default_factory=dict)


def changes_since_baseline(
    dataset: LabeledArrays, quantity: str, place: int, *, in_percent: bool | None = None, nothing: float | None = None
) -> tuple[FloatArray, str]:
    """Change of a quantity since the first time in each patient, shape [arm, member], and its unit.

    % of the baseline, or the unit of the quantity where a baseline is not above 0; ``in_percent`` says which of a part
    of the patients. NaN for who failed, was stopped, or has left; 0 for a change that the solver does not resolve.
    Numbers smaller than ``nothing`` are 0; if not given, those that are nothing but rounding in this dataset.
    """
    ((changes, _, changed_unit),) = _changes(dataset, quantity, [place], in_percent, nothing)
    return changes[:, :, 0], changed_unit


@dataclass(frozen=True, slots=True, eq=False)
class Outcomes:
    """Changes of a quantity up to its last time, or its levels where there is one time."""

    values: FloatArray  #: Of each patient, shape [arm, member]; NaN where there is none
    unit: str  #: % of the baseline, or that of the quantity
    are_changes: bool  #: Since the first time; else levels, as of a result that has one time


def outcomes(dataset: LabeledArrays, quantity: str) -> Outcomes:
    """Changes of a quantity from the first time to the last; its levels where there is one time."""
    last = dataset.sizes["time"] - 1
    if not last:
        return Outcomes(values_shown(dataset, quantity, 0)[:, :, 0], str(dataset[quantity].attrs["units"]), False)
    values, changed_unit = changes_since_baseline(dataset, quantity, last)
    return Outcomes(values, changed_unit, True)


def has_baselines(dataset: LabeledArrays, quantity: str, nothing: float) -> bool:
    """Whether what is known of the first time is above 0 in every arm and patient, so that changes are in %."""
    return _are_positive(_or_nothing(values_shown(dataset, quantity, 0), nothing))


def _are_positive(values: FloatArray) -> bool:
    return bool((values[np.isfinite(values)] > 0.0).all())


def changes_at(
    dataset: LabeledArrays, quantity: str, places: Sequence[int], *, nothing: float | None = None
) -> list[tuple[FloatArray, str]]:
    """`changes_since_baseline` at several times."""
    found = _changes(dataset, quantity, places, nothing=nothing)
    return [(changes[:, :, 0], changed_unit) for changes, _, changed_unit in found]


def courses_of_change(dataset: LabeledArrays, quantity: str) -> tuple[FloatArray, str]:
    """As `changes_since_baseline`, at all times: shape [arm, member, time]."""
    ((changes, _, changed_unit),) = _changes(dataset, quantity, None)
    return changes, changed_unit


def _changes(
    dataset: LabeledArrays,
    quantity: str,
    places: Sequence[int] | None,
    in_percent: bool | None = None,
    nothing: float | None = None,
) -> Iterator[tuple[FloatArray, FloatArray, str]]:
    """Changes at each of some times, all times for None: [arm, member, time], what they may be wrong by, their unit."""
    if nothing is None:
        nothing = nothing_in(dataset)[str(dataset.variables[quantity].attrs["units"])]
    values = values_shown(dataset, quantity)
    baseline, peaks = (_or_nothing(part, nothing) for part in (values[:, :, :1], peaks_of(values)[:, :, np.newaxis]))
    resolution, terms = resolution_of(dataset), terms_of(dataset, quantity)[:, :, np.newaxis]
    in_percent = _are_positive(baseline) if in_percent is None else in_percent
    for after in _read_at(dataset, quantity, places):
        after = _or_nothing(after, nothing)
        if in_percent:
            before = np.broadcast_to(baseline, after.shape)
            errors = resolution.percent_error(after, before, peaks, terms)
            yield resolution.percent_beyond(after, before, errors), errors, "%"
        else:
            errors = resolution.error(after, peaks, terms) + resolution.error(baseline, peaks, terms)
            yield signal(after - baseline, errors), errors, str(dataset.variables[quantity].attrs["units"])


def _read_at(dataset: LabeledArrays, quantity: str, places: Sequence[int] | None) -> Iterator[FloatArray]:
    """Values as they are read at each of some times, or at all times at once for None: [arm, member, time]."""
    if places is None:
        yield averaged_course(dataset, quantity)[0]
    else:
        yield from (values[:, :, np.newaxis] for values, _, _ in each_read(dataset, quantity, places))


def _or_nothing(values: FloatArray, nothing: float) -> FloatArray:
    """Values, 0 where they are smaller than what is nothing but rounding."""
    return np.where(np.abs(values) < nothing, 0.0, values)


def less_untreated(
    dataset: LabeledArrays, quantity: str, place: int, untreated: int | None = None, *, nothing: float | None = None
) -> tuple[FloatArray, str]:
    """Change of each patient less that of the same patient untreated; arguments and result as above.

    In points of % of the baseline, or in the unit of the quantity; ``untreated`` is the index of the arm,
    `untreated_arm` if not given.
    """
    reference = untreated_arm(dataset) if untreated is None else untreated
    if reference is None:
        raise ValueError("the results have no untreated arm beside treated ones")
    ((changes, errors, changed_unit),) = _changes(dataset, quantity, [place], nothing=nothing)
    apart = signal(changes - changes[reference], errors + errors[reference])[:, :, 0]
    return apart, "points of %" if changed_unit == "%" else changed_unit


def untreated_arm(dataset: LabeledArrays) -> int | None:
    """Index of the first arm that is given nothing, where another is given something; None if there is none."""
    treated = treated_by(dataset, float("inf"))
    return int(np.argmin(treated)) if treated.any() and not treated.all() else None


def treated_by(dataset: LabeledArrays, day: float) -> npt.NDArray[np.bool_]:
    """Which arms are given a dose before a day, shape [arm]."""
    given = np.asarray(dataset.variables["dose_time"].values, dtype=np.float64)
    found: npt.NDArray[np.bool_] = np.any(given < day, axis=1)
    return found


def groups_of(dataset: LabeledArrays) -> tuple[PatientGroup, ...]:
    """All patients; each stratum where there are several; responders and the others where a response can be had."""
    shape = (dataset.sizes["arm"], dataset.sizes["member"])
    found = [PatientGroup(ALL, np.ones(shape))]
    strata = np.asarray(dataset["stratum"].values, dtype=object)
    kinds = list(dict.fromkeys(strata.tolist()))
    if len(kinds) > 1:
        found += [PatientGroup(str(kind), np.broadcast_to(1.0 * (strata == kind), shape)) for kind in kinds]
    chance = chance_of_response(dataset)
    if chance is not None:
        found += [PatientGroup(RESPONDERS, chance), PatientGroup(OTHERS, 1.0 - chance)]
    return tuple(found)


def chance_of_response(dataset: LabeledArrays) -> FloatArray | None:
    """Probability that each patient responds, shape [arm, member]; None where the results have nothing to tell it by.

    It is that of the observable ``response`` where the model has it, and else, for the shipped model, what that
    observable is at the shipped odds: those of creatine kinase (`simulate.biology.clinical`). It is read on the day on
    which the study judged it, or at the end of a run without this day. Of patients who are not there that day it is
    unknown: NaN, and they belong to neither group.
    """
    names = quantity_names(dataset)
    days = np.asarray(dataset["time"].values, dtype=np.float64)
    judged = shipped_trial().response
    if judged is None:
        return None
    place = int(np.abs(days - judged.day).argmin())
    if abs(float(days[place]) - judged.day) > _NEAR:
        place = len(days) - 1
    if judged.quantity in names:
        scale = 0.01 if dataset[judged.quantity].attrs["units"] == "%" else 1.0
        return scale * values_shown(dataset, judged.quantity, place)[:, :, 0]
    if _CK not in names or dataset.attrs.get("model") != REFERENCE:
        return None
    from simulate.biology.clinical import odds_of_response
    from simulate.biology.reference import parameter_table

    values, rows = values_shown(dataset, _CK), parameter_table()
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = values[:, :, place] / values[:, :, 0]
        odds = odds_of_response(rows["p_unchanged"].value, rows["slope_response"].value, ratio)
        chance: FloatArray = odds / (1.0 + odds)
    return chance


def draws_of_members(dataset: LabeledArrays) -> IntArray | None:
    """Number of the draw of each member, shape [member]; None where there is one population."""
    return np.asarray(dataset.variables["draw"].values, dtype=np.int64) if "draw" in dataset.coords else None


def are_draws_told(dataset: LabeledArrays) -> bool:
    """Whether it is told between which values draws of a fit are: of a table's own patients, or of enough others."""
    own = "patient_id" in dataset.coords
    return "draw" in dataset.coords and (own or dataset.sizes["member"] // draws_in(dataset) >= FEWEST_DRAWN)


def summed_up(changes: FloatArray, belonging: FloatArray, draws: IntArray | None = None) -> Paired:
    """Changes of an arm [member], NaN for who gives none, of those who belong to a group with some probability."""
    (found,) = each_summed_up([(changes, belonging)], draws)
    return found


def each_summed_up(
    groups: Sequence[tuple[FloatArray, FloatArray]], draws: IntArray | None = None
) -> tuple[Paired, ...]:
    """`summed_up` of several groups at once."""
    there = [np.isfinite(changes) & np.isfinite(belonging) & (belonging > 0.0) for changes, belonging in groups]
    present = [(changes[who], belonging[who]) for (changes, belonging), who in zip(groups, there, strict=True)]
    whole = _of_groups(present)
    if draws is None:
        return tuple(whole)
    # Members of a draw beside each other, in their order; a draw of which nobody is there counts as well.
    numbers = _distinct(draws)
    parts: list[tuple[FloatArray, FloatArray]] = []
    for (changes, belonging), who in zip(present, there, strict=True):
        own = draws[who]
        order = np.argsort(own, kind="stable")
        changes, belonging = changes[order], belonging[order]
        ends = [0, *np.searchsorted(own[order], numbers[1:]).tolist(), len(own)]
        parts += [(changes[first:end], belonging[first:end]) for first, end in pairwise(ends)]
    each, count = _of_groups(parts), len(numbers)
    return tuple(_with_draws(whole, [each[first : first + count] for first in range(0, len(each), count)]))


def _with_draws(whole: Sequence[Paired], draws: Sequence[Sequence[Paired]]) -> list[Paired]:
    """Groups with what the draws of each say one by one."""
    found = [replace(one, n=one.n / len(each)) for one, each in zip(whole, draws, strict=True)]
    told = [[[one.median, one.up, one.down] for one in each if one.median is not None] for each in draws]
    # One call for all groups of which as many draws say something.
    for count in {len(own) for own in told if own}:
        places = [place for place, own in enumerate(told) if len(own) == count]
        of_draws = np.array([told[place] for place in places], dtype=np.float64)
        bands = quantiles_along(of_draws.swapaxes(1, 2), (0.05, 0.95))
        for place, lows, highs in zip(places, *bands.tolist(), strict=True):
            ends = dict(zip(_OF_DRAWS, zip(lows, highs, strict=True), strict=True))
            found[place] = replace(found[place], of_draws=ends)
    return found


def _distinct(draws: IntArray) -> IntArray:
    """What numbers of draws there are, in order; at once where they are in order, as those of results are."""
    steps = np.diff(draws)
    return np.unique(draws) if (steps < 0).any() else draws[np.append(True, steps > 0)]


_OF_DRAWS = ("median", "up", "down")
_SHARES = (0.05, 0.5, 0.95)
_TOGETHER = 1 << 18
"""Numbers that are summed up at once: a group of a million patients by itself."""


def _of_groups(groups: Sequence[tuple[FloatArray, FloatArray]]) -> list[Paired]:
    """Changes of several groups summed up, each with the probabilities of belonging to it, shape [member] both."""
    found = [Paired(None, None, None, None, None, 0.0)] * len(groups)
    sizes: dict[int, list[int]] = {}
    for place, (changes, _) in enumerate(groups):
        if len(changes):
            sizes.setdefault(len(changes), []).append(place)
    for size, places in sizes.items():
        # One call for many that are as large, and not too many.
        together = max(1, _TOGETHER // size)
        for first in range(0, len(places), together):
            own = places[first : first + together]
            changes, weights = (np.stack([groups[place][part] for place in own]) for part in (0, 1))
            for place, one in zip(own, _summed(changes, weights), strict=True):
                found[place] = one
    return found


def _summed(changes: FloatArray, weights: FloatArray) -> Iterator[Paired]:
    """Changes of groups, shape [group, member], whose members belong to them with some probability, the same shape."""
    shares = np.empty((len(changes), len(_SHARES)))
    alike = (weights == weights[:, :1]).all(axis=1)
    totals = weights.sum(axis=1)
    if alike.any():
        shares[alike] = quantiles_along(changes[alike], _SHARES).T
    if not alike.all():
        chances = weights[~alike] / totals[~alike, np.newaxis]
        shares[~alike] = quantiles_of_rows(changes[~alike], chances, _SHARES)
    moved = np.stack([changes > 0.0, changes < 0.0])
    went = moved.sum(axis=2) / totals
    for row in np.flatnonzero(~alike | (weights[:, 0] != 1.0)).tolist():
        for way in (0, 1):
            went[way, row] = np.add.reduce(weights[row, moved[way, row]]) / totals[row]
    for (low, median, high), up, down, total in zip(shares.tolist(), *went.tolist(), totals.tolist(), strict=True):
        yield Paired(median, low, high, up, down, total)


def share_of_both(
    changes: Sequence[FloatArray], ways: Sequence[str], belonging: FloatArray, *, beyond: float = 0.0
) -> float | None:
    """Share of patients of an arm in whom all of some changes go their ways at once, by more than a size."""
    signed = np.stack([change if way == "up" else -change for change, way in zip(changes, ways, strict=True)])
    there = np.isfinite(signed).all(axis=0) & np.isfinite(belonging)
    total = float(belonging[there].sum())
    return float(belonging[there & (signed > beyond).all(axis=0)].sum()) / total if total > 0.0 else None


def verdict(direction: str, changed: Paired) -> tuple[SignVerdict, float] | None:
    """What the patients say of a direction, ``up`` or ``down``, and the share of them who go it; None for nobody.

    It is agreement where at least `AGREEING` of them go that way, disagreement where at least as many do not, and
    undecided between. Where some draws of a fit agree and others disagree, nothing is predicted.
    """
    share = changed.up if direction == "up" else changed.down
    if share is None:
        return None
    low, high = changed.of_draws.get(direction, (share, share))
    if low <= 1.0 - AGREEING and high >= AGREEING:
        return SignVerdict.NO_PREDICTION, share
    if share >= AGREEING:
        return SignVerdict.AGREES, share
    return (SignVerdict.DISAGREES if share <= 1.0 - AGREEING else SignVerdict.UNDECIDED), share


def error_of_change(quantity: str, day: float) -> float | None:
    """Standard error of the mean change of a logarithm that the shipped trial reads, of the noise of readings alone.

    Each of the patients with a sample at a visit is read twice; None for a quantity that the trial does not read.
    """
    trial = shipped_trial()
    read = next((part for part in trial.readouts if part.quantity == quantity), None)
    if read is None:
        return None
    place = min(range(len(trial.visits)), key=lambda index: abs(trial.visits[index].day - day))
    patients = read.samples[place] if read.samples else trial.visits[place].n or sum(arm.n for arm in trial.arms)
    noise = read.assay.sd_log if read.sampling is None else read.sampling.sd_log
    return noise * math.sqrt(2.0 / patients) if patients else None


def is_seen(median: float | None, quantity: str, day: float) -> bool | None:
    """Whether a change in % is as large as the `error_of_change` of its readings; None where that is not known."""
    error = error_of_change(quantity, day)
    if median is None or error is None:
        return None
    return median <= -100.0 or abs(math.log1p(median / 100.0)) >= error


def percent_of(share: float | None) -> str:
    """A share in whole percent; more or less than a number where it is all or none only when rounded."""
    if share is None:
        return "–"
    whole = round(100.0 * share)
    return ">99" if whole == 100 and share < 1.0 - 1e-12 else "<1" if whole == 0 and share > 0.0 else f"{whole}"
