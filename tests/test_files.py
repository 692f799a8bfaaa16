from __future__ import annotations

import hashlib
import os
import stat
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulate.errors import InputError, MissingExtra, Where
from simulate.files import (
    MAX_TOML_BYTES,
    content_hash,
    dotted,
    file_hash,
    files_hash,
    parse_toml,
    read_toml,
    replacing,
    write_atomically,
)

TEXT = """\
# a comment with [brackets] and key = "value"
title = "x = 1"   # not a key

[reactions.priming]
rate = \"\"\"
a * [b]
c = 2 \\\"\"\"\"\"\"
change = { naive = -1, "memory" = { blood = 2 } }

["odd name".'other.name']
values = [
  1, # one
  [2, 3],
  { deep = 4 },
]

[[arms]]
name = 'first'

[[arms]]
name = 'second'
doses.at = 2011-09-01

[arms.plan]
text = '''
none'''
[[arms.plan.notes]]
a = 1
[[arms.plan.notes]]
a = 2
"""


def error_of(path: Path) -> InputError:
    with pytest.raises(InputError) as caught:
        read_toml(path)
    return caught.value


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        (("title",), 2),
        (("reactions",), 4),
        (("reactions", "priming"), 4),
        (("reactions", "priming", "rate"), 5),
        (("reactions", "priming", "change"), 8),
        (("reactions", "priming", "change", "memory", "blood"), 8),
        (("odd name", "other.name"), 10),
        (("odd name", "other.name", "values", 0), 12),
        (("odd name", "other.name", "values", 1, 1), 13),
        (("odd name", "other.name", "values", 2, "deep"), 14),
        (("arms",), 17),
        (("arms", 0), 17),
        (("arms", 0, "name"), 18),
        (("arms", 1), 20),
        (("arms", 1, "doses", "at"), 22),
        (("arms", 1, "plan", "text"), 25),
        (("arms", 1, "plan", "notes", 1, "a"), 30),
    ],
)
def test_each_key_is_found_on_its_line(keys: tuple[str | int, ...], line: int) -> None:
    document = parse_toml(TEXT, "model.toml")
    assert document.where(*keys) == Where(file="model.toml", line=line, key=dotted(*keys))


def test_windows_line_ends_do_not_move_lines() -> None:
    document = parse_toml(TEXT.replace("\n", "\r\n"), "model.toml")
    assert document.where("arms", 1, "plan", "notes", 1, "a").line == 30


def test_a_key_that_is_absent_is_placed_at_its_parent() -> None:
    assert parse_toml(TEXT, "m.toml").where("arms", 1, "plan", "no", "such") == Where(
        file="m.toml", line=24, key="arms[1].plan.no.such"
    )
    assert parse_toml(TEXT, "m.toml").where("nowhere") == Where(file="m.toml", line=None, key="nowhere")


def test_dotted_keys_are_written_as_in_toml() -> None:
    assert dotted("arms", 1, "odd name", "rate") == 'arms[1]."odd name".rate'


json_like = st.recursive(
    st.integers(-9, 9) | st.text(alphabet="ab\"'[]{}#=,\\ \n", max_size=6) | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab. #=", max_size=3), inner, max_size=3),
    max_leaves=8,
)


