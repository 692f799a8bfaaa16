"""The explorer as one HTML document: its own files, the printed models and the contents, joined."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

from simulate.results.explorer.contents import Contents
from simulate.results.html import escaped

_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' blob:; worker-src blob:; style-src 'unsafe-inline'; "
    "img-src data: blob:; base-uri 'none'; form-action 'none'"
)


def explorer_page(contents: Contents) -> str:
    """The document; it loads nothing, and works from a file, from mail and in the cell of a notebook."""
    parts = {
        "policy": _POLICY,
        "title": escaped(contents.data["title"]),
        "chart_style": part("uplot/uPlot.min.css"),
        "style": part("explorer.css"),
        "data": _as_json(contents.data),
        "engine": engine_source(contents),
        "chart_license": part("uplot/LICENSE").strip(),
        "chart": part("uplot/uPlot.iife.min.js"),
        "script": part("explorer.js"),
    }
    # One pass: what is put in is not looked at again.
    pieces = part("explorer.html").split("{{")
    return pieces[0] + "".join(
        parts[name] + rest for name, rest in (piece.split("}}", maxsplit=1) for piece in pieces[1:])
    )


def engine_source(contents: Contents) -> str:
    """What a worker runs: the engine, the models and the answers to a page, in JavaScript."""
    models, engine = ",\n".join(contents.models), part("engine.js")
    # A browser compiles a function for what it calls: an engine that calls several models is slower by a quarter.
    others = [f"(function () {{\n{engine}\nreturn makeEngine;\n}})()" for _ in contents.models[1:]]
    engines = ",\n".join(("makeEngine", *others))
    return "\n".join((engine, f"const MODELS = [\n{models}\n], ENGINES = [\n{engines}\n];", part("worker.js")))


def part(name: str) -> str:
    """Text of a file of the explorer."""
    return resources.files("simulate.results.explorer").joinpath(name).read_text(encoding="utf-8")


def _as_json(data: dict[str, Any]) -> str:
    """JSON that cannot end the element it stands in, whatever names a user has chosen."""
    text = json.dumps(data, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
