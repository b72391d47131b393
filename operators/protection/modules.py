"""Which modules a changed program may import that generation 0 does not.

The standard library holds many ways to run a text, to start a program or to write to a stream: in profilers, debuggers,
loaders, servers, and so do the packages that other ones bring along. So the modules that programs train with are
listed, and all others refused but those of the project.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Set

from operators.protection.units import Unit, words

_USUAL = words(
    "__future__ abc argparse array ast base64 binascii bisect bz2 calendar cmath collections colorsys concurrent "
    "contextlib contextvars copy csv dataclasses datetime decimal difflib enum errno fnmatch fractions functools "
    "glob graphlib gzip hashlib heapq hmac html inspect io itertools json keyword locale logging lzma math mmap "
    "multiprocessing numbers operator os pathlib pickle platform queue random re resource sched secrets select "
    "selectors shutil signal sqlite3 stat statistics string struct sys tarfile tempfile textwrap threading time "
    "token tokenize tomllib traceback types typing unicodedata urllib uuid warnings weakref xml zipfile zlib "
    "zoneinfo"
)
_PARTS = words(
    "concurrent.interpreters logging.config multiprocessing.connection multiprocessing.reduction multiprocessing.spawn"
)
"""Of usual modules, those that are not."""
RUNNING_PARTS = words("cpp_extension ctypeslib f2py fx hub package serialization testing")
"""Parts of numpy and torch that run texts, files and pickles."""
_PACKAGES = words(
    "numpy scipy sklearn skimage statsmodels cv2 PIL matplotlib tqdm networkx torch torchvision torchaudio "
    "torch_geometric pytorch_lightning lightning einops timm jax jaxlib flax optax haiku equinox chex tensorflow keras "
    "cupy numba transformers tokenizers datasets accelerate peft safetensors sentencepiece tiktoken lightgbm xgboost "
    "catboost triton flash_attn xformers apex bitsandbytes deepspeed gymnasium gym stable_baselines3 librosa soundfile "
    "h5py gensim nltk spacy schedulefree lion_pytorch pytorch_optimizer torch_optimizer muon torchao liger_kernel "
    "mamba_ssm causal_conv1d opt_einsum torchdiffeq gpytorch kornia dgl faiss pywt mlx cvxpy ortools highspy"
)
"""Packages that programs train with; many others run texts, print, or start programs."""
_MISSING = words("pandas polars xarray dask cudf modin pyarrow")
"""Libraries of arrays whose means leave out what is missing."""


def unusual(node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    """Yield what is wrong with the modules that a statement imports, where generation 0 does without them."""
    module = "." * node.level + (node.module or "") if isinstance(node, ast.ImportFrom) else ""
    for alias in node.names:
        name = f"{module}.{alias.name}" if module else alias.name
        package = name.partition(".")[0]
        if _is_of(name, _PARTS):
            yield f"`{module or name}` is none of the modules that programs train with; do without it"
        elif package in {"numpy", "torch"} and RUNNING_PARTS.intersection(name.split(".")):
            yield f"`{module or name}` runs code that no rule reads; do without it"
        elif package in _MISSING:
            yield f"the means of `{package}` leave out what is missing; use the arrays that generation 0 uses"
        elif package and package not in _USUAL | _PACKAGES:
            yield none_of_the_usual(package)


def imports_of(unit: Unit, modules: Collection[str]) -> Iterator[str]:
    """Yield what is wrong with a unit that imports one of some modules, by their last names."""
    if isinstance(unit.node, ast.Import | ast.ImportFrom):
        module = (getattr(unit.node, "module", None) or "").split(".")
        for name in {*module, *(part for one in unit.node.names for part in one.name.split("."))} & {*modules}:
            yield f"`{name}` is a program of the project that generation 0 does not import; it may hold the evaluation"


def none_of_the_usual(package: str) -> str:
    """Return what is said of a package that is none of those that programs train with."""
    return f"`{package}` is none of the modules that programs train with; do without it"


def _is_of(name: str, modules: Set[str]) -> bool:
    """Return whether a module, or what is taken from one, is one of several or lies within it."""
    return any(f"{name}.".startswith(f"{one}.") for one in modules)
