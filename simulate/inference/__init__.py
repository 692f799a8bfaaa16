"""Samplers, optimizers and analyses of functions of arrays: they know nothing of models or patients.

Begin with `target`, a log-likelihood in standard normal coordinates, which is all that a sampler may ask. Draws of its
posterior are made by `smc` (particles) and then `polish` (importance sampling from a mixture fitted to them);
`checkpoint` keeps particles, `diagnostics` judges draws, and `thinning` chooses a few. `search` finds its optimum, and
`profiles` its profiles. For functions with gradients there are `descent` and `walks`. `sensitivity` and `information`
are analyses of their own, and `populations` has ways to make virtual populations.
"""
