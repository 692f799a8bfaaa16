"""Pictures of results: one figure a file, each a function from a dataset to a matplotlib figure."""
