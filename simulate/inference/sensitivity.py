"""Global sensitivity: shares of variance (Sobol) and elementary effects (Morris), of inputs or groups of inputs.

Inputs are independent and uniform on (0, 1); what else they are is for the caller to make of them. A design says at
which points a function is asked, all of them at once, and the answers come back as one array. A point without an answer
refuses the whole figure: indices from what is left would be of other inputs than those asked for.

Shares of variance are those of ``scipy.stats.sobol_indices`` (Saltelli et al., Comput. Phys. Commun. 181 (2010) 259) on
answers less their mean, with percentile intervals from rows drawn again. Effects are those of Morris (Technometrics 33
(1991) 161) with the absolute mean of Campolongo et al. (Environ. Model. Softw. 22 (2007) 1509).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from simulate.errors import InputError, NumericalError, counted
from simulate.streams import FloatArray, stream

Groups = Sequence[Sequence[int]]
"""Columns of the inputs that are changed together; each column is in one group, or in none and then never changed."""

LEVELS = 4
"""Levels at which Morris' design asks: the middles of so many equal parts of (0, 1)."""

RESAMPLES = 500
LEVEL = 0.95

_EDGE = 2.0**-53
_ROUNDING = 2.0**-48


@dataclass(frozen=True, slots=True, eq=False)
class Shares:
    """Shares of the variance of an answer.

    Attributes
    ----------
    mean, variance
        Of the answers.
    first, total
        Share of each group alone, and with all its interactions, shape [group]; NaN where the answer is constant.
    first_interval, total_interval
        Percentile intervals at `LEVEL`, shape [group, 2].
    """

    mean: float
    variance: float
    first: FloatArray
    total: FloatArray
    first_interval: FloatArray
    total_interval: FloatArray

    @property
    def is_defined(self) -> bool:
        """Whether the answer varies at all."""
        return bool(np.isfinite(self.total).all())


@dataclass(frozen=True, slots=True, eq=False)
class Effects:
    """Elementary effects: what an answer does when a group moves by half of its range of probability.

    Attributes
    ----------
    mean, size, spread
        Mean, mean of the absolute value, and standard deviation of the effects, shape [group], in the unit of the
        answer. A spread beside the size is interaction or curvature.
    size_interval
        Percentile interval of the size at `LEVEL`, shape [group, 2].
    """

    mean: FloatArray
    size: FloatArray
    spread: FloatArray
    size_interval: FloatArray


def saltelli_points(groups: Groups, dimension: int, n: int, *, seed: int) -> FloatArray:
    """Points of a design for shares of variance, shape [(groups + 2) * n, input].

    First the ``n`` rows of A, then those of B, then those of A with the columns of each group from B.

    Raises
    ------
    InputError
        ``sensitivity.size``: ``n`` is not a power of two, without which a Sobol sequence is not balanced.
    """
    if n < 2 or n & (n - 1):
        raise InputError(
            f"a design with {counted(n, 'row')} is asked for",
            code="sensitivity.size",
            expected="a power of two, such as 256",
            advice="a Sobol sequence is balanced at powers of two only",
        )
    from scipy.stats import qmc

    sobol = qmc.Sobol(2 * dimension, rng=int(stream(seed, "sensitivity: shares", 0).integers(2**62)))
    both = np.clip(sobol.random(n), _EDGE, 1.0 - _EDGE)
    a, b = both[:, :dimension], both[:, dimension:]
    pages = [a, b]
    for columns in groups:
        page = a.copy()
        page[:, list(columns)] = b[:, list(columns)]
        pages.append(page)
    return np.concatenate(pages)


def shares(
    answers: FloatArray, groups: int, n: int, *, seed: int, errors: FloatArray | None = None, resamples: int = RESAMPLES
) -> Shares:
    """Shares of variance from the answers at `saltelli_points`.

    Parameters
    ----------
    answers
        Shape [(groups + 2) * n].
    groups, n
        As the design had them.
    seed
        Key of the rows that are drawn again for the intervals.
    errors
        What each answer may be wrong by, of the shape of the answers; what rounding leaves if not given. Answers that
        are no further apart are one number and have no shares.

    Raises
    ------
    NumericalError
        ``sensitivity.failed``: a point has no answer.
    """
    _check_answers(answers)
    mean, variance = float(answers[: 2 * n].mean()), float(answers[: 2 * n].var())
    if _is_constant(answers, _rounding(answers) if errors is None else errors):
        nothing, nowhere = np.full(groups, np.nan), np.full((groups, 2), np.nan)
        return Shares(mean, 0.0, nothing, nothing, nowhere, nowhere)
    # Without its mean an answer has the same shares, known far better where the mean is large.
    pages = (answers - mean).reshape(groups + 2, n)
    first, total = _indices(pages)
    rows = stream(seed, "sensitivity: rows", n).integers(n, size=(resamples, n))
    again = np.array([_indices(pages[:, row]) for row in rows])
    interval = np.quantile(again, _limits(), axis=0).transpose(1, 2, 0)
    return Shares(mean, variance, first, total, interval[0], interval[1])


