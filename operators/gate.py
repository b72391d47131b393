"""The gate: what every source must pass before it may become an individual.

In this order, cheapest first: size, characters, syntax, the task's contract, protected code, novelty. The reasons are
written for a reader who can mend the source: a language model or a person.
"""

from __future__ import annotations

import ast
import contextlib
import io
import re
import tokenize
from collections.abc import Callable, Mapping, Sequence
from functools import cache

from operators.proposal import Refused
from operators.protection import UNPROTECTED, Protection
from populations.diversity import Program, read_program
from trainer.errors import GenomeError
from trainer.genome import marked_lines, parts_of, split, unmarked
from trainer.languages import PYTHON, language_of

Contract = Callable[[Program], None]
"""Raises `Refused("contract", reason)` for a program that a task cannot run."""

MAX_BYTES = 256 * 1024
_QUOTED_CHARACTERS = 200

_UNWANTED = re.compile(
    "[\x00-\x08\x0b\x0d-\x1f\x7f"  # control characters but tab, line feed and form feed: they hide text from readers
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # bidirectional controls: code reads unlike it runs (CVE-2021-42574)
    "\ud800-\udfff\ufeff]"  # lone surrogates, which are no text, and byte order marks
)


def clean_source(text: str) -> str:
    """Return text from outside in the form that all genomes have: no byte order mark, LF line ends, one at the end."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    return text if text.endswith("\n") else text + "\n"


class SourceGate:
    """Lets a source pass that is small, readable, parses, fits its task and is new.

    Args:
        contract: the task's conditions, such as `language_model_contract`.
        known: maps a normal form to the id of the individual that has it, None where there is none.
        max_bytes: size of the largest source, in UTF-8.
        repeated: maps a source to the individual that it nearly repeats in vain (`operators.repeats`), None where there
            is none.
        protection: returns what is protected in generation 0; called when a source is first read.
    """

    def __init__(
        self,
        contract: Contract,
        known: Callable[[str], int | None],
        max_bytes: int = MAX_BYTES,
        repeated: Callable[[str], int | None] = lambda _: None,
        protection: Callable[[], Protection] = lambda: UNPROTECTED,
    ) -> None:
        self._contract = contract
        self._known = known
        self._max_bytes = max_bytes
        self._repeated = repeated
        self._protection = protection

    @property
    def protection(self) -> Protection:
        """What no source may change."""
        return self._protection()

    def knowing(
        self, known: Callable[[str], int | None], repeated: Callable[[str], int | None] = lambda _: None
    ) -> SourceGate:
        """Return this gate with other memories of what is known."""
        return SourceGate(self._contract, known, self._max_bytes, repeated, self._protection)

    def check(self, source: str) -> None:
        """Raise `Refused`, with the source, unless it may become an individual."""
        try:
            self._check(source)
        except Refused as refusal:
            refusal.source = source
            raise

    def _check(self, source: str) -> None:
        program = self.read(source)
        twin = self._known(program.normal_form)
        if twin is not None:
            raise Refused(
                "duplicate",
                f"this is the same program as individual {twin}, but for layout, comments or docstrings; "
                "change what the code does",
                twin,
            )
        sibling = self._repeated(source)
        if sibling is not None:
            raise Refused(
                "near_duplicate",
                f"this is nearly the same code as individual {sibling}, which came out worse than its parent; "
                "change something else, or tune the constants of that one",
            )

    def read(self, source: str) -> Program:
        """Return the parsed source, whether or not it is new.

        Raises:
            Refused: it is too large, unreadable, does not parse, breaks the contract or changes protected code.
        """
        _check_size(source, self._max_bytes)
        _check_characters(source)
        _check_encoding(source)
        program = _parsed(source)
        if not program.statements and not any(part.text.strip() for part in program.others):
            raise Refused("unparsable", "the source has no statement; send the whole program")
        self._contract(program)
        violation = self.protection.violation(source)
        if violation is not None:
            raise Refused("protected", violation)
        return program


def _check_size(source: str, max_bytes: int) -> None:
    size_bytes = len(source.encode("utf-8", "surrogatepass"))
    if size_bytes > max_bytes:
        raise Refused(
            "too_large", f"the source has {size_bytes:,} bytes, more than the {max_bytes:,} allowed; shorten it"
        )


def _check_characters(source: str) -> None:
    found = _UNWANTED.search(source)
    if found:
        line = source.count("\n", 0, found.start()) + 1 - _lines_hidden(source)
        raise Refused(
            "unparsable",
            f"line {line} holds the character U+{ord(found.group()):04X}, which no source may contain; "
            "write it as an escape sequence or leave it out",
        )


def _check_encoding(source: str) -> None:
    """Raise Refused where a program declares an encoding by which Python would read another one from its UTF-8."""
    for part in parts_of(source):
        data = part.text.encode()
        if part.language is not PYTHON or b"coding" not in data:
            continue
        with contextlib.suppress(SyntaxError):  # said better by the parser
            name, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
            if _decoded(data, name) != part.text:
                raise Refused(
                    "unparsable", f"a comment declares the encoding {name}, but sources are UTF-8; leave it out"
                )


def _decoded(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except (ValueError, LookupError):
        return None


def _parsed(source: str) -> Program:
    try:
        return read_program(source)
    except SyntaxError as error:
        raise _syntax_refusal(source, error.lineno or 1, error.msg) from None
    except (RecursionError, MemoryError):
        raise Refused("unparsable", "the source is nested too deeply for Python; flatten it") from None
    except ValueError as error:
        raise Refused("unparsable", f"Python cannot read the source: {error}") from None


def _lines_hidden(source: str) -> int:
    """Return how many lines of a source its readers do not see: the one that names a single file."""
    return source.count("\n") - unmarked(source).count("\n")


def _syntax_refusal(source: str, line: int, message: str) -> Refused:
    text = "".join(unmarked(source).split("\n")[line - 1 : line]).strip()
    quoted = f": `{text[:_QUOTED_CHARACTERS]}`" if text else ""
    return Refused("unparsable", f"line {line}: {message}{quoted}")


def script_contract(names: Sequence[str], generation_zero: Callable[[], str] | None = None) -> Contract:
    """Return the contract of a script task: a genome of several files keeps each under its line.

    Args:
        generation_zero: returns the source that every other one descends from; None for that one itself. A grammar
            cannot read every macro of C and the like, so it judges only where it could read this one.
    """

    @cache
    def is_read_by_grammars() -> bool:
        return generation_zero is not None and not any(read_program(generation_zero()).faults(exact=False))

    def check(program: Program) -> None:
        try:
            files = split(program.source, names)
        except GenomeError as error:
            raise Refused("contract", str(error)) from None
        _require_marks(program.source, names)
        if len(files) > 1:
            _check_each(files)
        faults = list(program.faults(exact=False))
        if faults and is_read_by_grammars():
            raise _syntax_refusal(program.source, *faults[0])

    return check


def _require_marks(source: str, names: Sequence[str]) -> None:
    """Raise Refused where a line in the text begins another file: what follows it would be read as that one."""
    marked = [part.name for part in parts_of(source)]
    if marked not in ([""], [*names]):
        line = marked_lines(source)[-1] - _lines_hidden(source)
        raise Refused("contract", f"line {line} reads as the beginning of another file; leave such lines out")


def _check_each(files: Mapping[str, str]) -> None:
    """Raise Refused where files are a program together, and one of them is none."""
    for name, source in files.items():
        try:
            if language_of(name) is PYTHON:
                _parsed(source)
        except Refused as refusal:
            raise Refused("contract", f"{name} must be a program of its own, but {refusal}") from None


def language_model_contract(program: Program) -> None:
    """Demand the two top-level functions that the language-model task calls.

    Raises:
        Refused: `build_model(task)` or `train(model, task)` is missing or cannot be called so.
    """
    _require_marks(program.source, ("train.py",))
    _require_function(program, "build_model", ("task",))
    _require_function(program, "train", ("model", "task"))


def _require_function(program: Program, name: str, arguments: tuple[str, ...]) -> None:
    call = f"{name}({', '.join(arguments)})"
    found = [(one.line, one.signature) for one in program.statements if one.signature and one.signature.name == name]
    if not found:
        raise Refused("contract", f"expected a top-level function {call}, but the source defines no `{name}`")
    line, last = found[-1]
    if last.kind is not ast.FunctionDef or last.arguments is None:
        kind = "a class" if last.kind is ast.ClassDef else "an async function"
        raise Refused("contract", f"expected a top-level function {call}, but `{name}` in line {line} is {kind}")
    if not _takes(last.arguments, len(arguments)):
        raise Refused(
            "contract",
            f"expected a function that can be called as {call}, but line {line} defines "
            f"{name}({ast.unparse(last.arguments)})",
        )


def _takes(signature: ast.arguments, count: int) -> bool:
    """Whether a call with `count` positional arguments and nothing else fits `signature`."""
    positional = len(signature.posonlyargs) + len(signature.args)
    required = positional - len(signature.defaults)
    fits = required <= count and (count <= positional or signature.vararg is not None)
    return fits and all(default is not None for default in signature.kw_defaults)
