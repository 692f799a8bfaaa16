"""Several endpoints of one study, judged together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simulate.errors import InputError, listed, not_among
from simulate.evidence.multiplicity import adjusted
from simulate.streams import FloatArray
from simulate.studies.power.repeats import Effect, Interval, TrialOutcome, populations_again, share_of
from simulate.trials.design import Analysis

ANY, ALL = "any", "all"


@dataclass(frozen=True, slots=True)
class EndpointPower:
    """The power of one endpoint of several."""

    endpoint: str  #: Name of its effect; ``any`` and ``all`` for at least one of them, and for each of them
    #: As in `TrialOutcome`; 0 and empty for ``any`` and ``all``.
    title: str
    n: int
    test: str
    #: Probability of a p-value below alpha, as if it were the only one.
    raw: float
    raw_interval: Interval
    #: Probability of an adjusted p-value below alpha.
    corrected: float
    corrected_interval: Interval


def endpoints_among(effects: Sequence[Effect], names: Sequence[str]) -> tuple[tuple[int, str], ...]:
    """Places of the effects that are endpoints, each with its test.

    A name is ``ifng`` or ``ifng-change`` for the effect, in every arm that is held against the controls, and after a
    comma a test, such as ``ifng, t``; the first of the effect if none is named.
    """
    found: dict[int, str] = {}
    for name in names:
        asked, comma, test = (part.strip() for part in name.partition(","))
        if any(name == effect for effect, _ in effects):
            # Regimens in words, by which arms are called, may have commas.
            asked, comma, test = name, "", ""
        places = [place for place, (effect, _) in enumerate(effects) if asked in _spellings(effect)]
        if not places:
            known = list(dict.fromkeys(_spellings(effect)[-1] for effect, _ in effects))
            raise not_among(f"the study has no endpoint `{asked[:60]}`", asked, known, code="trial.endpoint")
        for place in places:
            effect, tests = effects[place]
            if comma and test not in tests:
                raise not_among(f"`{effect}` is not tested by `{test[:60]}`", test, tests, code="trial.endpoint")
            if place in found:
                raise InputError(
                    f"the endpoint `{effect}` is named twice",
                    code="trial.endpoint",
                    found=listed(names),
                    expected="each endpoint once, with one test",
                )
            found[place] = test if comma else tests[0]
    return tuple(found.items())


def _spellings(effect: str) -> tuple[str, ...]:
    """What an effect may be called, from the longest to the shortest name."""
    base = effect.partition(": ")[0]
    name, at, visits = base.partition("@")
    return effect, base, f"{name.removesuffix('-change').removesuffix('-difference')}{at}{visits}"


def power_together(outcomes: Sequence[TrialOutcome], analysis: Analysis, *, seed: int) -> tuple[EndpointPower, ...]:
    """Power of each endpoint, of at least one and of all; nothing where no endpoints are named."""
    effects = [(outcome.name, tuple(outcome.p_values)) for outcome in outcomes]
    chosen = [(outcomes[place], test) for place, test in endpoints_among(effects, analysis.endpoints)]
    if not chosen:
        return ()
    raw: FloatArray = np.stack([outcome.p_values[test] for outcome, test in chosen], axis=-1)
    significant = np.where(np.isnan(raw), 1.0, raw) < analysis.alpha
    corrected = adjusted(raw, analysis.correction) < analysis.alpha
    again = populations_again(len(raw), seed)
    rows = [
        (outcome.name, outcome.title, outcome.n, test, significant[..., index], corrected[..., index])
        for index, (outcome, test) in enumerate(chosen)
    ]
    if len(chosen) > 1:
        for name, title, how in ((ANY, "at least one", np.logical_or), (ALL, "all", np.logical_and)):
            rows.append((name, title, 0, "", how.reduce(significant, axis=-1), how.reduce(corrected, axis=-1)))
    return tuple(
        EndpointPower(name, title, n, test, *share_of(alone, again), *share_of(together, again))
        for name, title, n, test, alone, together in rows
    )
