"""The verbs as functions; the command line parses their arguments and prints what they give.

Each reads what it was given, asks `studies`, and gives a `simulate.results.result.Result`; no science and no printing
lives here. Begin with `run` in `simulating`; `simulate/verbs.toml` says in which module each verb is.
"""
