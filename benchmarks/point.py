"""One measurement of a work-precision diagram."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Point:
    """One method on one workload at one tolerance.

    Attributes
    ----------
    workload, method, rtol
        What was solved, how.
    error
        Largest relative error; None if a member did not reach the end.
    microseconds, evaluations, steps
        For one trajectory; steps that were rejected count.
    """

    workload: str
    method: str
    rtol: float
    error: float | None
    microseconds: float
    evaluations: float
    steps: float
