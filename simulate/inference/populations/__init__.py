"""Published ways to make a population of plausible patients that matches statistics; plain arrays in and out.

Begin with `target`. Who the patients are, and what is asked of them, is in `simulate.studies.virtual`.
"""
