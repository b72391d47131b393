"""What a statement that generation 0 does not have may not do beside protected code.

Each rule yields reasons, written for a reader who can mend the source. What generation 0 does itself is allowed. The
rules read code without running it: text that is put together while the program runs, for example, is seen only where it
is printed.
"""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator, Sequence, Set

from operators.protection.child import Child, Rule
from operators.protection.guards import FOLDS, Guards, arguments_of, filled_keys, literal_seed, literals_of
from operators.protection.modules import RUNNING_PARTS as _RUNNING_PARTS
from operators.protection.modules import unusual
from operators.protection.objects import exceeds_one, imaginary, makes_classes, maps, multiplies, stands_in
from operators.protection.output import UNKNOWN, text_of
from operators.protection.units import Unit, root_of, words
from populations.descriptors import last_name

_HIDDEN_MODULES = words(
    "builtins ctypes gc importlib imp atexit unittest mock code codeop runpy pty subprocess faulthandler "
    "sitecustomize __main__ _thread cffi pdb bdb forbiddenfruit marshal dill cloudpickle"
)
_HIDDEN_NAMES = words("exec eval compile globals locals breakpoint __import__ __builtins__ __loader__ __spec__")
_EXITS = words("exit quit _exit abort")
_HIDDEN_ATTRIBUTES = words(
    "_getframe currentframe f_locals f_globals f_back f_builtins tb_frame gi_frame cr_frame __code__ "
    "__globals__ __builtins__ __closure__ __defaults__ __kwdefaults__ __subclasses__ __traceback__ walk_stack "
    "walk_tb _current_frames FunctionType CodeType __getattribute__ __wrapped__ __self__ __func__ __loader__ "
    "__import__ redirect_stdout settrace setprofile addaudithook TorchDispatchMode TorchFunctionMode "
    "settrace_all_threads setprofile_all_threads seterrcall setLogRecordFactory "
    "register_module_forward_hook monkeypatch register_module_forward_pre_hook set_default_tensor_type "
    "set_printoptions float_format MaskedArray masked_array MaskedTensor masked_tensor Library "
    "TracebackException StackSummary get_type_hints ForwardRef evaluate_forward_ref dictConfig fileConfig FileIO "
    "set_executable load_inline load_library print_help print_usage send_bytes ForkingPickler CompilationUnit "
    "FileType add_safe_globals safe_globals read_array singledispatch singledispatchmethod load_extension __spec__"
)
_NAMED_IN_TEXTS = re.compile(r"__\w+__|\b[fg]_(?:globals|locals|back|builtins)\b")
"""Attributes as `str.format` reads them."""
_OF_SYSTEM = re.compile(
    r"f?chdir|chroot|_?exit|abort|kill|system|popen|fork|p?writev?\d?$|dup|fdopen|putenv|unsetenv|exec|(posix_)?spawn|sendfile|splice"
    r"|copy_file_range|login_tty"
)
"""What of the operating system ends a program, starts another one, or writes to a stream by its number."""
_OF_MODULE = {
    "os": frozenset(name for name in dir(os) if _OF_SYSTEM.match(name)),
    "sys": words(
        "exit monitoring __stdout__ modules argv path meta_path path_hooks excepthook displayhook unraisablehook stdout"
    ),
    "signal": words("alarm setitimer raise_signal signal pthread_kill"),
    "inspect": words("stack getouterframes trace getmembers getmembers_static getattr_static getclosurevars"),
    "contextlib": words("redirect_stdout"),
    "weakref": words("finalize"),
    "pickle": words("load loads Unpickler"),
    "string": words("Formatter"),
    "joblib": words("load"),
    "operator": words(
        "setitem delitem iadd iand iconcat ifloordiv ilshift imod imul imatmul ior ipow isub itruediv ixor"
    ),
    "pandas": words("read_pickle"),
}
_CUT_OFF = _EXITS | _OF_MODULE["os"] | _OF_MODULE["pickle"] | words("stdout excepthook exit")
_MODULES = _HIDDEN_MODULES | words("os sys inspect threading weakref pickle posix _io")
"""Modules that others hold too, as attributes, `random._os` for one."""
_MEMORY = words(
    "as_strided untyped_storage _typed_storage _base data_ptr from_address byte_bounds resize_ set_ "
    "__array_interface__ __array_struct__ __dlpack__"
)
"""What leads from a part of an array to the rest of it."""
_BY_NAME = words("getattr setattr delattr __setattr__ __delattr__ hasattr attrgetter methodcaller")
_SETTINGS = words("backends config rcParams options flags environ")
_MUTATORS = words(
    "append extend insert pop remove clear sort reverse update setdefault popitem add discard fill resize put "
    "partition setflags setfield itemset truncate seek writelines __setitem__ __delitem__ __iadd__"
)
_CHANGES = re.compile(r"(add|set|remove|register)[A-Z_]\w*|\w*[^_]_")
"""Methods that change an object by the ways of their names: `addFilter`, `set_defaults`, `zero_`."""
_FILLS = words("shuffle copyto putmask place put at heappush heappop heapify insort fill_diagonal put_along_axis")
_CHANGEABLE = words("list dict set bytearray deque")
_PARSING = words("parse_args parse_known_args")
_COPIES = words("copy deepcopy dumps dump save")
_STREAM = words("flush isatty write encoding")
_DEVICES = re.compile(r"/dev/(stdout|fd|tty|pts)|(^|/)proc(/|$)|^/dev/?$|\.(py|pyc|pyd|so)$")


