"""Figures of results: a function a figure, from a dataset or a result to a matplotlib figure.

Nothing is simulated and no file is written here, but by `style.save`, by which all figures look alike and have the
same bytes. Begin with `waterfall`, which is short.

A file is a figure, but for what figures have in common: `style`, `axes`, `bands` and `few_patients` (lines in place of
bands). `time_course` draws the panels of `panels` (levels) and `changes` (changes since baseline). `responses` has the
figures of a dose-response study by name.
"""

from simulate.aside import without_descriptions

without_descriptions()
