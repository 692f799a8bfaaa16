"""The verbs as functions; the command line parses their arguments and prints their results.

Each reads its arguments, asks `studies`, and returns a `simulate.results.result.Result`; no science and no printing
lives here. Begin with `run` in `simulating`. The others are in `varying` (sweep, dose_response, sensitivity),
`exploring` (explore), `fitting` (fit, calibrate, vpop), `estimating` (fits of PEtab problems), `reproducing`
(reproduce), `comparing` (compare, predict, contrast), `studying` (trial, design), `inspecting` (equilibria, audit,
verify, docs), `reporting` (report, tidy) and `repeating` (repeat). What they have in common is in `arguments`;
`simulate/verbs.toml` says in which module each verb is.
"""
