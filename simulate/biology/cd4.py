"""CD4 T cells from thymus to memory, as seen in blood.

Naive cells leave the thymus, die slowly, and are activated more slowly still. An activated cell divides in lymphoid
tissue into a clone, which leaves after ``tau_A`` as effectors of five lineages; most effectors die, a few become
memory, which is lost slowly. The lineages are Th1, Th17, double positives (IL-17 and IFNγ), ex-Th17 (the CCR6+ CXCR3+
CD161+ phenotype: IFNγ, no longer IL-17) and all others. Numbers are cells per µL of blood. Naive, effector and memory
cells circulate and make up the CD4 count; effectors and memory carry CD45RO. Activated cells stay in the tissue: they
are counted as the blood that they will fill, but are not in the count.

**A patient is described by what is measured**: CD4 count, share of CD45RO, and the lineages among CD45RO cells. The
rest follows from the steady state before treatment, from the last pool back to the first. Formation of memory equals
its loss, which gives the effectors; the death and departure of effectors give the activated cells and the lineage
shares at priming; activated cells give the size of a clone; naive cells give the output of the thymus. A description
that would need a negative flow has no steady state and is refused.

Shares at priming (``q_*``) and rates of memory loss (``loss_*``) belong to separate mechanisms, here the ones without
an effect of IL-1, so that a hypothesis can put others in their place. Left out: memory that renews itself (then
clones could be smaller and priming would act more slowly), regulatory T cells, IL-6 and IL-12 at priming,
glucocorticoids.
"""

from __future__ import annotations

from dataclasses import dataclass

from sympy import Add, Expr, Integer, Symbol, symbols

from simulate.symbolic.parts import Balance, Condition, Definition, Mechanism, Reaction, Species
from simulate.symbolic.units import DIMENSIONLESS, unit

CD4, f_RO, f_Th1, f_Th17, r_DP, r_ex = symbols("CD4 f_RO f_Th1 f_Th17 r_DP r_ex")
d_N, k_act, tau_A, d_E, f_mem, d_M, d_M17, d_Mx = symbols("d_N k_act tau_A d_E f_mem d_M d_M17 d_Mx")

CELLS = unit("cell/µL")
FLUX = unit("cell/µL/d")
RATE = unit("1/d")

k_mem = Definition("k_mem", "rate at which an effector becomes memory", RATE, f_mem / (1 - f_mem) * d_E)
"""Effectors die at ``d_E`` or become memory at ``k_mem``: the fraction ``f_mem`` takes the second way."""


@dataclass(frozen=True, slots=True)
class Lineage:
    """Effector and memory cells of one kind, their share at priming and their loss.

    ``measured`` is the number of effector and memory cells at baseline, cells/µL; ``effectors_before`` and
    ``share_before`` are the baseline values that balance determines.
    """

    key: str
    title: str
    measured: Expr
    reason: str

    @property
    def effectors_before(self) -> Symbol:
        return Symbol(f"E{self.key}_0")

    @property
    def memory_before(self) -> Expr:
        return self.measured - self.effectors_before

    @property
    def share_before(self) -> Symbol:
        return Symbol(f"q_{self.key}_0")

    @property
    def share(self) -> Symbol:
        return Symbol(f"q_{self.key}")

    @property
    def loss(self) -> Symbol:
        return Symbol(f"loss_{self.key}")

    @property
    def effector(self) -> Species:
        return Species(f"E{self.key}", f"{self.title} effector cells", CELLS, initial=self.effectors_before)

    @property
    def memory(self) -> Species:
        return Species(f"M{self.key}", f"{self.title} memory cells", CELLS, initial=self.memory_before)

    @property
    def leaving(self) -> Expr:
        """Flow out of the effector pool at baseline, which priming must make good."""
        return (d_E + k_mem) * self.effectors_before

    @property
    def reactions(self) -> tuple[Reaction, ...]:
        return (
            Reaction(f"effector_death_{self.key}", d_E * self.effector, {self.effector: -1}),
            Reaction(f"memory_formation_{self.key}", k_mem * self.effector, {self.effector: -1, self.memory: 1}),
            Reaction(f"memory_loss_{self.key}", self.loss * self.memory, {self.memory: -1}),
        )

    @property
    def balances(self) -> tuple[Balance, ...]:
        return (
            Balance(
                f"E{self.key}_0",
                f"{self.title} effector cells at baseline",
                CELLS,
                zero=self.memory,
                reason=self.reason,
            ),
            Balance(
                f"q_{self.key}_0",
                f"share of {self.title} cells at priming at baseline",
                DIMENSIONLESS,
                zero=self.effector,
                reason=f"the baseline would need a negative share of {self.title} cells at priming",
            ),
        )