def rebinds(new: Unit, guards: Guards, child: Child) -> Iterator[str]:
    """Yield the protected names that a unit rebinds, deletes, imports over or hides."""
    if isinstance(new.node, ast.ImportFrom) and new.node.names[0].name == "*":
        yield "it may hide protected names; import names one by one"
    for name in sorted(new.bound & _guarded(new, guards, child)):
        yield f"`{name}` is protected, or read by protected code, and may not be bound again; use another name"
    inner = (*new.scope, getattr(new.node, "name", ""))
    for name in sorted(new.parameters & (guards.lasting | guards.local.get(inner, frozenset()))):
        yield f"the parameter `{name}` hides what is protected; use another name"
    if new.scope in child.classes and "__del__" in new.bound:
        yield "`__del__` may run when the program has reported; free what is held where it is used"
    if new.scope in child.classes and new.scope in guards.scopes:
        for name in sorted(name for name in new.bound if name.startswith("__get")):
            yield f"`{name}` may not stand in a class with protected methods"


def _guarded(new: Unit, guards: Guards, child: Child) -> frozenset[str]:
    """Return the names that a unit may not bind where it stands."""
    guarded = guards.local.get(new.scope, frozenset()) - _not_begun(new, child)
    if not new.scope:
        guarded |= guards.owned - _not_begun(new, child) | {scope[0] for scope in guards.scopes} - _defined(new, guards)
    elif new.scope in child.classes:
        members = {name for name in guards.members if (*new.scope, name) not in guards.scopes}
        guarded |= {name for name in members if not name.startswith("__")}  # each class has its own `__init__`
    else:
        guarded |= guards.lasting
    if isinstance(new.node, ast.Global):
        guarded |= guards.owned | guards.local.get((), frozenset())
    elif isinstance(new.node, ast.Nonlocal):
        guarded |= {name for depth in range(len(new.scope)) for name in guards.local.get(new.scope[:depth], ())}
    return guarded


def patches(new: Unit, guards: Guards, child: Child) -> Iterator[str]:
    """Yield what a unit changes of a library, of a protected object or of the environment."""
    protected = _protected_in(new, guards, child)
    for node in new.nodes:
        match node:
            case ast.Attribute(ctx=ast.Store() | ast.Del()):
                yield from _attribute(node, protected, guards, child)
            case ast.Attribute(value=owner, attr=name) if name in _MUTATORS:
                if root_of(owner) in protected or getattr(owner, "id", "") in _CHANGEABLE:
                    yield f"`{ast.unparse(node)}` changes what is protected in place; work on a copy"
            case ast.AugAssign(target=ast.Name(id=name)) if name in child.handed.get(new.scope, ()):
                if any(
                    isinstance(getattr(one, "value", None), ast.Name)
                    for one in child.binders.get((new.scope, name), ())
                ):
                    yield f"`{name}` changes what is protected in place; work on a copy"
            case ast.Subscript(ctx=ast.Store() | ast.Del()):
                yield from _item(node, protected, child)
            case ast.Call():
                yield from _call(node, protected, guards, child)


