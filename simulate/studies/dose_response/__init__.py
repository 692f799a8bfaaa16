"""How an effect depends on the dose: a sweep over doses, reduced to curves."""
