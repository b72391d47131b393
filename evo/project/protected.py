"""What of a genome no individual may change: what is measured, when and how long, found by data flow.

It starts at the statements that report a metric, at the time budget and at the seeds, and goes back over what they
read: variables with their bindings, functions of the genome, constants. It stops at what is trained, since that is what
evolves. A function that the evaluation calls and training calls too is protected and named as shared: there the genome
holds its own evaluation.
"""

from __future__ import annotations

import ast
import re
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from evo.project.found import Metric, ProtectedCode
from evo.project.modules import Module, Project, last_name
from operators.protection import Reported
from operators.protection.entries import select
from operators.protection.guards import is_import
from operators.protection.rules import forges
from operators.protection.units import DEFINITION, FUNCTION, Scope, Unit, units_of
from trainer.errors import ConfigError

_MODEL = re.compile(
    r"^(model|net|network|clf|reg|regressor|classifier|estimator|pipe|pipeline|agent|policy|gpt|w|b|theta|params|weights|"
    r"opt|optimizer|optim|scheduler|sched|state|preds?|y_?pred|y_?hat|logits|probs|best)\d*$|model|_net$|params$",
    re.IGNORECASE,
)
_MAKES_MODEL = re.compile(
    r"^_?(train|fit|build|make_model|create|init|get_model|optimi|update|step|learn|forward|predict|infer|sample|act|"
    r"model|augment|featur|preprocess|transform|normali|standardi|scale|encode|embed|"
    r"signal|strateg|decide|polic|agent|choose|select|solve|anneal|search|propose|generate|allocat|position)",
    re.IGNORECASE,
)
_LEARNS = re.compile(r"^_?(forward|fit|train|step|predict|update|learn|act|sample)")
_EVALUATES = re.compile(
    r"^_?(eval|valid|test|score|measure|report|calc_metric|compute_(loss|metric|score))", re.IGNORECASE
)
_DATA_CLASS = re.compile(r"env|data|loader|task|evaluator|metric|problem|simul|world|game|bench", re.IGNORECASE)
_OPTIMIZER = re.compile(r"opt|sched|scaler|trainer|model|net|agent|policy", re.IGNORECASE)
_TRAINS = frozenset(("backward", "fit", "partial_fit", "zero_grad", "train_on_batch", "minimize", "apply_gradients"))
_SEEDING = re.compile(
    r"^(manual_seed(_all)?|seed|seed_all|seed_everything|set_(random_)?seed|PRNGKey|default_rng|RandomState|Random)$"
)
_SEED_NAME = re.compile(r"^(random_?|rng_?)?seed$|_seed$|^random_state$", re.IGNORECASE)
_BUDGET = re.compile(
    r"(?:[A-Z0-9]+_)*(?:TIME_?BUDGET|TRAIN_BUDGET|TIME_LIMIT|(?:TRAIN|TRAINING|MAX|BUDGET)_SECONDS)(?:_(?:S|SEC|SECONDS))?"
    r"|(?:time_budget|time_limit|(?:(?:train|training|max|budget|wall)_)?seconds|max_time)(?:_s|_sec|_seconds)?"
)
_FILLS = frozenset(("append", "extend", "add", "update", "insert", "appendleft", "setdefault"))
_CLOCK = re.compile(r"\b(time|perf_counter|monotonic|process_time|time_ns|perf_counter_ns|now)\(\)")
_EVALUATING = re.compile(
    r"(^|_)(eval|val|valid|test|held_?out|holdout|split|folds?|metric)|eval(uation)?_|_(frac|fraction|ratio|share|split)$",
    re.IGNORECASE,
)
_RESULT = re.compile(
    r"loss|acc|score|error|\berr\b|mse|mae|rmse|r2|auc|f1|bpb|nll|ppl|perplexity|metric|reward", re.IGNORECASE
)
_TUNED = re.compile(
    r"batch|block|context|ctx|seq|width|depth|hidden|layer|head|lr$|rate|dropout|decay|epoch|step|iter|device|dim|embd|units|"
    r"workers|threads|verbose|log|out|path|dir|file",
    re.IGNORECASE,
)
_UNCHANGEABLE = re.compile(
    r"(must|do|should|may)\s*(not|n't)\b[^.\n]*\b(chang|modif|edit|touch)|never (chang|modif|edit)|read-only",
    re.IGNORECASE,
)
_NAME = re.compile(r"\b[A-Za-z_]\w*\b")
_LONGEST_CODE = 60


