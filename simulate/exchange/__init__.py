"""Models of other programs: SBML in and out."""
