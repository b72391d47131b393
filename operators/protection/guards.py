"""What protected code relies on, and nothing else may change: names, members, texts, seeds."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

from operators.protection.output import text_of
from operators.protection.parts import Parts, parts_of
from operators.protection.probabilities import methods_measured
from operators.protection.units import BUILTINS, DEFINITION, FUNCTION, Scope, Unit, is_import, names_in, root_of, words
from populations.descriptors import last_name

_HELD_OUT = re.compile(r"(^|[\W_])(val|valid|validation|test|dev|eval|holdout|held_?out)\d*([\W_]|$)", re.IGNORECASE)
METRICS = "loss|acc|score|error|mse|mae|rmse|r2|auc|f1|bpb|perplexity|metric|reward"
"""Parts of the names of what is measured of a model."""
_RESULT = re.compile(f"{METRICS}|err|ppl|time|sec|every", re.IGNORECASE)
_SEEDING = re.compile(r"seed|RandomState|PRNGKey|default_rng|^Random$|^Generator$", re.IGNORECASE)
_LOADS = re.compile(r"(^|[._])(load|read|fetch|open|make|loadtxt|genfromtxt|memmap)(_|$|\()|dataset", re.IGNORECASE)
"""Functions of libraries that bring data."""
_TRAINS = re.compile(r"(^|_)(fit|train)(_|$)|Trainer$")
_SEARCHES = re.compile(r"[A-Z]\w*CV$")
"""Classes of libraries that compare models by cross-validation."""
FOLDS = ("cv", "scoring")
"""Keywords by which these, and functions alike, say what they measure and on what."""
_FOR_HELD_OUT = re.compile(r"(val|valid|validation|evals?|test|dev|holdout)(_(?!.*(steps|freq|every|metric|fn)).*)?$")
"""Keywords of functions that train and measure, as libraries name them."""
_SEED_SETTERS = words(
    "seed manual_seed manual_seed_all seed_all seed_everything set_seed setstate set_state set_rng_state "
    "set_random_seed bit_generator"
)


@dataclass(frozen=True, slots=True)
class Guards:
    """What the protected units of one file rely on.

    Attributes:
        owned: names that protected code binds at the top level of any file.
        lasting: those of them that functions read: constants, functions, classes, imports.
        local: by scope, the names that protected code there binds, or reads from imports and builtins.
        bound: by scope, those that it binds.
        members: names that protected code binds in classes, methods with protected returns, and destinations of
            protected flags.
        attributes: attributes that it reads from imports, and methods that it calls, by taking items too.
        data: variables with held-out data that protected code alone reads.
        whole: variables that the held-out data are cut from.
        fields: attributes with held-out data that protected code alone reads.
        results: attributes that hold what is reported, by key.
        keys: texts under which protected code keeps and finds results.
        texts: texts that name held-out data or flags, in protected code alone.
        seeding: functions that set a seed; empty where no seed is protected.
        generators: variables that hold generators with a seed, from which held-out data are drawn.
        seeds: seeds that generation 0 passes as literals, by keyword.
        scopes: functions and classes around protected statements.
        changed: names that other code of generation 0 changes in place, with their scopes.
        choosing: functions that hold or read held-out data, with the texts, booleans and `None` that other code gives
            them, by place or keyword; None where nothing else calls them.
        parts: data of which other code of generation 0 takes only parts, or nothing.
        is_real: whether generation 0 has no complex numbers.
        returning: functions of generation 0 that return no mapping, where protected code takes items of its parameters.
        validating: the held-out data and protected functions that other code hands over, as written, by what it calls
            and by place or keyword.
        probable: methods of whose results protected code takes logarithms as of probabilities.
        made: the literals that make such data alone, by function, each with its place or keyword.
    """

    owned: frozenset[str]
    lasting: frozenset[str]
    local: Mapping[Scope, frozenset[str]]
    bound: Mapping[Scope, frozenset[str]]
    members: frozenset[str]
    attributes: frozenset[str]
    data: frozenset[str]
    whole: frozenset[str]
    fields: frozenset[str]
    results: frozenset[str]
    keys: frozenset[str]
    texts: frozenset[str]
    seeding: frozenset[str]
    generators: frozenset[str]
    seeds: frozenset[tuple[str, object]]
    scopes: frozenset[Scope]
    changed: frozenset[tuple[Scope, str]]
    choosing: Mapping[str, Mapping[int | str, frozenset[object]] | None]
    parts: Parts
    is_real: bool
    returning: frozenset[Scope]
    validating: Mapping[tuple[str, int | str], frozenset[str]]
    made: Mapping[str, frozenset[tuple[int | str, object]]]
    probable: frozenset[str]


SEQUENCE = words("__getitem__ __iter__ __len__ __contains__")
"""Methods by which an object stands for a list."""

_MAPPINGS = words("dict defaultdict Counter OrderedDict ChainMap fromkeys MappingProxyType")
_MAKES_COMPLEX = words(
    "complex64 complex128 complex256 csingle cdouble clongdouble cfloat complexfloating cmath emath scimath polar "
    "view_as_complex as_complex roots eig eigvals hilbert"
)
_COMPLEX_TYPE = re.compile(r"[<>=|]?c(8|16|32)|complex\d*|[FDG]")
_GENERATORS = words("default_rng RandomState Generator PCG64 MT19937 Philox SFC64")
"""What numpy's generators are made by: one can repeat the numbers of another."""


