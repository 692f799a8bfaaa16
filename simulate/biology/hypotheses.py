"""Rival explanations of "more IFNγ, less IL-17A" under anakinra, as changes of mechanisms.

None is a switch inside a model: a hypothesis puts one mechanism in the place of another or adds one. They combine with
``+``. Without any of them IL-1 acts in muscle only, and CD4 T cells do not change. What each predicts, and how to tell
them apart, is in ``docs/hypotheses.md``. Each mechanism is described where it is defined.

H1
    IL-1 is needed to prime naive cells as Th17 (Acosta-Rodriguez et al. 2007; Sutton et al. 2006).
H2
    Th17 cells turn into double positives and these into ex-Th17 cells, faster with IL-1 (Duhen and Campbell 2014;
    Zielinski et al. 2012); ``x_c`` carries the sign.
H3a
    IL-1 keeps memory alive, Th17 more than Th1 (Ben-Sasson et al. 2009).
H3b
    IL-1 licenses memory cells to release cytokines while it is there (Jain et al. 2018).
H4
    Th1 memory moves between blood and inflamed muscle (Aleksza et al. 2005: fewer IFNγ cells in blood while
    dermatomyositis is active; not in polymyositis, which the option ``H4-dm`` respects).
H5a
    No effect of the drug: extreme readings regress to the mean.
H5b
    No effect of the drug: steroids are tapered, which Th1 cells feel and Th17 cells do not (Banuelos and Lu 2016). The
    meeting abstract of the study says that co-medication was stable (Dorph et al. 2009), so a fit leaves little room
    for it.
H5
    Both together.
H6
    IL-1 holds Th1 priming back, and blockade releases it. With H1 it is the hypothesis of the trial's authors: Th1
    rather than Th17 (Zong et al. 2011).
H7
    IL-17 brakes Th1 priming through IL-12Rβ2 (Cytokine 2009;48:226). It needs another hypothesis that lowers IL-17,
    such as H1.
H8
    IL-1 makes Th17 clones grow and primes none (Mufazalov et al. 2017): the main evidence against H1.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from simulate.biology.clinical import CLINICAL_RESPONSE
from simulate.biology.conversion import CONVERSION
from simulate.biology.creatine_kinase_drift import CK_DRIFT
from simulate.biology.culture_signal import CULTURES
from simulate.biology.glucocorticoids import GLUCOCORTICOIDS
from simulate.biology.il17_brake import IL17_BRAKE
from simulate.biology.licensing import LICENSING
from simulate.biology.mitogen import MITOGEN
from simulate.biology.priming_by_il1 import PRIMING_BY_IL1
from simulate.biology.redistribution import REDISTRIBUTION
from simulate.biology.reference import REFERENCE
from simulate.biology.regression import REGRESSION
from simulate.biology.senescence import SENESCENCE
from simulate.biology.survival_by_il1 import SURVIVAL_BY_IL1
from simulate.biology.th1_release import TH1_RELEASE
from simulate.errors import InputError, did_you_mean
from simulate.inputs import is_there
from simulate.manifest import kind_at
from simulate.symbolic.hypothesis import NONE, Hypothesis, combine
from simulate.symbolic.modelfile import read_hypothesis
from simulate.symbolic.parts import Mechanism

H0 = Hypothesis(name="H0", title="IL-1 does not act on CD4 T cells")
H1 = Hypothesis(name="H1", title="IL-1 primes Th17", replace=(("priming", PRIMING_BY_IL1),))
H2 = Hypothesis(name="H2", title="Th17 cells turn into IFNγ producers", add=(CONVERSION,))
H3A = Hypothesis(name="H3a", title="IL-1 keeps Th17 memory alive", replace=(("survival", SURVIVAL_BY_IL1),))
H3B = Hypothesis(name="H3b", title="IL-1 licenses the release of cytokines", add=(CULTURES, LICENSING))
H4 = Hypothesis(
    name="H4", title="Th1 memory moves between blood and inflamed muscle", replace=(("residence", REDISTRIBUTION),)
)
H5A = Hypothesis(name="H5a", title="Extreme readings regress to the mean", add=(REGRESSION,))
H5B = Hypothesis(name="H5b", title="Steroids are tapered", add=(GLUCOCORTICOIDS, SENESCENCE))
H5 = Hypothesis(
    name="H5",
    title="Steroids are tapered and extreme readings regress",
    add=H5A.add + H5B.add,
)
H6 = Hypothesis(name="H6", title="IL-1 holds Th1 priming back", add=(TH1_RELEASE,))
H7 = Hypothesis(name="H7", title="IL-17 brakes Th1 priming", add=(IL17_BRAKE,))
H8 = Hypothesis(name="H8", title="IL-1 makes Th17 clones grow and primes none", add=(MITOGEN,))

HYPOTHESES = (H0, H1, H2, H3A, H3B, H4, H5, H5A, H5B, H6, H7, H8)

UP, DOWN, FLAT = "up", "down", "flat"
"""Ways in which a hypothesis can be expected to move something."""

EXPECTED: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "H0": {
            key: FLAT
            for quantity in ("il17a", "ifng")
            for key in (quantity, f"{quantity} dose", f"{quantity} drug", f"{quantity} wash-out", f"{quantity} who")
        },
        "H1": {
            "il17a": DOWN, "ifng": UP, "double_positive": DOWN, "th17_memory": DOWN, "naive": UP, "cd45ro": FLAT,
            "il17a dose": FLAT, "il17a drug": FLAT, "il17a wash-out": FLAT, "il17a who": FLAT, "ifng who": FLAT,
        },
        "H2": {
            "il17a": DOWN, "ifng": UP, "ex_th17": UP, "naive": FLAT, "cd45ro": FLAT,
            "il17a dose": FLAT, "il17a drug": FLAT,
        },
        "H3a": {
            "il17a": DOWN, "ifng": DOWN, "double_positive": DOWN, "th17_memory": DOWN, "naive": FLAT, "cd45ro": DOWN,
            "il17a drug": FLAT, "il17a wash-out": UP, "il17a who": FLAT, "ifng who": FLAT,
        },
        "H3b": {
            "il17a": FLAT, "ifng": FLAT, "il17a_unwashed": DOWN, "ifng_unwashed": DOWN, "double_positive": DOWN,
            "naive": FLAT, "cd45ro": FLAT, "il17a drug": FLAT, "il17a who": FLAT, "ifng who": FLAT,
        },
        "H4": {
            "il17a": DOWN, "ifng": UP, "double_positive": FLAT, "cd45ro": UP, "T1": DOWN, "ifng dose": FLAT,
            "ifng drug": FLAT, "ifng wash-out": DOWN, "ifng who": UP,
        },
        "H5": {
            "il17a": DOWN, "ifng": UP, "double_positive": FLAT, "il17a dose": FLAT, "ifng dose": FLAT,
            "il17a drug": DOWN, "ifng drug": UP,
        },
        "H5a": {
            "double_positive": FLAT, "il17a dose": FLAT, "ifng dose": FLAT,
        },
        "H5b": {
            "il17a": DOWN, "ifng": UP, "double_positive": FLAT, "il17a dose": FLAT, "ifng dose": FLAT,
            "il17a drug": DOWN, "ifng drug": UP,
        },
        "H6": {
            "il17a": FLAT, "ifng": UP, "double_positive": FLAT, "th17_memory": FLAT, "il17a drug": FLAT,
            "ifng drug": FLAT,
        },
        "H7": {
            "ifng": UP, "il17a drug": FLAT, "ifng drug": FLAT,
        },
        "H8": {
            "il17a": DOWN, "double_positive": DOWN, "th17_memory": DOWN, "naive": FLAT, "il17a drug": FLAT,
        },
    }
)  # fmt: skip
"""What the literature expects of each hypothesis, by the keys of `simulate.studies.prediction.questions`: the table of
rival hypotheses in the evidence base, which ``docs/hypotheses.md`` discusses cell by cell."""

_OF_THE_TRIAL = (CLINICAL_RESPONSE, CK_DRIFT)
"""Options of the shipped trial: every run that stands on a fit has them."""


def shipped_mechanisms() -> Mapping[str, Mechanism]:
    """Mechanisms of the reference model and of its hypotheses, by name."""
    changed = (
        mechanism
        for hypothesis in HYPOTHESES
        for mechanism in (*hypothesis.add, *(mechanism for _, mechanism in hypothesis.replace))
    )
    return {mechanism.name: mechanism for mechanism in (*REFERENCE, *changed)}


def hypothesis_named(text: str) -> Hypothesis:
    """Find a hypothesis or a combination by name, such as ``H1``, ``H1+H3a`` or ``none``; case and spaces are free.

    A part that ends in ``.toml`` is a file of your own.

    Raises
    ------
    InputError
        ``hypothesis.unknown`` with the nearest names; ``hypothesis.kind``, where it is another file or a folder;
        ``hypothesis.conflict`` with the two that exclude each other.
    """
    named: tuple[Hypothesis, ...] = HYPOTHESES
    asked = [part.strip() for part in text.split("+")]
    known = {hypothesis.name.casefold(): hypothesis for hypothesis in (NONE, *named, *_OF_THE_TRIAL)}
    if any(not part.endswith(".toml") for part in asked if part.casefold() not in known):
        from simulate.biology.options import OPTIONS  # many modules, which most runs do without

        named = (*HYPOTHESES, *OPTIONS)
        known |= {option.name.casefold(): option for option in OPTIONS}
    parts: list[Hypothesis] = []
    for name in asked:
        if name.endswith(".toml"):
            parts.append(read_hypothesis(name, shipped_mechanisms()))
            continue
        hypothesis = known.get(name.casefold())
        if hypothesis is None:
            if name and is_there(name):
                kind, advice = kind_at(Path(name))
                raise InputError(
                    f"`{name}` is no hypothesis" if not kind else f"`{name}` is {kind}, and no hypothesis",
                    code="hypothesis.kind",
                    expected="a name such as H1, or a hypothesis file, whose name ends in .toml",
                    advice=advice or None,
                )
            names = [hypothesis.name for hypothesis in named]
            raise InputError(
                f"there is no hypothesis `{name}`" if name else "the name of a hypothesis is missing",
                code="hypothesis.unknown",
                found=repr(text),
                expected="one of " + ", ".join(names[: len(HYPOTHESES)]) + ", an option, several joined by +, or none",
                advice=did_you_mean(name, names)
                or "`simulate list` says what each is; a file of your own is named with its ending, `mine.toml`"
                if name
                else None,
            )
        parts.append(hypothesis)
    return combine(parts)


def is_hypothesis(text: str) -> bool:
    """Whether a text is the name of a hypothesis that ships, or of several together."""
    if any(part.strip().endswith(".toml") for part in text.split("+")):
        return False
    try:
        return bool(hypothesis_named(text))
    except InputError:
        return False
