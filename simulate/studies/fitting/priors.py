"""What a fit leaves free, and what is believed of it before.

Free are typical values of patients, factors on spreads between patients, one correlation, and the noise of readings.
Each has a coordinate with a standard normal prior. The prior of a typical value is made of its row in the tables: its
value is the median and its bounds are the 95 % limits on either side, on a logarithmic scale if they are above zero.
Both half-normal pieces are widened by the grade of the row, and what would then lie out of the bounds is cut off, so
that a value that was assumed is nearly flat on either side. Nothing is ever narrowed. Where the row of the table is not
what was believed before the trial reported, the row `prior_…` of the priors takes its place: it says what a hypothesis
would do, or was chosen so that the typical patient has the values that were reported, which a fit must not use twice.

The noise of a reading is that of the assay in the file of the trial, and where a hypothesis has regression to the mean
it is the same noise: the correlation of two readings of one patient follows from it.

Under every hypothesis the parameters of `COMMON` are free with the same priors; beside them is free what the
hypothesis adds to the model, but for `FIXED`.
"""

from __future__ import annotations

import enum
import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
from scipy.special import ndtr, ndtri

from simulate import shipped
from simulate.cohort.population import Population
from simulate.errors import InputError, did_you_mean
from simulate.streams import FloatArray
from simulate.symbolic.model import Model
from simulate.symbolic.parameterfile import read_parameters
from simulate.symbolic.parts import Parameter
from simulate.trials.design import TrialDesign

COMMON = ("det1", "det17", "chi", "f_m", "il1_muscle", "d_M17", "p_unchanged", "slope_response", "R_0")
"""Typical values that are free under every hypothesis, where what the trial reads depends on them."""

SPREADS = ("det1", "det17", "R_0")
"""Parameters of whose spread between patients a factor is free: the row `spread_…` of the priors."""

PAIRS = (("chi", "f_RO"),)
"""Correlations that are free: the row `rho_…` of the priors."""

NOISY = ("ifng", "il17a")
"""Readings whose noise is free: the row ``sd_log`` of the assay that reads them, in the file of the trial."""

RELIABILITY = MappingProxyType(
    {"r_ifng": ("ifng", ("det1", "f_Th1", "f_RO")), "r_il17a": ("il17a", ("det17", "f_Th17", "f_RO"))}
)
"""Correlation of two distant readings of one patient → the reading, and the parameters of whose product its level is.

With the variance v of the logarithm of the level between patients and the noise σ it is v / (v + σ²).
"""

CENTERS = MappingProxyType({"ifng_typical": "det1", "il17a_typical": "det17"})
"""Reading that is typical of the center → its detection, which is the same in the patients of the trial.

Free is the ratio of the two: the row `ratio_…` of the priors.
"""

FIXED = MappingProxyType(
    {
        "il1_culture": "acts in a culture with IL-1Ra, which the trial did not have",
        "il1ra_culture": "acts in a culture with IL-1Ra, which the trial did not have",
        "lic": "what IL-1 licenses is washed out before the trial's assay",
        "f_28null": "acts through the loss of CD28null cells, of which nothing was printed",
        "d_null": "acts through the loss of CD28null cells, of which nothing was printed",
        "ck_typical": "a mean of patients of the center, not of the hypothesis",
        "r_ck": "calculated from repeated readings in another study",
        "r_ifng": "follows from the noise of the readings, which is free",
        "r_il17a": "follows from the noise of the readings, which is free",
        "t_regression": "short beside six months, whatever it is",
        "inflamed_entry": "says in which patients, which is the hypothesis itself",
        "taper_start": "prescribed",
        "taper_half": "prescribed",
        "gc17": "small by what the hypothesis says",
        "gc_other": "not told from gc_priming by what was printed",
    }
)
"""Why a number that a hypothesis adds is not free."""

_HALF = 1.959963984540054
"""Standard deviations from the middle of a normal distribution to its 95 % limits."""


class Role(enum.Enum):
    """The role of a free number in the populations."""

    TYPICAL = "typical value"
    SPREAD = "factor on a spread"
    SD = "spread between patients"
    CORRELATION = "correlation"
    NOISE = "noise of readings"
    CENTER = "typical reading, over that of these patients"


@dataclass(frozen=True, slots=True)
class Free:
    """A number that a fit leaves free."""

    #: As a reader sees them.
    name: str
    meaning: str
    unit: str
    #: What it is, of which parameters; of a noise, the name of the trial and the quantities that are read.
    role: Role
    targets: tuple[str, ...]
    #: Middle and limits of the prior.
    median: float
    low: float
    high: float
    widening: float  #: Factor on the standard deviation that the limits imply

    @property
    def is_log(self) -> bool:
        return self.low > 0.0

    def values(self, coordinates: FloatArray) -> FloatArray:
        """Values at standard normal coordinates, of the same shape."""
        low, middle, high = (math.log(x) if self.is_log else x for x in (self.low, self.median, self.high))
        place = self._places(coordinates)
        scale = middle + place * np.where(place > 0.0, high - middle, middle - low)
        return np.clip(np.exp(scale) if self.is_log else scale, self.low, self.high)

    def log_ratio(self, coordinates: FloatArray, widening: float) -> FloatArray:
        """Logarithm of the prior density with another widening over that with this one, at the same values."""
        place = self._places(coordinates)
        return _log_density(place, _HALF / widening) - _log_density(place, _HALF / self.widening)

    def _places(self, coordinates: FloatArray) -> FloatArray:
        """Places between the limits, from -1 at the lower to 1 at the upper, at standard normal coordinates."""
        edge = _HALF / self.widening
        tail = ndtr(-edge)
        return ndtri(tail + ndtr(coordinates) * (1.0 - 2.0 * tail)) / edge


