"""Hypotheses compared by their evidence: odds, how far they depend on what was believed, and what each datum says."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from simulate.errors import InputError, counted, did_you_mean, not_among
from simulate.streams import FloatArray
from simulate.studies.comparison.variants import Change, Sort, Variant, change, variants
from simulate.studies.fitting.known_fits import Fit
from simulate.studies.fitting.named_evidence import evidence_name
from simulate.studies.fitting.posterior import error_by_patients, same_patients
from simulate.studies.models import assumed_together
from simulate.sums import logsumexp

NULL = "H0"

THREE, TEN = math.log(3.0), math.log(10.0)
"""Differences of log-evidence from which one hypothesis is favored, and strongly so."""

BAD = 0.01
"""Tail probability below which a hypothesis makes a figure a surprise."""

_TOO_SMALL = "too small is the fit of"

SAME, FAVORED, STRONG = "indistinguishable", "favored", "strong"
VERDICTS = (SAME, FAVORED, STRONG)
"""From the weakest."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One hypothesis against another."""

    #: Names; the difference is that of ``a`` less ``b``.
    a: str
    b: str
    difference: float  #: Difference of the log-evidences
    #: Standard errors of the difference: by the samplers, and by the choice of virtual patients.
    sampler: float
    patients: float
    #: Whether the error by the patients is that of the difference on the same patients; otherwise both add up.
    is_paired: bool
    verdict: str  #: One of `VERDICTS`
    reason: str  #: Why it is no stronger
    #: Range of the difference over the variants that the draws can tell.
    least: float
    most: float
    unknown: tuple[str, ...]  #: Variants that they cannot tell

    @property
    def error(self) -> float:
        return math.hypot(self.sampler, self.patients)


