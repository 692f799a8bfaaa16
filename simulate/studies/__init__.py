"""Questions asked of a model: scenarios, their runs, and labeled results.

Begin with `scenario` (a file as a value), then `runs` (its names resolved, a cohort drawn and simulated) and `datasets`
(labeled arrays); the other files here read such a run, or ask a smaller question. Each folder is a larger one:
`sweeps` and `dose_response` vary a scenario, `fitting`, `comparison` and `prediction` hold hypotheses against a
trial, `power` and `measuring` plan studies, `petab` fits problems of other programs. No figure is made and nothing is
printed here.
"""
