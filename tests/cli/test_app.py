"""The front door: help without weight, endings with a message and a code, one JSON document where one was asked for."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from simulate.cli import app
from simulate.cli.app import BROKEN_PIPE, INTERRUPTED, outcome
from simulate.cli.console import printable
from simulate.errors import InputError, MissingExtra, NotConverged, NumericalError, Unfinished, Where
from simulate.verbs import verbs

Capture = pytest.CaptureFixture[str]
ROOT = Path(__file__).resolve().parents[2]


def run_failing(monkeypatch: pytest.MonkeyPatch, error: BaseException, *options: str) -> int:
    """Outcome of ``simulate list`` if its function raised the error."""
    import simulate.cli.list as module

    def verb(as_json: bool = False) -> None:
        raise error

    # The type of an option is read from the function itself.
    verb.__annotations__ = {"as_json": module.Json, "return": None}
    monkeypatch.setattr(module, "show_shipped", verb)
    return outcome(["list", *options])


def test_help_lists_every_verb_and_every_exit_code(capsys: Capture) -> None:
    assert outcome(["--help"]) == 0
    text = capsys.readouterr().out
    assert all(f"\n  {verb} " in text for verb in verbs())
    assert all(f"\n    {code:<4} " in text for code in (0, 1, 2, 3, 4, 5, 6, 7, 130))


@pytest.mark.parametrize("verb", list(verbs()))
def test_every_verb_explains_itself(verb: str, capsys: Capture) -> None:
    assert outcome([verb, "--help"]) == 0
    text = capsys.readouterr().out
    assert text.startswith(f"Usage: simulate {verb}")
    assert "--json" in text


def test_every_verb_that_draws_can_be_told_not_to() -> None:
    help_of = {verb: outcome_text(verb) for verb in verbs()}
    drawing = {verb for verb, text in help_of.items() if "and a figure." in text}
    assert drawing >= {"compare", "design", "dose-response", "equilibria", "predict", "sensitivity", "trial"}
    able = {verb for verb, text in help_of.items() if "--no-figures" in text}
    assert able == drawing | {"fit", "report", "run"}


def outcome_text(verb: str) -> str:
    """Help of a verb, in one line."""
    with contextlib.redirect_stdout(io.StringIO()) as shown:
        assert outcome([verb, "--help"]) == 0
    return " ".join(re.sub("[│|]", " ", shown.getvalue()).split())


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["run", "--help"], ["rnu"]])
def test_what_needs_no_science_loads_none(arguments: list[str]) -> None:
    code = f"from simulate.cli.app import outcome\noutcome({arguments!r})\nimport sys\nprint(*sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    loaded = set(result.stdout.split())
    # Some versions of typer convert arguments by pydantic, once there are any.
    heavy = {"numpy", "sympy", "numba", "matplotlib", "xarray", "pint", "scipy", "rich"}
    assert loaded & heavy == set()
    assert "typer" in loaded


SCIENCE = {"numpy", "sympy", "numba", "matplotlib", "xarray", "pint", "scipy", "pandas"}


def loaded_by(*arguments: str, code: int = 0) -> set[str]:
    """Modules that a command line has loaded by its end."""
    program = f"import sys\nfrom simulate.cli.app import outcome\ncode = outcome({list(arguments)!r})\n"
    program += "print(code, *sys.modules)"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    found = result.stdout.splitlines()[-1].split()
    assert found[0] == str(code)
    return set(found[1:])


@pytest.mark.parametrize("arguments", [["list"], ["show", "parameters", "--hypothesis", "H1"]])
def test_what_was_answered_before_loads_no_science(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setenv("IL1SIM_CACHE_DIR", str(tmp_path))
    assert outcome(arguments) == 0
    assert any((tmp_path / "answers").iterdir())
    assert loaded_by(*arguments) & SCIENCE == set()


@pytest.mark.parametrize("verb", ["run", "check", "sweep"])
def test_a_file_that_is_no_toml_is_refused_before_any_science_is_loaded(verb: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text("seed =", encoding="utf-8")
    assert loaded_by(verb, str(path), code=3) & SCIENCE == set()


def test_a_broken_file_among_several_hypotheses_is_named(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "bad.toml"
    path.write_text("a = 1\nseed =\n", encoding="utf-8")
    assert outcome(["run", "untreated", "--hypothesis", f"H1+{path}"]) == 3
    assert capsys.readouterr().err == (
        "error[file.syntax]: the file is not valid TOML: invalid value\n"
        f"  --> {path}:2:7\n"
        "  found:    `seed =`\n"
        "  try:      texts need quotation marks, and a key may occur only once\n"
    )


def test_what_reads_numbers_of_options_is_loaded_where_one_is_given() -> None:
    pytest.importorskip("typer._adapters")
    assert "pydantic" not in loaded_by("list")
    assert "pydantic" in loaded_by("run", "healthy", "-n", "0", code=3)


def test_a_run_loads_neither_statistics_nor_searches_nor_frames_nor_other_solvers(tmp_path: Path) -> None:
    short = ("-n", "2", "--draws", "2", "--set", "time.end=3 d", "-q", "ifng", "-q", "ck")
    others = {"scipy.stats", "scipy.optimize", "scipy.integrate", "scipy.cluster", "scipy.interpolate"}
    asked = ("run", "anakinra-100mg-daily", *short, "--force", "--out", str(tmp_path / "run"))
    # What a first run translates needs algebra; the next finds it done, and draws.
    others |= {"scipy.linalg", "xarray", "pandas", "matplotlib"}
    assert loaded_by(*asked, "--no-figures") & others <= {"scipy.linalg"}
    assert loaded_by(*asked) & others == {"matplotlib"}


def test_the_version_is_that_of_the_package(capsys: Capture) -> None:
    from simulate import __version__

    assert outcome(["--version"]) == 0
    assert capsys.readouterr().out == f"il1sim {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["rnu"],
            "error[usage.verb]: there is no verb `rnu`\n"
            f"  expected: {', '.join(f'`{verb}`' for verb in verbs())}\n"
            "  try:      did you mean `run`?\n",
        ),
        (
            ["run", "untreated", "--patiens", "5"],
            "error[usage.option]: there is no option `--patiens`\n"
            "  try:      did you mean `--patients` or `--patient`?\n",
        ),
        (
            ["list", "--zzzz"],
            "error[usage.option]: there is no option `--zzzz`\n  try:      `simulate list --help` lists them\n",
        ),
    ],
)
def test_a_misspelt_word_is_told_the_nearest(arguments: list[str], message: str, capsys: Capture) -> None:
    assert outcome(arguments) == 2
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", message)


@pytest.mark.parametrize(
    "words", [["reproduce", "H1+H6"], ["run", "untreated", "H1+H6"], ["check", "wash-out", "H1+H6"]]
)
def test_a_hypothesis_without_its_option_is_told_which(words: list[str], capsys: Capture) -> None:
    assert outcome(words) == 2
    assert capsys.readouterr().err == (
        "error[usage.argument]: the hypothesis `H1+H6` is given without its option\n  try:      `-H H1+H6`\n"
    )


def test_a_second_hypothesis_without_its_option_is_told_how_two_are_combined(capsys: Capture) -> None:
    assert outcome(["run", "untreated", "-H", "H1", "H3a"]) == 2
    assert capsys.readouterr().err == (
        "error[usage.argument]: the hypothesis `H3a` is given without its option\n"
        "  try:      `-H H1+H3a` combines two hypotheses\n"
    )
    # Who asks for help is given it.
    assert outcome(["run", "untreated", "H3a", "--help"]) == 0
    assert capsys.readouterr().out.startswith("Usage: simulate run ")


@pytest.mark.parametrize(
    ("words", "found", "expected"),
    [
        (["run", "untreated", "--draws", "0"], "0", "1 or more"),
        (["trial", "--patients", "-5"], "-5", "16 or more"),
        (["verify", "untreated", "--share", "1.5"], "1.5", "a number from 0 to 1"),
        (["verify", "untreated", "--share", "nan"], "nan", "a number from 0 to 1"),
    ],
)
def test_a_number_that_an_option_does_not_take_is_told_with_those_it_takes(
    words: list[str], found: str, expected: str, capsys: Capture
) -> None:
    assert outcome(words) == 2
    assert capsys.readouterr().err == (
        f"error[usage.argument]: the value of `{words[-2]}` cannot be used\n"
        f"  found:    `{found}`\n  expected: {expected}\n"
    )


def test_a_model_that_is_not_there_or_is_cut_is_told_before_what_else_it_would_take(
    tmp_path: Path, capsys: Capture
) -> None:
    assert outcome(["run", "nosuch.xml"]) == 3
    assert capsys.readouterr().err.startswith("error[file.missing]: the file does not exist\n")
    (tmp_path / "cut.xml").write_text('<?xml version="1.0"?>\n<sbml><model>\n', encoding="utf-8")
    assert outcome(["run", str(tmp_path / "cut.xml")]) == 3
    assert capsys.readouterr().err.startswith("error[xml.syntax]: the file is no sound XML")


@pytest.mark.parametrize("arguments", [["run"], ["run", "a", "b"], ["run", "a", "-n"]])
def test_a_line_that_cannot_be_understood_ends_with_2(arguments: list[str], capsys: Capture) -> None:
    assert outcome(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error[usage.argument]: ")
    assert captured.err.endswith("--help` shows what is expected\n")


def test_no_verb_at_all_shows_the_help_and_ends_with_2(capsys: Capture) -> None:
    assert outcome([]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("Usage: simulate")


@pytest.mark.parametrize(
    ("kind", "code"), [(InputError, 3), (NumericalError, 4), (NotConverged, 5), (Unfinished, 6), (MissingExtra, 7)]
)
def test_the_kind_of_an_error_decides_the_exit_code(
    kind: type[InputError], code: int, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    error = kind("something is wrong", code="some.fault", where=Where("a.toml", 3), advice="mend it")
    assert run_failing(monkeypatch, error) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "error[some.fault]: something is wrong\n  --> a.toml:3\n  try:      mend it\n"


def test_an_error_is_one_json_document_if_json_was_asked_for(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    error = InputError("something is wrong", code="some.fault", where=Where("a.toml", 3), found="x")
    assert run_failing(monkeypatch, error, "--json") == 3
    assert json.loads(capsys.readouterr().out) == {
        "error": {
            "code": "some.fault",
            "what": "something is wrong",
            "exit_code": 3,
            "where": {"file": "a.toml", "line": 3},
            "found": "x",
        }
    }


@pytest.mark.parametrize("arguments", [["list", "--zzzz", "--json"], ["rnu", "--json"], ["run", "--json"]])
def test_a_usage_error_is_json_too(arguments: list[str], capsys: Capture) -> None:
    assert outcome(arguments) == 2
    assert json.loads(capsys.readouterr().out)["error"]["exit_code"] == 2


def test_a_fault_of_the_program_is_one_sentence_and_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    assert run_failing(monkeypatch, ZeroDivisionError("division by zero")) == 1
    assert capsys.readouterr().err == (
        "error[internal]: a fault of this program: ZeroDivisionError: division by zero\n"
        "  try:      run it again with --debug and report what it prints, with the input, to the maintainers\n"
    )


def test_debug_lets_the_traceback_through(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ZeroDivisionError):
        run_failing(monkeypatch, ZeroDivisionError("division by zero"), "--debug")


def test_an_interruption_ends_with_130_and_says_so(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    assert run_failing(monkeypatch, KeyboardInterrupt()) == INTERRUPTED == 130
    assert capsys.readouterr().err == "interrupted; nothing was left half written\n"


def test_a_reader_that_has_gone_is_no_error(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setattr(app, "_hang_up", lambda: BROKEN_PIPE)
    assert run_failing(monkeypatch, BrokenPipeError()) == BROKEN_PIPE
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "")


def test_a_closed_pipe_is_silent() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    process = subprocess.run(
        [sys.executable, "-m", "simulate", "list"], stdout=writing, stderr=subprocess.PIPE, check=False, cwd=ROOT
    )
    os.close(writing)
    assert (process.returncode, process.stderr) == (BROKEN_PIPE, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
@pytest.mark.parametrize("options", [[], ["--json"]])
def test_standard_output_that_takes_nothing_is_an_error_in_one_sentence(options: list[str]) -> None:
    with open("/dev/full", "w", encoding="utf-8") as full:
        process = subprocess.run(
            [sys.executable, "-m", "simulate", "list", *options],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            cwd=ROOT,
        )
    assert process.returncode == 7
    assert process.stderr == "error[io]: a file or stream cannot be read or written: no space left on device\n"


def test_streams_that_were_closed_are_no_error() -> None:
    command = f"{sys.executable} -m simulate list <&- >&- 2>&-"
    assert subprocess.run(["sh", "-c", command], check=False, cwd=ROOT).returncode == 0


@pytest.mark.parametrize(
    ("text", "shown"), [("µ\nγ", "µ\nγ"), ("\x1b[31m", "\\x1b[31m"), ("a\tb\x07", "a\\tb\\x07"), ("\u202e", "\\u202e")]
)
def test_control_characters_are_shown_and_not_obeyed(text: str, shown: str) -> None:
    assert printable(text) == shown


@pytest.mark.parametrize(
    "environment",
    [
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"COLUMNS": "1"},
        {"TERM": "dumb"},
        {"NO_COLOR": "1"},
    ],
)
def test_no_terminal_is_needed_and_no_escape_is_printed(environment: dict[str, str]) -> None:
    process = subprocess.run(
        [sys.executable, "-m", "simulate", "list"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        cwd=ROOT,
        env=os.environ | environment,
    )
    assert process.returncode == 0
    assert b"anakinra-100mg-daily" in process.stdout
    assert b"\x1b" not in process.stdout + process.stderr


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_unit_is_the_same_in_every_locale(encoding: str, options: list[str]) -> None:
    process = subprocess.run(
        [sys.executable, "-m", "simulate", "show", "parameters", *options],
        capture_output=True,
        check=True,
        cwd=ROOT,
        env=os.environ | {"PYTHONUTF8": "0", "PYTHONIOENCODING": encoding},
    )
    if options:
        assert json.loads(process.stdout)["parameters"][0]["unit"] == "cell/µL"
    else:
        assert "cell/µL" in process.stdout.decode("latin-1" if encoding == "latin-1" else "utf-8")


def test_long_work_says_what_is_done_and_what_is_left_by_its_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    from rich.console import Console

    from simulate.cli import console

    now = [100.0]
    bar = console.progress_bar(100, "simulating", lambda: now[0])
    (task,) = bar.tasks
    assert task.time_remaining is None
    for done in range(1, 81):
        now[0] += 2.0
        bar.advance(task.id, 1)
        if done >= 10:
            # Two seconds a member, whatever was done before.
            assert task.time_remaining == pytest.approx(2.0 * (100 - done), abs=1.0)
    out = io.StringIO()
    Console(file=out, width=100).print(bar.get_renderable())
    assert re.sub(r"\s*[━╸╺ ]+", " ", out.getvalue()).strip() == "simulating 80/100 0:02:40 passed, 0:00:40 left"


@pytest.mark.parametrize("is_terminal", [True, False])
def test_how_far_a_fit_is_is_told_on_a_terminal_and_elsewhere_twice_a_minute(
    is_terminal: bool, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    from simulate.cli import console
    from simulate.watching import Headway

    now = [0.0]
    monkeypatch.setattr("sys.stderr.isatty", lambda: is_terminal)
    tell = console.paced(lambda: now[0])
    tell("21 numbers are free")
    for second in range(0, 100, 10):
        now[0] = float(second)
        tell(Headway(f"temperature {second}"))
    tell("no fit of `H5` is of today's numbers: it is fitted now")
    told = capsys.readouterr().err.splitlines()
    assert (told[0], told[-1]) == ("21 numbers are free", "no fit of `H5` is of today's numbers: it is fitted now")
    shown = range(0, 100, 10) if is_terminal else (30, 60, 90)
    assert told[1:-1] == [f"temperature {second}" for second in shown]


def test_a_stage_that_slows_down_is_told_by_its_last_minutes() -> None:
    from simulate.cli import console

    now = [0.0]
    bar = console.progress_bar(2000, "simulating", lambda: now[0])
    (task,) = bar.tasks
    for _ in range(1000):
        now[0] += 0.1
        bar.advance(task.id, 1)
    for _ in range(100):
        now[0] += 10.0
        bar.advance(task.id, 1)
    assert task.time_remaining == pytest.approx(10.0 * 900, rel=0.05)


def test_nothing_is_told_of_progress_where_there_is_no_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    from simulate.cli import console

    now = [0.0]
    monkeypatch.setattr(console.time, "monotonic", lambda: now[0])
    with console.progress(100, "simulating") as advance:
        for _ in range(100):
            now[0] += 60.0
            advance(1)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(("seconds", "words"), [(40.0, "40 s"), (90.0, "2 min"), (7200.0, "2.0 h")])
def test_a_time_is_told_in_words_that_suit_it(seconds: float, words: str) -> None:
    from simulate.durations import duration

    assert duration(seconds) == words
