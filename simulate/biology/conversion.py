"""H2: Th17 memory turns into double positives and these into ex-Th17 cells, never back.

The way is one-way (Nistala et al. 2010) and slow in memory from blood (Lexberg et al. 2008). IL-1β makes human Th17
cells ready for it (Duhen and Campbell 2014; Zielinski et al. 2012), so ``x_c`` is positive in the literature; its sign
is left free, from −1 (IL-1 prevents conversion) upwards. In the first form conversion depends on IL-1 alone. In the
second it also needs IL-12 (Lee et al. 2009; Duhen and Campbell 2014): none without it, half of the full rate at
``K_12c``, so that patients with much IL-12 convert more, and IL-12 that falls with inflammation slows it.
"""

from __future__ import annotations

from sympy import Expr, symbols

from simulate.biology.cd4 import DOUBLE_POSITIVE, EX_TH17, RATE, TH17
from simulate.biology.cytokines import SERUM_CYTOKINES
from simulate.biology.cytokines_constant import IL12_0, relative_il12
from simulate.biology.occupancy import RELATIVE_SIGNAL_LYMPH
from simulate.symbolic.hypothesis import Hypothesis
from simulate.symbolic.parts import Condition, Definition, Mechanism, Reaction

k_c, x_c, K_12c = symbols("k_c x_c K_12c")


def _conversion(title: str, rate: Expr) -> Mechanism:
    conversion_rate = Definition("k_conversion", "rate of conversion of memory cells", RATE, rate)
    steps = (
        ("th17_to_double_positive", TH17, DOUBLE_POSITIVE),
        ("double_positive_to_ex_th17", DOUBLE_POSITIVE, EX_TH17),
    )
    return Mechanism(
        # Both forms bear this name, so that they cannot be added to one model.
        name="conversion",
        title=title,
        definitions=(conversion_rate,),
        reactions=tuple(
            Reaction(name, conversion_rate * before.memory, {before.memory: -1, after.memory: 1})
            for name, before, after in steps
        ),
        conditions=(Condition("conversion_rate", 1 + x_c, "IL-1 cannot lower the rate of conversion below zero"),),
    )


CONVERSION = _conversion(
    "Th17 memory turns into double positives and these into ex-Th17 cells",
    k_c * (1 + x_c * RELATIVE_SIGNAL_LYMPH),
)

IL12 = IL12_0 * relative_il12

CONVERSION_BY_IL12 = _conversion(
    "Th17 memory turns into double positives and these into ex-Th17 cells, where there is IL-12",
    k_c * (1 + x_c * RELATIVE_SIGNAL_LYMPH) * IL12 / (IL12 + K_12c),
)

H2_IL12 = Hypothesis(
    name="H2-il12",
    title="Th17 cells turn into IFNγ producers where IL-12 is",
    add=(CONVERSION_BY_IL12,),
)
"""Patients differ in IL-12, which stays as it is unless another option lets it follow."""

H2_CYTOKINES = Hypothesis(
    name="H2-cytokines",
    title="Th17 cells turn into IFNγ producers as IL-12 allows, which follows inflammation",
    add=(CONVERSION_BY_IL12,),
    replace=SERUM_CYTOKINES.replace,
)