def _indices(pages: FloatArray) -> tuple[FloatArray, FloatArray]:
    from scipy.stats import sobol_indices

    inputs = len(pages) - 2
    if inputs == 1:
        # SciPy refuses a single input: it is asked twice.
        pages = np.concatenate([pages, pages[2:]])
    answers: dict[Literal["f_A", "f_B", "f_AB"], FloatArray] = {
        "f_A": pages[:1],
        "f_B": pages[1:2],
        "f_AB": pages[2:, np.newaxis],
    }
    with np.errstate(invalid="ignore", divide="ignore"):
        found = sobol_indices(func=answers, n=pages.shape[1])
    return np.ravel(found.first_order)[:inputs], np.ravel(found.total_order)[:inputs]


def morris_points(groups: Groups, dimension: int, trajectories: int, *, seed: int) -> FloatArray:
    """Points of a design for elementary effects, shape [trajectories * (groups + 1), input].

    Each trajectory begins anywhere on the levels and moves one group after the other, in an order of its own, by half
    of the levels.
    """
    points = np.empty((trajectories, len(groups) + 1, dimension))
    for number in range(trajectories):
        start, order = _trajectory(groups, dimension, number, seed)
        points[number, 0] = start
        for step, group in enumerate(order.tolist()):
            points[number, step + 1] = points[number, step]
            columns = list(groups[group])
            points[number, step + 1, columns] = _moved(start[columns])
    return points.reshape(-1, dimension)


def effects(
    answers: FloatArray,
    groups: Groups,
    dimension: int,
    *,
    seed: int,
    errors: FloatArray | None = None,
    resamples: int = RESAMPLES,
) -> Effects:
    """Elementary effects from the answers at `morris_points` with the same groups, dimension and seed.

    The effect of a group of one is signed by the direction of its move; that of a larger group has no sign, and its
    mean is NaN. Two answers that are no further apart than their errors have none.

    Raises
    ------
    NumericalError
        ``sensitivity.failed``: a point has no answer.
    """
    _check_answers(answers)
    paths = answers.reshape(-1, len(groups) + 1)
    wrong = (_rounding(answers) if errors is None else errors).reshape(paths.shape)
    moves = np.diff(paths)
    moves[np.abs(moves) <= wrong[:, 1:] + wrong[:, :-1]] = 0.0
    found = np.empty((len(paths), len(groups)))
    for number, move in enumerate(moves):
        start, order = _trajectory(groups, dimension, number, seed)
        signs = [1.0 if len(part) != 1 or start[part[0]] < 0.5 else -1.0 for part in groups]
        found[number, order] = move
        found[number] *= signs
    sizes = np.abs(found)
    rows = stream(seed, "sensitivity: trajectories", len(paths)).integers(len(paths), size=(resamples, len(paths)))
    interval = np.quantile(sizes[rows].mean(axis=1), _limits(), axis=0).T
    single = np.array([len(part) == 1 for part in groups])
    mean = np.where(single, found.mean(axis=0), np.nan)
    return Effects(mean, sizes.mean(axis=0), found.std(axis=0, ddof=min(1, len(paths) - 1)), interval)


def _trajectory(groups: Groups, dimension: int, number: int, seed: int) -> tuple[FloatArray, npt.NDArray[np.int64]]:
    generator = stream(seed, "sensitivity: effects", number)
    start: FloatArray = (generator.integers(LEVELS, size=dimension) + 0.5) / LEVELS
    return start, generator.permutation(len(groups))


def _moved(values: FloatArray) -> FloatArray:
    return np.where(values < 0.5, values + 0.5, values - 0.5)


def _limits() -> tuple[float, float]:
    return (1.0 - LEVEL) / 2.0, (1.0 + LEVEL) / 2.0


def _rounding(answers: FloatArray) -> FloatArray:
    return _ROUNDING * np.abs(answers)


def _is_constant(answers: FloatArray, errors: FloatArray) -> bool:
    highest, lowest = int(answers.argmax()), int(answers.argmin())
    return float(answers[highest] - answers[lowest]) <= float(errors[highest] + errors[lowest])


def _check_answers(answers: FloatArray) -> None:
    failed = np.flatnonzero(~np.isfinite(answers))
    if len(failed):
        raise NumericalError(
            f"{len(failed)} of {len(answers)} points of a design have no answer",
            code="sensitivity.failed",
            found=f"point {failed[0]}" + (f" and {len(failed) - 1} others" if len(failed) > 1 else ""),
            expected="an answer at every point: indices from the others would be of other inputs",
            advice="narrow the inputs, or hold the one at fault",
        )
