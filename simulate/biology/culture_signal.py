"""The IL-1 signal that IL-1Ra leaves in a culture of blood cells.

Blood cells are washed and cultured, for hours to see which cytokines they make or for days to see what becomes of
them. The drug is washed out with the plasma. Monocytes in the dish make some IL-1 (``il1_culture``); IL-1Ra can be
added (``il1ra_culture``). The signal with it over that without, 1 when none is added, is the one quantity that every
experiment of this kind has in common. Equilibrium; receptors as
resting T cells have them in tissue.
"""

from __future__ import annotations

from sympy import Expr, Integer, symbols

from simulate.biology.occupancy import LYMPH, K_Ra, bound, signal
from simulate.biology.receptors import il1_tightness
from simulate.symbolic.parts import Definition, Mechanism
from simulate.symbolic.units import DIMENSIONLESS

il1_culture, il1ra_culture = symbols("il1_culture il1ra_culture")


def _signal(antagonist: Expr) -> Expr:
    return signal(bound(il1_culture * il1_tightness, antagonist), LYMPH.half)


CULTURE_SIGNAL = Definition(
    "culture_signal",
    "IL-1 signal in a culture with IL-1Ra over that without",
    DIMENSIONLESS,
    _signal(il1ra_culture / K_Ra) / _signal(Integer(0)),
)

CULTURES = Mechanism(
    name="cultures", title="IL-1 signal in a culture with IL-1Ra", definitions=(CULTURE_SIGNAL,)
)  # fmt: skip
