"""What a page computes is what the engine and closed forms say; the page itself holds what it should and no more."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy
from scipy.integrate import solve_ivp
from sympy import Symbol

import simulate
from simulate.cli.app import outcome
from simulate.cohort.ensemble import from_before, member_parameters, outputs_of
from simulate.errors import InputError
from simulate.kernels.javascript import javascript
from simulate.kernels.of_model import kernel_of
from simulate.kernels.system import System, equations, infusion
from simulate.regimen.stops import compile_schedule
from simulate.regimen.words import parse_regimen
from simulate.results.explorer.contents import Contents, contents_of, patients_of
from simulate.results.explorer.page import engine_source, explorer_page, part
from simulate.solver.batch import solve
from simulate.solver.problem import Tolerance
from simulate.studies.runs import Study, cohort_of, prepare
from simulate.studies.scenario import read_scenario
from simulate.studies.settings import settings_from

SCENARIO = "anakinra-100mg-daily"
LIVE, REFINED = (float(re.findall(rf"{name} = (\S+?),", part("explorer.js"))[0]) for name in ("LIVE", "REFINED"))
RESOLVED = float(re.findall(r"RESOLVED = \[(\S+?),", part("explorer.js"))[0])
PATIENTS, DRAWS = 6, 3


def study_of(hypothesis: str = "H1+H6", **settings: object) -> Study:
    keys = {"cohort.patients": PATIENTS, "model.draws": DRAWS, "model.hypothesis": hypothesis} | settings
    return prepare(read_scenario(SCENARIO, settings_from(keys, None)))


@pytest.fixture(scope="module")
def study() -> Study:
    return study_of()


@pytest.fixture(scope="module")
def contents(study: Study) -> Contents:
    return contents_of([study])


def javascript_engine(source: str) -> Any:
    racer = pytest.importorskip("py_mini_racer", reason="mini-racer, an engine of JavaScript, is not installed")
    context = racer.MiniRacer()
    context.eval(source)
    return context


def missed_of(contents: Contents) -> list[int]:
    return list(base64.b64decode(contents.data["missed"]))


def courses_in_javascript(
    contents: Contents,
    parameters: np.ndarray[Any, Any],
    course: Mapping[str, float],
    grid: np.ndarray[Any, Any],
    factors: list[list[float]],
    rtol: float,
    *,
    is_first: bool = False,
) -> np.ndarray[Any, Any]:
    """States and observables of all patients, shape [patient, quantity, time]."""
    context = javascript_engine(engine_source(contents))
    given = {"values": [parameters.ravel().tolist()], "missed": missed_of(contents), "doses": contents.data["doses"]}
    context.eval(
        f"const message = {json.dumps({**given, 'rodas': contents.data['rodas']})};"
        "message.values = message.values.map((row) => Float64Array.from(row)); setUp(message);"
    )
    wanted = list(range(len(contents.data["hypotheses"][0]["quantities"])))
    job = {"patients": list(range(len(parameters))), "wanted": wanted, "hypothesis": 0, "course": dict(course)}
    job |= {"factors": factors, "rtol": rtol, "longest": float(grid[-1]) / 24, "isFirst": is_first}
    values = context.eval(
        f"(function () {{ const job = {json.dumps(job)}; job.grid = Float64Array.from({json.dumps(grid.tolist())});"
        "job.intervals = new Float64Array(0); const found = courses(job);"
        "return JSON.stringify({ values: Array.from(found.values), status: Array.from(found.status) }); }())"
    )
    found = json.loads(values)
    assert set(found["status"]) == {0}
    return np.array(found["values"]).reshape(len(parameters), len(wanted), len(grid))


def courses_of_engine(
    study: Study, parameters: np.ndarray[Any, Any], regimen: str, grid: np.ndarray[Any, Any]
) -> np.ndarray[Any, Any]:
    plan, members = parse_regimen(regimen), range(len(parameters))
    schedule = compile_schedule(
        [plan] * len(parameters), study.model.routes, members=list(members), seed=study.scenario.seed, horizon=grid[-1]
    )
    found = from_before(
        solve(kernel_of(study.model), parameters, schedule, outputs_of(grid), tolerance=Tolerance(rtol=1e-8))
    )
    return np.moveaxis(found.values, 1, 2)


@pytest.mark.parametrize(
    ("course", "regimen", "days", "moved"),
    [
        ({"amount": 100, "every": 1, "until": 182, "missing": 0}, "100 mg sc every 24 h until 182 d", 182, {}),
        (
            {"amount": 40, "every": 1.5, "until": 60, "missing": 30},
            "40 mg sc every 36 h until 60 d missing 30 percent",
            90,
            {"f_m": 0.6, "K_Ra": 3.0, "CL": 0.5},
        ),
        ({"amount": 0, "every": 1, "until": 182, "missing": 0}, "none", 60, {"a_fb": 1.4}),
    ],
    ids=["as the scenario", "missed doses, wash-out and moved parameters", "untreated"],
)
def test_patients_of_a_page_agree_with_the_engine_to_a_ten_thousandth(
    study: Study, contents: Contents, course: dict[str, float], regimen: str, days: int, moved: dict[str, float]
) -> None:
    own = patients_of(study, study.arms[0])
    names = [row.name for row in study.model.parameters]
    moved_to = own.copy()
    for name, factor in moved.items():
        moved_to[:, names.index(name)] *= factor
    grid = np.arange(0.0, days + 1.0)
    factors = [[names.index(name), factor, -1e300, 1e300] for name, factor in moved.items()]
    whole = {**course, "route": 0, "duration": 0}
    found = courses_in_javascript(contents, own, whole, grid, factors, REFINED)
    expected = courses_of_engine(study, moved_to, regimen, grid)
    sizes = np.abs(expected).max(axis=2, keepdims=True)
    error = np.abs(found - expected) / np.where(sizes > 0.0, sizes, 1.0)
    assert error.max() < 1e-4


def test_a_first_look_is_within_what_it_takes_for_a_change(study: Study, contents: Contents) -> None:
    own, grid = patients_of(study, study.arms[0]), np.arange(0.0, 183.0)
    course = {"amount": 100, "every": 1, "until": 182, "missing": 0, "route": 0, "duration": 0}
    found = courses_in_javascript(contents, own, course, grid, [], LIVE, is_first=True)
    expected = courses_of_engine(study, own, "100 mg sc every 24 h until 182 d", grid)
    sizes = np.abs(expected).max(axis=2, keepdims=True)
    error = np.abs(found - expected) / np.where(sizes > 0.0, sizes, 1.0)
    assert error.max() < 0.05
    # A change of less than twice what is resolved counts as none, in the quantities of which changes were reported.
    names = [row["name"] for row in contents.data["hypotheses"][0]["quantities"]]
    assert error[:, [names.index(name) for name in ("ifng", "il17a", "ck")]].max() < RESOLVED / 2
    # It is another method than the one of the final picture, not that method at another tolerance.
    assert np.abs(courses_in_javascript(contents, own, course, grid, [], LIVE) - found).max() > 0.0


def test_a_step_of_a_first_look_is_of_third_order_and_stable_as_far_as_steps_are_long() -> None:
    numbers = {name: float(value) for name, value in re.findall(r"\b([CBE]\d|REACH) = (-?[\d.]+)", part("engine.js"))}
    nodes = np.array([0.0, *(numbers[f"C{k}"] for k in (2, 3, 4))])
    weights = np.array([numbers[f"B{k}"] for k in (1, 2, 3, 4)])
    chain = np.diag(nodes[1:], -1)
    # The conditions of Butcher's trees, of which each stage starts from the one before.
    sums = [weights.sum(), weights @ nodes, weights @ nodes**2, weights @ chain @ nodes]
    np.testing.assert_allclose(sums, [1, 1 / 2, 1 / 3, 1 / 6], rtol=1e-12)
    errors = np.array([numbers[f"E{k}"] for k in (1, 2, 3, 4, 5)])
    np.testing.assert_allclose([errors.sum(), errors @ [*nodes, 1.0]], 0.0, atol=1e-12)
    z = -np.linspace(0.0, numbers["REACH"], 1000)[1:]
    last = weights @ np.linalg.matrix_power(chain, 3) @ np.ones(4)
    assert np.abs(1 + z + z**2 / 2 + z**3 / 6 + last * z**4).max() < 1.0


def test_patients_of_a_page_are_those_of_a_run_spread_over_the_draws(study: Study) -> None:
    own = patients_of(study, study.arms[0])
    assert len(own) == PATIENTS
    members = member_parameters(study.model, study.arms[0], cohort_of(study))
    for patient in range(PATIENTS):
        np.testing.assert_array_equal(own[patient], members[(patient % DRAWS) * PATIENTS + patient])


def one_compartment() -> System:
    x, k = Symbol("x"), Symbol("k")
    return System(
        states=("x",),
        parameters=("k",),
        observables=("twice",),
        units=("", ""),
        constants=(),
        initial=(sympy.Integer(0),),
        rhs=(-k * x + infusion("iv"),),
        observed=(2 * x,),
        routes=("iv",),
        route_targets=(0,),
        gains=(sympy.Integer(1),),
    )


def solved(
    system: System,
    parameters: list[float],
    course: dict[str, float],
    grid: list[float],
    intervals: list[float],
    *,
    is_first: bool = False,
) -> tuple[list[float], list[float], int]:
    """Values [quantity, time] and means [quantity, interval, 3] of one patient, and the number of stiff patients."""
    rodas = contents_of([study_of("H0", **{"cohort.patients": 1, "model.fit": "typical"})]).data["rodas"]
    context = javascript_engine(f"{part('engine.js')}\nconst model = {javascript(system)};")
    wanted = list(range(len(system.states) + len(system.observables)))
    text = context.eval(
        f"""(function () {{
        const course = {json.dumps(course)}, grid = Float64Array.from({grid}), spans = Float64Array.from({intervals});
        const engine = makeEngine(model, {json.dumps(rodas)}), wanted = {wanted};
        const values = new Float64Array(wanted.length * grid.length);
        const means = new Float64Array(wanted.length * spans.length / 2 * 3);
        const status = engine.solve(Float64Array.from({parameters}), course, scheduled(course, grid[grid.length - 1]),
          grid, spans, wanted, {{ rtol: 1e-7, longest: Infinity, isFirst: {json.dumps(is_first)} }},
          values, 0, means, 0);
        return JSON.stringify([status, Array.from(values), Array.from(means), engine.counters.stiff]);
        }}())"""
    )
    status, values, means, stiff = json.loads(text)
    assert status == 0
    return values, means, stiff


def test_doses_at_once_have_the_averages_troughs_and_peaks_of_the_closed_form() -> None:
    k, amount = 0.8, 10.0
    course = {"amount": amount, "route": 0, "every": 2.0, "until": 6.0, "duration": 0.0}
    values, means, _ = solved(one_compartment(), [k], course, [0.0, 1.0, 2.0, 5.0], [0.0, 2.0, 2.0, 4.0])
    level = amount * np.exp(-k)
    later = amount * (np.exp(-5 * k) + np.exp(-3 * k) + np.exp(-k))
    # At 0 there is the baseline, at 2 what is there after the dose.
    np.testing.assert_allclose(values[:4], [0.0, level, amount * (1 + np.exp(-2 * k)), later], rtol=1e-6)
    decayed = 1 - np.exp(-2 * k)
    high = amount * (1 + np.exp(-2 * k))
    expected = [amount * decayed / (2 * k), amount * np.exp(-2 * k), amount, high * decayed / (2 * k)]
    np.testing.assert_allclose(means[:4], expected, rtol=1e-6)
    np.testing.assert_allclose(values[4:], 2 * np.array(values[:4]), rtol=1e-12)


def test_a_first_look_has_the_averages_of_the_closed_form() -> None:
    k, amount = 0.8, 10.0
    course = {"amount": amount, "route": 0, "every": 2.0, "until": 6.0, "duration": 0.0}
    _, means, _ = solved(one_compartment(), [k], course, [0.0, 5.0], [0.0, 2.0, 2.0, 4.0], is_first=True)
    decayed, high = 1 - np.exp(-2 * k), amount * (1 + np.exp(-2 * k))
    np.testing.assert_allclose(means[0:6:3], [amount * decayed / (2 * k), high * decayed / (2 * k)], rtol=1e-5)


def test_infusions_that_overlap_add_up_and_end() -> None:
    k, amount, duration = 0.8, 6.0, 3.0
    course = {"amount": amount, "route": 0, "every": 2.0, "until": 4.0, "duration": duration}
    times = [0.0, 1.0, 2.5, 4.5, 6.0]
    values, _, _ = solved(one_compartment(), [k], course, times, [])

    def one(t: float) -> float:
        begun = min(max(t, 0.0), duration)
        return amount / duration / k * (1 - np.exp(-k * begun)) * np.exp(-k * (max(t, 0.0) - begun))

    np.testing.assert_allclose(values[:5], [one(t) + one(t - 2.0) for t in times], rtol=1e-6, atol=1e-9)


def test_stiff_equations_are_solved_by_the_method_for_them() -> None:
    system = equations(
        {"a": "-0.04*a + 10000*b*c", "b": "0.04*a - 10000*b*c - 30000000*b**2", "c": "30000000*b**2"}, [1.0, 0.0, 0.0]
    )
    none = {"amount": 0.0, "route": -1, "every": 0.0, "until": 0.0, "duration": 0.0}
    values, _, stiff = solved(system, [], none, [0.0, 0.4, 40.0, 4000.0], [])

    def robertson(_: float, y: list[float]) -> list[float]:
        first, second = 0.04 * y[0] - 1e4 * y[1] * y[2], 3e7 * y[1] ** 2
        return [-first, first - second, second]

    times = [0.0, 0.4, 40.0, 4000.0]
    expected = solve_ivp(robertson, (0.0, 4000.0), [1, 0, 0], "Radau", times, rtol=1e-10, atol=1e-14).y
    np.testing.assert_allclose(np.reshape(values, (3, 4)), expected, rtol=1e-4, atol=1e-10)
    assert stiff == 1


def test_a_page_loads_nothing_and_is_small(contents: Contents) -> None:
    text = explorer_page(contents)
    assert len(text.encode()) < 5_000_000
    assert re.findall(r"<(?:link|img|iframe|object|embed|base)\b|\b(?:src|href)=[\"'](?!#)", text) == []
    assert "default-src 'none'" in text
    assert "{{" not in text.replace("${{", "")


def test_no_name_of_a_user_ends_the_element_that_it_stands_in(contents: Contents) -> None:
    evil = "</script><script>alert(1)</script>"
    text = explorer_page(Contents({**contents.data, "title": evil, "question": evil}, contents.models))
    assert evil not in text
    found = json.loads(text.split('id="data">')[1].split("</script>")[0])
    assert found["title"] == evil


def test_a_page_says_what_it_stands_on_and_what_was_reported(contents: Contents) -> None:
    (one,) = contents.data["hypotheses"]
    assert one["name"] == "H1+H6"
    assert one["stands"].startswith("3 draws of the fit; patient k is of draw k modulo 3")
    assert one["draws"] == [0, 1, 2, 0, 1, 2]
    said = {row["quantity"]: row["direction"] for row in contents.data["reported"] if row["direction"]}
    assert (said["ifng"], said["il17a"]) == ("up", "down")
    assert "Zong" in contents.data["source"]


def test_a_notebook_shows_the_page_in_a_frame(contents: Contents) -> None:
    shown = simulate.Explorer(explorer_page(contents))._repr_html_()
    assert shown.startswith('<iframe title="Explorer of a scenario"')
    assert shown.count("<") == 2


def test_more_patients_than_can_move_are_refused() -> None:
    with pytest.raises(InputError) as caught:
        simulate.explore(patients=201)
    assert str(caught.value) == (
        "error[explore.patients]: a page has no room for 201 patients that move with a slider\n"
        "  --> cohort.patients = 201, key `cohort.patients`\n"
        "  expected: at most 200\n"
        "  try:      `patients=200`; `simulate run` takes any number"
    )


def test_a_hypothesis_that_is_given_twice_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        simulate.explore(hypotheses=["H1", "H1"])
    assert str(caught.value) == (
        "error[hypothesis.twice]: the hypothesis `H1` is given twice\n  try:      give it once"
    )


def test_two_files_of_one_name_are_refused_for_the_page_tells_them_apart_by_it(tmp_path: Path) -> None:
    files = [tmp_path / "one.toml", tmp_path / "other.toml"]
    for file in files:
        file.write_text('[model]\nname = "mine"\n[hypothesis]\nname = "mine"\ntitle = "t"\n', encoding="utf-8")
    with pytest.raises(InputError) as caught:
        simulate.explore(hypotheses=[str(file) for file in files], fit="typical", patients=1)
    assert str(caught.value) == (
        f"error[hypothesis.twice]: `{files[0]}` and `{files[1]}` both have the name `mine`\n"
        "  expected: hypotheses with names of their own\n"
        "  try:      change `name` in one of the files"
    )
    with pytest.raises(InputError) as caught:
        simulate.explore(hypotheses=[str(files[0]), f"{tmp_path}/./one.toml"], fit="typical", patients=1)
    assert caught.value.what == "the hypothesis `mine` is given twice"


def test_the_verb_writes_the_page_and_says_how_large_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "page.html"
    options = ["-n", "2", "--draws", "1", "--set", "f_m=0.3", "--out", str(target), "--json"]
    assert outcome(["explore", SCENARIO, "-H", "H0", *options]) == 0
    assert json.loads(capsys.readouterr().out) == {"page": str(target), "bytes": target.stat().st_size}
    found = json.loads(target.read_text(encoding="utf-8").split('id="data">')[1].split("</script>")[0])
    assert [one["name"] for one in found["hypotheses"]] == ["H0"]


@pytest.mark.parametrize(
    ("values", "is_change", "texts"),
    [
        ([0, 2.5, 5, 7.5, 10, 12.5], True, ["0.0", "+2.5", "+5.0", "+7.5", "+10.0", "+12.5"]),
        ([-20, -10, 0, 10], True, ["−20", "−10", "0", "+10"]),
        ([0, 0.1, 0.2, 0.1 + 0.2, None], False, ["0.0", "0.1", "0.2", "0.3", ""]),
        ([1000, 1002.5, 1005], False, ["1000.0", "1002.5", "1005.0"]),
        ([0, 125000, 250000], False, ["0", "1.25e5", "2.50e5"]),
        ([0, 0.00025, 0.0005], False, ["0", "2.5e-4", "5.0e-4"]),
    ],
)
def test_numbers_at_an_axis_have_one_format_that_rounds_none(
    values: list[float | None], is_change: bool, texts: list[str]
) -> None:
    (source,) = re.findall(r"^function ticks\(.*?^}", part("explorer.js"), flags=re.DOTALL | re.MULTILINE)
    context = javascript_engine(source)
    found = json.loads(context.eval(f"JSON.stringify(ticks({json.dumps(values)}, {json.dumps(is_change)}))"))
    assert found == texts


@pytest.mark.parametrize(("is_level", "moved"), [(True, 3.0), (False, 75.0)])
def test_a_parameter_is_ranked_by_points_of_what_is_charted(is_level: bool, moved: float) -> None:
    """A level that ends at 5 or at 2, after 4: by 3 points as it is, by 75 points as a change in %."""
    source = re.sub(r"^if \(typeof Worker.*", "", part("worker.js"), flags=re.DOTALL | re.MULTILINE)
    context = javascript_engine(source.replace('"use strict";', ""))
    context.eval("courses = (job) => ({ values: [4, job.factors[0][1] > 1 ? 5 : 2] })")
    job = {"factors": [], "parameter": 0, "grid": [0, 1], "wanted": [0], "patients": [0], "levels": [is_level]}
    assert json.loads(context.eval(f"JSON.stringify(effect({json.dumps(job)}))")) == {"effect": moved, "which": 0}
