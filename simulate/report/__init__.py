"""Results for readers: summary tables, and the run directory in which everything is kept."""
