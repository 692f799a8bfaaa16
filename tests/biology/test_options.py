"""Every option by itself and with every other: a model, or a refusal that names the two and says why."""

from __future__ import annotations

from itertools import combinations

import pytest

from simulate.biology.hypotheses import HYPOTHESES, hypothesis_named
from simulate.biology.options import OPTIONS
from simulate.biology.reference import REFERENCE
from simulate.errors import InputError
from simulate.symbolic.gathering import gather, select
from simulate.symbolic.hypothesis import Hypothesis
from tests.helpers.models import reference_model

NAMED = {value.name: value for value in (*HYPOTHESES, *OPTIONS)}

EXCLUSIVE = {
    "priming": ("H1", "H1-il6-il12", "H1-cytokines", "H1-activated"),
    "conversion": ("H2", "H2-il12", "H2-cytokines", "H2-switch"),
    "pharmacokinetics": ("PK-twin", "occasions"),
    "affinity": ("spare-A", "spare-B", "receptor-number", "receptor-number-decoy"),
    "il1": ("il17-il1", "CAPS"),
    "residence": ("H4", "H4-dm", "H4-resident"),
    "antagonist": ("local-il1ra", "penetration"),
    "muscle": ("infiltrate", "muscle-by-th17"),
}
"""What a model can say in one way only, and the options that each say it in theirs."""

ALLOWED = {("H2-cytokines", "H2-il12"), ("H1-cytokines", "H1-il6-il12"), ("receptor-number", "receptor-number-decoy")}
"""Of these one says what the other says and more."""

PAIRS = [tuple(sorted(pair)) for pair in combinations(NAMED, 2)]
REFUSED = {
    pair: subject
    for subject, rivals in EXCLUSIVE.items()
    for pair in (tuple(sorted(pair)) for pair in combinations(rivals, 2))
    if pair not in ALLOWED
}


def parts(hypothesis: Hypothesis) -> tuple[str, ...]:
    return gather(select(REFERENCE, hypothesis)).mechanisms


@pytest.mark.parametrize("name", NAMED)
def test_every_option_composes_alone(name: str) -> None:
    assert reference_model(NAMED[name]).hypothesis == name


def test_every_pair_fits_together_but_two_forms_of_one_thing() -> None:
    refused = {}
    for one, other in PAIRS:
        try:
            parts(NAMED[one] + NAMED[other])
        except InputError as error:
            refused[one, other] = error
    assert refused.keys() == REFUSED.keys()
    for (one, other), error in refused.items():
        verb = "adds" if REFUSED[one, other] == "conversion" else "replaces"
        assert error.what == f"hypothesis `{one}+{other}` {verb} `{REFUSED[one, other]}` in two ways"
        assert error.found is not None
        assert len(error.found.split("; ")) >= 2


@pytest.mark.parametrize("pair", [pair for pair in PAIRS if pair not in REFUSED][::9], ids="+".join)
def test_a_pair_that_fits_together_is_one_model(pair: tuple[str, str]) -> None:
    """One in nine of all; that parts have no name twice is tested for all of them above."""
    model = reference_model(NAMED[pair[0]] + NAMED[pair[1]])
    assert set(model.hypothesis.split("+")) == set(pair)


def test_all_options_that_do_not_exclude_each_other_are_one_model() -> None:
    chosen = [name for name in NAMED if name not in {rival for rivals in EXCLUSIVE.values() for rival in rivals[1:]}]
    model = reference_model(hypothesis_named("+".join(chosen)))
    assert {"L_l", "C_m", "R_m", "o_activated", "b_muscle", "IL12", "macrophages"} <= {
        species.name for species in model.species
    }


def test_among_many_the_two_that_exclude_each_other_are_named() -> None:
    with pytest.raises(InputError) as caught:
        hypothesis_named("H1+sites+spare-A+binding+spare-B")
    assert str(caught.value) == (
        "error[hypothesis.conflict]: hypothesis `spare-A+spare-B` replaces `affinity` in two ways\n"
        '  found:    "Few of the receptors that IL-1 can occupy suffice, and the concentration of IL-1 that this '
        'means"; "The accessory protein tightens the receptors that signal"\n'
        "  try:      hypotheses that contradict one another cannot be combined"
    )