@dataclass
class _Slice:
    """The protected units of one file, with the reason for each, and what is known of the file."""

    module: Module
    units: list[Unit]
    reasons: dict[int, str] = field(default_factory=dict)

    def in_scope(self, path: Scope) -> list[int]:
        return [place for place, one in enumerate(self.units) if one.scope[: len(path)] == path]

    def is_class(self, path: Scope) -> bool:
        return any(isinstance(one.node, ast.ClassDef) and (*one.scope, one.node.name) == path for one in self.units)

    def binders(self, scope: Scope, name: str) -> list[int]:
        return [place for place, one in enumerate(self.units) if one.scope == scope and name in one.bound]

    def fillers(self, scope: Scope, name: str) -> list[int]:
        """Return the statements that put something into what a name stands for: `scores.append(…)`, `found[i] = …`."""
        return [place for place, one in enumerate(self.units) if one.scope == scope and name in _filled(one.node)]


class Protected(NamedTuple):
    """What of a genome no individual may change.

    Attributes:
        entries: for `protect` of evo.toml.
        shared: the functions that evaluation and training share.
        free_share: of the statements, those that may change, from 0 to 1; imports and heads of definitions left out.
    """

    entries: tuple[ProtectedCode, ...]
    shared: tuple[str, ...]
    free_share: float


def protected_code(
    project: Project,
    genome: Sequence[Module],
    metrics: Sequence[Metric],
    instructions: str,
    given: Collection[str] = (),
) -> Protected:
    """Return what no individual may change.

    Args:
        project: of the genome.
        genome: the files that evolve.
        metrics: what is optimised; empty where a trusted program reports it.
        instructions: the documentation of the project, which may call constants unchangeable.
        given: flags that the command gives, so that their defaults change nothing.
    """
    found = _Finder(project, genome, metrics)
    found.protect(instructions)
    found.protect_defaults(given)
    return Protected(found.entries(), found.shared(), found.free_share())


