"""Kinds of statements, a file for each family; a new one is a class and its name here."""

from typing import get_args

from simulate.evidence.kinds.correlation import Correlation as Correlation
from simulate.evidence.kinds.counts import Count as Count
from simulate.evidence.kinds.directions import Direction as Direction
from simulate.evidence.kinds.mean_range import MeanRange as MeanRange
from simulate.evidence.kinds.means import Ceiling as Ceiling
from simulate.evidence.kinds.means import Mean as Mean
from simulate.evidence.kinds.p_value import PValue as PValue
from simulate.evidence.kinds.text import Protocol as Protocol
from simulate.evidence.kinds.text import Text as Text

Kind = MeanRange | Mean | Ceiling | Count | Direction | Correlation | PValue | Protocol | Text

KINDS: dict[str, type[Kind]] = {kind.KIND: kind for kind in get_args(Kind)}
"""Word of the file → class."""
