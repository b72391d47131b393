"""Where protection starts: at what reports a metric, what keeps the time budget, what sets a seed."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator, Mapping, Sequence, Set

from evo.project.found import Metric
from evo.project.modules import Module, Project
from evo.project.protection.clock import TimeLimits, time_limits
from evo.project.protection.evolving_file import EvolvingFile, Start, resolved
from evo.project.protection.statements import (
    compares,
    flags_of,
    key_of,
    makes_instance,
    reported_nodes,
    stored_on_self,
    value_under,
)
from evo.project.protection.words import (
    BUDGET,
    EVALUATES,
    EVALUATING,
    FEATURES,
    SEED,
    SEED_NAME,
    SEEDING,
    flag_name,
    forbidden_in,
)
from operators.protection import Reported
from operators.protection.forging import forges
from operators.protection.guards import held_out_arguments
from operators.protection.output import UNKNOWN, outputs
from operators.protection.units import DEFINITION, FUNCTION, Unit, is_import, root_of
from populations.descriptors import last_name

Files = Mapping[str, EvolvingFile]


def evaluations(project: Project, files: Files, metrics: Sequence[Metric]) -> Iterator[Start]:
    """Yield the calls of evaluations in other files, and what gives them their data, where no evolving file reports.

    As the loops of libraries have it: `trainer.evaluate()`, and `Trainer(model, args, train_set, eval_set)`; or
    functions that return `model, X_val, y_val`.
    """
    if not metrics or metrics[0].where.partition(":")[0] in files:
        return
    for file in files.values():
        others = {name for name, (source, _) in project.imported(file.module).items() if source.name not in files}
        instances = {name for one in file.units if makes_instance(one) and one.called & others for name in one.bound}
        for place, one in enumerate(file.units):
            returns_data = isinstance(one.node, ast.Return) and any(map(_is_for_evaluation, one.read))
            if returns_data and file.speaks_of_training:  # where nothing is, `valid` and `best_eval` are of moves
                yield file, place, "gives the evaluation its data"
            if isinstance(one.node, DEFINITION):
                continue
            called = {(root_of(node.func), last_name(node.func)) for node in one.calls}
            if any(root in others | instances and EVALUATES.match(name) for root, name in called):
                yield file, place, "runs the evaluation"
            elif one.bound & instances and any(map(_is_for_evaluation, one.read | _keywords(one))):
                yield file, place, "gives the evaluation its data"


def evaluating(files: Files, returned: Collection[str]) -> Iterator[Start]:
    """Yield the functions that evaluate, by their names, and whose results other files report as they are."""
    for file in files.values():
        for name in filter(EVALUATES.match, returned):
            for place in (*file.binders((), name), *file.in_scope((name,))):
                yield file, place, "what it returns is reported"


def validations(files: Files) -> Iterator[Start]:
    """Yield what makes the held-out data that a library measures on while it trains: `fit(x, y, eval_set=[(u, v)])`."""
    for file in files.values():
        for one in file.units:
            for value in held_out_arguments(one.nodes):
                names = [node.id for node in ast.walk(value) if isinstance(node, ast.Name)]
                # Features are for the search to change, labels are not.
                for name in [one for one in names if not FEATURES.search(one)] or names:
                    for place in file.reaching(one, resolved(file, one.scope, name)[1]):
                        if not is_import(file.units[place]):
                            yield file, place, "held-out data"


def _is_for_evaluation(name: str) -> bool:
    return bool(EVALUATING.search(name))


def _keywords(unit: Unit) -> set[str]:
    """Return the names of keywords that are given more than a literal."""
    given = (one for one in unit.nodes if isinstance(one, ast.keyword) and not isinstance(one.value, ast.Constant))
    return {one.arg for one in given if one.arg}


def prints(files: Files, metrics: Sequence[Metric]) -> Iterator[Start]:
    """Yield what prints a text that only running tells, such as the report of a library."""
    for metric in _unwritten(metrics):
        for file in files.values():
            for place, one in enumerate(file.units):
                printed = [node for node in one.calls if last_name(node.func) == "print"]
                if any(_may_print(outputs(node) or "", metric) for node in printed):
                    yield file, place, f"may report {metric.name}"


def hands_on(files: Files, metrics: Sequence[Metric]) -> Iterator[Start]:
    """Yield what hands a number on under a metric's name, where no printed line has that written out.

    That is `run.log({"val/acc": acc})`, `report(val_acc=acc)` or `found["val_acc"] = acc`.
    """
    for metric in _unwritten(metrics):
        for file in files.values():
            for place, one in enumerate(file.units):
                if (value := value_under(one, metric.label)) and not isinstance(one.node, DEFINITION):
                    file.followed[place] = [*ast.walk(value)]
                    yield file, place, f"may report {metric.name}"


def _unwritten(metrics: Sequence[Metric]) -> Sequence[Metric]:
    """Return the metric that decides, where the source does not say how it is reported."""
    return [one for one in metrics[:1] if ":" not in one.where]


def _may_print(text: str, metric: Metric) -> bool:
    """Return whether a text that only running tells could be a line with a metric."""
    shown = (text.replace(UNKNOWN, f"{metric.label}{separator}1.5", 1) for separator in ("=", ": ", " "))
    read = (re.search(metric.pattern or r"(?!)", one.replace(UNKNOWN, "")) for one in shown)
    return text.startswith(UNKNOWN) or (UNKNOWN in text and any(read))


def reports(project: Project, files: Files, metrics: Sequence[Metric]) -> Iterator[Start]:
    """Yield what reports a metric."""
    read = [Reported(one.name, one.pattern, one.json_file) for one in metrics]
    places = {one.where: one.name for one in metrics}
    for file in files.values():
        reporters = _reporters(project, files, metrics, file.module)
        writers = _writers(file, metrics)
        for place, one in enumerate(file.units):
            lines = range(one.line, one.end_line + 1) if isinstance(one.node, ast.stmt) and one.called else ()
            written = next((places[at] for line in lines if (at := f"{file.module.name}:{line}") in places), "")
            if name := written or _writes(one, metrics) or writers.get(place) or _reported(one, read):
                file.followed[place] = reported_nodes(one, {each.label for each in metrics})
                yield file, place, f"reports {name}"
            elif one.called & reporters:
                yield file, place, f"calls what reports {metrics[0].name}"


def budget(files: Files, instructions: str) -> Iterator[Start]:
    """Yield the constants of the time budget, those that the documentation fixes, and the loops on them."""
    forbidden = forbidden_in(instructions)
    for file in files.values():
        said = forbidden | forbidden_in(file.module.text)
        limits = time_limits(file.units)
        compared: set[str] = set()
        for place, one in enumerate(file.units):
            fixed = any(not one.scope and name.isupper() and name in said for name in one.bound)
            names, flags, parameters = (_of_budget(one, limits) for one in (one.bound, flags_of(one), one.parameters))
            if (names or fixed) and (not one.scope or isinstance(one.node, ast.Assign | ast.AnnAssign)):
                yield file, place, "the time budget" if names else "the documentation forbids to change it"
            if flags or (parameters and isinstance(one.node, FUNCTION) and one.node.args.defaults):
                yield file, place, "the time budget"
            compared |= names | flags | parameters
        heads = {*_loops_on(file, compared), *limits.heads}
        yield from ((file, place, "keeps the time budget") for place in sorted(heads))


def _of_budget(names: Collection[str], limits: TimeLimits) -> set[str]:
    return {name for name in names if BUDGET.fullmatch(name) or name in limits.names}


def _loops_on(file: EvolvingFile, limits: Set[str]) -> Iterator[int]:
    """Yield the loops and branches that compare something with a limit."""
    for place, one in enumerate(file.units):
        attributes = {node.attr for node in one.nodes if isinstance(node, ast.Attribute)}
        if (one.read | attributes) & limits and isinstance(one.node, ast.While | ast.If) and compares(one):
            yield place


def seeds(files: Files) -> Iterator[Start]:
    """Yield the statements and constants that set a seed."""
    for file in files.values():
        for place, one in enumerate(file.units):
            if isinstance(one.node, DEFINITION):
                continue
            sets = any(SEEDING.match(name) for name in one.called) and not makes_instance(one)
            if sets or any(SEED_NAME.search(name) for name in one.bound | flags_of(one)):
                yield file, place, SEED


def defaults(files: Files, flags: Collection[str]) -> Iterator[Start]:
    """Yield where flags get defaults that nothing reads, so that no evaluation is spent on a change of one."""
    given = set(map(flag_name, flags))
    for file in files.values():
        for place, one in enumerate(file.units):
            if not isinstance(one.node, DEFINITION) and one.called and flags_of(one) & given:
                yield file, place, "the command gives it"


def _reporters(project: Project, files: Files, metrics: Sequence[Metric], module: Module) -> set[str]:
    """Return the names that a module imports from others whose functions report a metric."""
    others = {one.where.partition(":")[0] for one in metrics} - set(files)
    lines = [int(one.where.rpartition(":")[2]) for one in metrics if one.where.rpartition(":")[2].isdigit()]
    found = set()
    for bound, (source, inner) in project.imported(module).items():
        if source.name in others and inner is not None:
            nodes = (node for node in source.nodes if isinstance(node, FUNCTION) and node.name == inner)
            if any(node.lineno <= line <= (node.end_lineno or 0) for node in nodes for line in lines):
                found.add(bound)
    return found


def _reported(unit: Unit, metrics: Sequence[Reported]) -> str:
    """Return the metric that a statement reports, by its pattern or its file; empty for none."""
    if isinstance(unit.node, DEFINITION) or not unit.called:
        return ""
    reasons = [reason for reason in forges(unit, metrics) if not reason.startswith("only")]
    return next((one.name for one in metrics if any(f"`{one.name}`" in reason for reason in reasons)), "")


def _writers(file: EvolvingFile, metrics: Sequence[Metric]) -> dict[int, str]:
    """Return the statements that use the file of a metric by a name for its path or stream, each with the metric.

    `OUT = "metrics.json"`, then `with open(OUT, "w") as f`, then `json.dump(found, f)`.
    """
    found: dict[int, str] = {}
    for metric in (one for one in metrics if one.json_file):
        ending = str(metric.json_file).rpartition("/")[2]
        waiting = [one for one in file.units if any(text.endswith(ending) for text in one.texts)]
        while waiting:
            source = waiting.pop()
            settings = _settings_of(source, ending) | (source.bound if file.is_class(source.scope) else set())
            names = frozenset() if settings else source.bound
            for place, one in enumerate(file.units):
                named = {node.attr for node in one.nodes if isinstance(node, ast.Attribute)} | set(
                    map(key_of, one.nodes)
                )
                is_seen = one.scope[: len(source.scope)] == source.scope
                uses = named & settings or (is_seen and names & one.read)
                if uses and one.called and place not in found and not isinstance(one.node, DEFINITION):
                    found[place] = metric.name
                    waiting.append(one)
    return found


def _settings_of(unit: Unit, ending: str) -> set[str]:
    """Return the flags, keywords, keys and attributes to which a statement gives a text with some ending."""
    found = flags_of(unit) | stored_on_self(unit)
    for node in unit.nodes:
        match node:
            case ast.keyword(arg=str(name), value=ast.Constant(value=str(text))) if text.endswith(ending):
                found.add(name)
            case ast.Dict(keys=keys, values=values):
                pairs = zip(keys, values, strict=True)
                named = [key for key, value in pairs if isinstance(value, ast.Constant) and value.value in unit.texts]
                found |= {str(key.value) for key in named if isinstance(key, ast.Constant)}
    return found


def _writes(unit: Unit, metrics: Sequence[Metric]) -> str:
    """Return the metric that a call puts into a file under its key; empty for none."""
    is_call = isinstance(unit.node, ast.stmt) and not isinstance(unit.node, DEFINITION) and unit.called
    keys = ((one.name, (one.key or "").rpartition(".")[2]) for one in metrics if one.json_file)
    return next((name for name, key in keys if is_call and key in unit.texts), "")
