"""Which measurement would tell most: a catalogue of what could be measured, and what each is expected to tell."""
