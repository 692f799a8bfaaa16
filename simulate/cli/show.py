"""``simulate show``: a model as a reader wants it."""

from __future__ import annotations

import csv
import io
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from simulate.cli.console import UsageFault, print_json, print_rich, print_text, say, titled
from simulate.cli.options import Fit, Hypothesis, Json
from simulate.errors import Il1simError, Where, listed, not_among
from simulate.exchange.foreign import is_foreign
from simulate.shipped import scenario_files

if TYPE_CHECKING:
    from rich.table import Table

    from simulate.symbolic.model import Model


def show(
    what: Annotated[
        str, typer.Argument(metavar="WHAT", help="model, equations, reactions, parameters, sources or draws.")
    ] = "model",
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="A model file; the reference if not given.")
    ] = None,
    hypothesis: Hypothesis = None,
    fit: Fit = None,
    model: Annotated[Path | None, typer.Option("--model", "-m", metavar="FILE", help="The same as FILE.")] = None,
    latex: Annotated[bool, typer.Option("--latex", help="Equations as LaTeX.")] = False,
    as_json: Json = False,
) -> None:
    """Show a model, its equations, reactions, parameters or sources, or the draws of a fit as CSV.

    \b
    simulate show model --hypothesis H1
    simulate show equations --hypothesis H1+H4 --latex
    simulate show parameters
    simulate show parameters model.xml
    simulate show sources  # of all that ships; with --hypothesis, of one model
    simulate show reactions my-model.toml
    simulate show draws --hypothesis H1 > draws.csv  # each number that the fit left free, in its unit
    """  # noqa: D301
    if what not in (known := (*VIEWS, DRAWS)):
        raise _nothing_to_show(what, known)
    if file is not None and model is not None:
        raise UsageFault("two models are named", code="usage.argument", found=f"`{file}` and `{model}`")
    if file is not None and file.suffix != ".toml" and not is_foreign(file):
        raise UsageFault(
            f"`{file}` is no model file",
            code="usage.argument",
            expected="a name that ends in .toml, .xml, .sbml or .ant",
            advice=f"a hypothesis of the reference model: `simulate show {what} -H {shlex.quote(str(file))}`",
        )
    model = model or file
    if what == DRAWS and file is not None:
        raise UsageFault("draws are of a hypothesis, and no model file", code="usage.argument")
    if latex and what != "equations":
        raise UsageFault(
            "--latex is for equations only", code="usage.argument", advice="`simulate show equations --latex`"
        )
    if fit is not None and what != DRAWS:
        raise UsageFault("--fit is for draws only", code="usage.argument", advice="`simulate show draws --fit FIT`")
    if what == DRAWS:
        _draws(hypothesis or "none", fit, as_json)
        return
    parts = (hypothesis or "none").split("+")
    if model is None and not any(part.strip().endswith(".toml") for part in parts):
        # What ships is asked for again and again.
        from simulate.answers import kept

        document = kept(["show", what, str(hypothesis), str(latex)], lambda: _document(what, None, hypothesis, latex))
    else:
        document = _document(what, model, hypothesis, latex)
    if as_json:
        print_json(document)
    else:
        _view(what, document)


def _nothing_to_show(what: str, known: Sequence[str]) -> Il1simError:
    from simulate.biology.hypotheses import is_hypothesis

    told = f"there is nothing to show by the name `{what}`"
    if Path(what).suffix == ".toml" or is_foreign(what):
        advice = f"of a model file: `simulate show model {shlex.quote(what)}`"
    elif what in scenario_files():
        advice = f"of a scenario: `simulate check {what}`, or `simulate run {what}`"
    elif is_hypothesis(what):
        advice = f"of a hypothesis: `simulate show model -H {shlex.quote(what)}`"
    else:
        return not_among(told, what, known, code="usage.argument", kind=UsageFault)
    return UsageFault(told, code="usage.argument", expected=listed(known), advice=advice)


