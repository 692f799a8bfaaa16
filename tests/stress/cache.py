"""Harm done to a cache of compiled code, again and again: ``python -m tests.stress.cache SECONDS SEED``.

Whatever becomes of the files, and of the folder under the feet of the process, a function gives the same bits. A signal
would end this process, which is why it is one of its own.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numba import types

from simulate import compiled

SIGNATURE = types.void(types.float64[::1])
START = (0.3, 1.7, 2.9)


def spiral(x: Any) -> None:
    for _ in range(7):
        x[0], x[1] = x[1] / 3.0 - x[0] * x[2], x[0] + x[1] * 0.7
        x[2] = (x[0] * x[0] + x[1] + 2.0) ** 0.5


def decay(x: Any) -> None:
    for index in range(3):
        x[index] = x[index] / (1.0 + 0.3 * x[index]) - index


FUNCTIONS = (spiral, decay)


def answers(folder: Path | None, before: Callable[[], None] = lambda: None) -> tuple[bytes, ...]:
    """Bits that each function gives, compiled or loaded from a folder; ``before`` is called when that is chosen."""
    compiled.cache_directory = lambda: folder  # type: ignore[assignment]
    before()
    found = []
    for function in FUNCTIONS:
        x = np.array(START)
        compiled.compiled(SIGNATURE)(function)(x)
        found.append(x.tobytes())
    return tuple(found)


def flip(chance: random.Random, folder: Path) -> None:
    """Change a few bits of a file, most often of one alone."""
    path = chance.choice(sorted(folder.iterdir()))
    content = bytearray(path.read_bytes())
    for _ in range(chance.choice((1, 1, 1, 2, 50))):
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    path.write_bytes(content)


def cut(chance: random.Random, folder: Path) -> None:
    path = chance.choice(sorted(folder.iterdir()))
    os.truncate(path, chance.randrange(path.stat().st_size))


def swap(chance: random.Random, folder: Path) -> None:
    """Let each of two files have the other's content."""
    one, other = sorted(folder.iterdir())[:2]
    first, second = one.read_bytes(), other.read_bytes()
    one.write_bytes(second)
    other.write_bytes(first)


def replace(chance: random.Random, folder: Path) -> None:
    """Put something else in the place of a file."""
    path = chance.choice(sorted(folder.iterdir()))
    path.unlink()
    kind = chance.randrange(4)
    if kind == 0:
        os.mkfifo(path)
    elif kind == 1:
        path.mkdir()
    elif kind == 2:
        path.symlink_to("/dev/zero")
    else:
        path.write_bytes(chance.randbytes(chance.choice((0, 10, 100_000))))


FILES = (flip, flip, flip, cut, swap, replace)


def exchange(chance: random.Random, folder: Path, whole: Path) -> None:
    """Put something else in the place of the whole folder."""
    shutil.rmtree(folder)
    kind = chance.randrange(4)
    if kind == 0:
        folder.write_bytes(b"no folder")
    elif kind == 1:
        folder.symlink_to(whole)
    elif kind == 2:
        shutil.copytree(whole, folder)
        chance.choice(FILES)(chance, folder)
    # Else it is gone.


def main(seconds: float, seed: int) -> None:
    """Harm, compare and print how often."""
    chance = random.Random(seed)
    tried: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as top:
        whole, folder = Path(top) / "whole", Path(top) / "cache"
        whole.mkdir()
        right = answers(None)
        assert answers(whole) == right
        assert len(list(whole.iterdir())) == len(FUNCTIONS)
        until = time.monotonic() + seconds
        while time.monotonic() < until or len(tried) < 3:
            if folder.is_symlink() or folder.is_file():
                folder.unlink()
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(whole, folder)
            if chance.random() < 0.3:
                name = "folder"
                found = answers(folder, lambda: exchange(chance, folder, whole))
            else:
                harm = chance.choice(FILES)
                name = harm.__name__
                harm(chance, folder)
                found = answers(folder)
            tried[name] += 1
            if found != right:
                raise SystemExit(f"other bits after {name}, seed {seed}, trial {tried.total()}")
    print(json.dumps(tried), flush=True)


if __name__ == "__main__":
    main(float(sys.argv[1]), int(sys.argv[2]))
