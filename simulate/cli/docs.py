"""``simulate docs``: the documentation as a site."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from simulate.api.inspecting import docs as function
from simulate.cli.console import print_json, print_text, say
from simulate.cli.options import Json, defaults_of


@defaults_of(function)
def docs(
    page: Annotated[str, typer.Argument(metavar="[PAGE]", help="Name of a page, such as regimens.")],
    build: Annotated[
        Path | None, typer.Option("--build", metavar="DIR", help="Build the site into DIR, in place of an earlier one.")
    ],
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Whether to open a web browser.")],
    as_json: Json = False,
) -> None:
    """Open the documentation in a web browser, and print where the page is.

    The site is built once and kept where compiled code is; it needs `pip install "il1sim[docs]"`. Without that, what is
    printed is the place of the page in Markdown.

    \b
    simulate docs
    simulate docs regimens
    simulate docs --build site --no-browser
    """  # noqa: D301
    found = function(page, build=build, browser=browser, report=say)
    if as_json:
        print_json({"page": str(found), "site": found.suffix == ".html"})
    else:
        print_text(str(found))
