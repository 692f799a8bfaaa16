"""The models, hypotheses and populations that names stand for: shipped ones, and those of a user's files."""

from __future__ import annotations

import functools
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulate import shipped
from simulate.biology.assumed_routes import ASSUMED_ROUTES
from simulate.cohort.population import Population
from simulate.cohort.reading import MYOSITIS, read_population, shipped_population
from simulate.errors import InputError, Where, did_you_mean
from simulate.exchange.foreign import is_foreign, read_foreign
from simulate.files import content_hash, files_hash
from simulate.recall import content_of, recalled
from simulate.regimen.doses import Plan
from simulate.regimen.timetable import routes_given
from simulate.symbolic.hypothesis import Hypothesis, combine
from simulate.symbolic.model import Model
from simulate.symbolic.parameterfile import read_sources
from simulate.symbolic.parts import Mechanism, Observable, Route
from simulate.symbolic.units import Unit

if TYPE_CHECKING:
    from simulate.exchange.sbml.annotations import About


def hypothesis_parts(text: str, folder: Path = Path(), where: Where | None = None) -> tuple[str | Path, ...]:
    """Names and files that a text such as ``H1+H3a`` or ``H1+mine.toml`` combines; files are relative to a folder.

    Raises
    ------
    InputError
        ``hypothesis.twice``: one of them stands there twice; ``hypothesis.kind``: one is a model of another program.
    """
    parts = [part.strip() for part in text.split("+")]
    for part in parts:
        if is_foreign(part):
            raise InputError(
                f"`{part}` is a model, and no hypothesis",
                code="hypothesis.kind",
                where=where,
                expected="a name such as H1, or a hypothesis file in TOML",
                advice=f'`simulate run {part} --end "10 h"` takes the model',
            )
    known = [part if part.endswith(".toml") else part.casefold() for part in parts]
    for index, part in enumerate(parts):
        if part and known[index] in known[:index]:
            raise InputError(
                f"the hypothesis `{part}` is given twice",
                code="hypothesis.twice",
                where=where,
                found=f"`{text}`",
                advice="give it once",
            )
    return tuple(folder / part if part.endswith(".toml") else part for part in parts)


def find_model(
    file: Path | None, hypothesis: Sequence[str | Path], where: Where | None = None, *, time_unit: str | None = None
) -> Model:
    """Model by its file, or the reference model, under a combination of hypotheses: names and files.

    Errors are blamed on ``where`` if they say no place. ``time_unit`` as for `read_foreign`.
    """
    try:
        # The options of a trial are texts, and one of them may be the name of a file.
        names = [part for part in hypothesis if isinstance(part, str) and ".toml" not in part]
        if file is None and len(names) == len(hypothesis):
            return _shipped_model(*names)
        return _model_of_files(file, hypothesis, where, time_unit)
    except InputError as error:
        error.where = error.where or where
        raise


def _model_of_files(
    file: Path | None, hypothesis: Sequence[str | Path], where: Where | None, time_unit: str | None
) -> Model:
    from simulate.symbolic.modelfile import read_model, read_places

    places = {key: place for part in hypothesis if isinstance(part, Path) for key, place in read_places(part).items()}
    if file is None:
        from simulate.biology.hypotheses import shipped_mechanisms
        from simulate.biology.reference import reference_model

        return reference_model(_combined(hypothesis, shipped_mechanisms()), places=places)
    user = read_foreign(file, time_unit=time_unit).model if is_foreign(file) else read_model(file)
    user = replace(user, places={**user.places, **places})
    _refuse_names(hypothesis, where)
    return user.compose(_combined(hypothesis, {part.name: part for part in user.mechanisms}))


@functools.lru_cache(maxsize=32)
def _shipped_model(*names: str) -> Model:
    """The reference model under shipped hypotheses: a run asks for the same one several times, and the next run too."""

    def composed() -> Model:
        from simulate.biology.reference import reference_model

        return reference_model(_combined(names, {}))

    tables = files_hash(shipped.parameter_files(), shipped.root())
    return recalled("model", content_hash(*names, tables), composed)


@functools.cache
def about_reference() -> About:
    """References and annotations of the reference model."""
    from simulate.exchange.sbml.annotations import read_annotations

    return read_annotations(shipped.annotations_file(), read_sources(shipped.sources_file()))


def quantity_units(model: Model) -> dict[str, Unit]:
    """Units of the observables and states of a model."""
    return {part.name: part.unit for part in (*model.observables, *model.species)}


def hypothesis_title(hypothesis: Sequence[str | Path]) -> str:
    """Titles of hypotheses that are combined, by their names and files; empty where they have none."""
    from simulate.biology.hypotheses import shipped_mechanisms

    return _combined(hypothesis, shipped_mechanisms()).title


def hypothesis_label(asked: str, model: Model, options: Sequence[str] = ()) -> str:
    """A hypothesis as it is shown: of a file by the name that it has in the model, without options that nobody asked.

    ``asked`` has names and files, ``options`` are those that a trial adds.
    """
    added = set(options) - {str(part) for part in hypothesis_parts(asked)}
    return "+".join(part for part in model.hypothesis.split("+") if part not in added) or "none"


def _combined(hypothesis: Sequence[str | Path], known: Mapping[str, Mechanism]) -> Hypothesis:
    """A combination of names and of files, which may name the mechanisms that are known."""
    from simulate.biology.hypotheses import hypothesis_named
    from simulate.symbolic.modelfile import read_hypothesis

    return combine(
        hypothesis_named(part) if isinstance(part, str) else read_hypothesis(part, known) for part in hypothesis
    )


