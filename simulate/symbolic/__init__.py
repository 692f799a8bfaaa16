"""What a model is: parts with units, expressions, hypotheses, and their composition into one validated model.

It knows neither arrays nor solvers. Begin with `parts`, then `composition`, where every model is validated, whether it
comes from `simulate.biology` or from a file (`modelfile`). Composition calls `gathering`, `dimensions`, `balance`,
`baseline` and `limits`, and gives a `model`.

Parts and models are names, units and numbers beside expressions, which are read when wanted where a model comes from an
earlier process (`deferred`): whoever loads `parts`, `model`, `units` and `naming` has not loaded SymPy.

Expressions: `grammar` reads text, `functions` and `switching` say what an expression may contain, `printing` writes
text that the grammar reads, and `languages` source of other languages. Files: `modelfile` and `parameterfile` are read,
`modelwriting` writes. `display` shows a model to a reader.
"""
