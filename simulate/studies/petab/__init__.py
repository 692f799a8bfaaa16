"""Estimation problems in PEtab: their model solved under each condition, their objective, and fits."""
