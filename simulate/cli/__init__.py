"""The command line: one verb a file, loaded on use; no science lives here."""
