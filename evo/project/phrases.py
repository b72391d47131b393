"""The numbers with labels in one printed line: in sentences, JSON, dictionaries, and beside units."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from evo.project.places import MARGIN, NUMBER, SUFFIX, UNIT, Place, group_for
from evo.project.printed import escaped, label_in, without_unit
from evo.project.wording import (
    PREFIXES,
    Kind,
    context_word,
    direction_of,
    direction_of_unit,
    direction_said,
    identifier,
    is_count,
    is_data,
    names_metric,
    quality_word,
    told_split,
    unit_before,
)
from trainer.script.numbers import number_in

_WRAP = re.compile(r"(?:(?:\w+\.)?(?:[Tt]ensor|[Aa]rray|float\d*|int\d*)\()?[\[(]*[\"'$€£¥]?$")
_SEPARATORS = " \t:：=|│┃║*`>~≈→.…-↑↓"
"""What stands between a label and its number."""
_VERB = re.compile(r"\s(?:is|was|of|equals|in|took)$")
_ARROW = re.compile(r"\s*(?:[A-Za-z]+\s*)?(?:->|→|=>|⟶|to\s+\d)")
_QUOTED = re.compile(r"""(?P<quote>["'])(?P<label>[^"'\n]*[^\W\d_][^"'\n]*)(?P=quote)$""")
_IN_PARTS = re.compile(r"\s?(?:d|days?|h|hrs?|hours?|m|mins?|minutes?),?\s?\d[\d.]*\s?[hms]", re.IGNORECASE)
"""The rest of a time in several units, as `1min 23s` or `2 h 3 min`."""
_OF_SEVERAL = re.compile(r"[,;]?\s+[-+−]?\.?\d[^\[\]]*\]")
"""The rest of several numbers in brackets."""
_IS_MARGIN = re.compile(r"(?:±|\+/-|\+-)\s*$")
_FILE_NAME = re.compile(r"\w\.[A-Za-z]{1,4}$")  # with a line behind it, in a traceback
_SETTINGS = re.compile(r"(?<=[\w)])\s*(?:@\s*)?[(\[]([^()\[\]]*\d[^()\[\]]*)[)\]](?=\s*[:=]\s*[-+−]?[\d.])")
_WIDE = re.compile(r"\s{2,}|\t")
_COUNTED = re.compile(r"\s*[a-z]+\s*[:=]\s*")
_OVER = re.compile(r"\b(?:over|across|of|in|from|for)\s+(?:the\s+)?(?:(?:last|first|past|final|all)\s+)?$")
_BEHIND = re.compile(r"[^|│┃,;:=]*[|│┃]\s*")
_SPACED = re.compile(r"[-+−]?\d{1,3}(?: \d{3})+(?![^\s,;])")
"""`1 234 567`, which would be read as 1."""
_DECIMAL_COMMA = re.compile(r"[-+−]?(?:0,\d|\d+,(?!\d{3}(?!\d))\d)")
"""`0,8123`, which would be read as 0."""
_TRAINING_ALONE = re.compile(r"\btrain(?:ing)?\s*[:=]?\s+[-+.\d]", re.IGNORECASE)
"""In `Loss: 0.1, Train: 0.9, Val: 0.8`, where the loss is that of the training, and the others are no losses."""
_RATE = re.compile(r"\s*([A-Za-zµ]+/[a-z]+|(?i:[KMGT]?(?:fps|flops|iops)))\b")
_MEASURED_RATE = re.compile(rf"\d{_RATE.pattern}")
_SHARE = re.compile(r"/\s*\d+\s*\(\s*([\d.]+)\s*%")
_SIGNED = re.compile(r"(?P<label>[A-Za-z][\w+@-]*)(?P<settings>\|[\w-]+:\S+)\s=\s")
"""A metric with the settings that it was computed with, as sacrebleu prints it: `BLEU|nrefs:1|tok:13a = 27.3`."""
_LAST_WORDS = re.compile(r"\s+([A-Za-z][\w /-]*)")
_LONGEST_SENTENCE = 12  # words of a label such as `Accuracy of the network on the 10000 test images`


def places_in_line(number: int, line: str, is_named: Callable[[str], bool] = lambda _: False) -> Iterator[Place]:
    """Yield the numbers with labels in a line.

    Args:
        number: of the line.
        line: as printed, without progress bars.
        is_named: tells whether the documentation names a label as an aim, so that its number needs no colon.
    """
    if signed := _SIGNED.match(line):
        yield from _signed(number, line, signed)
        return
    begin = end = last = 0
    quality = ""
    goes_on = not _TRAINING_ALONE.search(line)
    settings = {found.start(): found for found in _SETTINGS.finditer(line) if _is_setting(found[1])}
    for match in NUMBER.finditer(line):
        between = line[end : match.start()]
        if any(start < match.start() < found.end() for start, found in settings.items()):
            continue
        if between.strip() in (":", "=") or (_COUNTED.fullmatch(between) and _OVER.search(line, begin, last)):
            end = begin  # the number before belongs to the label: `best of 7: 0.5`, `speedup over 5 runs: 2.1`
        before = line[end : match.start()]
        unit = UNIT.match(before) if end else None
        before = before[len(unit[0] if unit else unit_before(before) if end else "") :]
        start = match.start() - len(before)
        describes_last = bool(end) and _BEHIND.fullmatch(before)  # `51.2% MFU | 170,000 tok/s`
        begin, end, last = end, match.end(), match.start()
        is_unclear = _DECIMAL_COMMA.match(line, last) or _SPACED.match(line, last) or _IN_PARTS.match(line, end)
        is_one_of_several = before.endswith(("[", "(")) and _OF_SEVERAL.match(line, end)
        if is_unclear or is_one_of_several or _ARROW.match(line, end) or _IS_MARGIN.search(before):
            continue
        place = None if describes_last else _labelled(number, line, before, start, match, quality, settings, is_named)
        place = place or _before_its_unit(number, line, match)
        if place is not None:
            quality = (quality_word(place.label) or quality) if goes_on else ""
            yield place


def _signed(number: int, line: str, signed: re.Match[str]) -> Iterator[Place]:
    match = NUMBER.match(line, signed.end())
    value = number_in(match[0]) if match else None
    if value is not None:
        label = signed["label"]
        yield Place(number, identifier(label), label, None, value, None, (rf"^{escaped(label)}\|\S+\s=\s(\S+)",))


def _is_setting(inner: str) -> bool:
    """Return whether what is in brackets belongs to the label: `mAP (IoU=0.5): 0.61`, `accuracy (5-fold): 0.9`."""
    named = re.sub(r"\d[\d.]*", "", inner)
    return named.startswith("-") or not is_count(named)


def _before_its_unit(number: int, line: str, match: re.Match[str]) -> Place | None:
    """Return a number that only what follows names: `4123 ns/op` behind a benchmark, or `1.2 seconds elapsed`."""
    error = MARGIN.match(line, match.end())
    rate = _RATE.match(line, error.end() if error else match.end())
    value = number_in(match[0])
    words_behind = _LAST_WORDS.fullmatch(line.rstrip(), match.end())
    if words_behind and names_metric(words_behind[1]) and not line[: match.start()].strip() and value is not None:
        label = words_behind[1]
        pattern = rf"^\s*{group_for(match[0], ' ')[0]}\s+{escaped(label)}\s*$"
        return Place(number, identifier(label), label, None, value, None, (pattern,))
    if rate is None or value is None or direction_of(rate[1])[1] is Kind.UNKNOWN:
        return None
    first = re.match(r"[A-Za-z][^\s:=|,]*[A-Z_\d/][^\s:=|,]*(?=\s)", line)
    start = f"^{escaped(first[0])}.*" if first and first.end() < match.start() else ""
    label = f"{first[0]} {rate[1]}" if start and first else rate[1]
    pattern = rf"{start}(?<![\w.])([\d.,]+){MARGIN.pattern if error else ''}\s*{escaped(rate[1])}"
    return Place(number, identifier(label), label, None, value, None, (pattern,))


def _labelled(
    number: int,
    line: str,
    before: str,
    start: int,
    match: re.Match[str],
    quality: str,
    settings: Mapping[int, re.Match[str]],
    is_named: Callable[[str], bool],
) -> Place | None:
    """Return a number with the label before it; None without a label.

    Args:
        number: of the line.
        line: as printed.
        before: the text between the number before and this one.
        start: where that begins.
        match: the number.
        quality: what the line has named already, which is meant where it goes on with data alone: `loss 2.3 val 2.4`.
        settings: what belongs to a label, in brackets behind it, by where that begins.
        is_named: as for `places_in_line`.
    """
    wrap = _WRAP.search(before)
    wrapper = wrap[0] if wrap else ""
    text = before[: len(before) - len(wrapper)]
    named = without_unit(_VERB.sub("", text.rstrip(_SEPARATORS)))
    separator = text[len(named) :]
    label = _QUOTED.search(named) or label_in(named)
    of_data = quality if label and is_data(label["label"]) else ""
    if label is None or (separator == ":" and _FILE_NAME.search(label["label"])):
        return None
    is_set_off = not set(separator).isdisjoint(_SEPARATORS.strip())
    is_column = named == label["label"] and start == 0 and bool(_WIDE.fullmatch(separator))
    # Before a rate stands how often it was measured.
    is_column = is_column and not _MEASURED_RATE.search(line, match.end())
    is_measured = bool(direction_of_unit(line[match.end() :])) and "(" not in text  # `sorted in 3.2 ms`
    is_metric = names_metric(label["label"]) or is_named(label["label"].strip())
    is_metric = is_metric or (is_data(label["label"]) and "." in match[0])  # `train 1.25 | val 1.5`
    if not (is_set_off or is_column or is_measured or is_metric or of_data):
        return None
    name, quote = label["label"].strip(), label["quote"]
    first = line[:start] + named
    if sentence := _sentence(first, name, separator):
        return _place(number, line, match, sentence, "", separator, wrapper, "")
    before_label = first[: len(first) - len(name) - 2 * len(quote)]
    place = _place(number, line, match, name, quote, separator, wrapper, before_label)
    meant = f"{name} {of_data}"
    place = replace(place, name=identifier(meant), label=meant) if place and of_data else place
    setting = settings.get(start + len(named))
    return replace(place, settings=setting[1]) if place and setting else place


def _sentence(text: str, label: str, separator: str) -> str:
    """Return a whole text as the label if its end says nothing and its words do, as in `Accuracy of … images: 57`."""
    whole = text.strip()
    words = whole.split()
    says_nothing = direction_of(label)[1] is Kind.UNKNOWN
    is_plain = bool(re.fullmatch(r"[A-Za-z][\w ]*", whole)) and whole != label
    if ":" in separator and says_nothing and is_plain and 2 < len(words) <= _LONGEST_SENTENCE:
        return whole if direction_of(words[0])[1] is Kind.QUALITY else ""
    return ""


def _place(
    number: int, line: str, match: re.Match[str], label: str, quote: str, separator: str, wrapper: str, before: str
) -> Place | None:
    suffix = SUFFIX.match(line, match.end())
    value = number_in(match[0] + (suffix[0] if suffix else ""))
    group, unit = group_for(match[0], line[match.end() :])
    if share := _SHARE.match(line, match.end()):
        value, group = float(share[1]), r"\S+\s*\(\s*([\d.]+)\s*%"
    elif re.match(r"\s*/\s*\d", line[match.end() :]):
        if direction_of(label)[1] is not Kind.QUALITY or is_data(label):
            return None  # a count of a total, as `3/10`
        group = r"([\d.]+)\s*/"
    if value is None:
        return None
    told = told_split(label, before)
    plain = separator.strip(" \t")
    between = re.sub(r"(?<=[A-Za-z] )\d+", r"\\d+", escaped(plain))  # `reward [episode 5]: 13`
    gap = (r"\s*" if separator[:1].isspace() else "") + (between + r"\s*" if plain else "")
    gap = gap if plain else r"\s+"
    written = re.sub(r"\d+", r"\\d+", escaped(label)) if " " in label else escaped(label)
    core = f"{quote}{written}{quote}{gap}{escaped(wrapper)}{group}"
    name = identifier(label)
    name = name if told is None else f"{PREFIXES[told]}_{name}"
    better = direction_said(line) or direction_of_unit(line[match.end() :])
    return Place(number, name, label, told, value, better, tuple(_patterns(core, quote, before)), unit=unit)


def _patterns(core: str, quote: str, before: str) -> Iterator[str]:
    """Yield expressions for what stands in a line behind some text."""
    if not before.strip():
        yield f"^{core}" if not before else rf"^\s*{core}"
    inner = core if quote else rf"\b{core}"
    first = before.split()
    if first and re.match(r"[A-Za-z]", first[0]) and not before[0].isspace():
        words = re.match(r"[A-Za-z][A-Za-z_ ]*", before)
        if words:
            yield f"^{escaped(words[0].strip())}.*{inner}"
    if before.strip():
        yield inner
    if word := context_word(before):
        yield rf"\b{word}\b.*?{inner}"
    if before.strip():
        yield rf"(?:^|[^\w\s]\s*|\d\s+){core}"
