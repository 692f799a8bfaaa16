"""H3b: memory cells release part of their cytokines only while IL-1 is there.

IL-1 signals stabilize the transcripts of cytokines in memory Th1, Th2 and Th17 cells: blocking it lowers release within
hours, of IFNγ as of IL-17A, and changes no cell (Jain et al. 2018). A share ``lic`` of what is detected needs IL-1.
Where it shows depends on whether the drug is in the dish:

- Thawed, washed cells, as in the trial: no drug, no effect. The readouts ``ifng`` and ``il17a`` are as they were.
- The same cells with IL-1Ra added for the six hours: the licensed share vanishes, on any day, with or without drug.
- Cells tested unwashed, with the drug of the day: as the IL-1 signal in the patient at that hour.

In muscle, the same cells release less IL-17. What that would do to inflammation is not part of this mechanism, which
says what would be measured.
"""

from __future__ import annotations

from sympy import Expr, symbols

from simulate.biology.culture_signal import CULTURE_SIGNAL
from simulate.biology.muscle import DRIVE
from simulate.biology.occupancy import RELATIVE_SIGNAL_LYMPH, RELATIVE_SIGNAL_MUSCLE
from simulate.biology.readouts import PERCENT, READOUTS
from simulate.symbolic.parts import Condition, Mechanism, Observable

lic = symbols("lic")


def licensed(relative_signal: Expr) -> Expr:
    """Release of cytokines at an IL-1 signal, over that at signal 1."""
    return 1 - lic * (1 - relative_signal)


STAINED = {observable.name: observable for observable in READOUTS.observables if observable.name in ("ifng", "il17a")}

LICENSING = Mechanism(
    name="licensing",
    title="IL-1 licenses the release of cytokines",
    observables=(
        *(
            Observable(
                f"{name}_with_il1ra",
                f"{stained.meaning} with IL-1Ra, cells washed",
                PERCENT,
                stained.expression * licensed(CULTURE_SIGNAL.symbol),
            )
            for name, stained in STAINED.items()
        ),
        *(
            Observable(
                f"{name}_unwashed",
                f"{stained.meaning}, cells unwashed",
                PERCENT,
                stained.expression * licensed(RELATIVE_SIGNAL_LYMPH.symbol),
            )
            for name, stained in STAINED.items()
        ),
        Observable(
            "il17_release_muscle",
            "IL-17 that memory cells release in muscle, of baseline",
            PERCENT,
            DRIVE * licensed(RELATIVE_SIGNAL_MUSCLE.symbol),
        ),
    ),
    conditions=(Condition("licensed_share", 1 - lic, "IL-1 cannot license more than all of a readout"),),
)
