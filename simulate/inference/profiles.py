"""Profile likelihoods by search, without gradients: one coordinate is held, and the others are searched.

For each coordinate and each of its values the other coordinates are searched, all at once: a round of the search is one
batch over everything that is still being searched. The search is the evolution strategy of N. Hansen and A. Ostermeier
(Evolutionary Computation 9 (2001) 159) with the usual constants. It begins at draws of the posterior moved to the
value, with the spread that the posterior has around them. Tried too are what a neighbor on the grid has found, and the
top of the parabola through the best points so far.

A search finds points, so what it gives is a lower bound. A value within `THRESHOLD` of the maximum is one that the data
leave open, as sure as the maximum itself was found, which every search and every draw had a part in; a lower value may
be due to the search. So "flat" is the safe verdict, and "bounded" is as good as the search, which errs on the side of
too narrow an interval.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simulate.errors import InputError
from simulate.inference.target import Target, scores
from simulate.streams import FloatArray, IntArray, stream

THRESHOLD = 1.92
"""Half the 95 % quantile of chi-squared with one degree of freedom."""

REACH = 4.0
"""Standard deviations of the prior within which is searched."""

_OFFSPRING = 8
_PATIENCE = 6
_WORTHWHILE = 0.02
_NEAR = 0.5
_FLATTEST = 0.02
"""Least bend of a parabola in any direction, over the greatest: what bends less is left to chance."""

_FIRST_STEP = 0.15
_RIDGE = 1e-9
_SMALL = 40


@dataclass(frozen=True, slots=True, eq=False)
class Profiles:
    """Lower bounds of profile log-likelihoods.

    Attributes
    ----------
    coordinates
        Which coordinates.
    grid
        Values at which each was held, shape [value].
    values
        Greatest log-likelihood found, shape [coordinate, value]; minus infinity where no feasible point was.
    points
        Where, shape [coordinate, value, dimension].
    best, maximum
        Point of the greatest log-likelihood found anywhere, in the draws or here, shape [dimension]; and its value.
    evaluations
        Points whose likelihood was asked for.
    """

    coordinates: tuple[int, ...]
    grid: FloatArray
    values: FloatArray
    points: FloatArray
    best: FloatArray
    maximum: float
    evaluations: int

    @property
    def verdicts(self) -> tuple[str, ...]:
        """For each coordinate "flat", "one-sided", "bounded", or "split" if only values in between are excluded."""
        inside = self.values >= self.maximum - THRESHOLD
        found = []
        for row in inside:
            ends = int(row[0]) + int(row[-1])
            found.append(("bounded", "one-sided", "flat" if row.all() else "split")[ends])
        return tuple(found)

    @property
    def intervals(self) -> FloatArray:
        """Ends of what lies within the threshold, shape [coordinate, 2]; infinite where the grid ends before it does.

        Between the values of the grid, of which the best point is one, the root of what a profile is below the maximum
        is taken for linear: of a parabola that is exact.
        """
        ends = np.full((len(self.coordinates), 2), (-np.inf, np.inf))
        for index, (coordinate, values) in enumerate(zip(self.coordinates, self.values, strict=True)):
            order = np.argsort([*self.grid, self.best[coordinate]], kind="stable")
            grid = np.array([*self.grid, self.best[coordinate]])[order]
            below = np.sqrt(np.maximum(self.maximum - np.array([*values, self.maximum])[order], 0.0))
            inside = np.flatnonzero(below <= math.sqrt(THRESHOLD))
            first, last = int(inside[0]), int(inside[-1])
            if first > 0:
                ends[index, 0] = _crossing(grid, below, first, first - 1)
            if last < len(grid) - 1:
                ends[index, 1] = _crossing(grid, below, last, last + 1)
        return ends


def profiles(
    target: Target,
    points: FloatArray,
    totals: FloatArray,
    weights: FloatArray,
    *,
    grid: FloatArray,
    seed: int,
    coordinates: Sequence[int] | None = None,
    starts: int = 4,
    rounds: int = 24,
) -> Profiles:
    """Profile log-likelihoods of coordinates, searched in lockstep.

    Parameters
    ----------
    target
        Log-likelihoods.
    points, totals, weights
        Draws of the posterior, shape [draw, dimension], their log-likelihoods and their weights, shape [draw].
    grid
        Values at which a coordinate is held, ascending, in standard deviations of the prior.
    seed
        Key of all random numbers.
    coordinates
        Which ones; all if absent.
    starts
        Draws that are moved to each value, each in two ways, to begin there with the best.
    rounds
        Rounds of the search at most; one that has gained next to nothing for some rounds is left.

    Raises
    ------
    InputError
        ``profiles.grid``: fewer than two values, or not ascending.
    """
    grid = np.asarray(grid, dtype=float)
    if grid.ndim != 1 or len(grid) < 2 or not np.all(np.diff(grid) > 0.0):
        raise InputError(
            "the grid of a profile must ascend",
            code="profiles.grid",
            found=np.array2string(grid, precision=4),
            expected="two values or more, each greater than the one before",
        )
    dimension = points.shape[1]
    chosen = tuple(range(dimension) if coordinates is None else coordinates)
    search = _Search(points, totals, weights, chosen, grid)
    search.begin(target, points, totals, starts)
    for number in range(rounds):
        if dimension == 1 or not search.active.any():
            break
        search.round(target, seed, number)
    every, where = np.concatenate([search.best, totals]), np.concatenate([search.place, points])
    best = int(np.argmax(every))
    values = search.best.reshape(len(chosen), len(grid))
    places = search.place.reshape(*values.shape, dimension)
    return Profiles(chosen, grid, values, places, where[best], float(every[best]), search.evaluations)


def _crossing(grid: FloatArray, below: FloatArray, inside: int, outside: int) -> float:
    share = (math.sqrt(THRESHOLD) - below[inside]) / (below[outside] - below[inside])
    return float(grid[inside] + share * (grid[outside] - grid[inside]))


def _solved(matrix: FloatArray, right: FloatArray) -> FloatArray:
    """Solution of a positive definite system, by halves: the bits of LAPACK depend on threads for large ones."""
    n = len(matrix)
    if n <= _SMALL:
        return np.asarray(np.linalg.solve(matrix, right), dtype=np.float64)
    half = n // 2
    coupling = matrix[half:, :half]
    first = _solved(matrix[:half, :half], np.concatenate([coupling.T, right[:half]], axis=1))
    across, start = first[:, : n - half], first[:, n - half :]
    rest = matrix[half:, half:] - np.einsum("ij,jk->ik", coupling, across)
    second = _solved(rest, right[half:] - np.einsum("ij,jk->ik", coupling, start))
    return np.concatenate([start - np.einsum("ij,jk->ik", across, second), second])


class _Search:
    """State of every search; a search is a coordinate held at a value of the grid."""

    def __init__(
        self, points: FloatArray, totals: FloatArray, weights: FloatArray, chosen: Sequence[int], grid: FloatArray
    ) -> None:
        dimension = points.shape[1]
        self._grid = len(grid)
        self._held = np.repeat(np.array(chosen, dtype=np.int64), len(grid))
        self._value = np.tile(grid, len(chosen))
        self._others = np.array([[k for k in range(dimension) if k != held] for held in self._held], dtype=np.int64)
        mean = np.einsum("i,ij->j", weights, points) / weights.sum()
        centered = points - mean
        covariance = np.einsum("i,ij,ik->jk", weights, centered, centered) / weights.sum()
        covariance += _RIDGE * np.eye(dimension)
        self._spread = np.sqrt(np.diag(covariance))
        # How the others go with a coordinate, and how they spread when it is held.
        self._slope = covariance[self._others, self._held[:, None]] / np.diag(covariance)[self._held, None]
        self._covariance = covariance[self._others[:, :, None], self._others[:, None, :]] - np.einsum(
            "i,ij,ik->ijk", np.diag(covariance)[self._held], self._slope, self._slope
        )
        count, n = self._others.shape
        self._covariance += _RIDGE * np.eye(n)
        self._mean = np.zeros((count, n))
        self._step = np.full(count, _FIRST_STEP)
        self._path = np.zeros((count, n))
        self._path_step = np.zeros((count, n))
        self.best = np.full(count, -np.inf)
        self.place = np.zeros((count, dimension))
        self._history = [self.best]
        self.active = np.ones(count, dtype=bool)
        self.evaluations = 0
        self._seen: list[list[FloatArray]] = [[] for _ in self._held]
        self._totals: list[list[FloatArray]] = [[] for _ in self._held]

    def begin(self, target: Target, points: FloatArray, totals: FloatArray, starts: int) -> None:
        """Evaluate draws moved to each value, and begin at the best."""
        everyone = np.arange(len(self._held))
        candidates = []
        for search in everyone:
            held, value = int(self._held[search]), float(self._value[search])
            far = np.square((points[:, held] - value) / self._spread[held])
            near = points[np.argsort(-(totals - 0.5 * far), kind="stable")[:starts]]
            plain, along = near[:, self._others[search]], near[:, held, None]
            candidates.append(np.concatenate([plain, plain + self._slope[search] * (value - along)]))
        self._evaluate(target, everyone, np.stack(candidates))
        self._mean = np.take_along_axis(self.place, self._others, axis=1)
        self._history = [self.best.copy()]

    def round(self, target: Target, seed: int, number: int) -> None:
        """One generation of every search that is still active, as one batch."""
        now = np.flatnonzero(self.active)
        n = self._others.shape[1]
        normal = np.stack(
            [
                stream(
                    seed, f"profile of coordinate {self._held[search]} at value {search % self._grid}", number
                ).standard_normal((_OFFSPRING, n))
                for search in now
            ]
        )
        roots = np.linalg.cholesky(self._covariance[now])
        moves = np.einsum("sij,skj->ski", roots, normal)
        offspring = self._mean[now, None] + self._step[now, None, None] * moves
        guesses = np.stack([self._guess(int(search), root) for search, root in zip(now, roots, strict=True)])
        candidates = np.concatenate([offspring, self._migrants(now), guesses[:, None]], axis=1)
        found, improved = self._evaluate(target, now, candidates)
        self._adapt(now, found[:, :_OFFSPRING], normal, moves)
        near = np.median(found[:, :_OFFSPRING], axis=1) > self.best[now] - _NEAR
        # What was found otherwise is worth a new beginning.
        moved = now[improved >= _OFFSPRING]
        self._mean[moved] = np.take_along_axis(self.place[moved], self._others[moved], axis=1)
        self._path[moved] = self._path_step[moved] = 0.0
        self._history = [*self._history[-_PATIENCE:], self.best.copy()]
        if len(self._history) > _PATIENCE:
            with np.errstate(invalid="ignore"):
                settled = near & (self.best - self._history[0] < _WORTHWHILE)[now]
            self.active[now[settled]] = False

    def _migrants(self, now: IntArray) -> FloatArray:
        """Best points of both neighbors on the grid, moved along the slope, shape [search, 2, other]."""
        sides = []
        for side in (-1, 1):
            inside = (now % self._grid + side >= 0) & (now % self._grid + side < self._grid)
            neighbor = np.where(inside, now + side, now)
            place = np.take_along_axis(self.place[neighbor], self._others[now], axis=1)
            sides.append(place + self._slope[now] * (self._value[now] - self._value[neighbor])[:, None])
        return np.stack(sides, axis=1)

    def _guess(self, search: int, root: FloatArray) -> FloatArray:
        """Top of a parabola through the best points of a search, in the metric of its covariance."""
        place: FloatArray = self.place[search, self._others[search]]
        totals = np.concatenate(self._totals[search])
        n = len(place)
        rows, columns = np.triu_indices(n)
        coefficients = 1 + n + len(rows)
        chosen = np.argsort(-totals, kind="stable")[: 2 * coefficients]
        chosen = chosen[np.isfinite(totals[chosen])]
        if len(chosen) < n + 3:
            return place
        # With few points a round parabola.
        round_one = len(chosen) < coefficients + n
        apart = np.linalg.solve(root, (np.concatenate(self._seen[search])[chosen] - place).T).T
        radius = np.sqrt(np.square(apart).sum(axis=1).max())
        apart /= radius
        squares = np.square(apart).sum(axis=1)[:, None] if round_one else apart[:, rows] * apart[:, columns]
        terms = np.concatenate([np.ones((len(chosen), 1)), apart, squares], axis=1)
        normal = np.einsum("ki,kj->ij", terms, terms) + _RIDGE * np.eye(terms.shape[1])
        fitted = _solved(normal, np.einsum("ki,kj->ij", terms, (totals[chosen] - totals[chosen[0]])[:, None]))[:, 0]
        bend = np.zeros((n, n))
        if round_one:
            np.fill_diagonal(bend, 2.0 * fitted[-1])
        else:
            bend[rows, columns] = fitted[1 + n :]
            bend = bend + bend.T
        sizes, directions = np.linalg.eigh(-bend)
        if sizes[-1] <= 0.0:
            return place
        slopes = np.einsum("ij,i->j", directions, fitted[1 : 1 + n]) / np.maximum(sizes, _FLATTEST * sizes[-1])
        move = np.einsum("ij,j->i", directions, slopes)
        far = max(1.0, float(np.sqrt(np.square(move).sum())))
        guess: FloatArray = place + np.einsum("ij,j->i", root, move * (radius / far))
        return guess

    def _evaluate(self, target: Target, now: IntArray, others: FloatArray) -> tuple[FloatArray, IntArray]:
        """Log-likelihoods [search, candidate], and which candidate is the best so far, or -1."""
        count, candidates, _ = others.shape
        batch = np.empty((count, candidates, self.place.shape[1]))
        np.put_along_axis(
            batch, np.broadcast_to(self._others[now, None], others.shape), np.clip(others, -REACH, REACH), axis=2
        )
        batch[np.arange(count), :, self._held[now]] = self._value[now, None]
        found = scores(target, batch.reshape(count * candidates, -1)).total.reshape(count, candidates)
        self.evaluations += found.size
        for index, search in enumerate(now):
            self._seen[search].append(np.take_along_axis(batch[index], self._others[search][None], axis=1))
            self._totals[search].append(found[index])
        first = np.argmax(found, axis=1)
        greatest = found[np.arange(count), first]
        better = greatest > self.best[now]
        self.best[now[better]] = greatest[better]
        self.place[now[better]] = batch[better, first[better]]
        return found, np.where(better, first, -1)

    def _adapt(self, now: IntArray, found: FloatArray, normal: FloatArray, moves: FloatArray) -> None:
        """New means, steps and covariances, as Hansen and Ostermeier have them."""
        n = self._others.shape[1]
        parents = _OFFSPRING // 2
        weights = np.log(parents + 0.5) - np.log(np.arange(1, parents + 1))
        order = np.argsort(-found, axis=1, kind="stable")[:, :parents, None]
        shares = np.where(np.isfinite(np.take_along_axis(found[:, :, None], order, axis=1)[:, :, 0]), weights, 0.0)
        lost = shares[:, 0] == 0.0
        shares[lost, 0] = 1.0
        shares /= shares.sum(axis=1, keepdims=True)
        effective = 1.0 / np.square(shares).sum(axis=1)
        chosen = np.take_along_axis(moves, order, axis=1)
        move = np.einsum("sk,ski->si", shares, chosen)
        pull = np.einsum("sk,ski->si", shares, np.take_along_axis(normal, order, axis=1))
        # No offspring was feasible: stay, and look closer.
        self._step[now[lost]] *= 0.5
        now, shares, effective, chosen, move, pull = (
            part[~lost] for part in (now, shares, effective, chosen, move, pull)
        )
        self._mean[now] = np.clip(self._mean[now] + self._step[now, None] * move, -REACH, REACH)

        memory = (effective + 2.0) / (n + effective + 5.0)
        damping = 1.0 + memory + 2.0 * np.maximum(0.0, np.sqrt(np.maximum(effective - 1.0, 0.0) / (n + 1.0)) - 1.0)
        self._path_step[now] = (1.0 - memory)[:, None] * self._path_step[now] + np.sqrt(
            memory * (2.0 - memory) * effective
        )[:, None] * pull
        length = np.sqrt(np.square(self._path_step[now]).sum(axis=1))
        expected = np.sqrt(n) * (1.0 - 1.0 / (4.0 * n) + 1.0 / (21.0 * n * n))
        self._step[now] *= np.exp(memory / damping * (length / expected - 1.0))

        slow = (4.0 + effective / n) / (n + 4.0 + 2.0 * effective / n)
        short = (length < (1.4 + 2.0 / (n + 1.0)) * expected).astype(float)
        self._path[now] = (1.0 - slow)[:, None] * self._path[now] + (short * np.sqrt(slow * (2.0 - slow) * effective))[
            :, None
        ] * move
        one = 2.0 / ((n + 1.3) ** 2 + effective)
        many = np.minimum(1.0 - one, 2.0 * (effective - 2.0 + 1.0 / effective) / ((n + 2.0) ** 2 + effective))
        many = np.maximum(many, 0.0)
        self._covariance[now] = (
            (1.0 - one - many)[:, None, None] * self._covariance[now]
            + np.einsum("s,si,sj->sij", one, self._path[now], self._path[now])
            + np.einsum("s,sk,ski,skj->sij", many, shares, chosen, chosen)
        )
