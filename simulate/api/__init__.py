"""The verbs as functions; the command line parses their arguments and prints what they give.

Each reads what it was given, asks `studies`, and gives a `simulate.results.result.Result`; no science and no printing
lives here. Begin with `run` in `simulating`. Beside it are `varying` (sweeps, doses, sensitivities), `exploring`,
`fitting` and `estimating` (fits), `reproducing` (what a fit says), `comparing` (hypotheses), `studying` (trials),
`inspecting` (what is there already), `reporting` (run directories) and `repeating`; what they have in common is in
`arguments`, and `simulate/verbs.toml` says in which module each verb is.
"""
