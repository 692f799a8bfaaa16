"""From uniform numbers to patients: the one transform of runs, sweeps, sensitivities, virtual populations and fits.

Every parameter and covariate that differs between patients has a coordinate of its own, a number between 0 and 1 that
is known by the name of the parameter. Whether it is random or one of a set of points that fill the cube evenly is not
asked here.

The distribution is a Gaussian copula of log-normal margins, each cut at its bounds: coordinates become normal scores,
scores are correlated, and the probability of each score is the place in the log-normal distribution within its bounds,
about the typical value that the stratum and the covariates give. So a parameter alone is distributed as its row says,
whatever it is correlated with; no order of the parameters has a part in it; and bounds or another typical value of one
parameter move no other. (To draw all together until all are in bounds would be another distribution, in which the
bounds of clearance decide how heavy patients are; and it would be no function of a fixed number of coordinates.)
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from simulate.cohort.margins import Margin, shown
from simulate.cohort.population import Population, cholesky, correlated
from simulate.errors import InputError, did_you_mean
from simulate.solver.kernel import IntArray
from simulate.streams import FloatArray

KIND = "kind of patient"
"""Name of the coordinate that decides the stratum; no parameter can have it, as it has blanks."""

SCHEME = "copula of margins cut at their bounds, coordinates by name"
"""What keys of results hash of this module: another text wherever the same coordinates become other patients."""

_NOTHING: Mapping[str, FloatArray] = {}
_UNBOUNDED = (-np.inf, np.inf)


@dataclass(frozen=True, slots=True)
class Distribution:
    """What patients have in place of a parameter's distribution, all of them, whatever their stratum.

    Attributes
    ----------
    value
        Typical value, in the unit of the parameter, about which patients are drawn within the bounds of the parameter;
        None for those of the population.
    sd_log
        Standard deviation of the logarithm; None for that of the population. With 0 everybody has the value, and
        covariates do not act on it.
    beyond_bounds
        Whether the value may be out of the bounds, which then hold for nobody.
    """

    value: float | None = None
    sd_log: float | None = None
    beyond_bounds: bool = False


Overrides = Mapping[str, Distribution]


@dataclass(frozen=True, slots=True, eq=False)
class Changes:
    """In what populations differ from one. Arrays are of any shape that goes with that of the patients.

    Attributes
    ----------
    typical
        Typical values in place of those of the population; a stratum that has its own keeps it.
    sd_log
        Spreads in place of those of the population; likewise.
    rho
        Correlations in place of those of the population, by the pair of names as it stands there.
    overrides
        What holds in every stratum.
    """

    typical: Mapping[str, FloatArray] = field(default_factory=dict)
    sd_log: Mapping[str, FloatArray] = field(default_factory=dict)
    rho: Mapping[tuple[str, str], FloatArray] = field(default_factory=dict)
    overrides: Overrides = field(default_factory=dict)

    def of(self, patients: IntArray) -> Changes:
        """The same of some patients by their places, where arrays have the shape [patient]."""
        return replace(
            self,
            typical={name: values[patients] for name, values in self.typical.items()},
            sd_log={name: values[patients] for name, values in self.sd_log.items()},
            rho={pair: values[patients] for pair, values in self.rho.items()},
        )


UNCHANGED = Changes()


def coordinates(
    population: Population, overrides: Overrides | None = None, names: Collection[str] | None = None
) -> tuple[str, ...]:
    """Names of the uniform numbers that `transform` needs, in alphabetical order; `KIND` is not among them.

    Parameters
    ----------
    population, overrides, names
        As for `transform`.
    """
    parts = (*population.parameters, *population.covariates)
    varying = {part.name for part in parts if part.spread is not None}
    varying |= {row.name for stratum in population.strata for row in stratum.parameters if row.spread is not None}
    varying |= {name for name, override in (overrides or {}).items() if override.sd_log}
    needed = {part.name for part in parts} if names is None else {*names}
    needed |= {effect.covariate for effect in population.effects if effect.parameter in needed}
    for block in correlated(population):
        if needed & {*block}:
            needed |= {*block}
    return tuple(sorted(varying & needed))


def kinds_of(population: Population, uniform: FloatArray) -> IntArray:
    """Stratum of each patient, by the shares of the strata, of the shape of the coordinate ``uniform``."""
    counts = np.array([stratum.count for stratum in population.strata] or [1.0])
    found: IntArray = np.searchsorted(np.cumsum(counts) / counts.sum(), uniform, side="right").astype(np.int64)
    return np.minimum(found, len(counts) - 1)


def transform(
    population: Population,
    uniforms: Mapping[str, FloatArray],
    kinds: IntArray,
    *,
    changes: Changes = UNCHANGED,
    given: Mapping[str, FloatArray] = _NOTHING,
    names: Collection[str] | None = None,
) -> dict[str, FloatArray]:
    """Patients at some coordinates.

    Parameters
    ----------
    population
        Whose patients they are.
    uniforms
        Numbers above 0 and below 1 by the name of their coordinate, at least those of `coordinates`, each of the shape
        of the patients.
    kinds
        Stratum of each patient; its shape is that of the patients.
    changes
        In what the population, or the population of each patient, differs.
    given
        Known values of covariates; NaN for patients whose value is drawn. Everything else is as it is distributed
        among patients with these values.
    names
        Parameters and covariates that are asked for; all if not given. A value does not depend on what else is asked
        for.

    Returns
    -------
    dict
        Values by name in the units of the population, of the shape of the patients together with the changes. Each
        number depends only on what concerns its patient.

    Raises
    ------
    InputError
        ``cohort.parameter``: something is changed that the population does not have; ``cohort.coordinate``: a
        coordinate is missing; ``cohort.bounds``: there is nobody within some bounds.
    """
    _check(population, uniforms, changes, names)
    made = _Patients(population, uniforms, kinds, changes, given)
    wanted = [part.name for part in (*population.parameters, *population.covariates)] if names is None else names
    return {name: np.broadcast_to(made.values(name), made.shape) for name in wanted}


def check_overrides(population: Population, overrides: Overrides) -> None:
    """Refuse overrides that nobody could have, as `transform` does where covariates are typical.

    Raises
    ------
    InputError
        ``cohort.parameter``, ``cohort.bounds``.
    """
    kinds = np.arange(max(1, len(population.strata)))
    middle = {name: np.full(len(kinds), 0.5) for name in coordinates(population, overrides)}
    typical = {part.name: np.full(len(kinds), part.value) for part in population.covariates}
    transform(population, middle, kinds, changes=Changes(overrides=overrides), given=typical, names=tuple(overrides))


def _check(
    population: Population, uniforms: Mapping[str, FloatArray], changes: Changes, names: Collection[str] | None
) -> None:
    known = {part.name for part in population.parameters}
    pairs = {(pair.a, pair.b) for pair in population.correlations}
    unknown = sorted({*changes.typical, *changes.sd_log, *changes.overrides} - known)
    unknown += sorted(" and ".join(pair) for pair in {*changes.rho} - pairs)
    if unknown:
        raise InputError(
            f"the population has no `{unknown[0]}` that could differ",
            code="cohort.parameter",
            expected="parameters, and pairs that are correlated, of the population",
            advice=did_you_mean(unknown[0], known),
        )
    for part in population.parameters:
        override = changes.overrides.get(part.name)
        if override is None or override.value is None or override.beyond_bounds or part.bounds is None:
            continue
        if not part.bounds[0] <= override.value <= part.bounds[1]:
            raise InputError(
                f"the typical value of `{part.name}` is out of its bounds",
                code="cohort.bounds",
                found=shown(override.value, part),
                expected=f"a number from {part.bounds[0]:g} to {shown(part.bounds[1], part)}",
                advice="to go beyond them: `Distribution(value, beyond_bounds=True)`",
            )
    missing = [name for name in coordinates(population, changes.overrides, names) if name not in uniforms]
    if missing:
        raise InputError(
            f"there is no coordinate for `{missing[0]}`",
            code="cohort.coordinate",
            found=f"{len(uniforms)} coordinates",
            expected="one for every parameter and covariate that differs between patients",
        )


class _Patients:
    """Values of patients, worked out as they are asked for; it does not leave `transform`."""

    def __init__(
        self,
        population: Population,
        uniforms: Mapping[str, FloatArray],
        kinds: IntArray,
        changes: Changes,
        given: Mapping[str, FloatArray],
    ) -> None:
        self.population, self.uniforms, self.kinds = population, uniforms, kinds
        self.changes, self.given = changes, given
        arrays = (*changes.typical.values(), *changes.sd_log.values(), *changes.rho.values())
        self.shape = np.broadcast_shapes(kinds.shape, *(array.shape for array in arrays))
        self.parts = {part.name: part for part in (*population.parameters, *population.covariates)}
        self.covariates = {part.name for part in population.covariates}
        self.block_of = {name: block for block in correlated(population) for name in block}
        self.found: dict[str, FloatArray] = {}
        self.correlated: dict[str, FloatArray] = {}

    def values(self, name: str) -> FloatArray:
        if name not in self.found:
            margin = self._margin(name)
            is_free = bool(np.any(margin.varies))
            values = margin.at(self._probability(name) if is_free else np.full((), 0.5))
            acts = name in self.changes.overrides or any(effect.parameter == name for effect in self.population.effects)
            outside = np.asarray((values < margin.low) | (values > margin.high))
            if acts and not is_free and outside.any():
                raise margin.nobody(outside)
            if name in self.given:
                values = np.where(np.isnan(self.given[name]), values, self.given[name])
            self.found[name] = values
        return self.found[name]

    def _margin(self, name: str) -> Margin:
        part = self.parts[name]
        own = [{row.name: row for row in kind.parameters} for kind in self.population.strata] or [{}]
        rows = [rows.get(name, part) for rows in own]
        limits = [_UNBOUNDED if row.bounds is None else row.bounds for row in rows]
        typical = self._by_kind([row.value for row in rows])
        sd_log = self._by_kind([0.0 if row.spread is None else row.spread.sd_log for row in rows])
        low, high = (self._by_kind([limit[side] for limit in limits]) for side in (0, 1))
        is_own = self._by_kind([float(name in rows) for rows in own]) > 0.0
        if name in self.changes.typical:
            typical = np.where(is_own, typical, self.changes.typical[name])
        if name in self.changes.sd_log:
            sd_log = np.where(is_own, sd_log, self.changes.sd_log[name])
        override = self.changes.overrides.get(name, Distribution())
        if override.value is not None or override.sd_log == 0.0:
            bounds = _UNBOUNDED if part.bounds is None else part.bounds
            typical = np.asarray(part.value if override.value is None else override.value)
            if override.beyond_bounds and not bounds[0] <= typical <= bounds[1]:
                bounds = _UNBOUNDED
            low, high = np.asarray(bounds[0]), np.asarray(bounds[1])
        if override.sd_log is not None:
            sd_log = np.asarray(override.sd_log)
        if override.sd_log != 0.0:
            for effect in self.population.effects:
                if effect.parameter == name:
                    reference = self.parts[effect.covariate].value
                    typical = typical * effect.factor(self.values(effect.covariate), reference)
        # What varies log-normally is above 0 without a bound.
        return Margin(part, typical, sd_log, np.where(sd_log > 0.0, np.maximum(low, 0.0), low), high)

    def _by_kind(self, values: Sequence[float]) -> npt.NDArray[np.float64]:
        """One number where all strata have the same, else that of each patient's stratum."""
        array = np.array(values, dtype=np.float64)
        return array[0] if (array == array[0]).all() else array[self.kinds]

    def _probability(self, name: str) -> FloatArray:
        from scipy.special import ndtr

        if name not in self.block_of:
            return self.uniforms[name]
        if name not in self.correlated:
            self._correlate(self.block_of[name])
        return ndtr(self.correlated[name])

    def _correlate(self, block: Sequence[str]) -> None:
        """Normal scores of what is correlated, given the covariates that are known."""
        from scipy.special import ndtri

        order = sorted(block, key=lambda name: (name not in self.covariates, name))
        scores = {name: ndtri(self.uniforms[name]) for name in order}
        known = [name for name in order if name in self.given]
        if not known:
            self.correlated |= self._mixed(order, scores, (), self.changes.rho)
            return
        is_known = np.stack([~np.isnan(self.given[name]) for name in known])
        reached = {name: ndtri(self._margin(name).probability(self.given[name])) for name in known}
        found = {name: np.empty(self.kinds.shape) for name in order}
        # Those of whom the same is known follow from it in the same order.
        for pattern in np.unique(is_known, axis=1).T:
            people = (is_known == pattern[:, np.newaxis]).all(axis=0)
            first = [name for name, known_here in zip(known, pattern, strict=True) if known_here]
            own = {name: (reached[name] if name in first else scores[name])[people] for name in order}
            rho = {pair: value[people] if np.ndim(value) else value for pair, value in self.changes.rho.items()}
            mixed = self._mixed([*first, *(name for name in order if name not in first)], own, first, rho)
            for name in order:
                found[name][people] = mixed[name]
        self.correlated |= found

    def _mixed(
        self,
        order: Sequence[str],
        scores: Mapping[str, FloatArray],
        reached: Collection[str],
        rho: Mapping[tuple[str, str], FloatArray],
    ) -> dict[str, FloatArray]:
        """Correlated scores from independent ones; ``scores`` of what is ``reached`` are correlated already."""
        factor = cholesky(order, self.population.correlations, rho)
        independent: list[FloatArray] = []
        found = {}
        for row, name in enumerate(order):
            # Sums in a fixed order, element by element: a matrix product may round differently in a longer batch.
            total = np.zeros(1)
            for inner in range(row):
                total = total + factor[..., row, inner] * independent[inner]
            own = factor[..., row, row]
            independent.append((scores[name] - total) / own if name in reached else scores[name])
            found[name] = scores[name] if name in reached else total + own * independent[row]
        return found
