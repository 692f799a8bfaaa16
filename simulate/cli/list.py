"""``simulate list``: what ships."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from simulate.cli.console import print_json, print_rich, titled
from simulate.cli.options import Json
from simulate.errors import counted


def show_shipped(as_json: Json = False) -> None:
    """List what ships: scenarios, populations, hypotheses, options for them, numbers, trials, measurements.

    Their names are what other verbs take: `simulate run NAME`, `simulate run NAME --hypothesis NAME`.
    """
    from simulate.answers import kept

    found = kept(["list"], _shipped)
    if as_json:
        print_json(found)
        return
    tables = []
    for heading, rows in found.items():
        table = titled(heading, title_style="bold", show_header=False, pad_edge=False)
        for row in rows:
            table.add_row(*(str(cell) for cell in list(row.values())[:2]))
        tables.append(table)
    print_rich(*tables)


def _shipped() -> dict[str, list[dict[str, Any]]]:
    from simulate import shipped
    from simulate.biology.hypotheses import HYPOTHESES
    from simulate.biology.options import OPTIONS
    from simulate.cohort.reading import MYOSITIS

    scenarios, parameters = shipped.scenario_files(), {path.stem: path for path in shipped.parameter_files()}
    return {
        "scenarios": _rows(scenarios, _title, question=lambda data: data.get("question")),
        "hypotheses": [{"name": part.name, "title": part.title} for part in HYPOTHESES],
        "options": [{"name": part.name, "title": part.title} for part in OPTIONS],
        "populations": _rows({MYOSITIS: shipped.cohort_file(), **shipped.population_files()}, _kinds),
        "parameters": _rows(parameters, _size),
        "pharmacokinetics": _rows(shipped.parameterization_files(), _size),
        "trials": _rows(shipped.trial_files(), _title),
        "measurements": _rows(shipped.measurement_files(), _title),
    }


def _rows(
    files: Mapping[str, Path], title: Callable[[dict[str, Any]], str], **more: Callable[[dict[str, Any]], Any]
) -> list[dict[str, Any]]:
    """Name, title, and what else is said of each file."""
    from simulate.files import read_toml

    rows = []
    for name, path in files.items():
        data = read_toml(path).data
        said = {key: of(data) for key, of in more.items()}
        rows.append({"name": name, "title": title(data), **said, "file": str(path)})
    return rows


def _title(data: dict[str, Any]) -> str:
    return str(data.get("title", ""))


def _kinds(data: dict[str, Any]) -> str:
    return "in proportion: " + ", ".join(f"{kind['count']} {kind['name']}" for kind in data["stratum"])


def _size(data: dict[str, Any]) -> str:
    return counted(len(data), "parameter")
