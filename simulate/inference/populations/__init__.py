"""Published ways to make a population of plausible patients that matches statistics; plain arrays in and out."""
