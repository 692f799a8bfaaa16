"""Options `dish-…`: experiments in culture that would tell the hypotheses apart without a patient on the drug.

Each belongs to a hypothesis and combines with it or with any other: what IL-1Ra, IL-12 or strong costimulation does to
cells of the patient as they are at baseline. They add readouts and change nothing in the patient. The experiment for
H3b, IL-1Ra in the restimulation, is part of H3b.
"""

from __future__ import annotations

from simulate.biology.culture_signal import CULTURES
from simulate.biology.priming_by_cytokines import STRENGTH_CULTURE
from simulate.biology.priming_by_il1 import PRIMING_CULTURE
from simulate.biology.survival_by_il1 import MEMORY_CULTURE
from simulate.symbolic.hypothesis import Hypothesis

PRIMING_DISH = Hypothesis("dish-priming", "Naive cells are primed in culture with IL-1Ra", (CULTURES, PRIMING_CULTURE))
MEMORY_DISH = Hypothesis("dish-memory", "Memory cells are kept in culture with IL-1Ra", (CULTURES, MEMORY_CULTURE))
STRENGTH_DISH = Hypothesis(
    "dish-strength", "Naive cells are primed in culture with IL-12 or strong CD28", (STRENGTH_CULTURE,)
)
