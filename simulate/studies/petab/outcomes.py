"""What a fit of a problem may have beside estimates: profiles, and draws of the posterior."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from simulate.inference.polish import are_too_few
from simulate.solver.kernel import FloatArray
from simulate.studies.fitting.posterior import Estimate

FLAT, ONE_SIDED, BOUNDED, SPLIT = "flat", "one-sided", "bounded", "split"
"""Verdicts of profiles: neither end is within the bounds; one is; both are; there are values between the ends that do
not fit."""


@dataclass(frozen=True, slots=True)
class ProfiledParameter:
    """The interval of a parameter by its profile.

    Attributes
    ----------
    name, scale
        Its name, and the scale on which it was sought.
    verdict
        ``flat``, ``one-sided``, ``bounded`` or ``split``.
    estimate
        At the best point.
    low, high
        Ends of what lies within 1.92 of the best; None where a bound comes first, or nothing further could be solved.
    drop
        By how much the logarithm falls at the worst value that was tried.
    parts
        The intervals in between, of which there are several where the verdict is ``split``.
    lost
        Whether a side ended where no further point could be found, and not at a bound.
    """

    name: str
    scale: str
    verdict: str
    estimate: float
    low: float | None
    high: float | None
    drop: float
    parts: tuple[tuple[float | None, float | None], ...]
    lost: bool


@dataclass(frozen=True, slots=True, eq=False)
class ProblemProfiles:
    """Profiles of a fit.

    Attributes
    ----------
    parameters
        Row by row.
    names
        All sought parameters.
    curves
        For each profiled parameter drops, shape [place], and values of all parameters there, shape [place, parameter],
        in the order of the parameter.
    point, gained
        The best point on the scales, and by how much it is better than that of the fit; 0 if it is that.
    evaluations
        Points that were asked for.
    differences
        At how many of them derivatives that do not exist were replaced by central differences.
    """

    parameters: tuple[ProfiledParameter, ...]
    names: tuple[str, ...]
    curves: tuple[tuple[FloatArray, FloatArray], ...]
    point: FloatArray
    gained: float
    evaluations: int
    differences: int = 0

    def as_dict(self) -> dict[str, Any]:
        """The profiles as plain values; the curves are a table."""
        return {
            "parameters": [asdict(row) for row in self.parameters],
            "gained": self.gained,
            "evaluations": self.evaluations,
            "differences": self.differences,
        }

    def places(self) -> Iterator[dict[str, Any]]:
        """Rows of a table of the curves: which parameter is held, the drop, and the values of all."""
        for row, (drops, values) in zip(self.parameters, self.curves, strict=True):
            for drop, own in zip(drops, values, strict=True):
                yield {"held": row.name, "drop": float(drop), **dict(zip(self.names, own.tolist(), strict=True))}


@dataclass(frozen=True, slots=True, eq=False)
class ProblemPosterior:
    """Draws of the posterior of a problem.

    Attributes
    ----------
    estimates
        What is known of each parameter; empty where the draws are too few.
    names, draws, log_likelihoods
        Parameters, draws that are equally likely, shape [draw, parameter], and their log-likelihoods; no draws where
        they are too few.
    log_evidence, error
        Logarithm of the mean likelihood over the prior between the bounds, and its standard error.
    effective, tail, r_hat
        Effective draws, shape of the tail of their weights, and R-hat between runs; None for a single run.
    impossible
        Share of the prior in which the model cannot be solved.
    evaluations
        Points that were asked for.
    warnings
        What a reader must know before believing anything.
    """

    estimates: tuple[Estimate, ...]
    names: tuple[str, ...]
    draws: FloatArray
    log_likelihoods: FloatArray
    log_evidence: float
    error: float
    effective: float
    tail: float
    r_hat: float | None
    impossible: float
    evaluations: int
    warnings: tuple[str, ...]

    @property
    def is_told(self) -> bool:
        """Whether the draws are enough to conclude anything."""
        return not are_too_few(self.effective, self.tail)

    def as_dict(self) -> dict[str, Any]:
        """The posterior as plain values; its draws are a table."""
        numbers = ("log_evidence", "error", "effective", "tail", "r_hat", "impossible", "evaluations")
        return {
            **{name: getattr(self, name) for name in numbers if self.is_told or not name.startswith(("log", "err"))},
            "is_told": self.is_told,
            "warnings": list(self.warnings),
            "estimates": [asdict(row) for row in self.estimates],
        }

    def rows(self) -> Iterator[dict[str, float]]:
        """Rows of a table of the draws: log-likelihood, and values of all parameters."""
        for log_likelihood, own in zip(self.log_likelihoods, self.draws, strict=True):
            yield {"log_likelihood": float(log_likelihood), **dict(zip(self.names, own.tolist(), strict=True))}
