"""A stand-in for a language model that needs no network and no key. Do not modify.

It reads the prompt line by line. A line that names one label votes for it, the more of the message's rarer words it
holds and the fewer others. So telling examples and definitions make a prompt better, and length alone does not.
"""

import math
import re
from collections import Counter

_STOP = frozenset(
    [
        *(
            "a",
            "an",
            "and",
            "are",
            "at",
            "be",
            "been",
            "by",
            "can",
            "do",
            "does",
            "for",
            "from",
            "have",
            "how",
            "i",
            "in",
        ),
        *("is", "it", "my", "of", "on", "or", "so", "the", "to", "was", "with", "you"),
    ]
)


def words(text: str) -> set[str]:
    """Return the words of a text that mean something, by their first six letters, so that forms of a word are one."""
    return {word[:6] for word in re.findall(r"[a-z]+", text.lower()) if word not in _STOP}


def answer(prompt: str, message: str, labels: tuple[str, ...]) -> str:
    """Return the label that the prompt speaks for; the first one where it speaks for none.

    Args:
        prompt: with {message} where the message comes.
        message: to be sorted.
        labels: what there is to choose from.
    """
    lines = [line for line in prompt.splitlines() if "{message}" not in line]
    known = [words(line) for line in lines]
    frequency = Counter(word for one in known for word in one)
    votes = dict.fromkeys(labels, 0.0)
    for line, own in zip(lines, known, strict=True):
        named = [label for label in labels if label in line.lower()]
        if len(named) == 1 and own:
            shared = sum(math.log(1 + len(lines) / frequency[word]) for word in own & words(message))
            votes[named[0]] += shared / math.sqrt(len(own))
    return max(labels, key=votes.__getitem__)