class _Finder:
    def __init__(self, project: Project, genome: Sequence[Module], metrics: Sequence[Metric]) -> None:
        self._project = project
        self._metrics = metrics
        self._files = {one.name: _Slice(one, units_of(one.tree)) for one in genome}
        self._stopped: set[str] = set()
        self._training: set[str] = set()
        self._waiting: deque[tuple[_Slice, int]] = deque()

    def protect(self, instructions: str) -> None:
        """Protect what is measured, when and how long, with all that it depends on."""
        for find in (self._reports, lambda: self._budget(instructions), self._seeds):
            find()
            self._spread()
        self._constants()

    def protect_defaults(self, flags: Collection[str]) -> None:
        """Protect where flags get defaults that nothing reads, so that no evaluation is spent on a change of one."""
        for file in self._files.values():
            for place, one in enumerate(file.units):
                if not isinstance(one.node, DEFINITION) and "add_argument" in _calls(one) and one.texts & set(flags):
                    self._add(file, place, "the command gives it")

    def _reports(self) -> None:
        """Protect what reports a metric."""
        read = [Reported(one.name, one.pattern, one.json_file) for one in self._metrics]
        places = {one.where: one.name for one in self._metrics}
        for file in self._files.values():
            reporters = self._reporters(file.module)
            for place, one in enumerate(file.units):
                metric = next((each for each in read if _reports(one, each)), None)
                lines = range(one.line, one.end_line + 1) if isinstance(one.node, ast.stmt) and _calls(one) else ()
                written = next((places[at] for line in lines if (at := f"{file.module.name}:{line}") in places), None)
                if metric is not None or written is not None:
                    self._add(file, place, f"reports {written or (metric and metric.name)}")
                elif _calls(one) & reporters:
                    self._add(file, place, f"calls what reports {self._metrics[0].name}")

    def _budget(self, instructions: str) -> None:
        """Protect the constants of the time budget, those that the documentation fixes, and the loops on them."""
        forbidden = {
            name for line in instructions.splitlines() if _UNCHANGEABLE.search(line) for name in _NAME.findall(line)
        }
        for file in self._files.values():
            said = forbidden | _forbidden_here(file.module.text)
            limits: set[str] = set()
            for place, one in enumerate(file.units):
                names = {name for name in one.bound if _BUDGET.fullmatch(name)}
                fixed = {name for name in one.bound if not one.scope and name.isupper() and name in said}
                if (names or fixed) and (not one.scope or isinstance(one.node, ast.Assign | ast.AnnAssign)):
                    self._add(file, place, "the time budget" if names else "the documentation forbids to change it")
                flags = {text for text in one.texts if text.startswith("--") and _BUDGET.fullmatch(_flag(text))}
                if flags:
                    self._add(file, place, "the time budget")
                parameters = {name for name in one.parameters if _BUDGET.fullmatch(name)}
                if parameters and isinstance(one.node, FUNCTION) and one.node.args.defaults:
                    self._add(file, place, "the time budget")
                limits |= names | parameters | {_flag(text) for text in flags}
            for place, one in enumerate(file.units):
                attributes = {node.attr for node in one.nodes if isinstance(node, ast.Attribute)}
                if (one.read | attributes) & limits and isinstance(one.node, ast.While | ast.If) and _compares(one):
                    self._add(file, place, "keeps the time budget")

    def _seeds(self) -> None:
        """Protect the statements and constants that set a seed."""
        for file in self._files.values():
            for place, one in enumerate(file.units):
                if isinstance(one.node, DEFINITION):
                    continue
                sets = any(_SEEDING.match(name) for name in _calls(one)) and not _makes_instance(one)
                flags = (_flag(text) for text in one.texts if text.startswith("--"))
                if sets or any(_SEED_NAME.search(name) for name in (*one.bound, *flags)):
                    self._add(file, place, "the seed")

    def entries(self) -> tuple[ProtectedCode, ...]:
        """Return an entry for each protected part, in the order of the source."""
        found: dict[str, str] = {}
        several = len(self._files) > 1
        for name, file in self._files.items():
            covered: set[int] = set()
            for place in sorted(file.reasons):
                if place in covered:
                    continue
                for text in self._texts(file, place):
                    chosen = _chosen(text, file)
                    if place in chosen and chosen <= set(file.reasons):
                        covered |= chosen
                        found.setdefault(f"{name}: {text}" if several else text, file.reasons[place])
                        break
        return tuple(ProtectedCode(name, reason) for name, reason in found.items())

    def free_share(self) -> float:
        """Return which share of the statements may change."""
        statements = [
            place in file.reasons
            for file in self._files.values()
            for place, one in enumerate(file.units)
            if not is_import(one) and not isinstance(one.node, DEFINITION)
        ]
        return statements.count(False) / len(statements) if statements else 1.0

    def _texts(self, file: _Slice, place: int) -> Iterator[str]:
        if file.reasons[place].startswith("reports"):
            texts = file.units[place].texts
            labels = (one.label for one in self._metrics if one.pattern and any(one.label in text for text in texts))
            yield from (f"print {label}" for label in labels)
        yield from _names(file, place)

    def shared(self) -> tuple[str, ...]:
        """Return the functions and classes that the evaluation uses and code that evolves uses too."""
        names = set(self._stopped)
        for file in self._files.values():
            free = {name for place, one in enumerate(file.units) if place not in file.reasons for name in _calls(one)}
            for place in file.reasons:
                node = file.units[place].node
                if isinstance(node, FUNCTION) and node.name in free:
                    names.add(node.name)
        return tuple(sorted(names))

    def _reporters(self, module: Module) -> set[str]:
        """Return the names that a module imports from others whose functions report a metric."""
        others = {one.where.partition(":")[0] for one in self._metrics} - set(self._files)
        lines = [int(one.where.rpartition(":")[2]) for one in self._metrics if one.where.rpartition(":")[2].isdigit()]
        found = set()
        for bound, (source, inner) in self._project.imported(module).items():
            if source.name in others and inner is not None:
                nodes = (node for node in ast.walk(source.tree) if isinstance(node, FUNCTION) and node.name == inner)
                if any(node.lineno <= line <= (node.end_lineno or 0) for node in nodes for line in lines):
                    found.add(bound)
        return found

    def _add(self, file: _Slice, place: int, reason: str) -> None:
        """Protect a unit, and what it reads once `_spread` is called."""
        if place not in file.reasons:
            file.reasons[place] = reason
            self._waiting.append((file, place))

    def _spread(self) -> None:
        """Protect what the protected units depend on."""
        while self._waiting:
            file, place = self._waiting.popleft()
            one = file.units[place]
            for name in sorted(one.read):
                self._follow(file, one, name)
            for node in one.nodes:
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                    self._method(file, node.func)
            self._attributes(file, one)
            self._around(file, one)

    def _follow(self, file: _Slice, reader: Unit, name: str) -> None:
        """Protect what binds a name that a protected unit reads."""
        scope, places = _resolved(file, reader.scope, name)
        places += file.fillers(scope, name)
        units = [file.units[place] for place in places]
        if isinstance(reader.node, ast.While | ast.If) and not any(_CLOCK.search(one.code) for one in units):
            return  # of what ends a loop, the clock alone counts
        if any(isinstance(one.node, FUNCTION) for one in units):
            self._function(file, (*scope, name), reader)
        elif any(isinstance(one.node, ast.ClassDef) for one in units):
            self._class(file, (*scope, name), reader)
        elif any(is_import(one) for one in units):
            self._imported(file, name)
        elif scope or not all(map(_is_literal, units)):  # constants are judged at the end
            self._variable(file, reader, name, scope, places)

    def _class(self, file: _Slice, path: Scope, reader: Unit) -> None:
        """Protect a class that holds data or an environment; note one that computes the loss beside its output."""
        if _DATA_CLASS.search(path[-1]):
            for place in (*file.binders(path[:-1], path[-1]), *file.in_scope(path)):
                self._add(file, place, "the evaluation uses it")
        elif _takes_loss(reader, path[-1]):
            self._stopped.add(path[-1])

    def _attributes(self, file: _Slice, reader: Unit) -> None:
        """Protect what gives a value to the held-out data that a method reads from its instance."""
        names = {
            node.attr
            for node in reader.nodes
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self"
        }
        for place, one in enumerate(file.units):
            if one.scope[:1] == reader.scope[:1] and _stored_on_self(one) & {
                name for name in names if _EVALUATING.search(name) and not _RESULT.search(name)
            }:
                self._add(file, place, "held-out data")

    def _around(self, file: _Slice, unit: Unit) -> None:
        """Protect the whole function that evaluates and holds a protected statement, and its calls."""
        for depth in range(len(unit.scope), 0, -1):
            path = unit.scope[:depth]
            if not _EVALUATES.match(path[-1]) or file.is_class(path):
                continue
            for place in (*file.binders(path[:-1], path[-1]), *file.in_scope(path)):
                self._add(file, place, "the evaluation")
            for place, one in enumerate(file.units):
                if path[-1] in _calls(one) and one.scope[:depth] != path and not isinstance(one.node, DEFINITION):
                    self._add(file, place, "runs the evaluation")

    def _variable(self, file: _Slice, reader: Unit, name: str, scope: Scope, places: Sequence[int]) -> None:
        if not self._is_trained(file, scope, name, places):
            for place in places:
                if not isinstance(file.units[place].node, ast.For | ast.While):
                    self._add(file, place, _why(name, reader))
        elif _takes_loss(reader, name):
            self._stopped |= self._classes(file, places)

    def _function(self, file: _Slice, path: Scope, reader: Unit | None = None) -> None:
        """Protect a function that is called, or what it returns where it trains as well."""
        inner = file.in_scope(path)
        if not _EVALUATES.match(path[-1]) and any(_trains(file.units[place]) for place in inner):
            self._training.add(path[-1])
            read = " ".join((*reader.bound, *reader.texts, reader.code)) if reader else ""
            for place in inner:
                one = file.units[place]
                if isinstance(one.node, ast.Return) and one.scope == path and _RESULT.search(read):
                    self._add(file, place, "returns what is reported")
        elif not _MAKES_MODEL.match(path[-1]):
            reason = "what is reported depends on it" if reader and not reader.scope else "the evaluation calls it"
            for place in (*file.binders(path[:-1], path[-1]), *inner):
                self._add(file, place, reason)

    def _method(self, file: _Slice, called: ast.Attribute) -> None:
        """Protect a method that evaluates; with its class where that does nothing else."""
        name = called.attr
        evaluates = bool(_RESULT.search(name) or _EVALUATING.search(name))
        receiver = called.value.id if isinstance(called.value, ast.Name) else ""
        if _MAKES_MODEL.match(name) or name.startswith("__") or not (evaluates or not _MODEL.search(receiver)):
            return
        heads = [one for one in file.units if isinstance(one.node, FUNCTION) and one.node.name == name and one.scope]
        for path in {one.scope for one in heads if file.is_class(one.scope)}:
            learns = any(
                _trains(one) or _LEARNS.match(getattr(one.node, "name", ""))
                for one in file.units
                if one.scope[: len(path)] == path
            )
            outer = (*path, name) if learns else path
            for place in (*file.binders(outer[:-1], outer[-1]), *file.in_scope(outer)):
                self._add(file, place, "the evaluation calls it")

    def _imported(self, file: _Slice, name: str) -> None:
        """Follow a name into another file of the genome."""
        source, inner = self._project.imported(file.module).get(name, (file.module, None))
        other = self._files.get(source.name)
        if other is None or other is file or inner is None:
            return
        if any(isinstance(other.units[place].node, FUNCTION) for place in other.binders((), inner)):
            self._function(other, (inner,))

    def _is_trained(self, file: _Slice, scope: Scope, name: str, places: Sequence[int]) -> bool:
        """Return whether a variable is, or comes from, what training makes: that is what evolves."""
        if _RESULT.search(name) or _EVALUATING.search(name) or _DATA_CLASS.search(name):
            return False
        if _MODEL.search(name):
            return True
        for place in places:
            one = file.units[place]
            if _descends(one) or _makes_instance(one) or any(_MAKES_MODEL.match(called) for called in _calls(one)):
                return True
        return any(
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in _TRAINS
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id == name
            for one in file.units
            if one.scope[: len(scope)] == scope
            for node in one.nodes
        )

    def _classes(self, file: _Slice, places: Sequence[int]) -> set[str]:
        defined = {node.name for node in file.module.tree.body if isinstance(node, ast.ClassDef)}
        return {name for place in places for name in _calls(file.units[place])} & defined

    def _fields(self, file: _Slice) -> None:
        """Protect the fields of classes of settings that name the evaluation and that protected code reads."""
        read = {
            node.attr for place in file.reasons for node in file.units[place].nodes if isinstance(node, ast.Attribute)
        }
        for place, one in enumerate(file.units):
            if file.is_class(one.scope) and _is_literal(one) and any(_EVALUATING.search(n) for n in one.bound & read):
                file.reasons.setdefault(place, "the evaluation reads it")

    def _constants(self) -> None:
        """Protect the constants that protected code alone reads, and those that name the evaluation."""
        shared = set(self.shared())
        for file in self._files.values():
            fixed = {name for place in file.reasons for name in file.units[place].read}
            computed = {
                name
                for place, reason in file.reasons.items()
                if not reason.startswith("reports")
                and not shared.intersection(file.units[place].scope[:1])
                and not self._training & _calls(file.units[place])
                for name in file.units[place].read
            }
            inside = {name for place in file.reasons if file.units[place].scope for name in file.units[place].read}
            free = {
                name
                for place, one in enumerate(file.units)
                if place not in file.reasons or shared.intersection(one.scope[:1])
                for name in one.read
            }
            self._fields(file)
            for place, one in enumerate(file.units):
                if one.scope or place in file.reasons or not _is_literal(one):
                    continue
                if isinstance(getattr(one.node, "value", None), ast.Dict) and one.bound & free:
                    self._stopped |= one.bound & computed  # some of its values are for the evaluation
                    continue
                for name in one.bound & fixed:
                    if name in inside - free:
                        file.reasons.setdefault(place, "only the evaluation reads it")
                    elif _EVALUATING.search(name) or (name in computed and not _TUNED.search(name)):
                        file.reasons.setdefault(place, "the evaluation reads it")


