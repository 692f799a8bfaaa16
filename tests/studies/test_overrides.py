"""What a scenario, an arm, a sweep or a dose-response study sets is drawn about the new value, within the bounds."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import norm

import simulate
from simulate.cohort.arms import Arm
from simulate.cohort.ensemble import member_parameters, simulate_cohort
from simulate.cohort.transform import Distribution
from simulate.errors import InputError
from simulate.manifest import read_manifest
from simulate.results.rebuilt import study_of
from simulate.solver.kernel import FloatArray
from simulate.solver.trajectories import Status
from simulate.studies.runs import Study, cohort_of, prepare
from simulate.studies.scenario import read_scenario
from simulate.studies.settings import Setting
from simulate.studies.sweeps.plans import plan_sweep
from simulate.studies.sweeps.requests import Options, read_request
from simulate.symbolic.parts import Parameter

DAILY = "anakinra-100mg-daily"
TYPICAL = Setting("model.fit", "typical", "--fit typical")


def study(values: Mapping[str, object], scenario: str = DAILY) -> Study:
    chosen = {"cohort.patients": 200, "model.fit": "typical", **values}
    return prepare(read_scenario(scenario, [Setting(key, value, f"--set {key}") for key, value in chosen.items()]))


def values_of(found: Study, name: str, arm: int = 0) -> FloatArray:
    names = [part.name for part in found.model.parameters]
    return member_parameters(found.model, found.arms[arm], cohort_of(found))[:, names.index(name)]


def bounded(found: Study) -> dict[str, Parameter]:
    return {part.name: part for part in found.population.parameters if part.bounds is not None}


def out_of_bounds(row: Parameter, values: FloatArray) -> int:
    assert row.bounds is not None
    return int(((values < row.bounds[0]) | (values > row.bounds[1])).sum())


@pytest.mark.parametrize(("name", "value"), [("chi", 0.9), ("f_m", 0.9), ("a_fb", 0.85), ("CL", 390.0), ("f_RO", 0.84)])
def test_a_setting_draws_everybody_about_it_within_the_bounds(name: str, value: float) -> None:
    found = study({name: value})
    row, values = bounded(found)[name], values_of(found, name)
    assert out_of_bounds(row, values) == 0
    assert len(set(values.tolist())) == 200
    if name in ("f_m", "a_fb", "f_RO"):
        # Neither strata nor covariates act on these: the median is that of the log-normal within its bounds.
        assert row.bounds is not None
        assert row.spread is not None
        with np.errstate(divide="ignore"):
            low, high = norm.cdf(np.log(np.array(row.bounds) / value) / row.spread.sd_log)
        error = 0.5 / np.sqrt(200)
        edges = value * np.exp(row.spread.sd_log * norm.ppf(low + (0.5 + np.array([-4, 4]) * error) * (high - low)))
        assert edges[0] < np.median(values) < edges[1]


def test_nobody_is_without_a_baseline_because_of_a_setting() -> None:
    found = study({"chi": 0.9})
    ensemble = simulate_cohort(found.model, found.arms, cohort_of(found), np.zeros(1))
    assert (ensemble.status == Status.OK).all()


def test_any_value_within_the_bounds_leaves_everybody_within_them_in_arms_and_sweeps() -> None:
    base = study({"cohort.patients": 60})
    edges = {name: row.bounds for name, row in bounded(base).items() if row.bounds is not None and row.bounds[0] > 0.0}
    assert len(edges) > 30
    arms = [Arm("arm", base.arms[0].plan, tuple((name, edge[side]) for name, edge in edges.items())) for side in (0, 1)]
    names = [part.name for part in base.model.parameters]
    for arm in arms:
        values = member_parameters(base.model, arm, cohort_of(base))
        for name in edges:
            assert out_of_bounds(bounded(base)[name], values[:, names.index(name)]) == 0, name
    over = ("chi=0.1:0.95:5", "weight=50,110", "f_m=0.1,1")
    plan = plan_sweep(read_request(DAILY, Options(over=over, settings=(Setting("cohort.patients", 60, "n"), TYPICAL))))
    for index, arm in enumerate(plan.study.arms):
        values = member_parameters(plan.study.model, arm, plan.cohort(index, 0, 60))
        for name, row in bounded(plan.study).items():
            if name in ("chi", "f_m", "CL", "V"):
                assert out_of_bounds(row, values[:, names.index(name)]) == 0, (arm.name, name)


def test_an_arm_more_and_what_it_sets_change_no_bit_of_the_others() -> None:
    found = study({"cohort.patients": 20})
    plain = found.arms[0]
    moved = Arm("moved", plain.plan, (("chi", 0.2), ("weightless", 1.0))[:1])
    alone = member_parameters(found.model, plain, cohort_of(found))
    times = np.array([0.0])
    one = simulate_cohort(found.model, (plain,), cohort_of(found), times)
    two = simulate_cohort(found.model, (moved, plain), cohort_of(found), times)
    assert two.parameter_values[1].tobytes() == one.parameter_values[0].tobytes() == alone.tobytes()
    names = [part.name for part in found.model.parameters]
    differs = (two.parameter_values[0] != alone).any(axis=0)
    assert [name for name, moves in zip(names, differs, strict=True) if moves] == ["chi"]


def test_a_parameter_more_that_differs_between_patients_changes_no_bit_of_the_others() -> None:
    found = study({"cohort.patients": 20, "f_m": 0.7})
    new = Parameter("aaa", "unrelated", 1.0, spread=next(iter(bounded(found).values())).spread)
    more = dataclasses.replace(found, population=dataclasses.replace(
        found.population, parameters=(new, *found.population.parameters)))  # fmt: skip
    ours, theirs = (member_parameters(one.model, one.arms[0], cohort_of(one)) for one in (found, more))
    assert ours.tobytes() == theirs.tobytes()


def test_a_spread_of_0_fixes_everybody_whatever_their_stratum_and_weight() -> None:
    found = study({"chi": {"value": 0.9, "spread": {"cv": 0}}, "CL": {"spread": {"sd_log": 0}}})
    assert set(values_of(found, "chi").tolist()) == {0.9}
    assert set(values_of(found, "CL").tolist()) == {next(p.value for p in found.model.parameters if p.name == "CL")}
    swept = plan_sweep(
        read_request(DAILY, Options(over=("chi=0.3,0.9",), settings=(
            TYPICAL, Setting("cohort.patients", 9, "n"), Setting("chi", {"spread": {"cv": 0}}, "fixed"))))
    )  # fmt: skip
    assert [set(values_of(swept.study, "chi", arm).tolist()) for arm in (0, 1)] == [{0.3}, {0.9}]


def test_another_spread_is_had_about_the_value_that_stays() -> None:
    narrow, wide = (values_of(study({"det1": {"spread": {"cv": cv}}}), "det1") for cv in (0.05, 0.4))
    assert np.median(narrow) == pytest.approx(np.median(wide), rel=0.1)
    assert np.log(narrow).std() == pytest.approx(0.05, rel=0.2)
    assert np.log(wide).std() > 0.2


def test_what_is_set_is_in_the_manifest_and_comes_back_to_the_bit(tmp_path: Path) -> None:
    set_to = {"chi": {"value": 0.9, "spread": {"cv": 0.1}}, "f_m": 0.8, "CL": {"spread": {"cv": 0}}}
    short = {"model.fit": "typical", "time.end": "1 d"}
    simulate.run(DAILY, patients=1, settings={**set_to, **short}, out=tmp_path / "here", figures=False)
    entries = read_manifest(tmp_path / "here")
    assert entries is not None
    again = study_of(tmp_path / "here", entries)
    assert isinstance(again, Study)
    assert again.key == entries["key"]
    assert dict(again.arms[0].overrides)["f_m"] == 0.8
    assert dict(again.arms[0].overrides)["CL"] == Distribution(None, 0.0)


def test_a_value_beyond_the_bounds_is_refused_or_lifts_them() -> None:
    with pytest.raises(InputError) as caught:
        study({"f_m": 1.2})
    assert caught.value.code == "scenario.bounds"
    values = values_of(study({"f_m": 1.2, "model.beyond_bounds": True}), "f_m")
    assert values.max() > 1.2
    assert values.min() < 1.2


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (
            {"valeu": 0.5},
            "error[key.unknown]: unknown key `valeu`\n"
            "  --> --set chi, key `parameters.chi.valeu`\n"
            "  expected: `value`, `spread`\n"
            "  try:      did you mean `value`?",
        ),
        (
            {},
            "error[key.missing]: nothing is said of the parameter `chi`\n"
            "  --> --set chi, key `parameters.chi`\n"
            "  expected: `value`, `spread`",
        ),
        (
            {"value": 0.5, "spread": {"cv": -1}},
            "error[key.value]: the value of `cv` cannot be used\n"
            "  --> --set chi, key `parameters.chi.spread.cv`\n"
            "  found:    -1\n"
            "  expected: a number from 0 to 100",
        ),
        (
            {"value": 0.5, "spread": 0.3},
            "error[key.type]: the value of `spread` cannot be used\n"
            "  --> --set chi, key `parameters.chi.spread`\n"
            "  found:    0.3\n"
            "  expected: { cv = 0.3 } or { sd_log = 0.3 }",
        ),
    ],
)
def test_what_cannot_be_set_is_refused_with_its_key(value: object, message: str) -> None:
    with pytest.raises(InputError) as caught:
        read_scenario(DAILY, [Setting("chi", value, "--set chi")])
    assert str(caught.value) == message


def test_a_spread_that_leaves_nobody_within_the_bounds_is_refused_with_its_key(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    origin = 'source = "x"\ngrade = "assumed"\n'
    path.write_text(
        f'base = "myositis"\n[[stratum]]\nname = "all"\ncount = 1\n{origin}[stratum.parameters.det1]\nvalue = 0.2\n'
        f"spread = {{ sd_log = 0.5 }}\nbounds = [0.3, 0.5]\n{origin}",
        encoding="utf-8",
    )
    values = values_of(study({"cohort.population": str(path)}), "det1")
    assert 0.3 <= values.min() <= values.max() <= 0.5
    with pytest.raises(InputError) as caught:
        study({"cohort.population": str(path), "det1": {"spread": {"sd_log": 0.02}}})
    assert str(caught.value) == (
        "error[cohort.bounds]: nobody can be drawn within the bounds of `det1`\n"
        "  --> --set det1, key `parameters.det1`\n"
        "  found:    typical value 0.2, standard deviation 0.02 of the logarithm, bounds 0.3 to 0.5\n"
        "  expected: a typical value, of each stratum and with its covariates, that is within the bounds or near them\n"
        "  try:      widen the bounds, or move the typical value or the bounds of the covariates"
    )
