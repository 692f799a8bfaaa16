"""A difference of two large numbers is as wrong as they are: what rounding leaves of it is no signal."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sympy import Symbol

import simulate
from simulate.api.varying import dose_response
from simulate.figures.spaghetti import spaghetti
from simulate.figures.time_course import time_course
from simulate.kernels.terms import added_sizes, cancels
from simulate.studies.dose_response.emax import CurveVerdict
from simulate.studies.endpoints import parse_endpoint
from simulate.studies.paired import changes_since_baseline
from simulate.studies.resolution import Resolution
from simulate.studies.runs import prepare, simulate_study
from simulate.studies.scenario import read_scenario
from simulate.symbolic.expressions import parse_expression

# The drug moves A to B; all three are lost alike, so that A + B is C, and `apart` 0, at all times.
MODEL = """\
[model]
title = "a balance that closes"
[parameters]
k = "0.1 1/h"
q = "0.01 1/d"
much = "1000000 mg"
half = "1000 mg"
[species.D]
unit = "mg"
[species.A]
unit = "mg"
initial = "much"
[species.B]
unit = "mg"
[species.C]
unit = "mg"
initial = "much"
[reactions.out]
rate = "k*D"
change = { D = -1 }
[reactions.move]
rate = "k*A*D/half"
change = { A = -1, B = 1 }
[reactions.outA]
rate = "q*A"
change = { A = -1 }
[reactions.outB]
rate = "q*B"
change = { B = -1 }
[reactions.outC]
rate = "q*C"
change = { C = -1 }
[routes.iv]
drug = "drug"
target = "D"
unit = "mg"
gain = "1"
[observables.apart]
unit = "mg"
expression = "A + B - C"
[observables.drug_apart]
unit = "mg"
expression = "A + B - C + D"
"""

SCENARIO = """\
schema = 1
title = "t"
[model]
file = "model.toml"
[time]
end = "10 d"
[outputs]
quantities = ["apart", "drug_apart", "A"]
[cohort]
patients = 3
[[arm]]
name = "a"
regimen = "100 mg iv every 24 h"
"""


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cancelling")
    (folder / "model.toml").write_text(MODEL, encoding="utf-8")
    (folder / "s.toml").write_text(SCENARIO, encoding="utf-8")
    return folder / "s.toml"


def test_a_balance_that_closes_does_not_change_and_what_is_added_does(scenario: Path) -> None:
    run = simulate.run(scenario)
    # A million in A, none in B and a million in C, before the drug; less later.
    assert run["terms_of_apart"].values == pytest.approx(2e6)
    assert "terms_of_A" not in run
    assert np.abs(run["apart"].values).max() > 0.0
    changes, unit = changes_since_baseline(run, "apart", -1)
    assert unit == "mg"
    assert (changes == 0.0).all()
    # Read as the average between doses: 100 mg a day over a loss of 2.4 a day; two errors of 1e-5 of 2e6 mg are less.
    changes, unit = changes_since_baseline(run, "drug_apart", -1)
    assert changes == pytest.approx(100.0 / 2.4, rel=1e-4)


def test_figures_of_a_balance_that_closes_show_one_number_and_no_rounding(scenario: Path) -> None:
    run = simulate.run(scenario)
    panel = time_course(run, quantities=["apart"]).axes[-1]
    low, high = panel.get_ylim()
    assert low < -0.4 < 0.4 < high
    assert max(map(abs, spaghetti(run, quantities=["apart"]).axes[0].get_ylim())) > 0.4
    # What follows the drug keeps the axis of its own.
    assert spaghetti(run, quantities=["drug_apart"]).axes[0].get_ylim()[1] > 40.0


def test_a_balance_that_closes_has_no_response(scenario: Path) -> None:
    endpoints = ["apart", "drug_apart"]
    found = dose_response(scenario, dose="1 mg:300 mg:8log", endpoint=endpoints, exposure="D", replicates=10)
    flat = [list(CurveVerdict)[verdict] is CurveVerdict.FLAT for verdict in found["verdict"].values.ravel()]
    assert flat == [True, False]


def test_an_endpoint_of_a_difference_is_as_wrong_as_its_terms(scenario: Path) -> None:
    study = prepare(read_scenario(scenario))
    ensemble = simulate_study(study)
    for text, most in (("apart", 20.0), ("A@5", 10.0)):
        endpoint = parse_endpoint(text, study.model, 10.0)
        errors = endpoint.error(ensemble, Resolution(1e-6, 0.0), None)
        assert (errors <= most * (1.0 + 1e-9)).all()
        assert (errors > 0.0).all()
        assert (errors == pytest.approx(most)) is (text == "apart")


def test_errors_of_a_difference_are_those_of_its_terms() -> None:
    exact = Resolution(1e-6, 0.0)
    assert exact.error(1e-9, 0.0, 2e6) == pytest.approx(20.0)
    assert exact.error(5e6, 0.0, 2e6) == pytest.approx(50.0)
    after, before = np.array([3.0, 130.0]), np.array([1.0, 10.0])
    # Errors of 20 in both: 3 over 1 may be wrong by 20 and 3 times 20, 130 over 10 by 2 and 13 times 2.
    assert exact.percent_error(after, before, 0.0, 2e6) == pytest.approx([100.0 * (20 + 60), 100.0 * (2 + 26)])
    assert exact.percent(after, before, 0.0, 2e6).tolist() == [0.0, 0.0]
    assert exact.percent(after, before, 0.0, 2e5) == pytest.approx([0.0, 1200.0])


@pytest.mark.parametrize(
    ("text", "sizes"),
    [
        ("A - B", 5.0),
        ("2*(A - B)/K", 10.0 / 7.0),
        ("(1 - A)**2", 2.0 * 3.0),
        ("exp(-A)*(B - A*K)", 17.0 * np.exp(-2.0)),
        ("1/(A - B)", 5.0),
        ("A/(A - B)", 2.0 * 5.0),
        ("1/(A - B)**2", 2.0 * 5.0),
        ("log(B - A + 4)", 9.0 / 5.0),
        ("sqrt(B*K - A)", np.sqrt(19.0)),
        ("exp(100*(A - B))", np.exp(-100.0) * 500.0),
        ("abs(A - B)", 5.0),
        ("max(A - B, K - A)", 9.0),
        ("hill(B - A, K, 2)", 2.0 / 50.0 * 5.0 + (10.0 + 49.0) / 50.0**2),
        ("(1 - K)*A", None),
        ("A**(K - 1)", None),
        ("A + B", None),
        ("1/(A + B)", None),
        ("hill(A, K, 2)", None),
    ],
)
def test_terms_are_added_up_without_their_signs(text: str, sizes: float | None) -> None:
    expression, moving = parse_expression(text), {Symbol("A"), Symbol("B")}
    assert cancels(expression, moving) is (sizes is not None)
    values = {"A": 2.0, "B": 3.0, "K": 7.0}
    found = added_sizes(expression, moving)
    found = float(found.subs({symbol: values[str(symbol)] for symbol in expression.free_symbols}))
    if sizes is None:
        assert found == pytest.approx(float(expression.subs(values)) * np.sign(float(expression.subs(values))))
    else:
        assert found == pytest.approx(sizes)
