"""A project as `evo init` reads it: its Python files, its texts, and what each program seems to do."""

from __future__ import annotations

import ast
import re
from functools import cached_property
from pathlib import Path, PurePosixPath

from evo.project.found import Metric
from evo.project.instructions import Instructions
from evo.project.modules import Module, Project
from evo.project.printed import metrics_of, returned_metrics
from evo.project.protection.words import TRAINS
from evo.project.wording import Kind
from operators.protection.units import FUNCTION
from trainer.languages import is_known

_FIRST_PROGRAM = re.compile(
    r"(?:initial|seed|starting)(?:[-_]?(?:program|solution|candidate|prompt|point))?", re.IGNORECASE
)
_EVALUATORS = ("evaluate.py", "evaluator.py", "eval.py")
_OF_DATA = re.compile(
    r"(?:.*_)?(?:prepare|data|datasets?|dataloader|loader|eval|evaluate|evaluator|metrics?|score|bench|benchmark|harness"
    r"|backtest|judge|verify)(?:_.*)?"
)
"""Names of files that make data or measure."""
_MODEL_FILE = re.compile(r"\S+\.(?:pkl|pickle|joblib|pth?|ckpt|safetensors|h5|keras|onnx|npz|model|bin|json)")
_SEARCHES = frozenset({"shinka", "openevolve", "evo", "funsearch", "codeevolve"})


class Sources:
    """The files and texts of a project.

    Attributes:
        texts: its documentation.
        scripts: its Python files, those nearest to the root first.
        permissions: how clearly the documentation lets each file change; negative if it forbids that.

    Args:
        root: an existing folder.
    """

    def __init__(self, root: Path) -> None:
        self.project = Project(root)
        self.root = root
        self.texts = Instructions(root)
        self.scripts = self.project.scripts()
        self._metrics: dict[str, list[Metric]] = {}
        self.permissions = self.texts.permissions({one.name: one.docstring for one in self.scripts})

    def module(self, name: str) -> Module:
        """Return a file that was found before."""
        module = self.project.module(name)
        assert module is not None  # noqa: S101 - found before
        return module

    def metrics(self, module: Module) -> list[Metric]:
        """Return the metrics that a file reports, by its source."""
        if module.name not in self._metrics:
            returned = returned_metrics(module) if module in (self.evaluator, self.judge) else []
            self._metrics[module.name] = returned or metrics_of(self.project, module)
        return self._metrics[module.name]

    def prints(self, module: Module) -> bool:
        """Return whether a file reports a metric."""
        return self.best_reported(module) is not None

    def measures(self, module: Module) -> bool:
        """Return whether a file, when it is started, reports a metric with a known direction."""
        best = self.best_reported(module)
        return best is not None and best.kind is not Kind.UNKNOWN and self.runs(module)

    def judges(self, module: Module) -> bool:
        """Return whether a file loads a model that another program saves, and trains nothing itself."""
        models = {text for text in module.texts if _MODEL_FILE.fullmatch(text)}
        savers = (one for one in self.scripts if models & one.texts and one is not module)
        return bool(models) and not _trains(module) and any(map(_trains, savers))

    def best_reported(self, module: Module) -> Metric | None:
        """Return the likeliest objective among what a file reports; None if it reports nothing."""
        return min(self.metrics(module), key=lambda one: (one.kind, one.split), default=None)

    def runs(self, module: Module) -> bool:
        """Return whether a file does something when it is started: by its form, its output, or the documentation."""
        if searches(module):
            return False
        if module.is_program or any(start.starts(module) for start in self.texts.starts):
            return True
        return module.name not in self._imported and self.prints(module)

    def reason(self, module: Module) -> str:
        """Return what speaks for a file, in a few words."""
        best = self.best_reported(module)
        if best is not None and best.kind is not Kind.UNKNOWN:
            return f"prints {best.name}"
        programs = (one for one in self.scripts if one is not module and not is_test(one))
        users = [one.name for one in programs if module in self.project.closure(one)]
        if users:
            return f"imported by {users[0]}"
        if best is not None:
            return f"prints {best.name}"
        return "starts something" if self.runs(module) else ""

    @cached_property
    def evaluator(self) -> Module | None:
        """The only file with a function that evaluates a program by its path, as OpenEvolve calls it."""
        found = [one for one in self.scripts if _evaluates_paths(one)]
        found = [one for one in found if one is self.judge] or found
        return found[0] if len(found) == 1 else None

    @cached_property
    def first_program(self) -> str:
        """The only file that another search starts from, by its name and beside what evaluates it; empty for none."""
        found = [one.name for one in sorted(self.root.glob("*")) if is_first_program(one.name) and is_known(one.name)]
        return found[0] if len(found) == 1 and self.judge else ""

    @cached_property
    def judge(self) -> Module | None:
        """The file that evaluates what another search starts from, by its name; None without one."""
        return next((one for one in self.scripts if one.name in _EVALUATORS), None)

    @cached_property
    def _imported(self) -> frozenset[str]:
        """The files that others import."""
        return frozenset(other.name for one in self.scripts for _, other, _ in self.project.imports(one))


def is_first_program(name: str) -> bool:
    """Return whether a file is called like one that a search over programs starts from, such as `initial.rs`."""
    return _FIRST_PROGRAM.fullmatch(PurePosixPath(name).stem) is not None


def _trains(module: Module) -> bool:
    called = (node.func for node in module.nodes if isinstance(node, ast.Call))
    return any(isinstance(one, ast.Attribute) and one.attr in TRAINS for one in called)


def is_of_data(module: Module) -> bool:
    """Return whether a file makes data or measures, by its name."""
    return _OF_DATA.fullmatch(module.dotted.rpartition(".")[2]) is not None


def is_test(module: Module) -> bool:
    """Return whether a file holds tests: where pytest looks for them, and more than a name that begins like one."""
    stem = PurePosixPath(module.name).stem
    if "tests" in module.folder.parts or stem == "conftest":
        return True
    tested = stem.removeprefix("test_").removesuffix("_test")
    return tested != stem and any(_is_of_a_test(node, tested) for node in module.tree.body)


def _is_of_a_test(node: ast.stmt, tested: str) -> bool:
    """Return whether a statement defines what pytest or unittest collects, or imports one of them or what is tested."""
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            return name.startswith("test_")
        case ast.ClassDef(name=name):
            return name.startswith("Test") or name.endswith(("Test", "TestCase"))
        case ast.Import(names=names):
            return any(one.name in ("pytest", "unittest", tested) for one in names)
        case ast.ImportFrom(module=str(source)):
            return source.rpartition(".")[2] in ("pytest", "unittest", tested)
    return False


def _evaluates_paths(module: Module) -> bool:
    """Return whether a module has a function `evaluate(program_path)` and does nothing by itself."""
    return any(
        isinstance(node, FUNCTION)
        and node.name == "evaluate"
        and len(node.args.args) - len(node.args.defaults) == 1
        and (module.name in _EVALUATORS or re.search(r"path|file", node.args.args[0].arg))
        for node in module.tree.body
    )


def searches(module: Module) -> bool:
    """Return whether a program starts another search over programs, such as OpenEvolve; one that scores does not."""
    if module.name in _EVALUATORS:
        return False
    names = [one.name for node in module.nodes if isinstance(node, ast.Import) for one in node.names]
    names += [
        node.module or ""
        for node in module.nodes
        if isinstance(node, ast.ImportFrom) and not all("eval" in one.name.lower() for one in node.names)
    ]
    return any(name.partition(".")[0] in _SEARCHES for name in names)
