"""NPBench's own programs, differentiated as they stand, beside its own JAX versions.

`checkout` finds the programs, `losses` makes a number of what a program computes, `driver` checks
and times; ``python -m tests.benchmarks.npbench CHECKOUT`` prints the table of docs/benchmarks.md.
"""
