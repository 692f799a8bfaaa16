"""The distribution that a virtual population is to have: logarithms of observables that are normal together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from simulate.errors import InputError
from simulate.streams import FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """Multivariate normal distribution of the logarithms of observables.

    Attributes
    ----------
    names
        Observables.
    mean, covariance
        Of their logarithms, shape [observable] and [observable, observable].

    Raises
    ------
    InputError
        ``populations.shape``; ``populations.covariance``: not the covariance of a distribution that has a density.
    """

    names: tuple[str, ...]
    mean: FloatArray
    covariance: FloatArray

    def __post_init__(self) -> None:
        number = len(self.names)
        if not number or self.mean.shape != (number,) or self.covariance.shape != (number, number):
            raise InputError(
                "mean and covariance of the target are not those of its observables",
                code="populations.shape",
                found=f"{self.mean.shape} and {self.covariance.shape}",
                expected=f"{(number,)} and {(number, number)}, of at least one observable",
            )
        check_covariance(self.covariance, "the target")
        if not np.isfinite(self.mean).all():
            raise InputError(
                "the mean of the target is not finite", code="populations.shape", found=np.array2string(self.mean)
            )

    @property
    def sd(self) -> FloatArray:
        """Standard deviation of each logarithm, shape [observable]."""
        return np.sqrt(np.diag(self.covariance))

    def log_density(self, outputs: FloatArray) -> FloatArray:
        """Logarithm of the density of logarithms ``outputs``, shape [patient, observable] → [patient]."""
        root = np.linalg.cholesky(self.covariance)
        # Substitution by hand: a library's may give a patient other last bits in other company.
        standard: list[FloatArray] = []
        for row, apart in enumerate((outputs - self.mean).T):
            known = sum((root[row, column] * standard[column] for column in range(row)), np.zeros(len(outputs)))
            standard.append((apart - known) / root[row, row])
        constant = 0.5 * len(self.mean) * np.log(2.0 * np.pi) + np.log(np.diag(root)).sum()
        density: FloatArray = -0.5 * sum((part * part for part in standard), np.zeros(len(outputs))) - constant
        return density

    def distances(self, outputs: FloatArray, weights: FloatArray) -> FloatArray:
        """Kolmogorov-Smirnov distance of each marginal of weighted patients from that of the target.

        Parameters
        ----------
        outputs
            Logarithms, shape [patient, observable].
        weights
            Not all zero, shape [..., patient]; each row is a population.

        Returns
        -------
        ndarray
            Shape [..., observable].
        """
        found = []
        for column, (mean, sd) in enumerate(zip(self.mean, self.sd, strict=True)):
            order = np.argsort(outputs[:, column], kind="stable")
            wanted = ndtr((outputs[order, column] - mean) / sd)
            sorted_weights = weights[..., order]
            reached = np.cumsum(sorted_weights, axis=-1)
            total = reached[..., -1:]
            above = np.abs(reached / total - wanted)
            below = np.abs((reached - sorted_weights) / total - wanted)
            # Patients without weight are no steps of the distribution.
            steps = np.where(sorted_weights > 0.0, np.maximum(above, below), 0.0)
            found.append(steps.max(axis=-1))
        return np.stack(found, axis=-1)


def check_covariance(covariance: FloatArray, owner: str) -> None:
    """Whether a matrix is symmetric and positive definite.

    Raises
    ------
    InputError
        ``populations.covariance``.
    """
    is_symmetric = np.isfinite(covariance).all() and np.allclose(covariance, covariance.T, rtol=1e-10, atol=0.0)
    least = float(np.linalg.eigvalsh(covariance)[0]) if is_symmetric else float("nan")
    if not least > 0.0:
        raise InputError(
            f"the covariance of {owner} is not one of independent directions",
            code="populations.covariance",
            found=f"least eigenvalue {least:.3g}" if is_symmetric else "a matrix that is not symmetric, or not finite",
            expected="a symmetric matrix with eigenvalues above 0",
            advice="look at the correlations: they may contradict each other, or be 1 or -1",
        )


def check_outputs(outputs: FloatArray, observables: int, fewest: int) -> None:
    """Whether a pool of plausible patients can be worked with.

    Raises
    ------
    InputError
        ``populations.shape`` or ``populations.outputs``: an output is not finite.
    """
    if outputs.ndim != 2 or outputs.shape[1] != observables or len(outputs) < fewest:
        raise InputError(
            "the outputs are not those of a pool of patients",
            code="populations.shape",
            found=f"shape {outputs.shape}",
            expected=f"(patients, {observables}), with at least {fewest} patients",
        )
    bad = np.argwhere(~np.isfinite(outputs))
    if len(bad):
        patient, observable = bad[0].tolist()
        raise InputError(
            f"output {observable} of patient {patient} is {outputs[patient, observable]}",
            code="populations.outputs",
            expected="logarithms of values above 0",
            advice="leave patients out who failed or do not exist",
        )
