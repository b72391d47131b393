"""What protected code depends on: from its statements back over the names, methods and attributes that it reads.

It stops at what is trained, since that is what evolves. A function that the evaluation calls and training calls too is
protected and named as shared.
"""

from __future__ import annotations

import ast
from collections import deque
from collections.abc import Collection, Iterable, Sequence

from evo.project.modules import Module, Project
from evo.project.protection.evolving_file import EvolvingFile, Start, resolved
from evo.project.protection.statements import (
    defaulted,
    descends,
    flags_of,
    functions_given,
    is_forward,
    is_given_alone,
    is_literal,
    key_of,
    keys_filled,
    learns_items,
    makes_held_out,
    makes_instance,
    multiplied_with,
    selects,
    shortened,
    shows,
    stored_on_self,
    table_values,
    takes_attribute,
    takes_loss,
    takes_result,
    trains,
    values_given,
)
from evo.project.protection.words import (
    CLOCK,
    COMPUTES,
    CONTAINER,
    DATA_CLASS,
    EVALUATES,
    EVALUATING,
    FEATURES,
    GENERATES,
    LEARNS,
    LEARNS_FROM,
    MAKES_MODEL,
    MODEL,
    PREDICTED,
    REPORTS,
    RESULT,
    SEED,
    SEEDING,
    TRAINS,
)
from operators.protection.units import DEFINITION, FUNCTION, Scope, Unit, is_import, names_in, root_of
from populations.descriptors import last_name

_RUNS = "runs the evaluation"
_DEEPEST = 2
_OF_ENVIRONMENT = frozenset(("reset", "step"))
"""Methods that every environment has."""


