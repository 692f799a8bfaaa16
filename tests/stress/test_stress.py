"""Harm done at random: for seconds here, and for as long as ``IL1SIM_FUZZ_SECONDS`` says on demand."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SECONDS = float(os.environ.get("IL1SIM_FUZZ_SECONDS", "3"))

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="signals and forks are those of POSIX")


@pytest.mark.parametrize("name", ["cache", "folders"])
def test_no_harm_done_at_random_changes_a_bit_or_loses_a_run(name: str) -> None:
    # On demand from another place each time, which a failure names.
    seed = int.from_bytes(os.urandom(4), "little") if "IL1SIM_FUZZ_SECONDS" in os.environ else 1
    done = subprocess.run(
        [sys.executable, "-m", f"tests.stress.{name}", str(SECONDS), str(seed)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout, f"nothing was said of what was tried: {done.stderr[-3000:]}"
    tried = json.loads(done.stdout.splitlines()[-1])
    assert sum(tried.values()) >= 5
    print(f"{name}: {sum(tried.values())} trials: {tried}")
