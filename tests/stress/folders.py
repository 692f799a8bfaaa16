"""Commands in pairs on one folder, with signals at any moment: ``python -m tests.stress.folders SECONDS SEED``.

Everything is loaded once; each command is a fork. A signal comes after a random time, or before or after one of the
calls by which a process changes a disk. Then it is looked at what is there: who ended with 0 has a result, a finished
run is still one or was replaced by a finished one, and `runs gc` leaves nothing but results.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulate import disk, locks, store
from simulate.cli.app import main as command
from simulate.cli.app import outcome
from simulate.errors import InputError
from simulate.files import file_hash
from simulate.inference import checkpoint
from simulate.interruption import heed
from simulate.manifest import read_manifest
from simulate.studies.comparison import fits
from tests.faults.small import write_files

CALLS = ("mkdir", "rmdir", "unlink", "rename", "replace", "open", "fsync", "truncate", "ftruncate", "chmod", "write")
SIGNALS = (signal.SIGKILL, signal.SIGKILL, signal.SIGINT, signal.SIGTERM)
ALLOWED = {0, 3, 6, 128 + signal.SIGINT, 128 + signal.SIGTERM, -signal.SIGKILL}
"""How a command may end: 1 and 7 are faults of the program here."""


@dataclass(frozen=True)
class Command:
    """Words of a command line, the key of what it makes, if it makes something, and whether it may replace another."""

    words: tuple[str, ...]
    key: str | None = None
    force: bool = False


def main(seconds: float, seed: int) -> None:
    """Begin pairs of commands, end some, look, and print how often."""
    with tempfile.TemporaryDirectory() as top:
        os.chdir(top)
        scenario = write_files(Path(top))
        said = silence()
        try:
            tried = tortured(prepared(scenario), seconds, seed)
        finally:
            # What ends this process is for its reader.
            os.dup2(said, 2)
    print(json.dumps(tried), file=sys.__stdout__, flush=True)


def tortured(commands: Sequence[Command], seconds: float, seed: int) -> Counter[str]:
    """How often each pair was tried."""
    chance = random.Random(seed)
    tried: Counter[str] = Counter()
    until = time.monotonic() + seconds
    before: str | None = None
    while time.monotonic() < until or tried.total() < 5:
        pair = chance.choices(commands, k=2)
        pending = [begin(one, chance) for one in pair]
        codes = [finished(*one, chance) for one in pending]
        tried[" + ".join(sorted(one.words[0] for one in pair))] += 1
        told = f"seed {seed}, pair {tried.total()}: " + "; ".join(
            f"{' '.join(one.words)} -> {code}" for one, code in zip(pair, codes, strict=True)
        )
        before = judged(pair, codes, before, told)
        if chance.random() < 0.1:
            remove_all()
            before = None
    return tried


def silence() -> int:
    """Let what the commands say be kept in a file, for their faults; where standard error was."""
    said = os.dup(2)
    nowhere = os.open("faults", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(nowhere, 2)
    sys.stdout = open(os.devnull, "w", encoding="utf-8")
    return said


def prepared(scenario: Path) -> list[Command]:
    """Commands with the keys of what they make, each of which was run once in a folder of its own."""
    runs = [("run", str(scenario), "--no-figures", "--seed", seed) for seed in ("1", "2")]
    sweeps = [
        ("sweep", str(scenario), "--over", "k=0.2:0.8:4", "--part-size", "3", "--seed", seed) for seed in ("1", "2")
    ]
    found: list[Command] = []
    for words in (*runs, *sweeps):
        assert outcome([*words, "--out", "alone", "--force"]) == 0, words
        manifest = read_manifest(Path("alone"))
        assert manifest is not None
        key = str(manifest["key"])
        found.append(Command((*words, "--out", "runs/here"), key))
        found.append(Command((*words, "--out", "runs/here", "--force"), key, force=True))
    assert outcome(["runs", "gc", "."]) == 0
    fits.fit = slow_fit  # type: ignore[assignment]
    import simulate.studies.fitting.before

    simulate.studies.fitting.before.before_fit = lambda problem: []  # type: ignore[assignment]
    for hypothesis in ("H0", "H1"):
        found.append(Command(("fit", "--hypothesis", hypothesis, "--out", "runs/fit"), f"fit {hypothesis}"))
    found += [Command(("runs", "gc", "runs")), Command(("runs", "gc", "runs"))]
    found += [Command(("runs", "resume", "runs/here")), Command(("runs", "gc", "runs", "--unfinished"))]
    return found


def slow_fit(problem: Any, settings: Any, *, folder: Path, **_: object) -> Any:
    """Generations that take no time to find, kept as those of a fit are; the shipped result in the end."""
    from simulate.inference.smc import sample
    from simulate.studies.fitting.keys import fit_key
    from simulate.studies.fitting.posterior import shipped_posterior
    from tests.inference.targets import DIMENSION, gaussian

    key = fit_key(problem, settings)
    if checkpoint.load(folder / "run-1.npz", key) is None:
        generation = sample(gaussian().target, DIMENSION, particles=20, seed=1)
        for _ in range(5):
            checkpoint.save(folder / "run-1.npz", generation, key)
            heed()
            time.sleep(0.01)
    import dataclasses

    return dataclasses.replace(shipped_posterior(problem.hypothesis), key=key)


def begin(one: Command, chance: random.Random) -> tuple[int, bool]:
    """A fork that runs a command, and whether it is to get a signal after a while; it may give itself one."""
    own_call = chance.randrange(1, 60) if chance.random() < 0.5 else 0
    number, after = chance.choice(SIGNALS), chance.random() < 0.5
    process = os.fork()
    if process:
        return process, not own_call and chance.random() < 0.6
    try:
        if own_call:
            trap(own_call, number, after=after)
        command(list(one.words))
    except SystemExit as ending:
        os._exit(int(str(ending.code or 0)))
    finally:
        os._exit(1)


def trap(call: int, number: int, *, after: bool) -> None:
    """Send this process a signal before or after one of its calls to the system."""
    left = call

    def trapped(act: Callable[..., Any]) -> Callable[..., Any]:
        def acting(*arguments: Any, **options: Any) -> Any:
            nonlocal left
            left -= 1
            if left == 0 and not after:
                os.kill(os.getpid(), number)
            result = act(*arguments, **options)
            if left == 0 and after:
                os.kill(os.getpid(), number)
            return result

        return acting

    for name in CALLS:
        setattr(os, name, trapped(getattr(os, name)))
    exchange = trapped(disk.exchange)
    store.exchange = exchange


def finished(process: int, wanted: bool, chance: random.Random) -> int:
    """Exit code of a process, which gets a signal at a random moment if it is wanted."""
    if wanted:
        time.sleep(chance.uniform(0.0, 0.4))
        # It may have ended by itself.
        os.kill(process, chance.choice(SIGNALS))
    end = time.monotonic() + 120.0
    while time.monotonic() < end:
        done, status = os.waitpid(process, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.002)
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)
    raise SystemExit("a command hangs")


def judged(pair: Sequence[Command], codes: Sequence[int], before: str | None, told: str) -> str | None:
    """Key of the finished run that is there now; ends the program if that is not as it must be."""
    if not set(codes) <= ALLOWED:
        raise SystemExit(f"an exit code: {told}\n{Path('faults').read_text(encoding='utf-8')[-3000:]}")
    now = key_there(Path("runs/here"), told)
    makers = [(one, code) for one, code in zip(pair, codes, strict=True) if one.words[0] in ("run", "sweep")]
    made = {one.key for one, code in makers if code == 0}
    if (made or before) and now is None:
        raise SystemExit(f"a finished run has gone: {told}")
    if made and now not in {one.key for one, _ in makers}:
        raise SystemExit(f"another run than those that were made: {told}")
    if len(makers) == 1 and made and now not in made:
        raise SystemExit(f"not the run that was made: {told}")
    if before is not None and now != before and now not in {one.key for one, _ in makers if one.force}:
        raise SystemExit(f"a run was replaced without being asked: {told}")
    for one, code in zip(pair, codes, strict=True):
        if one.words[0] == "fit" and code == 0 and not Path("runs/fit/fit.json").is_file():
            raise SystemExit(f"no result of a fit: {told}")
    if outcome(["runs", "gc", "runs"]) not in (0,):
        raise SystemExit(f"gc fails: {told}")
    left = [path.name for path in Path("runs").rglob(".il1sim-*") if path.suffix != ".next" and path.name != locks.LOCK]
    if left:
        raise SystemExit(f"left behind: {left}: {told}")
    after = key_there(Path("runs/here"), told)
    if after != now and (now is not None or after is None):
        raise SystemExit(f"gc removed a run: {told}")
    return after


def key_there(folder: Path, told: str) -> str | None:
    """Key of a finished run, each of whose files is as it was written."""
    try:
        manifest = read_manifest(folder)
    except InputError:
        raise SystemExit(f"a damaged manifest: {told}") from None
    if manifest is None:
        return None
    for name, digest in manifest["files"].items():
        if not (folder / name).is_file() or file_hash(folder / name) != digest:
            raise SystemExit(f"{name} is not whole: {told}")
    return str(manifest["key"])


def remove_all() -> None:
    import shutil

    shutil.rmtree("runs", ignore_errors=True)


if __name__ == "__main__":
    main(float(sys.argv[1]), int(sys.argv[2]))
