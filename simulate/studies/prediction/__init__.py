"""Predictions: what each hypothesis expects of measurements that nobody has made.

Begin with `questions`, which has what the literature expects; `prediction` answers them by draws of a fit.
"""
