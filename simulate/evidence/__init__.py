"""What was observed: printed statements as typed data, their arithmetic, and how likely simulated people make them."""
