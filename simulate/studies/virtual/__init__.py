"""Virtual populations: plausible patients made to match what was reported, in published ways, and what they say.

Begin with `populations`; the ways themselves are in `simulate.inference.populations`.
"""
