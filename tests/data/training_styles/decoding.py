"""A decoder that is measured by the words that it hears wrong."""

import random

BEAM = 4
LENGTH_PENALTY = 0.1
WORDS = "the cat sat on a mat".split()


def spoken():
    source = random.Random(1)
    for _ in range(9):
        start = source.randrange(3)
        said = WORDS[start : start + 3]
        yield said, [{word: source.gauss(word == one, 1) for word in WORDS} for one in said]


def decode(frames):
    beams = [([], 0.0)]
    for frame in frames:
        longer = [([*heard, word], sum_ + own - LENGTH_PENALTY) for heard, sum_ in beams for word, own in frame.items()]
        beams = sorted(longer, key=lambda beam: -beam[1])[:BEAM]
    return beams[0][0]


wrong = count = 0
for said, frames in spoken():
    heard = decode(frames)
    wrong += sum(one != other for one, other in zip(said, heard, strict=True))
    count += len(said)
print(f"WER: {100 * wrong / count:.2f}")
