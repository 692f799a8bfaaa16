from __future__ import annotations

import itertools

import pytest

from simulate.errors import InputError
from simulate.symbolic.composition import compose
from simulate.symbolic.hypothesis import NONE, Constraint, Hypothesis, combine
from simulate.symbolic.parts import Mechanism, Reaction
from tests.symbolic.small import A_0, DECAY, DRUG, LOSS, POOLS, SIGNALING, TABLE, THREE_POOLS, A, refusal, tau_A

FASTER = Mechanism(
    "decay",
    "a drug that is lost twice as fast",
    species=(DRUG,),
    parameters=(LOSS,),
    reactions=(Reaction("loss", 2 * LOSS * DRUG, {DRUG: -1}),),
)
SATURATING = Mechanism(
    "saturating",
    "loss at a constant rate",
    species=(DRUG,),
    parameters=(LOSS,),
    reactions=(Reaction("loss", LOSS * DRUG / (1 + DRUG / DRUG), {DRUG: -1}),),
)
H1 = Hypothesis("H1", "faster loss", replace=(("decay", FASTER),))
H2 = Hypothesis("H2", "a second mechanism", add=(SIGNALING,))
H3 = Hypothesis("H3", "a fixed loss", constraints=(Constraint("k", 0.3),))
H4 = Hypothesis("H4", "no pools", remove=("pools",))
ALL = (H1, H2, H3, H4)


def test_hypotheses_combine_in_any_order_to_one_value() -> None:
    combined = {
        (total.name, total.title): total for total in (a + b + c + d for a, b, c, d in itertools.permutations(ALL))
    }
    assert list(combined) == [("H1+H2+H3+H4", "faster loss; a second mechanism; a fixed loss; no pools")]
    assert all(a + b + c + d == H1 + (H2 + (H3 + H4)) for a, b, c, d in itertools.permutations(ALL))


def test_the_order_of_combination_gives_equal_models() -> None:
    one = compose([DECAY], H1 + H3)
    other = compose([DECAY], H3 + H1)
    assert one == other
    assert (one.key, one.hypothesis) == (other.key, "H1+H3")


def test_none_changes_nothing_and_duplicates_collapse() -> None:
    assert NONE + H1 == H1 + NONE == H1
    assert NONE + NONE == NONE
    assert H1 + H1 == H1
    assert (H1 + H2) + (H2 + H3) == H1 + H2 + H3
    assert compose([DECAY], NONE) == compose([DECAY])


TRY = "\n  try:      hypotheses that contradict one another cannot be combined"


@pytest.mark.parametrize(
    ("one", "other", "fault"),
    [
        (
            H1,
            Hypothesis("H9", replace=(("decay", SATURATING),)),
            f"hypothesis `H1+H9` replaces `decay` in two ways\n"
            f'  found:    "{H1.replace[0][1].title}"; "{SATURATING.title}"',
        ),
        (H1, Hypothesis("H9", remove=("decay",)), "hypothesis `H1+H9` both removes and replaces `decay`"),
        (
            H3,
            Hypothesis("H9", constraints=(Constraint("k", 0.4),)),
            "hypothesis `H3+H9` fixes `k` in two ways\n  found:    0.3; 0.4",
        ),
        (
            H2,
            Hypothesis("H9", add=(Mechanism("signaling", "other"),)),
            f'hypothesis `H2+H9` adds `signaling` in two ways\n  found:    "{H2.add[0].title}"; "other"',
        ),
    ],
)
def test_contradicting_hypotheses_are_refused(one: Hypothesis, other: Hypothesis, fault: str) -> None:
    with pytest.raises(InputError) as caught:
        one + other
    assert str(caught.value) == f"error[hypothesis.conflict]: {fault}{TRY}"


def test_of_many_hypotheses_the_two_that_exclude_each_other_are_named() -> None:
    with pytest.raises(InputError, match="hypothesis `H3\\+H9` fixes `k` in two ways"):
        combine((H1, H2, H3, Hypothesis("H9", constraints=(Constraint("k", 0.4),))))
    assert combine((H1, H2, H3)) == H1 + H2 + H3
    assert combine(()) == NONE


def test_a_hypothesis_replaces_a_mechanism() -> None:
    model = compose([DECAY], H1)
    assert model.rates() == (-2 * LOSS * DRUG,)
    assert model.key != compose([DECAY]).key


def test_a_constraint_fixes_a_parameter_for_everybody() -> None:
    (parameter,) = compose([DECAY], H3).parameters
    assert (parameter.value, parameter.spread, parameter.bounds, parameter.source) == (0.3, None, None, "hypothesis H3")


@pytest.mark.parametrize("change", ["remove", "replace"])
def test_a_change_to_an_unknown_mechanism_is_refused_with_the_nearest(change: str) -> None:
    hypothesis = (
        Hypothesis("H9", remove=("poolz",)) if change == "remove" else Hypothesis("H9", replace=(("poolz", DECAY),))
    )
    assert str(refusal(*THREE_POOLS, hypothesis=hypothesis, values=TABLE)) == (
        f"error[hypothesis.unknown]: hypothesis `H9` cannot {change} the mechanism `poolz`: the model has none\n"
        "  expected: `pools`, `signaling`\n"
        "  try:      did you mean `pools`?"
    )


def test_a_constraint_on_what_is_no_parameter_is_refused() -> None:
    assert str(refusal(DECAY, hypothesis=Hypothesis("H9", constraints=(Constraint("kk", 1.0),)))) == (
        "error[hypothesis.unknown]: hypothesis `H9` fixes `kk`, which is no parameter of the model\n"
        "  try:      did you mean `k`?"
    )


def test_an_added_mechanism_may_not_share_a_name_with_another() -> None:
    other = Mechanism("pools", "other pools", reactions=(Reaction("again", A_0 / tau_A - A / tau_A, {}),))
    assert str(refusal(*THREE_POOLS, hypothesis=Hypothesis("H9", add=(other,)), values=TABLE)) == (
        "error[model.clash]: there are two mechanisms `pools`\n  try:      rename one, or let the hypothesis replace it"
    )
    assert compose(THREE_POOLS, Hypothesis("H9", add=(POOLS,)), values=TABLE).mechanisms == ("pools", "signaling")


@pytest.mark.parametrize("name", ["", "H 1", "+H1", "H1+", "../x", "H1;H2"])
def test_a_name_that_nobody_could_type_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="cannot name a hypothesis"):
        Hypothesis(name)


def test_a_title_has_as_many_parts_as_the_name() -> None:
    with pytest.raises(InputError) as caught:
        Hypothesis("H1", "this; and that")
    assert str(caught.value) == (
        "error[hypothesis.name]: the title of hypothesis `H1` has 2 parts\n"
        "  found:    `this; and that`\n"
        "  expected: 1, as in the name\n"
        "  try:      `; ` joins the titles of combined hypotheses; use a comma within one"
    )


def test_a_constraint_is_a_finite_number() -> None:
    with pytest.raises(InputError, match="the constraint on `k` is not a finite number"):
        Constraint("k", float("nan"))
