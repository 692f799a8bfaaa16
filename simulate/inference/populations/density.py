"""How dense a pool of patients is, from the distances to nearest neighbors.

The density near a place is the number of neighbors over the volume of the ball that holds them, distances being
measured in standard deviations of the pool (D. Loftsgaarden, C. Quesenberry, Ann. Math. Stat. 36 (1965) 1049). The
ratio to another density, averaged over the pool, is then unbiased.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree
from scipy.special import gammaln

from simulate.errors import InputError
from simulate.inference.populations.target import check_outputs
from simulate.streams import FloatArray

NEIGHBORS = 5
"""As R. Allen and others have it, CPT Pharmacometrics Syst. Pharmacol. 5 (2016) 140.

In their code the first of the five is the patient itself; here it does not count.
"""


def distinct(outputs: FloatArray) -> npt.NDArray[np.int64]:
    """Numbers of the patients whose outputs nobody before them has, ascending."""
    _, first = np.unique(outputs, axis=0, return_index=True)
    return np.sort(first).astype(np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class PoolDensity:
    """Density of the outputs of a pool.

    Attributes
    ----------
    outputs
        Logarithms of observables, shape [patient, observable].
    neighbors
        Number of neighbors that make the density.

    Raises
    ------
    InputError
        ``populations.shape``; ``populations.outputs``; ``populations.duplicates``: patients with the same outputs,
        between whom the density is infinite; ``populations.constant``: an output that all patients share.
    """

    outputs: FloatArray
    neighbors: int = NEIGHBORS
    _scale: FloatArray = field(init=False, repr=False)
    _tree: cKDTree = field(init=False, repr=False)

    def __post_init__(self) -> None:
        check_outputs(self.outputs, self.outputs.shape[-1], self.neighbors + 1)
        scale = self.outputs.std(axis=0)
        constant = np.flatnonzero(self.outputs.min(axis=0) == self.outputs.max(axis=0))
        if len(constant):
            raise InputError(
                f"output {constant[0]} is the same in all patients of the pool",
                code="populations.constant",
                found=f"{self.outputs[0, constant[0]]:.6g}",
                advice="a pool cannot be fitted to what does not vary in it: vary more parameters, or drop the output",
            )
        first = distinct(self.outputs)
        if len(first) < len(self.outputs):
            twin = int(np.setdiff1d(np.arange(len(self.outputs)), first)[0])
            raise InputError(
                f"{len(self.outputs) - len(first)} of {len(self.outputs)} patients have the outputs of another",
                code="populations.duplicates",
                found=f"the first of them is patient {twin}",
                expected="patients who differ: between equal ones the density of the pool is infinite",
                advice="keep one of each, as `distinct` does",
            )
        object.__setattr__(self, "_scale", scale)
        object.__setattr__(self, "_tree", cKDTree(self.outputs / scale))

    def log_of_pool(self) -> FloatArray:
        """Logarithm of the density at the patients themselves, none being a neighbor of their own, shape [patient]."""
        radii, _ = self._tree.query(self.outputs / self._scale, k=[self.neighbors + 1])
        return self._log_density(np.asarray(radii), len(self.outputs) - 1)

    def log_at(self, outputs: FloatArray) -> FloatArray:
        """Logarithm of the density at other outputs, shape [place, observable] → [place]."""
        radii, _ = self._tree.query(outputs / self._scale, k=[self.neighbors])
        return self._log_density(np.asarray(radii), len(self.outputs))

    def _log_density(self, radii: FloatArray, others: int) -> FloatArray:
        d = len(self._scale)
        log_ball = 0.5 * d * np.log(np.pi) - gammaln(0.5 * d + 1.0) + np.log(self._scale).sum()
        with np.errstate(divide="ignore"):
            density: FloatArray = np.log(self.neighbors / others) - log_ball - d * np.log(radii[:, 0])
        return density
