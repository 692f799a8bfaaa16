"""What was reported: statements as typed data, their arithmetic, and how likely simulated patients make them.

A statement is judged by what a trial would have seen (`trial_observations`); how that was simulated, and what is free
in a fit, is not known here. Begin with `items`, then `likelihoods`; a kind of statement is a class in `kinds`.

`observations` has what was reported, as flat rows; `trial_observations` what a trial would observe of virtual patients.
A `Reading` of an item is one way to understand its statement; readings of patients are what an assay gave.
"""