def hides(new: Unit, guards: Guards, child: Child) -> Iterator[str]:
    """Yield the means that reach around the language: frames, other interpreters, raw output."""
    if isinstance(new.node, ast.Import | ast.ImportFrom):
        yield from _hidden_import(new.node)
    called = {id(node.func) for node in new.calls}
    used = {
        id(node.value)
        for node in new.nodes
        if isinstance(node, ast.Attribute) and node.attr in _STREAM and (node.attr != "write" or id(node) in called)
    }
    for node in new.nodes:
        match node:
            case ast.Name(id=name, ctx=ast.Load()) if name in _HIDDEN_NAMES:
                yield f"`{name}` can change protected code unseen; write the code out"
            case ast.Attribute(attr=name) if name in _HIDDEN_ATTRIBUTES:
                yield f"`{name}` can change protected code unseen; leave it out"
            case ast.Attribute(attr="__dict__") if root_of(node) in {*child.imports, *guards.owned}:
                yield "it may change protected code or a library; leave it out"
            case ast.Attribute(value=ast.Name(id=owner), attr=name) if {name, name.lstrip("_")} & _OF_MODULE.get(
                child.imports.get(owner, ""), frozenset()
            ):
                if name != "stdout" or id(node) not in used:
                    yield f"`{owner}.{name}` could forge or cut off what is measured; leave it out"
            case ast.Constant(value=str()) | ast.BinOp() if _DEVICES.search(text := text_of(node)):
                yield f"{text!r} is no file for a program to write or read; leave it out"


def reaches(new: Unit, guards: Guards, child: Child) -> Iterator[str]:
    """Yield how a unit gets at modules, memory, streams and attributes without naming them."""
    called = {id(node.func) for node in new.calls}
    owners = {id(node.value) for node in new.nodes if isinstance(node, ast.Attribute)} | _aliased(new)
    owners |= {id(node.args[0]) for node in new.calls if node.args and _names(node)}
    for node in new.nodes:
        match node:
            case ast.Attribute(attr=name) if name.lstrip("_") in _MODULES and root_of(node) in child.imports:
                yield f"`{ast.unparse(node)}` reaches a module through another one; import it"
            case ast.Attribute(attr=name) if name in _MEMORY or _is_whole_array(node):
                yield f"`.{name}` leads to data beyond the array, held-out ones among them; leave it out"
            case ast.keyword(arg="closefd"):
                yield "it opens a stream by its number, by which it could report; give a file its name"
            case ast.Call(
                func=ast.Name(id="open") | ast.Attribute(attr="fdopen" | "open"), args=[ast.Constant(int()), *_]
            ):
                yield "it opens a stream by its number, by which it could report; give a file its name"
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=args) if name in _BY_NAME:
                yield from _by_name(name, args, new, {*child.imports, *guards.owned}, child)
            case ast.Attribute(attr="ma" | "mstats") if root_of(node) in child.imports:
                yield f"`{ast.unparse(node)}` makes arrays whose mean leaves parts out; return plain arrays"
            case ast.Name(id=name, ctx=ast.Load()) if name in _BY_NAME | {"print", "open"} and id(node) not in called:
                yield f"`{name}` under another name can change protected code unseen; call it by its own"
            case ast.Name(id=name, ctx=ast.Load()) if name in child.modules and id(node) not in owners:
                yield f"`{name}` is a module, which could be changed where it is handed on; use its functions"


_READERS = re.compile(
    r"open|load|loadtxt|genfromtxt|fromfile|memmap|imread|load_file|loadmat|read_(?!only)\w+|scan_(?:csv|parquet)|i?glob"
    r"|rglob|iterdir|listdir|scandir|walk"
)
_KEYWORDS = frozenset(("allow_pickle", "weights_only", "eval_str"))


