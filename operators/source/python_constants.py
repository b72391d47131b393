"""The constants of Python: literals that a program reads by a name.

- a top-level `UPPER_CASE = literal`, alone or as `A, B = 1, 2`, whose name is assigned once: a number (also negative,
  and a power like 2**16), a boolean, a string, or a tuple of numbers;
- a number or a boolean as a top-level `lower_case = literal` that nothing assigns again, as the default of a
  command-line flag (`add_argument("--lr", default=3e-4)` is `--lr`, as is `flags.DEFINE_float("lr", 3e-4, …)`), of a
  field of a class (`Config.lr`), or of an argument of a function (`train.lr`), unless its name speaks of seeds, files,
  logging, evaluation or the machine;
- a number other than zero, which mostly says that something is off, with which an object is made (`SVC(C=10)` is
  `SVC.C`, that of a second one `SVC.C#2`), that stands in a dictionary (`params = {"eta": 0.3}` is `params.eta`), that
  settings get as an attribute (`config.optim.lr = 3e-4`, `_C.SOLVER.LR = 3e-4`), or that a function gives a name which
  it never gives again (`lr = 3e-4` in `train()` is `train.lr`), by the same rule.

What describes hardware, such as `H100_BF16_PEAK_FLOPS`, is no constant to change.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator, Sequence

from operators.source.literals import Constant, Value, located, number_of
from trainer.source_text import SourceText

_CONSTANT_NAME = re.compile(r"[A-Z][A-Z0-9_]*")
_HARDWARE = re.compile(
    r"(?:.*_)?(?:PEAK_(?:T|G)?FLOPS|(?:T|G)?FLOPS_PEAK|PEAK_BANDWIDTH|[AHBVTL]\d{2,3}S?_\w*FLOPS)(?:_.*)?"
)
_NO_TUNABLE = re.compile(
    r"seeds?|random|state|log|logging|print|evals?|evaluate|evaluation|val|valid|validation|test|save|checkpoint|ckpt|verbose|debug|"
    r"wandb|offline|workers?|port|rank|world|axis|devices?|gpus?|cuda|backend|resume|version|budget|limit|timeout|deadline|"
    r"seconds|minutes|hours|interval|fd|dry|flops|download|plot|show|help|eps|n?jobs|n?threads?|folds|splits|cv|"
    r"class|classes|silent|verbosity"
)
"""Words in the names of values that change what is measured, shown or kept, or nothing, and not what is learnt."""
_SETTINGS = re.compile(r"config|conf|cfg|args|hparams|hps?|opts?|options|settings|FLAGS", re.IGNORECASE)
_HOLDERS = frozenset(
    ("ConfigDict", "CfgNode", "CN", "EasyDict", "edict", "SimpleNamespace", "Namespace", "DotMap", "Box")
)
"""What makes settings whose attributes are assigned, as of ml_collections and yacs."""
_LEAST_EPSILON = 1e-3
_NO_DIMENSION = re.compile(r"(?:(?:n|num|in|input|out|output|data|obs|observation|action|target|label)_?)?dims?")
"""Names of an axis, or of a size that the data fix, unlike `hidden_dim`."""


def constants_of(tree: ast.Module, text: SourceText) -> dict[str, Constant]:
    """Return the constants of a parsed source, by name, in their order."""
    found = _capitals(tree, text)
    others: dict[str, Constant | None] = {}
    for name, node in _others(tree):
        value = _literal(node)
        if isinstance(value, bool | int | float) and is_tunable(name) and not _only_divides(name, value):
            # A name that stands for two values stands for none.
            others[name] = _constant(name, value, node, text) if name not in others else None
    found |= {name: constant for name, constant in others.items() if constant is not None and name not in found}
    return dict(sorted(found.items(), key=lambda item: item[1].start))


def _capitals(tree: ast.Module, text: SourceText) -> dict[str, Constant]:
    """Return the top-level constants with names in capitals."""
    assigned: Counter[str] = Counter()
    found: dict[str, Constant] = {}
    for statement in tree.body:
        for name, node in _assigned(statement):
            assigned[name] += 1
            value = _literal(node)
            if value is not None and _CONSTANT_NAME.fullmatch(name) and not _HARDWARE.fullmatch(name):
                found[name] = _constant(name, value, node, text)
        if isinstance(statement, ast.AugAssign) and isinstance(statement.target, ast.Name):
            assigned[statement.target.id] += 1
    return {name: constant for name, constant in found.items() if assigned[name] == 1}


def _others(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    """Yield the values that go by other names, each with its name."""
    nodes = [*ast.walk(tree)]
    yield from _globals(tree, nodes)
    yield from _attributes(nodes)
    classes = [node for node in nodes if isinstance(node, ast.ClassDef)]
    owners = {id(inner): node.name for node in classes for inner in node.body}
    made_before: Counter[str] = Counter()
    for node in nodes:
        match node:
            case ast.Call(func=ast.Attribute(attr="add_argument" | "option"), args=[ast.Constant(value=str()), *_]):
                yield from _flag(node)
            case ast.Call(
                func=ast.Attribute(attr="DEFINE_float" | "DEFINE_integer" | "DEFINE_bool" | "DEFINE_boolean"),
                args=[ast.Constant(value=str(flag)), value, *_],
            ):
                yield f"--{flag}", value
            case ast.Call(func=ast.Name(id=made) | ast.Attribute(attr=made)) if made[:1].isupper():
                for one in node.keywords:
                    if one.arg and _says(one.value):
                        name = f"{made}.{one.arg}"
                        made_before[name] += 1
                        yield name if made_before[name] == 1 else f"{name}#{made_before[name]}", one.value
            case (
                ast.Assign(targets=[ast.Name(id=holder)], value=ast.Dict() | ast.Call() as table)
                | ast.AnnAssign(target=ast.Name(id=holder), value=ast.Dict() | ast.Call() as table)
            ) if id(node) not in owners and is_tunable(holder):
                yield from _entries(table, f"{holder}.")
            case (
                ast.AnnAssign(target=ast.Name(id=field), value=ast.expr() as value)
                | ast.Assign(targets=[ast.Name(id=field)], value=ast.expr() as value)
            ) if id(node) in owners:
                yield f"{owners[id(node)]}.{field}", value
            case ast.FunctionDef(name=name, args=arguments) | ast.AsyncFunctionDef(name=name, args=arguments):
                place = [owners[id(node)]] if id(node) in owners else []
                place += [name] if name != "__init__" else []
                yield from ((".".join([*place, one.arg]), value) for one, value in _defaults(arguments))
                yield from ((".".join([*place, local]), value) for local, value in _locals(node))


def _attributes(nodes: Sequence[ast.AST]) -> Iterator[tuple[str, ast.expr]]:
    """Yield the numbers that settings get as attributes, by all words of their names.

    Settings are what is called so, or made as such: `training = config.training = ConfigDict()`.
    """
    made = [node for node in nodes if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call)]
    made = [node for node in made if ast.unparse(node.value).partition("(")[0].rpartition(".")[2] in _HOLDERS]
    holders = {one.id for node in made for one in node.targets if isinstance(one, ast.Name)}
    for node in nodes:
        match node:
            case ast.Assign(targets=[ast.Attribute() as target], value=value) if _says(value):
                root, *parts = ast.unparse(target).split(".")
                if (root in holders or _SETTINGS.fullmatch(root)) and all(map(is_tunable, (root, *parts))):
                    yield ".".join((root, *parts)), value


def _locals(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[tuple[str, ast.expr]]:
    """Yield the numbers to which a function gives names that it gives nothing else: `lr = 3e-4` in `main()`."""
    nodes = [*ast.walk(function)]
    stored = Counter(node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store))
    for name, value in (one for statement in function.body for one in _assigned(statement)):
        if stored[name] == 1 and _says(value):
            yield name, value


def _globals(tree: ast.Module, nodes: Sequence[ast.AST]) -> Iterator[tuple[str, ast.expr]]:
    """Yield the top-level assignments to names in small letters that nothing assigns again, loops included.

    Those under `if __name__ == "__main__":` are among them, in capitals too.
    """
    stored = Counter(node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store))
    shared = {name for node in nodes if isinstance(node, ast.Global) for name in node.names}
    for statement in tree.body:
        guarded = statement.body if isinstance(statement, ast.If) and _is_main_guard(statement) else []
        for name, value in (one for inner in (statement, *guarded) for one in _assigned(inner)):
            if stored[name] == 1 and name not in shared and (guarded or not _CONSTANT_NAME.fullmatch(name)):
                yield name, value


def _is_main_guard(branch: ast.If) -> bool:
    return isinstance(branch.test, ast.Compare) and ast.unparse(branch.test.left) == "__name__"


def _assigned(statement: ast.stmt) -> Iterator[tuple[str, ast.expr]]:
    """Yield what a statement assigns to names, also to several at once: `ALPHA, GAMMA = 0.1, 0.9`."""
    match statement:
        case (
            ast.Assign(targets=[ast.Name(id=name)], value=ast.expr() as value)
            | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
        ):
            yield name, value
        case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Tuple(elts=values)) if len(names) == len(values):
            pairs = zip(names, values, strict=True)
            yield from ((one.id, value) for one, value in pairs if isinstance(one, ast.Name))


def _flag(call: ast.Call) -> Iterator[tuple[str, ast.expr]]:
    """Yield the default of a command-line flag, by its long name if it has one."""
    names = [argument.value for argument in call.args if isinstance(argument, ast.Constant)]
    flags = [name for name in names if isinstance(name, str) and name.startswith("-")]
    default = next((keyword.value for keyword in call.keywords if keyword.arg == "default"), None)
    if flags and default is not None:
        yield max(flags, key=lambda name: (name.startswith("--"), len(name) > 2)), default  # not `-b`


def _entries(table: ast.expr, prefix: str) -> Iterator[tuple[str, ast.expr]]:
    """Yield the numbers in a dictionary, literal or `dict(…)`, and in those within, each by its keys."""
    match table:
        case ast.Dict():
            entries = zip(table.keys, table.values, strict=True)
            named = [
                (key.value, one) for key, one in entries if isinstance(key, ast.Constant) and isinstance(key.value, str)
            ]
        case ast.Call(func=ast.Name(id="dict"), args=[]):
            named = [(one.arg, one.value) for one in table.keywords if one.arg]
        case _:
            return
    for name, value in named:
        if _says(value):
            yield f"{prefix}{name}", value
        elif is_tunable(name):
            yield from _entries(value, f"{prefix}{name}.")


def _says(node: ast.expr) -> bool:
    """Return whether an expression is a number that is not zero."""
    return bool(number_of(node))


def _defaults(arguments: ast.arguments) -> Iterator[tuple[ast.arg, ast.expr]]:
    """Yield the arguments of a function that have defaults."""
    positional = [*arguments.posonlyargs, *arguments.args]
    yield from zip(positional[len(positional) - len(arguments.defaults) :], arguments.defaults, strict=True)
    for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        if default is not None:
            yield argument, default


def is_tunable(name: str) -> bool:
    """Return whether a name speaks of what is learnt and how."""
    words = re.split(r"[\W_]+", name.rpartition(".")[2].lower())
    is_fixed = any(map(_NO_TUNABLE.fullmatch, words)) or _NO_DIMENSION.fullmatch("_".join(filter(None, words)))
    return not is_fixed and not _HARDWARE.fullmatch(name.upper())


def _only_divides(name: str, value: float) -> bool:
    """Return whether a number only keeps a divisor from being zero, unlike the `epsilon` of exploration."""
    return name.lower().endswith("epsilon") and value < _LEAST_EPSILON


def _literal(node: ast.expr) -> Value | None:
    match node:
        case ast.Constant(value=bool() | str() as value):
            return value
        case ast.Tuple(elts=elements):
            numbers = [number for element in elements if (number := number_of(element)) is not None]
            return tuple(numbers) if elements and len(numbers) == len(elements) else None
    return number_of(node)


def _constant(name: str, value: Value, node: ast.expr, text: SourceText) -> Constant:
    start, end = text.start(node), text.end(node)
    elements = tuple(text.slice(text.start(e), text.end(e)) for e in node.elts) if isinstance(node, ast.Tuple) else ()
    behind = text.comment_behind(end)
    return located(name, value, text.slice(start, end), node.lineno, start, behind, elements)
