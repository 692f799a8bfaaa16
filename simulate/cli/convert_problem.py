"""``simulate convert … -o problem.yaml``: estimation problems in PEtab of version 2."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ProblemOptions:
    """What the command line says of a problem."""

    hypothesis: str | None
    arm: str | None
    settings: list[str]
    end: str | None
    time: str | None
    data: Path | None
    estimate: list[str]
    fit: Path | None


def convert_problem(file: Path, out: Path, asked: ProblemOptions, *, force: bool, as_json: bool) -> None:
    """Write the problem, and print what it is and what is left out."""
    from simulate.cli.console import print_json, print_text, say
    from simulate.cli.options import chosen_settings
    from simulate.inputs import noted, noting
    from simulate.studies.petab.restating import write_problem
    from simulate.studies.petab.sources import stated_problem

    with noting():
        found = stated_problem(
            file,
            out.name,
            data=asked.data,
            hypothesis=asked.hypothesis,
            settings=chosen_settings(asked.settings),
            arm=asked.arm,
            end=asked.end,
            time=asked.time,
            estimate=asked.estimate,
            fit=asked.fit,
        )
        write_problem(found, out, read=tuple(noted()), force=force)
    counts = {
        "parameters": len(found.problem.parameters),
        "sought": len(found.problem.estimated),
        "experiments": len(found.problem.experiments),
        "observables": len(found.problem.observables),
        "measurements": len(found.problem.measurements),
    }
    if as_json:
        print_json(
            {
                "file": str(out),
                "version": found.problem.version,
                **counts,
                "log_likelihood": found.log_likelihood,
                "left_out": list(found.left_out),
            }
        )
        return
    for line in found.left_out:
        say(f"left out: {line}")
    shown = ", ".join(f"{count} {name}" for name, count in counts.items())
    told = "it cannot be solved at the nominal values"
    if found.log_likelihood is not None:
        told = f"log-likelihood {found.log_likelihood:.6f} at the nominal values, as of what it was made of"
    print_text(f"wrote {out}: PEtab of version 2, {shown}; {told}")
