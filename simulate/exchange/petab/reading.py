"""A PEtab problem from its YAML file and tables, strictly: what is not known is refused, with file, line and column."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from simulate.errors import InputError, Where
from simulate.exchange.petab import first, second
from simulate.exchange.petab.problem import PetabProblem
from simulate.exchange.petab.yamltext import Yaml, read_yaml

SUFFIXES = (".yaml", ".yml")
"""Endings of the names of PEtab problems."""
_FIRST_FILES = ("condition_files", "measurement_files", "observable_files", "sbml_files", "visualization_files")
_SECOND_FILES = (
    *("model_files", "condition_files", "experiment_files", "measurement_files", "observable_files"),
    *("parameter_files", "mapping_files"),
)


def is_petab(path: Path | str) -> bool:
    """Whether the name of a file is that of a PEtab problem."""
    return Path(path).suffix.lower() in SUFFIXES


def read_petab(path: Path | str) -> PetabProblem:
    """Read a PEtab problem of version 1 or 2.

    Parameters
    ----------
    path
        The YAML file. Its tables and model lie in its folder or below.

    Raises
    ------
    InputError
        ``petab.…``, ``file.…``, ``expression.…``, with file, line and column.
    MissingExtra
        ``extra.petab``: PyYAML is not installed.
    """
    path = Path(path)
    content = read_yaml(path)
    table = content.table()
    version = table.get("format_version")
    found = "" if version is None or not isinstance(version.content, str) else version.content
    if found.split(".")[0] == "1":
        problem = _first(path, content)
    elif found.split(".")[0] == "2":
        problem = _second(path, content)
    else:
        raise InputError(
            "the file is no PEtab problem of a version that is known",
            code="petab.version",
            where=content.where if version is None else version.where,
            found=f"format_version {found}" if found else "no format_version",
            expected="format_version 1 or 2.0.0",
        )
    return _checked(problem)


def _first(path: Path, content: Yaml) -> PetabProblem:
    table = content.table(("format_version", "parameter_file", "problems", "extensions"))
    _refuse_extensions(table)
    problems = _entry(content, table, "problems").items()
    if len(problems) != 1:
        raise InputError(
            "the file has not one problem",
            code="petab.problems",
            where=table["problems"].where,
            found=f"{len(problems)} problems",
            expected="one, with one model",
        )
    files = problems[0].table(_FIRST_FILES)
    model = _one_model(path, problems[0], files.get("sbml_files"))
    parameters, dropped = first.parameters_of(_paths(path, _entry(content, table, "parameter_file")))
    conditions, _ = first.conditions_of(_paths(path, _entry(problems[0], files, "condition_files")))
    observables, more = first.observables_of(_paths(path, _entry(problems[0], files, "observable_files")))
    measurements, experiments, yet_more = first.measurements_of(
        _paths(path, _entry(problems[0], files, "measurement_files")), conditions, observables
    )
    if "visualization_files" in files:
        yet_more = [*yet_more, "files of figures"]
    return PetabProblem(
        path, 1, model, parameters, observables, experiments, measurements, MappingProxyType({}),
        tuple(dict.fromkeys([*dropped, *more, *yet_more])),
    )  # fmt: skip


def _second(path: Path, content: Yaml) -> PetabProblem:
    table = content.table(("format_version", "id", "extensions", *_SECOND_FILES))
    _refuse_extensions(table)
    models = _entry(content, table, "model_files").table()
    if len(models) != 1:
        raise InputError(
            "the file has not one model", code="petab.model", where=table["model_files"].where, expected="one"
        )
    ((model_id, entry),) = models.items()
    model = entry.table(("location", "language"))
    language = _entry(entry, model, "language")
    if language.text() != "sbml":
        raise InputError(
            "the model is in a language that is not read",
            code="petab.language",
            where=language.where,
            found=language.text(),
            expected="sbml",
        )
    file = _paths(path, _entry(entry, model, "location"))[0]
    paths = {name: _paths(path, table[name]) if name in table else [] for name in _SECOND_FILES[1:]}
    parameters, dropped = second.parameters_of(paths["parameter_files"])
    conditions, more = second.conditions_of(paths["condition_files"])
    dropped += more
    experiments, more = second.experiments_of(paths["experiment_files"], conditions)
    dropped += more
    observables, more = second.observables_of(paths["observable_files"])
    dropped += more
    measurements, used, more = second.measurements_of(paths["measurement_files"], experiments, observables, model_id)
    dropped += more
    aliases, more = second.aliases_of(paths["mapping_files"])
    dropped += more
    return PetabProblem(
        path, 2, file, parameters, observables, used, measurements, MappingProxyType(aliases),
        tuple(dict.fromkeys(dropped)),
    )  # fmt: skip


def _entry(content: Yaml, table: dict[str, Yaml], name: str) -> Yaml:
    if name not in table:
        raise InputError(
            f"the key `{name}` is missing", code="petab.key", where=content.where, found=", ".join(table) or "nothing"
        )
    return table[name]


def _refuse_extensions(table: dict[str, Yaml]) -> None:
    if "extensions" in table and table["extensions"].content:
        raise InputError(
            "the problem needs extensions of PEtab, which are not known",
            code="petab.extension",
            where=table["extensions"].where,
        )


def _one_model(path: Path, problem: Yaml, entry: Yaml | None) -> Path:
    files = [] if entry is None else _paths(path, entry)
    if len(files) != 1:
        raise InputError(
            "the problem has not one model",
            code="petab.model",
            where=problem.where if entry is None else entry.where,
            found=f"{len(files)} files",
            expected="one file in `sbml_files`",
        )
    return files[0]


def _paths(path: Path, entry: Yaml) -> list[Path]:
    """Files of an entry, in the folder of the problem or below it."""
    folder = path.parent.resolve()
    found = []
    for item in entry.items():
        name = item.text()
        if "://" in name or not (path.parent / name).resolve().is_relative_to(folder):
            raise InputError(
                "a file of the problem lies outside its folder",
                code="petab.file",
                where=item.where,
                found=name[:100],
                expected="a file beside the problem, or in a folder below",
            )
        found.append(path.parent / name)
    return found


def _checked(problem: PetabProblem) -> PetabProblem:
    """The problem, checked for what no table can know alone."""
    if not problem.measurements:
        raise InputError("nothing is measured", code="petab.measurement", where=Where(file=str(problem.path)))
    for measurement in problem.measurements:
        periods = problem.experiments[measurement.experiment].periods
        beginning = min((period.time for period in periods if not period.is_steady), default=math.inf)
        if measurement.time < beginning:
            raise InputError(
                "a measurement is taken before its experiment begins",
                code="petab.measurement",
                where=replace(measurement.where, key="time"),
                found=f"time {measurement.time:g}",
                expected=f"{beginning:g} or later",
            )
    return problem
