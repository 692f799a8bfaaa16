"""The models, hypotheses and populations that names stand for: shipped ones, and those of a user's files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from simulate.biology.hypotheses import HYPOTHESES, hypothesis_named
from simulate.biology.reference import REFERENCE, reference_model
from simulate.cohort.population import Population
from simulate.cohort.reading import shipped_population
from simulate.errors import InputError, Where
from simulate.symbolic.hypothesis import NONE, Hypothesis
from simulate.symbolic.model import Model
from simulate.symbolic.modelfile import read_hypothesis, read_model, read_places
from simulate.symbolic.parts import Mechanism


def hypothesis_parts(text: str, folder: Path = Path()) -> tuple[str | Path, ...]:
    """Names and files that a text such as ``H1+H3a`` or ``H1+mine.toml`` combines; files are relative to a folder."""
    parts = [part.strip() for part in text.split("+")]
    return tuple(folder / part if part.endswith(".toml") else part for part in parts)


def find_model(file: Path | None, hypothesis: Sequence[str | Path], where: Where | None = None) -> Model:
    """Model by its file, or the reference model, under a hypothesis.

    Parameters
    ----------
    file
        A model file; None for the reference model.
    hypothesis
        Names, ``none`` among them, and hypothesis files, which are combined.
    where
        Place of the hypothesis' name, for errors.

    Raises
    ------
    InputError
        ``hypothesis.…``, and whatever is wrong with the files or with the two together.
    """
    try:
        places = {
            key: place for part in hypothesis if isinstance(part, Path) for key, place in read_places(part).items()
        }
        if file is None:
            return reference_model(_combined(hypothesis, shipped_mechanisms()), places=places)
        user = read_model(file)
        user = replace(user, places={**user.places, **places})
        _refuse_names(hypothesis, where)
        return user.compose(_combined(hypothesis, {part.name: part for part in user.mechanisms}))
    except InputError as error:
        error.where = error.where or where
        raise


def shipped_mechanisms() -> Mapping[str, Mechanism]:
    """Mechanisms of the reference model and of its hypotheses, by name."""
    changed = (
        mechanism
        for hypothesis in HYPOTHESES
        for mechanism in (*hypothesis.add, *(mechanism for _, mechanism in hypothesis.replace))
    )
    return {mechanism.name: mechanism for mechanism in (*REFERENCE, *changed)}


def _combined(hypothesis: Sequence[str | Path], known: Mapping[str, Mechanism]) -> Hypothesis:
    combined = NONE
    for part in hypothesis:
        combined = combined + (hypothesis_named(part) if isinstance(part, str) else read_hypothesis(part, known))
    return combined


def _refuse_names(hypothesis: Sequence[str | Path], where: Where | None) -> None:
    for part in hypothesis:
        if isinstance(part, str) and part.casefold() != "none":
            raise InputError(
                f"the hypothesis `{part}` changes the reference model and no other",
                code="hypothesis.unknown",
                where=where,
                expected="`none` or a hypothesis file",
            )


def population_for(model: Model, *, is_shipped: bool) -> Population:
    """Population of a model: the shipped one, or independent log-normal parameters for a model of a user."""
    return shipped_population(model.parameters) if is_shipped else Population(model.parameters)
