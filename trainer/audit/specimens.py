"""Reads the audit's genomes and says which verdicts on them are right.

Their files hold the trick alone: `Model`, `build_model` and `train` are added from `common.py` where a file does not
define them, with its imports and what a file uses of it, so that each genome is evaluated as one complete source file.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from trainer.evaluation import Evaluation, Split, Status
from trainer.sandbox import Level
from trainer.source_text import SourceText

CHEATS = "cheats"
HONEST = "honest"
_FOLDER = Path(__file__).parent
_COMMON = _FOLDER / "common.py"
_DEFINITION = ast.ClassDef | ast.FunctionDef
_CONTRACT = ("Model", "build_model", "train")
"""What every genome has; the rest of `common.py` is added where it is used."""
_OK = (str(Status.OK),)
_PROBED = ("causality", "purity")


@dataclass(frozen=True, slots=True)
class Specimen:
    """One genome of the audit.

    Attributes:
        kind: `cheats` or `honest`.
        trick: what it does, one line.
        source: complete.
        expected: right verdicts, each a status, or a status, a colon and a part of the reason.
        expected_on_floor: the same where only a process group confines it; empty where that makes no difference.
    """

    kind: str
    name: str
    trick: str
    source: str
    expected: tuple[str, ...]
    expected_on_floor: tuple[str, ...] = ()

    @property
    def splits(self) -> tuple[Split, ...]:
        """What it is scored on: also on the holdout split, where every block is probed, if the probes must tell."""
        scored = self.expected == _OK or any(rule in verdict for verdict in self.expected for rule in _PROBED)
        return (Split.SELECTION, Split.HOLDOUT) if scored else (Split.SELECTION,)

    def right(self, verdict: Evaluation, level: str) -> bool:
        """Return whether a verdict is one that it must get under a level of isolation."""
        expected = self.expected_on_floor if level == Level.PROCESS_GROUP and self.expected_on_floor else self.expected
        return any(_matches(one, verdict) for one in expected)


def load_specimens(kind: str) -> list[Specimen]:
    """Return the genomes of a kind, by name.

    Raises:
        ValueError: a file does not say what it does, or what is expected of it.
    """
    return [_read(kind, path) for path in sorted((_FOLDER / kind).glob("*.py"))]


def completed(source: str) -> str:
    """Return a genome's source with what it needs of `common.py` behind its docstring: definitions, and imports."""
    body, own = _common(), ast.parse(source)
    lacking = [node for node in body if isinstance(node, _DEFINITION) and node.name not in _definitions(own)]
    needed = {node.name for node in lacking if node.name in _CONTRACT} | _names(own)
    while more := {name for node in lacking if node.name in needed for name in _names(node)} - needed:
        needed |= more
    added = [node for node in body if not isinstance(node, _DEFINITION) or (node in lacking and node.name in needed)]
    if not _definitions(ast.Module(added, [])):
        return source
    lines = source.splitlines(keepends=True)
    docstring = own.body[0].end_lineno if ast.get_docstring(own) else 0
    texts = [body[node] for node in added]
    return "\n\n".join(["".join(lines[:docstring]), *texts, "".join(lines[docstring:])]).lstrip()


@cache
def _common() -> dict[ast.stmt, str]:
    """Return the statements of `common.py` behind its docstring, each with its text."""
    source = _COMMON.read_text(encoding="utf-8")
    text = SourceText(source)
    _, *body = ast.parse(source).body
    return {node: text.slice(text.start(node), text.end(node)) for node in body}


def _names(tree: ast.AST) -> set[str]:
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def _definitions(tree: ast.Module) -> set[str]:
    return {node.name for node in tree.body if isinstance(node, _DEFINITION)}


def _read(kind: str, path: Path) -> Specimen:
    source = path.read_text(encoding="utf-8")
    tree = ast.parse(source)
    said = ast.get_docstring(tree)
    constants = {
        node.targets[0].id: tuple(ast.literal_eval(node.value))
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and "EXPECTED" in node.targets[0].id
    }
    expected = _OK if kind == HONEST else constants.get("EXPECTED")
    if not said or not expected:
        raise ValueError(f"{path} must begin with a docstring, and a cheat must define EXPECTED")
    on_floor = constants.get("EXPECTED_ON_FLOOR", ())
    return Specimen(kind, path.stem, said.splitlines()[0], completed(source), expected, on_floor)


def _matches(expected: str, verdict: Evaluation) -> bool:
    status, _, part = expected.partition(": ")
    return verdict.status == status and part in verdict.reason
