"""How Sphinx makes a site of these pages: `simulate docs`, or `sphinx-build -W docs DIR`."""

from __future__ import annotations

import inspect
import itertools
from pathlib import Path
from typing import Any

import simulate
from simulate.verbs import verbs

project = "il1sim"
author = copyright = "il1sim contributors"
version = release = simulate.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "numpydoc"]
myst_heading_anchors = 4
default_role = "py:obj"
highlight_language = "none"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
numpydoc_show_class_members = False

html_theme = "pydata_sphinx_theme"
html_title = f"il1sim {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = html_show_sourcelink = html_show_sphinx = html_show_copyright = False
html_theme_options = {"show_prev_next": False, "show_toc_level": 2, "footer_start": [], "footer_end": []}


def verbs_page() -> str:
    """What `--help` says, of the program and of each verb."""
    from typer.main import get_command

    from simulate.cli.app import app

    group: Any = get_command(app)
    context = group.make_context("simulate", [], resilient_parsing=True, terminal_width=88)
    texts = [f"```text\n{group.get_help(context)}\n```"]
    for title, members in itertools.groupby(verbs().values(), lambda verb: verb.group):
        texts.append(f"## {title}")
        for verb in members:
            command = group.get_command(context, verb.name)
            own = command.make_context(verb.name, [], parent=context, resilient_parsing=True)
            texts.append(f"### `simulate {verb.name}`\n\n```text\n{command.get_help(own)}\n```")
    return "\n\n".join(texts)


def public_names_page() -> str:
    """Each public name from its docstring, below that of its module."""
    modules = {**simulate._MODULE_OF, **{verb.word: verb.api for verb in verbs().values() if verb.api is not None}}
    texts = []
    # What arguments mean that several functions have stands above these.
    shown = {"simulate.api.arguments", *modules.values()}
    for part, homes in itertools.groupby(sorted(shown, key=placed), lambda home: home.split(".")[1]):
        entries = []
        for home in homes:
            entries.append(f".. automodule:: {home}\n")
            entries += [entry(name) for name in simulate.__all__ if modules.get(name) == home]
        texts.append(f"## `simulate.{part}`\n\n````{{eval-rst}}\n{chr(10).join(entries)}\n````")
    return "\n\n".join(texts)


def placed(home: str) -> tuple[bool, str]:
    """Verbs come first."""
    return not home.startswith("simulate.api."), home


def entry(name: str) -> str:
    """Directive that documents a public name from its docstring."""
    value = getattr(simulate, name)
    if inspect.isclass(value):
        return f".. autoclass:: simulate.{name}\n   :members:\n"
    if callable(value):
        return f".. autofunction:: simulate.{name}\n"
    return f".. autodata:: simulate.{name}\n   :no-value:\n"


GENERATED = {"verbs": verbs_page, "public-names": public_names_page}


def complete(app: Any, page: str, source: list[str]) -> None:
    """Add to a page what is printed from the program itself, and lead its links to data where these are."""
    if not Path(__file__).parents[1].joinpath("parameters").is_dir():
        # In a wheel.
        source[0] = source[0].replace("](../parameters/", "](../../_parameters/")
    if page in GENERATED:
        source[0] += "\n" + GENERATED[page]()


def setup(app: Any) -> None:
    """Sphinx asks for this."""
    from pygments.lexers.special import TextLexer

    app.add_lexer("csv", TextLexer)
    app.connect("source-read", complete)
