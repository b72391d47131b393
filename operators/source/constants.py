"""The constants of a genome: found by position, so that changing one leaves every other byte as it is.

A constant is a literal that a program reads by a name. Which ones count is for each language to say
(`operators.source.python_constants`, `operators.source.other_constants`).

A comment behind it may say what it is chosen from, `ACTIVATION = "gelu"  # one of: relu, gelu, silu`, or where a number
lies and on which scale it moves, `LR = 3e-4  # range: 1e-5 to 1e-2, log`. A comment that does not hold for the value it
stands behind is a comment like any other: what a language model writes there cannot break a program. Sources have LF
line ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from operators.source.literals import LARGEST_NUMBER, Constant, Number, Range, Value, blank, literal_text, written
from operators.source.other_constants import other_constants
from operators.source.python_constants import constants_of
from populations.diversity import normal_form, read_program
from trainer.genome import parts_of
from trainer.source_text import SourceText, Splice, spliced

__all__ = [
    "LARGEST_NUMBER",
    "Constant",
    "Number",
    "Range",
    "Value",
    "constants_and_structure",
    "find_constants",
    "is_for_another_device",
    "literal_text",
    "replace_constants",
    "written",
]

_SOURCES_KEPT = 64
"""The parents in a population are asked for again and again, with offspring in between; each takes a millisecond."""
_DEVICE_WORDS = frozenset({"CPU", "CUDA", "MPS"})


def find_constants(source: str) -> dict[str, Constant]:
    """Return the constants of a source, by name, in their order.

    Raises:
        SyntaxError: `source` is no Python.
    """
    return dict(_constants_of(source))


@lru_cache(maxsize=_SOURCES_KEPT)
def _constants_of(source: str) -> dict[str, Constant]:
    # Everything else is blank in the same places, so that offsets hold.
    program = read_program(source)
    found = constants_of(program.tree, SourceText(program.python))
    qualified = len(parts_of(source)) > 1
    for part in program.others:
        found |= other_constants(part, qualified=qualified)
    return found


def constants_and_structure(source: str) -> tuple[Mapping[str, Value], str]:
    """Return the values of the constants of a source, and a name of what is left of it without them.

    Sources that differ only in the values of constants, in layout or in comments have the same structure.

    Raises:
        SyntaxError: `source` is no Python.
    """
    constants = find_constants(source)
    blanks = [Splice(one.start, one.end, blank(one)) for one in constants.values()]
    return {name: one.value for name, one in constants.items()}, normal_form(spliced(source, blanks))


def is_for_another_device(name: str, device: str) -> bool:
    """Return whether a name like `WIDTH_CUDA` speaks of devices, but not of `device` (`cpu`, `cuda` or `mps`)."""
    named = _DEVICE_WORDS.intersection(name.split("_"))
    return bool(named) and device.upper() not in named


def replace_constants(source: str, values: Mapping[str, Value]) -> str:
    """Return `source` with new literals for the named constants and every other byte unchanged.

    Raises:
        SyntaxError: `source` is no Python.
        ValueError: a name is no constant of `source`, or a number is not finite.
    """
    constants = find_constants(source)
    unknown = sorted(set(values) - set(constants))
    if unknown:
        raise ValueError(f"expected constants of the source ({', '.join(constants)}), but got {', '.join(unknown)}")
    changed = [(constants[name], value) for name, value in values.items()]
    return spliced(
        source, [Splice(constant.start, constant.end, written(value, constant)) for constant, value in changed]
    )
