"""Designs of the study: as it was, and as it could be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from simulate.errors import InputError
from simulate.trials.design import TrialDesign

FEWEST = 4


@dataclass(frozen=True, slots=True)
class Sizes:
    """Patients of an arm.

    Attributes
    ----------
    enrolled, stayed
        At the start, and at the last visit.
    first, both
        Quantity → patients with a reading at the first visit, and at the first and the last.
    """

    enrolled: int
    stayed: int
    first: Mapping[str, int]
    both: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class StudyDesign:
    """How a study is done.

    Attributes
    ----------
    trial
        The trial that it repeats or varies.
    n
        Patients who are treated.
    regimen
        What they are given, in words.
    controls, control
        Patients of a second arm, and what they are given; 0 for a study without one.
    complete
        Whether all stay and give cells at both visits; otherwise as many of them as in the study, in proportion.
    """

    trial: TrialDesign
    n: int
    regimen: str
    controls: int = 0
    control: str = "none"
    complete: bool = False

    def __post_init__(self) -> None:
        for what, number in (("patients", self.n), ("controls", self.controls)):
            if number < FEWEST and not (what == "controls" and number == 0):
                raise InputError(
                    f"a study of {number} {what} is asked for",
                    code="trial.size",
                    expected=f"at least {FEWEST}" + (", or 0 for no second arm" if what == "controls" else ""),
                    advice="with fewer nobody has cells at both visits",
                )

    @property
    def is_that_of_the_study(self) -> bool:
        """Whether it is as the study was."""
        return self == design_of(self.trial)

    @property
    def title(self) -> str:
        """For a reader."""
        if self.is_that_of_the_study:
            return f"as it was: {self.n} patients, {self.regimen}"
        second = f" against {self.controls} on {self.control}" if self.controls else ""
        return f"{self.n} patients, {self.regimen}{second}" + (", all stay" if self.complete else "")

    def sizes(self, enrolled: int) -> Sizes:
        """Patients of an arm of so many, at least two where something is measured."""
        trial = self.trial

        def of(part: int) -> int:
            return enrolled if self.complete else max(2, round(enrolled * part / trial.n))

        ends = (trial.first, trial.end)
        return Sizes(
            enrolled,
            of(trial.n if trial.visits[-1].n is None else trial.visits[-1].n),
            {name: of(trial.samples(name, trial.first)) for name in trial.quantities},
            {name: of(trial.samples(name, *ends)) for name in trial.quantities},
        )


def design_of(
    trial: TrialDesign,
    *,
    n: int | None = None,
    regimen: str | None = None,
    controls: int | None = None,
    control: str | None = None,
    complete: bool = False,
) -> StudyDesign:
    """A study like a trial, but for what is given.

    Parameters
    ----------
    trial
        Its first arm is treated, its second the controls, if it has one.
    n, regimen, controls, control, complete
        As in `StudyDesign`; as in the trial if not given.
    """
    first, second = trial.arms[0], trial.arms[1] if len(trial.arms) > 1 else None
    if controls is None:
        controls = 0 if second is None else second.n
    if control is None:
        control = "none" if second is None else second.regimen
    return StudyDesign(
        trial, first.n if n is None else n, first.regimen if regimen is None else regimen, controls, control, complete
    )
