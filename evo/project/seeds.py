"""How a program takes its seed: by a flag, an environment variable, or as literals that evo replaces in each run."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from evo.project.flags import arguments_of
from evo.project.modules import Module
from evo.project.sources import is_of_data
from trainer.script.seeds import (
    SeedPlace,
    assigned,
    calls,
    functions,
    int_constants,
    literal_in,
    literals,
    parameters,
    seed_positions,
    with_seed,
)

_WORD = (
    r"(?!(?:data|split|fold|val|valid|validation|eval|test|n|num|max|min|use)[-_])(?:[a-z_-]*[-_]|random|rng|manual)?"
    r"(?:seed|random[-_]state)(?:[-_](?:start|base|value)|0)?"
)
_NAME = re.compile(_WORD, re.IGNORECASE)
_FLAG = re.compile(rf"--?(?!-){_WORD}", re.IGNORECASE)
_VARIABLE = re.compile(rf"(?:PL_)?{_WORD}", re.IGNORECASE)
_CALL = re.compile(
    r"(?:.+\.)?(?:manual_seed(?:_all)?|seed|default_rng|RandomState|SeedSequence|PRNGKey|(?:random|jr|jrandom)\.key|Random"
    r"|PCG64(?:DXSM)?|MT19937|Philox|SFC64|Rngs|seed_everything"
    r"|(?:set|fix|setup|init)_(?:(?:random|global|manual|all|the)_)?seeds?(?:_all)?"
    r"|seed_(?:all|torch|worker|rng)|set_rng_seed)"
)
_READING = ("os.environ.get", "os.getenv", "environ.get", "getenv")
_SETTINGS = (".yaml", ".yml", ".toml", ".json", ".ini", ".cfg")
_EVO = "EVO_SEED"
_MOST_SETTINGS = 50  # files of a folder


@dataclass(frozen=True, slots=True)
class Seeding:
    """How a program takes its seed.

    Attributes:
        words: of the command that hand it over, such as `--seed {seed}`.
        variable: of the environment that it is read from; empty for none, and for `EVO_SEED`, which every run has.
        position: of the argument that holds it, from 1; None for none.
        places: where it stands as a literal, as `task.seed` names them.
        how: the same in a few words; empty where it takes none.
    """

    words: tuple[str, ...] = ()
    variable: str = ""
    position: int | None = None
    places: tuple[str, ...] = ()
    how: str = ""


def seeding_of(
    root: Path, program: Sequence[Module], modules: Sequence[Module], genome: Sequence[str], given: Sequence[str]
) -> Seeding:
    """Return how a program takes its seed, by the way that needs the least: a flag, a variable, literals.

    Args:
        program: the file that is started and those that evolve.
        modules: all that it consists of.
        genome: names of the files that evolve.
        given: names of the files that it is given, each by itself: modules, settings.
    """
    # Its arguments may be declared in a module, but those of another program are not its own.
    declaring = [*program, *(one for one in modules if not one.is_program and not is_of_data(one))]
    if flag := next(_flags(declaring), None):
        return Seeding((flag, "{seed}"), how=flag)
    if place := next(_positions(program), None):
        return Seeding(position=place, how=f"argument {place}")
    if any(_EVO in module.text for module in modules):
        return Seeding(how=_EVO)
    if variable := next(_variables(modules), None):
        return Seeding(variable=variable, how=variable)
    settings = [place for name in _settings(root, given) for place in _in_settings(root, name)]
    if settings and any("hydra.main" in module.text for module in program):
        return Seeding((f"{settings[0].what}={{seed}}",), how=f"{settings[0].what}= of Hydra")
    # What makes the data and what scores must be the same in every run.
    files = dict.fromkeys((*program, *modules))
    replaceable = [one for one in files if one.name in genome or (one.name in given and not is_of_data(one))]
    found = [*(place for module in replaceable for place in _places(module)), *settings]
    places = tuple(dict.fromkeys(map(str, found)))
    return Seeding(places=places, how=", ".join(places))


def varied(places: Sequence[str], modules: Sequence[Module], scored: Mapping[str, Set[int]]) -> tuple[str, ...]:
    """Return places without the seeds in lines that make what is scored, which must be the same in every run.

    Args:
        places: as `task.seed` names them.
        modules: the files that evolve.
        scored: such lines, by file.
    """
    trees = {one.name: one.tree for one in modules if one.name in scored}
    found: dict[str, None] = {}
    open_places: list[tuple[SeedPlace, list[ast.expr]]] = []
    covered: list[ast.expr] = []
    for place in map(SeedPlace.parse, places):
        seeds = [*literals(trees[place.file], place.what)] if place.file in trees else []
        free = [node for node in seeds if node.lineno not in scored[place.file]]
        if len(free) == len(seeds):
            found[str(place)] = None
            covered += seeds
        else:
            open_places.append((place, free))
    for place, free in open_places:
        tree = trees[place.file]
        for node in (one for one in free if one not in covered):
            whats = (_bound_by(tree, node), _named_by(tree, node))
            alone = (what for what in whats if what and {*literals(tree, what)} <= {*free, *covered})
            found |= {str(SeedPlace(place.file, what)): None for what in islice(alone, 1)}
    return tuple(found)


def _named_by(tree: ast.Module, seed: ast.expr) -> str:
    """Return the keyword that gives a seed, with what is called; empty without one."""
    named = ((call, one.arg) for call in calls(tree) for one in call.keywords if seed in ast.walk(one.value))
    call, keyword = next(named, (None, None))
    return (
        f"{ast.unparse(call.func)}.{keyword}="
        if call and keyword and re.fullmatch(r"[\w.]+", ast.unparse(call.func))
        else ""
    )


def _bound_by(tree: ast.Module, seed: ast.expr) -> str:
    """Return the variable that is made from a seed, with the function around it; empty without one."""
    owner = next((one.name for one in functions(tree) if seed in ast.walk(one)), "")
    bound = (
        name
        for node in ast.walk(tree)
        if isinstance(node, ast.stmt)
        for name, value in assigned([node])
        if seed in ast.walk(value)
    )
    name = next(bound, "")
    return ".".join(filter(None, (owner, name))) if name else ""


def _settings(root: Path, given: Sequence[str]) -> Iterator[str]:
    """Yield the files with settings among those that are given, and in folders."""
    for name in given:
        if name.endswith(_SETTINGS):
            yield name
        elif (root / name).is_dir():
            paths = sorted(path for path in (root / name).rglob("*") if path.suffix in _SETTINGS and path.is_file())
            yield from (path.relative_to(root).as_posix() for path in paths[:_MOST_SETTINGS])


def _flags(modules: Sequence[Module]) -> Iterator[str]:
    """Yield the flags of argparse, click, typer or absl that take a seed."""
    for argument in (one for module in modules for one in arguments_of(module)):
        yield from filter(_FLAG.fullmatch, argument.names)
        match argument.options.get("dest"):
            case ast.Constant(value=str(name)) if _NAME.fullmatch(name):
                yield argument.names[-1]


def _positions(modules: Sequence[Module]) -> Iterator[int]:
    """Yield which argument a seed is read from, as in `seed = int(sys.argv[1])`."""
    for module in modules:
        for name, value in assigned(node for node in module.nodes if isinstance(node, ast.stmt)):
            for node in ast.walk(value) if _NAME.fullmatch(name) else ():
                match node:
                    case ast.Subscript(value=ast.Attribute(attr="argv"), slice=ast.Constant(value=int(place))):
                        yield place


def _variables(modules: Sequence[Module]) -> Iterator[str]:
    """Yield the environment variables that a seed is read from."""
    for module in modules:
        for node in module.nodes:
            match node:
                case ast.Call(func=function, args=[ast.Constant(value=str(name)), *_]):
                    if ast.unparse(function) in _READING and _VARIABLE.fullmatch(name):
                        yield name
                case ast.Subscript(value=ast.Attribute(attr="environ"), slice=ast.Constant(value=str(name))):
                    if _VARIABLE.fullmatch(name):
                        yield name


def _places(module: Module) -> Iterator[SeedPlace]:
    """Yield where a module holds seeds as literals: in calls that seed, else in what may be handed to such calls."""
    tree = module.tree
    whats = [*_calls(tree), *_keywords(tree), *_fields(tree)]
    seeded = {node.id for what in whats for node in literals(tree, what) if isinstance(node, ast.Name)}
    # A constant that divides data is left alone, as is one that is replaced where it is used.
    used = {name for call in calls(tree) for name in _given(call)}
    loaded = {one.id for one in ast.walk(tree) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Load)}
    whats += [
        name
        for name in int_constants(tree)
        if _NAME.fullmatch(name) and name not in seeded and (name in used or name not in loaded)
    ]
    for what in dict.fromkeys(whats):
        place = SeedPlace(module.name, what)
        if with_seed(module.text, [place], 0)[1]:
            yield place


def _given(call: ast.Call) -> Iterator[str]:
    """Yield the names that a call is given, but for those within other calls, of which some divide data."""
    waiting: list[ast.AST] = [*call.args, *(one.value for one in call.keywords)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Name):
            yield node.id
        elif not isinstance(node, ast.Call):
            waiting += ast.iter_child_nodes(node)


def _calls(tree: ast.Module) -> Iterator[str]:
    constants = int_constants(tree)
    positions = seed_positions(tree, _NAME)
    for call in calls(tree):
        name = ast.unparse(call.func)
        if (place := positions.get(name)) is not None:
            yield from (
                f"{name}()" for value in call.args[place : place + 1] if literal_in(value, constants) is not None
            )
        if _CALL.fullmatch(name) and (call.args or call.keywords):
            what = (
                name if name.isidentifier() or all(map(str.isidentifier, name.split("."))) else name.rpartition(".")[2]
            )
            given = [*call.args[:1], *(one.value for one in call.keywords)]
            if any(literal_in(value, constants) is not None for value in given[:1]):
                yield f"{what}()"


def _keywords(tree: ast.Module) -> Iterator[str]:
    constants = int_constants(tree)
    for call in calls(tree):
        if not _CALL.fullmatch(ast.unparse(call.func)):
            named = [one for one in call.keywords if one.arg == "rng" or _NAME.fullmatch(one.arg or "")]
            yield from (f"{one.arg}=" for one in named if literal_in(one.value, constants) is not None)
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                match key:
                    case ast.Constant(value=str(name)) if _NAME.fullmatch(name) and literal_in(value, constants):
                        yield f"{name}="


def _fields(tree: ast.Module) -> Iterator[str]:
    """Yield fields of classes and parameters of functions that default to a seed: dataclasses, tyro, click, fire."""
    constants = int_constants(tree)
    owners: list[tuple[str, list[tuple[str, ast.expr]]]] = [
        (node.name, [*assigned(node.body)]) for node in ast.walk(tree) if isinstance(node, ast.ClassDef)
    ]
    owners += [(function.name, [*parameters(function)]) for function in functions(tree)]
    for owner, fields in owners:
        for name, value in fields:
            if _NAME.fullmatch(name) and literal_in(value, constants) is not None:
                yield f"{owner}.{name}"


def _in_settings(root: Path, name: str) -> Iterator[SeedPlace]:
    """Yield the keys of a settings file that hold a seed."""
    try:
        text = (root / name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return
    for word in dict.fromkeys(re.findall(r"[\w-]+", text)):
        place = SeedPlace(name, word)
        if _NAME.fullmatch(word) and with_seed(text, [place], 0)[1]:
            yield place
