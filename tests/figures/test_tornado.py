"""The tornado shows each input that matters, the largest above; asserted on artists."""

from __future__ import annotations

import numpy as np

from simulate.figures.tornado import tornado
from simulate.inference.sensitivity import Shares
from simulate.studies.endpoints import Endpoint, Summary
from simulate.studies.sensitivity.analysis import Sensitivity

ENDPOINT = Endpoint("x:change", "x", Summary.CHANGE, 28.0, "change to day 28 of x", "%")


def sensitivity_of(total: list[float]) -> Sensitivity:
    share = np.array(total)
    interval = np.stack([share - 0.1, share + 0.1], axis=1)
    return Sensitivity(
        endpoint=ENDPOINT,
        middle=10.0,
        low=np.array([9.0, 4.0, 10.0]),
        high=np.array([12.0, 30.0, 10.0]),
        slope=np.zeros(3),
        shares=Shares(10.0, 4.0, 0.5 * share, share, interval, interval),
        effects=None,
    )


def test_bars_reach_from_the_middle_to_the_ends_and_the_largest_share_is_on_top() -> None:
    figure = tornado(sensitivity_of([0.2, 0.7, 0.0]), ["a", "b", "c"])
    swings, shares = figure.axes
    assert [label.get_text() for label in swings.get_yticklabels()] == ["b", "a", "c"]
    assert swings.yaxis_inverted()
    ends = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in swings.patches]
    assert ends[:4] == [(10.0, 4.0), (10.0, 30.0), (10.0, 9.0), (10.0, 12.0)]
    assert swings.get_xlabel() == "input alone at an end of its 90 % range (%)"
    points = [np.ravel(line.get_xdata()).tolist() for line in shares.get_lines() if line.get_marker() in ("o", "s")]
    assert points == [[0.35, 0.1, 0.0], [0.7, 0.2, 0.0]]


def test_a_share_that_too_few_rows_cannot_tell_is_said_not_to_be_known() -> None:
    found = sensitivity_of([0.2, 90.0, 0.0])
    shares = tornado(found, ["a", "b", "c"]).axes[1]
    points = [np.ravel(line.get_xdata()).tolist() for line in shares.get_lines() if line.get_marker() in ("o", "s")]
    assert points == [[0.1, 0.0], [0.2, 0.0]]
    # It stands below what is known, where its two numbers would be.
    texts = [(text.get_text(), round(float(text.get_position()[1]), 2)) for text in shares.texts]
    assert texts == [("not known", 1.86), ("not known", 2.14)]
    assert shares.get_xlim()[1] < 1.0
    assert shares.get_xlabel() == "share of the variance when all inputs vary, 95 % interval"


def test_what_is_not_known_is_drawn_though_more_is_known_than_there_is_room_for() -> None:
    share = np.array([90.0, *np.linspace(0.9, 0.1, 20)])
    interval = np.stack([share - 0.1, share + 0.1], axis=1)
    shares = Shares(10.0, 4.0, 0.5 * share, share, interval, interval)
    found = Sensitivity(ENDPOINT, 10.0, share, share, share, shares, None)
    names = [f"input {number}" for number in range(21)]
    labels = [label.get_text() for label in tornado(found, names).axes[0].get_yticklabels()]
    assert labels == [*names[1:15], "input 0"]


def test_a_constant_endpoint_is_drawn_without_shares() -> None:
    figure = tornado(sensitivity_of([np.nan, np.nan, np.nan]), ["a", "b", "c"])
    assert len(figure.axes) == 1
