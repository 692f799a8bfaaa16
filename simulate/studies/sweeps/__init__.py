"""Sweeps: a scenario at every point of a design, the same patients at each."""
