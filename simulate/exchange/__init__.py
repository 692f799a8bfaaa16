"""Files of other programs: models in SBML, Antimony and for R, COMBINE archives, and estimation problems in PEtab.

Everything is read into, or written from, a composed model or plain values; nothing is solved. Begin with `foreign`,
which knows the formats by the names of files; `sbml` and `petab` are rooms of their own.
"""
