"""Rival explanations of "more IFNγ, less IL-17A" under anakinra, as changes of mechanisms.

None is a switch inside a model: a hypothesis puts one mechanism in the place of another or adds one. They combine with
``+``. Without any of them IL-1 acts in muscle only, and CD4 T cells do not change.

H1
    IL-1 is needed to prime naive cells as Th17 (Acosta-Rodriguez et al. 2007; Sutton et al. 2006).
H2
    Th17 cells turn into double positives and these into ex-Th17 cells, faster with IL-1 (Duhen and Campbell 2014;
    Zielinski et al. 2012); ``x_c`` carries the sign.
H3a
    IL-1 keeps memory alive, Th17 more than Th1 (Ben-Sasson et al. 2009).
H4
    Th1 memory moves between blood and inflamed muscle (Aleksza et al. 2005: fewer IFNγ cells in blood while disease is
    active).
"""

from __future__ import annotations

from collections.abc import Mapping

from sympy import Expr, Symbol, symbols

from simulate.biology.cd4 import (
    CELLS,
    DOUBLE_POSITIVE,
    EX_TH17,
    LINEAGES,
    LOSS_BEFORE,
    OTHER,
    RATE,
    TH1,
    TH17,
    Lineage,
)
from simulate.biology.muscle import INFLAMMATION
from simulate.biology.occupancy import RELATIVE_SIGNAL_LYMPH
from simulate.errors import InputError, did_you_mean
from simulate.symbolic.hypothesis import NONE, Hypothesis
from simulate.symbolic.parts import Condition, Definition, Mechanism, Reaction, Species
from simulate.symbolic.units import DIMENSIONLESS

x_17, K_17, g1, g17, k_c, x_c, k_in, k_out = symbols("x_17 K_17 g1 g17 k_c x_c k_in k_out")

# H1: priming

SATURATION = (1 + K_17) * RELATIVE_SIGNAL_LYMPH / (RELATIVE_SIGNAL_LYMPH + K_17)
TH17_FACTOR = Definition(
    "r_17", "Th17 priming over its baseline", DIMENSIONLESS, x_17 + (1 - x_17) * SATURATION
)  # fmt: skip
FREED = Definition(
    "q_freed",
    "share of primed cells that no longer become Th17",
    DIMENSIONLESS,
    (1 - TH17_FACTOR.symbol) * (TH17.share_before + DOUBLE_POSITIVE.share_before),
)
HEIRS = (TH1, EX_TH17, OTHER)
HEIRS_BEFORE = TH1.effectors_before + EX_TH17.effectors_before + OTHER.effectors_before


def _share(lineage: Lineage) -> Expr:
    # Baseline shares at priming are proportional to baseline effectors, in which the equations of balance stay linear.
    if lineage in HEIRS:
        return lineage.share_before + FREED * lineage.effectors_before / HEIRS_BEFORE
    return lineage.share_before * TH17_FACTOR


PRIMING_BY_IL1 = Mechanism(
    name="priming_by_il1",
    title="IL-1 primes Th17 and double positives; the other lineages share what is freed",
    definitions=(
        TH17_FACTOR,
        FREED,
        *(
            Definition(f"q_{lineage.key}", f"share of {lineage.title} cells at priming", DIMENSIONLESS, _share(lineage))
            for lineage in LINEAGES
        ),
    ),
)

# H3a: survival

RESCUED: Mapping[Lineage, Symbol] = {TH1: g1, TH17: g17, DOUBLE_POSITIVE: g17, EX_TH17: g1}
"""Share of the loss that IL-1 prevents at baseline; other lineages are not known to need IL-1."""


def _loss(lineage: Lineage, before: Expr) -> Expr:
    rescued = RESCUED.get(lineage)
    return before if rescued is None else before * (1 - rescued * RELATIVE_SIGNAL_LYMPH) / (1 - rescued)


