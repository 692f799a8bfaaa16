"""How long a move in the explorer takes, in a browser without a window, and how near its answers are.

``python benchmarks/explorer.py`` makes the page of a scenario, moves the dose ten times under one hypothesis and ten
times with another beside it, without and with missed doses, and prints medians. A time runs from the event of the
slider until charts are drawn again; processor time is that of the workers and of the page for the first answer.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

import simulate

SCENARIO, HYPOTHESES = "anakinra-100mg-daily", ("H1+H6", "H4")
DOSES = (120, 80, 150, 60, 200, 40, 110, 90, 170, 70)
CASES = (
    ("one hypothesis", "-1", 0),
    ("two hypotheses", "1", 0),
    ("one hypothesis, 20 % missed", "-1", 20),
    ("two hypotheses, 20 % missed", "1", 20),
)
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")

# From an event until the page says that all patients are drawn: by the first answer, or refined.
_MOVE = """(dose) => {
  const page = document.documentElement, before = page.dataset.move, slider = document.getElementById("set-dose");
  const begun = performance.now(), keep = () => Array.from(window.explorer.move().found.values(), (one) =>
    [...one.values.entries()].sort((a, b) => a[0] - b[0]).map(([, values]) => Array.from(values)));
  const until = (name) => new Promise((resolve) => {
    const watch = new MutationObserver(() => {
      if (page.dataset.move === before || !page.dataset[name]) return;
      watch.disconnect();
      resolve({ time: performance.now() - begun, values: dose === LAST ? keep() : [] });
    });
    watch.observe(page, { attributes: true });
  });
  window.moved = { first: until("took"), refined: until("refined") };
  slider.value = dose;
  slider.dispatchEvent(new Event("input", { bubbles: true }));
}""".replace("LAST", str(DOSES[-1]))

_MISS = """(percent) => {
  const slider = document.getElementById("set-missing");
  if (Number(slider.value) === percent) return;
  slider.value = percent;
  slider.dispatchEvent(new Event("input", { bubbles: true }));
}"""


def processor_times(root: int) -> dict[str, float]:
    """Seconds that the threads of a browser have worked, those of its workers and of its pages (Linux)."""
    parents: dict[int, int] = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(status.parent.name)] = int(status.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    found = {"workers": 0.0, "page": 0.0}
    for process in parents:
        line = process
        while line not in (0, root):
            line = parents.get(line, 0)
        if line != root:
            continue
        for task in Path(f"/proc/{process}/task").glob("*"):
            try:
                name, spent = (task / "comm").read_text().strip(), (task / "schedstat").read_text().split()[0]
                is_page = (
                    task.name == str(process) and b"--type=renderer" in Path(f"/proc/{process}/cmdline").read_bytes()
                )
            except OSError:
                continue
            if name.startswith("DedicatedWorker"):
                found["workers"] += float(spent) / 1e9
            elif is_page:
                found["page"] += float(spent) / 1e9
    return found


def settled(page: Any) -> None:
    """Wait until a page is refined and knows which parameters matter."""
    page.wait_for_selector('html[data-refined]:not([data-refined=""])', state="attached", timeout=300_000)
    page.locator("#ranking", has_text="Those that move").wait_for(state="attached", timeout=300_000)


def moves(page: Any, root: int) -> list[dict[str, Any]]:
    """What ten moves took, after two that warm up."""
    found = []
    for dose in (100, 105, *DOSES):
        before = processor_times(root)
        page.evaluate(_MOVE, dose)
        first = page.evaluate("window.moved.first")
        # The page rests before it refines, so that what was worked until now was for the first answer.
        after = processor_times(root)
        refined = page.evaluate("window.moved.refined")
        spent = {name: after[name] - before[name] for name in after}
        found.append(
            {
                "first": first["time"],
                "refined": refined["time"],
                **spent,
                "values": (first["values"], refined["values"]),
            }
        )
    return found[2:]


def apart(move: dict[str, Any]) -> list[float]:
    """Of each quantity the largest difference of the first from the refined answer, over a patient's largest value."""
    found = []
    for first, refined in zip(*(map(np.array, answer) for answer in move["values"]), strict=True):
        shape = (len(first), 6, -1)
        a, b = first.reshape(shape), refined.reshape(shape)
        found.append(np.nanmax(np.abs(a - b) / np.abs(b).max(axis=2, keepdims=True), axis=(0, 2)))
    return [float(most) for most in np.max(found, axis=0)]


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--page", type=Path, help="a page that is there, of two hypotheses")
    asked.add_argument("--patients", type=int, default=100)
    given = asked.parse_args()
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        path = given.page or Path(folder) / "page.html"
        if given.page is None:
            simulate.explore(SCENARIO, HYPOTHESES, patients=given.patients, out=path)
        browser = driver.chromium.launch(
            executable_path=next((found for name in BROWSERS if (found := shutil.which(name))), None),
            args=["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else [],
        )
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(f"{path.resolve().as_uri()}#beside=")
        settled(page)
        patients, cores = page.evaluate("[window.explorer.data.patients, navigator.hardwareConcurrency]")
        size, load = path.stat().st_size / 1e6, os.getloadavg()[0]
        print(f"{size:.2f} MB, {patients} patients, {cores} cores of {platform.machine()}, load {load:.1f}")
        for title, beside, missing in CASES:
            page.select_option("#beside", beside)
            page.evaluate(_MISS, missing)
            settled(page)
            found = moves(page, os.getpid())
            times = ("first", "refined", "workers", "page")
            first, refined, workers, own = (statistics.median(move[name] for move in found) for name in times)
            print(f"{title}: {first:.0f} ms to the first answer, {refined:.0f} ms to the refined one")
            print(f"  processor until the first answer: workers {1e3 * workers:.0f} ms, page {1e3 * own:.0f} ms")
            print(f"  first from refined, by quantity: {' '.join(f'{most:.1g}' for most in apart(found[-1]))}")
        browser.close()


if __name__ == "__main__":
    main()
