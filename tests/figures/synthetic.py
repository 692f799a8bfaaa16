"""A dataset in the form of a run's, with numbers that are easy to check."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from simulate.evidence.observations import Observation, Standing
from simulate.symbolic.units import unit


def dataset(*, arms: int = 1, members: int = 21, days: float = 182.0, doses: int = 0) -> xr.Dataset:
    """Member ``m`` of arm ``a`` has ``level`` (1 + a)(10 + m) at all times, and ``rise`` falls from 1000 to 1."""
    times = np.linspace(0.0, days, 183)
    level = (1.0 + np.arange(arms))[:, None, None] * (10.0 + np.arange(members))[None, :, None] + 0.0 * times
    rise = np.broadcast_to(np.geomspace(1000.0, 1.0, len(times)), level.shape).copy()
    dose_times = np.full((arms, max(doses, 1)), np.nan)
    dose_times[0, :doses] = np.arange(doses)
    dimensions = ("arm", "member", "time")
    variables: dict[str, Any] = {
        "level": (dimensions, level, {"units": "%", "long_name": "a level with a $ in its name"}),
        "rise": (dimensions, rise, {"units": "ng/mL", "long_name": "a fall over three decades"}),
        "status": (("arm", "member"), np.zeros((arms, members), dtype=np.int8)),
        "dose_time": (("arm", "dose"), dose_times),
    }
    names = np.array([f"arm {arm}" for arm in range(arms)], dtype=object)
    strata = np.array(["odd" if member % 2 else "even" for member in range(members)], dtype=object)
    return xr.Dataset(
        variables,
        coords={
            "arm": ("arm", names),
            "member": ("member", np.arange(members)),
            "stratum": ("member", strata),
            "time": ("time", times),
        },
    )


def observation(quantity: str, day: float, **changes: Any) -> Observation:
    """A reported mean of 15 with range 5 to 50, in the unit of ``level``."""
    values: dict[str, Any] = {
        "name": "item",
        "account": "as printed",
        "standing": Standing.REPORTED,
        "note": None,
        "mean": 15.0,
        "low": 5.0,
        "high": 50.0,
        "unit": unit("%"),
        "direction": None,
        "count": None,
        "n": None,
        "correlation": None,
        "partner": None,
    }
    return Observation(quantity=quantity, day=day, **(values | changes))
