"""The sigmoid Emax curve, fitted to many dose-response series at once.

E(d) = base + span·dʰ / (ED50ʰ + dʰ), after Hill (1910). For a given ED50 and exponent the other two follow by linear
regression, so a grid over the two finds the region of the best fit without a start to be guessed; Gauss-Newton steps
with damping (Marquardt 1963) then bring all four to the optimum. A series knows nothing of its neighbors.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from simulate.solver.kernel import FloatArray
from simulate.studies.resolution import varies

PARAMETERS = ("base", "span", "ed50", "hill")
"""Effect without drug, effect of all the drug there could be, dose of half of that, exponent of Hill."""

PLATEAU = 0.8
"""Share of the span that the highest dose must reach: below it, the plateau is a guess."""

MISFIT = 0.1
"""Root mean square distance from the curve, or a turn back, as a share of the span, above which it is no such curve."""

ON_THE_RISE = 0.02
"""Share of the span from which on a dose stands on the rise, and not at its foot or, from the other end, its head."""

_FLAT = 1e-6
_STEPS = 60
_SETTLED = 1e-10
_STIFF = 1e6
_LOWEST_HILL, _HIGHEST_HILL = 0.2, 12.0
_NEARLY = 0.999
_BEYOND = 10.0
_AT_ONCE = 2048


class CurveVerdict(enum.Enum):
    """How well a fitted curve is determined. The value is the explanation that a reader sees."""

    IDENTIFIED = "identified"
    FAILED = "a dose has no result"
    FLAT = "no response in the range"
    NO_PLATEAU = "not identifiable in the range: no plateau is reached"
    SATURATED = "not identifiable in the range: the lowest dose has half of the effect already"
    NO_CURVE = "not a sigmoid curve"
    STEP = "not identifiable in the range: fewer than two doses lie on the rise"
    AT_BOUND = "not identifiable: the exponent is at the end of what is tried"
    UNSURE = "not identifiable: fewer than 90 % of the resampled cohorts have an identified curve"
    WIDE = "not known to a factor of ten: the interval of the ED50 is wider"

    @property
    def is_bracketed(self) -> bool:
        """Whether nothing is known of the ED50 but an interval."""
        return self in (CurveVerdict.STEP, CurveVerdict.AT_BOUND, CurveVerdict.WIDE)


@dataclass(frozen=True, slots=True, eq=False)
class FittedCurves:
    """Fitted curves."""

    values: FloatArray  #: Shape [series, parameter], in the order of `PARAMETERS`; NaN where there was nothing to fit
    #: One for each series. Values of a curve that is not identified describe it within the doses, and no further.
    verdicts: tuple[CurveVerdict, ...]
    #: Neighboring doses between which half of the span is reached, [series, 2]: any ED50 between them fits where the
    #: verdict says that it is bracketed. NaN where there was nothing to fit.
    brackets: FloatArray


def effect_at(doses: npt.ArrayLike, values: FloatArray) -> FloatArray:
    """Effects [..., dose] of curves [..., parameter] at doses [dose]."""
    base, span, ed50, hill = (values[..., index, np.newaxis] for index in range(4))
    return base + span * _share(np.asarray(doses, dtype=np.float64), ed50, hill)


def dose_for(effect: npt.ArrayLike, values: FloatArray) -> FloatArray:
    """Doses at which curves [..., parameter] have an effect [...]; NaN where they have it at none."""
    base, span, ed50, hill = (values[..., index] for index in range(4))
    with np.errstate(all="ignore"):
        share = (np.asarray(effect, dtype=np.float64) - base) / span
        found: FloatArray = np.where(
            (share > 0.0) & (share < 1.0), ed50 * (share / (1.0 - share)) ** (1.0 / hill), np.nan
        )
    return found


def fit_curves(doses: npt.ArrayLike, effects: npt.ArrayLike, errors: npt.ArrayLike | None = None) -> FittedCurves:
    """Fit a curve to each series of effects [series, dose] without a NaN; doses ascend, and the first may be 0.

    A series that is nowhere further apart than its ``errors`` (a millionth of the largest effect if not given) has no
    response.
    """
    given, rows = np.asarray(doses, dtype=np.float64), np.asarray(effects, dtype=np.float64)
    wrong = 0.5 * _FLAT * np.abs(rows).max(axis=1, keepdims=True) if errors is None else np.asarray(errors)
    wrong = np.broadcast_to(wrong, rows.shape)
    values = np.full((len(rows), 4), np.nan)
    misfit = np.full(len(rows), np.nan)
    complete: npt.NDArray[np.bool_] = np.asarray(np.isfinite(rows).all(axis=1))
    moving = complete & varies(np.where(complete[:, np.newaxis], rows, 0.0), wrong)
    places = np.flatnonzero(moving)
    for first in range(0, len(places), _AT_ONCE):
        chosen = places[first : first + _AT_ONCE]
        values[chosen], misfit[chosen] = _fitted(given, rows[chosen])
    values[complete & ~moving] = np.nan
    with np.errstate(invalid="ignore"):
        shares = (rows - values[:, :1]) / values[:, 1:2]
        brackets = _brackets(given, shares)
    return FittedCurves(values, tuple(_verdicts(given, values, misfit, shares, complete, moving)), brackets)


def _brackets(doses: FloatArray, shares: FloatArray) -> FloatArray:
    """Neighboring doses [series, 2] between which half of the span is reached, by shares [series, dose]."""
    reached = shares >= 0.5
    first = np.clip(reached.argmax(axis=1), 1, None)
    found: FloatArray = np.stack([doses[first - 1], doses[first]], axis=1)
    found[~reached.any(axis=1)] = np.nan
    return found


def _verdicts(
    doses: FloatArray, values: FloatArray, misfit: FloatArray, shares: FloatArray, complete: Any, moving: Any
) -> list[CurveVerdict]:
    positive = doses[doses > 0.0]
    with np.errstate(invalid="ignore"):
        highest = _share(positive[-1:], values[:, 2:3], values[:, 3:4])[:, 0]
        back = (np.maximum.accumulate(shares, axis=1) - shares).max(axis=1)
        rising = ((shares > ON_THE_RISE) & (shares < 1.0 - ON_THE_RISE)).sum(axis=1)
        ends = (values[:, 3] >= _NEARLY * _HIGHEST_HILL) | (values[:, 3] <= _LOWEST_HILL / _NEARLY)
    found = []
    for row in range(len(values)):
        if not complete[row]:
            found.append(CurveVerdict.FAILED)
        elif not moving[row]:
            found.append(CurveVerdict.FLAT)
        elif misfit[row] > MISFIT or back[row] > MISFIT:
            found.append(CurveVerdict.NO_CURVE)
        elif highest[row] < PLATEAU:
            found.append(CurveVerdict.NO_PLATEAU)
        elif values[row, 2] < positive[0]:
            found.append(CurveVerdict.SATURATED)
        elif rising[row] < 2:
            found.append(CurveVerdict.STEP)
        elif ends[row]:
            found.append(CurveVerdict.AT_BOUND)
        else:
            found.append(CurveVerdict.IDENTIFIED)
    return found


def _share(doses: FloatArray, ed50: FloatArray, hill: FloatArray) -> FloatArray:
    """Share of the span at doses; 0 without any."""
    with np.errstate(all="ignore"):
        ratio = (doses / ed50) ** hill
        found: FloatArray = np.where(np.isinf(ratio), 1.0, ratio / (1.0 + ratio))
    return found


def _fitted(doses: FloatArray, rows: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Values [series, parameter] and misfit [series] of complete series that move, each scaled to a height of 1."""
    low = rows.min(axis=1, keepdims=True)
    height = rows.max(axis=1, keepdims=True) - low
    scaled = (rows - low) / height
    theta = _start(doses, scaled)
    limits = _limits(doses)
    damping = np.full(len(rows), 1e-3)
    error = _squares(doses, scaled, theta)
    moving = np.arange(len(rows))
    for _ in range(_STEPS):
        own, at = scaled[moving], theta[moving]
        trial = np.clip(at + _step(doses, own, at, damping[moving]), *limits)
        # For its own ED50 and exponent each trial takes the best of the other two.
        trial[:, :2] = _linear(own, _share(doses, np.exp(trial[:, 2:3]), np.exp(trial[:, 3:4])))
        ours, before = _squares(doses, own, trial), error[moving]
        better = ours < before
        theta[moving[better]], error[moving[better]] = trial[better], ours[better]
        damping[moving] = np.where(better, damping[moving] / 5.0, damping[moving] * 4.0)
        moving = moving[np.where(better, before - ours > _SETTLED * before, damping[moving] < _STIFF)]
        if not len(moving):
            break
    values = np.stack(
        [theta[:, 0] * height[:, 0] + low[:, 0], theta[:, 1] * height[:, 0], np.exp(theta[:, 2]), np.exp(theta[:, 3])],
        axis=1,
    )
    return values, np.sqrt(error / len(doses))


