"""Sweeps: a scenario at every point of a design, the same patients at each.

Begin with `plans`, which works out every arm beforehand; `running` makes them in a directory, part by part, so that
an interrupted sweep goes on to the same bits. What can be varied is in `variations`.
"""