SURVIVAL_BY_IL1 = Mechanism(
    name="survival_by_il1",
    title="IL-1 keeps memory cells alive, Th17 more than Th1",
    definitions=tuple(
        Definition(f"loss_{lineage.key}", f"loss of {lineage.title} memory", RATE, _loss(lineage, before))
        for lineage, before in LOSS_BEFORE
    ),
    conditions=tuple(
        Condition(f"rescue_{name}", 1 - gain, f"IL-1 cannot prevent more than all of the loss of {name} memory")
        for name, gain in (("Th1", g1), ("Th17", g17))
    ),
)

# H2: plasticity

CONVERSION_RATE = Definition(
    "k_conversion", "rate of conversion of memory cells", RATE, k_c * (1 + x_c * RELATIVE_SIGNAL_LYMPH)
)

CONVERSION = Mechanism(
    name="conversion",
    title="Th17 memory turns into double positives and these into ex-Th17 cells",
    definitions=(CONVERSION_RATE,),
    reactions=(
        Reaction(
            "th17_to_double_positive",
            CONVERSION_RATE * TH17.memory,
            {TH17.memory: -1, DOUBLE_POSITIVE.memory: 1},
        ),
        Reaction(
            "double_positive_to_ex_th17",
            CONVERSION_RATE * DOUBLE_POSITIVE.memory,
            {DOUBLE_POSITIVE.memory: -1, EX_TH17.memory: 1},
        ),
    ),
    conditions=(Condition("conversion_rate", 1 + x_c, "IL-1 cannot lower the rate of conversion below zero"),),
)

# H4: redistribution

TH1_IN_MUSCLE = Species(
    "T1",
    "Th1 memory cells in muscle, as the blood that they would fill",
    CELLS,
    # Not balanced: the exchange is at rest when the pools stand as the rates do, and then it drops out of all balances.
    initial=k_in / k_out * TH1.memory_before,
)

REDISTRIBUTION = Mechanism(
    name="redistribution",
    title="Th1 memory is drawn into inflamed muscle and returns",
    species=(TH1_IN_MUSCLE,),
    reactions=(
        Reaction("entry_into_muscle", k_in * INFLAMMATION * TH1.memory, {TH1.memory: -1, TH1_IN_MUSCLE: 1}),
        Reaction("return_from_muscle", k_out * TH1_IN_MUSCLE, {TH1_IN_MUSCLE: -1, TH1.memory: 1}),
    ),
)

H0 = Hypothesis(name="H0", title="IL-1 does not act on CD4 T cells")
H1 = Hypothesis(name="H1", title="IL-1 primes Th17", replace=(("priming", PRIMING_BY_IL1),))
H2 = Hypothesis(name="H2", title="Th17 cells turn into IFNγ producers", add=(CONVERSION,))
H3A = Hypothesis(name="H3a", title="IL-1 keeps Th17 memory alive", replace=(("survival", SURVIVAL_BY_IL1),))
H4 = Hypothesis(name="H4", title="Th1 memory moves between blood and inflamed muscle", add=(REDISTRIBUTION,))

HYPOTHESES = (H0, H1, H2, H3A, H4)


def hypothesis_named(text: str) -> Hypothesis:
    """Find a hypothesis or a combination by name, such as ``H1``, ``H1+H3a`` or ``none``; case and spaces are free.

    Raises
    ------
    InputError
        ``hypothesis.unknown`` with the nearest names.
    """
    known = {hypothesis.name.casefold(): hypothesis for hypothesis in (NONE, *HYPOTHESES)}
    parts: list[Hypothesis] = []
    for name in (part.strip() for part in text.split("+")):
        hypothesis = known.get(name.casefold())
        if hypothesis is None:
            names = [known_hypothesis.name for known_hypothesis in HYPOTHESES]
            raise InputError(
                f"there is no hypothesis `{name}`" if name else "the name of a hypothesis is missing",
                code="hypothesis.unknown",
                found=repr(text),
                expected="one of " + ", ".join(names) + ", several joined by +, or none",
                advice=did_you_mean(name, names) if name else None,
            )
        parts.append(hypothesis)
    combined = parts[0]
    for part in parts[1:]:
        combined = combined + part
    return combined