def guards_of(units: Sequence[Unit], protected: Set[int], others: Sequence[Unit]) -> Guards:
    """Return what the protected units of a file rely on.

    Args:
        units: of the file, in generation 0.
        protected: places of the protected ones.
        others: protected units of the other files.
    """
    fixed = [one for place, one in enumerate(units) if place in protected]
    free = [one for place, one in enumerate(units) if place not in protected]
    classes = class_scopes(units)
    imports = {name for one in units for name in one.bound if is_import(one)}
    top = [one for one in (*fixed, *others) if not one.scope]
    owned = frozenset(name for one in top for name in one.bound)
    bound = _by_scope((one.scope, one.bound) for one in fixed)
    relied = _by_scope(
        (one.scope[:depth], frozenset(name for name in one.read if name in imports | BUILTINS))
        for one in fixed
        for depth in range(len(one.scope) + 1)
    )
    for scope, name in _selecting(fixed, units):
        relied[scope] = relied.get(scope, frozenset()) | {name}
    read_by_free = {name for one in free for name in one.read}
    parted = _parted(fixed, read_by_free)
    made = _made_for_evaluation(fixed)
    names = owned | {name for scope, several in bound.items() if scope not in classes for name in several}
    flags = {text for one in fixed for text in one.flags}
    texts = flags | {text for one in fixed for text in one.texts if _is_held_out(text)}
    stored = [
        node
        for one in fixed
        for node in one.nodes
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and isinstance(node.value, ast.Name)
    ]
    called = {id(node.func) for one in fixed for node in one.calls}
    seeding = {name for one in fixed for name in one.called}
    seeding = {name for name in seeding if _SEEDING.search(name)}
    seeding |= _GENERATORS if seeding & _GENERATORS else set()
    parts = parts_of(fixed, free, _RESULT.search)
    functions = {one.node.name for one in fixed if isinstance(one.node, FUNCTION)}
    validating = _validating(free, units, functions)
    held = {
        node.attr for one in fixed for node in one.nodes if isinstance(node, ast.Attribute) and id(node) not in called
    }
    holds_seed = bool(seeding) or any("seed" in name.lower() for one in fixed for name in one.bound)
    return Guards(
        owned=owned,
        lasting=frozenset(
            name
            for one in top
            for name in one.bound
            if name.isupper() or isinstance(one.node, DEFINITION) or is_import(one)
        ),
        local={scope: bound.get(scope, frozenset()) | relied.get(scope, frozenset()) for scope in {*bound, *relied}},
        bound=bound,
        members=frozenset(
            [name for scope, several in bound.items() if scope in classes for name in several]
            + [one.scope[-1] for one in fixed if isinstance(one.node, ast.Return) and one.scope[:-1] in classes]
            + [text.lstrip("-").replace("-", "_") for text in flags]
            + [node.attr for node in stored]
        ),
        attributes=frozenset(
            node.attr
            for one in fixed
            for node in one.nodes
            if isinstance(node, ast.Attribute) and (root_of(node) in imports or id(node) in called)
        )
        | (SEQUENCE if _takes_items(fixed, units) else frozenset()),
        data=frozenset(
            name
            for name in names - read_by_free
            if (name in parted or name in made or _is_held_out(name))
            and (not name.isupper() or "SEED" in name)  # what an evaluation draws can be drawn to train on
            and not any(isinstance(one.node, DEFINITION) and name in one.bound for one in fixed)
        ),
        whole=_whole(fixed),
        fields=frozenset(filter(_is_held_out, held)) - _attributes(free),
        results=frozenset(
            node.value.attr
            for one in fixed
            for node in one.nodes
            if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Attribute) and _is_result(node.slice)
        ),
        keys=frozenset(text for one in fixed for text in filled_keys(one) if _RESULT.search(text)),
        texts=frozenset(texts - {text for one in free for text in one.texts}),
        seeding=frozenset(seeding | _SEED_SETTERS) if holds_seed else frozenset(),
        generators=frozenset(_seeded(fixed) - imports) if holds_seed else frozenset(),
        seeds=frozenset(seed for one in units for node in one.nodes for seed in literal_seed(node)),
        scopes=frozenset(one.scope[:depth] for one in fixed for depth in range(1, len(one.scope) + 1)),
        changed=frozenset((one.scope, name) for one in free for name in changed_in_place(one)),
        choosing=_choosing(fixed, free, _whole(fixed).union((parted | made) - read_by_free, *parts.values())),
        parts=parts,
        is_real=not any(is_complex(node) for one in units for node in one.nodes),
        returning=_returning(units) if _takes_items(fixed, units) else frozenset(),
        validating=validating,
        probable=methods_measured(fixed),
        made=_made(units, set().union(*validating.values()), functions),
    )


