"""How well a laboratory reads what is in a patient: proportional error, counting of cells, and a lower limit.

A reading is the truth times a log-normal factor; where cells are counted, it is then the share of so many cells, drawn
from a binomial distribution. What is at or below the limit of the assay is reported as the limit and stands for "no
more than that" (left censoring).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from simulate.errors import InputError
from simulate.streams import FloatArray
from simulate.symbolic.units import DIMENSIONLESS, Unit


@dataclass(frozen=True, slots=True)
class Assay:
    """The errors and the lower limit of a laboratory's readings of a quantity.

    Attributes
    ----------
    unit
        Unit of truth, reading and limit.
    sd_log
        Standard deviation of the logarithm of the factor on the truth.
    limit
        Lowest reading; 0 if there is none.
    events
        Number of cells counted, of which the quantity is a share; None if cells are not counted.
    """

    unit: Unit
    sd_log: float
    limit: float = 0.0
    events: int | None = None

    def __post_init__(self) -> None:
        sound = 0.0 <= self.sd_log < math.inf and 0.0 <= self.limit < math.inf
        if not sound or (self.events is not None and self.events < 1):
            raise InputError(
                "an assay cannot be",
                code="assay.value",
                found=f"spread {self.sd_log!r}, limit {self.limit!r} {self.unit.text}, {self.events!r} cells",
                expected="a spread and a limit that are not negative, and at least one cell if cells are counted",
            )
        if self.events is not None and self.unit.dimension != DIMENSIONLESS.dimension:
            raise InputError(
                f"cells are counted, but the reading is in {self.unit.text}",
                code="assay.value",
                expected="a share, such as %",
            )

    def spread(self, truth: FloatArray) -> FloatArray:
        """Standard deviation of the logarithm of a reading, to first order, shape of ``truth``."""
        if self.events is None:
            return np.full_like(truth, self.sd_log)
        share = np.clip(truth * float(self.unit.factor), 1.0 / self.events, 1.0)
        return np.sqrt(self.sd_log**2 + (1.0 - share) / (self.events * share))
