"""Judge every method on the test problems it is meant for: ``python -m benchmarks.problems [--json]``.

The table gives K, the largest global error in tolerances (rtol of the state and atol of its scale), at each tolerance.
The exit code is 5 if a method is farther off than its problem allows.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict

from benchmarks.problems.judgment import Judgment, judge_all


def table(judgments: Sequence[Judgment]) -> str:
    """A row for each problem and method, in Markdown."""
    tolerances = list(dict.fromkeys(row.rtol for row in judgments))
    lines = [
        f"| problem | method | {' | '.join(f'K at {rtol:.0e}' for rtol in tolerances)} | at most | steps at 1e-06 |"
    ]
    lines.append("|---" * (4 + len(tolerances)) + "|")
    by_pair: dict[tuple[str, str], list[Judgment]] = {}
    for row in judgments:
        by_pair.setdefault((row.problem, row.method), []).append(row)
    for (problem, method), rows in by_pair.items():
        steps = next((row.accepted + row.rejected for row in rows if row.rtol == 1e-6), 0)
        cells = [f"{row.constant:.2g}" + ("" if row.passed else " !") for row in rows]
        lines.append(f"| {problem} | {method} | {' | '.join(cells)} | {rows[0].gate:g} | {steps} |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.problems", description="Judge the methods.")
    parser.add_argument("--json", action="store_true", help="print JSON in place of a table")
    options = parser.parse_args(arguments)
    judgments = judge_all()
    if options.json:
        rows = [{**asdict(row), "constant": row.constant if row.status == "ok" else None} for row in judgments]
        print(json.dumps(rows, indent=2))
    else:
        print(table(judgments))
    broken = [row for row in judgments if not row.passed]
    for row in broken:
        print(f"{row.method} on {row.problem} at {row.rtol:g}: {row.status}, K = {row.constant:.3g}", file=sys.stderr)
    return 5 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
