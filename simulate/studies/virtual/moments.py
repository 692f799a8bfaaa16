"""Moments that reweighting must match, how precisely few patients determine them, and reported counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from simulate.evidence.items import Evidence
from simulate.evidence.kinds.counts import Count
from simulate.evidence.kinds.directions import WAYS, Direction
from simulate.evidence.subject import Subject
from simulate.inference.populations.target import Target
from simulate.streams import FloatArray
from simulate.studies.virtual.patients import PlausiblePatients
from simulate.studies.virtual.reported import Printed
from simulate.trials.design import Outcome


@dataclass(frozen=True, slots=True, eq=False)
class Wanted:
    """Functions of patients and the means that they are to have."""

    names: tuple[str, ...]  #: What the functions are
    functions: FloatArray  #: Values in each patient, shape [patient, function]
    #: Wanted means and their sampling covariance, shape [function] and [function, function].
    means: FloatArray
    covariance: FloatArray

    def and_also(self, other: Wanted) -> Wanted:
        """Both; their samplings have nothing to do with each other."""
        size = len(self.names), len(other.names)
        covariance = np.block(
            [[self.covariance, np.zeros(size)], [np.zeros((size[1], size[0])), other.covariance]],
        )
        return Wanted(
            self.names + other.names,
            np.concatenate([self.functions, other.functions], axis=1),
            np.concatenate([self.means, other.means]),
            covariance,
        )


def moments(found: Printed, target: Target, outputs: FloatArray, *, everything: bool = False) -> Wanted:
    """Moments of the standardized logarithms that were printed; with ``everything``, those of the others stay too.

    A printed level fixes the mean of z and of z², a printed correlation ρ that of ab − ½ρ(a² + b²), to which the
    correlation coefficient of a sample is equal to first order. In a sample of n from the target such means are as
    exact as those of quadratic forms of normal variables, cov(zᵀAz, zᵀBz) = 2 tr(A R B R); patients of a smaller sample
    are also in a larger one.
    """
    names = found.statistics
    number = len(names)
    z = (outputs - target.mean) / target.sd
    r = target.covariance / np.outer(target.sd, target.sd)
    labels: list[str] = []
    linear: list[FloatArray] = []
    forms: list[FloatArray] = []
    sizes: list[int] = []
    sizes_of = {level.statistic: level.n for level in found.levels}
    if everything:
        ties = {part: tie.n for tie in found.ties for part in (tie.a, tie.b)}
        sizes_of = {name: sizes_of.get(name, ties.get(name, 0)) for name in names}
    for statistic, n in sizes_of.items():
        axis = np.eye(number)[names.index(statistic)]
        labels += [f"mean of {statistic.name}", f"spread of {statistic.name}"]
        linear += [axis, np.zeros(number)]
        forms += [np.zeros((number, number)), np.outer(axis, axis)]
        sizes += [n, n]
    for tie in found.ties:
        a, b = names.index(tie.a), names.index(tie.b)
        form = np.zeros((number, number))
        form[a, b] = form[b, a] = 0.5
        form[a, a] = form[b, b] = -0.5 * tie.rho
        labels.append(f"correlation of {tie.a.name} and {tie.b.name}")
        linear.append(np.zeros(number))
        forms.append(form)
        sizes.append(tie.n)
    along, form = np.array(linear), np.array(forms)
    functions = np.einsum("ij,kj->ik", z, along) + np.einsum("ij,kjl,il->ik", z, form, z)
    spread = np.einsum("ij,jk,lk->il", along, r, along)
    spread = spread + 2.0 * np.einsum("aij,jk,bkl,li->ab", form, r, form, r)
    larger = np.maximum.outer(np.array(sizes), np.array(sizes))
    return Wanted(tuple(labels), functions, np.einsum("kij,ji->k", form, r), spread / larger)


def counts(evidence: Evidence, people: PlausiblePatients, outputs: FloatArray) -> Wanted | None:
    """Printed counts of responders and of changes among them, in the readings that are believed most; None without.

    A direction of a mean is an inequality, which has no moment, and is left out.
    """
    first = len(people.statistics)
    judged = people.problem.trial.response
    response = outputs[:, first]
    names, functions, means, variances = [], [], [], []
    for item in evidence.data:
        reading = item.most
        subject, statement = reading.subject, reading.statement
        if isinstance(statement, Count) and judged is not None and subject.quantity == judged.event:
            share = statement.count / statement.n
            function, mean, scale = response, share, 1.0
        elif isinstance(statement, Direction) and statement.count is not None:
            number = _place(people.changes, subject)
            if number is None or subject.group != "responders" or statement.partner is not None:
                continue
            share = statement.count / statement.n
            change = WAYS[statement.way] * outputs[:, first + 1 + number]
            # Among responders: of those who respond as many move so as was counted.
            function = response * (ndtr(change / people.noise(people.changes[number])) - share)
            mean, scale = 0.0, float(response.mean())
        else:
            continue
        names.append(item.name)
        functions.append(function)
        means.append(mean)
        variances.append(scale**2 * share * (1.0 - share) / statement.n)
    # A count of none or of all has no sampling variance that could be taken from it.
    kept = [index for index, variance in enumerate(variances) if variance > 0.0]
    if not kept:
        return None
    return Wanted(
        tuple(names[index] for index in kept),
        np.stack([functions[index] for index in kept], axis=1),
        np.array([means[index] for index in kept]),
        np.diag([variances[index] for index in kept]),
    )


def _place(changes: Sequence[Outcome], subject: Subject) -> int | None:
    """Place of the change that a figure is of; None where none is."""
    for place, change in enumerate(changes):
        if change.quantity == subject.quantity and change.last in subject.days:
            if subject.since in (None, change.first):
                return place
    return None
