"""What a verb found, and the one writer of run directories.

A directory has

``VERB.json``
    Everything as plain values, where the verb has such a document.
``NAME.csv``, ``NAME.nc``
    Tables, and labeled arrays.
``NAME.png``, ``NAME.svg``
    Figures.
``models/NAME.toml``
    Each model that was simulated, as a file of its own: every equation and number as it was.
``inputs/``
    The files that were read, byte for byte.
``manifest.json``
    Written last: what was asked, what decided the numbers, which figures could not be drawn, and the hash of every
    other file.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from simulate.arrays import LabeledArrays
from simulate.errors import Il1simError, counted
from simulate.manifest import MANIFEST, keep_inputs, seal
from simulate.results.opening import Opening
from simulate.results.provenance import Provenance
from simulate.results.undrawn import said_of, tell_undrawn, telling_afterwards
from simulate.store import new_directory
from simulate.studies.models import file_name, keep_models
from simulate.symbolic.model import Model
from simulate.tabular import ResultTable

if TYPE_CHECKING:
    from matplotlib.figure import Figure

T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class Result(Generic[T]):
    """The result of a verb.

    Attributes
    ----------
    provenance
        What was asked.
    title
        For a reader.
    value
        The result in its own type.
    document
        Everything as plain values; None where tables and arrays have it all.
    tables
        Name → table.
    figures
        Name → what draws it.
    datasets
        Name → labeled arrays.
    models
        Hypothesis → the model that was simulated under it.
    facts
        What the manifest says beside: counters, failures, the scenario as it was read.
    texts
        Further files: name → content.
    answer
        What was asked and what came out, in sentences, with which a report opens; None where a verb has none.
    faults
        Of a verb that judges, what is wrong, in sentences; None of a verb that does not.
    """

    provenance: Provenance
    title: str
    value: T
    document: Mapping[str, Any] | None = None
    tables: Mapping[str, ResultTable] = field(default_factory=dict)
    figures: Mapping[str, Callable[[], Figure]] = field(default_factory=dict)
    datasets: Mapping[str, LabeledArrays] = field(default_factory=dict)
    models: Mapping[str, Model] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    answer: Opening | None = None
    faults: tuple[str, ...] | None = None

    @property
    def passed(self) -> bool | None:
        """Whether nothing is wrong, of a verb that judges: `verify`, `audit` and `calibrate`; None of the others."""
        return None if self.faults is None else not self.faults

    def __repr__(self) -> str:
        parts = [] if self.faults is None else [f"NOT passed: {fault}" for fault in self.faults] or ["passed"]
        parts += [f"table `{name}`: {counted(len(table), 'row')}" for name, table in self.tables.items()]
        parts += [f"figure `{name}`" for name in self.figures]
        return "\n  ".join((f"{self.provenance.verb}: {self.title}", *parts))

    def write(self, folder: Path | str, *, force: bool = False, figures: bool = True) -> tuple[str, ...]:
        """Write the run directory, all of it or nothing; a figure that cannot be drawn is left out, with a warning.

        Parameters
        ----------
        folder
            The directory: absent, empty, or that of an earlier run.
        force
            Whether a run of another question may be replaced.
        figures
            Whether to draw.

        Returns
        -------
        tuple of str
            Names of the files, sorted.

        Raises
        ------
        InputError, MissingExtra
            As for `simulate.store.new_directory`; the directory is then as it was.
        """
        with telling_afterwards(), new_directory(Path(folder), key=self.provenance.key, force=force) as new:
            return complete(self, new, figures=figures)

    def written(self, folder: Path | str | None, *, force: bool = False, figures: bool = True) -> Result[T]:
        """The result itself, after `write` where a directory is named."""
        if folder is not None:
            self.write(folder, force=force, figures=figures)
        return self


def drawing(name: str, *arguments: Any, **options: Any) -> Callable[[], Figure]:
    """What draws a figure by a function of `simulate.figures`, such as ``forest.forest``, which is loaded then."""

    def draw() -> Figure:
        module, _, function = name.partition(".")
        figure: Figure = getattr(import_module(f"simulate.figures.{module}"), function)(*arguments, **options)
        return figure

    return draw


def complete(result: Result[Any], folder: Path, *, figures: bool = True) -> tuple[str, ...]:
    """Write a result into a directory in which nobody else works, the manifest last; names of the files, sorted."""
    texts = {f"{name}.csv": table.csv() for name, table in result.tables.items()}
    if result.document is not None:
        texts[f"{result.provenance.verb}.json"] = document_text(result.document)
    texts |= result.texts
    names = list(texts)
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    for name, dataset in result.datasets.items():
        from simulate.studies.datasets import write_dataset

        write_dataset(dataset, folder / f"{name}.nc")
        names.append(f"{name}.nc")
    undrawn: dict[str, str] = {}
    for name, draw in result.figures.items() if figures else ():
        try:
            names += _drawn(draw, folder, file_name(name))
        except (OSError, MemoryError, Il1simError):
            raise
        except Exception as error:
            # What was computed may have taken days, and a picture can be drawn of it later.
            undrawn[name] = said_of(error)
            tell_undrawn(file_name(name), error)
    models = keep_models(folder, result.models)
    places = keep_inputs(folder, result.provenance.inputs)
    names += [*(str(entry["file"]) for entry in models.values()), *places.values()]
    entries = {
        "kind": result.provenance.verb,
        "title": result.title,
        "key": result.provenance.key,
        "arguments": dict(result.provenance.arguments),
        "inputs": places,
        "models": models,
        **({} if result.answer is None else {"answer": asdict(result.answer)}),
        **result.facts,
        **({"undrawn": undrawn} if undrawn else {}),
    }
    seal(folder, entries, names)
    return tuple(sorted((*names, MANIFEST)))


def _drawn(draw: Callable[[], Figure], folder: Path, name: str) -> list[str]:
    """Names of the files of a figure; none is left where it cannot be drawn."""
    from simulate.figures.style import save

    try:
        return [path.name for path in save(draw(), folder, name)]
    except BaseException:
        for ending in ("png", "svg"):
            (folder / f"{name}.{ending}").unlink(missing_ok=True)
        raise


def document_text(document: Mapping[str, Any]) -> str:
    """A document as JSON."""
    return json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
