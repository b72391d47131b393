"""Findings in words: the sentences are in `templates/sentences.jinja`, here are the words for numbers."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, Template
from markupsafe import Markup

from evo.compare.statistics.effect_sizes import Estimate
from evo.compare.statistics.power import POWER
from evo.compare.statistics.rank_tests import ALPHA, WAYS, Comparison, Source
from evo.report.figures import better_word
from evo.report.templates import environment
from evo.text import duration, money
from trainer.errors import counted

TEMPLATES = Path(__file__).parent / "templates"
UNKNOWN = "–"
_ITEM = re.compile(r"^\s*- ", re.MULTILINE)


def say(name: str, *facts: Any) -> str:
    """Return a sentence as plain text, by the name of its macro; empty where it does not apply."""
    return " ".join(str(getattr(_sentences().module, name)(*facts)).split())


def say_each(name: str, *facts: Any) -> list[str]:
    """Return the items of a list of sentences."""
    items = _ITEM.split(str(getattr(_sentences().module, name)(*facts)))
    return [text for item in items if (text := " ".join(item.split()))]


def add_words(templates: Environment) -> Environment:
    """Return an environment in which numbers have words."""
    templates.add_extension("jinja2.ext.do")
    templates.globals.update(say=say, say_each=say_each, ALPHA=ALPHA, POWER=POWER, WAYS=WAYS, UNKNOWN=UNKNOWN)
    templates.filters.update(
        number=number,
        percent="{:.0%}".format,
        interval=interval,
        p_value=p_value,
        p_equals=p_equals,
        p_values=p_values,
        listed=listed,
        counted=counted,
        capitalised=lambda text: text[:1].upper() + text[1:],
        better=better_word,
        duration=lambda seconds: duration(seconds) if math.isfinite(seconds) else UNKNOWN,
        money=lambda usd: money(usd if math.isfinite(usd) else None),
    )
    return templates


@cache
def _sentences() -> Template:
    # Nothing is escaped: what is said is plain text, which a page escapes as any other.
    plain = environment(TEMPLATES, lambda text: Markup(" ".join(text.split())))  # noqa: S704 - likewise
    return add_words(plain).get_template("sentences.jinja")


def number(value: float, decimals: int, signed: bool = False) -> str:
    """Return a number with a true minus, `–` if it is none."""
    return f"{value:{'+' if signed else ''},.{decimals}f}".replace("-", "−") if math.isfinite(value) else UNKNOWN


def interval(estimate: Estimate, decimals: int, signed: bool = False) -> str:
    """Return the interval of an estimate as `1.20 to 1.31`, `–` where there is none."""
    if estimate.low is None or estimate.high is None:
        return UNKNOWN
    return f"{number(estimate.low, decimals, signed)} to {number(estimate.high, decimals, signed)}"


def p_value(p: float) -> str:
    """Return a p value with the digits that say something."""
    return "< 0.0001" if p < 0.0001 else f"{p:.3g}" if p < 0.1 else f"{p:.2f}"


def p_equals(p: float, name: str = "p", equal: str = "=") -> str:
    """Return `p = 0.01`, or `p < 0.0001`."""
    text = p_value(p)
    return f"{name} {text}" if text.startswith("<") else f"{name} {equal} {text}"


def p_values(comparison: Comparison) -> str:
    """Return both p values of a comparison, with `≈` where they are not exact."""
    equal = "=" if comparison.source is Source.EXACT else "≈"
    return f"{p_equals(comparison.p, 'p', equal)}, {p_equals(comparison.holm_p, 'Holm p', equal)}"


def listed(words: Sequence[Any]) -> str:
    """Return `a`, `a and b`, or `a, b and c`."""
    *before, last = map(str, words)
    return f"{', '.join(before)} and {last}" if before else last
