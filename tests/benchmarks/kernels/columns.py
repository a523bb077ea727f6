"""What is measured of a kernel: its gradient by each tool, ready to be called.

In: a module of kernels, one of them and arguments. Out: a function without arguments.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from typing import Any

import s2sad

from .kernel import Kernel

Run = Callable[[], Any]


def under_numpy(module: types.ModuleType, kernel: Kernel, args: tuple[Any, ...]) -> Run:
    df = s2sad.grad(kernel.primal, kernel.argnums)
    return lambda: df(*args)


def under_numba(module: types.ModuleType, kernel: Kernel, args: tuple[Any, ...]) -> Run:
    df = s2sad.grad(kernel.primal, kernel.argnums, backend="numba")
    return lambda: df(*args)


def unchecked(module: types.ModuleType, kernel: Kernel, args: tuple[Any, ...]) -> Run:
    """Without s2sad's check of bounds, as all that others compile."""
    backend = s2sad.Numba(boundscheck=False)
    df = s2sad.grad(kernel.primal, kernel.argnums, backend=backend)
    return lambda: df(*args)


def by_hand(module: types.ModuleType, kernel: Kernel, args: tuple[Any, ...]) -> Run:
    if kernel.by_hand is None:
        raise NotImplementedError("nobody has written it")
    df = compiled(kernel.by_hand) if kernel.compiled else kernel.by_hand
    return lambda: df(*args)


def under_jax(module: types.ModuleType, kernel: Kernel, args: tuple[Any, ...]) -> Run:
    import jax

    jax.config.update("jax_enable_x64", True)
    import jax.numpy as jnp

    if kernel.jax is None:
        raise NotImplementedError(kernel.remark)
    if kernel.jax == "same":
        f = rebound(module, kernel.primal, {"np": jnp})
    else:
        f = module.under_jax()[kernel.jax]
    df = jax.jit(jax.grad(f, kernel.argnums), static_argnums=kernel.static)
    given = tuple(
        arg if n in kernel.static else jax.tree_util.tree_map(jnp.asarray, arg)
        for n, arg in enumerate(args)
    )
    return lambda: jax.block_until_ready(df(*given))


def under_autograd(module: types.ModuleType, kernel: Kernel, args: tuple[Any, ...]) -> Run:
    import autograd
    import autograd.numpy as anp

    df = autograd.grad(rebound(module, kernel.primal, {"np": anp}), kernel.argnums)
    return lambda: df(*args)


def rebound(
    module: types.ModuleType, f: Callable[..., Any], names: dict[str, Any]
) -> Callable[..., Any]:
    """``f`` with other things behind some names, and so the functions of its module it calls."""
    namespace = dict(vars(module), **names)
    for name, value in own_functions(module).items():
        namespace[name] = types.FunctionType(
            value.__code__, namespace, name, value.__defaults__, value.__closure__
        )
    return namespace[f.__name__]


def compiled(f: Callable[..., Any]) -> Callable[..., Any]:
    """``f`` compiled by Numba with the functions of its module that it calls; as s2sad compiles,
    but for the check of bounds, which is nobody's but s2sad's."""
    import numba

    module = sys.modules[f.__module__]
    copy = rebound(module, f, {})
    for name in own_functions(module):
        jitted = numba.njit(copy.__globals__[name], error_model="numpy")
        copy.__globals__[name] = jitted
    return copy.__globals__[f.__name__]


def own_functions(module: types.ModuleType) -> dict[str, types.FunctionType]:
    return {
        name: value
        for name, value in vars(module).items()
        if isinstance(value, types.FunctionType) and value.__module__ == module.__name__
    }


COLUMNS: dict[str, Callable[[types.ModuleType, Kernel, tuple[Any, ...]], Run]] = {
    "s2sad": under_numpy,
    "s2sad, Numba": under_numba,
    "unchecked": unchecked,
    "by hand": by_hand,
    "JAX": under_jax,
    "autograd": under_autograd,
}
