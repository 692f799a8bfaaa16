"""Results of a sweep as they would be if every patient followed a curve of their own exactly."""

from __future__ import annotations

import numpy as np
import xarray as xr

from simulate.solver.kernel import FloatArray
from simulate.studies.dose_response.reduction import isoboles, reduced

DOSES = np.array([0.0, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0])


def response(*, members: int = 40, seconds: int = 1, endpoints: int = 2) -> xr.Dataset:
    """A study: ED50 is 8 (1 + second), span -4 and base 10 for all; bases differ by the number of the patient."""
    bases = 10.0 + 0.1 * np.arange(members)
    ed50 = 8.0 * (1.0 + np.arange(seconds))
    share = DOSES / (DOSES + ed50[:, None])
    effect = bases - 4.0 * share[:, :, None]
    effects = np.stack([effect * (1 + index) for index in range(endpoints)])
    exposure = np.stack(
        [(DOSES[:, None] + 1.0) * factor * np.linspace(0.8, 1.2, members) for factor in (1.0, 0.2, 3.0)]
    )
    blocked = np.clip(np.log1p(DOSES)[:, None] * 18.0 + np.linspace(-4.0, 4.0, members), 0.0, 100.0)
    shape = (3, seconds, len(DOSES), members)
    variables = {"effect": (("endpoint", "second", "dose", "member"), effects)}
    variables |= reduced(DOSES, effects, seed=1, replicates=20)  # type: ignore[arg-type]
    about = {"units": "pg/mL", "long_name": "drug in serum"}
    variables["exposure"] = (
        ("measure", "second", "dose", "member"),
        np.broadcast_to(exposure[:, None], shape).copy(),
        about,
    )  # type: ignore[assignment]
    variables["blocked"] = (
        ("site", "second", "dose", "member"),
        np.broadcast_to(blocked, (2, *shape[1:])).copy(),
        {"units": "%"},
    )  # type: ignore[assignment]
    dataset = xr.Dataset(
        variables,
        coords={
            "endpoint": ("endpoint", np.array([f"level@{index}" for index in range(endpoints)], dtype=object)),
            "endpoint_unit": ("endpoint", np.array(["%"] * endpoints, dtype=object)),
            "endpoint_title": ("endpoint", np.array(["level on day 180"] * endpoints, dtype=object)),
            "dose": ("dose", DOSES, {"units": "mg", "long_name": "amount of a dose"}),
            "second": ("second", 0.1 + 0.2 * np.arange(seconds), {"units": "1", "long_name": "penetration"}),
            "member": ("member", np.arange(members)),
            "measure": ("measure", np.array(["average", "trough", "peak"], dtype=object)),
            "site": ("site", np.array(["signal_lymph", "signal_muscle"], dtype=object)),
            "parameter": ("parameter", np.array(["base", "span", "ed50", "hill"], dtype=object)),
        },
        attrs={
            **{"title": "doses", "hypothesis": "none", "arm": "treated", "window_end": 180.0, "bound": 10.0},
            "second": "f_m" if seconds > 1 else "",
        },
    )
    if seconds > 1:
        dataset.update(isoboles(dataset))
    return dataset


def swept(values: FloatArray, days: FloatArray, doses: FloatArray, others: FloatArray | None = None) -> xr.Dataset:
    """Results of a sweep whose signal and level have the same values [arm, member, time]."""
    label = {"units": "%", "long_name": "level"}
    variables = {name: (("arm", "member", "time"), values, label) for name in ("level", "signal_lymph")}
    coordinates = {"time": ("time", days), "over_dose": ("arm", doses)}
    if others is not None:
        coordinates["over_f_m"] = ("arm", others)
    status = np.zeros(values.shape[:2], dtype=np.int8)
    return xr.Dataset({**variables, "status": (("arm", "member"), status)}, coords=coordinates)