def _parted(fixed: Sequence[Unit], read_by_free: Set[str]) -> frozenset[str]:
    """Return what protected code reads of what one statement or loop parts for it and others: `xt, yt, xv, yv = …`."""
    targets = [(one, one.node.targets[0]) for one in fixed if isinstance(one.node, ast.Assign)]
    targets += [(one, one.node.target) for one in fixed if isinstance(one.node, ast.For)]
    several = [names_in(target) for _, target in targets if isinstance(target, ast.Tuple)]
    parted = {name for names in several if names & read_by_free for name in names}
    return frozenset(parted & {name for one in fixed for name in one.read})


def _made_for_evaluation(fixed: Sequence[Unit]) -> frozenset[str]:
    """Return what one protected function makes and another one gets: `series` of `backtest(make, series)`."""
    functions = {one.node.name for one in fixed if isinstance(one.node, FUNCTION)}
    calls = [
        (one, node)
        for one in fixed
        for node in one.calls
        if isinstance(node.func, ast.Name) and node.func.id in functions
    ]
    got = {each.id for _, node in calls for each in node.args if isinstance(each, ast.Name)}
    made = {name for one, node in calls if getattr(one.node, "value", None) is node for name in one.bound}
    return frozenset(name for name in made & got if not _RESULT.search(name))


def _selecting(fixed: Sequence[Unit], units: Sequence[Unit]) -> Iterator[tuple[Scope, str]]:
    """Yield the parameters that say how often a protected loop runs, or which part of data protected code takes."""
    parameters = _parameters(units)
    for one in fixed:
        parts = [node.slice for node in one.nodes if isinstance(node, ast.Subscript)]
        parts += [one.node.iter] if isinstance(one.node, ast.For) else []
        names = names_in(*parts)
        yield from ((one.scope, name) for name in names & parameters.get(one.scope, frozenset()))


