"""People: how a population varies, who is drawn from it, and what is simulated for them."""
