"""Kill a sweep at random moments and compare its bits with those of one left alone: ``python benchmarks/kills.py``.

Each process is killed by SIGKILL, with its workers if it has any: at a random moment of the time that the sweep takes
undisturbed, after a random number of parts, or while results are gathered; the next goes on in the same directory.
Between some of them a part is damaged too.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

COMMAND = (
    sys.executable,
    "-m",
    "simulate",
    "sweep",
    "anakinra-100mg-daily",
    "--over",
    "dose=10:300:16log",
    "--seed",
    "5",
)
PARTS = 480
NAMES = ("results.nc", "quantiles.nc", "summary.csv")


def parts_in(target: Path) -> list[Path]:
    """Finished parts."""
    return sorted((target / "parts").glob("*.part"))


def wait(process: subprocess.Popen[bytes], target: Path, chance: random.Random, seconds: float) -> None:
    """Wait for a random moment: of the whole time, or of that in which parts are written, or while it ends."""
    kind = chance.random()
    if kind < 0.2:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(chance.uniform(0.0, seconds))
        return
    there = len(parts_in(target))
    more = chance.randrange(1, 60) if kind < 0.8 else PARTS
    while process.poll() is None and len(parts_in(target)) < min(there + more, PARTS):
        time.sleep(0.0005)
    if process.poll() is None:
        time.sleep(chance.uniform(0.0, 0.05 if kind < 0.8 else 1.0))


def main() -> None:
    """Run, kill, resume, compare and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    chance = random.Random(arguments.seed)
    command = [*COMMAND, "--patients", "30", "--part-size", "1", "--workers", str(arguments.workers)]
    with tempfile.TemporaryDirectory() as folder:
        whole, killed = Path(folder) / "whole", Path(folder) / "killed"
        begun = time.monotonic()
        subprocess.run([*command, "--out", str(whole)], check=True, stderr=subprocess.DEVNULL)
        seconds = time.monotonic() - begun
        print(f"undisturbed: {seconds:.1f} s")
        done = ended = damaged = 0
        while done < arguments.kills:
            process = subprocess.Popen(
                [*command, "--out", str(killed)], stderr=subprocess.DEVNULL, start_new_session=True
            )
            wait(process, killed, chance, seconds)
            if process.poll() is not None:
                # Finished before its time: begun anew, so that there is something to kill.
                ended += 1
                shutil.rmtree(killed)
                continue
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            done += 1
            parts = parts_in(killed)
            print(f"kill {done}: {len(parts)} parts on disk")
            if parts and chance.random() < 0.25:
                victim = chance.choice(parts)
                content = bytearray(victim.read_bytes())
                content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
                victim.write_bytes(bytes(content))
                damaged += 1
        subprocess.run([*command, "--out", str(killed)], check=True, stderr=subprocess.DEVNULL)
        same = all((whole / name).read_bytes() == (killed / name).read_bytes() for name in NAMES)
        left = sorted(path.name for path in killed.iterdir())
        print(f"{done} kills, {damaged} damaged parts, {ended} times finished before the kill")
        print(f"results {'have the same bytes' if same else 'DIFFER'}; the directory holds {', '.join(left)}")
        raise SystemExit(0 if same else 1)


if __name__ == "__main__":
    main()