def _log_density(place: FloatArray, edge: float) -> FloatArray:
    """Logarithm of the density of a place, but for a constant: normal with deviation 1/edge, cut at -1 and 1."""
    density: FloatArray = -0.5 * np.square(place * edge) + np.log(edge / (1.0 - 2.0 * ndtr(-edge)))
    return density


def free_numbers(model: Model, base: Model) -> tuple[Free, ...]:
    """The free numbers of a fit of a model."""
    extra = prior_rows()
    known = {part.name for part in base.parameters}
    rows = {part.name: part for part in model.parameters}
    common = [name for name in COMMON if name in known]
    missing = [name for name in common if name not in rows]
    if missing:
        raise InputError(
            f"the model has no parameter `{missing[0]}`, which every fit leaves free",
            code="fit.parameter",
            advice=did_you_mean(missing[0], rows) or "fit a hypothesis of the reference model",
        )
    own = [name for name in rows if name not in known and name not in FIXED and name not in CENTERS]
    fixed = {name for name, row in rows.items() if is_fixed(row)}
    found = [typical_number(rows[name], is_shipped=True) for name in (*common, *own) if name not in fixed]
    found += [_free(extra[f"spread_{name}"], Role.SPREAD, (name,), extra) for name in SPREADS if name not in fixed]
    found += [_free(extra[f"rho_{a}_{b}"], Role.CORRELATION, (a, b), extra) for a, b in PAIRS if not fixed & {a, b}]
    found += [
        _free(extra[f"ratio_{name}"], Role.CENTER, (name,), extra)
        for name in CENTERS
        if name in rows and name not in known and name not in fixed
    ]
    return tuple(found)


def of_populations(free: Sequence[Free], *populations: Population) -> dict[int, Free]:
    """Free numbers that some populations have, by their places: all but correlations of what none of these ties."""
    pairs = {(pair.a, pair.b) for population in populations for pair in population.correlations}
    return {
        place: part for place, part in enumerate(free) if part.role is not Role.CORRELATION or part.targets in pairs
    }


def noise_numbers(trials: Sequence[TrialDesign]) -> tuple[Free, ...]:
    """What is free of how well trials read: the noise of each assay of `NOISY` readings whose row has bounds."""
    extra = prior_rows()
    found: dict[str, Free] = {}
    for trial in trials:
        for readout in trial.readouts:
            row = readout.noise
            if readout.quantity not in NOISY or row is None or row.bounds is None:
                continue
            assay = row.name.removesuffix(" sd_log")
            name = f"noise_{assay}"
            if name in found and found[name].targets[0] != trial.name:
                name += f"@{trial.name}"
            before = found.get(name)
            of = (trial.name,) if before is None else before.targets
            found[name] = _free(replace(row, name=name), Role.NOISE, (*of, readout.quantity), extra)
    return tuple(found.values())


def typical_number(row: Parameter, *, is_shipped: bool) -> Free:
    """The typical value of a parameter with bounds as a fit has it that leaves it free.

    Of one of the reference model (``is_shipped``) the priors may say what was believed before the trial.
    """
    extra = prior_rows()
    return _free(extra.get(f"prior_{row.name}", row) if is_shipped else row, Role.TYPICAL, (row.name,), extra)


def is_fixed(row: Parameter) -> bool:
    """Whether a hypothesis has fixed the value for everybody, as `simulate.symbolic.composition` marks it."""
    return row.bounds is None and row.source.startswith("hypothesis ")


def prior_rows() -> Mapping[str, Parameter]:
    """The rows that a fit adds to the tables of parameters."""
    return _rows_of(shipped.priors_file())


@functools.lru_cache(maxsize=1)
def _rows_of(path: Path) -> Mapping[str, Parameter]:
    return MappingProxyType(read_parameters(path))


def _free(row: Parameter, role: Role, targets: tuple[str, ...], extra: Mapping[str, Parameter]) -> Free:
    if row.bounds is None:
        raise InputError(
            f"the parameter `{row.name}` has no bounds, and so no prior",
            code="fit.bounds",
            expected="`bounds = [low, high]` in its row: limits that hold 95 % of what is believed",
            advice="add bounds, which a fit leaves the value free within",
        )
    low, high = row.bounds
    widening = extra[f"widening_{row.grade.name.casefold()}"].value
    name = targets[0] if role is Role.TYPICAL else row.name
    return Free(name, row.meaning, row.unit.text, role, targets, row.value, low, high, widening)
