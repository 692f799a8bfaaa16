"""The figure of gains shows each measurement with its estimates; asserted on artists."""

from __future__ import annotations

import numpy as np

from simulate.figures.gains import gains_figure
from simulate.studies.measuring.ranking import rank_measurements
from tests.studies.measuring.test_ranking import measurement, pool, reading


def test_each_measurement_is_a_row_with_three_estimates_and_the_best_is_on_top() -> None:
    catalogue = [measurement("naive", 15, reading("naive")), measurement("ifng", 12, reading("ifng"))]
    ranking = rank_measurements([pool(0.0), pool(1.0)], catalogue, patients=16, measurements=80)
    between, within, odds = gains_figure(ranking).axes
    assert [label.get_text() for label in between.get_yticklabels()] == ["1  ifng (n 12)", "2  naive (n 15)"]
    assert between.yaxis_inverted()
    markers = {line.get_marker(): np.asarray(line.get_xdata()).tolist() for line in between.get_lines()}
    assert markers["o"] == [row.gain.between for row in ranking.rows]
    assert markers["|"] == [row.gain.with_own for row in ranking.rows]
    assert markers["x"] == [row.bound for row in ranking.rows]
    assert len(within.patches) == 2
    shares = {line.get_marker(): np.asarray(line.get_xdata()).tolist() for line in odds.get_lines()}
    assert shares["o"] == [row.decided for row in ranking.rows]
    assert shares["s"] == [row.misled_10 for row in ranking.rows]