def _takes_items(fixed: Sequence[Unit], units: Sequence[Unit]) -> bool:
    """Return whether a protected function takes items of what it is given."""
    parameters = _parameters(units)
    return any(
        isinstance(node, ast.Subscript)
        and isinstance(node.value, ast.Name)
        and node.value.id in parameters.get(one.scope, frozenset())
        for one in fixed
        for node in one.nodes
    )


def _returning(units: Sequence[Unit]) -> frozenset[Scope]:
    returns = [(one.scope, one.node.value) for one in units if isinstance(one.node, ast.Return)]
    return frozenset(scope for scope, _ in returns) - {scope for scope, value in returns if is_mapping(value)}


def is_mapping(node: ast.AST | None) -> bool:
    """Return whether an expression makes a mapping, as far as its form tells."""
    return isinstance(node, ast.Dict | ast.DictComp) or (
        isinstance(node, ast.Call) and last_name(node.func) in _MAPPINGS
    )


def _parameters(units: Sequence[Unit]) -> dict[Scope, frozenset[str]]:
    return {(*one.scope, one.node.name): one.parameters for one in units if isinstance(one.node, FUNCTION)}


def _whole(fixed: Sequence[Unit]) -> frozenset[str]:
    """Return the variables from which protected code cuts held-out data, but for generators and constants."""
    bound = {(one.scope, name) for one in fixed if not isinstance(one.node, DEFINITION) for name in one.bound}
    seeded = _seeded(fixed)
    made = [one for one in fixed if isinstance(one.node, ast.Assign)]
    parted = {
        (one.scope, name)
        for one in made
        if any(map(_is_held_out, one.bound))
        for name in one.read - seeded
        if (one.scope, name) in bound and not name.isupper()
    }
    read_whole = {
        (one.scope, name)
        for one in made
        if any((one.scope, name) in parted for name in one.bound)
        for name in _taken_whole(one)
        if (one.scope, name) in bound and not name.isupper() and name not in seeded
    }
    return frozenset(name for _, name in parted | read_whole)


def _taken_whole(unit: Unit) -> Iterator[str]:
    """Yield the variables that a statement goes through from end to end: `[code[c] for c in text]`, `array(rows)`."""
    for node in unit.nodes:
        match node:
            case ast.comprehension(iter=ast.Name(id=name)):
                yield name
            case ast.Call(func=function, args=args) if getattr(function, "id", "") not in {"len", "int", "slice"}:
                yield from (one.id for one in args if isinstance(one, ast.Name))


def _seeded(fixed: Sequence[Unit]) -> frozenset[str]:
    """Return the variables that hold seeds and what is made from them, generators among them."""
    return frozenset(
        name
        for one in fixed
        if any(isinstance(node, ast.Call) and _SEEDING.search(last_name(node.func)) for node in one.nodes)
        for name in one.bound
    )


def changed_in_place(unit: Unit) -> Iterator[str]:
    """Yield the names whose items or attributes a unit sets, or that a method of theirs may change."""
    for node in unit.nodes:
        match node:
            case ast.Attribute(ctx=ast.Store() | ast.Del()) | ast.Subscript(ctx=ast.Store() | ast.Del()):
                yield root_of(node) or ""
            case ast.Call(func=ast.Attribute(value=owner)):
                yield root_of(owner) or ""


