"""What a model is: parts with units, expressions, hypotheses, and their composition into one validated model.

It knows neither arrays nor solvers. Begin with `parts`, then `composition`, where every model is validated, whether it
comes from `simulate.biology` or from a file (`modelfile`). Composition calls `gathering`, `dimensions`, `balance`,
`baseline` and `limits`, and gives a `model`.

Expressions: `grammar` reads text, `functions` and `switching` say what an expression may contain, `printing` writes
text that the grammar reads, and `languages` source of other languages. Files: `modelfile` and `parameterfile` are read,
`modelwriting` writes. `display` shows a model to a reader.
"""

from __future__ import annotations

from simulate.symbolic.balance import residual, violated
from simulate.symbolic.composition import ParameterTable, compose
from simulate.symbolic.dimensions import infer
from simulate.symbolic.display import parameter_rows, show_equations, show_reactions, source_rows
from simulate.symbolic.expressions import hill, parse_expression, print_expression
from simulate.symbolic.hypothesis import NONE, Constraint, Hypothesis
from simulate.symbolic.model import Model, Solved
from simulate.symbolic.modelfile import UserModel, read_hypothesis, read_model, write_model
from simulate.symbolic.parameterfile import check_sources, read_parameters, read_sources
from simulate.symbolic.parts import (
    TIME,
    Balance,
    Condition,
    Definition,
    Event,
    Grade,
    Mechanism,
    Observable,
    Parameter,
    Reaction,
    Route,
    Source,
    Species,
    Spread,
    at_baseline,
)
from simulate.symbolic.units import DIMENSIONLESS, Dimension, Unit, convert, parse_quantity, unit

__all__ = [
    "DIMENSIONLESS",
    "NONE",
    "TIME",
    "Balance",
    "Condition",
    "Constraint",
    "Definition",
    "Dimension",
    "Event",
    "Grade",
    "Hypothesis",
    "Mechanism",
    "Model",
    "Observable",
    "Parameter",
    "ParameterTable",
    "Reaction",
    "Route",
    "Solved",
    "Source",
    "Species",
    "Spread",
    "Unit",
    "UserModel",
    "at_baseline",
    "check_sources",
    "compose",
    "convert",
    "hill",
    "infer",
    "parameter_rows",
    "parse_expression",
    "parse_quantity",
    "print_expression",
    "read_hypothesis",
    "read_model",
    "read_parameters",
    "read_sources",
    "residual",
    "show_equations",
    "show_reactions",
    "source_rows",
    "unit",
    "violated",
    "write_model",
]
