"""Which modules a changed program may import that generation 0 does not.

The standard library holds many ways to run a text, to start a program or to write to a stream: in profilers, debuggers,
loaders, servers. So of it, the modules that programs train with are listed, and all others refused.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Set

from operators.protection.units import words

_USUAL = words(
    "__future__ abc argparse array ast base64 binascii bisect bz2 calendar cmath collections colorsys concurrent "
    "contextlib contextvars copy csv dataclasses datetime decimal difflib enum errno fnmatch fractions functools "
    "glob graphlib gzip hashlib heapq hmac html inspect io itertools json keyword locale logging lzma math mmap "
    "multiprocessing numbers operator os pathlib pickle platform queue random re resource sched secrets select "
    "selectors shutil signal sqlite3 stat statistics string struct sys tarfile tempfile textwrap threading time "
    "token tokenize tomllib traceback types typing unicodedata urllib uuid warnings weakref xml zipfile zlib "
    "zoneinfo"
)
_PARTS = words("concurrent.interpreters logging.config multiprocessing.connection multiprocessing.spawn")
"""Of usual modules, those that are not."""
_COMPILING = words("torch.utils.cpp_extension numpy.f2py numpy.ctypeslib pyximport Cython")
_MISSING = words("pandas polars xarray dask cudf modin pyarrow")
"""Libraries of arrays whose means leave out what is missing."""


def unusual(node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    """Yield what is wrong with the modules that a statement imports, where generation 0 does without them."""
    module = "." * node.level + (node.module or "") if isinstance(node, ast.ImportFrom) else ""
    for alias in node.names:
        name = f"{module}.{alias.name}" if module else alias.name
        package = name.partition(".")[0]
        if (package in sys.stdlib_module_names and package not in _USUAL) or _is_of(name, _PARTS):
            yield f"`{module or name}` is none of the modules that programs train with; do without it"
        elif _is_of(name, _COMPILING):
            yield f"`{module or name}` runs code that no rule reads; do without it"
        elif package in _MISSING:
            yield f"the means of `{package}` leave out what is missing; use the arrays that generation 0 uses"


def _is_of(name: str, modules: Set[str]) -> bool:
    """Return whether a module, or what is taken from one, is one of several or lies within it."""
    return any(f"{name}.".startswith(f"{one}.") for one in modules)
