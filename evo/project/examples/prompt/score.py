"""Ask the model with the prompt that a candidate left, and compare its answers with the labels. Do not modify.

Nothing of the candidate's runs here: prompt.txt is read as text, and it never sees these messages. Each seed asks
another half of them, so that replicates show how much a score depends on which messages happened to come.
"""

import os
import sys
from pathlib import Path
from random import Random

from model import answer

LABELS = ("billing", "delivery", "account", "technical")
MOST_CHARACTERS = 20_000


def read_prompt() -> str:
    """Return the prompt, or end with what is wrong with it."""
    path = Path(os.environ.get("EVO_ARTIFACTS", "."), "prompt.txt")
    try:
        prompt = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        sys.exit(f"prompt.txt must be text in UTF-8, but it cannot be read: {error}")
    if prompt.count("{message}") != 1 or len(prompt) > MOST_CHARACTERS:
        sys.exit(
            f"prompt.txt must have at most {MOST_CHARACTERS} characters and {{message}} once, "
            f"but it has {len(prompt)} and {prompt.count('{message}')} of these."
        )
    return prompt


def main() -> None:
    """Print the share of right answers and the length of the prompt."""
    prompt = read_prompt()
    lines = Path("messages.tsv").read_text(encoding="utf-8").splitlines()
    asked = Random(int(os.environ.get("EVO_SEED", "0"))).sample(lines, len(lines) // 2)
    right = sum(answer(prompt, message, LABELS) == label for label, message in (line.split("\t") for line in asked))
    print(f"accuracy: {right / len(asked):.4f}")
    print(f"prompt_characters: {len(prompt)}")


if __name__ == "__main__":
    main()
