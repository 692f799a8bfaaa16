"""Fitting the model to what was reported: priors, the trial simulated for points, posterior, predictions.

A point has a coordinate for each free number. Begin with `problem` (what is fitted) and `priors` (what is free), then
`simulated_trial` (from points to what the trial would have seen), `fit`, and the `posterior` that it gives; by `keys`
it is known whether that is of today's numbers. What all fits have in common is in `sampling`, and the samplers are in
`simulate.inference`. Individual data have the files `individual*` in place of `simulated_trial`, and `smooth` in place
of `surrogate`.
"""