def loads(new: Unit, guards: Guards, child: Child) -> Iterator[str]:  # noqa: ARG001 - as every rule
    """Yield what a unit brings in that may hold code which no rule reads: unusual modules, pickles."""
    if isinstance(new.node, ast.Import | ast.ImportFrom):
        yield from unusual(new.node)
    for node in new.nodes:
        match node:
            case ast.keyword(arg="allow_pickle", value=value) if not _is_false(value):
                yield "a pickle may hold code; load plain arrays"
            case ast.keyword(arg="weights_only", value=value) if _is_false(value):
                yield "a pickle may hold code; load weights only"
            case ast.keyword(arg=None, value=ast.Dict()) if _KEYWORDS.intersection(new.texts):
                yield "a pickle or a text may hold code; give these arguments by their names"
            case ast.keyword(arg="usemask", value=value) if not _is_false(value):
                yield "it makes arrays whose mean leaves parts out; read plain arrays"
            case ast.keyword(arg="eval_str"):
                yield "it runs a text; leave it out"
            case ast.Call(func=ast.Attribute(attr="load"), args=[_, _, _, *_]):
                yield "a pickle may hold code; load plain arrays"
            case ast.Attribute(attr=name) if name in _RUNNING_PARTS and _is_of_arrays(node, child):
                yield f"`{ast.unparse(node)}` runs code that no rule reads; do without it"


def reads_files(new: Unit, guards: Guards, child: Child) -> Iterator[str]:  # noqa: ARG001 - as every rule
    """Yield where a unit reads files or lists folders; what the program writes itself it may read again."""
    for node in new.nodes:
        match node:
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if _READERS.fullmatch(name):
                others = {text for one in child.free if one is not new for text in one.texts}
                is_own = name in {"load", "open"} and bool(others & set(map(text_of, node.args)))
                if not (is_own or _writes_alone(node)):
                    yield "it reads a file, and held-out data may be there; use what generation 0 gives it"


def _writes_alone(call: ast.Call) -> bool:
    return any(isinstance(one, ast.Constant) and str(one.value)[:1] in {"w", "a", "x"} for one in call.args[1:2])


def changes_given(new: Unit, guards: Guards, child: Child) -> Iterator[str]:  # noqa: ARG001 - as every rule
    """Yield where a function that only other programs call changes in place what they give it."""
    given = child.given.get(new.scope, frozenset())
    changed = {getattr(new.node.target, "id", "")} if isinstance(new.node, ast.AugAssign) else set()
    for node in new.nodes if given else ():
        match node:
            case ast.Subscript(ctx=ast.Store() | ast.Del()):
                changed.add(root_of(node))
            case ast.Call(func=ast.Attribute(value=owner, attr=name)) if name in _MUTATORS:
                changed.add(root_of(owner))
            case ast.Call(func=func, args=args) if last_name(func) in _FILLS:
                changed |= set(map(root_of, args))
    if changed & given:
        yield CHANGES_GIVEN


def _is_of_arrays(node: ast.AST, child: Child) -> bool:
    return child.imports.get(root_of(node) or "", "").partition(".")[0] in {"numpy", "torch"}


def _is_whole_array(node: ast.Attribute) -> bool:
    """Return whether an attribute is that of an array which leads to the memory that it is cut from."""
    is_memory = node.attr in {"base", "storage"} and isinstance(node.ctx, ast.Load)
    is_memory |= isinstance(node.value, ast.Attribute) and node.attr == node.value.attr == "dataset"
    return is_memory and root_of(node) not in {"self", "cls"}


