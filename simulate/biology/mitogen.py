"""H8: IL-1 expands Th17 clones and does not prime them; experiments that support it are the main evidence against H1.

In mice whose T cells lack the IL-1 receptor, IL-1 of myeloid cells is not vital for the generation and plasticity of
Th17 cells, but for the expansion of those that make GM-CSF (Mufazalov et al. 2017): a mitogen of such cells rather than
their inducer. Here a share ``g_mit`` of the cells of Th17 and double-positive clones, those that make GM-CSF, is there
thanks to IL-1 at its baseline. Without it these clones are smaller, and nothing is primed in their place, where under
`simulate.biology.priming_by_il1` other lineages share what is freed; `simulate.biology.expansion` does the same to all
lineages. What makes GM-CSF is not counted apart, so that the share of it among Th17 cells, which would fall here and
not under H1, is not a reading of this model.
"""

from __future__ import annotations

from sympy import symbols

from simulate.biology.cd4 import ACTIVATED, DOUBLE_POSITIVE, TH17, tau_A
from simulate.biology.occupancy import RELATIVE_SIGNAL_LYMPH
from simulate.symbolic.parts import Condition, Mechanism, Reaction

g_mit = symbols("g_mit")

MITOGEN = Mechanism(
    name="mitogen",
    title="IL-1 makes Th17 and double-positive clones grow",
    reactions=tuple(
        Reaction(
            f"th17_clones_not_grown_{lineage.key}",
            g_mit * (1 - RELATIVE_SIGNAL_LYMPH.symbol) * lineage.share * ACTIVATED / tau_A,
            {lineage.effector: -1},
        )
        for lineage in (TH17, DOUBLE_POSITIVE)
    ),
    conditions=(
        Condition("th17_clone_share", 1 - g_mit, "IL-1 cannot account for more than the whole of a Th17 clone"),
    ),
)