def _choosing(
    fixed: Sequence[Unit], free: Sequence[Unit], whole: Set[str]
) -> dict[str, dict[int | str, frozenset[object]] | None]:
    """Return the functions that make or hold held-out data, with what chooses the data in the calls of other code."""
    defined = {one.node.name for one in fixed if isinstance(one.node, DEFINITION)}
    data = (name for one in fixed if not isinstance(one.node, DEFINITION) for name in one.bound)
    held = {name for name in data if name in whole or _is_held_out(name)}
    makers = {
        name
        for one in fixed
        if isinstance(one.node, ast.Assign) and one.bound & held
        for node in one.calls
        if ((name := last_name(node.func)) in defined or _LOADS.search(ast.unparse(node.func)))
    }
    readers = {one.scope[0] for one in fixed if one.scope[:1] and one.scope[0] in defined and one.read & held}
    calls: dict[str, list[ast.Call]] = {}
    for node in (node for one in free for node in one.calls):
        calls.setdefault(last_name(node.func), []).append(node)
    others = {name: None for name in makers if name not in calls}
    return others | {name: _choices(calls[name]) for name in makers | readers if name in calls}


def _validating(
    free: Sequence[Unit], units: Sequence[Unit], functions: Set[str]
) -> dict[tuple[str, int | str], frozenset[str]]:
    """Return the held-out data and protected functions that code hands over, by what it calls and place or keyword.

    They are handed, as written, to a library that trains, or for a parameter that is named after such data:
    `Trainer(model, make(9))`, where the class takes `eval_set` second.
    """
    named = _parameters_by_place(units)
    found: dict[tuple[str, int | str], frozenset[str]] = {}
    for call in (node for one in free for node in one.calls):
        name = last_name(call.func)
        names = named.get(name, [])
        held = dict(_held_out_places(call))
        for place, value in arguments_of(call) if names or _TRAINS.search(name) else ():
            parameter = names[place] if isinstance(place, int) and place < len(names) else place
            is_function = isinstance(value, ast.Name) and value.id in functions
            if is_function or place in held or (names and _is_held_out(str(parameter))):
                same = {place, parameter, *(at for at, one in enumerate(names) if one == place)}
                for each in same:
                    found[name, each] = found.get((name, each), frozenset()) | {ast.unparse(value)}
        for place in held.keys() & set(FOLDS):
            found[name, place] = found.get((name, place), frozenset()) | {ast.unparse(held[place])}
    return found


def _made(
    units: Sequence[Unit], validating: Set[str], functions: Set[str]
) -> dict[str, frozenset[tuple[int | str, object]]]:
    """Return the literals that only the calls which make held-out data give to protected functions, by function."""
    calls = [(one, node) for one in units for node in one.calls if last_name(node.func) in functions]
    made: dict[str, frozenset[tuple[int | str, object]]] = {}
    others = frozenset[tuple[int | str, object]]()
    for one, node in calls:
        if any(map(_is_held_out, one.bound)) or ast.unparse(node) in validating:
            name = last_name(node.func)
            made[name] = made.get(name, frozenset()) | literals_of(node)
        else:
            others |= literals_of(node)
    return {name: literals - others for name, literals in made.items()}


def literals_of(call: ast.Call) -> frozenset[tuple[int | str, object]]:
    """Return the literal arguments of a call, each with its place or keyword."""
    return frozenset((place, one.value) for place, one in arguments_of(call) if isinstance(one, ast.Constant))


def _parameters_by_place(units: Sequence[Unit]) -> dict[str, list[str]]:
    """Return the parameters of functions by their names, and of classes by theirs."""
    found: dict[str, list[str]] = {}
    for one in units:
        if isinstance(one.node, FUNCTION):
            names = [each.arg for each in one.node.args.args]
            is_maker = one.node.name == "__init__" and one.scope
            found[one.scope[-1] if is_maker else one.node.name] = names[names[:1] == ["self"] :]
    return found


def held_out_arguments(nodes: Sequence[ast.AST]) -> Iterator[ast.expr]:
    """Yield the held-out data that some nodes give to a library that trains."""
    for call in nodes:
        if isinstance(call, ast.Call):
            yield from (value for _, value in _held_out_places(call))


