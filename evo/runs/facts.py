"""What a language model is told of the data and the machine of a run."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from evo.config.resolved import ResolvedConfig
from evo.runs.materials import Materials
from trainer.corpus import Corpus
from trainer.corpus.splits import TRAIN
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


def gather_facts(config: ResolvedConfig, materials: Materials | None) -> Facts:
    """Return the facts of a run.

    Args:
        materials: of its task; None where they were not prepared.
    """
    from operators.llm import Facts

    memory_mib, disk_mib = config.workers.memory_mib, Limits().disk_mib
    if not isinstance(materials, Corpus):  # what a script can import is for its own interpreter to say
        return Facts(memory_mib=memory_mib, disk_mib=disk_mib)
    train = materials.parts[TRAIN]
    return Facts(train.tokens, train.bytes / train.tokens, memory_mib, disk_mib, tuple(_installed()))


def _installed() -> Iterator[str]:
    yield f"the standard library of Python {platform.python_version()}"
    for name in _LIBRARIES:
        with suppress(PackageNotFoundError):
            yield f"{name} {version(name)}"
