"""What the site has beside the pages of this folder: pages made from the code, and files of the repository.

`make docs` builds the site. Two pages are generated, so they cannot disagree with the code: every key of the
configuration, and the Python interface. Links from a page to files of the repository lead to copies in the site.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from pydantic import BaseModel
from pydantic.fields import FieldInfo

import evo
from evo.config.config import Config
from evo.config.models import ModelConfig
from evo.config.task import LanguageModelTask, ObjectiveConfig, ScriptTask
from evo.scales.definition import LadderConfig, ScaleConfig

_ROOT = Path(__file__).parents[1]
_OUTSIDE = re.compile(r"\]\(\.\./([^)#]+)")
_UNITS = {"seconds": "s", "hours": "h", "usd": "US dollars", "mib": "MiB", "tokens": "tokens"}
_ATTRIBUTE = re.compile(r"^ {4}(\w+): (.*(?:\n {8}.*)*)", re.MULTILINE)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages and the files of the repository that pages link to."""
    files.append(File.generated(config, "configuration-keys.md", content=configuration_keys()))
    files.append(File.generated(config, "python-api.md", content=python_api()))
    linked = {name for page in Path(config.docs_dir).glob("*.md") for name in _OUTSIDE.findall(page.read_text("utf-8"))}
    for name in sorted(linked):
        # Under another ending, so that they are shown as they are and their own links stay theirs.
        files.append(File.generated(config, f"repository/{name}.txt", content=(_ROOT / name).read_text("utf-8")))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001 - the interface
    """Lead links to files of the repository to their copies."""
    return _OUTSIDE.sub(r"](repository/\1.txt", markdown)


def python_api() -> str:
    """Return the page of all that `import evo` offers."""
    text = ["# Python API", "", "Everything that `import evo` offers. [From Python](python.md) shows it at work.", ""]
    for name in evo.__all__:
        thing = getattr(evo, name)
        text += [f"::: {thing.__module__}.{thing.__qualname__}", ""]
    return "\n".join(text)


def configuration_keys() -> str:
    """Return the page of every key, with its type, default, unit and meaning."""
    text = [
        "# All keys of the configuration",
        "",
        "The tables and keys of `evo.toml`, which [Configuration](configuration.md) introduces.",
        "A default of – is chosen for the device or the task; *required* keys have none.",
        "",
    ]
    tasks = {
        "[task], the built-in task": LanguageModelTask,
        '[task], kind = "script"': ScriptTask,
        "[task.objectives.NAME], of a script": ObjectiveConfig,
    }
    sections = {f"[{name}]": type(getattr(Config(), name)) for name in Config.model_fields if name != "task"}
    others = {"[[llm.models]]": ModelConfig, "[ladder], of evo ladder": LadderConfig, "[[ladder.scale]]": ScaleConfig}
    for title, model in (tasks | sections | others).items():
        text += [f"## {title}", "", *_table(model), ""]
    return "\n".join(text)


def _table(model: type[BaseModel]) -> Iterator[str]:
    doc = inspect.getdoc(model) or ""
    described = {name: " ".join(words.split()) for name, words in _ATTRIBUTE.findall(doc)}
    yield " ".join(doc.partition("\n\n")[0].split())
    yield ""
    yield "| key | type | default | meaning |"
    yield "|---|---|---|---|"
    for name, field in model.model_fields.items():
        unit = _UNITS.get(name.rpartition("_")[2], "")
        meaning = described.get(name, "")
        if not meaning:
            raise ValueError(
                f"{model.__name__} does not say what `{name}` means: add it to the docstring's Attributes."
            )
        cells = (f"`{field.alias or name}`", _type(field), _default(field), f"{meaning} *{unit}*" if unit else meaning)
        yield "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "*required*"
    if field.default is None:
        return "–"
    value = list(field.default) if isinstance(field.default, tuple) else field.default
    return f"`{str(value).lower() if isinstance(value, bool) else repr(value)}`"


def _type(field: FieldInfo) -> str:
    return " or ".join(dict.fromkeys(_names(field.annotation)))


def _names(kind: Any) -> Iterator[str]:
    """Yield what TOML calls a type."""
    if kind in (type(None), Ellipsis):
        return
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Annotated:
        yield from _names(inner[0])
    elif origin is Literal:
        yield from (f'`"{one}"`' for one in inner)
    elif origin is tuple:
        yield f"list of {' or '.join(dict.fromkeys(_names(inner[0])))}"
    elif origin is dict or (isinstance(kind, type) and issubclass(kind, BaseModel)):
        yield "table"
    elif inner:
        for one in inner:
            yield from _names(one)
    else:
        plain = {bool: "boolean", int: "integer", float: "number", str: "string"}
        names = [f'`"{one}"`' for one in kind] if hasattr(kind, "__members__") else [plain.get(kind, str(kind))]
        yield from names