def _held_out_places(call: ast.Call) -> Iterator[tuple[int | str, ast.expr]]:
    """Yield the held-out data that a call which trains is given, by place or keyword: `fit(x, eval_set=[(u, v)])`."""
    if _SEARCHES.search(last_name(call.func)):
        yield from ((one.arg, one.value) for one in call.keywords if one.arg in FOLDS)
    for place, value in arguments_of(call) if _TRAINS.search(last_name(call.func)) else ():
        names = [node.id for node in ast.walk(value) if isinstance(node, ast.Name)]
        if (isinstance(place, str) and _FOR_HELD_OUT.match(place)) or any(map(_is_held_out, names)):
            yield place, value


def _choices(calls: Sequence[ast.Call]) -> dict[int | str, frozenset[object]]:
    """Return the texts, booleans and `None` that calls give, by place or keyword."""
    found: dict[int | str, set[object]] = {}
    for call in calls:
        for place, value in arguments_of(call):
            if isinstance(value, ast.Constant) and isinstance(value.value, str | bool | None):
                found.setdefault(place, set()).add(value.value)
    return {place: frozenset(values) for place, values in found.items()}


def arguments_of(call: ast.Call) -> Iterator[tuple[int | str, ast.expr]]:
    """Yield the arguments of a call with their places or keywords."""
    yield from enumerate(call.args)
    yield from ((one.arg or "", one.value) for one in call.keywords)


def _attributes(units: Sequence[Unit]) -> frozenset[str]:
    return frozenset(node.attr for one in units for node in one.nodes if isinstance(node, ast.Attribute))


def _is_held_out(text: str) -> bool:
    return bool(_HELD_OUT.search(text)) and not _RESULT.search(text)


def literal_seed(node: ast.AST) -> Iterator[tuple[str, object]]:
    """Yield keyword and value of a seed that is passed as a literal."""
    match node:
        case ast.keyword(arg="random_state" | "seed" as name, value=ast.Constant(value=value)):
            yield str(name), value


def is_complex(node: ast.AST) -> bool:
    """Return whether a node is, or makes, a complex number."""
    match node:
        case ast.Constant(value=complex()) | ast.Name(id="complex"):
            return True
        case ast.Attribute(attr=name) | ast.Name(id=name) | ast.alias(name=name) if name in _MAKES_COMPLEX:
            return True
        case ast.Constant(value=str(text)) if _COMPLEX_TYPE.fullmatch(text):
            return True
        case ast.BinOp(left=ast.UnaryOp(op=ast.USub()), op=ast.Pow(), right=ast.Constant(value=float())):
            return True
    return False


def filled_keys(unit: Unit) -> frozenset[str]:
    """Return the texts under which a unit puts something: `log("loss", 3)`, `log({"loss": 3})`, `found["loss"] = 3`."""
    found = set()
    for node in unit.nodes:
        match node:
            case ast.Subscript(slice=ast.Constant(value=str(key)), ctx=ast.Store() | ast.Del()):
                found.add(key)
            case ast.Call(func=ast.Attribute(), args=[ast.Constant(value=str(key)), _, *_]):
                found.add(key)
            case ast.Call(args=args):
                tables = (one for one in args if isinstance(one, ast.Dict))
                found |= {text_of(key) for table in tables for key in table.keys if key is not None}
    return frozenset(found)


def _is_result(key: ast.expr) -> bool:
    return isinstance(key, ast.Constant) and isinstance(key.value, str) and bool(_RESULT.search(key.value))


def class_scopes(units: Sequence[Unit]) -> frozenset[Scope]:
    """Return the scopes that are classes."""
    return frozenset((*one.scope, one.node.name) for one in units if isinstance(one.node, ast.ClassDef))


def _by_scope(several: Iterator[tuple[Scope, frozenset[str]]]) -> dict[Scope, frozenset[str]]:
    found: dict[Scope, frozenset[str]] = {}
    for scope, names in several:
        found[scope] = found.get(scope, frozenset()) | names
    return found
