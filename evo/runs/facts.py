"""What a language model is told of the data and the machine of a run."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, distributions, version
from typing import TYPE_CHECKING

from evo.config.resolved import ResolvedConfig
from evo.config.task import ScriptTask
from evo.runs.materials import Materials
from trainer.corpus import Corpus
from trainer.corpus.splits import TRAIN
from trainer.script import find_program, without_environment
from trainer.settings import Limits

if TYPE_CHECKING:
    from operators.llm import Facts

_LIBRARIES = (
    "torch",
    "numpy",
    "scipy",
    "triton",
    "einops",
    "numba",
    "flash-attn",
    "xformers",
    "liger-kernel",
    "torchao",
    "transformers",
    "safetensors",
)
"""Packages that a training script may gain from, where they are installed."""

_OTHER_LIBRARIES = (
    "torchvision",
    "tensorflow",
    "jax",
    "flax",
    "optax",
    "scikit-learn",
    "xgboost",
    "lightgbm",
    "catboost",
    "pandas",
    "polars",
    "statsmodels",
    "sympy",
    "networkx",
    "ortools",
    "cvxpy",
)
"""Packages that other programs may gain from."""


def gather_facts(config: ResolvedConfig, materials: Materials | None) -> Facts:
    """Return the facts of a run.

    Args:
        materials: of its task; None where they were not prepared.
    """
    from operators.llm import Facts

    memory_mib, disk_mib = config.workers.memory_mib, Limits().disk_mib
    if not isinstance(materials, Corpus):
        packages = tuple(_installed_beside(config.script)) if config.script and config.script.command else ()
        return Facts(memory_mib=memory_mib, disk_mib=disk_mib, packages=packages)
    train = materials.parts[TRAIN]
    return Facts(
        train.tokens, train.bytes / train.tokens, memory_mib, disk_mib, tuple(_installed()), packages_are_all=True
    )


def _installed() -> Iterator[str]:
    yield f"the standard library of Python {platform.python_version()}"
    for name in _LIBRARIES:
        with suppress(PackageNotFoundError):
            yield f"{name} {version(name)}"


def _installed_beside(task: ScriptTask) -> Iterator[str]:
    """Yield what is installed beside the Python that runs a script; nothing where that is not found.

    Its files are read and not run: what an interpreter imports when it starts is the user's.
    """
    _, words = without_environment(task.command)
    program = find_program(words[0], task.folder)
    places = (
        sorted(program.parent.parent.glob("lib/python3*/site-packages")) if program.name.startswith("python") else []
    )
    for place in places[:1]:
        yield f"the standard library of Python {place.parent.name.removeprefix('python')}"
        found = {one.name.lower(): one.version for one in distributions(path=[str(place)])}
        yield from (f"{name} {found[name]}" for name in (*_LIBRARIES, *_OTHER_LIBRARIES) if name in found)
