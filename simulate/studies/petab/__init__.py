"""Estimation problems in PEtab: their model solved under each condition, their objective, and fits.

The format is read and written by `simulate.exchange.petab`. Begin with `objective`, then `fitting`; `equations` and
`courses` solve a problem, `profiling` and `sampling` go on from a fit, and `stating` makes problems of what this
program has.
"""
