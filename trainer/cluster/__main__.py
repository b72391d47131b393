"""`python -m trainer.cluster`: print what a node has to have installed, as a requirements file.

The package is there already, without its requirements: this file imports the standard library alone.
"""

from __future__ import annotations

import re
import sys
from importlib.metadata import requires

PACKAGES = (
    *("filelock", "numpy", "nvidia-ml-py", "platformdirs", "psutil", "pyseccomp", "ray", "rustbpe", "safetensors"),
    *("tiktoken", "torch"),
)
"""Those that `trainer` imports, and Ray."""


def requirements() -> list[str]:
    """Return the requirements of `evo-train[ray]` that a node has, with their bounds."""
    found = [re.sub(r'\s*;\s*extra == "ray"$', "", one) for one in requires("evo-train") or ()]
    return sorted(one for one in found if "extra ==" not in one and re.split(r"[^\w.-]", one)[0] in PACKAGES)


if __name__ == "__main__":
    sys.stdout.write("".join(f"{one}\n" for one in requirements()))