def _is_false(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and not node.value


def _by_name(function: str, args: Sequence[ast.expr], new: Unit, fixed: Set[str], child: Child) -> Iterator[str]:
    """Yield what is wrong with an attribute that is named by a text, as `getattr` takes it."""
    hidden = _HIDDEN_ATTRIBUTES | _MEMORY | _MODULES | _CUT_OFF | {"base", "storage", "__dict__", "ma"}
    if function.startswith("set") or function == "__setattr__":
        hidden |= {"__class__", "__array__"}  # others begin and end as these do
    if function == "methodcaller":
        hidden |= _MUTATORS
    for name in map(text_of, args):
        if hidden & set(name.split(".")):
            yield f"`{name}` can change protected code or data unseen; leave it out"
    place = 0 if function in {"attrgetter", "methodcaller"} else 1
    for one in args[place : place + 1]:
        is_fixed = place == 1 and root_of(args[0]) in fixed and not isinstance(one, ast.Constant)
        texts = _gone_through(one, new, child) or {text_of(one)}
        if is_fixed or any(_may_name(part, hidden) for text in texts for part in text.split(".")):
            yield f"only running tells which attribute `{ast.unparse(one)}` is; write its name out"


def _may_name(text: str, names: Set[str]) -> bool:
    """Return whether a text with unknown parts may be one of some names."""
    pattern = re.compile(".*".join(map(re.escape, text.split(UNKNOWN))))
    return UNKNOWN in text and any(map(pattern.fullmatch, names))


def _gone_through(name: ast.expr, new: Unit, child: Child) -> set[str]:
    """Return the texts that a variable stands for where loops over literals alone bind it; empty for others."""
    binders = child.binders.get((new.scope, name.id), ()) if isinstance(name, ast.Name) else ()
    found: set[str] = set()
    for one in binders:
        match one:
            case ast.For(target=ast.Name(), iter=ast.Tuple(elts=parts) | ast.List(elts=parts)):
                found |= set(map(text_of, parts))
            case ast.For(
                target=ast.Tuple(elts=[ast.Name(id=first), *_]), iter=ast.Tuple(elts=rows) | ast.List(elts=rows)
            ):
                parts = [row.elts[0] if isinstance(row, ast.Tuple) and row.elts else row for row in rows]
                found |= set(map(text_of, parts)) if ast.unparse(name) == first else {UNKNOWN}
            case _:
                return set()
    return found


def conceals(new: Unit, guards: Guards, child: Child) -> Iterator[str]:
    """Yield the builtins, patterns and texts by which a unit reaches or changes names unseen."""
    for node in new.nodes:
        match node:
            case ast.Call(func=ast.Name(id="input")):
                yield "it prints what it asks, and nothing answers; leave it out"
            case ast.MatchClass(kwd_attrs=names) if _HIDDEN_ATTRIBUTES.union(_MEMORY).intersection(names):
                yield "its pattern reaches what can change protected code unseen; leave it out"
            case ast.Constant(value=str(text)) if _HIDDEN_ATTRIBUTES.intersection(_NAMED_IN_TEXTS.findall(text)):
                yield f"{text!r} names what can change protected code unseen; leave it out"
            case ast.Call(func=ast.Name(id="vars"), args=args):
                if not args or root_of(args[0]) in {*child.imports, *_protected_in(new, guards, child)}:
                    yield "`vars` can change protected names unseen; name them"


def ends(new: Unit, guards: Guards, child: Child) -> Iterator[str]:
    """Yield how a unit ends the program, or a function with protected statements, before these run."""
    names = {node.id for node in new.nodes if isinstance(node, ast.Name)}
    if any(isinstance(node, ast.Attribute) and node.attr == "exit" for node in new.nodes) or names & (
        _EXITS if isinstance(new.node, ast.ExceptHandler) else _EXITS | {"SystemExit", "KeyboardInterrupt"}
    ):
        yield "it ends the program early; let it run to its end"
    parsing = {id(call.func) for call in new.calls if _is_empty(call)}
    for node in new.nodes:
        if isinstance(node, ast.Attribute) and node.attr in _PARSING and id(node) not in parsing:
            yield "the command line is given from outside, and a flag may end the program; parse nothing else"
    if isinstance(new.node, ast.Raise) and "StopIteration" in names and new.scope[-1:] != ("__next__",):
        yield "`StopIteration` may end a loop of the evaluation unseen; raise another error"
    if isinstance(new.node, ast.Return) and new.scope in guards.scopes and new.line < child.last.get(new.scope, 0):
        yield "it returns before the protected statements of this function; let them run"
    if isinstance(new.node, ast.Break | ast.Continue) and any(new.line in lines for lines in child.loops):
        yield "it leaves out a part of a protected loop; let it run to its end"


def _is_empty(call: ast.Call) -> bool:
    """Return whether a call is given nothing, or an empty list."""
    given = [*call.args, *(one.value for one in call.keywords)]
    return all(isinstance(one, ast.List | ast.Tuple) and not one.elts for one in given)


def leaks(new: Unit, guards: Guards, child: Child) -> Iterator[str]:
    """Yield the held-out data and results that a unit uses."""
    read = new.read - new.inner - child.local.get(new.scope, frozenset())
    for name in sorted(read & guards.whole):
        yield f"`{name}` is all of the data, held-out ones among them; use the training data that are cut from it"
    for name in sorted(read & guards.data):
        yield f"`{name}` is held-out data, for the evaluation alone; use the training data"
    for node in new.nodes:
        if isinstance(node, ast.Attribute) and node.attr in guards.fields:
            yield f"`{ast.unparse(node)}` is held-out data, for the evaluation alone; use the training data"
    named = new.bound | {node.attr for node in new.nodes if isinstance(node, ast.Attribute)}
    for name in sorted(named & guards.results):
        yield f"`{name}` holds what is reported; leave it to protected code"
    for text in sorted(filled_keys(new) & guards.keys):
        yield f"{text!r} is the key of what is reported; use another one"
    for text in sorted(new.texts & guards.texts):
        yield f"{text!r} names what the evaluation alone may use; use the training data"


def chooses(new: Unit, guards: Guards, child: Child) -> Iterator[str]:
    """Yield the seeds that a unit sets, and the data that it asks for by the arguments of a call."""
    described = {id(inner) for node in new.nodes for one in _annotations(node) for inner in ast.walk(one)}
    for node in new.nodes:
        match node:
            case (
                ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name))
                | ast.Attribute(attr="bit_generator" as name)
            ) if name in guards.seeding:
                yield "the seed is protected, and chosen from outside; seed nothing else"
            case ast.Attribute(attr=name, ctx=ast.Load()) | ast.Name(id=name, ctx=ast.Load()) if (
                name in guards.seeding and root_of(node) in child.imports and id(node) not in described
            ):
                yield "the seed is protected, and chosen from outside; seed nothing else"
            case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name)):
                yield from _chooses(node, name, guards) if name in guards.choosing else ()
                yield from _makes_again(node, name, new, guards)
                given = dict(arguments_of(node))
                for place in {*given, *FOLDS}:
                    known = guards.validating.get((name, place))
                    if known is not None and (place not in given or ast.unparse(given[place]) not in known):
                        yield f"`{name}` is measured on {', '.join(sorted(known))}; leave the data as they are"
        if (guards.seeds or guards.seeding) and set(literal_seed(node)) - guards.seeds:
            yield "the seed is protected, and chosen from outside; leave it as it is"


