"""Mechanisms of the reference model as values, one family a file.

A mechanism says species, reactions and observables in symbols; its numbers are in `parameters/`, and it knows nothing
of patients, doses or solvers. Begin with `cd4`; `reference` says which mechanisms make the model, `hypotheses` what
changes them.
"""
