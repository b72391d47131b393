"""The notebook of the Python interface, executed in a real kernel, whose event loop runs while its cells do."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

FOLDER = Path(__file__).parents[3] / "evo" / "project" / "examples" / "python"


# What the kernel's client warns of on its own behalf is not this project's to mend.
@pytest.mark.filterwarnings("default")
def test_the_notebook_runs() -> None:
    notebook = nbformat.read(FOLDER / "search.ipynb", as_version=4)
    NotebookClient(notebook, timeout=None, resources={"metadata": {"path": str(FOLDER)}}).execute()
    printed = "".join(
        output.get("text", "") or output.get("data", {}).get("text/plain", "")
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
    )
    assert re.search(r"gain 0\.\d+ ± \d+\.\d+: (beyond noise|a tie)", printed)
    assert "is the best so far" in printed
    assert "'stopped'" in printed
    assert re.search(r"'finished'.*?\b16\b", printed, re.DOTALL)
    assert "report.html" in printed
