"""PEtab, the format in which parameter estimation problems are exchanged, read into plain values and written from them.

Begin with `problem`, which has the values; `reading` reads either version, `writing` writes the second. A problem is
solved and fitted in `simulate.studies.petab`.
"""
