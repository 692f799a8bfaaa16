"""Pictures of results: one figure a file, each a function from a dataset or a result to a matplotlib figure.

Nothing is simulated and no file is written here, but by `style.save`, by which all figures look alike and have the
same bytes. Begin with `waterfall`, which is short.
"""

from simulate.aside import without_descriptions

without_descriptions()
