"""The race as a picture: trajectories a second of every engine, from what `race.py --json` printed.

python benchmarks/race.py --json > race.json
python benchmarks/race_figure.py race.json docs/figures/race.png
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import FuncFormatter, NullFormatter

from simulate.figures.style import MILLIMETER, WIDTH, color, plain_number, styled

_ROW_HEIGHT, _AXIS_HEIGHT = 7.0, 14.0


def race_figure(results: list[dict[str, Any]]) -> Figure:
    """Draw the engines that were accurate enough, fastest first, on a logarithmic axis."""
    shown = [result for result in results if result["trajectories_per_second"] and result["accurate"]]
    shown.sort(key=lambda result: result["trajectories_per_second"])
    with styled():
        size = (WIDTH * MILLIMETER, (len(shown) * _ROW_HEIGHT + _AXIS_HEIGHT) * MILLIMETER)
        figure = Figure(figsize=size, layout=ConstrainedLayoutEngine(w_pad=0.03, h_pad=0.03))
        axes = figure.subplots()
        for place, result in enumerate(shown):
            own = result["engine"] == "il1sim"
            rate = result["trajectories_per_second"]
            marker = "|" if result["engine"] == "floor" else "o"
            axes.plot(rate, place, marker, color=color(0 if own else 1), markersize=5)
            text = f"{rate:.0f}" if rate >= 100.0 else f"{rate:.3g}"
            axes.annotate(text, (rate, place), (6, 0), textcoords="offset points", va="center")
        names = ["floor: " + result["method"] if result["engine"] == "floor" else _name(result) for result in shown]
        axes.set_yticks(range(len(shown)), names)
        axes.set_ylim(-0.7, len(shown) - 0.3)
        axes.set_xscale("log")
        low, high = axes.get_xlim()
        axes.set_xlim(low, high * 2.5)
        axes.xaxis.set_major_formatter(FuncFormatter(plain_number))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set_xlabel("trajectories a second on one core, every recorded value within 1e-5")
        axes.grid(axis="x", linewidth=0.4, alpha=0.5)
    return figure


def _name(result: dict[str, Any]) -> str:
    return f"{result['engine']}: {result['method']}"


def main() -> None:
    """Read the results, draw and save."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("results", type=Path, help="what race.py --json printed")
    parser.add_argument("picture", type=Path)
    arguments = parser.parse_args()
    document = json.loads(arguments.results.read_text(encoding="utf-8"))
    race_figure(document["engines"] + document["others"]).savefig(arguments.picture, dpi=150)


if __name__ == "__main__":
    main()
