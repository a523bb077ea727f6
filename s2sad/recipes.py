"""Recipes: how each transform makes the SSA of a derivative from that of the function.

In: the SSA of a function, a `Transform`, what it differentiates. Out: the SSA of the derivative.
Transforms are composed of one another here, on SSA and never on text::

    hvp    =  forward of gradient
    grad of hvp  =  gradient of forward of gradient

``RECIPES`` names them all; a new transform is one more entry. A recipe with ``tangents`` makes a
function that takes, after all of the function's own parameters, one tangent for each parameter
that is differentiated.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .errors import ArgumentError, OutputError

if TYPE_CHECKING:
    from .binding import Layout, Target
    from .ir.nodes import Module
    from .pipeline import Transform
    from .transform.jacobian import Wrt

__all__ = ["RECIPES", "Made", "Recipe", "Request", "recipe_of"]


@dataclass(frozen=True, slots=True)
class Request:
    """What a recipe is asked for: the layout of the function and what is differentiated."""

    layout: Layout
    transform: Transform
    targets: tuple[Target, ...]

    @property
    def name(self) -> str:
        """The function, for messages."""
        return self.layout.function.__qualname__

    @property
    def wrt(self) -> list[int]:
        """The parameters that are differentiated, each once."""
        return list(dict.fromkeys(target.parameter for target in self.targets))


@dataclass(frozen=True, slots=True)
class Made:
    """The SSA of a derivative; ``checked``: the size of the output is left to be checked."""

    module: Module
    checked: bool = False


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one transform is made.

    ``picks``: its result holds what is differentiated with respect to, parameter by parameter, so
    that elements of ``*args`` are picked out of it.
    """

    make: Callable[[Module, Request], Made]
    tangents: bool = False
    picks: bool = True


def recipe_of(name: str) -> Recipe:
    """The recipe of a transform (KeyError if there is none of that name)."""
    return RECIPES[name]


# ------------------------------------------------------------------------------------- reverse


def _gradient(module: Module, asked: Request) -> Made:
    from .checks import check_output
    from .holomorphic import check_holomorphic
    from .transform.adjoint import gradient

    transform = asked.transform
    checked = check_output(asked.name, module.entry, transform.has_aux, transform.holomorphic)
    if transform.holomorphic:
        check_holomorphic(asked.name, module, asked.wrt)
    made = gradient(
        module,
        [target.parameter for target in asked.targets],
        value=checked or transform.name == "value_and_grad",
        has_aux=transform.has_aux,
        single=not transform.many,
    )
    return Made(made, checked)


# ------------------------------------------------------------------------------------- forward


def _jvp(module: Module, asked: Request) -> Made:
    from .transform.forward import forward

    at = len(asked.layout.names)
    return Made(forward(module, asked.wrt, at=at, has_aux=asked.transform.has_aux))


def _derivative(module: Module, asked: Request) -> Made:
    from .ir.kinds import FixedList, Kind, Num, Tuple
    from .ir.nodes import Const
    from .transform.forward import forward

    (target,) = asked.targets
    parameter = module.entry.params[target.parameter]
    kind: Kind = parameter.kind
    if target.key is not None:
        kind = _element(kind, target.key)
    if not isinstance(kind, Num):
        what = "list" if isinstance(kind, FixedList) else type(kind).__name__.lower()
        what = "tuple" if isinstance(kind, Tuple) else what
        raise ArgumentError(
            f"s2sad.derivative is with respect to a number, and {parameter.name!r} of "
            f"{asked.name}() is a {what}: use s2sad.jvp along a direction, or s2sad.jacobian"
        )
    one = Const.of(1.0 + 0j if kind.dtype[0] == "c" else 1.0)
    seed: Any = one if target.key is None else {target.key: one}
    made = forward(
        module,
        [target.parameter],
        value=False,
        seeds=[seed],
        has_aux=asked.transform.has_aux,
        suffix="derivative",
    )
    return Made(made)


def _element(kind: Any, key: int | str) -> Any:
    if isinstance(key, int):
        return kind.items[key]
    return next(k for name, k in kind.items if name == key)


# -------------------------------------------------------------------------------- second order


def _hvp(module: Module, asked: Request) -> Made:
    from .transform.forward import forward

    made = _gradient(module, asked)
    if made.checked:
        raise OutputError(
            f"{asked.name}() returns an array whose size is not known before it runs; "
            "a Hessian needs one number: sum it up"
        )
    return Made(
        forward(
            made.module,
            asked.wrt,
            at=len(asked.layout.names),
            value=False,
            has_aux=asked.transform.has_aux,
            suffix="hvp",
            base=module.entry.name,
        )
    )


def _gauss_newton_product(module: Module, asked: Request) -> Made:
    from .transform.adjoint import gauss_newton

    return Made(
        gauss_newton(
            module,
            [target.parameter for target in asked.targets],
            at=len(asked.layout.names),
            single=not asked.transform.many,
        )
    )


# ----------------------------------------------------------------------------------- Jacobians


def _wrt(asked: Request) -> Wrt:
    from .transform.jacobian import Wrt

    targets = tuple((target.parameter, target.key) for target in asked.targets)
    return Wrt(targets, not asked.transform.many)


def _jacobian(module: Module, asked: Request) -> Made:
    """In reverse mode where the output is one number, forward otherwise."""
    from .ir.kinds import Num

    out = module.entry.out
    if asked.transform.has_aux and out.children:
        out = out.children[0]
    one = out.form == "leaf" and isinstance(module.entry.body.yields[out.index].kind, Num)
    return (_jacrev if one else _jacfwd)(module, asked)


def _jacfwd(module: Module, asked: Request) -> Made:
    from .transform.jacobian import jacobian_forward

    return Made(jacobian_forward(module, _wrt(asked), has_aux=asked.transform.has_aux))


def _jacrev(module: Module, asked: Request) -> Made:
    from .transform.jacobian import jacobian_reverse

    return Made(jacobian_reverse(module, _wrt(asked), has_aux=asked.transform.has_aux))


def _elementwise_grad(module: Module, asked: Request) -> Made:
    from .transform.jacobian import elementwise_gradient

    return Made(elementwise_gradient(module, _wrt(asked), has_aux=asked.transform.has_aux))


def _hessian(module: Module, asked: Request) -> Made:
    """Forward over reverse: the gradient's tangents in all directions at once."""
    from .transform.jacobian import jacobian_forward

    if any(target.key is not None for target in asked.targets):
        raise ArgumentError("s2sad.hessian is with respect to parameters, not elements of *args")
    made = _gradient(module, asked)
    if made.checked:
        raise OutputError(
            f"{asked.name}() returns an array whose size is not known before it runs; "
            "a Hessian needs one number: sum it up"
        )
    return Made(
        jacobian_forward(
            made.module,
            _wrt(asked),
            has_aux=asked.transform.has_aux,
            suffix="hessian",
            base=module.entry.name,
        )
    )


RECIPES: dict[str, Recipe] = {
    "grad": Recipe(_gradient),
    "value_and_grad": Recipe(_gradient),
    "jvp": Recipe(_jvp, tangents=True, picks=False),
    "derivative": Recipe(_derivative, picks=False),
    "hvp": Recipe(_hvp, tangents=True),
    "gauss_newton_product": Recipe(_gauss_newton_product, tangents=True),
    "jacobian": Recipe(_jacobian, picks=False),
    "jacfwd": Recipe(_jacfwd, picks=False),
    "jacrev": Recipe(_jacrev, picks=False),
    "elementwise_grad": Recipe(_elementwise_grad, picks=False),
    "hessian": Recipe(_hessian, picks=False),
}