def _refuse_names(hypothesis: Sequence[str | Path], where: Where | None) -> None:
    for part in hypothesis:
        if isinstance(part, str) and part.casefold() != "none":
            raise InputError(
                f"the hypothesis `{part}` changes the reference model and no other",
                code="hypothesis.unknown",
                where=where,
                expected="`none` or a hypothesis file",
            )


def population_for(
    model: Model, name: str | Path | None = None, *, is_shipped: bool, where: Where | None = None
) -> Population:
    """Population of a model: a shipped one by its name, or a file.

    If not named, it is that of the trial for the shipped model, to whose parameters the shipped populations apply, and
    independent log-normal parameters for a model of a user. Errors are blamed on ``where``.
    """
    if isinstance(name, Path):
        from simulate.biology.reference import parameter_table

        return read_population(name, model.parameters, known=parameter_table() if is_shipped else ())
    if name is not None and not is_shipped:
        raise InputError(
            f"the population `{name}` is one of the reference model and of no other",
            code="cohort.unknown",
            where=where,
            expected="a population file",
        )
    if not is_shipped:
        return Population(model.parameters)
    try:
        return shipped_population(model.parameters, MYOSITIS if name is None else name)
    except InputError as error:
        error.where = error.where or where
        raise


MODELS = "models"
"""Folder of a run directory with its models."""


QUANTITIES = "`simulate show model` lists them"
PARAMETERS = "`simulate show parameters` lists them"
"""What to do about a name that a model does not have; `listing` says of which model."""


def no_quantity(
    what: str, name: str, known: Iterable[str], *, code: str, where: Where | None, found: str | None = None
) -> InputError:
    """The fault of a name that is no quantity of a model."""
    advice = did_you_mean(name, known) or QUANTITIES
    return InputError(what, code=code, where=where, found=found, expected="a state or an observable", advice=advice)


@contextmanager
def listing(file: Path | None, hypothesis: Sequence[str | Path]) -> Iterator[None]:
    """Within it, advice to list what a model has is a command for this model: its file, and the hypotheses of it."""
    try:
        yield
    except InputError as error:
        if error.advice in (QUANTITIES, PARAMETERS):
            named = "+".join(map(str, hypothesis))
            options = [] if file is None else ["--model", str(file)]
            options += [] if named in ("", "none") else ["--hypothesis", named]
            verb, _, rest = str(error.advice).partition("` ")
            error.advice = f"{' '.join([verb, *map(shlex.quote, options)])}` {rest}"
        raise


def file_name(text: str) -> str:
    """A text that can be the name of a file everywhere."""
    return re.sub(r"[^\w.+-]+", "-", text).strip("-.") or "none"


def keep_models(folder: Path, models: Mapping[str, Model]) -> dict[str, dict[str, Any]]:
    """Write models into a run directory, each as a file of its own with every equation and number as it was.

    What a manifest says of them, by hypothesis.
    """
    entries: dict[str, dict[str, Any]] = {}
    taken: set[str] = set()
    for name, model in models.items():
        stem, count = file_name("+".join(part.removesuffix(".toml") for part in name.split("+"))), 1
        while (file := f"{MODELS}/{stem}{'' if count == 1 else f'-{count}'}.toml").casefold() in taken:
            count += 1
        taken.add(file.casefold())
        (folder / MODELS).mkdir(exist_ok=True)
        (folder / file).write_text(_text(model), encoding="utf-8")
        entries[name] = {
            "file": file,
            "name": model.name,
            "title": model.title,
            "hypothesis": model.hypothesis,
            "key": model.key,
            "mechanisms": list(model.mechanisms),
        }
    return entries


def _text(model: Model) -> str:
    """Text of a model, which an earlier process may have written."""

    def written() -> str:
        from simulate.symbolic.modelwriting import model_text

        return model_text(model)

    return recalled("text", content_of(model), written)


def key_with(model: Model, routes: tuple[Route, ...], observables: tuple[Observable, ...]) -> str:
    """Key of a model without its other routes and observables, which an earlier process may have found."""
    given = content_of((model, [part.name for part in routes], [part.name for part in observables]))
    return recalled("key", given, lambda: replace(model, routes=routes, observables=observables).key)


def kept_model(folder: Path, entry: Mapping[str, Any]) -> Model | None:
    """A model from a run directory; None where its file is not the model that it was."""
    from simulate.symbolic.modelfile import read_model

    try:
        model = read_model(folder / str(entry["file"])).compose()
    except (InputError, KeyError):
        return None
    return model if model.key == entry["key"] else None


def assumed_of_routes(plans: Sequence[Plan], model: Model) -> tuple[str, ...]:
    """Assumptions about the routes by which some prescriptions give something, in sentences."""
    return assumed_of(routes_given(plans, model.routes))


def assumed_of(routes: Sequence[Route]) -> tuple[str, ...]:
    """Assumptions about some routes, in sentences."""
    return tuple(ASSUMED_ROUTES[route.name] for route in routes if route.name in ASSUMED_ROUTES and _is_shipped(route))


def _is_shipped(route: Route) -> bool:
    """Whether it is the reference model's, and not one of a user's model with its name."""
    from simulate.biology.pharmacokinetics import PHARMACOKINETICS

    return route in PHARMACOKINETICS.routes


def assumed_together(parts: Iterable[Sequence[str]]) -> tuple[str, ...]:
    """Assumptions of several models, each sentence once."""
    return tuple(dict.fromkeys(text for part in parts for text in part))
