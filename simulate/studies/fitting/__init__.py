"""Fitting the model to what was printed: priors, the trial simulated for points, posterior, predictions.

A point has a coordinate for each free number. Begin with `trial` (a `Problem`, and from points to what the trial
would have seen), then `fit` and the `posterior` that it gives; samplers are in `simulate.inference`. Individual data
have the files `individual*`, `marginal` and `virtual` in place of `trial`.
"""