CD45RO = f_RO * CD4
TH17_SHARE = f_Th17
DOUBLE_POSITIVE_SHARE = r_DP * f_Th17
EX_TH17_SHARE = r_ex * f_Th17
OTHER_SHARE = 1 - f_Th1 - TH17_SHARE - DOUBLE_POSITIVE_SHARE - EX_TH17_SHARE

TH1 = Lineage("1", "Th1", f_Th1 * CD45RO, "Th1 memory would need a negative inflow to stay as it is")
TH17 = Lineage("17", "Th17", TH17_SHARE * CD45RO, "Th17 memory would need a negative inflow to stay as it is")
DOUBLE_POSITIVE = Lineage(
    "117",
    "double-positive",
    DOUBLE_POSITIVE_SHARE * CD45RO,
    "more Th17 cells turn into double positives than double positives are lost: they are too few for this rate",
)
EX_TH17 = Lineage(
    "x",
    "ex-Th17",
    EX_TH17_SHARE * CD45RO,
    "more double positives turn into ex-Th17 cells than ex-Th17 cells are lost: they are too few for this rate",
)
OTHER = Lineage(
    "o", "other", OTHER_SHARE * CD45RO, "memory of other lineages would need a negative inflow to stay as it is"
)

LINEAGES = (TH1, TH17, DOUBLE_POSITIVE, EX_TH17, OTHER)

A_0, s_N, burst = symbols("A_0 s_N burst")
NAIVE_BEFORE = (1 - f_RO) * CD4

NAIVE = Species("N", "naive cells", CELLS, initial=NAIVE_BEFORE)
ACTIVATED = Species("A", "activated, dividing cells", CELLS, initial=A_0)

CIRCULATING = Definition(
    "cd4_blood",
    "CD4 cells in blood",
    CELLS,
    Add(NAIVE.symbol, *(lineage.effector + lineage.memory for lineage in LINEAGES)),
)

TURNOVER = Mechanism(
    name="cd4",
    title="CD4 T cells from thymus to memory",
    species=(
        NAIVE,
        ACTIVATED,
        *(lineage.effector for lineage in LINEAGES),
        *(lineage.memory for lineage in LINEAGES),
    ),
    definitions=(k_mem, CIRCULATING),
    reactions=(
        Reaction("thymic_output", s_N, {NAIVE: 1}),
        Reaction("naive_death", d_N * NAIVE, {NAIVE: -1}),
        Reaction("activation", k_act * NAIVE, {NAIVE: -1, ACTIVATED: burst}),
        Reaction(
            "priming",
            ACTIVATED / tau_A,
            {ACTIVATED: Integer(-1)} | {lineage.effector: lineage.share for lineage in LINEAGES},
        ),
        *(reaction for lineage in LINEAGES for reaction in lineage.reactions),
    ),
    balances=(
        *(balance for lineage in LINEAGES for balance in lineage.balances),
        Balance(
            "A_0",
            "activated cells at baseline",
            CELLS,
            zero=A_0 / tau_A - Add(*(lineage.leaving for lineage in LINEAGES)),
            reason="the effectors would need a negative number of activated cells",
        ),
        Balance(
            "burst",
            "activated cells that one naive cell gives rise to",
            DIMENSIONLESS,
            zero=ACTIVATED,
            reason="the activated cells would need clones of negative size",
        ),
        Balance(
            "s_N",
            "output of the thymus",
            FLUX,
            zero=NAIVE,
            reason="the naive cells would need a negative output of the thymus",
        ),
    ),
    conditions=(
        Condition("naive_share", 1 - f_RO, "the share of CD45RO among CD4 cells exceeds 1"),
        Condition(
            "lineage_shares",
            OTHER_SHARE,
            "Th1, Th17, double-positive and ex-Th17 cells together exceed all CD45RO cells",
        ),
    ),
)

PRIMING = Mechanism(
    name="priming",
    title="Lineage shares at priming, constant",
    definitions=tuple(
        Definition(
            f"q_{lineage.key}", f"share of {lineage.title} cells at priming", DIMENSIONLESS, lineage.share_before
        )
        for lineage in LINEAGES
    ),
)

LOSS_BEFORE: tuple[tuple[Lineage, Symbol], ...] = (
    (TH1, d_M),
    (TH17, d_M17),
    (DOUBLE_POSITIVE, d_M17),
    (EX_TH17, d_Mx),
    (OTHER, d_M),
)

SURVIVAL = Mechanism(
    name="survival",
    title="Loss of memory cells, constant",
    definitions=tuple(
        Definition(f"loss_{lineage.key}", f"loss of {lineage.title} memory", RATE, loss)
        for lineage, loss in LOSS_BEFORE
    ),
)