def _makes_again(call: ast.Call, name: str, new: Unit, guards: Guards) -> Iterator[str]:
    """Yield where a call makes held-out data for another use, by the literals that make them."""
    sanctioned = {id(value) for node in new.calls for value in _validated(node, guards)}
    if id(call) not in sanctioned and guards.made.get(name, frozenset()) & literals_of(call):
        yield f"`{ast.unparse(call)}` makes held-out data; use the training data"


def _validated(call: ast.Call, guards: Guards) -> Iterator[ast.expr]:
    """Yield the arguments of a call that are held-out data, as written in generation 0."""
    for place, value in arguments_of(call):
        if ast.unparse(value) in guards.validating.get((last_name(call.func), place), ()):
            yield value


def _annotations(node: ast.AST) -> Iterator[ast.expr]:
    for one in (getattr(node, "annotation", None), getattr(node, "returns", None)):
        if isinstance(one, ast.expr):
            yield one
    if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "isinstance":
        yield from node.args[1:]


def draws(new: Unit, guards: Guards, child: Child) -> Iterator[str]:
    """Yield how a unit gets at the random numbers of held-out data: by drawing first, by a copy, by another name."""
    if isinstance(new.node, ast.ImportFrom) and guards.seeding.intersection(one.name for one in new.node.names):
        yield "the seed is protected, and chosen from outside; seed nothing else"
    for name in sorted(guards.generators):
        if new.line < child.drawn.get((new.scope, name), 0) and new.read & {name, *child.drawing.get(name, ())}:
            yield f"it draws from `{name}` before held-out data do, and so changes them; draw after that"
    for node in new.nodes:
        match node:
            case ast.Call(func=ast.Name(id=by_name) | ast.Attribute(attr=by_name), args=args) if (
                by_name in _BY_NAME and guards.seeding.intersection(map(text_of, args))
            ):
                yield "the seed is protected, and chosen from outside; seed nothing else"
            case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name), args=[first, *_]) if (
                name in _COPIES and isinstance(first, ast.Name) and first.id in guards.generators
            ):
                yield f"a copy of `{first.id}` repeats its numbers, those of held-out data among them; leave it out"


