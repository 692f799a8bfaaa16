"""The study again and again: as it was, and as it could be.

What a trial is, and its file, is `simulate.trials`; here one is repeated with virtual patients. Begin with `repeats`,
then `power`.
"""
