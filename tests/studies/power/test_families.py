"""Several endpoints together have the power that theory gives for independent ones."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from simulate.errors import InputError
from simulate.studies.power.designs import StudyArm, design_of, sizes_from
from simulate.studies.power.families import endpoints_among, power_together
from simulate.studies.power.repeats import effects_of, repeated
from simulate.trials.design import Analysis
from simulate.trials.reading import shipped_trial
from tests.studies.power.test_repeats import HIGH, NOISE, like, seen

CHANGE, PAIRS = 0.45, 6
TWO = ("ifng, t", "il17a, t")


def power_at(alpha: float, n: int = PAIRS, change: float = CHANGE) -> float:
    """Power of Student's two-sided test of n changes, from the noncentral distribution."""
    effect = change / (NOISE * math.sqrt(2.0)) * math.sqrt(n)
    edge = float(stats.t.ppf(1.0 - alpha / 2.0, n - 1))
    return float(stats.nct.sf(edge, n - 1, effect) + stats.nct.cdf(-edge, n - 1, effect))


@pytest.mark.parametrize("alpha", [0.05, 0.2])
def test_two_independent_endpoints_have_the_power_of_the_formulas(alpha: float) -> None:
    outcomes = repeated(like(), [seen(CHANGE)], None, studies=1000, seed=1)
    whole, half = power_at(alpha), power_at(alpha / 2.0)
    expected = {
        "bonferroni": (half, 1.0 - (1.0 - half) ** 2, half * half),
        # The second is held against all of alpha where the first passed half of it.
        "holm": (half + (whole - half) * half, 1.0 - (1.0 - half) ** 2, 2.0 * half * whole - half * half),
        "hochberg": (
            half + (whole - half) * whole,
            1.0 - (1.0 - half) ** 2 + (whole - half) ** 2,
            whole * whole,
        ),
        "none": (whole, 1.0 - (1.0 - whole) ** 2, whole * whole),
    }
    for correction, (one, least, each) in expected.items():
        ifng, il17a, some, all_of_them = power_together(outcomes, Analysis(TWO, correction, alpha), seed=1)
        assert [row.endpoint for row in (ifng, il17a, some, all_of_them)] == [
            "ifng-change",
            "il17a-change",
            "any",
            "all",
        ]
        for row in (ifng, il17a):
            assert row.raw == pytest.approx(whole, abs=0.012)
            assert row.corrected == pytest.approx(one, abs=0.012)
            assert row.corrected_interval[0] < row.corrected < row.corrected_interval[1]
        assert some.raw == pytest.approx(1.0 - (1.0 - whole) ** 2, abs=0.012)
        assert all_of_them.raw == pytest.approx(whole * whole, abs=0.012)
        assert some.corrected == pytest.approx(least, abs=0.012)
        assert all_of_them.corrected == pytest.approx(each, abs=0.012)


def test_endpoints_of_the_same_patients_hang_together() -> None:
    """Responders of two arms are drawn, changes are not: what is shared by endpoints of a study is its patients."""
    change = seen(CHANGE)
    noise = np.linspace(-2.0, 2.0, change.weights.shape[1])
    levels = {
        key: level * np.exp(noise) if key[1] > 0.0 and key[0] in ("ifng", "il17a") else level
        for key, level in change.levels.items()
    }
    kept = {name: getattr(change, name) for name in ("weights", "units", "noise", "groups", "strata")}
    outcomes = repeated(like(), [type(change)(levels=levels, **kept)], None, studies=1000, seed=1)
    first, second, _, both = power_together(outcomes, Analysis(TWO, "none"), seed=1)
    assert both.raw > first.raw * second.raw + 0.02


def test_one_endpoint_needs_no_correction_and_has_neither_any_nor_all() -> None:
    outcomes = repeated(like(), [seen(CHANGE)], None, studies=50, seed=1)
    (row,) = power_together(outcomes, Analysis(("ck",)), seed=1)
    assert (row.endpoint, row.test, row.n) == ("ck-change", "signed rank", 11)
    assert row.raw == row.corrected
    assert power_together(outcomes, Analysis(), seed=1) == ()


