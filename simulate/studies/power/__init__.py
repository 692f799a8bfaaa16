"""Power of a study: a trial repeated many times with virtual patients, as it was and as it could be.

What a trial is, and its file, is `simulate.trials`. Begin with `repeats`, then `power`.
"""
