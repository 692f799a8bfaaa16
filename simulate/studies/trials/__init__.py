"""The study again and again: as it was, and as it could be."""
