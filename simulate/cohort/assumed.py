"""A spread of all parameters that a user assumes where the population says nothing."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from simulate.cohort.population import Population
from simulate.errors import counted, listed
from simulate.symbolic.parts import CONVERSION, Parameter, Spread

MOST_NAMED = 4
"""Names that a sentence has of each reason."""


@dataclass(frozen=True, slots=True)
class AssumedSpread:
    """A spread that is assumed, the parameters that get it, and those that do not.

    Attributes
    ----------
    sd_log
        Standard deviation of the logarithm.
    varied
        Parameters that have it.
    left_out
        Parameters that do not, each with the reason.
    """

    sd_log: float
    varied: tuple[str, ...]
    left_out: tuple[tuple[str, str], ...]

    @property
    def sentences(self) -> tuple[str, ...]:
        """What a reader is told: that it is an assumption, and what is left out."""
        number = len(self.varied)
        what = f"{counted(number, 'parameter')} {'is' if number == 1 else 'are'}"
        cv = math.sqrt(math.expm1(self.sd_log**2))
        first = f"spread: {what} log-normal between patients, with a coefficient of variation of {cv:.3g}"
        reasons: dict[str, list[str]] = {}
        for name, reason in self.left_out:
            reasons.setdefault(reason, []).append(name)
        others = []
        for reason, names in reasons.items():
            more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
            others.append(f"without that spread: {listed(names[:MOST_NAMED])}{more}: {reason}")
        return (f"{first}, as the scenario assumes: no evidence is behind it", *others)


def with_assumed_spread(population: Population, spread: Spread) -> tuple[Population, AssumedSpread]:
    """Population in which all parameters vary, independently, of which nobody has said how they do.

    Parameters
    ----------
    population
        What is known of the parameters. A spread that one has stays, in the strata too.
    spread
        That of the others.

    Returns
    -------
    tuple
        The population, and what was left out: parameters whose values have no logarithm, and factors between units.
    """
    in_strata = {row.name for kind in population.strata for row in kind.parameters if row.spread is not None}
    left_out = {
        part.name: reason
        for part in population.parameters
        if (reason := "a spread of its own" if part.name in in_strata else _reason_against(part)) is not None
    }

    def varied(part: Parameter) -> Parameter:
        return part if part.name in left_out or part.value <= 0.0 else replace(part, spread=spread)

    strata = tuple(replace(kind, parameters=tuple(map(varied, kind.parameters))) for kind in population.strata)
    parameters = tuple(map(varied, population.parameters))
    names = tuple(part.name for part in parameters if part.name not in left_out)
    found = replace(population, parameters=parameters, strata=strata)
    return found, AssumedSpread(spread.sd_log, names, tuple(left_out.items()))


def _reason_against(part: Parameter) -> str | None:
    if part.spread is not None:
        return "a spread of its own"
    if part.source == CONVERSION:
        return "a factor between units"
    if part.value == 0.0:
        return "the value is 0"
    if part.value < 0.0:
        return "the value is negative"
    return None
