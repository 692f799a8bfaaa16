"""Hypotheses held against one another."""
