"""What a coding agent finds in its folder."""

from __future__ import annotations

from collections.abc import Sequence

from operators.llm.context import Conditions, Prompts
from operators.llm.text import clean_text
from operators.proposal import Request
from trainer.genome import split

HYPOTHESIS = "HYPOTHESIS.txt"
"""Where it leaves its idea, in one line."""

_CONTEXT = "context"
_BUILT_IN = "train.py"


def genome_files(prompts: Prompts) -> tuple[str, ...]:
    """Return the names of the files that evolve."""
    conditions = prompts.conditions
    return (_BUILT_IN,) if isinstance(conditions, Conditions) else conditions.files


def context_files(request: Request, prompts: Prompts) -> dict[str, str]:
    """Return the files that tell what is known, by name; the program is not among them."""
    names = genome_files(prompts)
    files = {f"{_CONTEXT}/{name}": text for name, text in prompts.briefing(request).items()}
    parent, relatives = request.parents[0], request.known.context.relatives
    for number, log_tail in ((parent.id, parent.log_tail), *((one.id, one.log_tail) for one in relatives)):
        if log_tail.strip():
            files[f"{_CONTEXT}/logs/{number}.txt"] = clean_text(log_tail)
    for inspiration in request.known.context.inspirations:
        files |= _apart(f"{_CONTEXT}/inspirations/{inspiration.id}", inspiration.source, names)
    return files


def _apart(folder: str, source: str, names: Sequence[str]) -> dict[str, str]:
    return {f"{folder}/{name}": text for name, text in split(source, names).items()}
