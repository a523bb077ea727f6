"""Products of matrices in tiles that stay in registers.

In: the LLVM module of a function that multiplies matrices. Out: the same module with one more
function, which adds up a tile of the result at a time::

    for 16 columns j of b, copied side by side:      (8 lanes, of which 2 make a row of a tile)
        for 8 rows i of a:
            for k: c[i, j] += a[i, k] * b[k, j]      16 accumulators

BLAS needs operands without gaps, takes long to begin and may not know the vectors of this
processor; a tile takes any steps, so that transposed matrices and slices are not copied. Products
so large that threads and caches matter more than the beginning are left to BLAS.
"""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass
from typing import Any

from llvmlite import ir
from numba.core import cgutils
from numba.np import linalg

from .blas_calls import Matrix, leave_to_blas

__all__ = ["product_function"]

#: From how many multiplications on BLAS is asked, which takes all processors: where there are no
#: more than two, where there are more, and where registers have fewer than eight lanes, which BLAS
#: makes better use of.
_MOST, _MANY, _SOME = 1 << 28, 1 << 22, 1 << 15
#: How many rows of b are copied at a time: with 16 columns they fit into the nearest cache.
_DEEP = 128
#: With so many rows in a, or fewer, columns of b that lie side by side are not worth copying.
_FEW_ROWS = 64

_SIZE = ir.IntType(64)
_INDEX = ir.IntType(32)


@dataclass(frozen=True, slots=True)
class _Tile:
    """Rows of the result, and vectors of lanes in each: they stay in registers."""

    rows: int
    vectors: int
    lanes: int

    @property
    def columns(self) -> int:
        """How many columns a tile has."""
        return self.vectors * self.lanes


def _tile(features: str) -> _Tile:
    """The tile for a processor, by how wide its registers are and how many it has."""
    known = features.split(",")
    if "+avx512f" in known:
        return _Tile(8, 2, 8)
    return _Tile(6, 2, 4) if "+avx" in known else _Tile(4, 2, 2)


def _most_by_tiles(tile: _Tile) -> int:
    """From how many multiplications on BLAS is faster."""
    if tile.lanes < 8:
        return _SOME
    usable = getattr(os, "sched_getaffinity", None)
    processors = len(usable(0)) if usable else os.cpu_count() or 1
    return _MOST if processors <= 2 else _MANY


@functools.cache
def _has_blas() -> bool:
    """Whether SciPy is there, and counts in integers of the width that Numba expects."""
    try:
        linalg.ensure_blas()
    except (ImportError, RuntimeError):
        return False
    return True


def product_function(context: Any, module: ir.Module) -> ir.Function:
    """``f(m, n, k, a, row, step, b, row, step, c, row, add)``: c = a @ b, or c += a @ b.

    Addresses and steps are in bytes; the numbers are float64, those of a row of c side by side.
    """
    name = "s2sad_product"
    known = module.globals.get(name)
    if known is not None:
        return known
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [_SIZE] * 12), name)
    function.linkage = "linkonce_odr"
    function.attributes.add("noinline")
    _Writer(function, _tile(context.codegen().magic_tuple()[2])).write()
    return function


