"""How well a laboratory reads: error, counting and limit."""

from __future__ import annotations

import numpy as np
import pytest

from simulate.cohort.assay import Assay
from simulate.errors import InputError
from simulate.symbolic.units import unit
from simulate.trials.reading import shipped_trial

PERCENT, PICOGRAMS = unit("%"), unit("pg/mL")


@pytest.mark.parametrize("truth", [0.05, 0.16, 1.1])
def test_the_spread_by_formula_is_that_of_cells_that_are_counted(truth: float) -> None:
    random, events = np.random.default_rng(1), 50_000
    shares = truth / 100 * np.exp(0.3 * random.standard_normal(20_000))
    expected = float(Assay(PERCENT, 0.3, events=events).spread(np.array([truth]))[0])
    assert float(np.log(random.binomial(events, shares)).std()) == pytest.approx(expected, rel=0.05)


def test_rare_cells_are_read_worse_than_frequent_ones() -> None:
    spread = Assay(PERCENT, 0.1, events=5_000).spread(np.array([0.03, 0.16, 1.1, 60.0]))
    assert np.all(np.diff(spread) < 0)
    assert float(spread[-1]) == pytest.approx(0.1, rel=0.01)


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
