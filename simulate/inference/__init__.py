"""Samplers on standard-normal coordinates: they know densities and batches, and nothing of models or patients.

Begin with `target`, which is all that a sampler may ask; then `smc`, and `polish`, which makes draws of particles.
"""
