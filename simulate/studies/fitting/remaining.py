"""An estimate of the time that a fit still takes."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

from simulate.durations import duration
from simulate.studies.fitting.posterior import Settings

_FIRST = 10.0
"""Seconds before which nothing is said."""


class Remaining:
    """Estimates what is left of a fit from what its generations took.

    The temperature rises by about the same factor from one generation to the next, and a run ends at 1.

    ``settings``: of the fit. ``final``: points that are solved after the last generation; as many as there are draws if
    not given.
    """

    def __init__(self, settings: Settings, final: int | None = None) -> None:
        self._settings = settings
        self._final = settings.draws if final is None else final
        self._begun = time.monotonic()

    def told(self, run: int, betas: Sequence[float], points: int) -> str:
        """What is to be added to a line after some generations of a run; empty where nothing can be said yet.

        ``points`` were solved since the fit began, by all runs; those of an interrupted one are not among them.
        """
        passed = time.monotonic() - self._begun
        if passed < _FIRST or len(betas) < 3 or not points:
            return ""
        settings = self._settings
        length = len(betas)
        if betas[-1] < 1.0:
            length += math.ceil(math.log(betas[-1]) / math.log(betas[1] / betas[-1]) * (len(betas) - 2))
        each = settings.patients * points / (run * length + len(betas))
        left = each * ((settings.runs - run) * length - len(betas)) + self._final * settings.final_patients
        seconds = passed * left / (settings.patients * points)
        return f"; {duration(passed)} passed, about {duration(seconds)} left"
