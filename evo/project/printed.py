"""The metrics that a program prints or writes to a JSON file, with how each is read."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeGuard

from evo.project.found import Metric
from evo.project.lines import Line, Printed, literal_text, printed_by
from evo.project.modules import Module, Project
from evo.project.reach import Reached, reached_calls
from evo.project.shown import has_test_data, is_best_of_several, trained_loss
from evo.project.wording import (
    PREFIXES,
    Split,
    direction_of_unit,
    identifier,
    is_count,
    is_data,
    names_metric,
    split_of,
    told_split,
)
from operators.protection.output import Value
from operators.protection.units import FUNCTION
from trainer.objectives import SCRIPT_OBJECTIVES

DECIDES = "combined_score"
"""What decides in OpenEvolve and ShinkaEvolve, whatever else an evaluator returns."""
_SEPARATORS = " :=\t"
_IN_BRACKETS = re.compile(r"\s*(?:@\s*)?[(\[][^()\[\]]{1,60}[)\]]$")
_LABEL = re.compile(
    rf"""(?P<quote>["']?)(?P<label>[^\W\d_](?:[\w /%.@^-]|['’](?=s\b))*(?:{_IN_BRACKETS.pattern[:-1]})?)(?P=quote)$"""
)
_CLAUSE = re.compile(r"[|,;·•—–>*#\[\](){}]|\s-\s|[:=]\s")  # separates the metrics of a line
_NUMERIC_SPEC = re.compile(r".*[eEfFgGn%]|.*\.\d+")
_TEXT_SPEC = re.compile(r".*[sxXobcra]|.*[<>^]\d+|.*,.*")  # `1,234` cannot be read as a number
_NUMERIC_CODE = re.compile(r"\b(float|round|sum|mean|median|item|max|min|abs|len)\(|^[\w.]*\.item\(\)|[-+*/]")
_SHAPE_CODE = re.compile(r"[^()]*\.(?:shape|size\(\)|dtype|device)(?:\[-?\d\])?|tuple\([^()]*\.shape\)|type\(.*\)")
_LENGTH_CODE = re.compile(r"len\([^()]*\)")
_TEXT_CODE = re.compile(
    r"(?:[\w.]*[_.])?(?:path|dir|directory|file|filename|folder|name|msg|message|url|exc|exception)", re.IGNORECASE
)
"""Names of what is printed as a text: `skipped: {target_dir}`."""
_SPECIAL = re.compile(r"[.^$*+?{}\[\]\\|()]")


def metrics_of(project: Project, entry: Module) -> list[Metric]:
    """Return the metrics that a program reports, each name once, in the order of the source."""
    calls = reached_calls(project, entry)
    constants = {module.name: {**module.dictionaries, **module.constants} for module in project.closure(entry)}
    found = [*_printed(calls, constants), *_left_in_files(calls, constants)]
    return _each_once([metric for metric in found if not is_count(metric.label)])


def returned_metrics(module: Module) -> list[Metric]:
    """Return what a function `evaluate` returns as metrics under names that tell a quality or a speed."""
    functions = [node for node in module.tree.body if isinstance(node, FUNCTION) and node.name == "evaluate"]
    own, others = (
        {name: line for node in nodes for name, line in _keys_in(node) if names_metric(name) and name.isidentifier()}
        for nodes in (functions, [module.tree])
    )
    decides = {name: line for name, line in others.items() if name == DECIDES}
    return [
        Metric(name, name, f"{module.name}:{line}", "", rf"^\s*{name}:\s*(\S+)", "last", is_sure=False)
        for name, line in ({**own, **decides} or others).items()
    ]


def _keys_in(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Yield the keys of the dictionaries that a module or function makes and fills, each with its line."""
    for node in ast.walk(tree):
        match node:
            case ast.Dict(keys=keys, values=values):
                for key, value in zip(keys, values, strict=True):
                    if isinstance(key, ast.Constant) and not isinstance(value, ast.JoinedStr | ast.Dict):
                        yield str(key.value), node.lineno
            case ast.Subscript(slice=ast.Constant(value=str(key)), ctx=ast.Store()):
                yield key, node.lineno


def without_unit(named: str) -> str:
    """Return the text before a number without a unit or an explanation in brackets: `Error (MAE)` becomes `Error`."""
    shorter = _IN_BRACKETS.sub("", named)
    inner = named[len(shorter) :].strip(" ()[]")
    is_split = split_of(f"{inner}_loss") is not Split.UNNAMED
    return named if not shorter or is_split or not inner[:1].isascii() or inner[:1].isdigit() else shorter


def label_in(named: str) -> re.Match[str] | None:
    """Return the label at the end of a text, with what is in brackets behind it: `RMSE (val)`."""
    brackets = _IN_BRACKETS.search(named)
    head = named[: brackets.start()] if brackets else named
    return _LABEL.search(_CLAUSE.split(head)[-1] + (brackets[0] if brackets else ""))


def line_pattern(label: str) -> str:
    """Return the expression that reads a line such as `val_bpb:   0.9979`."""
    return rf"^{escaped(label)}:\s*(\S+)"


def escaped(text: str) -> str:
    """Return text as a readable regular expression; two or more blanks match any number of blanks."""
    return re.sub(r"\s{2,}|\t", r"\\s+", _SPECIAL.sub(r"\\\g<0>", text))


def _printed(calls: Sequence[Reached], constants: Mapping[str, Mapping[str, ast.expr]]) -> Iterator[Metric]:
    goes_on = False  # whether the previous call left its line open
    for reached in calls:
        printed = printed_by(reached.call, constants[reached.module.name])
        if printed is None:
            continue
        for number, line in enumerate(printed.lines):
            open_end = number == len(printed.lines) - 1 and not printed.ends_line
            if not open_end and not (goes_on and number == 0) and not _overwrites(line):
                yield from _of_line(line, printed, reached)
        goes_on = not printed.ends_line and not any(map(_overwrites, printed.lines))


def _overwrites(line: Line) -> bool:
    """Return whether a line overwrites itself, as progress bars do."""
    return any(isinstance(part, str) and "\r" in part for part in line)


def _of_line(line: Line, printed: Printed, reached: Reached) -> Iterator[Metric]:
    for number, value in enumerate(line):
        before = line[number - 1] if number else ""
        if not isinstance(value, Value) or not isinstance(before, str):
            continue
        # `%s` writes numbers, too, but more often texts.
        is_text = (
            not names_metric(before.rstrip(_SEPARATORS)) if value.spec == "s" else _TEXT_SPEC.fullmatch(value.spec)
        )
        if is_text:
            continue
        after = line[number + 1] if number + 1 < len(line) else ""
        label, pattern = _reading(line, number, before, after)
        is_other = any(one.fullmatch(value.code) for one in (_SHAPE_CODE, _TEXT_CODE))
        is_other = is_other or bool(is_data(label) and _LENGTH_CODE.fullmatch(value.code))
        if label and pattern and not is_other:
            split = told_split(label, _literals(line[:number]).rpartition(label)[0])
            yield Metric(
                name=identifier(label) if split is None else f"{PREFIXES[split]}_{identifier(label)}",
                label=label,
                told_split=split,
                where=f"{reached.module.name}:{reached.call.lineno}",
                scope=reached.scope,
                pattern=pattern if not printed.is_logged else pattern.replace("^", r"\b", 1),
                take="only" if reached.is_once else "last",
                is_sure=bool(_NUMERIC_SPEC.fullmatch(value.spec) or _NUMERIC_CODE.search(value.code)),
                is_logged=printed.is_logged,
                told=direction_of_unit(after) if isinstance(after, str) else None,  # `speed: 0.3 s/iter`
                trained=trained_loss(reached.module.tree, value.code, reached.call.lineno),
                has_test_data=has_test_data(reached.module.tree, value.code, reached.call.lineno),
                is_best=is_best_of_several(reached.module.tree, value.code, reached.call.lineno),
            )


def _reading(line: Line, number: int, before: str, after: str | Value) -> tuple[str, str]:
    """Return the label of a value in a line and the expression that reads it, both empty without a label."""
    named = without_unit(before.rstrip(_SEPARATORS))
    tail = before[len(named) :]
    separator = tail.strip()
    match = label_in(named)
    if match is None or isinstance(after, Value) or not (separator or names_metric(match["label"])):
        return "", ""
    label, quote = match["label"], match["quote"]
    is_part = after.strip() == "/" and number + 2 < len(line)
    group = _share(line, number) if is_part else _group(line[number], after)
    if not group:
        return "", ""  # a count of a total, as `3/10`
    gap = (r"\s*" if tail[0].isspace() else "") + rf"{escaped(separator)}\s*" if separator else r"\s+"
    if number == 1 and not quote:
        margin = r"\s*" if named[:1].isspace() else ""
        return label, f"^{margin}{escaped(named.strip())}{gap}{group}"
    first = line[0].split() if isinstance(line[0], str) and not line[0][0].isspace() else []
    start = f"^{escaped(first[0])}.*" if first and number > 1 else ""
    return label, start + (quote or r"\b") + escaped(label) + quote + gap + group


def _literals(line: Line) -> str:
    """Return the text of a line up to a value, with a digit for each value."""
    return "".join(part if isinstance(part, str) else "0" for part in line)


def _share(line: Line, number: int) -> str:
    """Return the group that reads the share of a count such as `97/100 (97%)`; nothing if none follows."""
    following = line[number + 3 : number + 6]
    match following:
        case (str() as opening, Value(), str() as closing) if opening.strip() == "(" and closing.startswith("%"):
            return r"\S+\s*\(\s*([\d.]+)\s*%"
    return ""


def _group(value: Value | str, after: str | Value) -> str:
    """Return the group that reads a value, up to a blank or to the text that follows directly."""
    percent = "%" if isinstance(value, Value) and value.spec.endswith("%") else ""
    suffix = percent + (re.split(r"\s", after)[0] if isinstance(after, str) else "")
    return rf"(\S+?){escaped(suffix)}" if suffix else r"(\S+)"


def _left_in_files(calls: Sequence[Reached], constants: Mapping[str, Mapping[str, ast.expr]]) -> Iterator[Metric]:
    """Yield the numbers in dictionaries that are written to a JSON file with a literal name."""
    for reached in calls:
        names = constants[reached.module.name]
        file, data = _json_written(reached.call, names, calls)
        if file is None or not file.endswith((".json", ".jsonl", ".ndjson")) or file.startswith(("/", "~", "..")):
            continue
        following = names.get(data.id) if isinstance(data, ast.Name) else data
        if isinstance(following, ast.Dict):
            for key, value in _numbers(following):
                yield Metric(
                    name=identifier(key.replace(".", "_")),
                    label=key.replace(".", "_"),
                    where=f"{reached.module.name}:{reached.call.lineno}",
                    scope=f"{reached.scope}:{file}",
                    json_file=file.removeprefix("./"),
                    key=key,
                    is_sure=bool(_NUMERIC_CODE.search(ast.unparse(value))),
                )


def _json_written(
    call: ast.Call, constants: Mapping[str, ast.expr], calls: Sequence[Reached]
) -> tuple[str | None, ast.expr | None]:
    """Return file and data of `json.dump(data, file)`, `Path(file).write_text(json.dumps(data))` and lines of JSON."""
    match call:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=handle), attr="write"), args=[line]):
            dumped = next((one for one in ast.walk(line) if _dumps(one)), None)
            return (_opened_as(handle, constants, calls), dumped.args[0]) if dumped else (None, None)
        case ast.Call(func=ast.Attribute(value=ast.Name(id="json"), attr="dump"), args=[data, ast.Name(id=handle), *_]):
            return _opened_as(handle, constants, calls), data
        case ast.Call(
            func=ast.Attribute(value=ast.Name(id="json"), attr="dump"), args=[data, ast.Call() as opened, *_]
        ):
            return _opened(opened, constants), data
        case ast.Call(
            func=ast.Attribute(value=ast.Call(func=ast.Name(id="Path"), args=[file]), attr="write_text"),
            args=[ast.Call(func=ast.Attribute(attr="dumps"), args=[data, *_]), *_],
        ):
            return literal_text(file, constants), data
    return None, None


def _dumps(node: ast.AST) -> TypeGuard[ast.Call]:
    return isinstance(node, ast.Call) and bool(node.args) and ast.unparse(node.func) in ("json.dumps", "dumps")


def _opened_as(handle: str, constants: Mapping[str, ast.expr], calls: Sequence[Reached]) -> str | None:
    for module in {reached.module.name: reached.module for reached in calls}.values():
        for node in module.nodes:
            match node:
                case ast.withitem(context_expr=ast.Call() as opened, optional_vars=ast.Name(id=name)) if name == handle:
                    if file := _opened(opened, constants):
                        return file
    return None


def _opened(call: ast.Call, constants: Mapping[str, ast.expr]) -> str | None:
    match call:
        case ast.Call(func=ast.Name(id="open"), args=[file, ast.Constant(value="w" | "wt" | "a" | "at"), *_]):
            return literal_text(file, constants)
        case ast.Call(func=ast.Attribute(value=ast.Call(func=ast.Name(id="Path"), args=[file]), attr="open")):
            return literal_text(file, constants)
    return None


def _numbers(node: ast.Dict, above: str = "") -> Iterator[tuple[str, ast.expr]]:
    for key, value in zip(node.keys, node.values, strict=True):
        if not (isinstance(key, ast.Constant) and isinstance(key.value, str) and "." not in key.value):
            continue
        if isinstance(value, ast.Dict):
            yield from _numbers(value, f"{above}{key.value}.")
        elif not (isinstance(value, ast.Constant) and isinstance(value.value, str)):
            yield f"{above}{key.value}", value


def _each_once(metrics: Iterable[Metric]) -> list[Metric]:
    """Return one metric per name, preferably one that is printed once and at the beginning of a line."""
    by_name: dict[str, list[Metric]] = {}
    for metric in metrics:
        if metric.name not in SCRIPT_OBJECTIVES:
            by_name.setdefault(metric.name, []).append(metric)
    return [_chosen(places) for places in by_name.values()]


def _chosen(places: Sequence[Metric]) -> Metric:
    def begins_line(metric: Metric) -> bool:
        return metric.pattern is None or metric.pattern.startswith(f"^{escaped(metric.label)}")

    best = max(places, key=lambda one: (not one.is_logged, one.take == "only", begins_line(one), places.index(one)))
    others = [one for one in places if one is not best and one.pattern is not None]
    # Another line with the same beginning would match too.
    alike = any(one.pattern == best.pattern or (begins_line(one) and begins_line(best)) for one in others)
    return replace(best, take="last") if alike else best
