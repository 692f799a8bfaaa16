"""Arguments that several verbs have: their types, and checks of them.

hypothesis, hypotheses
    Names such as ``"H1"`` or ``"H1+H3a"``, or hypothesis files; where a scenario is simulated, in place of its own.
trial
    A trial that ships, or its file; several in a sequence. The shipped one if not given.
fits
    Folder of fits; those that ship come first.
scenario
    Name of a shipped scenario, or the path of a scenario file.
patients, seed, dropout, fit, draws, rtol
    In place of the scenario's.
vary
    How patients differ, as an assumption: ``{"cv": 0.3}`` for all parameters of which nothing is known,
    ``{"k_a.cv": 0.2}`` for one; ``sd_log`` in place of ``cv``.
settings
    What else is laid over the file: ``{"f_m": 0.3, "time.end": "364 d"}``.
threads
    Threads to use; all cores if not given. The result does not depend on it.
out
    Run directory to be written; nothing is written if not given.
force
    Whether another run in the directory may be replaced.
figures
    Whether figures are drawn in the directory.
progress, report
    What shows how far the work is, and what is told about it; see `simulate.watching`.

All raise `InputError` for what cannot be used, and `MissingExtra` where the directory cannot be written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from simulate.errors import InputError

if TYPE_CHECKING:
    from simulate.studies.fitting.problem import Problem
    from simulate.studies.settings import Setting
    from simulate.symbolic.model import Model
    from simulate.trials.design import TrialDesign

TrialNames = str | Path | Sequence[str | Path] | None


def trials_of(names: TrialNames) -> tuple[TrialDesign, ...]:
    """Trials that are named; none if none is, which means the shipped one."""
    from simulate.trials.reading import read_trial

    given = [names] if isinstance(names, str | Path) else names or ()
    return tuple(read_trial(name) for name in given)


FitNames = str | Path | Sequence[str | Path] | None


def fits_of(names: FitNames) -> tuple[str | Path, ...]:
    """Fits that are named; none if none is, which means those that ship."""
    return (names,) if isinstance(names, str | Path) else tuple(names or ())


Settings = Mapping[str, object] | Sequence["Setting"] | None


def laid_over(
    settings: Settings,
    vary: Mapping[str, float] | None = None,
    regimen: str | Sequence[str] | None = None,
    **named: object,
) -> list[Setting]:
    """What a call lays over a scenario file: arguments that stand for a key, and further settings.

    Raises
    ------
    InputError
        ``scenario.setting``: a key that both set.
    """
    from simulate.studies.settings import KEYS, parse_variation, regimen_settings, settings_from

    variations = [parse_variation(f"{key}={value!r}") for key, value in (vary or {}).items()]
    if regimen:
        variations += regimen_settings([regimen] if isinstance(regimen, str) else regimen)
    given = {KEYS[name]: str(value) if isinstance(value, Path) else value for name, value in named.items()}
    if isinstance(settings, Mapping) or settings is None:
        return [*settings_from(given, settings), *variations]
    return [*settings, *settings_from(given, None), *variations]


def refuse_twice(names: Sequence[str], what: str = "hypothesis") -> None:
    """Refuse a name that is given twice: ``hypothesis.twice``, ``fit.twice``."""
    twice = next((name for index, name in enumerate(names) if name in names[:index]), None)
    if twice is not None:
        raise InputError(f"the {what} `{twice}` is given twice", code=f"{what}.twice", advice="give it once")


def refuse_same_names(hypotheses: Sequence[str], names: Sequence[str]) -> None:
    """Refuse a hypothesis that is given twice, or two that have one name: ``hypothesis.twice``.

    ``hypotheses`` are as they were asked for; ``names`` of the models, where none is asked for that of a scenario.
    """
    from simulate.studies.models import hypothesis_parts

    for index, name in enumerate(names):
        first = names.index(name)
        if first == index:
            continue
        one, other = hypotheses[first], hypotheses[index]
        if _meant(hypothesis_parts(one)) == _meant(hypothesis_parts(other)):
            refuse_twice([name, name])
        raise InputError(
            f"`{one}` and `{other}` both have the name `{name}`",
            code="hypothesis.twice",
            expected="hypotheses with names of their own",
            advice="change `name` in one of the files",
        )


def _meant(parts: Sequence[str | Path]) -> list[str]:
    """Parts of a hypothesis, of a file where it is."""
    return sorted(part.casefold() if isinstance(part, str) else str(part.resolve()) for part in parts)


def models_of(problems: Sequence[Problem]) -> dict[str, Model]:
    """Models of hypotheses by their names."""
    return {problem.label: problem.model for problem in problems}
