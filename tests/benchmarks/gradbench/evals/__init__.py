"""The evals: each a primal in plain Python, and its derivatives by s2sad alone."""
