"""How an effect depends on the dose: a sweep over doses, reduced to curves.

Begin with `responses`; what is simulated is left to `simulate.studies.sweeps`, and `reduction` and `emax` see arrays
only.
"""
