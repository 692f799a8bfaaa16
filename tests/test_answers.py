"""What only the package's own files decide is found once, and found anew when one of them has changed."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from simulate import answers
from simulate.answers import kept


class Asked:
    """What finds an answer, and how often it was asked."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> dict[str, object]:
        self.times += 1
        return {"µ": [1, None, "γ"], "times": self.times}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("IL1SIM_CACHE_DIR", str(tmp_path))
    return tmp_path


def test_an_answer_is_found_once_and_comes_back_as_it_was() -> None:
    asked = Asked()
    assert kept(["a", "b"], asked) == kept(["a", "b"], asked) == {"µ": [1, None, "γ"], "times": 1}


def test_questions_are_told_apart_word_by_word() -> None:
    asked = Asked()
    assert [kept(words, asked)["times"] for words in (["a", "b"], ["ab"], ["a"], ["a", "b"])] == [1, 2, 3, 1]


def test_an_answer_of_another_edition_is_found_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Asked()
    kept(["a"], asked)
    monkeypatch.setattr(answers, "edition", lambda: "another")
    assert kept(["a"], asked)["times"] == 2
    assert kept(["a"], asked)["times"] == 2


def test_every_source_and_table_of_the_package_decides_the_edition(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, table = tmp_path / "answers.py", tmp_path / "data" / "table.toml"
    table.parent.mkdir()
    monkeypatch.setattr(answers, "__file__", str(source))
    monkeypatch.setattr(answers.shipped, "root", lambda: table.parent)
    found = set()
    for source_text, table_text in (("1", "1"), ("2", "1"), ("1", "2")):
        source.write_text(source_text, encoding="utf-8")
        table.write_text(table_text, encoding="utf-8")
        found.add(answers.edition.__wrapped__())
    assert len(found) == 3


def test_without_a_cache_an_answer_is_found_each_time_and_nobody_is_told(
    cache: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (cache / "file").touch()
    monkeypatch.setenv("IL1SIM_CACHE_DIR", str(cache / "file"))
    asked = Asked()
    with caplog.at_level(logging.DEBUG):
        assert [kept(["a"], asked)["times"] for _ in range(2)] == [1, 2]
    assert caplog.records == []


def test_a_damaged_answer_is_found_anew(cache: Path, caplog: pytest.LogCaptureFixture) -> None:
    asked = Asked()
    kept(["a"], asked)
    (file,) = cache.rglob("*.json")
    content = bytearray(file.read_bytes())
    content[-3] ^= 1
    file.write_bytes(content)
    with caplog.at_level(logging.DEBUG):
        assert [kept(["a"], asked)["times"] for _ in range(2)] == [2, 2]
    assert caplog.records == []
