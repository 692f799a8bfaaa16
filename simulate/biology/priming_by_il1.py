"""H1: naive cells become Th17 only where IL-1 signals.

Human naive cells make RORγt and IL-17 with IL-1β and hardly without (Acosta-Rodriguez et al. 2007); mice without the
IL-1 receptor have next to no Th17 cells and as many Th1 cells as others (Sutton et al. 2006). So the share of Th17 and
double-positive cells at priming saturates with the IL-1 signal in lymphoid tissue, a rest ``x_17`` needs none, and the
other lineages take over what is freed, in proportion. Cells that are primed already do not change: a blockade shows at
the pace at which memory is lost, never faster (``docs/hypotheses.md``).
"""

from __future__ import annotations

from sympy import Expr, symbols

from simulate.biology.cd4 import DOUBLE_POSITIVE, EX_TH17, LINEAGES, OTHER, TH1, TH17, Lineage
from simulate.biology.culture_signal import CULTURE_SIGNAL
from simulate.biology.occupancy import RELATIVE_SIGNAL_LYMPH
from simulate.symbolic.parts import Definition, Mechanism, Observable
from simulate.symbolic.units import DIMENSIONLESS, unit

x_17, K_17 = symbols("x_17 K_17")

HEIRS = (TH1, EX_TH17, OTHER)
HEIRS_BEFORE = TH1.effectors_before + EX_TH17.effectors_before + OTHER.effectors_before

FACTOR_MEANING = "Th17 priming over its baseline"


def th17_priming(signal: Expr) -> Expr:
    """Th17 priming over its baseline, 1 at signal 1; ``signal`` is that of IL-1 over its baseline."""
    saturation = (1 + K_17) * signal / (signal + K_17)
    return x_17 + (1 - x_17) * saturation


def shares_at_priming(factor: Definition) -> tuple[Definition, ...]:
    """The share of each lineage when that of Th17 and double positives is multiplied by a factor.

    Returns
    -------
    tuple of Definition
        The factor, the share that it frees, and ``q_*`` of each lineage, which always add up to their baseline sum.
    """
    freed = Definition(
        "q_freed",
        "share of primed cells that no longer become Th17",
        DIMENSIONLESS,
        (1 - factor.symbol) * (TH17.share_before + DOUBLE_POSITIVE.share_before),
    )

    def share(lineage: Lineage) -> Expr:
        # Baseline shares at priming are proportional to baseline effectors, in which the equations of balance stay
        # linear.
        if lineage in HEIRS:
            return lineage.share_before + freed * lineage.effectors_before / HEIRS_BEFORE
        return lineage.share_before * factor

    return (
        factor,
        freed,
        *(
            Definition(f"q_{lineage.key}", f"share of {lineage.title} cells at priming", DIMENSIONLESS, share(lineage))
            for lineage in LINEAGES
        ),
    )


TH17_FACTOR = Definition("r_17", FACTOR_MEANING, DIMENSIONLESS, th17_priming(RELATIVE_SIGNAL_LYMPH.symbol))

PRIMING_BY_IL1 = Mechanism(
    name="priming_by_il1",
    title="IL-1 primes Th17 and double positives; the other lineages share what is freed",
    definitions=shares_at_priming(TH17_FACTOR),
)

PRIMING_CULTURE = Mechanism(
    name="priming_culture",
    title="Naive cells primed in culture with IL-1Ra",
    observables=(
        Observable(
            "primed_th17_with_il1ra",
            "Th17 cells from naive cells in culture with IL-1Ra, of the culture without",
            unit("%"),
            th17_priming(CULTURE_SIGNAL.symbol),
        ),
    ),
)
"""The experiment that would test H1: it needs no patient on the drug."""
