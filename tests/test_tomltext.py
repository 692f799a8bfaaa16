from __future__ import annotations

import contextlib
import time
import tracemalloc

import pytest

from simulate.errors import InputError
from simulate.files import parse_json, parse_toml
from simulate.tomltext import MAX_NESTING


def refusal(text: str) -> str:
    with pytest.raises(InputError) as caught:
        parse_toml(text, "x.toml")
    return str(caught.value)


@pytest.mark.parametrize("quote", ["", '"', "'"])
@pytest.mark.parametrize("brackets", [False, True])
def test_a_key_of_too_many_parts_is_refused_at_its_line(quote: str, brackets: bool) -> None:
    key = " . ".join([f"{quote}a{quote}"] * (MAX_NESTING + 1))
    assert refusal(f"x = '''\n'''\n{f'[{key}]' if brackets else f'{key} = 1'}\n") == (
        "error[file.syntax]: the file is nested too deeply: a key has more than 32 parts\n  --> x.toml:3\n"
        "  expected: at most 32 tables, lists and parts of a key inside one another"
    )


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ("{a = ", "}")])
def test_too_many_brackets_inside_one_another_are_refused_before_anything_reads_them(
    opening: str, closing: str
) -> None:
    text = f"x = {opening * (MAX_NESTING + 1)}1{closing * (MAX_NESTING + 1)}"
    assert refusal(text) == (
        "error[file.syntax]: the file is nested too deeply: it has more than 32 levels\n  --> x.toml\n"
        "  expected: at most 32 tables, lists and parts of a key inside one another"
    )
    assert "some hundred levels deep" in refusal(text.replace(opening, opening * 1000))


def test_the_deepest_that_may_be_is_read_with_its_line() -> None:
    keys = ["a"] * MAX_NESTING
    document = parse_toml(f"# one\n{'.'.join(keys)} = 1", "x.toml")
    assert document.where(*keys).line == 2


@pytest.mark.parametrize("text", ["x = '{}'", 'x = "{}"', "x = 1 # {}", 'x = """\n{}\n"""', "x = '''{}'''"])
def test_dots_in_a_text_or_a_comment_are_no_key(text: str) -> None:
    assert parse_toml(text.replace("{}", ".".join(["a"] * 100)), "x.toml").data.keys() == {"x"}


@pytest.mark.parametrize(
    "text",
    [".".join(["a"] * 250_000) + " = 1", "[" + '"a".' * 150_000 + "a]", "a" * 750_000 + " = 1", '"""\\""' * 150_000],
    ids=["parts", "quoted", "word", "quotes"],
)
def test_the_work_for_a_long_key_grows_with_its_length(text: str) -> None:
    tracemalloc.start()
    began = time.process_time()
    with contextlib.suppress(InputError):
        parse_toml(text, "x.toml")
    took = time.process_time() - began
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert took < 1.25
    assert peak < 25e6


def test_a_whole_number_that_nothing_can_show_is_refused() -> None:
    assert "a whole number has more than 256 bits" in refusal("x = 0x" + "f" * 9000)


def test_json_that_is_nested_too_deeply_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="the brackets are nested too deeply"):
        parse_json("[" * 100_000 + "]" * 100_000)
