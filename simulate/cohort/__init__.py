"""Patients: how a population varies, who is drawn from it, and what is simulated for them.

It knows nothing of trials, evidence or fits: a fit changes a population by values that it hands to `transform`, which
makes patients of uniform numbers keyed by the names of parameters. Begin with `population`, then `transform`, `draws`
and `ensemble`.
"""
