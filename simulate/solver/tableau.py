"""Butcher tableaus that check themselves."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class ButcherTableau:
    """An embedded explicit Runge-Kutta pair in exact fractions.

    Attributes
    ----------
    c
        Nodes, one for each stage.
    a
        Strictly lower triangular stage weights; row ``s`` has ``s`` entries.
    b
        Weights of the solution.
    b_error
        Weights of the error estimate: solution minus embedded solution.

    Raises
    ------
    ValueError
        When a row of ``a`` does not sum to its node, ``b`` not to 1 or ``b_error`` not to 0.
    """

    c: tuple[Fraction, ...]
    a: tuple[tuple[Fraction, ...], ...]
    b: tuple[Fraction, ...]
    b_error: tuple[Fraction, ...]

    def __post_init__(self) -> None:
        for index, (node, weights) in enumerate(zip(self.c, self.a, strict=True)):
            if len(weights) != index or sum(weights) != node:
                raise ValueError(f"stage {index}: {len(weights)} weights with sum {sum(weights)}, node {node}")
        if sum(self.b) != 1 or sum(self.b_error) != 0:
            raise ValueError(f"weights sum to {sum(self.b)}, error weights to {sum(self.b_error)}")

    @property
    def stages(self) -> int:
        """Number of stages."""
        return len(self.c)
