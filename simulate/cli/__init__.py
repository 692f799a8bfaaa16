"""The command line: one verb a file, loaded on use; no science lives here.

A file declares the options of its verb, hands them to the function of the same name in `simulate.api`, and shows what
that gives. Begin with `predict`, which is all of that in a page; `app` finds the verb, `options` and `console` are what
they share.
"""