def _limits(doses: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Bounds of base, span, log ED50 and log exponent."""
    positive = doses[doses > 0.0]
    low = [-np.inf, -np.inf, np.log(positive[0] / _BEYOND), np.log(_LOWEST_HILL)]
    high = [np.inf, np.inf, np.log(positive[-1] * _BEYOND), np.log(_HIGHEST_HILL)]
    return np.array(low), np.array(high)


def _start(doses: FloatArray, scaled: FloatArray) -> FloatArray:
    """Best point of a grid for each series; its base and span by regression."""
    low, high = _limits(doses)
    centers, exponents = np.meshgrid(np.linspace(low[2], high[2], 61), np.linspace(low[3], high[3], 15), indexing="ij")
    grid = np.stack([centers.ravel(), exponents.ravel()], axis=1)
    shapes = _share(doses, np.exp(grid[:, :1]), np.exp(grid[:, 1:]))
    centered = shapes - shapes.mean(axis=1, keepdims=True)
    norms = np.einsum("kd,kd->k", centered, centered)
    # Not by a matrix product, whose bits depend on how many rows it has.
    explained = np.einsum("sd,kd->sk", scaled, centered) ** 2 / np.where(norms > 1e-12, norms, np.inf)
    best = explained.argmax(axis=1)
    theta = np.empty((len(scaled), 4))
    theta[:, 2:] = grid[best]
    theta[:, :2] = _linear(scaled, shapes[best])
    return theta


def _linear(scaled: FloatArray, shapes: FloatArray) -> FloatArray:
    """Base and span [series, 2] that fit best for given shapes [series, dose]."""
    shape_mean, row_mean = shapes.mean(axis=1), scaled.mean(axis=1)
    centered = shapes - shape_mean[:, np.newaxis]
    norm = np.einsum("sd,sd->s", centered, centered)
    span = np.einsum("sd,sd->s", centered, scaled) / np.where(norm > 1e-14, norm, np.inf)
    return np.stack([row_mean - span * shape_mean, span], axis=1)


def _squares(doses: FloatArray, scaled: FloatArray, theta: FloatArray) -> FloatArray:
    away = scaled - theta[:, :1] - theta[:, 1:2] * _share(doses, np.exp(theta[:, 2:3]), np.exp(theta[:, 3:4]))
    found: FloatArray = np.einsum("sd,sd->s", away, away)
    return found


def _step(doses: FloatArray, scaled: FloatArray, theta: FloatArray, damping: FloatArray) -> FloatArray:
    """Damped Gauss-Newton step [series, parameter]."""
    ed50, hill = np.exp(theta[:, 2:3]), np.exp(theta[:, 3:4])
    share = _share(doses, ed50, hill)
    slope = theta[:, 1:2] * share * (1.0 - share) * hill
    logs = np.log(np.where(doses > 0.0, doses, 1.0)) - theta[:, 2:3]
    jacobian = np.stack([np.ones_like(share), share, -slope, slope * np.where(doses > 0.0, logs, 0.0)], axis=2)
    away = scaled - theta[:, :1] - theta[:, 1:2] * share
    normal = np.einsum("sdi,sdj->sij", jacobian, jacobian)
    diagonal = np.einsum("sii->si", normal).copy()
    normal[:, range(4), range(4)] += damping[:, np.newaxis] * diagonal + 1e-14
    return np.linalg.solve(normal, np.einsum("sdi,sd->si", jacobian, away)[..., np.newaxis])[..., 0]
