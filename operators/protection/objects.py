"""Rules about what new statements make: no object may stand for a number, or a list for another one."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence, Set
from itertools import product

from operators.protection.child import Child, field_of
from operators.protection.guards import SEQUENCE, Guards, is_complex, is_mapping
from operators.protection.units import Scope, Unit, root_of, words

_STAND_INS = words(
    "__array__ __array_ufunc__ __array_function__ __torch_function__ __torch_dispatch__ __float__ __int__ "
    "__index__ __format__ __round__ __abs__ __bool__ __lt__ __le__ __gt__ __ge__ __eq__ __ne__ __neg__ __matmul__ "
    "__rmatmul__ __radd__ __rsub__ __rmul__ __rtruediv__ __rpow__ __iadd__ __add__ __sub__ __mul__ __truediv__ "
    "__pow__ __reduce__ __reduce_ex__ __class__ __instancecheck__ __subclasscheck__ __array_wrap__ "
    "__array_finalize__ __array_prepare__ __array_priority__"
)
"""Methods with which an object takes part in arithmetic, prints and files as a number does."""
_OF_NUMBERS = words("item tolist numpy cpu detach argmax argmin mean sum max min std float round astype")
"""Methods by which an evaluation takes numbers out of arrays."""
_NUMBER = re.compile(
    r"(?:^|\.)(?:int|float|complex|str|bytes|Decimal|Fraction|Tensor|Parameter|ndarray|recarray|generic|number|integer"
    r"|floating|(?:u?int|float|complex)\d+|Number|Complex|Real|Rational|Integral|Series|DataFrame)$"
)
_CONTAINER = re.compile(
    r"(?:^|\.)(?:list|tuple|dict|set|frozenset|str|deque|ndarray|array|User\w+|OrderedDict|defaultdict|Counter|ChainMap)$"
)
_MATRICES = words(
    "matrix asmatrix bmat mat todense spmatrix bsr_matrix coo_matrix csc_matrix csr_matrix dia_matrix dok_matrix "
    "lil_matrix"
)
_TRANSFORMS = words("fft ifft fft2 ifft2 fftn ifftn rfft rfft2 rfftn ihfft")


def stands_in(new: Unit, guards: Guards, child: Child) -> Iterator[str]:
    """Yield the methods by which an object stands for a number, or a list for another one."""
    if isinstance(new.node, ast.ClassDef) and _is_number_kind(new.node.bases):
        yield "its objects stand for a number, a text or an array in the evaluation; return plain ones"
    numbers = guards.attributes & _OF_NUMBERS
    for name in sorted(set(_given_functions(new, numbers, child))):
        yield f"`{name}` lets an object stand for a number in the evaluation; return plain numbers or arrays"
    if new.scope not in child.classes:
        return
    methods = numbers - field_of(new)
    for name in sorted(new.bound & (_STAND_INS | methods | ({"__getattr__"} if numbers else set()))):
        yield f"`{name}` lets an object stand for a number in the evaluation; return plain numbers or arrays"
    if _is_container(new.scope, child):
        items = guards.attributes & SEQUENCE
        for name in sorted(new.bound & (items | ({"__missing__"} if items else set()))):
            yield f"`{name}` lets a list hold other items than it goes through; return a plain one"


def maps(new: Unit, guards: Guards, child: Child) -> Iterator[str]:
    """Yield the mappings that functions return in place of what generation 0 does."""
    if new.scope not in guards.returning or not is_mapping(value := getattr(new.node, "value", None)):
        return
    returned = [one.node.value for one in child.free if isinstance(one.node, ast.Return) and one.scope == new.scope]
    names = {one.id for one in returned if isinstance(one, ast.Name)}
    if value in returned or (isinstance(new.node, ast.Assign | ast.AnnAssign) and new.bound & names):
        yield "a mapping may hold other items than it goes through; return what generation 0 does"


def _given_functions(new: Unit, names: Set[str], child: Child) -> Iterator[str]:
    """Yield those of some names to which a unit gives functions: `self.item = lambda: 0.0`, `Result(item=zero)`.

    By place as well: `Result(zero)` of a class that declares `item`.
    """
    pairs = [(node.arg or "", node.value) for node in new.nodes if isinstance(node, ast.keyword)]
    if isinstance(new.node, ast.Assign):
        pairs += [(one.attr, new.node.value) for one in new.node.targets if isinstance(one, ast.Attribute)]
    for call in new.nodes:
        if isinstance(call, ast.Call) and call.args and names:
            pairs += product(child.fields.get(ast.unparse(call.func), ()), call.args)
    for name, value in pairs:
        if name in names and (
            isinstance(value, ast.Lambda) or (isinstance(value, ast.Name) and value.id in child.functions)
        ):
            yield name


def _is_number_kind(bases: Sequence[ast.expr]) -> bool:
    """Return whether a class with these bases makes numbers, texts or arrays; members of an enumeration are fixed."""
    names = [ast.unparse(base) for base in bases]
    return any(map(_NUMBER.search, names)) and not any(name.endswith(("Enum", "Flag")) for name in names)


def _is_container(scope: Scope, child: Child) -> bool:
    """Return whether a class derives from a list, a mapping or the like, by any of its bases' names."""
    return any(_CONTAINER.search(base) for base in child.bases.get(scope, ()))


def imaginary(new: Unit, guards: Guards, child: Child) -> Iterator[str]:
    """Yield where a unit makes complex numbers, if generation 0 has none."""
    if guards.is_real and any(is_complex(node) or _transforms(node, new, child) for node in new.nodes):
        yield "of a complex metric only the real part is reported; take `.real` where they are made"


def multiplies(new: Unit, guards: Guards, child: Child) -> Iterator[str]:  # noqa: ARG001 - as every rule
    """Yield the matrices that a unit makes, whose products and powers are not those of arrays."""
    if isinstance(new.node, ast.ImportFrom):
        names = [alias.name for alias in new.node.names]
    else:
        attributes = [node for node in new.nodes if isinstance(node, ast.Attribute)]
        names = [one.attr for one in attributes if root_of(one) in child.imports or one.attr == "todense"]
    for name in sorted(_MATRICES.intersection(names)):
        yield f"`{name}` makes matrices, whose `*` and `**` are not those of arrays; use plain arrays"


def _transforms(node: ast.AST, new: Unit, child: Child) -> bool:
    """Return whether a node is a Fourier transform of numpy or scipy, of which its unit does not take real numbers."""
    match node:
        case ast.Call(func=ast.Attribute(attr=name) as function) if name in _TRANSFORMS:
            library = child.imports.get(root_of(function) or "", "").partition(".")[0]
            names = {one.attr for one in new.nodes if isinstance(one, ast.Attribute)} | new.read
            return library in {"numpy", "scipy"} and not names & {"real", "imag", "abs", "absolute", "irfft"}
    return False