class Flow:
    """Protects units of the files that evolve, and what these read.

    Args:
        files: that evolve, by name; the reasons in them are what it finds.
        labels: under which the metrics are reported.
    """

    def __init__(self, project: Project, files: dict[str, EvolvingFile], labels: Collection[str]) -> None:
        self.files = files
        self._labels = frozenset(labels)
        self.training: set[str] = set()
        """Functions that train and return what is reported."""
        self.used_by_both: set[str] = set()
        """Classes, and constants that hold several values, that evaluation and training both use."""
        self._project = project
        self._reporting: set[int] = set()
        self._numbers: set[int] = set()
        self._evaluations: set[tuple[Module, Scope]] = set()
        self._is_for_seed = False
        self._waiting: deque[tuple[EvolvingFile, int]] = deque()

    def protect(self, starts: Iterable[Start]) -> None:
        """Protect units and all that they depend on."""
        for start in starts:
            self._add(*start)
        while self._waiting:
            self._spread()
            self._enclose()

    def shared(self) -> tuple[str, ...]:
        """Return the functions and classes that the evaluation uses and code that evolves uses too."""
        names = set(self.used_by_both)
        for file in self.files.values():
            libraries = {name for one in file.units if is_import(one) for name in one.bound}
            free = {
                last_name(node.func)
                for place, one in enumerate(file.units)
                if place not in file.reasons
                for node in one.calls
                if (isinstance(node.func, ast.Name) or root_of(node) not in libraries)
            }
            for place in file.reasons:
                one = file.units[place]
                if isinstance(one.node, FUNCTION) and one.node.name in free and not one.node.name.startswith("__"):
                    names.add(".".join((*filter(None, [self._class_of(file, one)]), one.node.name)))
        return tuple(sorted(names))

    def _class_of(self, file: EvolvingFile, head: Unit) -> str:
        return head.scope[-1] if file.is_class(head.scope) else ""

    def _add(self, file: EvolvingFile, place: int, reason: str) -> None:
        """Protect a unit; what it reads follows."""
        if place not in file.reasons:
            file.reasons[place] = SEED if self._is_for_seed else reason
            self._waiting.append((file, place))
            if reason.startswith(REPORTS):
                self._reporting.add(id(file.units[place]))

    def _spread(self) -> None:
        """Protect what the units that wait depend on."""
        while self._waiting:
            file, place = self._waiting.popleft()
            one = file.units[place]
            self._is_for_seed = file.reasons[place] == SEED
            nodes = file.followed.get(place, one.nodes)
            for name in sorted({node.id for node in nodes if isinstance(node, ast.Name)} & one.read - one.inner):
                self._follow(file, one, name)
            for node in nodes:
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                    self._method(file, node.func)
            self._attributes(file, one)
            self._keys(one, nodes)
            self._around(file, one)
        self._is_for_seed = False

    def _enclose(self) -> None:
        """Protect the heads of loops that count for the evaluation alone: how often they run is a part of it."""
        for file in self.files.values():
            for place, one in enumerate(file.units):
                if isinstance(one.node, ast.For | ast.While) and place not in file.reasons:
                    inner = file.in_loop(one)
                    counts = any(
                        isinstance(file.units[at].node, ast.AugAssign) or file.reasons.get(at) == _RUNS for at in inner
                    )
                    if counts and file.reasons.keys() >= set(inner):
                        self._add(file, place, "the evaluation loops")

    def _follow(self, file: EvolvingFile, reader: Unit, name: str) -> None:
        """Protect what binds a name that a protected unit reads."""
        scope, places = resolved(file, reader.scope, name)
        places = file.reaching(reader, [*places, *file.fillers(scope, name)])
        units = [file.units[place] for place in places]
        if any(map(table_values, units)) and any(map(SEEDING.match, reader.called)):
            return  # a table of settings holds more than the seed
        if units and is_given_alone(reader, name):
            return
        if isinstance(reader.node, ast.While | ast.If) and not any(CLOCK.search(one.code) for one in units):
            return  # of what ends a loop, the clock alone counts
        weights = ((other, *resolved(file, reader.scope, other)) for other in multiplied_with(reader, name))
        if any(self._is_trained(file, where, other, binding) for other, where, binding in weights):
            return  # the features of a model
        if any(isinstance(one.node, FUNCTION) for one in units):
            self._function(file, (*scope, name), reader)
        elif any(isinstance(one.node, ast.ClassDef) for one in units):
            self._class(file, (*scope, name), reader)
        elif any(is_import(one) for one in units):
            self._imported(file, name)
        elif scope and not places:
            self._parameter(file, reader, scope, name)
        elif scope or not all(map(is_literal, units)):  # constants are judged at the end
            self._variable(file, reader, name, scope, places)

    def _parameter(self, file: EvolvingFile, reader: Unit, scope: Scope, name: str) -> None:
        """Protect the default of a parameter that says which data are made or taken, and the flag that it gets.

        Of one that is reported, protect what is given for it.
        """
        if id(reader) in self._reporting and name not in {"self", "cls"} and not MODEL.search(name):
            self._reporter(file, scope)
        if not (isinstance(reader.node, ast.For) or stored_on_self(reader)):
            return
        for place in file.binders(scope[:-1], scope[-1]):
            head = file.units[place]
            if isinstance(head.node, FUNCTION) and name in defaulted(head.node):
                self._add(file, place, _why(name, reader))
            given = [
                (part, one) for one in file.units for value in values_given(one, head, name) for part in ast.walk(value)
            ]
            settings = {part.attr for part, _ in given if isinstance(part, ast.Attribute)}
            for part, one in given if EVALUATING.search(name) and stored_on_self(reader) else ():
                if isinstance(part, ast.Name):
                    self._follow(file, one, part.id)
            for at, one in enumerate(file.units):
                if settings & (flags_of(one) | (one.bound if file.is_class(one.scope) else set())):
                    self._add(file, at, _why(name, reader))

    def _reporter(self, file: EvolvingFile, path: Scope) -> None:
        """Protect a function that reports what it is given, with its calls: `def show(loss): print(loss)`."""
        inner = file.in_scope(path)
        called = {path[-1]}.union(*(file.units[place].called for place in inner))
        if not any(map(MAKES_MODEL.match, called)) and not any(trains(file.units[place]) for place in inner):
            for place in (*file.binders(path[:-1], path[-1]), *inner):
                self._add(file, place, f"reports through `{path[-1]}`")
        found = [
            (other, place)
            for other in self.files.values()
            for place, one in enumerate(other.units)
            if path[-1] in one.called and not isinstance(one.node, DEFINITION)
        ]
        labelled = [(other, place) for other, place in found if self._labels & other.units[place].texts]
        for other, place in labelled or found:
            self._add(other, place, f"reports through `{path[-1]}`")

    def _class(self, file: EvolvingFile, path: Scope, reader: Unit) -> None:
        """Protect a class of data, or one that an evaluation makes; note one that computes the loss with its output."""
        counts = bool(reader.scope) and not self._is_model(file, path)
        if DATA_CLASS.search(path[-1]) or counts or self._is_environment(file, path):
            for place in (*file.binders(path[:-1], path[-1]), *file.in_scope(path)):
                self._add(file, place, "the evaluation uses it")
        elif takes_loss(reader, path[-1]):
            self.used_by_both.add(path[-1])

    def _is_environment(self, file: EvolvingFile, path: Scope) -> bool:
        """Return whether a class is one of an environment, which gives rewards, and learns nothing."""
        inner = [file.units[place] for place in file.in_scope(path)]
        names = {one.node.name for one in inner if isinstance(one.node, FUNCTION) and one.scope == path}
        return names >= _OF_ENVIRONMENT and not any(map(trains, inner))

    def _is_model(self, file: EvolvingFile, path: Scope) -> bool:
        """Return whether a class computes or learns outputs, unlike one that counts them, such as `AverageMeter`."""
        inner = [file.units[place] for place in file.in_scope(path)]
        head = (file.units[place].node for place in file.binders(path[:-1], path[-1]))
        bases = [last_name(base) for node in head if isinstance(node, ast.ClassDef) for base in node.bases]
        names = [one.node.name for one in inner if isinstance(one.node, FUNCTION)]
        return bool(bases) or any(map(trains, inner)) or any(map(COMPUTES.match, names))

    def _attributes(self, file: EvolvingFile, reader: Unit) -> None:
        """Protect what gives a value to the held-out data that a method reads from its instance, or to their size."""
        path = reader.scope[:1]
        makes_data = file.is_class(path) and DATA_CLASS.search(path[0])
        names = {
            node.attr
            for node in reader.nodes
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self"
            if makes_data or (EVALUATING.search(node.attr) and not RESULT.search(node.attr))
        }
        for place in file.in_scope(path) if names and path else ():
            if stored_on_self(file.units[place]) & names:
                self._add(file, place, "held-out data")

    def _keys(self, reader: Unit, nodes: Iterable[ast.AST]) -> None:
        """Protect what puts a result under a key from which it is read: `self.log("val_loss", loss)`."""
        keys = {key for node in nodes if (key := key_of(node)) and RESULT.search(key)}
        for file in self.files.values() if keys else ():
            for place, one in enumerate(file.units):
                if keys & keys_filled(one) and one is not reader:
                    self._add(file, place, f"`{shortened(reader.code)}` reads it")

    def _around(self, file: EvolvingFile, unit: Unit) -> None:
        """Protect the whole function that evaluates and holds a protected statement, and its calls."""
        for depth in range(len(unit.scope), 0, -1):
            path = unit.scope[:depth]
            if not EVALUATES.match(path[-1]) or file.is_class(path) or (file.module, path) in self._evaluations:
                continue
            self._evaluations.add((file.module, path))
            for place in (*file.binders(path[:-1], path[-1]), *file.in_scope(path)):
                self._add(file, place, "the evaluation")
            for place, one in enumerate(file.units):
                if path[-1] in one.called and one.scope[:depth] != path and not isinstance(one.node, DEFINITION):
                    self._add(file, place, _RUNS)

    def _variable(self, file: EvolvingFile, reader: Unit, name: str, scope: Scope, places: Sequence[int]) -> None:
        is_number = id(reader) in self._reporting | self._numbers and shows(
            reader, name
        )  # `best`, which another program calls a model
        if not self._is_trained(file, scope, name, places, is_number=is_number):
            for place in places:
                head = file.units[place]
                if (
                    not isinstance(head.node, ast.For | ast.While)
                    or selects(reader, name)
                    or self._measures(file, head)
                ):
                    self._add(file, place, _why(name, reader))
                    if is_number:
                        self._numbers.add(id(head))
                elif isinstance(head.node, ast.For) and _may_hold_out(head):
                    for other in sorted(names_in(head.node.iter)):
                        self._follow(file, head, other)
        elif takes_loss(reader, name):
            self.used_by_both |= self._classes(file, places)
        if id(reader) in self._reporting and takes_attribute(reader, name):
            self._objective(file, scope, name)
            self._cross_validated(file, reader, scope, name)

    def _cross_validated(self, file: EvolvingFile, reader: Unit, scope: Scope, name: str) -> None:
        """Protect the labels on which an object measures itself: `y` of `search.fit(x, y)` for `search.best_score_`."""
        attributes = [node for node in reader.nodes if isinstance(node, ast.Attribute) and root_of(node) == name]
        if not any(one.attr.endswith("_") and RESULT.search(one.attr) for one in attributes):
            return
        for place in file.in_scope(scope):
            one = file.units[place]
            fits = [node for node in one.calls if last_name(node.func) == "fit"]
            for node in fits if one.scope == scope else ():
                if root_of(node) == name:
                    self._add(file, place, "it measures itself on these data")
                if root_of(node) == name or name in one.bound:
                    given = names_in(*node.args)
                    for label in sorted(inner for inner in given if not FEATURES.search(inner)):
                        self._follow(file, one, label)

    def _objective(self, file: EvolvingFile, scope: Scope, name: str, depth: int = 0) -> None:
        """Protect the function whose result an optimizer reports: `found.fun` of `found = minimize(cost, start)`."""
        for place in file.binders(scope, name):
            one = file.units[place]
            for given in functions_given(one):
                where, places = resolved(file, one.scope, given)
                if any(isinstance(file.units[at].node, FUNCTION) for at in places):
                    self._function(file, (*where, given))
            for other in one.read - {name} if depth < _DEEPEST else ():
                self._objective(file, resolved(file, one.scope, other)[0], other, depth + 1)

    def _measures(self, file: EvolvingFile, head: Unit) -> bool:
        """Return whether a loop goes through data and trains nothing, so that each pass measures on a part of them."""
        if not _may_hold_out(head):
            return False
        inner = [file.units[place] for place in file.in_loop(head)]
        return not any(trains(one) or any(map(LEARNS_FROM.match, one.called)) for one in inner)

    def _function(self, file: EvolvingFile, path: Scope, reader: Unit | None = None) -> None:
        """Protect a function that is called, or what it returns where it trains as well."""
        inner = file.in_scope(path)
        is_training = any(trains(file.units[place]) for place in inner)
        if is_training and reader and path[-1] not in reader.called:
            return  # the evaluation is given what trains, and calls it itself
        if not EVALUATES.match(path[-1]) and (is_training or (reader and takes_result(reader, path[-1]))):
            self.training.add(path[-1])
            read = " ".join((*reader.bound, *reader.texts, reader.code)) if reader else ""
            for place in inner:
                one = file.units[place]
                if isinstance(one.node, ast.Return) and one.scope == path and RESULT.search(read):
                    self._add(file, place, "returns what is reported")
        elif any(flags_of(file.units[place]) for place in inner):
            return  # it reads the command line: which flags count is judged by their names
        elif reader and reader.scope and is_forward(reader, path[-1]):
            return
        elif not MAKES_MODEL.match(path[-1]) or (GENERATES.match(path[-1]) and reader and makes_held_out(reader)):
            reason = "what is reported depends on it" if reader and not reader.scope else "the evaluation calls it"
            for place in (*file.binders(path[:-1], path[-1]), *inner):
                self._add(file, place, reason)

    def _method(self, file: EvolvingFile, called: ast.Attribute) -> None:
        """Protect a method that evaluates; with its class where that does nothing else."""
        name = called.attr
        evaluates = bool(RESULT.search(name) or EVALUATING.search(name))
        receiver = called.value.id if isinstance(called.value, ast.Name) else ""
        if MAKES_MODEL.match(name) or name.startswith("__") or not (evaluates or not MODEL.search(receiver)):
            return
        heads = [one for one in file.units if isinstance(one.node, FUNCTION) and one.node.name == name and one.scope]
        for path in {one.scope for one in heads if file.is_class(one.scope)}:
            learns = any(
                trains(one) or LEARNS.match(getattr(one.node, "name", ""))
                for one in file.units
                if one.scope[: len(path)] == path
            )
            outer = (*path, name) if learns else path
            for place in (*file.binders(outer[:-1], outer[-1]), *file.in_scope(outer)):
                self._add(file, place, "the evaluation calls it")

    def _imported(self, file: EvolvingFile, name: str) -> None:
        """Follow a name into another file of the genome."""
        source, inner = self._project.imported(file.module).get(name, (file.module, None))
        other = self.files.get(source.name)
        if other is None or other is file or inner is None:
            return
        if any(isinstance(other.units[place].node, FUNCTION) for place in other.binders((), inner)):
            self._function(other, (inner,))

    def _is_trained(
        self, file: EvolvingFile, scope: Scope, name: str, places: Sequence[int], *, is_number: bool = False
    ) -> bool:
        """Return whether a variable is, or comes from, what training makes: that is what evolves.

        Args:
            is_number: whether it is reported as it is, so that its name says nothing.
        """
        if PREDICTED.search(name) and not is_number:
            return True
        if RESULT.search(name) or EVALUATING.search(name) or DATA_CLASS.search(name):
            return False
        if MODEL.search(name) and not is_number:
            return True
        for place in () if is_number else places:
            one = file.units[place]
            if name not in one.bound:
                if learns_items(one, name):
                    return True
                continue  # it fills what is there, as `summary.update(…)`
            if (
                descends(one)
                or (
                    makes_instance(one)
                    and not any(DATA_CLASS.search(made) or CONTAINER.match(made) for made in one.called)
                )
                or any(MAKES_MODEL.match(called) for called in one.called - _asked_of_data(one))
            ):
                return True
        return (
            file.is_learnt(name, places)
            or any(
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in (TRAINS - {"backward"}) | {"parameters"}  # a loss is what a model is trained by
                and isinstance(node.func.value, ast.Name)
                and node.func.value.id == name
                for one in file.units
                if one.scope[: len(scope)] == scope
                for node in one.nodes
            )
        )

    def _classes(self, file: EvolvingFile, places: Sequence[int]) -> set[str]:
        defined = {node.name for node in file.module.tree.body if isinstance(node, ast.ClassDef)}
        return {name for place in places for name in file.units[place].called} & defined


def _may_hold_out(head: Unit) -> bool:
    """Return whether a head begins a loop over data that may be held out."""
    return (
        isinstance(head.node, ast.For)
        and "range" not in head.called
        and "train" not in ast.unparse(head.node.iter).lower()
    )


def _asked_of_data(unit: Unit) -> set[str]:
    """Return the methods of environments that a statement calls by an object's name: `step` of `env.step(action)`."""
    called = (node.func for node in unit.calls if isinstance(node.func, ast.Attribute))
    return {one.attr for one in called if one.attr in _OF_ENVIRONMENT and DATA_CLASS.search(root_of(one) or "")}


def _why(name: str, reader: Unit) -> str:
    if EVALUATING.search(name) and not RESULT.search(name):
        return "held-out data"
    return "the clock" if CLOCK.search(reader.code) else f"`{shortened(reader.code)}` reads it"
