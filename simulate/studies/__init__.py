"""Questions asked of a model: scenarios, their runs, and labeled results.

Begin with `scenario`, the value of a scenario file.

What is asked
    `scenario`, with its parts `treatments` (arms), `arm_rules` and `settings`; `models`, `methods` and `table_patients`
    find what it names. `model_time` is the unit of time of a model, `bare_models` makes a scenario of a model alone,
    `unread` refuses keys that an analysis does not read, and `checks` judges files of any kind.
How it is simulated
    `runs` draws a cohort and simulates it; `intervals`, `windows` and `visits` say at which times.
What comes of it
    `datasets` makes and keeps the labeled arrays (`netcdf` is their file); `values` says whose values count.
How results are read
    `paired` (each patient's change since baseline, summed up), `effects` (means of arms and strata), `endpoints` (one
    number of a trajectory), `dose_following` (averages over dosing intervals), `resolution` (what is numerical error).
    Beside them stand readings of patients (`observed`) and printed values (`reported`).
Whether it can be trusted
    `failures`, `verification`, `errors_made`; `replay` repeats one patient; `numbers` has the sources of all numbers.
Smaller questions
    `side_by_side`, `contrast`, `steady_states`, `phase_plane`, `prescriptions`.

Each folder is a larger question: `sweeps`, `dose_response` and `sensitivity` vary a scenario, `fitting`, `comparison`
and `prediction` hold hypotheses against a trial, `virtual` makes populations that match it, `power` and `measuring`
plan studies, `petab` fits problems of other programs. No figure is made and nothing is printed here.
"""
