"""Fitting the model to what was reported: priors, the trial simulated for points, posterior, predictions.

A point has a coordinate for each free number. Begin with `problem` (what is fitted), then `trial` (from points to what
the trial would have seen), `fit` and the `posterior` that it gives; samplers are in `simulate.inference`. Individual
data have the files `individual*` in place of `trial`.
"""
