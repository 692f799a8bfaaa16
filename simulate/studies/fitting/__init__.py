"""Fitting the model to what was printed: priors, the trial simulated for a point, the posterior, and what it predicts."""