def _stored_on_self(unit: Unit) -> set[str]:
    """Return the attributes of `self` that a statement sets."""
    return {
        node.attr
        for node in unit.nodes
        if isinstance(node, ast.Attribute)
        and isinstance(node.ctx, ast.Store)
        and isinstance(node.value, ast.Name)
        and node.value.id == "self"
    }


def _reports(unit: Unit, metric: Reported) -> bool:
    """Return whether a statement reports a metric, by its pattern or its file."""
    if isinstance(unit.node, DEFINITION) or not _calls(unit):
        return False
    return any(f"`{metric.name}`" in reason for reason in forges(unit, [metric]))


def _names(file: _Slice, place: int) -> Iterator[str]:
    """Yield texts that could name a unit in `protect`, the most readable first."""
    one = file.units[place]
    around = ".".join(one.scope)
    code = one.code.rstrip(":")
    scope = f"{around}: " if around else ""
    if isinstance(one.node, ast.While | ast.If):
        yield scope + (code if len(code) <= _LONGEST_CODE else f"{code[:_LONGEST_CODE].rstrip()}…")
    yield from (
        f"{around}.{name}" if around else name for name in sorted(one.bound, key=lambda name: (len(name) < 2, name))
    )
    inner = ".".join((*one.scope, getattr(one.node, "name", "")))
    yield from (f"{inner}.{name}" for name in sorted(one.parameters) if _BUDGET.fullmatch(name))
    if len(code) > _LONGEST_CODE:
        yield f"{scope}{code[:_LONGEST_CODE].rstrip()}…"
    yield scope + code


