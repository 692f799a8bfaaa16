"""The figure of repeated studies shows each effect and each reported value; asserted on artists."""

from __future__ import annotations

import dataclasses

import numpy as np

from simulate.figures.trials import power_curves, trials_figure
from simulate.studies.fitting.draws import Draws
from simulate.studies.fitting.problem import problem_for
from simulate.studies.power.designs import design_of
from simulate.studies.power.families import EndpointPower
from simulate.studies.power.power import AtSize, Power, Rank, SimulatedTrials
from simulate.trials.design import Analysis
from simulate.trials.reading import shipped_trial

FOUND = Power(
    "ifng-change", "change of IFNγ+ cells", "change of the logarithm", 6, "t", 0.1, (-0.1, 0.5), 1.0,
    0.2, (0.15, 0.25), 100, 0.04, (0.02, 0.06), 1.5, (1.4, 1.6),
)  # fmt: skip
NOTHING = dataclasses.replace(
    FOUND, effect="ck-change", wrong_sign=None, wrong_sign_interval=None, exaggeration=None, exaggeration_interval=None
)
RANK = Rank("ifng-level", "mean", "%", 1.1, 0.4, 1.0, 3.0, 0.52, 0.02, 0.9)


def result(ranks: tuple[Rank, ...]) -> SimulatedTrials:
    draws = Draws(problem_for("H0"), np.zeros((4, 11)), True, 1)
    return SimulatedTrials(design_of(shipped_trial()), draws, 16, 100, 0.0, (FOUND, NOTHING), ranks)


def test_each_effect_is_a_point_and_what_is_undefined_is_not_drawn() -> None:
    power, sign, size, printed = trials_figure(result((RANK,))).axes
    points = [[line.get_xdata()[0] for line in axes.get_lines() if line.get_marker() == "o"] for axes in (power, sign)]
    assert points == [[0.2, 0.2], [0.04]]
    assert size.get_xscale() == "log"
    assert [label.get_text() for label in printed.get_yticklabels()] == ["ifng-level, mean: 1.1 %"]
    assert [line.get_xdata()[0] for line in printed.get_lines() if line.get_marker() == "o"] == [0.52]


def test_without_ranks_there_is_no_panel_for_them() -> None:
    assert len(trials_figure(result(())).axes) == 3


def test_curves_of_power_are_drawn_alone_and_together() -> None:
    def at(n: int, raw: float, corrected: float) -> AtSize:
        rows = [EndpointPower(name, name, n, "t", raw, (0.0, 1.0), corrected, (0.0, 1.0)) for name in ("ck", "any")]
        return AtSize(n, 0, tuple(rows))

    points = (at(10, 0.2, 0.1), at(20, 0.6, 0.5))
    judged = dataclasses.replace(result(()), analysis=Analysis(("ck", "ifng"), "holm", 0.1), curves=points)
    alone, together = power_curves(judged).axes
    for axes, shares in ((alone, [0.2, 0.6]), (together, [0.1, 0.5])):
        curve, _, level = axes.get_lines()
        assert list(curve.get_xdata()) == [10, 20]
        assert list(curve.get_ydata()) == shares
        assert set(level.get_ydata()) == {0.1}
    assert alone.get_ylabel() == "studies with p < 0.1 (share)"
    assert [axes.get_title() for axes in (alone, together)] == ["each alone", "together, corrected by holm"]
    assert len(power_curves(dataclasses.replace(judged, analysis=Analysis())).axes) == 1
