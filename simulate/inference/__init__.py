"""Samplers on standard-normal coordinates: they know densities and batches, and nothing of models or patients."""
