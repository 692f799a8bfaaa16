"""Doses that follow the patient's own state, as a scenario file says it."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import simulate
from simulate.errors import InputError
from simulate.manifest import read_manifest
from simulate.results.rebuilt import study_of
from simulate.studies.runs import Study, prepare, simulate_study, study_dataset
from simulate.studies.scenario import read_scenario

HEAD = """schema = 1
title = "adaptive"
model = {{ hypothesis = "none", fit = "typical" }}
[time]
end = "21 d"
every = "0.5 d"
{visits}

[cohort]
patients = 6

[[arm]]
name = "as prescribed"
regimen = "100 mg sc daily"

[[arm]]
name = "adaptive"
regimen = "100 mg sc daily"

[[arm.rule]]
{rule}

[outputs]
quantities = ["serum_il1ra", "A_d"]
"""


def scenario(folder: Path, rule: str, visits: str = "") -> Path:
    path = folder / "adaptive.toml"
    path.write_text(HEAD.format(rule=rule, visits=visits))
    return path


def fault(folder: Path, rule: str, visits: str = "") -> str:
    with pytest.raises(InputError) as caught:
        prepare(read_scenario(scenario(folder, rule, visits)))
    return str(caught.value).replace(str(folder), "…")


def test_doses_are_halved_from_the_moment_at_which_a_level_is_passed(tmp_path: Path) -> None:
    study = prepare(read_scenario(scenario(tmp_path, 'quantity = "serum_il1ra"\nabove = "0.2 ug/mL"\ndose = 0.5')))
    ensemble = simulate_study(study)
    dataset = study_dataset(study, ensemble)
    level, depot = dataset["serum_il1ra"].values, dataset["A_d"].values
    first = dataset["rule_day"].values[:, :, 0]
    assert np.isnan(first[0]).all()
    unit = str(dataset["serum_il1ra"].attrs["units"])
    assert unit == "pg/mL"
    for member in range(6):
        if math.isnan(first[1, member]):
            assert np.array_equal(level[1, member], level[0, member])
        else:
            later = dataset["time"].values > first[1, member] + 3.0
            whole_days = dataset["time"].values % 1.0 == 0.0
            ratio = depot[1, member, later & whole_days][:-1] / depot[0, member, later & whole_days][:-1]
            assert ratio == pytest.approx(0.5, rel=1e-3)
    assert np.isfinite(first[1]).any()


def test_a_rule_that_looks_at_visits_gives_its_dose_at_a_visit(tmp_path: Path) -> None:
    rule = 'quantity = "serum_il1ra"\nbelow = "1 mg/mL"\ngive = "50 mg sc"\nat_visits = true\nonce = true'
    dataset_of = prepare(read_scenario(scenario(tmp_path, rule, 'visits = ["10.25 d", "15.25 d"]')))
    ensemble = simulate_study(dataset_of)
    dataset = study_dataset(dataset_of, ensemble)
    assert dataset["rule_day"].values[1, :, 0].tolist() == [10.25] * 6
    depot, times = dataset["A_d"].values, dataset["time"].values
    k_a = ensemble.parameter_values[0, :, ensemble.parameters.index("k_a")]
    share = ensemble.parameter_values[0, :, ensemble.parameters.index("F")]
    at = int(np.flatnonzero(times == 10.5)[0])
    added = depot[1, :, at] - depot[0, :, at]
    assert added == pytest.approx(share * 50.0 / 17.3 * 1e3 * np.exp(-0.25 * k_a), rel=1e-4)


def test_a_run_tells_its_rules_apart(tmp_path: Path) -> None:
    one, other = (
        prepare(read_scenario(scenario(tmp_path, f'quantity = "ck"\nabove = "{level} ukat/L"\nend = true')))
        for level in (10, 11)
    )
    assert one.key != other.key
    assert one.settings["arms"][1]["rules"] == ["ck above 10 ukat/L: end"]  # type: ignore[index]


def test_a_treatment_with_rules_is_rebuilt_with_them_and_its_visits(tmp_path: Path) -> None:
    rule, visits = 'quantity = "ck"\nabove = "10 ukat/L"\nend = true', 'visits = ["10.25 d", "15.25 d"]'
    path = scenario(tmp_path, rule, visits)
    written = simulate.run(path, patients=1, out=tmp_path / "here", figures=False)
    assert isinstance(written, xr.Dataset)
    assert isinstance(simulate.run(path, patients=1), xr.Dataset)
    entries = read_manifest(tmp_path / "here")
    assert entries is not None
    path.unlink()
    again = study_of(tmp_path / "here", entries)
    assert isinstance(again, Study)
    assert again.key == entries["key"]
    assert again.scenario.visits == (10.25, 15.25)
    assert len(again.arms[1].rules) == 1


@pytest.mark.parametrize(
    ("rule", "visits", "message"),
    [
        (
            'quantity = "ck"\ndose = 0.5',
            "",
            "error[scenario.rule]: the rule on `ck` is not clear\n"
            "  --> …/adaptive.toml:20, key `arm[1].rule[0]`\n"
            "  found:    none\n"
            "  expected: one of `above`, `below`",
        ),
        (
            'quantity = "ck"\nabove = "3 ukat/L"\ndose = 0.5\nend = true',
            "",
            "error[scenario.rule]: the rule on `ck` is not clear\n"
            "  --> …/adaptive.toml:20, key `arm[1].rule[0]`\n"
            "  found:    `dose` and `end`\n"
            "  expected: one of `dose`, `give`, `end`",
        ),
        (
            'quantity = "ck"\nabove = "3 ukat/L"\ndose = 0.5\nat_visits = true',
            "",
            "error[scenario.rule]: the rule on `ck` looks at visits, and there are none\n"
            "  --> …/adaptive.toml:20, key `arm[1].rule[0]`\n"
            '  expected: days of visits: `visits = ["28 d", "56 d"]` under `[time]`',
        ),
        (
            'quantity = "ckk"\nabove = "3 ukat/L"\ndose = 0.5',
            "",
            "error[scenario.unknown]: a rule watches `ckk`, which the model does not have\n"
            "  --> …/adaptive.toml:20, key `arm[1].rule[0]`\n"
            "  expected: a state or an observable\n"
            "  try:      did you mean `CK`?",
        ),
        (
            'quantity = "ck"\nabove = "3 d"\ndose = 0.5',
            "",
            "error[units.mismatch]: `ck` cannot be compared with a number in d\n"
            "  --> …/adaptive.toml:20, key `arm[1].rule[0]`\n"
            "  found:    d\n"
            "  expected: a unit such as µkat/L",
        ),
        (
            'quantity = "ck"\nabove = "3 ukat/L"\ndose = -1',
            "",
            "error[key.value]: the value of `dose` cannot be used\n"
            "  --> …/adaptive.toml:23, key `arm[1].rule[0].dose`\n"
            "  found:    -1\n"
            "  expected: a number of at least 0",
        ),
        (
            'quantity = "ck"\nabove = "3 ukat/L"\ngive = "100 mg sc daily"',
            "",
            "error[scenario.rule]: a rule gives a single dose, at once\n"
            "  --> …/adaptive.toml:23, key `arm[1].rule[0].give`\n"
            "  found:    100 mg sc daily\n"
            '  expected: words such as "100 mg sc"',
        ),
    ],
)
def test_a_rule_that_cannot_be_is_refused(tmp_path: Path, rule: str, visits: str, message: str) -> None:
    assert fault(tmp_path, rule, visits) == message