def test_what_a_study_asks_is_known_before_it_is_simulated() -> None:
    arms = [StudyArm("none", 20, "none"), StudyArm("low", 30, "30 mg sc daily"), StudyArm("high", 40, HIGH)]
    several = design_of(shipped_trial(), arms=arms)
    for design, parts, controls in (
        (like(), [seen(0.1)], None),
        (like(controls=15), [seen(0.1)], seen(0.0)),
        (several, [seen(0.1), seen(0.2)], seen(0.0)),
    ):
        outcomes = repeated(design, parts, controls, studies=2, seed=1)
        assert effects_of(design) == tuple((part.name, tuple(part.p_values)) for part in outcomes)
    # In several arms an endpoint is judged in each of them.
    found = endpoints_among(effects_of(several), ("il17a, t (Welch)", "response"))
    assert [effects_of(several)[place][0] for place, _ in found] == [
        "il17a-difference: low",
        "il17a-difference: high",
        "response-difference: low",
        "response-difference: high",
    ]
    assert [test for _, test in found] == ["t (Welch)", "t (Welch)", "Fisher", "Fisher"]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (
            ("ifgn",),
            "error[trial.endpoint]: the study has no endpoint `ifgn`\n"
            "  expected: `ifng`, `il17a`, `ck`, `serum_il1ra`, `cd45ro-ck`\n"
            "  try:      did you mean `ifng`?",
        ),
        (
            ("ifng, u",),
            "error[trial.endpoint]: `ifng-change` is not tested by `u`\n"
            "  expected: `signed rank`, `signed rank, exact`, `t`",
        ),
        (
            ("ifng", "ifng-change"),
            "error[trial.endpoint]: the endpoint `ifng-change` is named twice\n"
            "  found:    `ifng`, `ifng-change`\n"
            "  expected: each endpoint once, with one test",
        ),
    ],
)
def test_endpoints_that_cannot_be_are_refused(names: tuple[str, ...], message: str) -> None:
    with pytest.raises(InputError) as caught:
        endpoints_among(effects_of(like()), names)
    assert str(caught.value) == message


def test_corrections_and_levels_that_cannot_be_are_refused() -> None:
    with pytest.raises(InputError) as caught:
        Analysis(correction="home")
    assert str(caught.value) == (
        "error[trial.correction]: there is no correction `home`\n"
        "  expected: `none`, `bonferroni`, `holm`, `hochberg`\n"
        "  try:      did you mean `holm`?"
    )
    with pytest.raises(InputError) as caught:
        Analysis(alpha=5.0)
    assert str(caught.value) == (
        "error[trial.alpha]: the level of the tests is 5\n  expected: a number between 0 and 1, such as 0.05"
    )


def test_sizes_are_a_list_or_a_range() -> None:
    assert sizes_from("40, 20,80") == (20, 40, 80)
    assert sizes_from("10:80:8") == (10, 20, 30, 40, 50, 60, 70, 80)
    for text in ("20:80", "2,40", "80:20:3", "a", "10:80:51", "10:80:1", "20.5", ""):
        with pytest.raises(InputError) as caught:
            sizes_from(text)
        assert str(caught.value) == (
            f"error[trial.sizes]: `{text}` are no sizes of studies\n"
            "  expected: at most 50 numbers of patients, each at least 4: `20,40,80`, or `20:80:4` for four from 20 to "
            "80"
        )


def test_a_study_of_another_size_keeps_the_proportions_of_its_arms() -> None:
    arms = [StudyArm("none", 20, "none"), StudyArm("low", 40, "30 mg sc daily"), StudyArm("high", 60, HIGH)]
    other = design_of(shipped_trial(), arms=arms).of_size(100)
    assert [arm.n for arm in other.treated] == [100, 150]
    assert other.controls == 50
    assert like().of_size(30) == like(n=30)
