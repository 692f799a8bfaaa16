"""An ensemble that keeps some courses alone."""

from __future__ import annotations

import numpy as np
import pytest

import simulate
from simulate.errors import InputError


def test_kept_courses_are_the_same_and_others_are_refused_by_name() -> None:
    model = simulate.reference_model()
    cohort = simulate.draw(simulate.shipped_population(model.parameters), 3, seed=1)
    arm = simulate.Arm("daily", simulate.parse_regimen("100 mg sc daily"))
    whole = simulate.simulate_cohort(model, [arm], cohort, np.linspace(0.0, 3.0, 4))
    kept = whole.keeping(["ifng", "A_d"])
    assert kept.trajectories.quantities == ("ifng", "A_d")
    np.testing.assert_array_equal(kept.quantity("A_d"), whole.quantity("A_d"))
    units = dict(zip(whole.trajectories.quantities, whole.trajectories.units, strict=True))
    assert kept.trajectories.units == (units["ifng"], units["A_d"])
    assert kept.largest_terms("ifng") is None
    with pytest.raises(InputError, match=r"trajectories.quantity.*there is no course of `il17a`") as caught:
        kept.quantity("il17a")
    assert str(caught.value).endswith("expected: `ifng`, `A_d`")
