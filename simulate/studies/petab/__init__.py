"""Estimation problems in PEtab: their model solved under each condition, their objective, and fits.

The format is read and written by `simulate.exchange.petab`. Begin with `objective`, then `slopes` (what is minimized)
and `fitting`. `equations`, `periods` and `courses` solve a problem; `profiling` and `sampling` go on from a fit, and
`outcomes` has what they give. `stating` makes problems of what this program has (`sources`, `armtable`, `sought`), and
`restating` writes problems of either version.
"""
