"""Designs of the study: as it was, and as it could be."""

from __future__ import annotations

from dataclasses import dataclass

from simulate.errors import InputError
from simulate.studies.fitting.reproduction import CELLS, PAIRED
from simulate.studies.fitting.trial import REGIMEN

ENROLLED, STAYED, SERUM = 15, 11, 10
"""Patients of the study, those who completed six months (`dorph-2009`), and those with serum then (`zong-2011`)."""

FEWEST = 4


@dataclass(frozen=True, slots=True)
class Sizes:
    """Patients of an arm.

    Attributes
    ----------
    enrolled, stayed
        At the start, and at six months.
    serum, cells, paired
        With serum at six months, with cells at the start, and with cells at both visits.
    """

    enrolled: int
    stayed: int
    serum: int
    cells: int
    paired: int


@dataclass(frozen=True, slots=True)
class Design:
    """How a study is done.

    Attributes
    ----------
    n
        Patients who are treated.
    regimen
        What they are given, in words.
    controls, control
        Patients of a second arm, and what they are given; 0 for a study without one.
    complete
        Whether all stay and give cells at both visits; otherwise as many of them as in the study, in proportion.
    """

    n: int = ENROLLED
    regimen: str = REGIMEN
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
        return self == Design()

    @property
    def title(self) -> str:
        """For a reader."""
        if self.is_that_of_the_study:
            return f"as it was: {self.n} patients, {self.regimen}"
        second = f" against {self.controls} on {self.control}" if self.controls else ""
        return f"{self.n} patients, {self.regimen}{second}" + (", all stay" if self.complete else "")

    def sizes(self, enrolled: int) -> Sizes:
        """Patients of an arm of so many, at least two where something is measured."""
        if self.complete:
            return Sizes(enrolled, enrolled, enrolled, enrolled, enrolled)
        stayed, serum, cells, paired = (
            max(2, round(enrolled * part / ENROLLED)) for part in (STAYED, SERUM, CELLS, PAIRED)
        )
        return Sizes(enrolled, stayed, serum, cells, paired)
