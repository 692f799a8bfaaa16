"""The verbs as functions; the command line parses their arguments and prints what they give."""
