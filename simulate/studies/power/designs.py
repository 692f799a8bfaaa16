"""Designs of the study: as it was, and as it could be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from simulate.errors import InputError
from simulate.regimen.words import parse_regimen
from simulate.trials.design import TrialDesign

FEWEST = 4
MOST_SIZES = 50


@dataclass(frozen=True, slots=True)
class Sizes:
    """Patients of an arm."""

    #: At the start, and at the last visit.
    enrolled: int
    stayed: int
    #: Quantity → patients with a reading at the first visit, and at the first and the last.
    first: Mapping[str, int]
    both: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class StudyArm:
    """Patients who are treated alike: a name for a reader, how many they are, and what they are given, in words."""

    name: str
    n: int
    regimen: str


@dataclass(frozen=True, slots=True)
class StudyDesign:
    """The design of a study."""

    trial: TrialDesign  #: The trial that it repeats or varies
    n: int  #: Patients who are treated
    regimen: str  #: What they are given, in words
    #: Patients of a second arm, and what they are given; 0 for a study without one.
    controls: int = 0
    control: str = "none"
    #: Whether all stay and give cells at both visits; otherwise as many of them as in the study, in proportion.
    complete: bool = False
    name: str = "treated"  #: Name of the arm that is treated
    others: tuple[StudyArm, ...] = ()  #: Further arms that are treated, each held against the controls

    def __post_init__(self) -> None:
        numbers = [("patients", arm.n) for arm in self.treated]
        for what, number in (*numbers, ("controls", self.controls)):
            if number < FEWEST and not (what == "controls" and number == 0):
                raise InputError(
                    f"a study of {number} {what} is asked for",
                    code="trial.size",
                    expected=f"at least {FEWEST}" + (", or 0 for no second arm" if what == "controls" else ""),
                    advice="with fewer nobody has cells at both visits",
                )

    @property
    def treated(self) -> tuple[StudyArm, ...]:
        """Arms that are treated, the first before the others."""
        return (StudyArm(self.name, self.n, self.regimen), *self.others)

    @property
    def arms(self) -> dict[str, Sizes]:
        """Patients of each arm, by a word for it and, of several that are treated, its name."""
        several = bool(self.others)
        found = {f"treated ({arm.name})" if several else "treated": self.sizes(arm.n) for arm in self.treated}
        if self.controls:
            found[f"controls ({self.control})" if several else "controls"] = self.sizes(self.controls)
        return found

    @property
    def is_that_of_the_study(self) -> bool:
        """Whether it is as a study was that reported something."""
        return self.trial.evidence is not None and self == design_of(self.trial)

    @property
    def title(self) -> str:
        """For a reader: of which trial, until when, and who is given what."""
        last = self.trial.visits[-1]
        usual = "as it was, " if self.is_that_of_the_study else ""
        trial = f"{self.trial.name}, {usual}to day {last.day:g} ({last.name})"
        arms = ", ".join(
            f"{arm.n} {'patients, ' if index == 0 else 'on '}{arm.regimen}" for index, arm in enumerate(self.treated)
        )
        second = f" against {self.controls} on {self.control}" if self.controls else ""
        return f"{trial}: {arms}{second}" + (", all stay" if self.complete else "")

    def of_size(self, n: int) -> StudyDesign:
        """The same study with so many patients in its first arm, and as many as before in proportion in all others."""

        def of(part: int) -> int:
            return max(FEWEST, round(part * n / self.n)) if part else 0

        others = tuple(replace(arm, n=of(arm.n)) for arm in self.others)
        return replace(self, n=n, controls=of(self.controls), others=others)

    def sizes(self, enrolled: int) -> Sizes:
        """Patients of an arm of so many, at least two where something is measured."""
        trial = self.trial

        def of(part: float) -> int:
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
    arms: Sequence[StudyArm] = (),
) -> StudyDesign:
    """A study like a trial, but for what is given.

    Of the arms, those of the trial if not given, the one that is given nothing is the controls, or else the last of
    several; the others are treated. ``n`` is the number of patients of each of these.
    """
    if arms and (n, regimen, controls, control) != (None, None, None, None):
        raise InputError(
            "arms are given, and numbers or regimens beside them",
            code="trial.arm",
            expected="`--arm` for each arm, or `--n`, `--regimen`, `--placebo` and `--control`",
            advice='say all of it in the arms: `--arm "40: 100 mg sc every 24 h" --arm "40: none"`',
        )
    names = [arm.name for arm in arms]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise InputError(
            f"two arms are given `{twice}`",
            code="trial.arm",
            expected="arms of different regimens: results are told apart by them",
            advice="give one arm with the patients of both",
        )
    known = tuple(arms) or tuple(StudyArm(arm.name, arm.n, arm.regimen) for arm in trial.arms)
    treated, second = _told_apart(known)
    if regimen is not None and len(treated) > 1:
        raise InputError(
            f"one regimen is given for the {len(treated)} arms that are treated",
            code="trial.arm",
            found=", ".join(f"`{arm.name}`" for arm in treated),
            advice='give each arm: `--arm "40: 100 mg sc every 24 h" --arm "40: none"`',
        )
    first, *others = (replace(arm, n=arm.n if n is None else n) for arm in treated)
    if controls is None:
        controls = 0 if second is None else second.n
    if control is None:
        control = "none" if second is None else second.regimen
    words = first.regimen if regimen is None else regimen
    return StudyDesign(trial, first.n, words, controls, control, complete, first.name, tuple(others))


def _told_apart(arms: Sequence[StudyArm]) -> tuple[tuple[StudyArm, ...], StudyArm | None]:
    """Arms that are treated, and the controls, if there are several arms."""
    if len(arms) == 1:
        return tuple(arms), None
    nothing = [arm for arm in arms if not parse_regimen(arm.regimen).courses]
    controls = nothing[-1] if nothing else arms[-1]
    return tuple(arm for arm in arms if arm is not controls), controls


def sizes_from(text: str) -> tuple[int, ...]:
    """Sizes of studies from words: a list, ``20,40,80``, or a range and how many of it, ``20:80:4``."""
    parts = [part.strip() for part in text.split(":" if ":" in text else ",")]
    numbers = [int(part) for part in parts if part.isdecimal() and len(part) < 7]
    is_range = ":" in text
    steps = numbers[2] if is_range and len(numbers) == 3 else 0
    wrong = len(numbers) != len(parts) or (is_range and not (numbers[0] < numbers[1] and 2 <= steps <= MOST_SIZES))
    found = numbers
    if is_range and not wrong:
        found = [round(numbers[0] + (numbers[1] - numbers[0]) * step / (steps - 1)) for step in range(steps)]
    if wrong or min(found) < FEWEST or len(found) > MOST_SIZES:
        raise InputError(
            f"`{text[:60]}` are no sizes of studies",
            code="trial.sizes",
            expected=f"at most {MOST_SIZES} numbers of patients, each at least {FEWEST}: `20,40,80`, or `20:80:4` for "
            "four from 20 to 80",
        )
    return tuple(sorted(set(found)))


def arm_from(text: str) -> StudyArm:
    """An arm from words, such as ``40: 100 mg sc every 24 h``."""
    number, colon, regimen = text.partition(":")
    if not colon or not number.strip().isdecimal():
        raise InputError(
            f"`{text[:60]}` is not an arm",
            code="trial.arm",
            expected="patients, a colon and a regimen, such as `40: 100 mg sc every 24 h` or `40: none`",
        )
    words = regimen.strip()
    parse_regimen(words)
    return StudyArm(words, int(number), words)
