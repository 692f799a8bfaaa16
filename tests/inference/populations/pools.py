"""Pools of patients and targets with closed answers."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri

from simulate.inference.populations.target import Target
from simulate.streams import FloatArray, normals


def gaussian_pool(patients: int, observables: int, seed: int = 1) -> FloatArray:
    """Independent standard normal outputs."""
    return normals(seed, "a pool", np.arange(patients), observables)


def gaussian_target(observables: int) -> Target:
    """Normal with mean 0.5, standard deviation 0.6 and correlation 0.3 throughout."""
    names = ("a", "b", "c", "d")[:observables]
    return Target(names, np.full(observables, 0.5), 0.36 * (0.7 * np.eye(observables) + 0.3))


def normal_outputs(points: FloatArray) -> FloatArray:
    """Patients whose first two coordinates decide on two outputs, with a third that is carried along."""
    at = ndtri(np.clip(points, 1e-12, 1.0 - 1e-12))
    return np.column_stack([at[:, 0], at[:, 1], at[:, 0] + 0.5 * at[:, 2]])
