"""Which measurement would tell most: a catalogue of what could be measured, and what each is expected to tell.

Begin with `ranking`; `pool` simulates the patients, and `simulate.inference.information` has the estimates.
"""
