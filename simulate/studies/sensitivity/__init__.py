"""What an endpoint of a scenario depends on.

Begin with `question`, which makes inputs and endpoints of a scenario; the methods are in
`simulate.inference.sensitivity`.
"""
