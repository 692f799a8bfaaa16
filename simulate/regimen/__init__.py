"""What is given to a patient, when: prescriptions in words, explicit doses, and stops for the solver.

Of a model it knows the routes, and of a patient what decides when a dose arrives. Begin with `doses`, which has the
values; `words` and `tables` read them, and `stops` makes of them what the solver is given. Readings of patients that
stand in the same tables are read by `observed`.
"""
