"""Questions asked of a model: scenarios, their runs, and labeled results."""
