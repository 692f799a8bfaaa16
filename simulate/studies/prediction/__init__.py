"""What hypotheses say of what was not measured.

Begin with `questions`, which has what the literature expects; `prediction` answers them by draws of a fit.
"""