def _document(what: str, file: Path | None, hypothesis: str | None, latex: bool) -> dict[str, Any]:
    """What is printed, as plain values."""
    from simulate.studies.models import find_model, hypothesis_parts

    if what == "sources" and file is None and hypothesis is None:
        return {"sources": _all_sources()}
    where = None if hypothesis is None else Where(file=f"--hypothesis {hypothesis}")
    found = find_model(file, hypothesis_parts(hypothesis or "none", where=where), where)
    return {"model": found.name, "hypothesis": found.hypothesis, **_found(what, found, latex)}


VIEWS = ("model", "equations", "reactions", "parameters", "sources")
"""What can be shown of a model."""

DRAWS = "draws"


def _draws(hypothesis: str, fit: str | None, as_json: bool) -> None:
    """Print the draws of a fit, a line each, in the units of the parameters."""
    from simulate.studies.fitting.draws import draws_named

    draws = draws_named(hypothesis, fit or "shipped")
    columns = {part.name: part.values(draws.points[:, column]) for column, part in enumerate(draws.problem.free)}
    if as_json:
        units = {part.name: part.unit for part in draws.problem.free}
        values = {name: column.tolist() for name, column in columns.items()}
        print_json({"hypothesis": hypothesis, "fit": draws.origin, "units": units, "draws": values})
        return
    if draws.weakness:
        say(draws.origin)
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["draw", *columns])
    writer.writerows([draw, *(column[draw] for column in columns.values())] for draw in range(len(draws.points)))
    print_text(buffer.getvalue().rstrip("\n"))


def _found(what: str, model: Model, latex: bool) -> dict[str, Any]:
    """What can be said of a model, as plain values."""
    from simulate import shipped
    from simulate.symbolic.display import parameter_rows, show_equations, show_reactions, source_rows
    from simulate.symbolic.parameterfile import read_sources

    if what == "model":
        return _model(model)
    views: dict[str, Callable[[], Any]] = {
        "equations": lambda: show_equations(model, latex=latex),
        "reactions": lambda: show_reactions(model),
        "parameters": lambda: parameter_rows(model),
        "sources": lambda: source_rows(model, read_sources(shipped.sources_file())),
    }
    return {what: views[what]()}


def _view(what: str, document: Mapping[str, Any]) -> None:
    """Print it for a reader."""
    if what == "model":
        _view_model(document)
    elif isinstance(found := document[what], str):
        print_text(found)
    else:
        print_rich(_table(what, tuple(found[0]) if found else (), [tuple(row.values()) for row in found]))


def _model(model: Model) -> dict[str, Any]:
    groups = {
        "states": [(part.name, part.unit.text, part.meaning) for part in model.species],
        "observables": [(part.name, part.unit.text, part.meaning) for part in model.observables],
        "routes": [(part.name, part.unit.text, f"{part.drug} → {part.target.name}") for part in model.routes],
    }
    return {
        "title": model.title,
        "key": model.key,
        "mechanisms": list(model.mechanisms),
        "parameters": len(model.parameters),
        **{
            name: [dict(zip(("name", "unit", "meaning"), row, strict=True)) for row in rows]
            for name, rows in groups.items()
        },
    }


def _view_model(document: Mapping[str, Any]) -> None:
    head = (
        f"{document['title'] or document['model']}\n"
        f"hypothesis: {document['hypothesis']}\n"
        f"mechanisms: {', '.join(document['mechanisms'])}\n"
        f"parameters: {document['parameters']}"
    )
    groups = {name: document[name] for name in ("states", "observables", "routes") if document[name]}
    print_rich(head, *(_table(name, (), [tuple(row.values()) for row in rows]) for name, rows in groups.items()))


def _all_sources() -> list[dict[str, str]]:
    from simulate import shipped
    from simulate.studies.numbers import shipped_numbers
    from simulate.symbolic.display import cited_rows
    from simulate.symbolic.parameterfile import read_sources

    return cited_rows(shipped_numbers(), read_sources(shipped.sources_file()))


def _table(title: str, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    from rich.text import Text

    table = titled(title, title_style="bold", show_header=bool(headings), pad_edge=False)
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    return table
