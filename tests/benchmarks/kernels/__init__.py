"""Loops over arrays: kernels of the sort scientists write, and what their gradients cost."""
