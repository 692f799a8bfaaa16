"""What a trial was: the value `TrialDesign` and its file."""