def takes(new: Unit, guards: Guards, child: Child) -> Iterator[str]:  # noqa: ARG001 - as every rule
    """Yield the data with held-out rows of which a unit, or one that reads what it binds, takes other rows."""
    for one, name, taken in sorted(child.beyond, key=lambda found: found[0] is not new):
        if one is new or new.bound:
            known = ", ".join(f"`{name}[{index}]`" for index in sorted(taken.indices))
            yield f"`{name}` holds held-out rows, too; take " + (f"its rows as {known} does" if known else "others")


def _chooses(call: ast.Call, name: str, guards: Guards) -> Iterator[str]:
    """Yield what is wrong with a call of a function that gives held-out data, too."""
    known = guards.choosing[name]
    if known is None:
        yield f"`{name}` gives held-out data as well; use the training data"
        return
    given = dict(arguments_of(call))
    for place, values in known.items():
        value = given.get(place)
        if isinstance(value, ast.Constant) and value.value not in values:
            yield f"`{name}` gives held-out data for {value.value!r}; use the training data"
        elif value is not None and not isinstance(value, ast.Constant):
            yield f"only running tells which data `{name}` gives for `{ast.unparse(value)}`; name the training data"


RULES: tuple[Rule, ...] = (
    *(rebinds, stands_in, exceeds_one, makes_classes, maps, imaginary, patches, hides, conceals),
    *(ends, leaks, chooses, draws, takes),
)
CHANGES_GIVEN = "it changes what the program that measures gives it; work on a copy"
"""Of a file that another program measures alone: a model within a program may change its inputs."""
WAYS: tuple[Rule, ...] = (reaches, loads, reads_files, changes_given, multiplies)
"""Rules about ways around the others; what generation 0 does itself, other statements may do as well."""


def _defined(new: Unit, guards: Guards) -> frozenset[str]:
    """Return the name of a function or class around protected statements, which its own head may bind."""
    name = getattr(new.node, "name", None)
    return frozenset({name}) if isinstance(name, str) and (name,) in guards.scopes else frozenset()


def _attribute(node: ast.Attribute, protected: Set[str], guards: Guards, child: Child) -> Iterator[str]:
    root, name, written = root_of(node), node.attr, ast.unparse(node)
    if name in guards.members:
        yield f"`{name}` is protected and may not be set; use another name"
    elif root in child.imports and not _is_setting(node):
        yield f"`{written}` belongs to an imported module, which protected code may rely on; leave it as it is"
    elif root in protected:
        yield f"`{written}` changes what is protected; leave it as it is"
    elif name in guards.attributes and root not in {"self", "cls"}:
        yield f"`.{name}` is a name that protected code calls or takes from a library; use another name"


def _item(node: ast.Subscript, protected: Set[str], child: Child) -> Iterator[str]:
    root, written = root_of(node), ast.unparse(node)
    if root in protected:
        yield f"`{written}` changes protected data in place; work on a copy"
    elif root in child.imports and not (_is_setting(node.value) and _is_free_variable(node)):
        yield f"`{written}` belongs to an imported module or to the environment; leave it as it is"