def as_toml(value: object) -> str:
    """TOML of a value on one line; strings as basic strings."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "{" + ", ".join(f"{as_toml(key)} = {as_toml(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",\n".join(as_toml(inner) for inner in value) + "]"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
    return str(value)


@given(st.lists(json_like, max_size=4))
def test_lines_are_found_whatever_the_values_before(values: list[object]) -> None:
    lines = [f"k{index} = {as_toml(value)}" for index, value in enumerate(values)]
    document = parse_toml("\n".join([*lines, "last = 1"]), "x.toml")
    assert document.data == {**{f"k{index}": value for index, value in enumerate(values)}, "last": 1}
    assert document.where("last").line == document.text.count("\n") + 1


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert str(error_of(tmp_path / "no.toml")) == (
        f"error[file.missing]: the file does not exist\n  --> {tmp_path / 'no.toml'}\n"
        "  try:      check the path and the working folder"
    )


def test_a_folder_is_not_a_file(tmp_path: Path) -> None:
    assert str(error_of(tmp_path)) == (
        f"error[file.directory]: the path is a folder, not a file\n  --> {tmp_path}\n  try:      name a file in it"
    )


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with names are those of POSIX")
def test_a_pipe_is_no_input_and_the_error_says_what_to_do(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.toml")
    assert str(error_of(tmp_path / "pipe.toml")) == (
        "error[file.unreadable]: the file cannot be read: it is a pipe, a socket or a device, not a regular file\n"
        f"  --> {tmp_path / 'pipe.toml'}\n"
        "  try:      write what it gives to a file first, and name that file"
    )


def test_a_path_that_no_system_accepts_is_unreadable() -> None:
    assert error_of(Path("a\0b")).code == "file.unreadable"
    assert error_of(Path("a" * 5000)).code == "file.unreadable"


def test_bytes_that_are_not_utf_8_are_placed(tmp_path: Path) -> None:
    path = tmp_path / "latin.toml"
    path.write_bytes("title = 1\nunit = 'µg'\n".encode("latin-1"))
    assert str(error_of(path)) == (
        f"error[file.encoding]: the file is not UTF-8 text: byte 18 is 0xb5\n  --> {path}:2:9\n"
        "  found:    0xb5, which is `µ` in Windows-1252 (Latin-1)\n  expected: UTF-8\n"
        "  try:      save the file as UTF-8 in your editor, or as `CSV UTF-8` in your spreadsheet"
    )


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_a_text_that_says_its_encoding_by_a_mark_is_read(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "wide.toml"
    path.write_bytes("a = 'µ'".encode(encoding))
    assert read_toml(path).data == {"a": "µ"}


def test_a_text_that_is_not_in_the_encoding_of_its_mark_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "wide.toml"
    path.write_bytes("a = 1".encode("utf-16")[:-1])
    assert str(error_of(path)) == (
        "error[file.encoding]: the file says that it is UTF-16, and is not: byte 10 fits no letter\n"
        f"  --> {path}\n  expected: UTF-8\n  try:      save the file as UTF-8"
    )


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("a = 1".encode("utf-16-le"), "UTF-16 without a mark at its beginning"),
        (b"a = '\0 and so on'", "bytes of no text"),
    ],
)
def test_characters_of_code_0_are_refused(tmp_path: Path, content: bytes, found: str) -> None:
    path = tmp_path / "wide.toml"
    path.write_bytes(content)
    assert str(error_of(path)) == (
        f"error[file.encoding]: the file holds characters of code 0\n  --> {path}:1\n  found:    {found}\n"
        "  expected: UTF-8\n  try:      save the file as UTF-8 in your editor"
    )


def test_a_byte_order_mark_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "bom.toml"
    path.write_bytes(b"\xef\xbb\xbfa = 1\n")
    assert read_toml(path).data == {"a": 1}


def test_an_empty_file_has_no_keys(tmp_path: Path) -> None:
    path = tmp_path / "empty.toml"
    path.write_bytes(b"")
    document = read_toml(path)
    assert document.data == {}
    assert document.where() == Where(file=str(path))


def test_a_syntax_error_has_line_and_column(tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text("a = 1\nb = = 2\n", encoding="utf-8")
    assert str(error_of(path)) == (
        f"error[file.syntax]: the file is not valid TOML: invalid value\n  --> {path}:2:5\n"
        "  found:    `b = = 2`\n  try:      texts need quotation marks, and a key may occur only once"
    )


@pytest.mark.parametrize(
    ("text", "line", "column"), [("a = 'open", 1, 10), ("a = 1\na = 2\n", 2, 6), ("a = [1,\n", 2, 1)]
)
def test_every_fault_of_syntax_has_a_place(text: str, line: int, column: int) -> None:
    with pytest.raises(InputError) as caught:
        parse_toml(text, "x.toml")
    assert caught.value.where == Where(file="x.toml", line=line, column=column)


def test_control_characters_of_a_file_do_not_reach_the_terminal() -> None:
    with pytest.raises(InputError) as caught:
        parse_toml("a = \x1b]0;x\x07", "x.toml")
    assert "\x1b" not in str(caught.value)


def test_deep_nesting_is_refused_without_a_crash() -> None:
    with pytest.raises(InputError, match="nested too deeply"):
        parse_toml("a = " + "[" * 100_000, "x.toml")


def test_a_number_too_long_for_python_is_an_error_of_input() -> None:
    with pytest.raises(InputError) as caught:
        parse_toml("a = " + "9" * 5000, "x.toml")
    assert caught.value.code == "file.syntax"


def test_a_large_file_is_not_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "large.toml"
    with open(path, "wb") as file:
        file.truncate(MAX_TOML_BYTES + 1)
    assert str(error_of(path)) == (f"error[file.size]: the file is too large\n  --> {path}\n  expected: at most 2 MB")


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="there is no endless device here")
def test_an_endless_device_is_not_read_for_ever() -> None:
    assert error_of(Path("/dev/zero")).code == "file.unreadable"


@given(st.text())
def test_any_text_is_toml_or_an_error_of_input(text: str) -> None:
    try:
        document = parse_toml(text, "x.toml")
    except InputError as error:
        code = error.code
    else:
        code = "file.syntax" if all(document.where(key).line is not None for key in document.data) else "no line"
    assert code in ("file.syntax", "file.kind", "file.empty")


def test_writing_replaces_the_file_and_leaves_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_text("old", encoding="utf-8")
    write_atomically(path, "µ\n")
    write_atomically(tmp_path / "raw", b"\x00")
    assert path.read_bytes() == "µ\n".encode()
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["out.csv", "raw"]


@pytest.mark.skipif(sys.platform == "win32", reason="no POSIX permissions")
def test_a_written_file_has_ordinary_permissions(tmp_path: Path) -> None:
    mask = os.umask(0o022)
    try:
        write_atomically(tmp_path / "out", "x")
    finally:
        os.umask(mask)
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o644


@pytest.mark.skipif(sys.platform == "win32", reason="symbolic links need privileges")
def test_a_link_is_replaced_and_its_target_untouched(tmp_path: Path) -> None:
    target = tmp_path / "precious"
    target.write_text("precious", encoding="utf-8")
    link = tmp_path / "out"
    link.symlink_to(target)
    write_atomically(link, "new")
    assert (target.read_text(), link.read_text(), link.is_symlink()) == ("precious", "new", False)


def test_a_long_name_can_still_be_written(tmp_path: Path) -> None:
    path = tmp_path / ("n" * 255)
    write_atomically(path, "x")
    assert path.read_text() == "x"


def test_a_failed_write_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "out"
    path.write_text("old", encoding="utf-8")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(MissingExtra) as caught:
        write_atomically(path, "new")
    assert str(caught.value) == (
        f"error[file.unwritable]: cannot write the file: no space left on device\n  --> {path}\n"
        "  try:      choose a folder that exists, is writable and has space"
    )
    assert [entry.read_text() for entry in tmp_path.iterdir()] == ["old"]


def test_a_missing_folder_is_an_error_of_the_environment(tmp_path: Path) -> None:
    with pytest.raises(MissingExtra, match="cannot write the file: no such file or directory"):
        write_atomically(tmp_path / "no" / "out", "x")


def test_the_hash_knows_where_parts_end() -> None:
    assert content_hash("ab", "c") != content_hash("a", "bc")
    assert content_hash("é") == content_hash("é".encode())
    assert content_hash() == "cae66941d9efbd404e4d88758ea67670"


def test_a_fault_of_what_writes_is_no_fault_of_the_file(tmp_path: Path) -> None:
    def write(path: Path) -> None:
        with replacing(path) as file:
            file.write(b"half")
            raise ValueError("a wrong number")

    with pytest.raises(ValueError, match="a wrong number"):
        write(tmp_path / "long.csv")
    assert not list(tmp_path.iterdir())
    with pytest.raises(MissingExtra, match="cannot write the file"):
        write(tmp_path / "no" / "folder")


def test_a_text_that_was_read_before_gives_tables_and_lists_of_its_own() -> None:
    text = "a = [[1, 2], { b = 3 }]\n[c.d]\ne = 4\n"
    first, second = parse_toml(text, "x.toml").data, parse_toml(text, "y.toml").data
    first["a"][0].append(5)
    first["a"][1]["b"] = first["c"]["d"]["e"] = 6
    for again in (second, parse_toml(text, "x.toml").data):
        assert again == {"a": [[1, 2], {"b": 3}], "c": {"d": {"e": 4}}}


def test_a_missing_file_is_told_its_neighbors_of_a_name_like_its_own(tmp_path: Path) -> None:
    for name in ("mine.toml", "mine.csv", "other.toml"):
        (tmp_path / name).write_text("")
    assert str(error_of(tmp_path / "mien.toml")) == (
        f"error[file.missing]: the file does not exist\n  --> {tmp_path / 'mien.toml'}\n"
        f"  try:      did you mean `{tmp_path / 'mine.toml'}`?"
    )


def test_a_file_is_read_for_its_hash_once_as_long_as_it_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "large"
    path.write_bytes(b"a" * 3_000_000)
    # The file is one of long ago.
    real = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: real() + 3_600_000_000_000)
    begun: list[int] = []
    hashing = hashlib.file_digest
    monkeypatch.setattr(hashlib, "file_digest", lambda file, name: begun.append(1) or hashing(file, name))
    first = file_hash(path)
    assert file_hash(path) == first
    assert len(begun) == 1
    assert first == hashlib.sha256(b"a" * 3_000_000).hexdigest()
    path.write_bytes(b"b" * 3_000_000)
    assert file_hash(path) == hashlib.sha256(b"b" * 3_000_000).hexdigest()


def test_a_file_that_was_just_written_is_read_again_for_its_hash(tmp_path: Path) -> None:
    path = tmp_path / "new"
    for content in (b"a", b"b", b"c"):
        path.write_bytes(content)
        assert file_hash(path) == hashlib.sha256(content).hexdigest()


def test_the_hash_of_files_is_of_their_content_and_places_in_any_order_and_any_folder(tmp_path: Path) -> None:
    def hash_in(name: str, files: dict[str, str]) -> str:
        for place, text in files.items():
            (tmp_path / name / place).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name / place).write_text(text, encoding="utf-8")
        return files_hash([tmp_path / name / place for place in files], tmp_path / name)

    plain = hash_in("a", {"x/one": "1", "two": "2"})
    assert hash_in("b", {"two": "2", "x/one": "1"}) == plain
    others = ({"x/one": "1", "two": "1"}, {"one": "1", "two": "2"}, {"x/one": "1"}, {"x/one": "2", "two": "1"})
    assert len({plain, *(hash_in(f"c{place}", files) for place, files in enumerate(others))}) == 5
