"""IL-6 and IL-12 that never change, as in the reference model.

What depends on IL-6 or IL-12 reads ``relative_il6`` and ``relative_il12``, their concentrations over the patient's own
baseline. In the reference model both are 1; `simulate.biology.cytokines` takes this place and lets them follow IL-1,
IL-17 and inflammation.
"""

from __future__ import annotations

from sympy import Integer, symbols

from simulate.symbolic.parts import Definition, Mechanism
from simulate.symbolic.units import DIMENSIONLESS

IL6_0, IL12_0, relative_il6, relative_il12 = symbols("IL6_0 IL12_0 relative_il6 relative_il12")

CONSTANT_CYTOKINES = Mechanism(
    name="cytokines_constant",
    title="IL-6 and IL-12 at their baseline",
    definitions=(
        Definition(relative_il6.name, "IL-6 over its baseline", DIMENSIONLESS, Integer(1)),
        Definition(relative_il12.name, "IL-12 over its baseline", DIMENSIONLESS, Integer(1)),
    ),
)
