"""Questions asked of a model: scenarios, their runs, and labeled results.

Begin with `scenario` (a file as a value), then `runs` (its names resolved, a cohort drawn and simulated) and `datasets`
(labeled arrays); the other files here read such a run, or ask a smaller question. Each folder is a larger one:
`sweeps` and `dose_response` vary a scenario, `fitting`, `comparison` and `prediction` hold hypotheses against a
trial, `trials` and `measuring` plan studies. No figure is made and nothing is printed here.
"""
