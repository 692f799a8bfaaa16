"""What could be learned of the reference model: the page as printed, and the solver as a second opinion."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from simulate.biology.hypotheses import H0, HYPOTHESES, hypothesis_named
from simulate.kernels.identifiability import Structural, Together, structural
from simulate.solver import FloatArray, Schedule, StopKind, Tolerance, solve
from simulate.solver.methods import DOP853
from simulate.symbolic.model import Model
from tests.helpers.models import kernel_of, reference_model

PAGE = Path(__file__).resolve().parents[2] / "docs" / "identifiability.md"
TRIAL = ("serum_il1ra", "cd45ro", "ifng", "il17a", "ck")
ALWAYS = ("det1", "det17", "chi", "f_m", "il1_muscle")
"""Learned under every hypothesis, and so not printed of each."""
COMMON = (*ALWAYS, "d_M17")
DAYS = 120
TIMES = np.concatenate([np.linspace(0.0, 2.0, 9), np.linspace(4.0, DAYS, 30)])
STEP = 1e-3
SEEN = 1e-6
"""Singular values of normalized sensitivities: those that are not zero are above 1e-4, rounding leaves 1e-8."""


@cache
def model(name: str) -> Model:
    return reference_model(hypothesis_named(name))


def asked(name: str) -> tuple[str, ...]:
    """Parameters that a hypothesis adds, and some that all have."""
    base = {parameter.name for parameter in reference_model(H0).parameters}
    return (*(part.name for part in model(name).parameters if part.name not in base), *COMMON)


@cache
def answer(name: str, free: tuple[str, ...]) -> Structural:
    return structural(model(name), free, TRIAL, doses=["sc"])


def row(name: str) -> str:
    found = answer(name, asked(name))
    assert {*ALWAYS} <= {*found.identifiable}
    alone = ", ".join(f"`{part}`" for part in found.identifiable if part not in ALWAYS) or "–"
    traceless = [f"`{group.parameters[0]}`" for group in found.together if not group.functions and not group.others]
    groups = [
        f"{', '.join(f'`{part}`' for part in group.parameters)}: {', '.join(f'`{text}`' for text in group.functions)}"
        for group in found.together
        if group.functions
    ]
    assert len(traceless) + len(groups) == len(found.together)
    cells = (name, f"{found.rank} of {len(found.free)}", alone, "; ".join(groups) or "–", ", ".join(traceless) or "–")
    return f"| {' | '.join(cells)} |\n"


def table() -> str:
    head = "| hypothesis | rank | learned as well | only in combination | no trace |\n|---|---|---|---|---|\n"
    return head + "".join(row(hypothesis.name) for hypothesis in HYPOTHESES)


def as_it_should_be(document: str) -> str:
    pattern = re.compile(r"(<!-- hypotheses -->\n).*?(<!-- end -->)", re.DOTALL)
    assert len(pattern.findall(document)) == 1
    return pattern.sub(lambda found: found[1] + table() + found[2], document)


def test_the_page_prints_what_can_be_learned() -> None:
    """With IL1SIM_WRITE_DOCS=1 in the environment, the page is written anew first."""
    if os.environ.get("IL1SIM_WRITE_DOCS") == "1":
        PAGE.write_text(as_it_should_be(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    printed = PAGE.read_text(encoding="utf-8")
    assert printed == as_it_should_be(printed), "IL1SIM_WRITE_DOCS=1 writes docs/identifiability.md anew"


def test_the_example_of_the_page_prints_what_it_says() -> None:
    found = structural(model("H1"), ["x_17", "K_17", "il1_lymph"], ["serum_il1ra", "il17a", "ck"], doses=["sc"])
    assert "```\n" + "\n".join(found.lines()) + "\n```" in PAGE.read_text(encoding="utf-8")


def readings(name: str, members: list[dict[str, float]]) -> FloatArray:
    """Logarithms [member, reading] of what the trial measures under 100 mg a day, by the solver."""
    patients = np.array(
        [[changes.get(part.name, part.value) for part in model(name).parameters] for changes in members]
    )
    doses = [(float(day), StopKind.BOLUS, 0, 100.0) for day in range(DAYS)]
    result = solve(
        kernel_of(model(name)),
        patients,
        Schedule.from_rows([doses] * len(members)),
        TIMES,
        tolerance=Tolerance(1e-12),
        method=DOP853,
    )
    assert not result.status.any()
    return np.log(np.stack([result.quantity(part) for part in TRIAL], axis=2)).reshape(len(members), -1)


def values(name: str) -> dict[str, float]:
    return {parameter.name: parameter.value for parameter in model(name).parameters}


@pytest.mark.parametrize(
    ("name", "free"),
    [
        ("H0", (*COMMON, "e50")),
        ("H1", (*asked("H1"), "il1_lymph", "e50")),
        ("H5", tuple(part for part in asked("H5") if not re.match("r_|ck_|ifng_|il17a_|t_reg|gc_assay", part))),
    ],
)
def test_ranks_are_those_of_sensitivities_by_the_solver(name: str, free: tuple[str, ...]) -> None:
    typical = values(name)
    # Central differences of fourth order in the logarithm of each parameter.
    members = [{part: typical[part] * float(np.exp(step * STEP))} for part in free for step in (-2.0, -1.0, 1.0, 2.0)]
    logs = readings(name, members).reshape(len(free), 4, -1)
    slopes = (logs[:, 0] - 8.0 * logs[:, 1] + 8.0 * logs[:, 2] - logs[:, 3]) / (12.0 * STEP)
    sizes = np.linalg.norm(slopes, axis=1)
    visible = slopes[sizes > SEEN] / sizes[sizes > SEEN, None]
    singular = np.linalg.svd(visible, compute_uv=False)
    assert answer(name, free).rank == int((singular > SEEN).sum())


SHARES = "det1 det17 f_Th1 f_Th17 r_DP r_ex"
STEROIDS = "gc1 gc17 gc_other gc_priming taper_rest"


@pytest.mark.parametrize(
    ("name", "free", "functions", "others", "changes"),
    [
        ("H0", "F V CL", ("F/V", "F/CL"), 0, {"F": 1.25, "V": 1.25, "CL": 1.25}),
        ("H0", "molar_mass K_Ra", ("molar_mass·K_Ra",), 0, {"molar_mass": 1.25, "K_Ra": 0.8}),
        ("H0", "e50 il1_muscle", ("e50/((1 + e50)·il1_muscle)",), 0, {"e50": 1.25, "il1_muscle": None}),
        ("H0", SHARES, ("det17·f_Th17·(1 + r_DP)",), 1, {"r_DP": 1.5, "det17": None, "det1": None}),
        ("H1", "K_17 il1_lymph", (), 1, {"il1_lymph": 1.25, "K_17": None}),
        ("H2", "d_E f_mem", ("d_E·f_mem/(1 - f_mem)",), 0, {"f_mem": 1.1, "d_E": None}),
        ("H5", STEROIDS, ("gc1/gc17", "gc1/gc_other", "gc1/gc_priming", "gc1·(1 - taper_rest)"), 0,
         {"taper_rest": 0.8, "gc1": None, "gc17": None, "gc_other": None, "gc_priming": None}),
    ],
)  # fmt: skip
def test_only_the_combination_is_seen_by_the_solver(
    name: str, free: str, functions: tuple[str, ...], others: int, changes: dict[str, float | None]
) -> None:
    found = answer(name, tuple(free.split()))
    assert found.identifiable == ()
    assert found.together == (Together(tuple(free.split()), functions, others),)
    before = values(name)
    after = {part: before[part] * factor for part, factor in changes.items() if factor is not None}
    one_changed = next(iter(after))
    after |= {part: compensation(part, before, before | after) for part, factor in changes.items() if factor is None}
    start, all_changed, one_only = readings(name, [{}, after, {one_changed: after[one_changed]}])
    assert np.abs(all_changed - start).max() < 1e-8
    assert np.abs(one_only - start).max() > 1e-5


def compensation(part: str, old: dict[str, float], new: dict[str, float]) -> float:
    """Value of a parameter that makes up for others that are new."""
    if part.startswith("gc"):
        return old[part] * (1 - old["taper_rest"]) / (1 - new["taper_rest"])
    if part == "K_17":
        # Priming is x + (1 - x)(1 + K) s/(s + K) with the relative signal s = (b + r)/(b + r + drug), where r is the
        # patient's own IL-1Ra. It depends on b + (b + r)/K alone.
        before, after = (known["il1_lymph"] * (1 + 1 / known["e50"]) + 1 for known in (old, new))
        own = old["R_0"] / old["molar_mass"] / old["K_Ra"]
        return (after + own) / (before + (before + own) / old["K_17"] - after)
    old_value, new_value = (COMBINED[part](known) for known in (old, new))
    return old[part] * old_value / new_value


COMBINED: Mapping[str, Callable[[dict[str, float]], float]] = {
    "d_E": lambda known: known["f_mem"] / (1 - known["f_mem"]),
    "il1_muscle": lambda known: 1 + 1 / known["e50"],
    "det17": lambda known: known["f_Th17"] * (1 + known["r_DP"]),
    "det1": lambda known: known["f_Th1"] + known["f_Th17"] * (known["r_DP"] + known["r_ex"]),
}
"""What a parameter is seen multiplied by."""
