"""Models of other people, written in our symbolic layer and solved by our engine, against what they published."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import sympy

from simulate import shipped
from simulate.kernels.build import build
from simulate.kernels.equilibria import Equilibrium, Stability, equilibria, starts_in_box
from simulate.kernels.reference import solve_reference
from simulate.kernels.system import System, lower
from simulate.solver.batch import solve
from simulate.solver.kernel import FloatArray
from simulate.solver.problem import Schedule, Tolerance
from simulate.solver.trajectories import Trajectories
from simulate.symbolic.model import Model
from simulate.symbolic.modelfile import read_model
from simulate.symbolic.parameterfile import check_sources, read_sources

FOLDER = shipped.root() / "models"
NAMES = ("schulz2009", "hong2011", "hong2012")
HOURS_PER_DAY = 24.0
UNIT_SQUARE = starts_in_box([0, 0], [1, 1], 128)
ACCURATE = Tolerance(1e-9)


@cache
def model_of(name: str) -> Model:
    return read_model(FOLDER / f"{name}.toml").compose()


@cache
def system_of(name: str) -> System:
    return lower(model_of(name))


def values_of(name: str, **overrides: float) -> FloatArray:
    values = {parameter.name: parameter.value for parameter in model_of(name).parameters}
    assert overrides.keys() <= values.keys()
    return np.array([(values | overrides)[parameter] for parameter in system_of(name).parameters])


def course(name: str, rows: FloatArray, times: FloatArray) -> Trajectories:
    trajectories = solve(
        build(system_of(name)), rows, Schedule.from_rows([[] for _ in rows]), times, tolerance=ACCURATE
    )
    assert not trajectories.failures
    return trajectories


def steady(name: str, **overrides: float) -> tuple[Equilibrium, ...]:
    return equilibria(system_of(name), values_of(name, **overrides), UNIT_SQUARE)


def levels(first: float, second: float) -> str:
    """Two regulators as a cytometer calls them, such as ``+-``."""
    return "".join("+" if level > 0.5 else "-" for level in (first, second))


def stable(name: str, **overrides: float) -> set[str]:
    return {
        levels(*equilibrium.state)
        for equilibrium in steady(name, **overrides)
        if equilibrium.stability is Stability.STABLE
    }


@pytest.mark.parametrize("name", NAMES)
def test_every_number_of_a_published_model_has_a_source_and_a_grade(name: str) -> None:
    parameters = read_model(FOLDER / f"{name}.toml").parameters
    assert parameters.keys() == {parameter.name for parameter in model_of(name).parameters}
    check_sources(parameters, read_sources(shipped.sources_file()))
    assert all(parameter.grade is not None for parameter in parameters.values())


# Schulz et al. 2009

QUANTITIES = ("Tbet_mRNA", "Tbet", "IFN_mRNA", "IFN", "Rec_mRNA", "Rec")
CHANGES: dict[str, dict[str, float]] = {"wild type": {}, "no IFNγ signal": {"a2": 0.0}, "no IL-12 signal": {"a3": 0.0}}
# The SBML file of BIOMD0000000215 (SHA-256 b97a72a812414f047c8a0892d56f084286e6a454bb26820e758ae34e7a87454d), simulated
# by libRoadRunner 2.10.0 (CVODE, relative tolerance 1e-12, absolute 1e-16) on 2026-11-23. Hours: QUANTITIES.
PUBLISHED = {
    "wild type": {
        12: (0.262007265, 139.408334, 0.0889945215, 7.70499158, 0.00456264531, 1.89769293),
        24: (0.309655896, 250.063194, 0.274421792, 25.8846017, 0.00893965384, 5.69686178),
        36: (0.242109387, 275.323235, 0.507148733, 47.6785174, 0.0232864187, 11.8539099),
        48: (0.102407741, 182.599491, 1.17773706, 113.904508, 0.137081245, 59.1413967),
        72: (0.197148256, 160.671098, 0.13249157, 15.2044085, 0.419598909, 310.125764),
        96: (0.354658017, 287.316752, 0.00825157829, 0.920680573, 0.783888014, 624.75439),
    },
    "no IFNγ signal": {
        12: (0.0445072756, 44.2134963, 0.0541357763, 5.06105997, 0.00158769393, 1.05384807),
        24: (0.0447228859, 44.521835, 0.0766437556, 7.54961563, 0.00163294973, 1.43785526),
        36: (0.0449958594, 44.7409446, 0.102797413, 9.78332622, 0.00375499066, 2.08496345),
        48: (0.0493249248, 46.1424311, 0.36412079, 33.0230644, 0.033143705, 12.2452262),
        72: (0.111970615, 83.463785, 0.10786505, 12.1930732, 0.215414376, 140.625149),
        96: (0.223533159, 175.409441, 0.00769818982, 0.856379335, 0.476645195, 363.177572),
    },
    "no IL-12 signal": {
        12: (0.261127487, 139.116348, 0.0889050188, 7.6982675, 0.0045540196, 1.89546073),
        24: (0.306856539, 248.580055, 0.273518379, 25.8048305, 0.00888988332, 5.67514858),
        36: (0.236496179, 271.937011, 0.503706898, 47.3716196, 0.0230170865, 11.7539995),
        48: (0.0758533872, 171.153844, 1.158873, 112.222033, 0.129654387, 57.2160359),
        72: (0.0445157901, 58.6113334, 0.116421844, 13.4736489, 0.160517263, 168.500507),
        96: (0.0440086371, 45.3833055, 0.00617778933, 0.69320826, 0.127160676, 136.360694),
    },
}


@cache
def waves(change: str) -> dict[int, float]:
    """T-bet messenger RNA over its start, every hour."""
    hours = np.arange(97)
    trajectories = course("schulz2009", values_of("schulz2009", **CHANGES[change])[np.newaxis], hours / HOURS_PER_DAY)
    return dict(zip(hours.tolist(), (trajectories.quantity("tbet_relative")[0] / 100).tolist(), strict=True))


@pytest.mark.parametrize("change", CHANGES)
def test_schulz_2009_is_the_public_model_over_four_days(change: str) -> None:
    expected = np.array(list(PUBLISHED[change].values()))
    times = np.array([0, *PUBLISHED[change]]) / HOURS_PER_DAY
    row = values_of("schulz2009", **CHANGES[change])[np.newaxis]
    compiled = course("schulz2009", row, times)
    plain = solve_reference(system_of("schulz2009"), row, Schedule.from_rows([[]]), times)
    for trajectories in (compiled, plain):
        found = np.column_stack([trajectories.quantity(quantity)[0] for quantity in QUANTITIES])
        assert found[0] == pytest.approx([0.044, 44, 0, 0, 0, 0])
        assert found[1:] == pytest.approx(expected, rel=1e-5, abs=0)


def test_tbet_comes_in_two_waves() -> None:
    wave = waves("wild type")
    first = max(range(40), key=wave.__getitem__)
    valley = min(range(first, 96), key=wave.__getitem__)
    assert (first, valley) == (25, 50)
    # As multiples of the start, by the same simulation of the SBML file as `PUBLISHED`.
    assert [wave[hour] for hour in (first, valley, 96)] == pytest.approx([7.0497020, 2.2808615, 8.0604095], rel=1e-5)


def test_ifng_makes_the_first_wave_of_tbet_and_il12_the_second() -> None:
    without_ifng, without_il12 = waves("no IFNγ signal"), waves("no IL-12 signal")
    assert max(without_ifng[hour] for hour in range(37)) < 1.03
    assert without_ifng[96] == pytest.approx(5.0802991, rel=1e-5)
    assert max(without_il12[hour] for hour in range(37)) == pytest.approx(6.9822874, rel=1e-5)
    assert without_il12[96] == pytest.approx(1.0001963, rel=1e-5)


def test_the_receptor_for_il12_waits_for_the_antigen_to_go() -> None:
    rise = {hour: row[QUANTITIES.index("Rec_mRNA")] for hour, row in PUBLISHED["wild type"].items()}
    assert rise[24] < 0.03 * rise[72]
    kept = values_of("schulz2009", t_antigen=1000.0)[np.newaxis]
    trajectories = course("schulz2009", kept, np.array([0.0, 3.0]))
    assert trajectories.quantity("Rec_mRNA")[0, 1] < 0.03 * rise[72]


# Hong et al. 2011: RORγt and Foxp3


def pitchforks() -> tuple[float, float]:
    """TGF-β at which the symmetric state loses its stability and regains it, on paper.

    At the state (x, x) the difference of the two grows when σ (w_self + w_other) x (1 − x) > 1.
    """
    values = {parameter.name: parameter.value for parameter in model_of("hong2011").parameters}
    spread = np.sqrt(1 - 4 / (values["sigma"] * (values["w_self"] + values["w_other"])))
    low, high = (
        np.log(x / (1 - x)) / values["sigma"] - values["w_0"] - (values["w_self"] - values["w_other"]) * x
        for x in ((1 - spread) / 2, (1 + spread) / 2)
    )
    return float(low), float(high)


def symmetric_state(tgfb: float) -> Equilibrium:
    return next(
        equilibrium
        for equilibrium in steady("hong2011", tgfb=tgfb, asymmetry=0.0)
        if abs(equilibrium.state[0] - equilibrium.state[1]) < 1e-9
    )


def test_without_tgfb_there_is_the_naive_state_alone() -> None:
    assert stable("hong2011") == {"--"}
    assert len(steady("hong2011")) == 1


def test_tgfb_alone_allows_th17_and_treg_cells() -> None:
    assert stable("hong2011", tgfb=0.5) == {"+-", "-+"}


def test_much_tgfb_stabilizes_the_state_with_both_again() -> None:
    assert stable("hong2011", tgfb=1.0) == {"++"}


def test_the_symmetric_state_changes_stability_at_two_pitchforks() -> None:
    low, high = pitchforks()
    assert (low, high) == pytest.approx((0.294, 0.706), abs=0.001)
    for tgfb, expected in (
        (low - 0.001, Stability.STABLE),
        (low + 0.001, Stability.UNSTABLE),
        (high - 0.001, Stability.UNSTABLE),
        (high + 0.001, Stability.STABLE),
    ):
        assert symmetric_state(tgfb).stability is expected


def test_a_broken_symmetry_leaves_one_branch_to_start_with() -> None:
    # The perfect pitchfork has both fates at once; a small advantage of RORγt makes Th17 cells possible first.
    assert stable("hong2011", tgfb=0.235, asymmetry=0.0) == {"--"}
    assert stable("hong2011", tgfb=0.235) == {"--", "+-"}
    assert stable("hong2011", tgfb=0.3) == {"+-", "-+"}


def test_il6_makes_th17_cells_and_retinoic_acid_makes_tregs() -> None:
    assert stable("hong2011", tgfb=0.5, il6=1.0) == {"+-"}
    assert stable("hong2011", tgfb=0.5, atra=1.0) == {"-+"}


def test_precursors_that_differ_little_become_different_cells_by_one_signal() -> None:
    rng = np.random.default_rng(2011)
    rows = np.array([values_of("hong2011", tgfb=0.5, asymmetry=value) for value in rng.normal(0, 0.02, 200)])
    end = course("hong2011", rows, np.array([0.0, 60.0]))
    fates = [
        levels(*pair)
        for pair in zip(end.quantity("RORgt")[:, 1].tolist(), end.quantity("Foxp3")[:, 1].tolist(), strict=True)
    ]
    assert set(fates) == {"+-", "-+"}
    assert 60 < fates.count("+-") < 140


# Hong et al. 2012: T-bet and RORγt, table 5

CELLS = 400
VARIATION = 0.1
STIMULI: dict[str, dict[str, float]] = {
    "TCR": {},
    "TCR, IL-23 + IL-1": {"il23_il1": 1.0},
    "TCR, TGF-β + IL-6": {"tgfb_il6": 1.0},
    "TCR, low TGF-β + IL-6": {"tgfb_il6": 0.4},
    "no T-bet, TCR, TGF-β + IL-6": {"tbx21": 0.0, "tgfb_il6": 1.0},
    "no T-bet, TCR, IL-23 + IL-1": {"tbx21": 0.0, "il23_il1": 1.0},
}
TABLE_5 = {
    "TCR": {"+-"},
    "TCR, IL-23 + IL-1": {"+-", "++"},
    "TCR, TGF-β + IL-6": {"-+"},
    "TCR, low TGF-β + IL-6": {"+-", "-+"},
    "no T-bet, TCR, TGF-β + IL-6": {"-+"},
    "no T-bet, TCR, IL-23 + IL-1": {"-+"},
}


@cache
def population(stimulus: str) -> dict[str, float]:
    """Shares of the fates of naive cells whose weights differ by a tenth."""
    names = system_of("hong2012").parameters
    factors = np.exp(VARIATION * np.random.default_rng(2012).standard_normal((CELLS, len(names))))
    factors[:, [index for index, name in enumerate(names) if not name.startswith("w_")]] = 1
    end = course("hong2012", factors * values_of("hong2012", **STIMULI[stimulus]), np.array([0.0, 60.0]))
    fates = [
        levels(*pair)
        for pair in zip(end.quantity("Tbet")[:, 1].tolist(), end.quantity("RORgt")[:, 1].tolist(), strict=True)
    ]
    return {fate: fates.count(fate) / CELLS for fate in ("--", "+-", "-+", "++")}


@pytest.mark.parametrize("stimulus", STIMULI)
def test_the_steady_states_under_a_stimulus_are_those_of_table_5(stimulus: str) -> None:
    assert stable("hong2012", **STIMULI[stimulus]) == TABLE_5[stimulus]


@pytest.mark.parametrize("stimulus", STIMULI)
def test_a_population_of_naive_cells_turns_into_the_cells_of_table_5(stimulus: str) -> None:
    shares = population(stimulus)
    assert sum(shares[fate] for fate in TABLE_5[stimulus]) > 0.95
    assert all(shares[fate] > 0.2 for fate in TABLE_5[stimulus])


@pytest.mark.parametrize("stimulus", STIMULI)
def test_the_page_prints_the_shares_of_a_population(stimulus: str) -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "published-models.md").read_text(encoding="utf-8")
    (row,) = (line for line in page.splitlines() if line.startswith(f"| {stimulus} |"))
    told = {fate: float(share) for fate, share in re.findall(r"`(..)` ([\d.]+) %", row)}
    found = {fate: 100 * share for fate, share in population(stimulus).items() if share}
    assert told == pytest.approx({fate: found[fate] for fate in told}, abs=0.1)
    assert sum(told.values()) == pytest.approx(100.0, abs=0.2)


def test_less_tcr_signal_reprograms_double_positives_into_th1_cells() -> None:
    system = system_of("hong2012")
    both = next(
        equilibrium.state
        for equilibrium in steady("hong2012", il23_il1=1.0)
        if equilibrium.stability is Stability.STABLE and levels(*equilibrium.state) == "++"
    )
    after = solve_reference(
        replace(system, initial=tuple(sympy.Float(level) for level in both)),
        values_of("hong2012", il23_il1=1.0, tcr=0.1)[np.newaxis],
        Schedule.from_rows([[]]),
        np.array([0.0, 60.0]),
    )
    assert levels(*both.tolist()) == "++"
    assert levels(after.quantity("Tbet")[0, 1], after.quantity("RORgt")[0, 1]) == "+-"
