"""The engine in plain Python, one lane in a block, where compiling would take longer than running."""

from __future__ import annotations

from types import ModuleType

from simulate.kernels.edition import Edition, decorated_by


def plain_edition(capacity: int) -> tuple[Edition, ModuleType]:
    """An edition of which nothing is compiled, and its module that builds kernels."""
    edition = Edition(capacity=capacity, door=decorated_by(lambda function: function))
    return edition, edition.builder(lambda function: function)
