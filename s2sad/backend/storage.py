"""Which values may share memory.

In: a function in value semantics (normal form). Out: for every value two sets of abstract places:
``shell``, the object it is itself (an array's buffer, a list's own cells), and ``reach``, what it
holds. A place stands for what one op allocates: one bit for this iteration's object, the next bit
for those of earlier iterations, so that a buffer made anew in each iteration is not confused with
the ones a tape holds.

    u1 = setitem(u, i, v)        shell(u1) = shell(u)
    t1 = append(t0, tuple(u))    reach(t1) contains shell(u)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..ir.kinds import Array, Mixed, Undef
from ..ir.nodes import (
    Atom,
    Call,
    Const,
    For,
    Function,
    If,
    Module,
    Node,
    Op,
    Region,
    Value,
    While,
    regions_of,
    walk,
)
from .ops import (
    ARITHMETIC,
    MAY_PASS,
    READ_ONLY,
    SHARING,
    has_memory,
    holds_memory,
    is_basic_index,
    is_container,
    view_of,
    writes,
)

Places = int  # a bit set

#: What nobody here owns: constants, results of opaque calls.
OUTSIDE: Places = 1


@dataclass(slots=True)
class Storage:
    """The facts: ``shell`` and ``reach`` per value; ``foreign`` are places of someone else."""

    shell: dict[Value, Places] = field(default_factory=dict)
    reach: dict[Value, Places] = field(default_factory=dict)
    foreign: Places = OUTSIDE
    params: Places = 0
    recent: Places = 0
    definitions: dict[Value, Node] = field(default_factory=dict)
    #: the loop of each parameter of its body, and which of the carried values it is
    carried: dict[Value, tuple[For | While, int]] = field(default_factory=dict)
    #: every value's place in the program's order
    order: dict[Value, int] = field(default_factory=dict)

    def shell_of(self, atom: Atom) -> Places:
        if isinstance(atom, Const):
            return OUTSIDE if has_memory(atom.kind) else 0
        return self.shell.get(atom, 0)

    def reach_of(self, atom: Atom) -> Places:
        if isinstance(atom, Const):
            return OUTSIDE if has_memory(atom.kind) else 0
        return self.reach.get(atom, 0)

    def memory_of(self, atom: Atom) -> Places:
        return self.shell_of(atom) | self.reach_of(atom)

    def ageless(self, places: Places) -> Places:
        """The same places with this and earlier iterations not told apart."""
        old = (places >> 1) & self.recent
        new = places & self.recent
        return places | old | (new << 1)


@dataclass(frozen=True, slots=True)
class Summary:
    """What a call's results have to do with its arguments.

    ``shares`` has, per yield, the indices of the parameters it may share memory with;
    ``versions`` maps a yield to the parameter it is the new version of, in the same buffer;
    ``outside`` are the yields that may be, or hold, what nobody owns: a constant, or a broadcast
    array, which cannot be written.
    """

    shares: tuple[frozenset[int], ...]
    versions: Mapping[int, int]
    outside: frozenset[int] = frozenset()


def storage(
    function: Function, summaries: Mapping[str, Summary], functional: frozenset[Op] = frozenset()
) -> Storage:
    """The facts for one function; ``functional`` are the ``add_to`` ops that make new arrays."""
    return _Analysis(function, summaries, functional).run()


def summarize(module: Module) -> dict[str, Summary]:
    """What every function's results may share with its parameters (a fixpoint over recursion)."""
    versions = {name: {k: j for j, k in f.mutates} for name, f in module.functions.items()}
    empty: dict[str, Summary] = {
        name: Summary(tuple(frozenset[int]() for _ in f.body.yields), versions[name])
        for name, f in module.functions.items()
    }
    if len(module.functions) == 1 and not any(
        isinstance(node, Call) for node in walk(module.entry.body)
    ):
        return empty
    summaries = empty
    while True:
        new: dict[str, Summary] = {}
        for name, f in module.functions.items():
            facts = storage(f, summaries)
            bits = [facts.memory_of(p) for p in f.params]
            shares = tuple(
                frozenset(j for j, bit in enumerate(bits) if facts.memory_of(y) & bit)
                for y in f.body.yields
            )
            outside = (k for k, y in enumerate(f.body.yields) if facts.memory_of(y) & OUTSIDE)
            new[name] = Summary(shares, versions[name], frozenset(outside))
        if new == summaries:
            return new
        summaries = new


