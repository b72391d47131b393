"""Rules about what new statements make: no object may stand for a number or for a list of other items."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence, Set
from itertools import product

from operators.protection.child import Child, field_of
from operators.protection.guards import SEQUENCE, Guards, is_complex, is_mapping
from operators.protection.output import UNKNOWN, text_of
from operators.protection.probabilities import is_normal
from operators.protection.units import FUNCTION, Unit, root_of, words
from populations.descriptors import last_name

_SPECIAL = re.compile(r"__\w+__")
_USUAL = words(
    "__init__ __new__ __post_init__ __call__ __enter__ __exit__ __iter__ __next__ __len__ __getitem__ __setitem__ "
    "__delitem__ __contains__ __missing__ __reversed__ __repr__ __str__ __hash__ __getattr__ __setattr__ __delattr__ "
    "__copy__ __deepcopy__ __getstate__ __setstate__ __init_subclass__ __set_name__ __get__ __set__ "
    "__class_getitem__ __slots__ __match_args__ __annotations__ __name__ __qualname__ __doc__ __module__ __version__ "
    "__all__ __del__"
)
"""What classes may define; any other special name lets their objects take part in arithmetic, prints and files as
numbers do, or lets them make classes."""
_PROTOCOLS = words(
    "__array__ __array_ufunc__ __array_function__ __array_interface__ __array_struct__ __array_priority__ "
    "__torch_function__ __torch_dispatch__ __index__ __prepare__ __class__ __instancecheck__ __getattribute__"
)
_KNOWN_SPECIALS = {name for kind in (int, float, complex, list, type) for name in dir(kind)} | _PROTOCOLS
_DESCRIBING = words("__name__ __qualname__ __doc__ __module__ __version__")
"""Special attributes that may be set where no class defines them."""
_OF_NUMBERS = words("item tolist numpy cpu detach argmax argmin mean sum max min std float round astype")
"""Methods by which an evaluation takes numbers out of arrays."""
_NUMBER = re.compile(
    r"(?:^|\.)(?:int|float|complex|str|bytes|Decimal|Fraction|Tensor|Parameter|ndarray|recarray|generic|number|integer"
    r"|floating|(?:u?int|float|complex)\d+|Number|Complex|Real|Rational|Integral|Series|DataFrame)$"
)
_CLASS_MAKER = re.compile(r"(^|\.)(type|\w*Meta|EnumType)$|^type\(|\.__class__$|\.__(new|call)__$")
_ENUMERATION = re.compile(r"(^|\.)(\w*Enum|\w*Flag)$")
_MAKERS = words("new_class make_dataclass make_class create_model prepare_class resolve_bases")
_MATRICES = words(
    "matrix asmatrix bmat mat todense spmatrix bsr_matrix coo_matrix csc_matrix csr_matrix dia_matrix dok_matrix "
    "lil_matrix sparse poly1d polynomial Polynomial Chebyshev Legendre Laguerre Hermite HermiteE"
)
_TRANSFORMS = words("fft ifft fft2 ifft2 fftn ifftn rfft rfft2 rfftn ihfft")


def stands_in(new: Unit, guards: Guards, child: Child) -> Iterator[str]:
    """Yield the methods by which an object stands for a number, or a list for another one."""
    if isinstance(new.node, ast.ClassDef):
        bases = child.bases.get((*new.scope, new.node.name), ())
        if _is_number_kind(bases):
            yield "its objects stand for a number, a text or an array in the evaluation; return plain ones"
        if UNKNOWN in bases:
            yield "only running tells what its base class is; name it"
    numbers = guards.attributes & _OF_NUMBERS
    for name in sorted(set(_given_functions(new, numbers, child))):
        yield f"`{name}` lets an object stand for a number in the evaluation; return plain numbers or arrays"
    is_member = new.scope in child.classes
    special = {name for name in new.bound if _SPECIAL.fullmatch(name)} - _USUAL if is_member else set()
    methods = new.bound & (numbers - field_of(new) | ({"__getattr__"} if numbers else set())) if is_member else set()
    for name in sorted(special | methods | set(_named_specials(new))):
        yield f"`{name}` lets an object stand for a number in the evaluation; return plain numbers or arrays"
    items = guards.attributes & SEQUENCE
    for name in sorted(new.bound & (items | ({"__missing__"} if items else set()))) if is_member else ():
        yield f"`{name}` lets an object hold other items than it goes through; return a plain list"


def exceeds_one(new: Unit, guards: Guards, child: Child) -> Iterator[str]:
    """Yield the methods that may return more than probabilities where protected code takes logarithms of them."""
    name = new.scope[-1] if new.scope else ""
    value = new.node.value if isinstance(new.node, ast.Return) else None
    called = last_name(value.func) if isinstance(value, ast.Call) else ""
    passes = called in guards.probable or (is_normal(new) and called not in child.functions)
    is_open = name in guards.probable and value is not None and not passes
    set_to = {node.attr for node in new.nodes if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)}
    set_to |= new.bound if new.scope in child.classes and not isinstance(new.node, FUNCTION) else set()
    for one in sorted(({name} if is_open else set()) | (set_to & guards.probable)):
        yield f"logarithms are taken of what `{one}` returns: define it to return `p / p.sum(axis=1, keepdims=True)`"


def makes_classes(new: Unit, guards: Guards, child: Child) -> Iterator[str]:  # noqa: ARG001 - as every rule
    """Yield the ways to make a class whose methods are not written out as such."""
    match new.node:
        case ast.ClassDef(keywords=keywords):
            for one in keywords:
                if one.arg in {None, "metaclass"} and not ast.unparse(one.value).endswith(("ABCMeta", "EnumMeta")):
                    yield "a metaclass can make classes unseen; do without it"
        case ast.Assign(value=ast.Name(id="type")) | ast.AnnAssign(value=ast.Name(id="type")):
            yield "`type` under another name can make classes unseen; write the class out"
    for maker in _class_makers(new.nodes):
        yield f"`{maker}` can make classes unseen; write the class out"


def _class_makers(nodes: Sequence[ast.AST]) -> Iterator[str]:
    for node in nodes:
        match node:
            case ast.Call(func=function, args=[_, _, _]) if _CLASS_MAKER.search(ast.unparse(function)):
                yield ast.unparse(function)
            case ast.Call(func=function, args=[_, values, *_]) if _ENUMERATION.search(ast.unparse(function)):
                if not isinstance(values, ast.List | ast.Tuple | ast.Constant):
                    yield ast.unparse(function)
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.alias(name=name) if name in _MAKERS:
                yield name
            case ast.Call(func=function, args=args) if getattr(function, "id", "") not in {"isinstance", "issubclass"}:
                yield from (one.id for one in args if isinstance(one, ast.Name) and one.id == "type")


def _named_specials(new: Unit) -> Iterator[str]:
    """Yield the special names that a unit gives to what no class defines: by setting them, or in a text."""
    asked = {
        id(inner)
        for node in new.calls
        if isinstance(node.func, ast.Name) and node.func.id in {"hasattr", "getattr"}
        for inner in ast.walk(node)
    }
    for node in new.nodes:
        match node:
            case ast.Attribute(attr=name, ctx=ast.Store()) if _SPECIAL.fullmatch(name) and name not in _DESCRIBING:
                yield name
            case ast.keyword(arg=str(name)) if _SPECIAL.fullmatch(name):
                yield name
            case ast.Constant(value=str()) | ast.BinOp() | ast.JoinedStr() if id(node) not in asked:
                name = text_of(node)
                if name in _KNOWN_SPECIALS and _SPECIAL.fullmatch(name) and name not in _USUAL:
                    yield name


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


def _is_number_kind(bases: Sequence[str]) -> bool:
    """Return whether a class with these bases makes numbers, texts or arrays; members of an enumeration are fixed."""
    return any(map(_NUMBER.search, bases)) and not any(name.endswith(("Enum", "Flag")) for name in bases)


def imaginary(new: Unit, guards: Guards, child: Child) -> Iterator[str]:
    """Yield where a unit makes complex numbers, if generation 0 has none."""
    if guards.is_real and any(is_complex(node) or _transforms(node, new, child) for node in new.nodes):
        yield "of a complex metric only the real part is reported; take `.real` where they are made"


def multiplies(new: Unit, guards: Guards, child: Child) -> Iterator[str]:  # noqa: ARG001 - as every rule
    """Yield the matrices and polynomials that a unit makes, whose products and powers are not those of arrays."""
    if isinstance(new.node, ast.Import | ast.ImportFrom):
        module = getattr(new.node, "module", None) or ""
        names = [part for alias in new.node.names for part in f"{module}.{alias.name}".split(".")]
    else:
        attributes = [node for node in new.nodes if isinstance(node, ast.Attribute)]
        names = [one.attr for one in attributes if root_of(one) in child.imports or one.attr == "todense"]
    for name in sorted(_MATRICES.intersection(names)):
        yield f"`{name}` makes objects whose `*` and `**` are not those of arrays; use plain arrays"


def _transforms(node: ast.AST, new: Unit, child: Child) -> bool:
    """Return whether a node is a Fourier transform of numpy or scipy, of which its unit does not take real numbers."""
    match node:
        case ast.Call(func=ast.Attribute(attr=name) as function) if name in _TRANSFORMS:
            library = child.imports.get(root_of(function) or "", "").partition(".")[0]
            names = {one.attr for one in new.nodes if isinstance(one, ast.Attribute)} | new.read
            return library in {"numpy", "scipy"} and not names & {"real", "imag", "abs", "absolute", "irfft"}
    return False
