"""Results: what a verb found, the one writer of run directories, and what is read from them again."""
