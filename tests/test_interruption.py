"""Ctrl-C ends what runs, at once, whatever it meets on its way."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import NoReturn

import pytest

from simulate import interruption
from simulate.cli.app import INTERRUPTED, TERMINATED, app, outcome
from simulate.compiled import compiled

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals of this kind are those of POSIX")
Capture = pytest.CaptureFixture[str]

SAID = "interrupted; nothing was left half written\n"


@pytest.fixture
def _listening() -> Iterator[None]:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM), sys.unraisablehook
    # Tests that are run in the background are started with it ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    interruption.listen()
    yield
    signal.signal(signal.SIGINT, before[0])
    signal.signal(signal.SIGTERM, before[1])
    sys.unraisablehook = before[2]
    interruption.forget()


def test_who_was_started_with_interruptions_ignored_goes_on_ignoring_them() -> None:
    code = "import os, signal; from simulate import interruption; interruption.listen(); os.kill(os.getpid(), 2)"
    ignored = f"import signal; signal.signal(signal.SIGINT, signal.SIG_IGN); {code}; print('went on')"
    done = subprocess.run([sys.executable, "-c", ignored], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "went on\n")


def lost_and_went_on(number: int) -> None:
    """Be interrupted within a callback of a library, which prints the exception and goes on."""
    ctypes.CFUNCTYPE(None)(lambda: os.kill(os.getpid(), number))()
    time.sleep(10.0)


@pytest.mark.usefixtures("_listening")
@pytest.mark.parametrize(
    ("number", "kind"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, interruption.Terminated)]
)
def test_an_interruption_that_a_library_lost_comes_again(
    number: int, kind: type[BaseException], capsys: Capture
) -> None:
    with pytest.raises(kind):
        lost_and_went_on(number)
    assert capsys.readouterr().err == ""


@pytest.mark.usefixtures("_listening")
def test_code_that_was_compiled_in_spite_of_it_is_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simulate.compiled.cache_directory", lambda: None)

    def nothing() -> None:
        pass

    interruption._asked.append(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        compiled("void()")(nothing)()


@pytest.mark.usefixtures("_listening")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, INTERRUPTED), (signal.SIGTERM, TERMINATED)])
def test_a_command_that_went_on_in_spite_of_it_ends_as_interrupted(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture, number: int, code: int
) -> None:
    def swallow() -> None:
        try:
            os.kill(os.getpid(), number)
            time.sleep(10.0)
        except BaseException:
            return

    monkeypatch.setattr("simulate.cli.list.show_shipped", verb_that(swallow))
    assert outcome(["list"]) == code
    assert capsys.readouterr().err == SAID
    # And the next has not been interrupted.
    monkeypatch.setattr("simulate.cli.list.show_shipped", verb_that(lambda: None))
    assert outcome(["list"]) == 0


def verb_that(act: Callable[[], None]) -> Callable[[], int]:
    def verb() -> int:
        act()
        return 0

    return verb


EARLY = """
import os, runpy, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
class Finder:
    def find_spec(self, name, *rest):
        if name == {module!r}:
            try:
                os.kill(os.getpid(), {number})
            except KeyboardInterrupt:
                # As some modules do with whatever goes wrong while they look for another.
                pass
sys.meta_path.insert(0, Finder())
sys.argv = ["simulate", "list"]
runpy.run_module("simulate", run_name="__main__")
"""


@pytest.mark.parametrize(
    ("module", "number"),
    [("typer", signal.SIGINT), ("simulate.cli.app", signal.SIGTERM), ("simulate.cli.list", signal.SIGINT)],
)
def test_a_command_that_is_interrupted_while_it_is_loaded_says_so_and_has_no_traceback(
    module: str, number: int
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", EARLY.format(module=module, number=int(number))], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (128 + number, SAID)


def test_a_second_interruption_while_the_first_is_answered_has_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    from simulate.cli import app as module

    def again(_: object) -> NoReturn:
        raise KeyboardInterrupt

    handlers: list[object] = []
    monkeypatch.setattr(module, "outcome", again)
    monkeypatch.setattr(module, "listen", lambda: None)
    monkeypatch.setattr(signal, "signal", lambda *given: handlers.append(given))
    monkeypatch.setattr(os, "umask", lambda mask: mask)
    with pytest.raises(SystemExit) as caught:
        module.main([])
    assert caught.value.code == INTERRUPTED
    assert handlers == [(signal.SIGINT, signal.SIG_IGN)]
    assert app is module.app


@pytest.mark.usefixtures("_listening")
def test_who_was_told_not_to_listen_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    interruption.listen()
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_a_mask_of_the_shell_leaves_the_owner_his_files(monkeypatch: pytest.MonkeyPatch) -> None:
    from simulate.cli import app as module

    found: list[int] = []

    def look(_: object) -> int:
        found.append(os.umask(0o022))
        return 0

    monkeypatch.setattr(module, "outcome", look)
    monkeypatch.setattr(module, "listen", lambda: None)
    monkeypatch.setattr(signal, "signal", lambda *given: None)
    before = os.umask(0o777)
    try:
        with pytest.raises(SystemExit):
            module.main([])
    finally:
        os.umask(before)
    assert found == [0o077]


def test_a_name_that_is_not_utf_8_is_refused(capsys: Capture) -> None:
    assert outcome(["run", os.fsdecode(b"caf\xe9.toml")]) == 3
    assert capsys.readouterr().err == (
        "error[usage.encoding]: a name is not UTF-8 text\n  --> caf\\udce9.toml\n"
        "  expected: UTF-8\n  try:      rename the file or folder\n"
    )
