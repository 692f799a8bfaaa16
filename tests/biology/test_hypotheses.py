from __future__ import annotations

from pathlib import Path

import pytest

from simulate.biology.hypotheses import H0, H1, H2, H3A, H3B, H4, H5, H5A, H5B, H6, H7, H8, HYPOTHESES, hypothesis_named
from simulate.errors import InputError
from simulate.symbolic.hypothesis import NONE
from tests.biology.typical import END, model_of, patient, reading

TABLE = "a table of doses stands in an arm of a scenario: `doses = { file = … }`"


@pytest.mark.parametrize(
    ("name", "content", "kind", "advice"),
    [
        ("t.csv", "time,dose\n0,1\n", "a table (CSV)", TABLE),
        ("mine", "[hypothesis]\nname = 'x'\n", "TOML", "give it a name that ends in .toml"),
        ("out", None, "a folder", "name the file that was meant"),
    ],
)  # fmt: skip
def test_a_file_or_folder_that_is_no_hypothesis_is_told_by_its_kind(
    name: str, content: str | None, kind: str, advice: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(name).mkdir() if content is None else Path(name).write_text(content, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        hypothesis_named(f"H1+{name}")
    assert str(caught.value) == (
        f"error[hypothesis.kind]: `{name}` is {kind}, and no hypothesis\n"
        f"  expected: a name such as H1, or a hypothesis file, whose name ends in .toml\n  try:      {advice}"
    )


def change(hypothesis: str, quantity: str, **overrides: float) -> float:
    course = patient(hypothesis, **overrides)
    return reading(course, quantity, END) / reading(course, quantity, 0) - 1.0


def test_without_a_hypothesis_blood_cells_do_not_change_and_muscle_improves() -> None:
    for quantity in ("ifng", "il17a", "cd45ro", "naive", "th17_memory"):
        assert change("H0", quantity) == pytest.approx(0.0, abs=1e-6)
    assert change("H0", "ck") < -0.15


def test_priming_lowers_il17a_over_months_and_leaves_ifng_alone() -> None:
    course = patient("H1")
    start, quarter, half = (reading(course, "il17a", day) for day in (0, 91, END))
    assert start > quarter > half
    assert reading(course, "th17_memory", 7) > 0.9 * reading(course, "th17_memory", 0)
    assert abs(change("H1", "ifng")) < 0.002


def test_th1_takes_over_what_priming_frees() -> None:
    assert change("H1", "th1_memory") > 0.0


def test_plasticity_as_the_literature_has_it_raises_il17a() -> None:
    assert change("H2", "il17a") > 0.1


def test_plasticity_with_the_other_sign_lowers_il17a_and_raises_ifng() -> None:
    assert change("H2", "il17a", x_c=-0.9) < 0.0
    assert change("H2", "ifng", x_c=-0.9) > 0.0


def test_survival_lowers_both_cytokines_and_il17a_more() -> None:
    assert change("H3a", "il17a") < 2.0 * change("H3a", "ifng") < 0.0


def test_survival_without_selectivity_lowers_both_alike() -> None:
    ratio = change("H3a", "th17_memory", g1=0.5, d_M17=0.0047) / change("H3a", "th1_memory", g1=0.5, d_M17=0.0047)
    assert ratio == pytest.approx(1.0, rel=1e-6)


def test_redistribution_raises_ifng_in_blood_as_inflammation_resolves() -> None:
    assert change("H4", "ifng") > 0.03
    assert abs(change("H4", "il17a")) < 0.02


def test_redistribution_does_nothing_without_a_fall_of_inflammation() -> None:
    assert change("H4", "ifng", w_I=0.0) == pytest.approx(0.0, abs=1e-6)


def test_only_the_combination_gives_more_ifng_and_less_il17a() -> None:
    both = {name: (change(name, "ifng") > 0.01, change(name, "il17a") < -0.1) for name in ("H1", "H2", "H3a", "H4")}
    assert (True, True) not in both.values()
    assert change("H1+H3a+H4", "ifng") > 0.01
    assert change("H1+H3a+H4", "il17a") < -0.1


def test_patients_with_the_same_serum_respond_or_not() -> None:
    responder = {"f_m": 1.0, "chi": 0.2}
    non_responder = {"f_m": 0.1, "chi": 0.8, "il1_muscle": 1.0}
    serum = [reading(patient("H1+H3a+H4", **who), "serum_il1ra", END) for who in (responder, non_responder)]
    assert serum[0] == pytest.approx(serum[1], rel=0.03)
    assert change("H1+H3a+H4", "ck", **responder) < -0.5
    assert change("H1+H3a+H4", "ck", **non_responder) > -0.1


def test_effects_come_back_when_the_drug_is_stopped() -> None:
    course = patient("H1+H3a", end=END + 364)
    start, end, later = (reading(course, "il17a", day) for day in (0, END, END + 364))
    assert end < 0.25 * start
    assert later > 0.8 * start


def test_without_drug_nothing_moves() -> None:
    for hypothesis in ("H1+H3a+H4", "H2"):
        course = patient(hypothesis, dose=0.0)
        assert course.values[0, -1] == pytest.approx(course.values[0, 0], rel=1e-6)


def test_the_order_of_combination_does_not_matter() -> None:
    assert model_of("H1+H3a+H4").key == model_of("H4+H1+H3a").key
    assert model_of("H1").key != model_of("H3a").key


def test_h0_adds_nothing_to_another_hypothesis() -> None:
    assert (H0 + H1).replace == H1.replace
    assert (H0 + H4).add == H4.add


def test_h5_is_regression_and_taper_together() -> None:
    assert model_of("H5").key == model_of("H5a+H5b").key
    assert model_of("H5").key not in {model_of("H5a").key, model_of("H5b").key}


def test_hypotheses_are_found_by_name() -> None:
    found = [hypothesis_named(hypothesis.name) for hypothesis in HYPOTHESES]
    assert found == [H0, H1, H2, H3A, H3B, H4, H5, H5A, H5B, H6, H7, H8]
    assert hypothesis_named("none") == NONE
    assert hypothesis_named(" h3A + h1 ").replace == (H3A + H1).replace


def test_an_unknown_hypothesis_is_refused_with_the_nearest_names() -> None:
    with pytest.raises(InputError) as caught:
        hypothesis_named("H1+H3")
    assert str(caught.value) == (
        "error[hypothesis.unknown]: there is no hypothesis `H3`\n"
        "  found:    'H1+H3'\n"
        "  expected: one of H0, H1, H2, H3a, H3b, H4, H5, H5a, H5b, H6, H7, H8, an option, several joined by +, "
        "or none\n"
        "  try:      did you mean `H3b` or `H3a`?"
    )


def test_a_missing_name_in_a_combination_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        hypothesis_named("H1+")
    assert str(caught.value) == (
        "error[hypothesis.unknown]: the name of a hypothesis is missing\n"
        "  found:    'H1+'\n"
        "  expected: one of H0, H1, H2, H3a, H3b, H4, H5, H5a, H5b, H6, H7, H8, an option, several joined by +, or none"
    )


def test_a_file_of_ones_own_is_a_hypothesis_by_its_path(tmp_path: Path) -> None:
    path = tmp_path / "slow.toml"
    path.write_text('[hypothesis]\nname = "slow"\ntitle = "Slow"\nconstraints = { f_m = 0.25 }\n', encoding="utf-8")
    alone, joined = hypothesis_named(str(path)), hypothesis_named(f"H1+{path}")
    assert (alone.name, joined.name) == ("slow", "H1+slow")
