"""Ask a stand-in for a language model with the prompt, and compare its answers with the labels. Do not modify.

The stand-in reads the prompt line by line. A line that names one label votes for it, the more of the review's words it
holds and the fewer others. Each seed asks another three quarters of the reviews.
"""

import math
import os
import re
import sys
from pathlib import Path
from random import Random

LABELS = ("positive", "negative")
REVIEWS = (
    ("positive", "Great shop and fast delivery"),
    ("positive", "I love it and I recommend it to my friends"),
    ("positive", "The perfect gift, and the staff was kind"),
    ("positive", "Fast answers, fair prices, great screens"),
    ("positive", "My parcel came early, perfect"),
    ("positive", "Not the cheapest, but I love the quality"),
    ("positive", "I recommend this shop, great staff"),
    ("positive", "Works as it should, fast and quiet"),
    ("negative", "Broken on arrival, the parcel was open"),
    ("negative", "I want a refund, the delivery never came"),
    ("negative", "Rude staff and high prices"),
    ("negative", "A waste of money, the screen does not work"),
    ("negative", "Never again, the delivery was late"),
    ("negative", "The screens are not what was shown, refund please"),
    ("negative", "Two parcels lost, staff rude"),
    ("negative", "Broken after a week, a waste"),
)


def words(text: str) -> set[str]:
    """Return the words of a text by their first five letters, so that forms of a word are one."""
    return {word[:5] for word in re.findall(r"[a-z]{3,}", text.lower())}


def answer(prompt: str, review: str) -> str:
    """Return the label that the prompt speaks for; the first one where it speaks for none."""
    votes = dict.fromkeys(LABELS, 0.0)
    for line in prompt.splitlines():
        named = [label for label in LABELS if label in line.lower()]
        if len(named) == 1:
            votes[named[0]] += len(words(line) & words(review)) / math.sqrt(len(words(line)))
    return max(LABELS, key=votes.__getitem__)


def main() -> None:
    """Print the share of right answers and the length of the prompt."""
    prompt = Path(sys.argv[1]).read_text(encoding="utf-8")
    asked = Random(int(os.environ.get("EVO_SEED", "0"))).sample(REVIEWS, len(REVIEWS) * 3 // 4)
    print(f"accuracy: {sum(answer(prompt, review) == label for label, review in asked) / len(asked):.4f}")
    print(f"prompt_characters: {len(prompt)}")


if __name__ == "__main__":
    main()
