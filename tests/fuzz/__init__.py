"""Random programs: typed, terminating Python, checked against finite differences on every engine."""