def _call(node: ast.Call, protected: Set[str], guards: Guards, child: Child) -> Iterator[str]:
    name = last_name(node.func)
    if name in {"setattr", "delattr", "__setattr__", "__delattr__"} and node.args:
        texts = {one.value for one in node.args if isinstance(one, ast.Constant)}
        if texts & (guards.members | guards.attributes) or root_of(node.args[0]) in {*child.imports, *protected}:
            yield "it sets an attribute of a library or of protected code; leave that as it is"
    elif isinstance(node.func, ast.Attribute):
        root = root_of(node.func.value)
        if _CHANGES.fullmatch(name) and root in protected:
            yield f"`{ast.unparse(node.func)}` changes what is protected in place; work on a copy"
        elif (
            (name in _MUTATORS or _CHANGES.fullmatch(name))
            and root in child.imports
            and "environ" in ast.unparse(node.func)
            and not _names_free_variable(node)
        ):
            yield "it changes the environment that protected code reads; leave it as it is"
    if name in _FILLS and any(root_of(one) in protected for one in node.args):
        yield f"`{name}` changes what is protected in place; work on a copy"
    for keyword in node.keywords:
        if keyword.arg == "out" and root_of(keyword.value) in protected:
            yield f"`{name}` changes what is protected in place; work on a copy"
        flag = text_of(keyword.value) if keyword.arg == "dest" else keyword.arg
        if flag in guards.members or flag == UNKNOWN:
            yield f"`{ast.unparse(keyword)}` sets what is protected; leave it to its value"


def _protected_in(new: Unit, guards: Guards, child: Child) -> frozenset[str]:
    """Return the names of protected data where a unit stands, those under which they are handed on among them."""
    names = guards.bound.get(new.scope, frozenset()) | child.handed.get(new.scope, frozenset())
    return (guards.owned | names) - _not_begun(new, child)


def _not_begun(new: Unit, child: Child) -> frozenset[str]:
    """Return the names that protected code where a unit stands binds only after it."""
    return frozenset(name for (scope, name), line in child.begun.items() if scope == new.scope and new.end_line < line)


def _is_setting(node: ast.AST) -> bool:
    """Return whether an attribute is a switch that a library offers, such as `torch.backends.cudnn.benchmark`."""
    names = {one.attr for one in ast.walk(node) if isinstance(one, ast.Attribute)}
    return bool((names | {root_of(node)}) & _SETTINGS)


def _is_free_variable(node: ast.Subscript) -> bool:
    return _is_free_name(node.slice) or not ast.unparse(node.value).endswith("environ")


def _names_free_variable(node: ast.Call) -> bool:
    return bool(node.args) and _is_free_name(node.args[0])


def _is_free_name(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and not str(node.value).startswith(("EVO_", "PYTHON", "LD_", "TORCH_FORCE_"))


def _hidden_import(node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    (alias,) = node.names
    module = (node.module or "") if isinstance(node, ast.ImportFrom) else alias.name
    names = {alias.name} if isinstance(node, ast.ImportFrom) else set()
    if module.partition(".")[0] in _HIDDEN_MODULES or names & (
        _HIDDEN_ATTRIBUTES | _HIDDEN_MODULES | _MEMORY | {"ma", "mstats"}
    ):
        yield f"`{module}` can change protected code unseen; leave it out"
    elif names & _OF_MODULE.get(module, frozenset()):
        yield f"`{module}.{alias.name}` could forge or cut off what is measured; leave it out"


def _names(call: ast.Call) -> bool:
    """Return whether a call takes an attribute of its first argument by name."""
    return isinstance(call.func, ast.Name) and call.func.id in _BY_NAME | {"vars"}


def _aliased(unit: Unit) -> set[int]:
    """Return the nodes of the modules that get another name, under which they are known as well."""
    match unit.node:
        case ast.Assign(value=value) | ast.AnnAssign(value=ast.expr() as value) | ast.For(iter=value):
            return {id(one) for one in (value.elts if isinstance(value, ast.Tuple | ast.List) else [value])}
    return set()