class _Analysis:
    def __init__(
        self, function: Function, summaries: Mapping[str, Summary], functional: frozenset[Op]
    ) -> None:
        self.function = function
        self.summaries = summaries
        self.functional = functional
        self.facts = Storage()
        self.next_bit = 1
        self.places: dict[Node, Places] = {}
        self.inside: dict[Node, Places] = {}
        self.changed = False

    def run(self) -> Storage:
        facts = self.facts
        consumed = {index for index, _ in self.function.mutates}
        for j, p in enumerate(self.function.params):
            facts.order[p] = j
            bit = 1 << self.next_bit
            self.next_bit += 1
            if has_memory(p.kind):
                facts.shell[p], facts.reach[p] = bit, bit if is_container(p.kind) else 0
            facts.params |= bit
            if j not in consumed:
                facts.foreign |= bit
        self.number(self.function.body)
        loops = any(isinstance(n, For | While) for n in walk(self.function.body))
        while True:
            self.changed = False
            self.region(self.function.body)
            if not (loops and self.changed):
                return facts

    def number(self, region: Region) -> Places:
        """Give every allocating node its place; returns the fresh places of the region."""
        fresh = 0
        order = self.facts.order
        for p in region.params:
            order[p] = len(order)
        for node in region.ops:
            for r in node.results:
                self.facts.definitions[r] = node
                order[r] = len(order)
            inner = 0
            for sub in regions_of(node):
                inner |= self.number(sub)
            if isinstance(node, For | While):
                params = node.body.params[1:] if isinstance(node, For) else node.body.params
                self.facts.carried |= {p: (node, k) for k, p in enumerate(params)}
                self.inside[node] = inner
            elif isinstance(node, Op | Call) and any(has_memory(r.kind) for r in node.results):
                place = 1 << self.next_bit
                self.places[node] = place
                inner = place | place << 2  # itself, and what it holds
                self.facts.recent |= inner
                self.next_bit += 4
            fresh |= inner
        return fresh

    def put(self, value: Value, shell: Places, reach: Places) -> None:
        if not has_memory(value.kind):
            return
        facts = self.facts
        if not holds_memory(value.kind):
            reach = 0
        before = facts.shell.get(value, 0), facts.reach.get(value, 0)
        after = before[0] | shell, before[1] | reach
        if after != before:
            facts.shell[value], facts.reach[value] = after
            self.changed = True

    def region(self, region: Region) -> None:
        for node in region.ops:
            match node:
                case Op():
                    if node in self.places:
                        self.op(node, self.places[node])
                case Call():
                    if node in self.places:
                        self.call(node, self.places[node])
                case If():
                    self.region(node.then)
                    self.region(node.orelse)
                    for k, r in enumerate(node.results):
                        for arm in (node.then, node.orelse):
                            self.copy(r, arm.yields[k])
                case For():
                    self.loop(node, node.body.params[1:], node.body)
                case While():
                    for p, q in zip(node.test.params, node.body.params, strict=True):
                        self.copy(p, q)
                    self.loop(node, node.body.params, node.body)

    def copy(self, value: Value, atom: Atom) -> None:
        if not isinstance(atom.kind, Undef):
            self.put(value, self.facts.shell_of(atom), self.facts.reach_of(atom))

    def loop(self, node: For | While, params: tuple[Value, ...], body: Region) -> None:
        fresh = self.inside[node]
        for p, a in zip(params, node.init, strict=True):
            self.copy(p, a)
        if isinstance(node, While):
            for p, q in zip(node.test.params, params, strict=True):
                self.copy(p, q)
            self.region(node.test)
        self.region(body)
        for p, y, r, a in zip(params, body.yields[1:], node.results, node.init, strict=True):
            if isinstance(y.kind, Undef):
                self.copy(r, a)
                continue
            shell, reach = self.facts.shell_of(y), self.facts.reach_of(y)
            self.put(r, shell, reach)
            self.put(p, _older(shell, fresh), _older(reach, fresh))
            self.copy(r, a)

    def op(self, op: Op, fresh: Places) -> None:
        if op.fn.startswith(("tape_", "stack_")):
            for r in op.results:  # whoever else holds it is not known
                self.put(r, OUTSIDE, OUTSIDE)
            return
        facts, args, result = self.facts, op.args, op.results[0]
        memory = 0
        for a in args:
            memory |= facts.memory_of(a)
        target = writes(op)
        if target is not None and op not in self.functional:
            buffer = args[target]
            held = 0
            if is_container(result.kind):
                for k, a in enumerate(args):
                    held |= facts.memory_of(a) if k != target else 0
            reach = facts.reach_of(buffer) | held
            self.put(result, facts.shell_of(buffer), reach)
            for other in op.results[1:]:
                self.put(other, reach, reach)
            return
        view = view_of(op)
        locked = OUTSIDE if op.fn in READ_ONLY else 0
        if op.fn in ("item", "attr"):
            base = args[0]
            if isinstance(base.kind, Array | Mixed):
                basic = op.fn == "attr" or is_basic_index(args[1], facts.definitions)
                self.put(result, facts.shell_of(base) if basic else fresh, 0)
            else:
                reach = facts.reach_of(base)
                self.put(result, reach | fresh, reach)
        elif op.fn == "unpack":
            reach = facts.reach_of(args[0])
            for r in op.results:
                self.put(r, reach | fresh, reach)
        elif view is not None and isinstance(result.kind, Array | Mixed):
            self.put(result, facts.shell_of(args[view]) | locked, 0)
        elif view is not None:
            self.put(result, fresh, memory | locked)
        elif op.fn in ("copy", "copy_with_strides"):
            self.put(result, fresh, facts.reach_of(args[0]) if is_container(result.kind) else 0)
        elif op.fn in ("copied", "zeros_like"):
            self.put(result, fresh, fresh << 2)
        elif op.fn in ("tuple", "list", "dict", "record"):
            self.put(result, fresh, memory)
        elif op.fn in ("positions", "without"):
            self.put(result, fresh, 0)
        elif op.fn == "call":
            self.put(result, memory | fresh | OUTSIDE, memory | OUTSIDE)
        elif isinstance(result.kind, Array | Mixed):
            if op.fn in MAY_PASS:
                memory = facts.memory_of(args[0])
            elif op.fn in ARITHMETIC or _makes_new(op):
                memory = 0
            self.put(result, fresh | memory, 0)
            for r in op.results[1:]:  # of divmod or histogram: never without memory of its own
                if isinstance(r.kind, Array | Mixed):
                    self.put(r, fresh | memory, 0)
        else:
            if op.fn == "eig" or op.fn.startswith("np.linalg."):
                memory = 0
            for r in op.results:
                if isinstance(r.kind, Array | Mixed):
                    self.put(r, fresh | memory, 0)
                else:
                    self.put(r, fresh, memory | locked | fresh << 2)
                    if not is_container(r.kind):
                        self.put(r, memory | OUTSIDE, OUTSIDE)

    def call(self, node: Call, fresh: Places) -> None:
        summary = self.summaries.get(node.callee)
        for k, r in enumerate(node.results):
            shared = 0
            for j, a in enumerate(node.args):
                if summary is None or j in summary.shares[k]:
                    shared |= self.facts.memory_of(a)
            if summary is None or k in summary.outside:
                shared |= OUTSIDE
            if summary is not None and k in summary.versions:
                buffer = node.args[summary.versions[k]]
                held = self.facts.reach_of(buffer) | fresh | shared
                self.put(r, self.facts.shell_of(buffer), held if is_container(r.kind) else 0)
                continue
            self.put(r, fresh | shared, fresh | shared if is_container(r.kind) else 0)


def _older(places: Places, fresh: Places) -> Places:
    """Places as the next iteration sees them: what this one allocated is now an earlier one's."""
    return (places & ~fresh) | ((places & fresh) << 1)


_NEW = frozenset(
    {"neg", "pos", "invert", "zeros_like", "add_to", "ratio", "lt", "le", "gt", "ge", "eq", "ne"}
    | {"cofactors", "cofactors_dot", "convolve_bar", "correlate_bar", "divided", "divided_all"}
    | {"cumprod_bar", "cumprod_dot", "eig", "eigvals", "fraction", "gather_written", "inv_lower"}
    | {"irfft_bar", "on_diagonal", "outside", "prod_others", "prod_pairs", "rfft_bar"}
    | {"moduli", "real_fft", "real_ifft", "share", "true_places", "undiagonal"}
)


def _makes_new(op: Op) -> bool:
    if op.fn == "np.einsum":
        return len(op.args) > 2  # of one operand it may be a view
    return (op.fn.startswith(("np.", "math.", "scipy.")) and op.fn not in SHARING) or op.fn in _NEW
