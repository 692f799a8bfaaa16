"""The engine in plain Python, one lane in a block, where compiling would take longer than running."""

from __future__ import annotations

import functools
from types import ModuleType
from typing import Any

from simulate.kernels import build as building
from simulate.kernels.edition import Edition, decorated_by


def plain_edition(capacity: int) -> tuple[Edition, ModuleType]:
    """An edition of which nothing is compiled, and its module that builds kernels."""
    edition = Edition(capacity=capacity, door=decorated_by(lambda function: function))
    builder: Any = edition.module("simulate.kernels.build")
    builder.load_source = functools.partial(building.load_source, execute=edition.execute)
    builder.is_direct = lambda _source, _name: False
    return edition, builder
