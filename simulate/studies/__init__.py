"""Questions asked of a model: scenarios, their runs, and labeled results.

What is asked is a `scenario`, a file as a value: begin there. Its parts are read by `treatments`, `arm_rules` and
`settings`; `models`, `methods` and `patients` find what it names, `bare_models` makes one of a model alone, `unread`
refuses what an analysis would read past, and `checks` judges files of any kind. `runs` draws a cohort and simulates
it, `intervals` and `windows` say when to look, and `datasets` has the labeled arrays. They are read by `paired`,
`effects`, `endpoints`, `following`, `visits` and `resolution` (how exact a number is), beside what was `observed` and
`reported`; `failures` says who did not reach the end. `verification` and `errors_made` judge the numbers, `replay`
repeats a patient. Smaller questions are `side_by_side`, `contrast`, `steady_states`, `phase_plane` and
`prescriptions`.

Each folder is a larger question: `sweeps`, `dose_response` and `sensitivity` vary a scenario, `fitting`, `comparison`
and `prediction` hold hypotheses against a trial, `virtual` makes populations that match it, `power` and `measuring`
plan studies, `petab` fits problems of other programs. No figure is made and nothing is printed here.
"""
