"""Results of those who are still in the study, as a trial would have seen them."""

from __future__ import annotations

import numpy as np
import pytest

from simulate.api.simulating import run
from simulate.errors import InputError
from simulate.figures.panels import panels_of as panels
from simulate.figures.time_course import time_course
from simulate.results.tables import summary
from simulate.studies.runs import prepare
from simulate.studies.scenario import read_scenario
from simulate.studies.settings import Setting
from simulate.studies.values import seen_members
from tests.figures.synthetic import dataset


def test_a_row_is_of_those_who_are_in_the_study_at_its_visit() -> None:
    data = dataset()
    data["dropout_day"] = ("member", np.array([91.0, 100.0, *[np.inf] * 19]))
    everybody = [row for row in summary(data) if row.quantity == "level"]
    data.attrs["dropout"] = 1
    stayed = [row for row in summary(data) if row.quantity == "level"]
    assert [row.n_ok for row in everybody] == [21, 21, 21]
    assert [(row.n_ok, row.median) for row in stayed] == [(21, 20.0), (20, 20.5), (19, 21.0)]


def test_bands_are_of_those_who_are_in_the_study_on_each_day() -> None:
    data = dataset()
    data["dropout_day"] = ("member", np.array([91.0, 100.0, *[np.inf] * 19]))
    data.attrs["dropout"] = 1
    level = panels(data)[0].bands[0, 2]
    assert (level[90], level[91], level[99], level[100]) == (20.0, 20.5, 20.5, 21.0)
    ticks = [label.get_text() for label in time_course(data).axes[0].get_xticklabels()]
    assert ticks == ["0\n21", "3\n20"] or ticks == ["0\n21", "3\n20", "6\n19"]


def test_the_scenario_of_the_trial_keeps_as_many_as_stayed() -> None:
    data = run("trial", settings={"time.every": "91 d"})
    counts = dict(zip(data["time"].values.tolist(), seen_members(data).sum(axis=0).tolist(), strict=True))
    assert [counts[day] for day in (0.0, 91.0, 182.0, 365.0)] == [15, 13, 11, 9]
    assert not np.isnan(data["ck"].values).any()


def test_dropout_that_is_not_asked_for_changes_neither_key_nor_values() -> None:
    plain = prepare(read_scenario("untreated"))
    refused = prepare(read_scenario("untreated", [Setting("cohort.dropout", False, "--no-dropout")]))
    counted = prepare(read_scenario("untreated", [Setting("cohort.dropout", True, "--dropout")]))
    assert plain.key == refused.key != counted.key


def test_dropout_from_a_population_that_nobody_leaves_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        prepare(read_scenario("healthy", [Setting("cohort.dropout", True, "--dropout")]))
    assert str(caught.value) == (
        "error[scenario.dropout]: nobody leaves a study in this population\n"
        "  --> --dropout, key `cohort.dropout`\n"
        "  expected: a population with a table `[[retention]]`, such as `myositis`\n"
        "  try:      leave `dropout` out"
    )
