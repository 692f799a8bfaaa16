"""Results: what a verb found, the one writer of run directories, and what is read from them again.

Begin with `result`: a `Result` has tables, figures, arrays and the provenance from which it can be asked again.
`openings` and `study_openings` say it in sentences; `catalog`, `diff`, `tidy` and `html_report` read directories, of
whichever verb.
"""
