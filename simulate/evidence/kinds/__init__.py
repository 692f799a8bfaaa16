"""Kinds of statements, a file for each family; a new one is a class and its name here."""

from simulate.evidence.kinds.correlation import Correlation
from simulate.evidence.kinds.counts import Count
from simulate.evidence.kinds.directions import Direction
from simulate.evidence.kinds.mean_range import MeanRange
from simulate.evidence.kinds.means import Ceiling, Mean
from simulate.evidence.kinds.p_value import PValue
from simulate.evidence.kinds.text import Protocol, Text

Kind = MeanRange | Mean | Ceiling | Count | Direction | Correlation | PValue | Protocol | Text

KINDS: dict[str, type[Kind]] = {
    kind.KIND: kind for kind in (MeanRange, Mean, Ceiling, Count, Direction, Correlation, PValue, Protocol, Text)
}
"""Word of the file → class."""

__all__ = [
    "KINDS",
    "Ceiling",
    "Correlation",
    "Count",
    "Direction",
    "Kind",
    "Mean",
    "MeanRange",
    "PValue",
    "Protocol",
    "Text",
]
