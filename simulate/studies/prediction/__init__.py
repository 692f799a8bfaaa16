"""What hypotheses say of what was not measured."""