def _chosen(text: str, file: _Slice) -> set[int]:
    try:
        return select([text], {"": file.units}, {"": file.module.text})[""]
    except ConfigError:
        return set()


def _resolved(file: _Slice, scope: Scope, name: str) -> tuple[Scope, list[int]]:
    """Return the scope in which a name is bound, and the units that bind it; a class hides nothing from its methods."""
    for depth in range(len(scope), -1, -1):
        path = scope[:depth]
        if places := file.binders(path, name):
            return path, places
        if any(
            isinstance(one.node, FUNCTION) and (*one.scope, one.node.name) == path and name in one.parameters
            for one in file.units
        ):
            return path, []
    return (), []


def _filled(node: ast.AST) -> set[str]:
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


def _calls(unit: Unit) -> set[str]:
    called = (node.func for node in unit.nodes if isinstance(node, ast.Call))
    return {last_name(func) for func in called} - {""}


def _makes_instance(unit: Unit) -> bool:
    """Return whether a statement binds an instance of some class."""
    match unit.node:
        case ast.Assign(value=ast.Call(func=func)) | ast.AnnAssign(value=ast.Call(func=func)):
            name = last_name(func)
            return name[:1].isupper() and not _SEEDING.match(name)
    return False


def _trains(unit: Unit) -> bool:
    """Return whether a statement trains something."""
    for node in unit.nodes:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            name, receiver = node.func.attr, ast.unparse(node.func.value)
            if name in _TRAINS or (name == "train" and node.args) or (name == "step" and _OPTIMIZER.search(receiver)):
                return True
    return _descends(unit)


