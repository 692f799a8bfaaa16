"""Small estimation problems in PEtab, written for these tests: A turns into B at the rate k."""

from __future__ import annotations

from pathlib import Path

from tests.exchange.models import apply, ci, compartment, math, parameter, reaction, sbml, species

MODEL = sbml(
    Compartments=compartment(1.0),
    Species=species("A") + species("B", concentration=0.0),
    Parameters=parameter("a0", 1.0) + parameter("k", 1.0) + parameter("unused", 1.0),
    InitialAssignments=f'<initialAssignment symbol="A">{math(ci("a0"))}</initialAssignment>',
    Reactions=reaction("J", apply("times", ci("c"), ci("k"), ci("A")), "A", "B"),
)
YAML = """\
format_version: 1
parameter_file: parameters.tsv
problems:
- sbml_files: [model.xml]
  condition_files: [conditions.tsv]
  observable_files: [observables.tsv]
  measurement_files: [measurements.tsv]
"""
FIRST = {
    "problem.yaml": YAML,
    "model.xml": MODEL,
    "parameters": "parameterId parameterScale lowerBound upperBound nominalValue estimate\n"
    "k log10 0.01 10 0.5 1\na0 lin 0 10 2 1\nsigma lin 0.01 10 0.25 0",
    "conditions": "conditionId\nc0",
    "observables": "observableId observableFormula noiseFormula\no A sigma",
    "measurements": "observableId simulationConditionId time measurement\no c0 0 2.1\no c0 1 1.2\no c0 3 0.5",
}
YAML_2 = """\
format_version: 2.0.0
model_files:
  m:
    location: model.xml
    language: sbml
parameter_files: [parameters.tsv]
condition_files: [conditions.tsv]
experiment_files: [experiments.tsv]
observable_files: [observables.tsv]
measurement_files: [measurements.tsv]
mapping_files: []
"""
SECOND = {
    "problem.yaml": YAML_2,
    "model.xml": MODEL,
    "parameters": "parameterId lowerBound upperBound nominalValue estimate\n"
    "k 0.01 10 0.5 true\na0 0 10 2 true\nsigma 0.01 10 0.25 false",
    "conditions": "conditionId targetId targetValue\nfirst a0 4\nsecond k 1\nsecond A A+1",
    "experiments": "experimentId time conditionId\ne 0 first\ne 2 second",
    "observables": "observableId observableFormula noiseFormula\no A sigma",
    "measurements": "observableId experimentId time measurement\no e 1 2\no e 2 2\no e 3 1",
}


def write_problem(folder: Path, parts: dict[str, str] | None = None, **changed: str) -> Path:
    """Write a problem and give the path of its YAML file; in tables blanks stand for tabs, and `_` for nothing."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in {**(FIRST if parts is None else parts), **changed}.items():
        if name in ("problem", "model"):
            name = {"problem": "problem.yaml", "model": "model.xml"}[name]
        is_table = "." not in name
        content = "\n".join(
            "\t".join("" if cell == "_" else cell for cell in line.split(" ")) for line in text.split("\n")
        )
        (folder / (f"{name}.tsv" if is_table else name)).write_text(content if is_table else text, encoding="utf-8")
    return folder / "problem.yaml"
