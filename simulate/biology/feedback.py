"""The condition under which a baseline is stable, as the IL-1 signal of muscle and inflammation drive each other.

A small change of the signal comes back through IL-1 (which the signal and inflammation make), through the patient's
own IL-1Ra (which the signal makes), and where the model has it through IL-1Ra that macrophages make. If it comes back
larger than it left, the baseline is a steady state on which no patient can stay: the slightest change runs away from
it, upwards or downwards. Balance cannot see that, because the rates are zero all the same; a condition must.

Sensitivities are logarithmic and hold for every reading of the receptor: the signal o / (o + half) changes with
occupancy by 1 − S, occupancy with IL-1 by 1 − o, and with IL-1Ra by −(1 − o) ρ / (1 + ρ). T cells are constant here,
for they change over months; and what is slower than IL-1 is taken at its end. So the condition is of first order and
says nothing of oscillations.
"""

from __future__ import annotations

from sympy import Expr, Integer, symbols

from simulate.biology.il1 import a_fb
from simulate.biology.occupancy import K_Ra
from simulate.biology.pharmacokinetics import ENDOGENOUS, eps
from simulate.symbolic.parts import Condition

S_muscle, o_muscle, rho_muscle = symbols("S_muscle o_muscle rho_muscle")

ZERO = Integer(0)


def signal_return(inflammation: Expr, local: Expr = ZERO, response: Expr = ZERO) -> Expr:
    """What a small relative change of the IL-1 signal in muscle comes back as, over itself, at baseline.

    Parameters
    ----------
    inflammation
        Relative change of inflammation for that of the signal.
    local
        IL-1Ra in muscle from macrophages over its dissociation constant.
    response
        Relative rise of that IL-1Ra for a relative fall of the signal.

    Returns
    -------
    Expr
        Dimensionless; the baseline runs away where it exceeds 1.
    """
    own = ENDOGENOUS / K_Ra
    through_il1 = a_fb * (1 + inflammation)
    through_il1ra = (local * response - own * eps) / (1 + rho_muscle)
    return (1 - S_muscle) * (1 - o_muscle) * (through_il1 + through_il1ra)


def holds(name: str, returned: Expr) -> Condition:
    """Condition that a change of the signal comes back smaller than it left."""
    return Condition(name, 1 - returned, "the loops of IL-1 would run away from this baseline at the slightest change")
