"""Literals: constants of a program as expressions, and the globals they need.

In: a Python object. Out: the literal that makes it, or else a name that the `Namespace` binds.

    -0.5  ->  -0.5      np.float32(2)  ->  np.float32(2.0)      a user's array  ->  array
"""

from __future__ import annotations

import ast
import builtins
import importlib
import math
import types
from typing import Any

import numpy as np

from ..rules.registry import lookup


class Namespace:
    """The globals emitted text refers to, by name."""

    def __init__(self) -> None:
        self.objects: dict[str, Any] = {}
        self.builtins: set[str] = set()

    def name(self, base: str, value: Any) -> str:
        """A name for a global object: ``base`` or, if that means something else, ``base_2``."""
        name, n = base, 1
        while name in self.objects and self.objects[name] is not value:
            n += 1
            name = f"{base}_{n}"
        self.objects[name] = value
        return name

    def builtin(self, name: str) -> ast.expr:
        self.builtins.add(name)
        return load(name)


def load(name: str) -> ast.Name:
    return ast.Name(name, ast.Load())


def call(f: ast.expr, *args: ast.expr, **keywords: ast.expr) -> ast.Call:
    return ast.Call(f, list(args), [ast.keyword(k, v) for k, v in keywords.items()])


def attribute(x: ast.expr, name: str) -> ast.Attribute:
    return ast.Attribute(x, name, ast.Load())


def number(value: int) -> ast.expr:
    constant = ast.Constant(abs(value))
    return ast.UnaryOp(ast.USub(), constant) if value < 0 else constant


class Literals:
    """Writes the constants of one function as expressions."""

    def __init__(self, namespace: Namespace) -> None:
        self.namespace = namespace

    def constant(self, value: Any) -> ast.expr:
        """A literal, or a name in the namespace."""
        cls = type(value)
        if cls is float:
            return self.float(value)
        if cls is int:
            return number(value)
        if cls is complex:
            if value.real == 0.0 and math.copysign(1.0, value.real) > 0 and value.imag >= 0:
                if math.copysign(1.0, value.imag) > 0 and math.isfinite(value.imag):
                    return ast.Constant(complex(0.0, value.imag))
            parts = (self.float(value.real), self.float(value.imag))
            return call(self.namespace.builtin("complex"), *parts)
        if value is None or value is Ellipsis or cls in (bool, str, bytes):
            return ast.Constant(value)
        if cls is tuple:
            return ast.Tuple([self.constant(v) for v in value], ast.Load())
        if cls is list:
            return ast.List([self.constant(v) for v in value], ast.Load())
        if cls is dict:
            items = value.items()
            return ast.Dict(
                [self.constant(k) for k, _ in items], [self.constant(v) for _, v in items]
            )
        if cls is slice:
            parts3 = [self.constant(v) for v in (value.start, value.stop, value.step)]
            return call(self.namespace.builtin("slice"), *parts3)
        if isinstance(value, np.generic) and value.dtype.kind in "biufc":
            return call(self.path("np." + value.dtype.name), self.constant(value.item()))
        if isinstance(value, np.dtype) and value.kind in "biufc":
            return call(self.path("np.dtype"), ast.Constant(value.name))
        return self.object(value)

    def float(self, value: float) -> ast.expr:
        if math.isnan(value):
            return self.path("np.nan")
        sign = math.copysign(1.0, value) < 0
        shown = self.path("np.inf") if math.isinf(value) else ast.Constant(abs(value))
        return ast.UnaryOp(ast.USub(), shown) if sign else shown

    def object(self, value: Any) -> ast.expr:
        """A global that stands for an object without a literal."""
        name = getattr(value, "__name__", None)
        if isinstance(value, types.ModuleType):
            short = {"numpy": "np"}.get(value.__name__, value.__name__.split(".")[-1])
            return load(self.namespace.name(short, value))
        if isinstance(name, str) and getattr(builtins, name, None) is value:
            return self.namespace.builtin(name)
        if isinstance(value, type) and getattr(np, name or "", None) is value:
            return self.path(f"np.{name}")
        known = lookup(value)
        if known is not None and known.fun is value and "." in known.name:
            return self.path(known.name)
        if not (isinstance(name, str) and name.isidentifier()):
            name = {"ndarray": "array"}.get(type(value).__name__, type(value).__name__.lower())
        if not name.isidentifier() or hasattr(builtins, name):
            name = f"{name}_" if name.isidentifier() else "constant"
        return load(self.namespace.name(name, value))

    def path(self, dotted: str) -> ast.expr:
        """``np.linalg.inv`` as an expression; its root enters the namespace."""
        root, *rest = dotted.split(".")
        module = {"np": np, "math": math}.get(root)
        if root == "scipy" and rest[0] != "linalg":  # special.erf, as everyone writes it
            root, *rest = rest
            module = importlib.import_module(f"scipy.{root}")
        elif module is None:
            module = importlib.import_module(root)
        expression: ast.expr = load(self.namespace.name(root, module))
        for part in rest:
            expression = attribute(expression, part)
        return expression
