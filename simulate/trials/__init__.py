"""What a trial was: the value `TrialDesign` and its file; and individual data with theirs.

Arms, visits, assays and outcomes as they were planned. Nothing is simulated: `simulate.studies.fitting` treats
virtual patients so, and `simulate.studies.power` repeats it. Begin with `design`; `reading` has the keys of the
file.
"""
