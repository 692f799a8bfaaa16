"""What a laboratory reads: error, counting, limit, and whose luck it is."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import norm

from simulate.cohort.assay import Assay, read
from simulate.errors import InputError
from simulate.symbolic.units import unit
from simulate.trials.reading import shipped_trial

PERCENT, PICOGRAMS = unit("%"), unit("pg/mL")
MANY = np.arange(20_000)


def readings(assay: Assay, truth: float, **key: object) -> np.ndarray:
    chosen = {"quantity": "ifng", "visit": "day 0", "members": MANY, "seed": 1} | key
    return read(assay, np.full(len(MANY), truth), **chosen)  # type: ignore[arg-type]


def test_a_proportional_error_is_log_normal_around_the_truth() -> None:
    logs = np.log(readings(Assay(PICOGRAMS, 0.15), 2000.0) / 2000.0)
    assert float(logs.mean()) == pytest.approx(0.0, abs=4 * 0.15 / math.sqrt(len(MANY)))
    assert float(logs.std()) == pytest.approx(0.15, rel=0.03)


def test_counted_cells_are_whole_and_vary_as_a_binomial_number_does() -> None:
    events, share = 50_000, 0.0016
    cells = readings(Assay(PERCENT, 0.0, events=events), 100 * share) / 100 * events
    np.testing.assert_allclose(cells, np.round(cells), atol=1e-9)
    assert float(cells.mean()) == pytest.approx(events * share, abs=4 * math.sqrt(events * share / len(MANY)))
    assert float(cells.var()) == pytest.approx(events * share * (1 - share), rel=0.05)


@pytest.mark.parametrize("truth", [0.05, 0.16, 1.1])
def test_the_spread_by_formula_is_that_of_readings(truth: float) -> None:
    assay = Assay(PERCENT, 0.3, events=50_000)
    expected = float(assay.spread(np.array([truth]))[0])
    assert float(np.log(readings(assay, truth)).std()) == pytest.approx(expected, rel=0.05)


def test_rare_cells_are_read_worse_than_frequent_ones() -> None:
    spread = Assay(PERCENT, 0.1, events=5_000).spread(np.array([0.03, 0.16, 1.1, 60.0]))
    assert np.all(np.diff(spread) < 0)
    assert float(spread[-1]) == pytest.approx(0.1, rel=0.01)


@pytest.mark.parametrize("truth", [20.0, 31.0, 40.0])
def test_the_share_of_censored_readings_is_that_of_the_normal_law(truth: float) -> None:
    assay = Assay(PICOGRAMS, 0.4, limit=31.0)
    found = readings(assay, truth)
    expected = float(norm.cdf(math.log(31.0 / truth) / 0.4))
    assert float(found.min()) == 31.0
    assert float((found <= assay.limit).mean()) == pytest.approx(expected, abs=0.015)


def test_a_reading_rises_with_the_truth_whatever_the_luck() -> None:
    assay = shipped_trial().assays["il17a"]
    rising = np.stack([readings(assay, truth) for truth in (0.0, 0.02, 0.05, 0.16, 0.4, 5.0, 100.0)])
    assert np.all(np.diff(rising, axis=0) >= 0)
    assert float(rising.max()) <= 100.0
    assert np.all(rising[0] == 0.01)


def test_the_error_is_that_of_the_patient_in_any_cohort_and_every_arm() -> None:
    assay = shipped_trial().assays["ifng"]
    truth = np.array([[0.8, 1.1, 0.3], [0.8, 0.9, 0.3]])
    key = {"quantity": "ifng", "visit": "day 0", "seed": 4}
    whole = read(assay, truth, members=[5, 6, 7], **key)  # type: ignore[arg-type]
    assert whole[0, 0] == whole[1, 0]
    alone = read(assay, truth[:, 2:], members=[7], **key)  # type: ignore[arg-type]
    assert whole[:, 2:].tobytes() == alone.tobytes()


def test_visits_quantities_and_seeds_have_errors_of_their_own() -> None:
    assay = Assay(PERCENT, 0.3)
    keys = ({}, {"visit": "day 182"}, {"quantity": "il17a"}, {"seed": 2})
    logs = np.array([np.log(readings(assay, 1.0, **key)) for key in keys])
    together = np.corrcoef(logs) - np.eye(len(keys))
    assert float(np.abs(together).max()) < 0.03


def test_who_has_no_trajectory_has_no_reading() -> None:
    found = read(
        Assay(PERCENT, 0.3, 0.01, 1000), np.array([np.nan, 1.0]), quantity="ifng", visit="v", members=[0, 1], seed=1
    )
    assert np.isnan(found).tolist() == [True, False]


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ((PERCENT, -0.1), "spread -0.1, limit 0.0 %, None cells"),
        ((PERCENT, 0.1, -1.0), "spread 0.1, limit -1.0 %, None cells"),
        ((PERCENT, 0.1, 0.0, 0), "spread 0.1, limit 0.0 %, 0 cells"),
    ],
)
def test_an_assay_that_cannot_be_is_refused(values: tuple[object, ...], found: str) -> None:
    with pytest.raises(InputError) as caught:
        Assay(*values)  # type: ignore[arg-type]
    assert str(caught.value) == (
        "error[assay.value]: an assay cannot be\n"
        f"  found:    {found}\n"
        "  expected: a spread and a limit that are not negative, and at least one cell if cells are counted"
    )


def test_only_a_share_can_be_counted() -> None:
    with pytest.raises(InputError) as caught:
        Assay(PICOGRAMS, 0.1, events=100)
    assert str(caught.value) == (
        "error[assay.value]: cells are counted, but the reading is in pg/mL\n  expected: a share, such as %"
    )


def test_nothing_printed_lies_below_a_limit_of_the_trial() -> None:
    assays = shipped_trial().assays
    lowest = {"serum_il1ra": 467.0, "ifng": 0.08, "il17a": 0.03}
    assert all(assays[name].limit < value for name, value in lowest.items())
    assert (assays["serum_il1ra"].limit, assays["il17a"].limit) == (31.0, 0.01)
    assert assays["ifng"].events == 50_000
