"""Hypotheses held against one another by the evidence of their fits.

Begin with `fits`, which finds or makes them; then `comparison`. Two hypotheses on one page are
`simulate.studies.contrast`.
"""
