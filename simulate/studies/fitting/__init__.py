"""Fitting the model to what was printed: priors, the trial simulated for points, posterior, predictions."""
