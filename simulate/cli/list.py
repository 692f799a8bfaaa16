"""``simulate list``: what ships."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from simulate.cli.options import Json


def show_shipped(as_json: Json = False) -> None:
    """List what ships: scenarios, populations, hypotheses, options for them, numbers, trials, measurements.

    Their names are what other verbs take: `simulate run NAME`, `simulate run NAME --hypothesis NAME`.
    """
    from simulate.answers import kept
    from simulate.cli.console import print_json, print_rich

    found = kept(["list"], _shipped)
    if as_json:
        print_json(found)
        return
    from rich import box
    from rich.table import Table

    tables = []
    for heading, rows in found.items():
        table = Table(
            title=heading,
            box=box.SIMPLE_HEAD,
            title_style="bold",
            title_justify="left",
            show_header=False,
            pad_edge=False,
        )
        for row in rows:
            table.add_row(*(str(cell) for cell in list(row.values())[:2]))
        tables.append(table)
    print_rich(*tables)


def _shipped() -> dict[str, list[dict[str, Any]]]:
    from simulate import shipped

    return {
        "scenarios": _scenarios(),
        "hypotheses": _hypotheses(),
        "options": _options(),
        "populations": _populations(),
        "parameters": _parameters(),
        "pharmacokinetics": _tables(shipped.parameterization_files().values()),
        "trials": _titled(shipped.trial_files()),
        "measurements": _titled(shipped.measurement_files()),
    }


def _scenarios() -> list[dict[str, Any]]:
    from simulate import shipped
    from simulate.files import read_toml

    rows = []
    for name, path in shipped.scenario_files().items():
        data = read_toml(path).data
        rows.append({"name": name, "title": data.get("title", ""), "question": data.get("question"), "file": str(path)})
    return rows


def _titled(files: Mapping[str, Path]) -> list[dict[str, Any]]:
    from simulate.files import read_toml

    return [
        {"name": name, "title": read_toml(path).data.get("title", ""), "file": str(path)}
        for name, path in files.items()
    ]


def _hypotheses() -> list[dict[str, Any]]:
    from simulate.biology.hypotheses import HYPOTHESES

    return [{"name": hypothesis.name, "title": hypothesis.title} for hypothesis in HYPOTHESES]


def _options() -> list[dict[str, Any]]:
    from simulate.biology.options import OPTIONS

    return [{"name": option.name, "title": option.title} for option in OPTIONS]


def _populations() -> list[dict[str, Any]]:
    from simulate import shipped
    from simulate.cohort.reading import MYOSITIS
    from simulate.files import read_toml

    rows = []
    for name, path in {MYOSITIS: shipped.cohort_file(), **shipped.population_files()}.items():
        kinds = ", ".join(f"{kind['count']} {kind['name']}" for kind in read_toml(path).data["stratum"])
        rows.append({"name": name, "title": f"in proportion: {kinds}", "file": str(path)})
    return rows


def _parameters() -> list[dict[str, Any]]:
    from simulate import shipped

    return _tables(shipped.parameter_files())


def _tables(paths: Iterable[Path]) -> list[dict[str, Any]]:
    from simulate.files import read_toml

    return [
        {"name": path.stem, "title": f"{len(read_toml(path).data)} parameters", "file": str(path)} for path in paths
    ]
