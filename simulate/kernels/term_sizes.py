"""How large the terms are that an observable is added up from, as numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulate.kernels.in_numpy import NumpyFunction
from simulate.solver.kernel import FloatArray

_TOGETHER = 16_384
"""Numbers of a course that are computed at a time."""


@dataclass(frozen=True, slots=True)
class TermSizes:
    """What adds up the sizes of the terms of an observable (`simulate.kernels.terms.term_sizes`).

    Attributes
    ----------
    function
        Of time, states and parameters.
    """

    function: NumpyFunction

    def sums(self, states: FloatArray, parameters: FloatArray, times: FloatArray) -> FloatArray:
        """Sums of sizes, shape [row, time], in the unit of the observable.

        Parameters
        ----------
        states, parameters, times
            Shapes [row, time, state], [row, parameter] and [time].
        """
        sums = np.empty(states.shape[:2])
        # Few rows at a time: what is computed on the way stays in the cache of the processor.
        together = max(1, _TOGETHER // max(1, len(times)))
        for first in range(0, len(states), together):
            rows = slice(first, first + together)
            columns = (parameters[rows, column, np.newaxis] for column in range(parameters.shape[1]))
            with np.errstate(all="ignore"):
                (found,) = self.function([times, *np.moveaxis(states[rows], 2, 0), *columns])
            sums[rows] = found
        return sums
