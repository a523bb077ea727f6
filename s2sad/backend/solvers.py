"""Functions of SciPy that call a function of the program, as expressions.

In: an op whose function is an attribute, and what it reads of the program. Out: the call as the
user would write it, with ``args``.

    integral(a, b, p, function=f)   ->   integrate.quad(f, a, b, args=(p,))[0]
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

from ..ir.nodes import Atom, Op
from .literals import Literals, attribute, call


class Solvers(Literals):
    """Writes calls of solvers; `Expressions` writes what they are given."""

    def atoms(self, atoms: Sequence[Atom]) -> list[ast.expr]:
        """The expressions of atoms."""
        raise NotImplementedError

    def op_implicit_solution(self, op: Op) -> ast.expr:
        """``optimize.root(f, x0, args=(p,)).x``."""
        found = self.solver(op)
        field = op.attrs.get("field")
        return found if field is None else attribute(found, field)

    def op_integral(self, op: Op) -> ast.expr:
        """``integrate.quad(f, a, b, args=(p,))[0]``."""
        field = ast.Constant(op.attrs["field"])
        return ast.Subscript(self.solver(op), field, ast.Load())

    op_integral_error = op_integral

    def op_odeint(self, op: Op) -> ast.expr:
        """``integrate.odeint(f, y0, t, args=(p,))``."""
        y0, t, *free = self.atoms(op.args)
        options = {k: self.constant(v) for k, v in op.attrs.get("options", ())}
        if op.attrs["time_first"]:
            options["tfirst"] = ast.Constant(True)
        if free:
            options = {"args": ast.Tuple(free, ast.Load()), **options}
        function = self.object(op.attrs["function"])
        return call(self.path("scipy.integrate.odeint"), function, y0, t, **options)

    def op_solve_ivp(self, op: Op) -> ast.expr:
        """``integrate.solve_ivp(f, (t0, t1), y0, t_eval=t, args=(p,)).y``."""
        t0, t1, y0, t, *free = self.atoms(op.args)
        options = {"t_eval": t}
        if free:
            options["args"] = ast.Tuple(free, ast.Load())
        options |= {k: self.constant(v) for k, v in op.attrs.get("options", ())}
        function = self.object(op.attrs["function"])
        span = ast.Tuple([t0, t1], ast.Load())
        found = call(self.path("scipy.integrate.solve_ivp"), function, span, y0, **options)
        return attribute(found, "y")

    def solver(self, op: Op) -> ast.expr:
        """A function of SciPy called with a function of the program."""
        leading = op.attrs["leading"]
        args = self.atoms(op.args)
        options = {k: self.constant(v) for k, v in op.attrs.get("options", ())}
        if args[leading:]:
            options = {"args": ast.Tuple(args[leading:], ast.Load()), **options}
        return call(
            self.path(op.attrs["solver"]),
            self.object(op.attrs["function"]),
            *args[:leading],
            **options,
        )