@dataclass(frozen=True, slots=True, eq=False)
class Matrix:
    """The contribution of each datum to the log-evidence of each hypothesis, relative to one of them."""

    items: tuple[str, ...]  #: Names of the data
    reference: str  #: Name of the hypothesis that the entries are relative to
    #: Share of the log-evidence less that under the reference, and standard error, shape [item, hypothesis]; errors are
    #: NaN where a fit has not kept them.
    entries: FloatArray
    errors: FloatArray
    remainders: FloatArray  #: Log-evidence that the shares leave over, shape [hypothesis]
    left_out: FloatArray  #: Logarithm of the predictive density of each item given the others, shape [item, hypothesis]

    @property
    def is_noise(self) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
        """Where an entry is within two standard errors, shape [item, hypothesis]; False where errors are unknown."""
        return np.abs(self.entries) < 2.0 * self.errors

    @property
    def with_all(self) -> Matrix:
        """With the sum of all items below, as one item more; its error is as if those of the items were independent."""
        total, error = self.entries.sum(axis=0), np.sqrt(np.square(self.errors).sum(axis=0))
        return replace(
            self,
            items=(*self.items, "all data"),
            entries=np.vstack([self.entries, total]),
            errors=np.vstack([self.errors, error]),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """Hypotheses held against one another."""

    fits: tuple[Fit, ...]  #: What was compared, the likeliest first
    #: Before and after the data, shape [hypothesis].
    prior: FloatArray
    probabilities: FloatArray
    pairs: tuple[Pair, ...]  #: All pairs, the likelier first in each
    #: One of `VERDICTS`, and what it means here.
    verdict: str
    sentence: str
    matrix: Matrix  #: What each datum says
    #: Other beliefs, and what each does to each hypothesis, [variant][hypothesis].
    variants: tuple[Variant, ...]
    changes: tuple[tuple[Change, ...], ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(fit.name for fit in self.fits)

    @property
    def assumptions(self) -> tuple[str, ...]:
        """Assumptions about the routes by which something is given, in sentences."""
        return assumed_together(fit.problem.assumptions for fit in self.fits)

    def against_best(self, name: str) -> Pair | None:
        """The pair of the likeliest and another; None for the likeliest."""
        return next((pair for pair in self.pairs if (pair.a, pair.b) == (self.names[0], name)), None)

    def worst_tail(self, name: str) -> tuple[str, str, float] | None:
        """The figure that a fitted hypothesis makes most surprising: item, figure, tail; None where none was kept."""
        support = self.fits[self.names.index(name)].posterior.support
        return None if support is None else min(support.tails, key=lambda row: row[2], default=None)


def _check_evidence(fits: Sequence[Fit]) -> None:
    """Refuse fits to different data: their evidences are probabilities of different things."""
    names = {(evidence_name(fit.problem), fit.posterior.items): fit.name for fit in fits}
    if len(names) > 1:
        (first, _), (second, _) = list(names)[:2]
        one, other = list(names.values())[:2]
        raise InputError(
            f"`{one}` and `{other}` stand on different evidence",
            code="compare.evidence",
            found=f"`{first}` and `{second}`",
            expected="fits to the same statements",
            advice=f"fit all to one set: `simulate compare {one} {other} --evidence {first}`",
        )


def compare(fits: Sequence[Fit], *, prior: Mapping[str, float] | None = None, against: str | None = None) -> Comparison:
    """Compare hypotheses that were fitted to the same evidence, at least two.

    ``prior`` has weights before the data, 1 where not given; the matrix is relative to ``against``, or else to the null
    hypothesis, or the likeliest.
    """
    _check_evidence(fits)
    order = sorted(fits, key=lambda fit: -fit.posterior.log_evidence)
    names = [fit.name for fit in order]
    # A file may be meant by its own name as well.
    files = {fit.problem.hypothesis: fit.name for fit in order}
    weights = _weights(names, _by_name(prior or {}, files))
    logs = np.array([fit.posterior.log_evidence for fit in order]) + np.log(weights)
    found = variants(order)
    changes = tuple(tuple(change(variant, fit) for fit in order) for variant in found)
    pairs = tuple(
        _pair(order[a], order[b], found, [(row[a], row[b]) for row in changes])
        for a in range(len(order))
        for b in range(a + 1, len(order))
    )
    reference = files.get(against or "", against) or (NULL if NULL in names else names[0])
    if reference not in names:
        raise not_among(
            f"`{reference}` is not among the hypotheses that are compared", reference, names, code="compare.against"
        )
    verdict, sentence = _overall(names, pairs)
    return Comparison(
        tuple(order),
        weights / weights.sum(),
        np.exp(logs - logsumexp(logs)),
        pairs,
        verdict,
        sentence,
        _matrix(order, names.index(reference)),
        found,
        changes,
    )


def _by_name(prior: Mapping[str, float], files: Mapping[str, str]) -> dict[str, float]:
    """Weights by the names of hypotheses; refuses two of one hypothesis, by its file and by its name."""
    found: dict[str, float] = {}
    asked: dict[str, str] = {}
    for given, weight in prior.items():
        name = files.get(given, given)
        if name in found:
            raise InputError(
                f"the prior weight of `{name}` is given twice",
                code="compare.prior",
                found=f"{asked[name]}={found[name]:g} and {given}={weight:g}",
                expected="one weight of each hypothesis",
                advice="leave one out",
            )
        found[name], asked[name] = weight, given
    return found


def _weights(names: Sequence[str], prior: Mapping[str, float]) -> FloatArray:
    for name, weight in prior.items():
        if name not in names or not 0.0 < weight < math.inf:
            raise InputError(
                f"`{name}` is not among the hypotheses that are compared"
                if name not in names
                else f"the prior weight of `{name}` is not above 0",
                code="compare.prior",
                found=f"{name}={weight:g}",
                expected=f"weights above 0 of {', '.join(f'`{known}`' for known in names)}",
                advice=did_you_mean(name, names) if name not in names else None,
            )
    return np.array([prior.get(name, 1.0) for name in names])


def _pair(a: Fit, b: Fit, found: Sequence[Variant], changes: Sequence[tuple[Change, Change]]) -> Pair:
    difference = a.posterior.log_evidence - b.posterior.log_evidence
    sampler = math.hypot(a.posterior.errors[0], b.posterior.errors[0])
    patients, is_paired = error_by_patients(a.posterior, b.posterior)
    moved = {
        variant.name: difference + ours.value - theirs.value
        for variant, (ours, theirs) in zip(found, changes, strict=True)
        if ours.is_known and theirs.is_known
    }
    least, most = min(moved.values(), default=difference), max(moved.values(), default=difference)
    verdict, reason = judge(difference, math.hypot(sampler, patients), moved)
    # Where few draws have most of the weight, a log-evidence is not known to the error that it tells.
    if small := [one for one in (a, b) if one.posterior.diagnostics.weakness]:
        told = " and ".join(
            f"{one.name} ({counted(round(one.posterior.diagnostics.effective), 'effective draw')})" for one in small
        )
        verdict, reason = SAME, f"{_TOO_SMALL} {told}; more particles and draws"
    unknown = tuple(variant.name for variant in found if variant.name not in moved)
    return Pair(a.name, b.name, difference, sampler, patients, is_paired, verdict, reason, least, most, unknown)


def judge(difference: float, error: float, moved: Mapping[str, float]) -> tuple[str, str]:
    """Verdict on a difference of log-evidences, and why it is no stronger."""
    if difference < 2.0 * error:
        return SAME, "the difference is within its noise"
    if difference < THREE:
        return SAME, "the odds are below 3"
    worst = min(moved, key=lambda name: moved[name], default=None)
    if worst is not None and moved[worst] < THREE:
        return SAME, f"depends on: {worst}"
    if difference < TEN:
        return FAVORED, "the odds are below 10"
    if worst is not None and moved[worst] < TEN:
        return FAVORED, f"odds above 10 depend on: {worst}"
    return STRONG, ""


def _overall(names: Sequence[str], pairs: Sequence[Pair]) -> tuple[str, str]:
    best = names[0]
    against = [pair for pair in pairs if pair.a == best]
    verdict = min((pair.verdict for pair in against), key=VERDICTS.index)
    close = [pair.b for pair in against if pair.verdict == SAME]
    others = [pair.b for pair in against if pair.verdict != SAME]
    less = f"; less likely: {', '.join(others)}" if others else ""
    if unknown := [pair.b for pair in against if pair.reason.startswith(_TOO_SMALL)]:
        less = f"; fits are too small to tell {best} from {', '.join(unknown)}{less}"
        close = [name for name in close if name not in unknown]
        if not close:
            return verdict, less.removeprefix("; ")
    if close:
        return verdict, f"the data cannot tell {best} from {', '.join(close)}{less}"
    return verdict, f"{best} is {'strongly ' if verdict == STRONG else ''}favored over {', '.join(others)}"


def _matrix(fits: Sequence[Fit], reference: int) -> Matrix:
    shares = np.array([fit.posterior.shares for fit in fits]).T
    errors = np.array([_item_errors(fit, fits[reference]) for fit in fits]).T
    errors[:, reference] = 0.0
    left_out = np.array(
        [
            np.log(len(fit.posterior.points)) - logsumexp(-fit.posterior.log_likelihoods, axis=0)
            for fit in fits
        ]
    ).T  # fmt: skip
    return Matrix(
        fits[0].posterior.items,
        fits[reference].name,
        shares - shares[:, [reference]],
        errors,
        np.array([fit.posterior.log_evidence for fit in fits]) - shares.sum(axis=0),
        left_out,
    )


def _item_errors(fit: Fit, reference: Fit) -> FloatArray:
    ours, theirs = fit.posterior.support, reference.posterior.support
    if ours is None or theirs is None:
        return np.full(len(fit.posterior.items), np.nan)
    if same_patients(fit.posterior, reference.posterior):
        moved = ours.set_items - theirs.set_items
        patients = np.concatenate([np.zeros((1, moved.shape[1])), moved]).std(axis=0, ddof=1)
    else:
        parts = [np.concatenate([np.zeros((1, part.set_items.shape[1])), part.set_items]) for part in (ours, theirs)]
        patients = np.hypot(parts[0].std(axis=0, ddof=1), parts[1].std(axis=0, ddof=1))
    error: FloatArray = np.sqrt(ours.share_errors**2 + theirs.share_errors**2 + patients**2)
    return error


def influential(comparison: Comparison, pair: Pair) -> tuple[tuple[Sort, str, float], ...]:
    """For each sort of variant the one that moves a pair most: sort, name, difference under it."""
    a, b = comparison.names.index(pair.a), comparison.names.index(pair.b)
    most: dict[Sort, tuple[str, float]] = {}
    for variant, row in zip(comparison.variants, comparison.changes, strict=True):
        moved = row[a].value - row[b].value
        if row[a].is_known and row[b].is_known and abs(moved) > abs(most.get(variant.sort, ("", 0.0))[1]):
            most[variant.sort] = (variant.name, moved)
    return tuple((sort, name, pair.difference + moved) for sort, (name, moved) in most.items())
