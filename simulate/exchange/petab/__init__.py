"""PEtab, the format in which parameter estimation problems are exchanged, read into plain values."""