class _Writer:
    """Writes the function."""

    def __init__(self, function: ir.Function, tile: _Tile) -> None:
        self.function = function
        self.tile = tile
        self.builder = ir.IRBuilder(function.append_basic_block("entry"))
        self.number = ir.DoubleType()
        self.vector = ir.VectorType(self.number, tile.lanes)
        names = ("m", "n", "k", "a", "a_row", "a_step", "b", "b_row", "b_step", "c", "c_row")
        for name, argument in zip((*names, "add"), function.args, strict=True):
            argument.name = name
            setattr(self, name, argument)

    m: Any
    n: Any
    k: Any
    a: Any
    a_row: Any
    a_step: Any
    b: Any
    b_row: Any
    b_step: Any
    c: Any
    c_row: Any
    add: Any

    def write(self) -> None:
        builder, tile = self.builder, self.tile
        copied = ir.ArrayType(self.number, _DEEP * 4 * tile.lanes)
        panel = builder.alloca(copied)
        panel.align = 64
        self.panel = builder.ptrtoint(panel, _SIZE)
        if _has_blas():
            step = _int(8)
            leave_to_blas(
                builder,
                Matrix(self.a, self.a_row, self.a_step, self.m, self.k),
                Matrix(self.b, self.b_row, self.b_step, self.k, self.n),
                Matrix(self.c, self.c_row, step, self.m, self.n),
                self.add,
                _most_by_tiles(tile),
            )
        single = builder.icmp_signed("==", self.m, _int(1))
        with builder.if_then(single, likely=False):
            self.tile = _Tile(1, 4, tile.lanes)
            self.sweep()
            builder.ret_void()
        self.tile = tile
        self.sweep()
        builder.ret_void()

    def sweep(self) -> None:
        """Tile after tile."""
        builder, tile = self.builder, self.tile
        deep = self.at_most(self.k, 1, least=True)
        with cgutils.for_range_slice(builder, _int(0), deep, _int(_DEEP)) as (first, _):
            self.depth = self.at_most(builder.sub(self.k, first), _DEEP)
            self.adding = builder.or_(self.add, first)
            self.a_here = builder.add(self.a, builder.mul(first, self.a_step))
            b_here = builder.add(self.b, builder.mul(first, self.b_row))
            with cgutils.for_range_slice(builder, _int(0), self.n, _int(tile.columns)) as (j, _):
                self.width = self.at_most(builder.sub(self.n, j), tile.columns)
                self.c_here = builder.add(self.c, builder.mul(j, _int(8)))
                self.rows(builder.add(b_here, builder.mul(j, self.b_step)))

    # -- tiles -----------------------------------------------------------------------------------

    def rows(self, b: Any) -> None:
        """All tiles of some columns, with the columns of b copied if that pays."""
        builder, tile = self.builder, self.tile
        self.masks = self.lanes_used()
        near = builder.icmp_signed("==", self.b_step, _int(8))
        few = builder.icmp_signed("<=", self.m, _int(_FEW_ROWS))
        as_is = builder.and_(near, few)
        with builder.if_then(builder.not_(as_is)):
            with builder.if_else(near) as (plain, other):
                with plain:
                    self.copy_rows(b)
                with other:
                    self.copy_numbers(b)
        start = builder.select(as_is, b, self.panel)
        step = builder.select(as_is, self.b_row, _int(8 * tile.columns))
        with cgutils.for_range_slice(builder, _int(0), self.m, _int(tile.rows)) as (i, _):
            self.one_tile(i, start, step)

    def copy_rows(self, b: Any) -> None:
        """Copy columns of b that lie side by side."""
        builder, tile = self.builder, self.tile
        with cgutils.for_range(builder, self.depth) as loop:
            source = self.vectors_at(builder.add(b, builder.mul(loop.index, self.b_row)))
            row = builder.mul(loop.index, _int(8 * tile.columns))
            target = self.vectors_at(builder.add(self.panel, row))
            for v in range(tile.vectors):
                _aligned(builder.store(self.load(source[v], v), target[v]))

    def copy_numbers(self, b: Any) -> None:
        """Copy columns of b, with zeros to their right where they are too few for a tile."""
        builder, tile = self.builder, self.tile
        with cgutils.for_range(builder, _int(tile.columns)) as column:
            source = builder.add(b, builder.mul(column.index, self.b_step))
            target = builder.add(self.panel, builder.mul(column.index, _int(8)))
            there = builder.icmp_signed("<", column.index, self.width)
            with builder.if_else(there) as (copied, padded):
                for block, real in ((copied, True), (padded, False)):
                    with block, cgutils.for_range(builder, self.depth) as row:
                        value = ir.Constant(self.number, 0.0)
                        if real:
                            at = builder.add(source, builder.mul(row.index, self.b_row))
                            value = builder.load(self.pointer(at, self.number))
                        at = builder.mul(row.index, _int(8 * tile.columns))
                        place = self.pointer(builder.add(target, at), self.number)
                        builder.store(value, place)

    def one_tile(self, i: Any, b: Any, b_step: Any) -> None:
        """A tile of c. Rows below the last are the last once more: all of them are the same."""
        builder, tile = self.builder, self.tile
        last = builder.sub(builder.sub(self.m, i), _int(1))
        a_rows, c_rows = [], []
        for r in range(tile.rows):
            row = builder.add(i, self.at_most(last, r))
            a_rows.append(builder.add(self.a_here, builder.mul(row, self.a_row)))
            c_rows.append(builder.add(self.c_here, builder.mul(row, self.c_row)))
        start = self.start(c_rows)
        block = builder.block
        loop = builder.append_basic_block("sum")
        done = builder.append_basic_block("summed")
        some = builder.icmp_signed(">", self.depth, _int(0))
        builder.cbranch(some, loop, done)
        builder.position_at_end(loop)
        index, b_at, a_at = (builder.phi(_SIZE) for _ in range(3))
        for phi, first in ((index, _int(0)), (b_at, b), (a_at, _int(0))):
            phi.add_incoming(first, block)
        sums = [builder.phi(self.vector) for _ in start]
        right = [self.load(p, v) for v, p in enumerate(self.vectors_at(b_at))]
        added: list[Any] = []
        for r in range(tile.rows):
            at = builder.add(a_rows[r], a_at)
            left = self.spread(builder.load(self.pointer(at, self.number)))
            for v in range(tile.vectors):
                added.append(builder.call(self.fma(), [left, right[v], sums[len(added)]]))
        then = builder.add(index, _int(1))
        index.add_incoming(then, loop)
        b_at.add_incoming(builder.add(b_at, b_step), loop)
        a_at.add_incoming(builder.add(a_at, self.a_step), loop)
        for phi, old, new in zip(sums, start, added, strict=True):
            phi.add_incoming(old, block)
            phi.add_incoming(new, loop)
        builder.cbranch(builder.icmp_signed("<", then, self.depth), loop, done)
        builder.position_at_end(done)
        found = [builder.phi(self.vector) for _ in start]
        for phi, old, new in zip(found, start, added, strict=True):
            phi.add_incoming(old, block)
            phi.add_incoming(new, loop)
        for r in range(tile.rows):
            for v, place in enumerate(self.vectors_at(c_rows[r])):
                value = found[r * tile.vectors + v]
                mask = self.masks[v]
                builder.call(self.masked_store(), [value, place, ir.Constant(_INDEX, 8), mask])

    def start(self, c_rows: list[Any]) -> list[Any]:
        """What a tile begins with: zeros, or what is in c."""
        builder, tile = self.builder, self.tile
        zero = ir.Constant(self.vector, [0.0] * tile.lanes)
        before = builder.block
        with builder.if_then(builder.icmp_signed("!=", self.adding, _int(0))):
            old = [self.load(p, v) for row in c_rows for v, p in enumerate(self.vectors_at(row))]
            inside = builder.block
        start = []
        for value in old:
            phi = builder.phi(self.vector)
            phi.add_incoming(zero, before)
            phi.add_incoming(value, inside)
            start.append(phi)
        return start

    def lanes_used(self) -> list[Any]:
        """Which lanes of each vector of a tile are columns of c."""
        builder, lanes = self.builder, self.tile.lanes
        kind = ir.VectorType(_SIZE, lanes)
        width = self.spread(self.width)
        columns = [range(v * lanes, (v + 1) * lanes) for v in range(self.tile.vectors)]
        return [builder.icmp_signed("<", ir.Constant(kind, list(c)), width) for c in columns]

    # -- words -----------------------------------------------------------------------------------

    def at_most(self, value: Any, bound: int, *, least: bool = False) -> Any:
        builder = self.builder
        first = builder.icmp_signed(">" if least else "<", value, _int(bound))
        return builder.select(first, value, _int(bound))

    def load(self, place: Any, v: int) -> Any:
        """A vector of numbers, with zeros right of the last column."""
        zero = ir.Constant(self.vector, [0.0] * self.tile.lanes)
        args = [place, ir.Constant(_INDEX, 8), self.masks[v], zero]
        return self.builder.call(self.masked_load(), args)

    def pointer(self, address: Any, kind: Any) -> Any:
        return self.builder.inttoptr(address, kind.as_pointer())

    def vectors_at(self, address: Any) -> list[Any]:
        first = self.pointer(address, self.vector)
        return [self.builder.gep(first, [_int(v)]) for v in range(self.tile.vectors)]

    def spread(self, value: Any) -> Any:
        """The same in all lanes."""
        kind = ir.VectorType(value.type, self.tile.lanes)
        none = ir.Constant(kind, ir.Undefined)
        one = self.builder.insert_element(none, value, ir.Constant(_INDEX, 0))
        same = ir.Constant(ir.VectorType(_INDEX, self.tile.lanes), [0] * self.tile.lanes)
        return self.builder.shuffle_vector(one, none, same)

    def fma(self) -> Any:
        kind = ir.FunctionType(self.vector, [self.vector] * 3)
        return self.intrinsic(f"llvm.fmuladd.v{self.tile.lanes}f64", kind)

    def masked_load(self) -> Any:
        kind = ir.FunctionType(
            self.vector, [self.vector.as_pointer(), _INDEX, self.mask(), self.vector]
        )
        return self.intrinsic(f"llvm.masked.load.v{self.tile.lanes}f64.p0", kind)

    def masked_store(self) -> Any:
        kind = ir.FunctionType(
            ir.VoidType(), [self.vector, self.vector.as_pointer(), _INDEX, self.mask()]
        )
        return self.intrinsic(f"llvm.masked.store.v{self.tile.lanes}f64.p0", kind)

    def mask(self) -> Any:
        return ir.VectorType(ir.IntType(1), self.tile.lanes)

    def intrinsic(self, name: str, kind: Any) -> Any:
        return cgutils.get_or_insert_function(self.function.module, kind, name)


@functools.cache
def _int(value: int) -> ir.Constant:
    return ir.Constant(_SIZE, value)


def _aligned(access: Any) -> Any:
    """A load or a store of a vector that is aligned no better than a number."""
    access.align = 8
    return access
