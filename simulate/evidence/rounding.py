"""What a printed number says of the number before it was rounded."""

from __future__ import annotations

from decimal import Decimal


def half_step(printed: float) -> float:
    """Half a unit of the last digit that was printed.

    A number is taken to be printed with the fewest digits that write it: 1.1 with one decimal, 2559 with none. Zeros
    at the end cannot be seen, so that the step is never too small.
    """
    exponent = Decimal(repr(printed)).normalize().as_tuple().exponent
    assert isinstance(exponent, int), "numbers of a file are finite"
    return 0.5 * 10.0 ** min(exponent, 0)


def rounding(printed: float) -> tuple[float, float]:
    """Lowest and highest number that is printed so."""
    return printed - half_step(printed), printed + half_step(printed)


def prints_as(value: float, printed: float) -> bool:
    """Whether a number, rounded to the digits of another, is that other; a tie may be rounded either way."""
    # The least significant bits of a tie are noise.
    return abs(value - printed) <= half_step(printed) * (1.0 + 1e-9)
