"""Finish: what is done to a derivative that is not differentiated again, for speed alone.

In: the SSA of a derivative that is about to be written out for NumPy. Out: the same program with
work shared that the transforms before could not see was the same::

    small_factors_first      products of numbers and small arrays before those of large ones
    share_products           equal array expressions, computed once
    join_tapes               the tape and its tangent, one list of flat tuples
    sum_outer_products_once  outer products summed by a loop, one matrix product after it

They stand apart from `simplify` because they make sums over lists of what were plain sums, and
keep arrays longer: another transform does better on the program as it was before.
"""

from __future__ import annotations

from dataclasses import replace

from ..ir.nodes import Module, Region
from .join_tapes import join_tapes
from .rows import sum_outer_products_once
from .scaling import small_factors_first
from .share_products import share_products


def finish(module: Module) -> Module:
    """The module with every function made ready to be written out."""
    functions = module.functions.items()
    return Module({name: replace(f, body=_body(f.body)) for name, f in functions})


def _body(body: Region) -> Region:
    shared = share_products(small_factors_first(body))
    return sum_outer_products_once(join_tapes(shared))


__all__ = ["finish"]
