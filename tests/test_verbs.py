"""The table of verbs says truly where the functions are."""

from __future__ import annotations

import ast
from importlib import import_module
from pathlib import Path

import pytest

import simulate
from simulate.files import read_toml
from simulate.toml import TomlTable
from simulate.verbs import verbs


@pytest.mark.parametrize("name", verbs())
def test_a_verb_has_its_function_and_its_python_function_where_the_table_says(name: str) -> None:
    verb = verbs()[name]
    assert callable(getattr(import_module(verb.module), verb.function))
    if verb.api is not None:
        assert getattr(import_module(verb.api), verb.word).__doc__
        assert verb.word in simulate.__all__
        assert verb.word in import_module(verb.api).__all__, "type checkers see it"


def test_type_checkers_see_every_module_with_a_python_function() -> None:
    face = Path(simulate.__file__)
    seen = {
        node.module
        for node in ast.walk(ast.parse(face.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and [part.name for part in node.names] == ["*"]
    }
    lacking = {verb.api for verb in verbs().values() if verb.api is not None} - seen
    assert lacking == set(), "simulate/__init__.py imports * from each, for type checkers"


def test_the_table_has_no_key_that_nobody_reads() -> None:
    top = TomlTable(read_toml(Path(simulate.__file__).with_name("verbs.toml")))
    for group in top:
        for name, row in top.named(group, allowed=("help", "function", "api"), required=("help",)):
            assert verbs()[name].summary == row.text("help")
