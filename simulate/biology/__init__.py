"""Mechanisms of the reference model as values, one family a file.

A mechanism says species, reactions and observables in symbols; its numbers are in `parameters/`, and it knows nothing
of patients, doses or solvers. Begin with `cd4`; `reference` says which mechanisms make the model. What changes them is
listed in `hypotheses` (H0 to H8) and `options`, and each is in the file whose first line names it; a table of both is
in `docs/reference-model.md`.
"""
