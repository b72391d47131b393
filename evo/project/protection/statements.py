"""What a single statement does: what it calls, fills, trains, compares."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator

from evo.project.protection.words import EVALUATING, FEATURES, MODEL, RESULT, SEEDING, TRAINS, flag_name
from operators.protection.guards import filled_keys
from operators.protection.output import LOGGING
from operators.protection.units import FUNCTION, Unit, names_in, root_of
from populations.descriptors import last_name

_OPTIMIZER = re.compile(r"opt|sched|scaler|trainer|model|net|agent|policy", re.IGNORECASE)
_TRAINING = re.compile(r"_?(train|fit|learn|optimi)", re.IGNORECASE)
_TARGET = re.compile(
    r"^(y|t|batch|holdout)$|target|label|truth|expect|actual|gold|answer|^y_|_y$|val|test", re.IGNORECASE
)
_PREDICTS = re.compile(r"predict|decision_function|transform|forward")
LONGEST_CODE = 60
"""Characters of a statement in a name or a message."""
_NUMERIC_SPEC = re.compile(r"[eEfFgG%]['\"]*$")
_OBJECTIVE = re.compile(r"^(f|fn|fun|func)$|objective|metric|eval|score|cost", re.IGNORECASE)
"""Keywords that take what is optimized or measured."""
_SHOWING = frozenset(("print", "format", "echo", *LOGGING))
_REDUCES = frozenset(("float", "round", "abs", "min", "max", "sum", "mean", "median", "std", "item"))
_FILLS = frozenset(("append", "extend", "add", "update", "insert", "appendleft", "setdefault"))


def flags_of(unit: Unit) -> set[str]:
    """Return the names under which the flags that a statement defines are read, by argparse or by absl."""
    defined = (node for node in unit.calls if last_name(node.func).startswith("DEFINE_"))
    named = {str(node.args[0].value) for node in defined if node.args and isinstance(node.args[0], ast.Constant)}
    return named | set(map(flag_name, unit.flags))


def filled(node: ast.AST) -> set[str]:
    """Return the names of the containers that a statement fills."""
    match node:
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=method))) if method in _FILLS:
            return {name}
        case ast.Assign(targets=targets):
            filled = [one.value for one in targets if isinstance(one, ast.Subscript)]
        case ast.AugAssign(target=ast.Subscript(value=value)):
            filled = [value]
        case _:
            return set()
    return {one.id for one in filled if isinstance(one, ast.Name)}


def stored_on_self(unit: Unit) -> set[str]:
    """Return the attributes of `self` that a statement sets."""
    return {
        node.attr
        for node in unit.nodes
        if isinstance(node, ast.Attribute)
        and isinstance(node.ctx, ast.Store)
        and isinstance(node.value, ast.Name)
        and node.value.id == "self"
    }


def makes_instance(unit: Unit) -> bool:
    """Return whether a statement binds an instance of some class."""
    match unit.node:
        case ast.Assign(value=ast.Call(func=func)) | ast.AnnAssign(value=ast.Call(func=func)):
            name = last_name(func)
            return name[:1].isupper() and not SEEDING.match(name)
    return False


def makes_generator(unit: Unit) -> bool:
    """Return whether a statement binds a generator of random numbers."""
    match unit.node:
        case ast.Assign(value=ast.Call(func=func)) | ast.AnnAssign(value=ast.Call(func=func)):
            return SEEDING.match(last_name(func)) is not None
    return False


def makes_held_out(unit: Unit) -> bool:
    """Return whether a statement makes held-out data from nothing: `train, valid = sample(300), sample(99)`.

    What it computes from such data, as features, is for the search to change.
    """
    bound, read = (
        any(EVALUATING.search(name) and not RESULT.search(name) for name in names) for names in (unit.bound, unit.read)
    )
    return bound and not read


def trains(unit: Unit) -> bool:
    """Return whether a statement trains something."""
    for node in unit.nodes:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            name, receiver = node.func.attr, ast.unparse(node.func.value)
            if name in TRAINS or (name == "train" and node.args) or (name == "step" and _OPTIMIZER.search(receiver)):
                return True
    return descends(unit)


def descends(unit: Unit) -> bool:
    """Return whether a statement takes a step such as `w -= rate * gradient`."""
    return isinstance(unit.node, ast.AugAssign) and isinstance(unit.node.op, ast.Sub)


def learns_items(unit: Unit, name: str) -> bool:
    """Return whether a statement moves an item by what it holds: `q[s, a] += rate * (r + q[t].max() - q[s, a])`."""
    match unit.node:
        case (
            ast.Assign(targets=[ast.Subscript() as target], value=value)
            | ast.AugAssign(target=ast.Subscript() as target, value=value)
        ) if root_of(target) == name:
            parts = [*ast.walk(value)]
            is_read = any(isinstance(one, ast.Name) and one.id == name for one in parts)
            return is_read and any(isinstance(one, ast.Mult) for one in parts)
    return False


def takes_loss(reader: Unit, name: str) -> bool:
    """Return whether a statement takes a metric from a call of the model: `logits, loss = model(x, y)`."""
    return any(_is_call_of(node, name) for node in reader.nodes) and any(RESULT.search(bound) for bound in reader.bound)


def takes_result(reader: Unit, name: str) -> bool:
    """Return whether a statement takes a result from a function that trains by its name: `loss = train(settings)`."""
    value = getattr(reader.node, "value", None)
    return (
        isinstance(value, ast.Call)
        and last_name(value.func) == name
        and bool(_TRAINING.match(name))
        and any(map(RESULT.search, reader.bound))
    )


def _is_call_of(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name


def is_forward(reader: Unit, name: str) -> bool:
    """Return whether a statement calls a function that computes outputs: `apply(params, x)`, without a target."""
    given = [
        {
            one.id
            for argument in (*node.args, *(each.value for each in node.keywords))
            for one in ast.walk(argument)
            if isinstance(one, ast.Name)
        }
        for node in reader.calls
        if _is_call_of(node, name)
    ]
    return (
        bool(given)
        and not (RESULT.search(name) or EVALUATING.search(name))
        and all(any(map(MODEL.search, names)) and not any(map(_TARGET.search, names)) for names in given)
    )


def shows(reader: Unit, name: str) -> bool:
    """Return whether a statement prints a number that is computed from a name's alone, or names it again.

    As `print(f"{100 * best:.3f}")`, `print("%.2f" % scores.mean())` and `best = min(best, error)`.
    """
    shown = [node.value for node in reader.nodes if isinstance(node, ast.FormattedValue) and node.format_spec]
    for node in reader.nodes:
        match node:
            case ast.Call(func=func, args=args) if last_name(func) in _SHOWING:
                shown += args
            case ast.BinOp(left=ast.Constant(value=str()), op=ast.Mod(), right=right):
                shown += right.elts if isinstance(right, ast.Tuple) else [right]
    if isinstance(reader.node, ast.Assign | ast.AnnAssign | ast.AugAssign) and reader.node.value:
        shown.append(reader.node.value)
    return any(isinstance(one, ast.Name) and one.id == name for part in shown for one in _operands(part))


def _operands(node: ast.expr) -> Iterator[ast.expr]:
    """Yield what a number is computed from by arithmetic, and by functions of numbers such as `min` and `mean`."""
    match node:
        case ast.BinOp(left=inner_one, right=ast.Constant()) | ast.BinOp(left=ast.Constant(), right=inner_one):
            inner = [inner_one]
        case ast.BinOp(left=inner_one, op=ast.Div()) | ast.UnaryOp(operand=inner_one):
            inner = [inner_one]
        case ast.Call(func=ast.Attribute(value=owner, attr=name), args=args) if name in _REDUCES:
            inner = [owner, *args]
        case ast.Call(func=ast.Name(id=name), args=args) if name in _REDUCES:
            inner = args
        case _:
            inner = []
    yield node
    for one in inner:
        yield from _operands(one)


def takes_attribute(reader: Unit, name: str) -> bool:
    """Return whether a statement takes an attribute of what a name stands for."""
    attributes = (node.value for node in reader.nodes if isinstance(node, ast.Attribute))
    return any(isinstance(one, ast.Name) and one.id == name for one in attributes)


def functions_given(unit: Unit) -> set[str]:
    """Return the names that a statement gives to calls where these take an objective or a metric."""
    given = [one for node in unit.calls for one in node.args]
    named = [one for node in unit.calls for one in node.keywords]
    given += [one.value for one in named if one.arg and _OBJECTIVE.search(one.arg)]
    return {one.id for one in given if isinstance(one, ast.Name)}


def multiplied_with(reader: Unit, name: str) -> set[str]:
    """Return the names with which what a function makes is multiplied as a matrix: `w` of `features(x) @ w`."""
    made = [node for node in reader.nodes if _is_call_of(node, name)]
    found: set[str] = set()
    for node in reader.nodes:
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
            inner = {id(one): side for side in (node.left, node.right) for one in ast.walk(side)}
            sides = {id(side): side for one in made if (side := inner.get(id(one)))}
            others = [side for side in (node.left, node.right) if id(side) not in sides]
            found |= {one.id for side in others if sides for one in ast.walk(side) if isinstance(one, ast.Name)}
    return found


def is_given_alone(reader: Unit, name: str) -> bool:
    """Return whether a statement takes features, and only to select rows, to predict, or beside labels.

    As `X` in `train_test_split(X, y)`, `X[:100]` and `model.predict(X)`: they are for the search to change.
    """
    if not FEATURES.search(name):
        return False
    uses = {id(node) for node in reader.nodes if isinstance(node, ast.Name) and node.id == name}
    for node in reader.nodes:
        match node:
            case ast.Subscript(value=value):
                uses.discard(id(value))
            case ast.Call(func=ast.Attribute(attr=attr), args=[value]) if _PREDICTS.match(attr):
                uses.discard(id(value))
            case ast.Call(args=[_, _, *_] as given):
                uses -= set(map(id, given[:-1]))
    return not uses


def selects(reader: Unit, name: str) -> bool:
    """Return whether a statement takes a part of something by a name, and is no print: `series[end:]`."""
    parts = [node.slice for node in reader.nodes if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load)]
    names = names_in(*parts)
    return name in names and not any(isinstance(node, ast.JoinedStr) for node in reader.nodes)


def values_given(unit: Unit, head: Unit, name: str) -> list[ast.expr]:
    """Return what calls of a function or class give to a parameter: `args.start` of `evaluate(model, args.start)`."""
    if not isinstance(head.node, FUNCTION):
        return []
    names = [one.arg for one in head.node.args.args if one.arg != "self"]
    called = head.scope[-1] if head.node.name == "__init__" and head.scope else head.node.name
    return [
        value
        for node in unit.calls
        if last_name(node.func) == called
        for key, value in [*zip(names, node.args, strict=False), *((one.arg, one.value) for one in node.keywords)]
        if key == name
    ]


def defaulted(function: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    """Return the parameters with a default."""
    arguments = function.args
    plain = [*arguments.posonlyargs, *arguments.args]
    keywords = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    return {one.arg for one in plain[len(plain) - len(arguments.defaults) :]} | {
        one.arg for one, default in keywords if default is not None
    }


def key_of(node: ast.AST) -> str:
    """Return the text by which something is taken out of a table; empty for none."""
    match node:
        case ast.Subscript(slice=ast.Constant(value=str(key)), ctx=ast.Load()):
            return key
    return ""


def paths_of_keys(unit: Unit, imports: Collection[str]) -> list[tuple[str, ...]]:
    """Return the keys by which a statement takes items of settings: `rng`, `seed` of `settings["rng"]["seed"]`."""
    inner: set[int] = set()
    found: list[tuple[str, ...]] = []
    for node in unit.nodes:  # the outermost first
        keys: list[str] = []
        part: ast.AST = node
        while (step := _taken(part)) is not None:
            part, key = step
            inner.add(id(part))
            keys.insert(0, key)
        if keys and id(node) not in inner and isinstance(part, ast.Name) and part.id not in imports:
            found.append(tuple(keys))
    return found


def _taken(node: ast.AST) -> tuple[ast.AST, str] | None:
    """Return what an expression takes an item or attribute of, and its key; None if it takes none."""
    match node:
        case ast.Subscript(value=owner, slice=ast.Constant(value=str(key)), ctx=ast.Load()):
            return owner, key
        case ast.Call(func=ast.Attribute(value=owner, attr="get"), args=[ast.Constant(value=str(key)), *_]):
            return owner, key
        case ast.Attribute(value=owner, attr=key, ctx=ast.Load()):
            return owner, key
    return None


def keys_filled(unit: Unit) -> set[str]:
    """Return the texts under which a statement puts something, in tables that it makes as well."""
    tables = [node for node in unit.nodes if isinstance(node, ast.Dict)]
    made = {str(one.value) for node in tables for one in node.keys if isinstance(one, ast.Constant)}
    return made | filled_keys(unit)


def value_under(unit: Unit, name: str) -> ast.expr | None:
    """Return what a statement hands on under a name: as a keyword, or in a table that it makes or fills."""
    for node in unit.nodes:
        match node:
            case ast.keyword(arg=key, value=value) if key == name:
                return value
            case ast.Dict(keys=keys, values=values):
                named = zip(keys, values, strict=True)
                if found := [one for key, one in named if isinstance(key, ast.Constant) and key.value == name]:
                    return found[0]
            case ast.Assign(targets=[ast.Subscript(slice=ast.Constant(value=key))], value=value) if key == name:
                return value
    return None


def is_literal(unit: Unit) -> bool:
    """Return whether a statement assigns what neither a name nor a call is part of, or `dict(…)` of such."""
    if not isinstance(unit.node, ast.Assign | ast.AnnAssign):
        return False
    parts = table_values(unit) or filter(None, [unit.node.value])
    return not any(isinstance(node, ast.Name | ast.Call) for part in parts for node in ast.walk(part))


def table_values(unit: Unit) -> list[ast.expr]:
    """Return the values of the dictionary that a statement assigns, literal or as `dict(…)`; empty for none."""
    match unit.node:
        case ast.Assign(value=ast.Dict() as table) | ast.AnnAssign(value=ast.Dict() as table):
            return table.values
        case (
            ast.Assign(value=ast.Call(func=ast.Name(id="dict"), args=[], keywords=given))
            | ast.AnnAssign(value=ast.Call(func=ast.Name(id="dict"), args=[], keywords=given))
        ):
            return [one.value for one in given]
    return []


def reported_nodes(unit: Unit, labels: Collection[str]) -> list[ast.AST]:
    """Return the nodes of a statement on which what it prints under some labels depends.

    Numbers under other labels are left out, if their formats make them numbers: `loss {loss:.3f}, val loss {val:.3f}`.
    """
    others: set[int] = set()
    is_found = False
    for line in unit.nodes:
        before = ""
        for part in line.values if isinstance(line, ast.JoinedStr) else ():
            if isinstance(part, ast.FormattedValue):
                is_reported = any(before.rstrip(" :=\t").endswith(label) for label in labels)
                is_found = is_found or is_reported
                if not is_reported and part.format_spec and _NUMERIC_SPEC.search(ast.unparse(part.format_spec)):
                    others |= {id(node) for node in ast.walk(part.value)}
            before = str(part.value) if isinstance(part, ast.Constant) else ""
    return [node for node in unit.nodes if not is_found or id(node) not in others]


def compares(unit: Unit) -> bool:
    """Return whether a statement or head compares something."""
    return any(isinstance(node, ast.Compare) for node in unit.nodes)


def shortened(code: str) -> str:
    """Return code for a message."""
    return code if len(code) <= LONGEST_CODE else code[: LONGEST_CODE - 1] + "…"
