"""Reading generation 0 from where the user keeps it."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from operators.gate import SourceGate, clean_source, language_model_contract
from operators.proposal import Refused
from trainer.errors import GenomeError


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


def _read(path: Path) -> str:
    try:
        content = path.read_bytes()
    except IsADirectoryError:
        raise GenomeError(f"Expected a Python file as generation 0, but {path} is a folder.") from None
    except OSError as error:
        raise GenomeError(
            f"Expected a Python file as generation 0, but {path} cannot be read: {error.strerror}."
        ) from None
    if not content.strip():
        raise GenomeError(f"Expected a Python program as generation 0, but {path} is empty.")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise GenomeError(
            f"Expected {path} to be UTF-8 text, but byte {error.start} is not. Save it as UTF-8 and try again."
        ) from None