def _descends(unit: Unit) -> bool:
    """Return whether a statement takes a step such as `w -= rate * gradient`."""
    return isinstance(unit.node, ast.AugAssign) and isinstance(unit.node.op, ast.Sub)


def _takes_loss(reader: Unit, name: str) -> bool:
    """Return whether a statement takes a metric from a call of the model: `logits, loss = model(x, y)`."""
    is_called = any(
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name for node in reader.nodes
    )
    return is_called and any(_RESULT.search(bound) for bound in reader.bound)


def _is_literal(unit: Unit) -> bool:
    value = getattr(unit.node, "value", None)
    return isinstance(unit.node, ast.Assign | ast.AnnAssign) and not any(
        isinstance(node, ast.Name | ast.Call) for node in (ast.walk(value) if value else ())
    )


def _compares(unit: Unit) -> bool:
    return any(isinstance(node, ast.Compare) for node in unit.nodes)


def _forbidden_here(text: str) -> set[str]:
    """Return the names in comments and lines that forbid to change them."""
    return {name for line in text.splitlines() if _UNCHANGEABLE.search(line) for name in _NAME.findall(line)}


def _flag(text: str) -> str:
    return text.lstrip("-").replace("-", "_")


def _why(name: str, reader: Unit) -> str:
    if _EVALUATING.search(name) and not _RESULT.search(name):
        return "held-out data"
    return "the clock" if _CLOCK.search(reader.code) else f"`{_shortened(reader.code)}` reads it"


def _shortened(code: str) -> str:
    return code if len(code) <= _LONGEST_CODE else code[: _LONGEST_CODE - 1] + "…"
