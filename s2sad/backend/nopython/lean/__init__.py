"""Numba's compiler as emitted code needs it: the same answers from less to compile."""
