"""From a Python function to structured SSA: find the source, then lower it."""
