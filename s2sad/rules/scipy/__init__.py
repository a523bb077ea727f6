"""Rules for SciPy, a module for each of its parts; loaded when a program uses that part.

In: nothing. Out: records in the registry, named as SciPy names them: "scipy.special.gammaln",
written ``special.gammaln`` in derivatives.
"""
