"""The shipped populations: patients of the trial and others; and who leaves the study when."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest

from simulate import shipped
from simulate.biology.hypotheses import hypothesis_named
from simulate.biology.reference import parameter_table
from simulate.cohort.arms import Arm
from simulate.cohort.draws import Cohort, draw, dropout_times, typical
from simulate.cohort.ensemble import Ensemble, simulate_cohort
from simulate.cohort.population import Population, Retained
from simulate.cohort.reading import read_population, shipped_population
from simulate.errors import InputError
from simulate.files import read_toml
from simulate.regimen.words import parse_regimen
from simulate.solver import Status
from simulate.symbolic.parameterfile import read_sources
from tests.helpers.models import reference_model

EVERYONE = tuple(parameter_table().values())
MODEL = reference_model(hypothesis_named("H1+H3a"))
INFILTRATED = reference_model(hypothesis_named("infiltrate"))
NAMES = ("myositis", "caps", "healthy", "obese", "renal")


def of(name: str) -> Population:
    return shipped_population(MODEL.parameters, name)


def treated(name: str, n: int = 60, words: str = "100 mg sc daily until 56 d") -> Ensemble:
    arm = Arm("arm", parse_regimen(words))
    return simulate_cohort(MODEL, [arm], draw(of(name), n, seed=2), np.array([0.0, 28.0, 56.0]))


def test_the_cohort_of_the_trial_has_three_kinds_of_patients() -> None:
    assert [(stratum.name, stratum.count) for stratum in of("myositis").strata] == [("PM", 6), ("DM", 4), ("IBM", 5)]
    strata = np.array(draw(of("myositis"), 3000, seed=1).strata)
    shares = [float(np.mean(strata == name)) for name in ("PM", "DM", "IBM")]
    assert shares == pytest.approx([6 / 15, 4 / 15, 5 / 15], abs=0.03)


def test_inclusion_bodies_damage_muscle_without_il1_by_whichever_mechanism_the_model_has() -> None:
    """About a tenth of the damage is left to IL-1 with and without degeneration: bounds trim the upper end."""
    with_degeneration = draw(shipped_population(INFILTRATED.parameters), 3000, seed=1)
    without = draw(of("myositis"), 3000, seed=1)
    for cohort in (with_degeneration, without):
        ibm = np.array(cohort.strata) == "IBM"
        independent = cohort.of("chi")
        if "degeneration" in cohort.names:
            independent = cohort.of("degeneration") + (1 - cohort.of("degeneration")) * independent
        assert np.median(independent[ibm]) == pytest.approx(0.88, abs=0.03)
        assert np.median(independent[~ibm]) == pytest.approx(0.46, abs=0.04)


def test_creatine_kinase_of_inclusion_body_myositis_drifts_little() -> None:
    cohort = draw(shipped_population(INFILTRATED.parameters), 3000, seed=1)
    ibm = np.array(cohort.strata) == "IBM"
    drift = np.log(cohort.of("ck_drift"))
    assert float(drift[ibm].std()) == pytest.approx(0.15, rel=0.05)
    assert float(drift[~ibm].std()) == pytest.approx(0.58, rel=0.05)


def test_a_correlation_that_a_mechanism_brings_about_is_not_drawn_as_well() -> None:
    def found(cohort: Cohort) -> float:
        other = np.array(cohort.strata) != "IBM"
        return float(np.corrcoef(np.log(cohort.of("chi")[other]), np.log(cohort.of("f_RO")[other]))[0, 1])

    assert found(draw(shipped_population(INFILTRATED.parameters), 3000, seed=1)) == pytest.approx(0.0, abs=0.05)
    assert found(draw(of("myositis"), 3000, seed=1)) > 0.5


def test_heavy_patients_are_drawn_as_often_as_there_are() -> None:
    """3.9 % of a log-normal weight between its bounds are 100 kg or more; bounds of clearance must not refuse them."""
    weight = draw(of("myositis"), 10_000, seed=3).of("weight")
    assert 0.03 < float(np.mean(weight >= 100)) < 0.045


def test_patients_leave_the_study_as_those_of_the_trial_did() -> None:
    cohort = draw(of("myositis"), 6000, seed=1)
    shares = [float(cohort.reached(day).mean()) for day in (0, 91, 182, 365, 1000)]
    assert shares == pytest.approx([1, 13 / 15, 11 / 15, 9 / 15, 9 / 15], abs=0.02)


def test_a_patient_leaves_on_the_same_day_in_any_cohort() -> None:
    whole, part = draw(of("myositis"), 50, seed=3), draw(of("myositis"), 5, seed=3, first=20)
    assert whole.dropout[20:25].tobytes() == part.dropout.tobytes()


def test_the_hazard_is_constant_between_visits() -> None:
    times = dropout_times((Retained(100.0, 0.5),), 1, np.arange(20_000))
    left = times[np.isfinite(times)]
    assert len(left) / 20_000 == pytest.approx(0.5, abs=0.01)
    # Of a constant hazard, half of those who leave do so before the share is the square root of the last one's mean.
    assert np.mean(times > 50) == pytest.approx(math.sqrt(0.5), abs=0.01)


def test_nobody_leaves_a_population_without_a_study() -> None:
    assert np.isinf(draw(of("healthy"), 20, seed=1).dropout).all()
    assert np.isinf(typical(of("myositis")).dropout).all()


@pytest.mark.parametrize(
    ("retention", "found"),
    [
        ((Retained(91.0, 1.2),), "1.0 at day 0.0"),
        ((Retained(91.0, 0.8), Retained(91.0, 0.7)), "0.8 at day 91.0"),
        ((Retained(91.0, 0.8), Retained(182.0, 0.9)), "0.8 at day 91.0"),
        ((Retained(91.0, 0.0),), "1.0 at day 0.0"),
    ],
)
def test_shares_that_cannot_be_are_refused(retention: tuple[Retained, ...], found: str) -> None:
    with pytest.raises(InputError) as caught:
        Population((), retention=retention)
    last = retention[-1]
    assert str(caught.value) == (
        f"error[cohort.retention]: {last.share!r} cannot be in the study at day {last.day!r}\n  found:    {found}\n"
        "  expected: days that ascend from 0, and shares above 0 that never rise"
    )


@pytest.mark.parametrize("name", NAMES)
def test_every_number_of_a_population_has_a_source_and_a_grade(name: str) -> None:
    sources = read_sources(shipped.sources_file())
    document = read_toml(shipped.cohort_file() if name == "myositis" else shipped.population_files()[name])
    rows = [*document.data.get("covariate", {}).values(), *document.data.get("effect", [])]
    rows += [*document.data.get("correlation", []), *document.data.get("retention", [])]
    rows += document.data.get("occasion", [])
    for stratum in document.data.get("stratum", []):
        rows += [stratum, *stratum.get("parameters", {}).values()]
    assert rows
    for row in rows:
        assert row["source"] in sources, row
        assert row["grade"] in ("read", "calculated", "recalled", "assumed"), row


@pytest.mark.parametrize("name", NAMES)
def test_everyone_of_a_shipped_population_has_a_steady_baseline(name: str) -> None:
    assert set(treated(name, words="none").status.ravel().tolist()) == {int(Status.OK)}


@pytest.mark.parametrize("name", ["caps", "healthy", "obese", "renal"])
def test_other_populations_keep_the_covariates_of_the_patients(name: str) -> None:
    other, patients = shipped_population(EVERYONE, name), shipped_population(EVERYONE)
    assert [part.name for part in other.covariates] == [part.name for part in patients.covariates]
    assert other.effects[: len(patients.effects)] == patients.effects
    assert other.correlations == patients.correlations


def test_healthy_people_have_the_printed_il1ra() -> None:
    levels = draw(of("healthy"), 4000, seed=1).of("R_0") * 1000
    assert np.median(levels) == pytest.approx(150, rel=0.2)
    assert (levels.min(), levels.max()) == pytest.approx((11, 840), rel=0.3)


def test_caps_makes_five_times_the_il1_of_the_healthy() -> None:
    for name in ("il1_muscle", "il1_lymph"):
        ratio = typical(of("caps")).of(name) / typical(of("healthy")).of(name)
        assert ratio == pytest.approx(31 / 6, rel=0.04), name


def test_blockade_brings_the_il1_of_caps_down_to_normal_within_eight_weeks() -> None:
    # Lachmann 2009: from 31 to 6 ng a day within 8 weeks of canakinumab.
    course = treated("caps")
    il1 = course.quantity("L_m")[0]
    assert np.median(il1[:, -1] / il1[:, 0]) == pytest.approx(6 / 31, abs=0.02)
    healthy = treated("healthy", words="none").quantity("L_m")[0]
    assert np.median(il1[:, -1]) == pytest.approx(np.median(healthy[:, 0]), rel=0.25)


def test_blockade_lowers_th17_in_caps_whose_level_was_high() -> None:
    # Lasigliè 2011: Th17 cells fell under blockade; magnitudes were not readable.
    caps = treated("caps").quantity("il17a")[0]
    healthy = treated("healthy", words="none").quantity("il17a")[0]
    assert np.median(caps[:, 0]) > np.median(healthy[:, 0])
    assert (caps[:, -1] < caps[:, 0]).all()


def test_an_unknown_population_has_near_names() -> None:
    with pytest.raises(InputError) as caught:
        shipped_population(EVERYONE, "helthy")
    assert str(caught.value) == (
        "error[cohort.unknown]: there is no population `helthy`\n"
        "  expected: `myositis`, `caps`, `healthy`, `obese`, `renal`, or a file\n  try:      did you mean `healthy`?"
    )


def test_a_population_of_a_user_may_build_on_a_shipped_one(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('base = "myositis"\n', encoding="utf-8")
    mine = read_population(path, EVERYONE)
    assert mine == dataclasses.replace(of_all(), strata=(), retention=())
    path.write_text('base = "myosits"\n', encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_population(path, EVERYONE)
    assert str(caught.value.where) == f"{path}:1, key `base`"


def of_all() -> Population:
    return shipped_population(EVERYONE)


def test_retention_of_nobody_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('[[retention]]\nday = 91\nreached = 3\nof = 0\nsource = "x"\ngrade = "read"\n', encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_population(path, EVERYONE)
    assert str(caught.value) == (
        f"error[key.value]: the value of `of` cannot be used\n  --> {path}:4, key `retention[0].of`\n"
        "  found:    0\n  expected: a number above 0"
    )
