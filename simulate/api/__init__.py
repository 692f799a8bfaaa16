"""The verbs as functions; the command line parses their arguments and prints what they give.

Each reads what it was given, asks `studies`, and gives a `simulate.results.result.Result`; no science and no printing
lives here. Begin with `run` in `simulating`. Beside it are `varying` (sweeps, doses, sensitivities), `exploring`,
`fitting` and `estimating` (fits), `comparing` (hypotheses), `studying` (trials), `inspecting` (what is there already)
and `repeating`; `simulate/verbs.toml` says in which module each verb is.
"""
