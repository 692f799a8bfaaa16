"""Mechanisms of the reference model as values, one family a file."""
