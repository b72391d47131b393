"""Generation 0: reading it from where the user keeps it, and what is said when it fails."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from evo.store import EvaluationRecord
from operators.gate import SourceGate, clean_source, language_model_contract
from operators.proposal import Refused
from trainer.errors import GenomeError

_QUOTED_CHARACTERS = 2000


def read_genome(path: str) -> str:
    """Return the source of generation 0: of a file, or of the built-in seed when `path` is empty.

    Raises:
        GenomeError: the file is missing, unreadable, empty, not UTF-8, or not a genome of the language-model task.
    """
    if not path:
        return resources.files("trainer").joinpath("seed/train.py").read_text(encoding="utf-8")
    source = clean_source(_read(Path(path)))
    try:
        SourceGate(language_model_contract, known=lambda _: None).check(source)
    except Refused as refusal:
        raise GenomeError(
            f"{path} cannot be generation 0: {refusal}. `evo run` without a file starts from the seed."
        ) from None
    return source


def failed_generation_zero(evaluations: Sequence[EvaluationRecord]) -> GenomeError:
    """Return the error that ends a run none of whose evaluations of generation 0 ended OK; one at least is done."""
    last = [record.result for record in evaluations if record.result is not None][-1]
    return GenomeError(
        f"Generation 0 must train and be scored before anything can evolve, but it ended {last.status}: "
        f"{last.reason}. Its last output:\n{last.log_tail[-_QUOTED_CHARACTERS:]}"
    )


def _read(path: Path) -> str:
    try:
        content = path.read_bytes()
    except IsADirectoryError:
        raise GenomeError(f"Expected a Python file as generation 0, but {path} is a folder.") from None
    except (OSError, ValueError) as error:  # ValueError: a name with a NUL, which only a TOML file can give
        reason = error.strerror if isinstance(error, OSError) else error
        raise GenomeError(f"Expected a Python file as generation 0, but {path} cannot be read: {reason}.") from None
    if not content.strip():
        raise GenomeError(f"Expected a Python program as generation 0, but {path} is empty.")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise GenomeError(
            f"Expected {path} to be UTF-8 text, but byte {error.start} is not. Save it as UTF-8 and try again."
        ) from None
